"""What configuration and the ledger say becomes a plan, and what cannot be meant is told with table and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from etlkit import Everything, Fit, LoadPlan, Since, Strategy, TableState, Write, hookimpl
from etlkit.config import (
    ColumnOverride,
    DriftSettings,
    MySQLUrl,
    PostgresUrl,
    Settings,
    SourceSettings,
    TableChoice,
    TableConfig,
    WarehouseSettings,
)
from etlkit.contracts import Commit, Deletes
from etlkit.discovery import SchemaDiscovery
from etlkit.discovery.catalog import Catalog, SourceServer
from etlkit.errors import ConfigurationError, EtlkitError, PlanRefused, PluginError
from etlkit.loading.ledger import Ledger
from etlkit.loading.ledger_entries import LedgerEntry, LedgerSnapshot
from etlkit.loading.shapes import Shape
from etlkit.loading.table_plan import TablePlan
from etlkit.orchestration.planning import Planner
from etlkit.plugins.conversions import builtin
from etlkit.plugins.strategies import full_table, incremental
from etlkit.registry import Registry
from etlkit.tables import TableAnalysis
from support.schema_facts import facts

CATALOG = Catalog(
    server=SourceServer(kind="MariaDB", version=(10, 11, 6), version_text="10.11.6-MariaDB"),
    database="clinic",
    tables={
        each.name: each
        for each in (
            facts(
                "patient",
                "PatNum bigint auto_increment",
                "LName varchar(100)",
                "DateTStamp timestamp on update current_timestamp",
                engine="MyISAM",
                indexes=("DateTStamp",),
                schema_hash="1234",
            ),
            facts("scratchlog", "Note varchar(100)", engine="MyISAM"),
        )
    },
)
PATIENT = TableConfig(extraction_strategy="incremental", incremental_column="DateTStamp")


class KnownDiscovery(SchemaDiscovery):
    """Discovery of a source whose catalog was read before."""

    def catalog(self) -> Catalog:
        """Give the catalog."""
        return CATALOG


def planner(
    registry: Registry | None = None,
    known: LedgerSnapshot | None = None,
    drift: DriftSettings | None = None,
    **choices: TableChoice,
) -> Planner:
    """Make a planner that asks no server."""
    registry = registry or Registry.of(full_table, incremental, builtin)
    settings = Settings(
        deployment="north",
        source=SourceSettings(url=MySQLUrl.parse("mysql://reader@clinic/clinic")),
        warehouse=WarehouseSettings(url=PostgresUrl.parse("postgresql://etl@warehouse/dental")),
        analyzed={"patient": PATIENT, "scratchlog": TableConfig()},
        tables=choices,
        drift=drift or DriftSettings(),
    )
    return Planner(
        settings=settings,
        discovery=KnownDiscovery(sa.create_engine("mysql+pymysql://clinic"), "clinic", registry),
        registry=registry,
        ledger=Ledger(sa.create_engine("postgresql+psycopg2://warehouse"), "raw"),
        known=known or LedgerSnapshot(),
    )


def after(plan: TablePlan, **changes: Any) -> LedgerSnapshot:
    """What the ledger holds after a plan was carried out."""
    name = plan.analysis.name
    state = TableState(
        table=name,
        cursor_column=plan.plan.cursor,
        watermark="2024-01-02 00:00:00" if plan.plan.cursor else None,
        schema_hash=plan.analysis.schema_hash,
        strategy=plan.plan.strategy,
        generation=1,
    )
    entry = LedgerEntry(
        state=state,
        mapping_hash=plan.target.mapping_hash,
        target_name=plan.target.name,
        loaded_at=None,
        read=2,
        written=2,
        run_id="first",
    )
    shape = Shape(
        types={column.name: column.type for column in plan.target.columns}, key=plan.target.key, kind="r"
    )
    return LedgerSnapshot(entries={name: attrs.evolve(entry, **changes)}, tables={plan.target.name: shape})


def own(make: Callable[[TableAnalysis, TableState | None], Any]) -> Registry:
    """Plugins with a strategy `own` that plans in some way."""

    @hookimpl
    def etlkit_strategies() -> Iterator[Strategy]:
        yield Strategy(name="own", summary="Own.", fits=lambda _: Fit(cost=1, reason="Own."), plan=make)

    module = ModuleType("mine")
    vars(module)["etlkit_strategies"] = etlkit_strategies
    return Registry.of(full_table, incremental, module)


def refusal(kind: type[EtlkitError], made: Planner, table: str = "patient") -> str:
    """Plan in vain, and give the message."""
    with pytest.raises(kind) as caught:
        made.plan(table)
    assert kind is type(caught.value)
    return str(caught.value)


def test_a_first_load() -> None:
    """Without a ledger's entry everything is read, and the table is filled whole."""
    plan = planner().plan("patient")
    assert (None, Everything(), Write.REPLACE, "DateTStamp") == (
        plan.before,
        plan.plan.read,
        plan.plan.write,
        plan.plan.cursor,
    )


