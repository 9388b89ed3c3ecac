"""What it costs to prove one wide table equal, beside a full load of it.

    python tests/bench/proofs.py --rows 1000000 --runs 3

In turn: a first load that keeps digests, a reconcile that finds all digests equal, one that finds one changed row, and
a run that finds the table's checksum unchanged. Times are those of whole commands, bytes are what the source's server
sent.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import attrs
import wide_table
from hot_path import CLINIC, emptied
from measuring import Taken, measured, private_servers, say

from etlkit.demo import PrivateMariaDB, PrivatePostgres

LOAD = "first load"
EQUAL = "digests, all equal"
REPAIR = "digests, one row changed"
CHECKSUM = "checksum, unchanged"


@attrs.define(kw_only=True)
class Bench:
    """The servers, and a deployment of the one table."""

    source: PrivateMariaDB
    warehouse: PrivatePostgres
    clinic: Path
    taken: dict[str, list[tuple[Taken, int]]] = attrs.field(factory=dict)

    def etlkit(self, *words: str) -> list[str]:
        """Give a command."""
        return [sys.executable, "-m", "etlkit", *words, "-C", str(self.clinic)]

    @property
    def environment(self) -> dict[str, str]:
        """What etlkit.yml refers to."""
        urls = {
            "ETLKIT_SOURCE_URL": self.source.reader_url(CLINIC),
            "ETLKIT_WAREHOUSE_URL": self.warehouse.url,
        }
        return os.environ | urls

    def prepare(self) -> None:
        """Make the deployment."""
        for verb in ("init", "analyze"):
            subprocess.run(self.etlkit(verb), env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def take(self, name: str, *words: str) -> None:
        """Run a command, and note what it took and what the source sent."""
        time.sleep(1)
        before = self.sent()
        taken = measured(self.etlkit(*words), self.environment)
        sent = self.sent() - before
        self.taken.setdefault(name, []).append((taken, sent))
        say(
            f"{name:<26} {taken.seconds:6.2f} s  {taken.cpu:6.2f} CPU s of the client  {sent / 1e6:10.3f} MB sent"
        )

    def sent(self) -> int:
        """Give the bytes that the source's server has sent so far."""
        with self.source.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Bytes_sent'")
            ((_, sent),) = cursor.fetchall()
        return int(sent)

    def change(self, number: int) -> None:
        """Change a row in a way that its stamp does not show."""
        with self.source.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE `{CLINIC}`.`{wide_table.TABLE}` SET ProcFee = ProcFee + 1, DateTStamp = DateTStamp "
                "WHERE ProcNum = %s",
                (number,),
            )
            connection.commit()

    def prove_unchanged(self) -> None:
        """Let two runs pass: one that finds nothing to write, and one whose proof is due, which keeps the checksum."""
        for sql in ("SELECT 1", "UPDATE etlkit.table_state SET proven_at = NULL"):
            with self.warehouse.connect() as connection, connection.cursor() as cursor:
                cursor.execute(sql)
                connection.commit()
            subprocess.run(self.etlkit("run"), env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def ratio(self, name: str) -> str:
        """Word the medians of a command's seconds and bytes, as shares of the first load's."""
        seconds, sent = (
            statistics.median(each / whole for each, whole in zip(mine, loads, strict=True))
            for mine, loads in (
                ([taken.seconds for taken, _ in self.taken[which]] for which in (name, LOAD)),
                ([sent for _, sent in self.taken[which]] for which in (name, LOAD)),
            )
        )
        return f"{name}: {seconds:.2f} of the first load's time, {sent:.5f} of its bytes"


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="rounds to count, after one that is not counted")
    parser.add_argument("--engine", choices=["InnoDB", "MyISAM"], default="InnoDB")
    arguments = parser.parse_args()
    with private_servers() as (source, warehouse, folder):
        wide_table.create(source, CLINIC, arguments.rows, arguments.engine)
        bench = Bench(source=source, warehouse=warehouse, clinic=folder / "clinic")
        bench.prepare()
        for turn in range(arguments.runs + 1):
            if turn == 1:
                bench.taken.clear()
            emptied(warehouse)
            bench.take(LOAD, "run")
            bench.take(EQUAL, "reconcile")
            bench.change(arguments.rows // 2 + turn)
            bench.take(REPAIR, "reconcile")
            bench.prove_unchanged()
            bench.take(CHECKSUM, "run")
        for which in (EQUAL, REPAIR, CHECKSUM):
            say(bench.ratio(which))


if __name__ == "__main__":
    main()
