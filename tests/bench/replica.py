r"""Fills a replica for the first time, side by side: `ExactMySQLReplicator` against `mariadb-dump | mariadb`.

    python tests/bench/replica.py --rows 1000000 --runs 3

The table is that of `hot_path.py`, from a private MariaDB into another one, with InnoDB, which has none of it before.
Both are timed as whole commands, in turn, and the rows are compared. Only ratios within one call count: machines drift.
Needs the programs of the package `mariadb-client`. With `--insert`, the replica takes no rows as a file.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
import wide_table
from measuring import Taken, measured, say

from etlkit import SchemaDiscovery
from etlkit.demo import PrivateMariaDB
from etlkit.replication.replicator import ExactMySQLReplicator

CLINIC = "bench"
SETTINGS = {"innodb-buffer-pool-size": "1G", "key-buffer-size": "256M"}


def copy() -> None:
    """Copy the table, as a program of its own."""
    source, target = (sa.create_engine(os.environ[f"BENCH_{name}"]) for name in ("SOURCE", "TARGET"))
    discovery = SchemaDiscovery(source, CLINIC)
    with ExactMySQLReplicator(source, target, CLINIC, CLINIC, discovery) as replicator:
        replicator.copy_table_data(wide_table.TABLE)


def piped(source: PrivateMariaDB, target: PrivateMariaDB, folder: Path) -> list[str]:
    """Give the pipe as one command, as a person would write it."""
    files = []
    for name, server in (("source", source), ("target", target)):
        files.append(folder / f"{name}.cnf")
        access = (
            f"user=etlkit\npassword={server.access.password}\nhost=127.0.0.1\nport={server.access.port}\n"
        )
        files[-1].write_text(f"[client]\n{access}")
        files[-1].chmod(0o600)
    dump = f"mariadb-dump --defaults-file={files[0]} --single-transaction --quick --no-tablespaces"
    return [
        *("/bin/bash", "-euo", "pipefail", "-c"),
        f"{dump} {CLINIC} {wide_table.TABLE} | mariadb --defaults-file={files[1]} {CLINIC}",
    ]


def emptied(target: PrivateMariaDB) -> None:
    """Drop what the last command wrote."""
    with target.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {CLINIC}")
        cursor.execute(f"CREATE DATABASE {CLINIC} CHARACTER SET utf8mb4")


def checksum(server: PrivateMariaDB) -> int:
    """Give the checksum of the table's rows."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CHECKSUM TABLE {CLINIC}.{wide_table.TABLE}")
        return int((cursor.fetchone() or ("", 0))[1])


def compare(source: PrivateMariaDB, target: PrivateMariaDB, folder: Path, runs: int) -> None:
    """Run both commands in turn.

    Args:
        source: with the table in it.
        target: the replica.
        folder: for the pipe's passwords.
        runs: pairs to count.
    """
    environment = os.environ | {
        f"BENCH_{name}": server.database_url(CLINIC).replace("mysql://", "mysql+pymysql://")
        for name, server in (("SOURCE", source), ("TARGET", target))
    }
    commands = {"etlkit": [sys.executable, __file__, "--copy"], "pipe": piped(source, target, folder)}
    taken: dict[str, list[Taken]] = {name: [] for name in commands}
    expected = checksum(source)
    for turn in range(runs + 1):
        for which, command in commands.items():
            emptied(target)
            time.sleep(1)
            result = measured(command, environment)
            if checksum(target) != expected:
                sys.exit(f"{which} did not copy the same rows.")
            if turn:
                taken[which].append(result)
                say(
                    f"{turn}  {which:<7} {result.seconds:6.2f} s  {result.cpu:6.2f} CPU s of clients"
                    f"  {result.megabytes:6.0f} MB"
                )
    pairs = zip(taken["etlkit"], taken["pipe"], strict=True)
    ratios = [ours.seconds / theirs.seconds for ours, theirs in pairs]
    say(f"time, etlkit / pipe, pair by pair: {', '.join(f'{each:.2f}' for each in ratios)}")
    say(f"median {statistics.median(ratios):.2f}")


def main() -> None:
    """Measure, and print every pair and the median."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="pairs to count, after one that is not counted")
    parser.add_argument(
        "--engine", choices=["InnoDB", "MyISAM"], default="InnoDB", help="of the source's table"
    )
    parser.add_argument("--insert", action="store_true", help="switch LOAD DATA LOCAL off on the replica")
    parser.add_argument("--copy", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.copy:
        copy()
        return
    if shutil.which("mariadb-dump") is None:
        sys.exit("The program mariadb-dump was not found. Install it: apt-get install mariadb-client")
    with tempfile.TemporaryDirectory(prefix="etlkit-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        refusing = {"local-infile": "0"} if arguments.insert else {}
        with (
            PrivateMariaDB(folder / "source", settings=SETTINGS) as source,
            PrivateMariaDB(folder / "replica", settings=SETTINGS | refusing) as target,
        ):
            wide_table.create(source, CLINIC, arguments.rows, arguments.engine)
            compare(source, target, folder, arguments.runs)


if __name__ == "__main__":
    main()
