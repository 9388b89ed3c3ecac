"""The kit for plugin authors accepts what is built in, and says what is wrong with what is not."""

from __future__ import annotations

import importlib
import importlib.metadata
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any, ClassVar

import attrs
import pytest
from sqlalchemy import func

from etlkit import (
    Classifier,
    Column,
    Conversion,
    CursorCandidate,
    Everything,
    Executor,
    Fit,
    Index,
    LoadPlan,
    Option,
    PlanRefused,
    Refusal,
    Since,
    Strategy,
    TableAnalysis,
    TableFinished,
    TableState,
    Where,
    Write,
)
from etlkit.errors import PluginError
from etlkit.hookspecs import GROUP, hookimpl
from etlkit.testing import (
    TABLES,
    ClassifierContract,
    check_classifier,
    check_conversion,
    check_executor,
    check_plugin,
    check_strategy,
    column,
    table,
)

BUILT_IN = sorted(
    entry.value
    for entry in importlib.metadata.entry_points(group=GROUP)
    if entry.dist is not None and entry.dist.name == "etlkit-core"
)
COUNTER = itertools.count()
PATIENT = TABLES[0]
KEYLESS = TABLES[3]


@pytest.mark.parametrize("module", BUILT_IN)
def test_built_in_plugins_keep_the_contracts(module: str) -> None:
    """What etlkit asks of anybody's plugins, its own do."""
    check_plugin(importlib.import_module(module))


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (
            "Fee decimal(10,2) unsigned not null",
            Column(
                name="Fee",
                data_type="decimal",
                column_type="decimal(10,2) unsigned",
                declared_type="decimal(10,2) unsigned",
                nullable=False,
                precision=10,
                scale=2,
            ),
        ),
        (
            "LName varchar(100)",
            Column(
                name="LName",
                data_type="varchar",
                column_type="varchar(100)",
                declared_type="varchar(100)",
                length=100,
            ),
        ),
        (
            "At datetime(6) on update current_timestamp",
            Column(
                name="At",
                data_type="datetime",
                column_type="datetime(6)",
                declared_type="datetime(6)",
                extra="on update current_timestamp",
                fraction=6,
            ),
        ),
    ],
)
def test_a_column_is_described_in_one_line(described: str, expected: Column) -> None:
    """Type, measures and whatever follows are told apart."""
    assert expected == column(described)


def test_a_column_without_type_is_refused() -> None:
    """A description that cannot be meant says how one looks."""
    with pytest.raises(ValueError, match=r"\Aa column must be described as `name type` \(got `LName`\)\Z"):
        column("LName")


def test_a_table_is_as_discovery_shows_it() -> None:
    """Key, index and cursor follow from what is said; other fields are taken as they are."""
    made = table("claim", "ClaimNum bigint auto_increment", "At timestamp", cursor="At", row_count=3)
    assert made == TableAnalysis(
        name="claim",
        columns=(column("ClaimNum bigint auto_increment"), column("At timestamp")),
        primary_key=("ClaimNum",),
        indexes=(Index(name="PRIMARY", columns=("ClaimNum",), unique=True),),
        cursor=CursorCandidate(
            column="At", data_type="timestamp", score=0.9, refused=False, reasons=("As chosen.",)
        ),
        row_count=3,
    )
    assert ("A", "B") == table("pair", "A int", "B int", key="A,B").primary_key


def plan_of(shown: TableAnalysis, _: TableState | None) -> LoadPlan:
    """Make a plan that is fine."""
    return LoadPlan(
        table=shown.name, strategy="mine", read=Everything(), write=Write.REPLACE, reason="Everything."
    )


def strategy(
    fits: Callable[[TableAnalysis], Any] = lambda _: Fit(cost=1, reason="Always."),
    plan: Callable[[TableAnalysis, TableState | None], Any] = plan_of,
    **changes: Any,
) -> Strategy:
    """Give a strategy that is fine apart from what is given."""
    if changes:
        return strategy(fits, lambda shown, state: attrs.evolve(plan_of(shown, state), **changes))
    return Strategy(name="mine", summary="Mine.", fits=fits, plan=plan)


def refusing(_: TableAnalysis, __: TableState | None) -> LoadPlan:
    """Refuse in etlkit's words."""
    raise PlanRefused("no")


def of_nothing(of: Callable[[str], Any]) -> Any:
    """Build a condition on a column that no table has."""
    return of("Nothing") > 1


