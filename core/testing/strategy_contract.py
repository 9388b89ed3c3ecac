"""What a strategy must keep, as tests to subclass."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import sqlalchemy as sa

from etlkit.config import TableChoice
from etlkit.contracts import Everything, LoadPlan, Refusal, Strategy, TableState
from etlkit.errors import EtlkitError
from etlkit.tables import INTEGER_TYPES, TableAnalysis
from etlkit.testing.appointments import KEY, LINES, NAME
from etlkit.testing.checks import check_strategy
from etlkit.testing.contract import Contract, Database
from etlkit.testing.strategy_trial import MISSING, TWICE, StrategyTrial, strategy_trial
from etlkit.testing.tables import TABLES, table
from etlkit.wording import size

_MB = 1024 * 1024
_MOST_ROWS = 100_000
_WIDE_BYTES = _MB // 4
_NUMBERS = tuple(range(10, 240, 10))
"""Keys of the rows that are there before the first load: 23, with gaps."""
_GAP, _END = 115, 1000
"""A key between others, and one behind all."""


class StrategyContract(Contract):
    """A strategy loses no row and doubles none, whatever happens between two runs and during one.

    It is tried on a table `appointment` with the columns `AptNum` (the key), `PatNum`, `AptDateTime`, `Note`, `Fee` and
    `DateTStamp`, which is the time of each row's last edit. All times are of the last two hours.

    What a load must bring is read from its plan. One that reads everything with `Write.REPLACE`, or `Differences`, must
    leave the warehouse equal to the source. One that keeps a cursor must bring every row whose cursor is at or behind
    the watermark, and those without one; rows that are gone may stay. One without a cursor that reads `Where` must
    bring what its condition selects. With `Write.APPEND`, rows that are there may stay as they are.
    """

    options: ClassVar[Mapping[str, str]] = {}
    """What `tables: appointment: options:` would hold."""
    cursor: ClassVar[str | None] = "DateTStamp"
    """The column that discovery is to have chosen: `DateTStamp`, `AptNum` or, without a cursor, None."""
    columns: ClassVar[Sequence[str]] = ()
    """Further columns that the strategy needs, each in one line: `DateEntry date`."""
    tables: ClassVar[Sequence[TableAnalysis]] = ()
    """Tables of your own that its plans are checked for, beside `TABLES`."""
    engine: ClassVar[str] = "InnoDB"
    """The storage engine of the table."""
    chunk_bytes: ClassVar[int] = 4 * _MB
    """The most that one chunk may hold; raise it where memory is known to be there."""
    held_bytes: ClassVar[int] = 64 * _MB
    """The most that all chunks at work may hold together: those that wait, one being read and one being written."""

    hook = "etlkit_strategies"
    kind = "strategy"

    @classmethod
    def shown(cls, key: Sequence[str] = KEY) -> TableAnalysis:
        """Give the table that it is tried on, as discovery would show it.

        Args:
            key: the columns of its primary key.
        """
        options = dict(cls.options)
        return table(NAME, *LINES, *cls.columns, key=",".join(key), cursor=cls.cursor or "", options=options)

    @classmethod
    def strategy(cls) -> Strategy:
        """Give the strategy under test."""
        found: Strategy = cls.found(tuple(cls.registry().strategies.values()))
        return found

    def test_the_plugin_provides_it(self) -> None:
        """The plugin yields a strategy of this name."""
        self.strategy()

    def test_it_serves_the_table_of_the_contract(self) -> None:
        """It bids for the table that it is tried on."""
        bid = self.strategy().fits(self.shown())
        self.hold(
            not isinstance(bid, Refusal),
            f"it refuses the contract's table `{NAME}` ({getattr(bid, 'reason', '')}); give the contract the "
            "`options`, `columns` or `cursor` that it needs",
        )

    def test_it_bids_and_plans_without_side_effects(self) -> None:
        """Bids and plans are reasoned, repeatable data, and only what can be done is planned."""
        check_strategy(self.strategy(), tables=(self.shown(), *self.tables, *TABLES))

    def test_a_plan_bounds_what_is_held(self) -> None:
        """A chunk's budgets do not grow with the table, so that a table of any size is read with the same memory."""
        for plan in self._plans():
            chunks = plan.chunks
            held = (chunks.queue + 2) * chunks.max_bytes
            self.hold(
                chunks.max_bytes <= self.chunk_bytes and chunks.rows <= _MOST_ROWS,
                f"its plan lets a chunk have {chunks.rows} rows and {size(chunks.max_bytes)}, and a chunk is held "
                f"in memory whole; set `Chunks(rows=..., max_bytes=...)` to {_MOST_ROWS} rows and "
                f"{size(self.chunk_bytes)} at most, or raise the contract's `chunk_bytes`",
            )
            self.hold(
                held <= self.held_bytes,
                f"its plan lets {chunks.queue + 2} chunks of {size(chunks.max_bytes)} be held at a time, "
                f"{size(held)} in all; lower `queue` or `max_bytes` of its `Chunks` until they are "
                f"{size(self.held_bytes)} at most, or raise the contract's `held_bytes`",
            )

    def test_a_wide_table_is_read_in_bounded_chunks(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """A table larger than a chunk is read in several, none of which is larger than it may be."""
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            rows = self.chunk_bytes * 3 // _WIDE_BYTES
            trial.rows.add(range(1, rows + 1), stamp=trial.rows.now, note="x" * _WIDE_BYTES)
            with trial.rows.source.begin() as connection:
                connection.execute(sa.text("ANALYZE TABLE appointment"))
            read = [0]
            try:
                plan, _ = trial.loads.load(small=False, rows_read=read.append)
            except EtlkitError as error:
                raise AssertionError(f"strategy `{self.name}`: the first load failed: {error}") from error
            largest = max(after - before for before, after in zip(read, [*read[1:], read[-1]], strict=True))
            held = largest * _WIDE_BYTES
            # A condition without an index is applied to ranges of the key, which etlkit sizes by itself.
            self.hold(
                not isinstance(plan.read, Everything) or held <= self.chunk_bytes * 5 // 4,
                f"one chunk of a table of {size(rows * _WIDE_BYTES)} held {size(held)} of it; set "
                f"`max_bytes` of the plan's `Chunks` to {size(self.chunk_bytes)} at most",
            )

    def test_no_row_is_lost_or_doubled_over_chunk_borders(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """Keys with gaps and equal watermarks on both sides of a border: each row arrives once."""
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            now = trial.rows.now
            # A few stamps for all rows, so that each chunk ends amid equal ones.
            trial.rows.add(_NUMBERS, stamp=lambda number: now - dt.timedelta(minutes=number // 90))
            trial.load("the first load")
            trial.rows.add([*range(11, 20), *range(301, 310)], stamp=now)
            trial.load("a load after 18 rows were added that have one and the same `DateTStamp`")
            trial.load("a load after nothing happened")

    def test_rows_at_the_watermark_arrive_with_the_next_run(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """Rows that were added and edited in the very second of the last watermark are read by the next run."""
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            trial.rows.add(_NUMBERS, stamp=trial.rows.now)
            trial.load("the first load")
            trial.rows.add([_GAP, _END], stamp=trial.rows.now)
            trial.rows.edit(20, stamped=False)
            trial.load("a load after rows were added and edited in the second of the watermark")

    def test_rows_without_a_watermark_arrive(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """Rows whose cursor is NULL are read by each run, for no clock tells when they were edited."""
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            trial.rows.add(_NUMBERS[:9], stamp=None)
            trial.load("the first load, of rows whose `DateTStamp` is NULL,")
            trial.rows.add(_NUMBERS[9:], stamp=trial.rows.now)
            trial.load("a load after rows were added that have a `DateTStamp`")
            trial.rows.add([_GAP, _END], stamp=None)
            trial.rows.edit(10, stamped=False)
            trial.load("a load after rows were added and edited whose `DateTStamp` is NULL")

    def test_a_broken_load_is_completed_by_the_next(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """A load that breaks between two chunks shows nothing, and the next ones bring every row."""
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            trial.rows.add(_NUMBERS, stamp=trial.rows.now)
            trial.crash("the first load")
            trial.rows.edit(10)
            trial.load("a load after the first one broke", kinds=(MISSING, TWICE))
            trial.load("the second load after the first one broke")
            trial.rows.add([_GAP, *range(_END, _END + 9)], stamp=trial.rows.clock())
            trial.rows.edit(20)
            trial.crash("a load of what changed")
            trial.load("a load after one of what changed broke", kinds=(MISSING, TWICE))
            trial.load("the second load after one of what changed broke")

    def test_what_changes_during_a_run_arrives_with_the_next(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """Rows that are added, edited and removed while a load reads are there, as they became, after the next."""
        with self._tried(etlkit_source, etlkit_warehouse) as trial:

            def change(step: int) -> None:
                trial.rows.add([_GAP + step, _END + step], stamp=trial.rows.clock())
                trial.rows.edit(10, 20 + 10 * step, 230, note=f"as it became {step}")
                trial.rows.remove(40 + 10 * step)

            trial.rows.add(_NUMBERS, stamp=trial.rows.now)
            trial.load("the first load", kinds=(TWICE,), meanwhile=lambda: change(1))
            trial.load("the second load", kinds=(TWICE,), meanwhile=lambda: change(2))
            trial.load("a load after rows changed while the one before was reading")

    def test_what_changes_between_runs_arrives(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """Rows that are added, edited and removed between two runs are there as the plan promises."""
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            trial.rows.add(_NUMBERS, stamp=trial.rows.now)
            trial.load("the first load")
            trial.rows.add([_GAP, _END], stamp=trial.rows.clock())
            trial.rows.edit(10, 120, 230)
            trial.load("a load after rows were added and edited")
            trial.rows.remove(10, 60, 230)
            trial.load("a load after rows were removed")

    def test_an_empty_table_and_one_row(self, etlkit_source: Database, etlkit_warehouse: Database) -> None:
        """A table without rows is loaded, and so is its first row, its edit and its end."""
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            trial.load("the first load, of no row,")
            trial.load("the second load, of no row,")
            trial.rows.add([10], stamp=trial.rows.now)
            trial.load("a load after the first row was added")
            trial.rows.edit(10)
            trial.load("a load after the only row was edited")
            trial.rows.remove(10)
            trial.load("a load after the only row was removed")

    def test_a_key_of_two_columns(self, etlkit_source: Database, etlkit_warehouse: Database) -> None:
        """Rows that only both columns of the key tell apart are told apart, or the table is refused in words."""
        key = ("PatNum", "AptNum")
        if self._refuses(key):
            return
        with self._tried(etlkit_source, etlkit_warehouse, key=key) as trial:
            for patient in (1, 2, 3):
                trial.rows.add(_NUMBERS[:9], stamp=trial.rows.now, patient=patient)
            trial.load("the first load of a table whose key has two columns")
            trial.rows.add([_GAP, _END], stamp=trial.rows.now, patient=2)
            trial.rows.edit(10, 50)
            trial.load("a load of what changed in a table whose key has two columns")

    def test_a_table_without_key_is_served_or_refused(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """Equal rows of a table without a key stay as many as they are, or the table is refused in words."""
        if self._refuses(()):
            return
        with self._tried(etlkit_source, etlkit_warehouse, key=()) as trial:
            for _ in range(2):
                trial.rows.add(_NUMBERS[:9], stamp=trial.rows.now)
            trial.load("the first load of a table without a key")
            trial.rows.add([10, _END], stamp=trial.rows.now)
            trial.rows.edit(50)
            trial.load("a load of what changed in a table without a key")

    @classmethod
    def _refuses(cls, key: Sequence[str]) -> bool:
        # That it refuses in words, and plans nothing then, is asked by `check_strategy`.
        shown = cls.shown(key)
        check_strategy(cls.strategy(), tables=[shown])
        return isinstance(cls.strategy().fits(shown), Refusal)

    @classmethod
    def _plans(cls) -> Iterator[LoadPlan]:
        shown = cls.shown()
        yield cls.strategy().plan(shown, None)
        if shown.cursor is not None:
            watermark = "100" if shown.cursor.data_type in INTEGER_TYPES else "2024-05-01 10:00:00"
            state = TableState(table=NAME, cursor_column=cls.cursor, watermark=watermark, generation=1)
            yield cls.strategy().plan(shown, state)

    @contextmanager
    def _tried(self, source: Database, warehouse: Database, **shape: Any) -> Iterator[StrategyTrial]:
        choice = TableChoice(
            extraction_strategy=self.name,
            incremental_column=self.cursor,
            options=self.options,
            # A proof would mend what the strategy loses.
            reconcile="never",
        )
        shape = {"further": self.columns, "engine": self.engine} | shape
        with strategy_trial(source, warehouse, self.strategy(), choice, **shape) as trial:
            yield trial