def test_a_later_load() -> None:
    """With the last load's state, the strategy reads on from its watermark."""
    known = after(planner().plan("patient"))
    plan = planner(known=known).plan("patient")
    assert (known.entries["patient"], Write.MERGE) == (plan.before, plan.plan.write)
    assert isinstance(plan.plan.read, Since)
    assert ("DateTStamp", "2024-01-02 00:00:00") == (plan.plan.read.column, plan.plan.read.watermark)


def test_a_full_refresh() -> None:
    """`--full-refresh` forgets the watermark, and keeps the entry so that other runs are told apart."""
    known = after(planner().plan("patient"))
    plan = planner(known=known).plan("patient", force_full=True)
    assert (known.entries["patient"], Everything()) == (plan.before, plan.plan.read)


def test_a_changed_mapping() -> None:
    """When values became columns in another way before, everything is read again."""
    known = after(planner().plan("patient"), mapping_hash="other")
    assert Everything() == planner(known=known).plan("patient").plan.read


def test_a_table_that_is_gone_in_the_warehouse() -> None:
    """A table that somebody dropped in the warehouse is loaded whole, whatever the ledger says."""
    known = attrs.evolve(after(planner().plan("patient")), tables={})
    plan = planner(known=known).plan("patient")
    assert (Everything(), Write.REPLACE) == (plan.plan.read, plan.plan.write)


def test_a_limit() -> None:
    """A plan for a few rows removes nothing, commits once, and says so."""
    known = after(planner().plan("patient"))
    for made, write in ((planner(), Write.REPLACE), (planner(known=known), Write.MERGE)):
        plan = made.plan("patient", limit=10).plan
        assert (
            write,
            Commit.ONCE,
            "at most 10 rows, as asked for; nothing is removed and the table's state is kept",
        ) == (plan.write, plan.commit, plan.reason)


def test_a_new_column_that_is_left_out() -> None:
    """With `drift.add_column: ignore` a column that the warehouse lacks is not read; of a new table all are."""
    known = after(planner().plan("patient"))
    shape = known.tables["patient"]
    kept = {name: kind for name, kind in shape.types.items() if name != "LName"}
    lacking = attrs.evolve(known, tables={"patient": attrs.evolve(shape, types=kept)})
    ignoring = DriftSettings(add_column="ignore")
    assert ["PatNum", "DateTStamp"] == [
        column.name for column in planner(known=lacking, drift=ignoring).plan("patient").target.columns
    ]
    assert 3 == len(planner(drift=ignoring).plan("patient").target.columns)
    assert 3 == len(planner(known=lacking).plan("patient").target.columns)


