"""What the front desk notices of a load: how long its statements wait while each strategy reads the table they work on.

    python tests/bench/latency.py

Two programs play the front desk: one updates a row of the table every 10 ms, the other selects ten, each on a
connection of its own. Meanwhile the table is loaded by each strategy, on MyISAM and on InnoDB. Printed are the waits
from sending a statement to having its answer, of those that were sent between the beginning of the load and its last
chunk; and the same without a load. Exits with 1 when a budget is missed: 99 of 100 statements are to wait less than
300 ms on MyISAM, where a statement that reads holds up who writes and everybody behind them, and 20 ms on InnoDB.

A front desk that waits does not click meanwhile: a program whose statement waited sends the next one at once, not all
that were due. In a clinic, etlkit and the warehouse have machines of their own. Here they share processors with the
server, so they only get what the server and the front desk leave (`--shared`: as much as everybody); the warehouse
does not wait for its disk, which is the server's too, and neither does the server when it commits.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import attrs
import wide_table
from measuring import private_servers, say

from etlkit.demo import PrivateMariaDB, PrivatePostgres
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.run import Run, RunRequest

CLINIC = "bench"
EVERY_SECONDS = 0.01
PATIENTS = 100
"""Rows that the front desk works on, all over the table."""
BUDGETS = {"MyISAM": 0.3, "InnoDB": 0.02}
"""By engine, the seconds that 99 of 100 statements may wait."""
STATEMENTS = (
    f"UPDATE `{wide_table.TABLE}` SET ProcFee = ProcFee + 1 WHERE ProcNum = %s",
    f"SELECT * FROM `{wide_table.TABLE}` WHERE ProcNum BETWEEN %s AND %s + 9",
)
CURSORS = ("incremental", "chunked_incremental", "streaming_incremental")
WITHOUT = "no load"

Wait = tuple[float, float]
"""When a statement was sent, by the machine's monotonic clock, and how many seconds its answer took."""


def desk(server: dict[str, str | int], statement: str, rows: int, line: Connection) -> None:
    """Send a statement every 10 ms until told to end, then tell the waits."""
    import pymysql  # noqa: PLC0415 - in a process of its own

    waits: list[Wait] = []
    keys = random.Random(statement)  # noqa: S311 - no secret
    with pymysql.connect(**server, autocommit=True) as connection, connection.cursor() as cursor:
        line.send("ready")
        while not line.poll():
            key = rows // PATIENTS * keys.randrange(PATIENTS) + 1
            sent = time.monotonic()
            cursor.execute(statement, (key,) * statement.count("%s"))
            cursor.fetchall()
            waits.append((sent, time.monotonic() - sent))
            time.sleep(max(0.0, sent + EVERY_SECONDS - time.monotonic()))
    line.send(waits)


def load(folder: Path, request: RunRequest, line: Connection, *, shared: bool) -> None:
    """Carry out a run, and tell when its load began and when it had the last chunk."""
    if not shared:
        spare(0)
    sys.setswitchinterval(0.001)  # as the command does
    moments = [time.monotonic()]
    with Deployment.opened(folder) as deployment:
        run = Run(
            deployment=deployment,
            request=request,
            tell=lambda _: moments.append(time.monotonic()) if len(moments) == 1 else None,
            rows_read=lambda *_: moments.append(time.monotonic()),
        )
        ended = run.carry_out()
    line.send((moments[1], moments[-1], ended.exit_code))


def spare(process: int) -> None:
    """Let a process, and those that it starts from now on, have only the time that nobody else wants."""
    os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))


