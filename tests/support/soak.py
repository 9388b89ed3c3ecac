"""Random work of a practice times random faults, the same for the same seed as far as the work and the faults go."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any, Self

import attrs
from sqlalchemy.engine import make_url

from support.clinic import Clinic
from support.fault_proxy import Fault, FaultProxy
from support.invariants import Invariants
from support.workload import SERVER_STAMP, STAMP, Workload

CHUNKED: Mapping[str, Any] = {
    "incremental_column": "stamp",
    "reconcile": "every_run",
    "batch_size": 50,
    "options": {"chunk_mb": "1", "kept_seconds": "0"},
}
CHOICES: Mapping[str, Mapping[str, Any]] = {
    "numbered_whole": {"extraction_strategy": "full_table"},
    "keyless_whole": {"extraction_strategy": "full_table"},
    "by_text_followed": {
        "extraction_strategy": "incremental",
        "incremental_column": "stamp",
        "reconcile": "every_run",
    },
    "random_keys_chunked": {**CHUNKED, "extraction_strategy": "chunked_incremental"},
    "numbered_streamed": {**CHUNKED, "extraction_strategy": "streaming_incremental"},
    "by_two_reconciled": {"extraction_strategy": "reconcile"},
}
"""By table, how it is loaded: each strategy, and each kind of key."""

Ended = tuple[int, str, str]
"""Exit code, standard output and standard error of a run."""

_MOMENT_SECONDS = 0.6
_AGAIN_SECONDS = 0.005


@attrs.frozen(kw_only=True)
class WiredClinic(Clinic):
    """A deployment whose servers are reached over wires that can fail."""

    source_wire: FaultProxy
    warehouse_wire: FaultProxy

    @cached_property
    def env(self) -> Mapping[str, str]:
        """What `etlkit.yml` refers to."""
        return {
            "ETLKIT_SOURCE_URL": self.source_wire.through(self.source.reader_url),
            "ETLKIT_WAREHOUSE_URL": self.warehouse_wire.through(self.warehouse.url),
        }

    @classmethod
    @contextmanager
    def of(cls, clinic: Clinic) -> Iterator[Self]:
        """Lay wires to a deployment's servers."""
        with ExitStack() as stack:
            ports = [make_url(each.url).port or 0 for each in (clinic.source, clinic.warehouse)]
            source, warehouse = (stack.enter_context(FaultProxy(port)) for port in ports)
            yield cls(
                folder=clinic.folder,
                source=clinic.source,
                warehouse=clinic.warehouse,
                source_wire=source,
                warehouse_wire=warehouse,
            )


