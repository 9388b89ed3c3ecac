"""The built-in strategies bid for the tables they are made for, and plan exactly what they say."""

from __future__ import annotations

from types import ModuleType

import attrs
import pytest

from etlkit import (
    Chunks,
    Column,
    Commit,
    CursorCandidate,
    Everything,
    Fit,
    LoadPlan,
    PlanRefused,
    Refusal,
    Since,
    TableAnalysis,
    TableState,
    Write,
)
from etlkit.plugins.strategies import chunked_incremental, full_table, incremental, streaming_incremental
from etlkit.registry import Registry

MB = 1024 * 1024
MODULES = (full_table, incremental, chunked_incremental, streaming_incremental)
CURSOR_MODULES = (incremental, chunked_incremental, streaming_incremental)
STAMP = CursorCandidate(column="DateTStamp", data_type="timestamp", score=0.95, refused=False, reasons=())
KEY = CursorCandidate(column="SecurityLogNum", data_type="bigint", score=0.8, refused=False, reasons=())
TABLE = TableAnalysis(
    name="patient",
    columns=(
        Column(name="PatNum", data_type="bigint", column_type="bigint"),
        Column(name="DateTStamp", data_type="timestamp", column_type="timestamp"),
    ),
    primary_key=("PatNum",),
    cursor=STAMP,
    schema_hash="s1",
    batch_size=3000,
)
STATE = TableState(
    table="patient", cursor_column="DateTStamp", watermark="2024-05-01 10:00:00", schema_hash="s1"
)


def sized(megabytes: float, **changes: object) -> TableAnalysis:
    """The table with a size."""
    return attrs.evolve(TABLE, data_bytes=int(megabytes * MB), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("megabytes", "frequency", "expected"),
    [
        (0, "frequent", "full_table"),
        (0.99, "rare", "full_table"),
        (1, "frequent", "incremental"),
        (99.9, "append_only", "incremental"),
        (100, "frequent", "chunked_incremental"),
        (999.9, "frequent", "chunked_incremental"),
        (100, "rare", "streaming_incremental"),
        (999.9, "append_only", "streaming_incremental"),
        (1000, "frequent", "streaming_incremental"),
        (5000, "rare", "streaming_incremental"),
    ],
)
def test_the_lowest_bid_follows_size_and_frequency(megabytes: float, frequency: str, expected: str) -> None:
    """With a key and a cursor, size and frequency of updates choose the strategy."""
    table = sized(megabytes, update_frequency=frequency)
    bids = {module.NAME: module.fits(table) for module in MODULES}
    assert all(isinstance(bid, Fit) and 1 <= bid.cost <= 100 for bid in bids.values())
    costs = {name: bid.cost for name, bid in bids.items() if isinstance(bid, Fit)}
    best = min(costs.values())
    assert [expected] == [name for name, cost in costs.items() if cost == best]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            sized(5, primary_key=()),
            "The table has no primary key, so a row that changed cannot be told from a new one.",
        ),
        (sized(5, cursor=None), "No column tells which rows changed since the last load."),
        (
            sized(5, cursor=attrs.evolve(STAMP, column="LName", data_type="varchar")),
            "LName is a varchar; only an integer, a date or a time can be a cursor.",
        ),
    ],
)
def test_cursor_strategies_refuse_what_they_cannot_serve(table: TableAnalysis, expected: str) -> None:
    """Without key or usable cursor only full_table bids, and a plan is refused with the reason."""
    for module in CURSOR_MODULES:
        assert Refusal(reason=expected) == module.fits(table)
        with pytest.raises(PlanRefused) as caught:
            module.plan(table, STATE)
        assert str(caught.value) == (
            f"table patient: strategy {module.NAME} cannot serve it. {expected} "
            "Choose another `extraction_strategy` in etlkit.yml, such as full_table"
        )
    assert isinstance(full_table.fits(table), Fit)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            sized(0.25),
            Fit(
                cost=1,
                reason="The table is small (0.2 MB): reading it whole costs less than finding changes.",
            ),
        ),
        (
            sized(20, primary_key=()),
            Fit(
                cost=51,
                reason="The table has no primary key, so all 20.0 MB are read and compared each time.",
            ),
        ),
        (
            sized(20, cursor=None),
            Fit(
                cost=51,
                reason="No column tells which rows changed, so all 20.0 MB are read and compared each time.",
            ),
        ),
        (sized(4000), Fit(cost=100, reason="Reads and compares all 4000.0 MB each time.")),
    ],
)
def test_full_table_is_always_possible(table: TableAnalysis, expected: Fit) -> None:
    """Reading everything serves every table, and is the dearer the larger it is."""
    assert expected == full_table.fits(table)


@pytest.mark.parametrize(
    ("module", "megabytes", "frequency", "reason"),
    [
        (incremental, 12.34, "rare", "The table has 12.3 MB: what changed since the last load is read."),
        (incremental, 120, "rare", "A first load of 120.0 MB in one go begins again after a crash."),
        (chunked_incremental, 12, "frequent", "Keeping each chunk is not worth it for 12.0 MB."),
        (
            chunked_incremental,
            120,
            "frequent",
            "The table has 120.0 MB and changes often: chunks are kept, so a crash loses one.",
        ),
        (chunked_incremental, 1200, "frequent", "Keeping each chunk of 1200.0 MB costs more than it saves."),
        (streaming_incremental, 12, "rare", "A stream is not worth it for 12.0 MB."),
        (
            streaming_incremental,
            120,
            "rare",
            "The table has 120.0 MB and seldom changes: what changed moves as one stream.",
        ),
        (
            streaming_incremental,
            1200,
            "frequent",
            "The table is large (1200.0 MB): what changed moves as one stream.",
        ),
    ],
)
def test_bids_give_a_reason(module: ModuleType, megabytes: float, frequency: str, reason: str) -> None:
    """The sentence that tables.yml shows tells what decided."""
    assert reason == module.fits(sized(megabytes, update_frequency=frequency)).reason