@attrs.define(kw_only=True)
class Bench:
    """A table of one engine, and a deployment of it."""

    source: PrivateMariaDB
    warehouse: PrivatePostgres
    clinic: Path
    engine: str
    rows: int
    shared: bool
    missed: bool = False

    def prepare(self) -> None:
        """Make the table and the deployment."""
        wide_table.create(self.source, CLINIC, self.rows, self.engine)
        self.sql(f"ALTER TABLE `{wide_table.TABLE}` ADD KEY (DateTStamp)")
        with self.warehouse.connect() as connection, connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA IF EXISTS raw CASCADE")
            cursor.execute("DROP SCHEMA IF EXISTS etlkit CASCADE")
        os.environ["ETLKIT_SOURCE_URL"] = self.source.reader_url(CLINIC)
        os.environ["ETLKIT_WAREHOUSE_URL"] = self.warehouse.url
        etlkit = [sys.executable, "-m", "etlkit"]
        for verb in ("init", "analyze"):
            subprocess.run(
                [*etlkit, verb, "-C", str(self.clinic)],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def sql(self, statement: str) -> None:
        """Let the administrator change the table."""
        with self.source.connect(CLINIC) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            connection.commit()

    def strategies(self) -> None:
        """Measure each strategy, and what the front desk waits without a load."""
        with self.desks() as waits:
            time.sleep(5)
        self.tell(WITHOUT, [wait for _, wait in waits], 5)
        self.choose("full_table")
        self.measure("full_table, first load")
        self.change("ProcNum % 3 = 0")
        self.measure("full_table, a third changed")
        for strategy in CURSORS:
            self.choose(strategy)
            self.measure(f"{strategy}, first load")
            self.change("ProcNum % 3 = 0")
            self.measure(f"{strategy}, a third changed")
            self.change(f"ProcNum > {self.rows * 0.98:.0f}")
            self.measure(f"{strategy}, the last changed")
        self.sql(f"ALTER TABLE `{wide_table.TABLE}` DROP KEY DateTStamp")
        self.change("ProcNum % 100 = 0")
        self.measure(f"{CURSORS[-1]}, no index")
        self.choose("reconcile")
        self.measure("reconcile, first load")
        self.change("ProcNum % 1000 = 0", stamped=False)
        self.measure("reconcile, 1 of 1000 changed")

    def choose(self, strategy: str) -> None:
        """Load the table by a strategy from now on."""
        reconcile = "every_run" if strategy == "reconcile" else "never"
        choice = (
            f"{{extraction_strategy: {strategy}, incremental_column: DateTStamp, reconcile: {reconcile}}}"
        )
        settings = self.clinic / "etlkit.yml"
        kept = settings.read_text("utf-8").partition("\ntables:")[0]
        settings.write_text(f"{kept}\ntables: {{{wide_table.TABLE}: {choice}}}\n", "utf-8")

    def change(self, where: str, *, stamped: bool = True) -> None:
        """Change rows; nobody else works meanwhile."""
        stamp = "" if stamped else ", DateTStamp = DateTStamp"
        self.sql(f"UPDATE `{wide_table.TABLE}` SET Discount = Discount + 1{stamp} WHERE {where}")

    def measure(self, name: str) -> None:
        """Measure a load."""
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        with self.desks() as waits:
            process = multiprocessing.get_context("spawn").Process(
                target=load,
                args=(self.clinic, RunRequest(full_refresh=name.endswith("first load")), theirs),
                kwargs={"shared": self.shared},
            )
            process.start()
            began, ended, exit_code = ours.recv()
            process.join()
        if exit_code:
            sys.exit(f"The run ended with {exit_code}.")
        self.tell(name, [wait for sent, wait in waits if began <= sent <= ended], ended - began)

    @contextmanager
    def desks(self) -> Iterator[list[Wait]]:
        """Let the front desk work; gives its waits at the end of the block."""
        spawn = multiprocessing.get_context("spawn")
        server = {
            "host": "127.0.0.1",
            "port": self.source.access.port,
            "user": "desk",
            "password": "desk",
            "database": CLINIC,
        }
        self.sql(f"GRANT SELECT, UPDATE ON `{CLINIC}`.* TO desk@'127.0.0.1' IDENTIFIED BY 'desk'")
        lines: list[Connection] = []
        processes = []
        for statement in STATEMENTS:
            ours, theirs = spawn.Pipe()
            lines.append(ours)
            processes.append(
                spawn.Process(target=desk, args=(server, statement, self.rows, theirs), daemon=True)
            )
            processes[-1].start()
        waits: list[Wait] = []
        for line in lines:
            line.recv()
        yield waits
        for line in lines:
            line.send("end")
        for line, process in zip(lines, processes, strict=True):
            waits += line.recv()
            process.join()

    def tell(self, name: str, waits: Sequence[float], seconds: float) -> None:
        """Print a line."""
        budget = BUDGETS[self.engine]
        ordered = sorted(waits)
        half, most, longest = (1000 * ordered[int((len(ordered) - 1) * share)] for share in (0.5, 0.99, 1))
        met = name == WITHOUT or most < budget * 1000
        self.missed = self.missed or not met
        say(
            f"| {self.engine} | {name:<39} | {seconds:5.1f} | {len(ordered):5} | {half:6.1f} | {most:6.1f} "
            f"| {longest:6.1f} | {budget * 1000:4.0f} |{'' if met else ' MISSED'}"
        )


def main() -> None:
    """Measure, and say whether the budgets are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--engine", choices=[*BUDGETS], action="append", help="by default both")
    parser.add_argument(
        "--shared", action="store_true", help="etlkit and the warehouse compete with the server"
    )
    arguments = parser.parse_args()
    missed = False
    with private_servers(
        source={"innodb-flush-log-at-trx-commit": "2"},
        warehouse={"fsync": "off", "synchronous_commit": "off"},
    ) as (source, warehouse, folder):
        if not arguments.shared and warehouse.pid is not None:
            spare(warehouse.pid)
        say("| engine | load | seconds | statements | p50 ms | p99 ms | max ms | p99 at most |")
        say("|---|---|---|---|---|---|---|---|")
        for engine in arguments.engine or BUDGETS:
            bench = Bench(
                source=source,
                warehouse=warehouse,
                clinic=folder / engine,
                engine=engine,
                rows=arguments.rows,
                shared=arguments.shared,
            )
            bench.prepare()
            bench.strategies()
            missed = missed or bench.missed
    if missed:
        sys.exit(
            "A budget was missed. Where statements wait without a load too, measure on a quieter machine."
        )


if __name__ == "__main__":
    main()