@pytest.mark.parametrize(
    ("choice", "kind", "words"),
    [
        (
            TableChoice(extraction_strategy="incremntal"),
            ConfigurationError,
            "no plugin provides a strategy `incremntal`; did you mean `incremental`?",
        ),
        (
            TableChoice(incremental_column="DateTSamp"),
            ConfigurationError,
            (
                "`tables.patient.incremental_column` names the column `DateTSamp`, which the table does not have; "
                "did you mean `DateTStamp`?"
            ),
        ),
        (
            TableChoice(column_overrides={"Lname": ColumnOverride(pg_type="text")}),
            ConfigurationError,
            (
                "`tables.patient.column_overrides` names the column `Lname`, which the table does not have; "
                "did you mean `LName`?"
            ),
        ),
        (
            TableChoice(column_overrides={"LName": ColumnOverride(conversion="zero_to_nul")}),
            ConfigurationError,
            "no plugin provides a conversion `zero_to_nul`; did you mean `zero_to_null`?",
        ),
        (
            TableChoice(column_overrides={"LName": ColumnOverride(pg_type="text; drop table x")}),
            ConfigurationError,
            (
                "`tables.patient.column_overrides.LName.pg_type` must be a PostgreSQL type such as `numeric(12,2)` "
                "(got `text; drop table x`)"
            ),
        ),
        (
            TableChoice(column_overrides={"LName": ColumnOverride(pg_type="varchar(50)")}),
            ConfigurationError,
            (
                "`tables.patient.column_overrides.LName.pg_type` is `varchar(50)`, into which PostgreSQL would round "
                "or cut values of a varchar(100) without a word; choose a type that holds all of them, or name a "
                "conversion that says what becomes of them"
            ),
        ),
    ],
)
def test_a_choice_that_cannot_be_meant(choice: TableChoice, kind: type[EtlkitError], words: str) -> None:
    """It is told with its place in the configuration and the nearest name."""
    assert words == refusal(kind, planner(patient=choice))


def planned(table: str, **changes: Any) -> Callable[[TableAnalysis, TableState | None], LoadPlan]:
    """A strategy's function that gives one plan."""
    plan = LoadPlan(table=table, strategy="own", read=Everything(), write=Write.REPLACE, reason="Own.")
    return lambda *_: attrs.evolve(plan, **changes)


@pytest.mark.parametrize(
    ("planned_deletes", "choice", "deletes"),
    [
        (Deletes.HARD, None, Deletes.HARD),
        (Deletes.IGNORE, None, Deletes.IGNORE),
        (Deletes.TOMBSTONE, None, Deletes.TOMBSTONE),
        (Deletes.HARD, "tombstone", Deletes.TOMBSTONE),
        (Deletes.TOMBSTONE, "ignore", Deletes.IGNORE),
        (Deletes.IGNORE, "hard", Deletes.HARD),
    ],
)
def test_rows_that_are_gone(planned_deletes: Deletes, choice: Any, deletes: Deletes) -> None:
    """What a person chose wins over what the strategy plans; only tombstones need a column."""
    chosen = TableChoice(extraction_strategy="own", deletes=choice)
    plan = planner(own(planned("patient", deletes=planned_deletes)), patient=chosen).plan("patient")
    assert (deletes, deletes is Deletes.TOMBSTONE) == (plan.plan.deletes, plan.target.marks)


@pytest.mark.parametrize(
    ("table", "make", "kind", "words"),
    [
        (
            "patient",
            planned("claim"),
            PluginError,
            (
                "plugin `mine` (not installed), strategy `own`, table `patient`: the plan must be for `patient` "
                "(got `claim`)"
            ),
        ),
        (
            "scratchlog",
            planned("scratchlog", write=Write.MERGE),
            PlanRefused,
            (
                "plugin `mine` (not installed), strategy `own`, table `scratchlog`: rows can only be merged or "
                "appended by a primary key, which the table lacks; use full_table"
            ),
        ),
        (
            "scratchlog",
            planned("scratchlog", deletes=Deletes.TOMBSTONE),
            PlanRefused,
            (
                "table `scratchlog`: strategy `own` plans `deletes: tombstone`, but without a primary key nothing "
                "tells which rows are gone, so a table is only kept equal as a whole"
            ),
        ),
        (
            "patient",
            planned("patient", cursor="Stamp"),
            PlanRefused,
            (
                "plugin `mine` (not installed), strategy `own`, table `patient`: the plan's cursor `Stamp` is no "
                "column of the table"
            ),
        ),
        (
            "patient",
            lambda *_: None,
            PluginError,
            (
                "table `patient`: plugin `mine` (not installed), `plan` of `own`: returned NoneType, expected "
                "LoadPlan; correct the module"
            ),
        ),
    ],
)
def test_a_plan_that_does_not_fit(
    table: str, make: Callable[..., Any], kind: type[EtlkitError], words: str
) -> None:
    """What a plugin's strategy plans is checked, and told with the plugin, the strategy and the table."""
    choice = TableChoice(extraction_strategy="own")
    assert words == refusal(kind, planner(own(make), **{table: choice}), table)