FIRST = "strategy `mine`, table `patient`, on a first load"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (
            strategy(fits=lambda _: None),
            "strategy `mine`, table `patient`: `fits` must return a Fit or a Refusal (got None)",
        ),
        (
            strategy(fits=lambda _: Fit(cost=1, reason=" ")),
            "strategy `mine`, table `patient`: `fits` must give a reason",
        ),
        (
            strategy(fits=lambda _: Fit(cost=next(COUNTER), reason="Why not.")),
            "strategy `mine`, table `patient`: `fits` must answer the same question in the same way",
        ),
        (
            strategy(fits=lambda _: Refusal(reason="No.")),
            "strategy `mine`, table `patient`: `plan` must raise PlanRefused where `fits` refuses",
        ),
        (
            strategy(fits=lambda _: Fit(cost=float("inf"), reason="Last.")),
            "strategy `mine`, table `patient`: the cost must be a finite number (got inf)",
        ),
        (strategy(plan=lambda *_: "all"), f"{FIRST}: `plan` must return a LoadPlan (got str)"),
        (strategy(table="claim"), f"{FIRST}: the plan must be for the table (got `claim`)"),
        (strategy(strategy="all"), f"{FIRST}: the plan must name the strategy (got `all`)"),
        (strategy(reason=""), f"{FIRST}: the plan must give a reason"),
        (
            strategy(cursor="Nothing"),
            f"{FIRST}: the plan names `Nothing`, which is no column of the table",
        ),
        (
            strategy(read=Since(column="DateTStamp", watermark="2024-05-01 10:00:00")),
            f"{FIRST}: Since with REPLACE would remove all other rows",
        ),
        (
            strategy(read=Since(column="DateTStamp", watermark="2024-05-01 10:00:00"), write=Write.MERGE),
            f"{FIRST}: the watermark must be the committed one of the same column",
        ),
        (
            strategy(read=Where(condition=of_nothing, text=""), write=Write.MERGE),
            f"{FIRST}: a condition must be told in words, too",
        ),
        (
            strategy(read=Where(condition=of_nothing, text="Nothing"), write=Write.MERGE),
            f"{FIRST}: the condition names `Nothing`, which is no column of the table",
        ),
        (
            strategy(read=Where(condition=lambda _: True, text="All"), write=Write.MERGE),  # type: ignore[arg-type, return-value]
            f"{FIRST}: the condition must be a SQLAlchemy expression (got True)",
        ),
        (
            strategy(read=Where(condition=lambda of: of("PatNum") > 1, text="Most"), write=Write.MERGE),
            f"{FIRST}: the plan must be data that can be sent; use functions of a module, no lambdas",
        ),
        (
            strategy(
                plan=lambda shown, state: attrs.evolve(plan_of(shown, state), reason=f"{next(COUNTER)}")
            ),
            f"{FIRST}: `plan` must make the same plan again",
        ),
    ],
)
def test_a_strategy_that_breaks_its_contract_is_told_how(wrong: Strategy, expected: str) -> None:
    """The message names strategy, table and the state it was asked with."""
    with pytest.raises(AssertionError) as caught:
        check_strategy(wrong, tables=[PATIENT])
    assert expected == str(caught.value)


def test_a_strategy_may_not_merge_without_a_key() -> None:
    """Without a primary key a row that changed cannot be told from a new one."""
    with pytest.raises(AssertionError) as caught:
        check_strategy(strategy(write=Write.APPEND), tables=[KEYLESS])
    assert (
        "strategy `mine`, table `loginattempt`, on a first load: rows can be merged or appended by a primary key "
        "only, which the table lacks"
    ) == str(caught.value)


def test_a_strategy_that_keeps_its_contract_passes() -> None:
    """Neither a plan for everything nor a refusal is wrong."""
    check_strategy(strategy())
    check_strategy(strategy(fits=lambda _: Refusal(reason="No."), plan=refusing))


@pytest.mark.parametrize(
    ("classify", "expected"),
    [
        (lambda _: 3, "classifier `mine`, table `patient`: the answer must be a level or None (got 3)"),
        (lambda _: "", "classifier `mine`, table `patient`: the answer must be a level or None (got '')"),
        (
            lambda _: str(next(COUNTER)),
            "classifier `mine`, table `patient`: the answer must be the same each time",
        ),
    ],
)
def test_a_classifier_that_breaks_its_contract_is_told_how(
    classify: Callable[[TableAnalysis], Any], expected: str
) -> None:
    """The message names classifier and table."""
    with pytest.raises(AssertionError) as caught:
        check_classifier(Classifier(name="mine", classify=classify))
    assert expected == str(caught.value)