@attrs.define(kw_only=True)
class Soak:
    """Rounds of work and a run that a fault strikes."""

    clinic: WiredClinic
    seed: int
    work: Workload = attrs.field(init=False)
    chance: random.Random = attrs.field(init=False)
    """Chooses faults and their moments."""
    happened: Counter[str] = attrs.field(factory=Counter)
    """By fault and exit code, how often it came to that."""
    _columns: int = 0

    def __attrs_post_init__(self) -> None:
        self.work = Workload(self.clinic.source, self.seed)
        self.chance = random.Random(self.seed + 1)  # noqa: S311 - a test's faults

    def begin(self) -> None:
        """Make the tables, and load them once."""
        for table, choice in CHOICES.items():
            stamp = SERVER_STAMP if "incremental_column" in choice else STAMP
            self.work.create(table, stamp=stamp, rows=150, width=200)
        self.clinic.prepared("")
        self.clinic.choose(CHOICES)
        self.clinic.loaded()

    def round(self) -> None:
        """Work, let a fault strike a run, and make sure that everything holds that must hold at once."""
        self._work(12)
        fault = self.chance.choice(FAULTS)
        busy = self.chance.random() < 0.3
        self._retry(self.chance.choice([0, 0, 1]))
        invariants = Invariants.of_clinic(self.clinic)
        with invariants.watching(source_changes=busy), self._at_work(busy=busy):
            try:
                code, stdout, stderr = fault(self)
            finally:
                for wire in (self.clinic.source_wire, self.clinic.warehouse_wire):
                    wire.heal()
        name = fault.__name__.strip("_")
        self.happened[f"{name}: {code}"] += 1
        said = {"recovered": code == 0, "killed": code == -signal.SIGKILL}
        assert code in (0, 1, 3, -signal.SIGKILL), (name, stdout, stderr)
        invariants.said(code, stdout, stderr, **said)
        invariants.hold_now()

    def settle(self) -> None:
        """A clean run makes both sides equal, and a second one writes nothing."""
        self._retry(2)
        Invariants.of_clinic(self.clinic).hold_after(0, "", "", recovered=True)

    def _work(self, statements: int) -> None:
        for _ in range(self.work.random.randrange(statements)):
            self.clinic.source.execute(self.work.change(self.work.random.choice(list(CHOICES))))
        if self.work.random.random() < 0.25:
            self._alter(self.work.random.choice(list(CHOICES)))

    def _alter(self, table: str) -> None:
        self._columns += 1
        change = self.work.random.choice(
            [
                f"add column extra{self._columns} int not null default {self._columns}",
                f"add column extra{self._columns} varchar(20) null",
                f"modify note varchar({50 + self._columns}) null",
            ]
        )
        self.clinic.source.execute(f"alter table {table} {change}")

    @contextmanager
    def _at_work(self, *, busy: bool) -> Iterator[None]:
        """Let the practice work while the block runs."""
        over = threading.Event()

        def work() -> None:
            while not over.wait(_AGAIN_SECONDS):
                self.clinic.source.execute(self.work.change(self.work.random.choice(list(CHOICES))))

        with _thread(work, over) if busy else ExitStack():
            yield

    def _retry(self, times: int) -> None:
        path = self.clinic.folder / "etlkit.yml"
        lines = [line for line in path.read_text().splitlines() if not line.startswith("  retries: ")]
        place = lines.index("run:") + 1
        path.write_text("\n".join([*lines[:place], f"  retries: {times}", *lines[place:], ""]))

    def _moment(self) -> float:
        return self.chance.random() * _MOMENT_SECONDS

    def run(self) -> Ended:
        """Run in this process."""
        result = self.clinic.etlkit("run", "--json")
        return result.exit_code, result.stdout, result.stderr

    def signalled(self, sent: signal.Signals) -> Ended:
        """Run as a process of its own, and send it a signal at some moment of its load."""
        process = self.clinic.started("run", "--json")
        assert process.stdout is not None
        first = process.stdout.readline()
        try:
            stdout, stderr = process.communicate(timeout=self._moment())
        except subprocess.TimeoutExpired:
            process.send_signal(sent)
            stdout, stderr = process.communicate(timeout=60)
        return process.returncode, first + stdout, stderr

    def sabotaged(self, strike: Callable[[], bool]) -> Ended:
        """Run, and strike once as soon as that meets something."""
        over, moment = threading.Event(), self._moment() / 2

        def sabotage() -> None:
            if not over.wait(moment):
                while not strike() and not over.wait(_AGAIN_SECONDS):
                    pass

        with _thread(sabotage, over):
            return self.run()

    def kill_in_source(self, what: str) -> bool:
        """Kill a statement or a connection of the reader, if there is one."""
        source = self.clinic.source
        found = source.rows(
            f"SELECT id FROM information_schema.processlist WHERE db = '{source.name}' AND command = 'Query' "
            "AND user <> substring_index(current_user(), '@', 1)"
        )
        if not found:
            return False
        with source.server.connect() as connection, connection.cursor() as cursor:
            # It may be gone by now.
            cursor.execute(f"SELECT id FROM information_schema.processlist WHERE id = {found[0][0]}")
            if cursor.fetchall():
                source.rows("SELECT 1")
                try:
                    cursor.execute(f"{what} {found[0][0]}")
                except connection.OperationalError:
                    return False
        return True

    def end_in_warehouse(self) -> bool:
        """End a session of etlkit's, if there is one at work."""
        return bool(
            self.clinic.warehouse.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'etlkit' "
                "AND datname = current_database() AND state <> 'idle' LIMIT 1"
            )
        )


def nothing(soak: Soak) -> Ended:
    """No fault."""
    return soak.run()


def killed(soak: Soak) -> Ended:
    """The process is killed."""
    return soak.signalled(signal.SIGKILL)


def terminated(soak: Soak) -> Ended:
    """The process is asked to end."""
    return soak.signalled(signal.SIGTERM)


def query_killed(soak: Soak) -> Ended:
    """The source ends a statement."""
    return soak.sabotaged(lambda: soak.kill_in_source("KILL QUERY"))


def connection_killed(soak: Soak) -> Ended:
    """The source ends a connection."""
    return soak.sabotaged(lambda: soak.kill_in_source("KILL"))


def session_ended(soak: Soak) -> Ended:
    """The warehouse ends a session."""
    return soak.sabotaged(soak.end_in_warehouse)


def source_cut(soak: Soak) -> Ended:
    """The wire to the source is cut after some bytes."""
    soak.clinic.source_wire.strike_after(Fault.RESET, answered=soak.chance.randrange(1, 150_000))
    return soak.run()


def warehouse_cut(soak: Soak) -> Ended:
    """The wire to the warehouse is cut after some bytes."""
    soak.clinic.warehouse_wire.strike_after(Fault.RESET, said=soak.chance.randrange(1, 150_000))
    return soak.run()


def commit_cut(soak: Soak) -> Ended:
    """The answer to one of the commits is lost."""
    soak.clinic.warehouse_wire.strike_after(Fault.RESET, statement="COMMIT")
    return soak.run()


FAULTS = (
    nothing,
    killed,
    terminated,
    query_killed,
    connection_killed,
    session_ended,
    source_cut,
    warehouse_cut,
    commit_cut,
)


@contextmanager
def _thread(function: Callable[[], None], over: threading.Event) -> Iterator[None]:
    """Run a function beside the block, and tell it when the block is over; what it raises is raised here."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised below
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if raised:
        raise raised[0]
