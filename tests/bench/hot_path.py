r"""Moves one wide table side by side: `etlkit run` against `mariadb --quick --batch | psql \copy`.

The table is loaded without digests, since the pipe brings none either, and once more with them, as `etlkit analyze`
chooses: they are what proves the table equal later.

    python tests/bench/hot_path.py --rows 2000000 --runs 3

Both are timed as whole commands, in turn, from a private MariaDB to a private PostgreSQL, into an empty warehouse
each time, with the primary key added after. Only ratios within one call count: machines drift.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import wide_table
from measuring import Taken, measured, private_servers, say

from etlkit.demo import PrivateMariaDB, PrivatePostgres
from etlkit.demo.postgres_server import DATABASE

CLINIC = "bench"
LOADED = f'raw."{wide_table.TABLE}"'
TARGETS = {"etlkit": LOADED, "digests": LOADED, "pipe": "public.piped"}


def pipe(source: PrivateMariaDB, warehouse: PrivatePostgres, folder: Path) -> list[str]:
    """Give the native pipe as one command; it makes an empty copy of etlkit's table first."""
    options = folder / "client.cnf"
    options.write_text(
        f"[client]\nuser=etlkit\npassword={source.access.password}\nhost=127.0.0.1\nport={source.access.port}\n"
    )
    options.chmod(0o600)
    psql = (
        f"{warehouse.psql} -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p {warehouse.access.port} -U etlkit {DATABASE}"
    )
    table = wide_table.TABLE
    reading = (
        f"mariadb --defaults-file={options} --quick --batch --skip-column-names {CLINIC}"
        f" -e 'SET time_zone = \"+00:00\"; SELECT * FROM {table}'"
    )
    script = [
        f"{psql} -c 'CREATE TABLE public.piped (LIKE public.shape)'",
        f"{reading} | {psql} -c \"\\copy public.piped FROM STDIN WITH (NULL 'NULL')\"",
        f"{psql} -c 'ALTER TABLE public.piped ADD PRIMARY KEY (\"ProcNum\")'",
    ]
    return ["/bin/bash", "-euo", "pipefail", "-c", "\n".join(script)]


def emptied(warehouse: PrivatePostgres) -> None:
    """Drop what the last command wrote, and let the server settle."""
    connection = warehouse.connect()
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS raw CASCADE")
        cursor.execute("DROP SCHEMA IF EXISTS etlkit CASCADE")
        cursor.execute("DROP TABLE IF EXISTS public.piped")
        cursor.execute("CHECKPOINT")
    connection.close()


def main() -> None:
    """Measure, and print every pair and the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=3, help="pairs to count, after one that is not counted")
    parser.add_argument("--engine", choices=["InnoDB", "MyISAM"], default="InnoDB")
    arguments = parser.parse_args()
    with private_servers() as (source, warehouse, folder):
        wide_table.create(source, CLINIC, arguments.rows, arguments.engine)
        compare(source, warehouse, folder, arguments.runs)


def compare(source: PrivateMariaDB, warehouse: PrivatePostgres, folder: Path, runs: int) -> None:
    """Run both commands in turn.

    Args:
        source: with the table in it.
        warehouse: empty.
        folder: for the deployment.
        runs: pairs to count.
    """
    environment = os.environ | {
        "ETLKIT_SOURCE_URL": source.reader_url(CLINIC),
        "ETLKIT_WAREHOUSE_URL": warehouse.url,
        "PGPASSFILE": str(warehouse.password_file),
    }
    commands = {}
    for which, schedule in (("etlkit", "never"), ("digests", "daily")):
        clinic = str(folder / which)
        etlkit = [sys.executable, "-m", "etlkit"]
        subprocess.run(
            [*etlkit, "init", "-C", clinic], env=environment, check=True, stdout=subprocess.DEVNULL
        )
        with (folder / which / "etlkit.yml").open("a") as file:
            file.write(f"tables: {{{wide_table.TABLE}: {{reconcile: {schedule}}}}}\n")
        subprocess.run(
            [*etlkit, "analyze", "-C", clinic], env=environment, check=True, stdout=subprocess.DEVNULL
        )
        commands[which] = [*etlkit, "run", "-C", clinic]
    subprocess.run(commands["etlkit"], env=environment, check=True, stdout=subprocess.DEVNULL)
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE public.shape AS SELECT * FROM {LOADED} LIMIT 0")
    commands["pipe"] = pipe(source, warehouse, folder)
    taken: dict[str, list[Taken]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        moved = set()
        for which, command in commands.items():
            emptied(warehouse)
            time.sleep(1)
            result = measured(command, environment)
            moved.add(digest(warehouse, TARGETS[which]))
            if turn:
                taken[which].append(result)
                say(
                    f"{turn}  {which:<7} {result.seconds:6.2f} s  {result.cpu:6.2f} CPU s of clients"
                    f"  {result.megabytes:6.0f} MB"
                )
        if len(moved) != 1:
            sys.exit("The two commands did not move the same rows.")
    for which, words in (("etlkit", ""), ("digests", " with digests")):
        pairs = zip(taken[which], taken["pipe"], strict=True)
        ratios = [theirs.seconds / ours.seconds for ours, theirs in pairs]
        say(
            f"rows per second, etlkit{words} / pipe, pair by pair: {', '.join(f'{each:.2f}' for each in ratios)}"
        )
        memory = max(each.megabytes for each in taken[which])
        say(f"median {statistics.median(ratios):.2f}; etlkit's memory {memory:.0f} MB at most")


def digest(warehouse: PrivatePostgres, table: str) -> tuple[int, int]:
    """Give the number of a table's rows and the sum of their hashes, etlkit's own columns left out."""
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'public.shape'::regclass AND attnum > 0"
        )
        names = ", ".join(f't."{name}"' for (name,) in cursor.fetchall())
        cursor.execute(f"SELECT count(*), sum(hashtextextended(row({names})::text, 0)) FROM {table} AS t")
        rows, hashes = cursor.fetchone() or (0, 0)
    return int(rows), int(hashes)


if __name__ == "__main__":
    main()