def conversion(**changes: Any) -> Conversion:
    """Give a conversion that is fine apart from what is given."""
    fine = Conversion(
        name="mine",
        summary="Mine.",
        target_type=lambda _: "text",
        source_sql=lambda value, _: func.upper(value),
        accepts=lambda value, _: func.char_length(value) < 3,
    )
    return attrs.evolve(fine, **changes)


def refused(_: Column) -> str:
    """Refuse in etlkit's words."""
    raise PlanRefused("no")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"matches": lambda *_: None},
            "conversion `mine`, column `patient`.`PatNum`: `matches` must return a bool (got None)",
        ),
        (
            {"matches": lambda *_: True, "target_type": refused},
            "conversion `mine`, column `patient`.`PatNum`: `target_type` must not refuse what `matches`",
        ),
        (
            {"target_type": lambda _: ""},
            "conversion `mine`, column `patient`.`PatNum`: `target_type` must name a type (got '')",
        ),
        (
            {"source_sql": lambda *_: "x"},
            "conversion `mine`, column `patient`.`PatNum`: `source_sql` must be a SQLAlchemy expression (got 'x')",
        ),
        (
            {"accepts": lambda *_: True},
            "conversion `mine`, column `patient`.`PatNum`: `accepts` must be a SQLAlchemy expression (got True)",
        ),
        (
            {"target_type": refused},
            "conversion `mine` refuses every column; pass `tables` with one that it accepts",
        ),
    ],
)
def test_a_conversion_that_breaks_its_contract_is_told_how(changes: dict[str, Any], expected: str) -> None:
    """The message names conversion, table and column."""
    check_conversion(conversion())
    with pytest.raises(AssertionError) as caught:
        check_conversion(conversion(**changes))
    assert expected == str(caught.value)


def test_an_executor_that_loads_twice_is_told() -> None:
    """Two loads of one table would write at the same time."""

    def twice(load: Callable[[str], TableFinished], tables: Sequence[str], _: int) -> list[TableFinished]:
        load(tables[0])
        return [load(each) for each in tables]

    with pytest.raises(PluginError) as caught:
        check_executor(Executor(name="mine", summary="Mine.", run=twice))
    expected = "loads table `table0`, which is not among those that are left; correct the module"
    assert f"plugin `tested` (not installed), `run` of `mine`: {expected}" == str(caught.value)


def test_an_executor_that_holds_back_a_failure_is_told() -> None:
    """A run must not go on after a defect of the kernel."""

    def quiet(load: Callable[[str], TableFinished], tables: Sequence[str], _: int) -> Iterator[TableFinished]:
        for each in tables:
            with suppress(LookupError):
                load(each)
            yield TableFinished(table=each)

    with pytest.raises(AssertionError) as caught:
        check_executor(Executor(name="mine", summary="Mine.", run=quiet))
    assert "executor `mine` must end with what a load raises" == str(caught.value)


def test_a_plugin_is_checked_with_options() -> None:
    """What a plugin provides may depend on what a person chose for it."""

    @hookimpl
    def etlkit_options() -> list[Option]:
        return [Option(name="level", summary="The level of all tables.")]

    @hookimpl
    def etlkit_classifiers(options: Mapping[str, str]) -> list[Classifier]:
        return [Classifier(name="mine", classify=lambda _: options.get("level"))]

    module = ModuleType("north.mine")
    vars(module).update(etlkit_options=etlkit_options, etlkit_classifiers=etlkit_classifiers)
    [mine] = check_plugin(module, options={"level": "audit"}).classifiers
    assert "audit" == mine.item.classify(table("patient"))

    class TestMine(ClassifierContract):
        plugin = module
        name = "mine"
        plugin_options: ClassVar[Mapping[str, str]] = {"level": "critical"}

    [mine] = TestMine.registry().classifiers
    assert "critical" == mine.item.classify(table("patient"))


def test_a_whole_plugin_is_checked_and_given_back() -> None:
    """One call checks all that a module provides, with tables of the author's own."""

    @hookimpl
    def etlkit_classifiers() -> list[Classifier]:
        return [Classifier(name="mine", classify=lambda shown: {"kiosk": ""}.get(shown.name))]

    module = ModuleType("mine")
    vars(module)["etlkit_classifiers"] = etlkit_classifiers
    assert ["mine"] == [each.item.name for each in check_plugin(module).classifiers]
    with pytest.raises(AssertionError) as caught:
        check_plugin(module, tables=[table("kiosk", "KioskNum bigint auto_increment")])
    assert ("classifier `mine`, table `kiosk`: the answer must be a level or None (got '')") == str(
        caught.value
    )