def test_full_table_plans_to_replace() -> None:
    """Reading everything keeps no watermark, whatever was loaded before."""
    expected = LoadPlan(
        table="patient",
        strategy="full_table",
        read=Everything(),
        write=Write.REPLACE,
        reason="Reads every row; rows that are equal already are not touched.",
        cursor=None,
        chunks=Chunks(rows=3000),
        commit=Commit.ONCE,
    )
    assert expected == full_table.plan(TABLE, None) == full_table.plan(TABLE, STATE)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (None, "First load by DateTStamp: reads every row once."),
        (attrs.evolve(STATE, watermark=None), "First load by DateTStamp: reads every row once."),
        (
            attrs.evolve(STATE, cursor_column="SecDateTEdit"),
            "The last load went by SecDateTEdit, this one by DateTStamp: reads every row once.",
        ),
        (
            attrs.evolve(STATE, schema_hash="s0"),
            "The table's definition changed since the last load: reads every row once.",
        ),
    ],
)
def test_without_a_usable_watermark_everything_is_read(state: TableState | None, reason: str) -> None:
    """A watermark counts only for the cursor and the definition it was taken with."""
    expected = LoadPlan(
        table="patient",
        strategy="incremental",
        read=Everything(),
        write=Write.REPLACE,
        reason=reason,
        cursor="DateTStamp",
        chunks=Chunks(rows=3000),
        commit=Commit.ONCE,
    )
    assert expected == incremental.plan(TABLE, state)


@pytest.mark.parametrize(
    ("module", "commit", "chunks"),
    [
        (incremental, Commit.ONCE, Chunks(rows=3000)),
        (chunked_incremental, Commit.PER_CHUNK, Chunks(rows=3000)),
        (streaming_incremental, Commit.ONCE, Chunks(rows=3000, max_bytes=4 * MB, queue=4)),
    ],
)
def test_cursor_strategies_merge_what_changed(module: ModuleType, commit: Commit, chunks: Chunks) -> None:
    """After the first load they read from the watermark on and merge; they differ in commit and budgets."""
    expected = LoadPlan(
        table="patient",
        strategy=module.NAME,
        read=Since(column="DateTStamp", watermark="2024-05-01 10:00:00", lookback=300),
        write=Write.MERGE,
        reason="Reads what DateTStamp shows as changed since the last load, and 5 minutes before it again.",
        cursor="DateTStamp",
        chunks=chunks,
        commit=commit,
    )
    assert expected == module.plan(TABLE, STATE)
    unknown_hash = attrs.evolve(STATE, schema_hash="")
    assert expected == module.plan(TABLE, unknown_hash)


@pytest.mark.parametrize(
    ("cursor", "changes", "lookback", "behind"),
    [
        (STAMP, {}, 300, "5 minutes"),
        (attrs.evolve(STAMP, data_type="datetime"), {}, 3900, "65 minutes"),
        (attrs.evolve(STAMP, data_type="date"), {}, 86400, "24 hours"),
        (STAMP, {"lookback_seconds": 7}, 7, "7 seconds"),
        (STAMP, {"lookback_seconds": 0}, 0, "0 seconds"),
        (KEY, {}, 1000, "1000 keys"),
        (KEY, {"lookback_seconds": 7}, 1000, "1000 keys"),
        (KEY, {"options": {"lookback_keys": "50"}}, 50, "50 keys"),
    ],
)
def test_the_lookback_depends_on_the_cursor(
    cursor: CursorCandidate, changes: dict[str, object], lookback: int, behind: str
) -> None:
    """Clocks and keys arrive late by different measures; a person's seconds count for clocks only."""
    table = attrs.evolve(TABLE, cursor=cursor, **changes)  # type: ignore[arg-type]
    plan = incremental.plan(table, attrs.evolve(STATE, cursor_column=cursor.column, watermark="9"))
    assert Since(column=cursor.column, watermark="9", lookback=lookback) == plan.read
    assert plan.reason.endswith(f", and {behind} before it again.")


def test_a_person_may_set_the_budgets_of_chunks() -> None:
    """The options `chunk_mb` and `kept_seconds` overrule the strategy's budgets."""
    table = attrs.evolve(TABLE, options={"chunk_mb": "2", "kept_seconds": "0"})
    assert 2 * MB == streaming_incremental.plan(table, STATE).chunks.max_bytes
    assert chunked_incremental.plan(table, STATE).chunks.kept_seconds == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"chunkmb": "2"}, "there is no option `chunkmb` (there are: chunk_mb, kept_seconds, lookback_keys)"),
        ({"chunk_mb": "0"}, "option `chunk_mb` must be a whole number from 1 (got '0')"),
        ({"lookback_keys": "-1"}, "option `lookback_keys` must be a whole number from 0 (got '-1')"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(options: dict[str, str], expected: str) -> None:
    """A misspelt option is never ignored."""
    with pytest.raises(PlanRefused) as caught:
        incremental.plan(attrs.evolve(TABLE, options=options), STATE)
    assert f"table patient: {expected}" == str(caught.value)


def test_each_module_provides_its_strategy() -> None:
    """The functions tested here are those that the entry points provide."""
    provided = Registry.of(*MODULES).strategies
    assert {module.NAME: module.plan for module in MODULES} == {
        name: each.item.plan for name, each in provided.items()
    }
