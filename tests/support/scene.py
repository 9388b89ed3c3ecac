"""A deployment of two tables that something happens to: what must be as it was, and what the next run must do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import attrs

from etlkit import TableFinished
from etlkit.config import ColumnOverride, RunSettings, TableChoice
from etlkit.errors import EtlkitError
from support.databases import SourceDatabase, WarehouseDatabase
from support.held_reads import CONVERSION, HERE, waiting_registry
from support.invariants import CANARY, Invariants
from support.running import Running, running_of

ROWS = 60
"""Rows of `patient` at first."""

# Wide, so that the few rows are not taken for a table that one chunk holds.
_PATIENT = (
    (
        "create table patient (PatNum int primary key, LName varchar(40) not null, Note mediumtext not null, "
        "DateTStamp timestamp not null default current_timestamp on update current_timestamp, key (DateTStamp))"
    ),
    "insert into patient values "
    + ", ".join(
        f"({number}, '{CANARY} {number}', repeat('{CANARY}', 2200), '2024-01-01')"
        for number in range(1, ROWS + 1)
    ),
    "analyze table patient",
    "create table visit (VisitNum int primary key, Note varchar(40) not null)",
    "insert into visit values (1, 'a'), (2, 'b')",
)
_STATES = "select table_name, watermark, generation, run_id from etlkit.table_state order by table_name"


@attrs.define(kw_only=True)
class Scene:
    """The deployment, and what it was like before the fault."""

    running: Running
    source: SourceDatabase
    warehouse: WarehouseDatabase
    kept: dict[str, Any] = attrs.field(factory=dict)
    """What both sides held when `remember` was called."""
    end: tuple[int, str | dict[str, str]] = (0, "")
    """How the run ended that was carried out by `ends`."""
    leads_to: BaseException | None = None
    """What the error that the run ended by leads back to; it may hold values."""
    invariants: Invariants | None = None
    """What must hold; made anew by `watched`."""

    def loaded(self) -> None:
        """Load everything, and then change each table, so that the next load has to write."""
        assert 0 == self.running.run(), self.errors()
        self.source.execute(
            f"update patient set LName = '{HERE}' where PatNum = 3",
            "update patient set LName = concat(LName, '!') where PatNum > 30",
            "delete from patient where PatNum = 20",
            f"insert into patient (PatNum, LName, Note) values ({ROWS + 1}, '{CANARY}', '')",
            "update visit set Note = 'c' where VisitNum = 2",
        )
        self.remember()

    def remember(self) -> None:
        """Keep what both sides hold now."""
        self.kept = {
            "rows": self.rows(),
            "states": self.warehouse.rows(_STATES),
            "source": self.checksums(),
        }

    def rows(self, table: str = "patient") -> list[tuple[Any, ...]]:
        """Give the warehouse's rows with their physical versions; none when there is no table."""
        if self.warehouse.value(f"select to_regclass('raw.{table}')") is None:
            return []
        return self.warehouse.rows(f"select t::text, ctid::text, xmin::text from raw.{table} t order by 1")

    def checksums(self) -> list[tuple[Any, ...]]:
        """Give the source's own checksum of each table."""
        tables = [
            name
            for (name,) in self.source.rows(
                f"select table_name from information_schema.tables where table_schema = '{self.source.name}'"
            )
        ]
        return [row for name in sorted(tables) for row in self.source.rows(f"checksum table `{name}`")]

    def state_of(self, table: str) -> list[tuple[Any, ...]]:
        """Give what the ledger remembers of a table."""
        return [row for row in self.warehouse.rows(_STATES) if row[0] == table]

    def untouched(self) -> None:
        """Assert that table `patient`, its state, and the source are what they were."""
        assert self.kept["rows"] == self.rows()
        assert [row for row in self.kept["states"] if row[0] == "patient"] == self.state_of("patient")
        assert self.kept["source"] == self.checksums()

    def errors(self) -> dict[str, str]:
        """Give what the last run said of the tables that failed."""
        return {
            each.table: each.error
            for each in self.running.events
            if isinstance(each, TableFinished) and each.error is not None
        }

    def ends(self, run: Callable[[], int]) -> tuple[int, str | dict[str, str]]:
        """Carry out a run.

        Returns:
            Its exit code, and what it said: of the run, or of each table that failed.
        """
        try:
            code: int = run()
            self.end = code, self.errors()
        except EtlkitError as error:
            self.end = error.exit_code, error.message
            self.leads_to = error.__cause__ or error.__context__
        return self.end

    @contextmanager
    def watched(
        self, *, source_changes: bool = False, tables: Collection[str] | None = None
    ) -> Iterator[None]:
        """Look at both sides all the time while a fault strikes; `recovers` tells the rest.

        Args:
            source_changes: whether the fault changes the source, or does something that its counters show.
            tables: those that stay comparable; None for all.
        """
        self.invariants = Invariants.of_running(self.running, tables=tables)
        with self.invariants.watching(source_changes=source_changes):
            yield

    def recovers(self, *, recovered: bool = False) -> None:
        """Assert that everything holds after the fault, and after a clean run.

        Args:
            recovered: whether the run that the fault struck got over it.
        """
        assert self.invariants is not None
        assert self.leads_to is None
        code, said = self.end
        words = str(said) if said else ""
        self.invariants.hold_after(code, "", words, recovered=recovered)
        self.running.deployment.connections.close()


@contextmanager
def scene_of(
    source: SourceDatabase,
    warehouse: WarehouseDatabase,
    *plugins: ModuleType,
    strategy: str = "full_table",
    retries: int = 0,
    choices: Mapping[str, TableChoice] | None = None,
    prepare: Iterable[str] = (),
    **settings: Any,
) -> Iterator[Scene]:
    """Make the tables, and a deployment that can be made to wait while it reads `patient`.

    Args:
        source: an empty database.
        warehouse: an empty database.
        *plugins: modules beside the built-in ones.
        strategy: of `patient`.
        retries: how often a table is tried again.
        choices: of more tables.
        prepare: statements for the source, when the tables are there.
        settings: for `running_of`.
    """
    source.execute(*_PATIENT, *prepare)
    override = {"LName": ColumnOverride(conversion=CONVERSION)}
    patient = TableChoice(
        extraction_strategy=strategy,
        batch_size=2,
        column_overrides=override,
        options={"chunk_mb": "1"} if strategy.endswith("incremental") else {},
    )
    with running_of(
        source,
        warehouse,
        registry=waiting_registry(source, *plugins),
        run=RunSettings(retries=retries, threads=1),
        tables={"patient": patient, **(choices or {})},
        **settings,
    ) as running:
        running.analyse()
        yield Scene(running=running, source=source, warehouse=warehouse)
