"""What a run costs on a source of many tables where nothing changed.

    python tests/bench/unchanged.py --tables 450 --rows 2000000

The first run loads, the second proves every table equal by reading or by digests, those behind it know by checksums
that nothing changed. Printed for each: seconds of the whole command, statements that the source's server was asked,
rows read and written, and what was said of the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter

from measuring import private_servers, say

from etlkit.demo import PrivateMariaDB

CLINIC = "bench"
COLUMNS = (
    "`Id{0}Num` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, PatNum bigint NOT NULL, ProvNum bigint NOT NULL, "
    "Kind tinyint NOT NULL, Fee double NOT NULL, Day date NOT NULL DEFAULT '0001-01-01', Title varchar(255) NOT NULL, "
    "Note text, {1} KEY (PatNum)"
)
STAMP = (
    "DateTStamp timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (DateTStamp), "
)
VALUES = (
    "NULL, seq % 9001, seq % 13, seq % 5, ROUND(seq % 1003 / 7, 2), '2015-01-01' + INTERVAL seq % 3000 DAY, "
    "CONCAT('Müller ', seq), IF(seq % 10 = 0, REPEAT(MD5(seq), 3), '')"
)


def sizes(tables: int, rows: int) -> list[int]:
    """Share rows out: a hundredth of the tables has half of them, the next tenth most of the rest."""
    large, middle = max(1, tables // 100), max(1, tables // 10)
    small = tables - large - middle
    return [rows // 2 // large] * large + [rows * 2 // 5 // middle] * middle + [rows // 10 // small] * small


def fill(server: PrivateMariaDB, tables: int, rows: int, engine: str) -> None:
    """Make the source; every third table has a stamp that the server sets."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {CLINIC} CHARACTER SET utf8mb4")
        cursor.execute(f"USE {CLINIC}")
        for number, size in enumerate(sizes(tables, rows)):
            stamped = number % 3 == 0
            columns = COLUMNS.format(number, STAMP if stamped else "")
            values = VALUES + (", '2021-01-01' + INTERVAL seq SECOND" if stamped else "")
            cursor.execute(f"CREATE TABLE table{number:03} ({columns}) ENGINE={engine}")
            cursor.execute(f"INSERT INTO table{number:03} SELECT {values} FROM seq_1_to_{size}")
        connection.commit()
        cursor.execute("ANALYZE TABLE " + ", ".join(f"table{number:03}" for number in range(tables)))


def asked(server: PrivateMariaDB) -> int:
    """Give the number of statements that the server was asked so far, this one included."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Questions'")
        ((_, questions),) = cursor.fetchall()
    return int(questions)


def main() -> None:
    """Measure, and print a line for each run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=450)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--engine", choices=["InnoDB", "MyISAM"], default="InnoDB")
    arguments = parser.parse_args()
    with private_servers() as (source, warehouse, folder):
        fill(source, arguments.tables, arguments.rows, arguments.engine)
        urls = {"ETLKIT_SOURCE_URL": source.reader_url(CLINIC), "ETLKIT_WAREHOUSE_URL": warehouse.url}
        etlkit = [sys.executable, "-m", "etlkit"]
        for verb in ("init", "analyze"):
            subprocess.run(
                [*etlkit, verb, "-C", str(folder / "clinic")],
                env=os.environ | urls,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        for turn in range(1, arguments.runs + 1):
            before, began = asked(source), time.monotonic()
            done = subprocess.run(
                [*etlkit, "run", "--json", "-C", str(folder / "clinic")],
                env=os.environ | urls,
                check=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            seconds, statements = time.monotonic() - began, asked(source) - before - 1
            tables = json.loads(done.stdout.splitlines()[-1])["tables"]
            read = sum(each["read"] for each in tables)
            written = sum(each[kind] for each in tables for kind in ("inserted", "updated", "deleted"))
            said = ", ".join(
                f"{count} {words}" for words, count in Counter(t["verified"] for t in tables).items()
            )
            say(
                f"run {turn}  {seconds:6.2f} s  {statements:6,} statements  {read:9,} rows read  "
                f"{written:9,} written  {said}"
            )


if __name__ == "__main__":
    main()
