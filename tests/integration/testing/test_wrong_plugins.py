"""Each contract fails on a plugin that is wrong in the way it is there for, and says so."""

from __future__ import annotations

import inspect
from typing import Any

import attrs
import pytest

from etlkit import testing
from etlkit.testing import (
    ClassifierContract,
    Contract,
    ConversionContract,
    ExclusionContract,
    ExecutorContract,
    HabitContract,
    RelationshipContract,
    StrategyContract,
)
from support import wrong_plugins
from support.wrong_plugins import PLANNED

BY_CURSOR = (
    "read what is at or behind the watermark (`>=`) and the rows whose cursor is NULL, as `Since` does, and plan from "
    "nothing but the table and its state"
)


@attrs.frozen
class Case:
    """A wrong plugin's object, the contract's method that finds it out, and what that says."""

    contract: type[Contract]
    name: str
    method: str
    expected: str
    attributes: dict[str, Any] = attrs.field(factory=dict)

    def __str__(self) -> str:
        return f"{self.name}-{self.method}"


CASES = [
    Case(
        StrategyContract,
        "nothing",
        "test_the_plugin_provides_it",
        (
            "strategy `nothing`: the plugin does not provide it (it provides `compares_with_nothing`, "
            "`doubles`, `holds_a_queue`, `holds_the_table`, `loses_the_boundary`, `no_plan`, `picky`, "
            "`reads_most`, `reads_new_keys`, `refuses_half`, `remembers`, `skips_null`, `trusts_its_clock`);"
            " yield it from `etlkit_strategies`, or correct `name`"
        ),
    ),
    Case(
        StrategyContract,
        "picky",
        "test_it_serves_the_table_of_the_contract",
        (
            "strategy `picky`: it refuses the contract's table `appointment` (It is Monday.); give the "
            "contract the `options`, `columns` or `cursor` that it needs"
        ),
    ),
    Case(
        StrategyContract,
        "no_plan",
        "test_it_bids_and_plans_without_side_effects",
        (
            "strategy `no_plan`, table `appointment`, on a first load: `plan` must return a LoadPlan (got "
            "dict)"
        ),
    ),
    Case(
        StrategyContract,
        "holds_the_table",
        "test_a_plan_bounds_what_is_held",
        (
            "strategy `holds_the_table`: its plan lets a chunk have 1000000000 rows and 931.3 GB, and a "
            "chunk is held in memory whole; set `Chunks(rows=..., max_bytes=...)` to 100000 rows and 4.0 MB "
            "at most, or raise the contract's `chunk_bytes`"
        ),
    ),
    Case(
        StrategyContract,
        "holds_a_queue",
        "test_a_plan_bounds_what_is_held",
        (
            "strategy `holds_a_queue`: its plan lets 102 chunks of 4.0 MB be held at a time, 408.0 MB in "
            "all; lower `queue` or `max_bytes` of its `Chunks` until they are 64.0 MB at most, or raise the "
            "contract's `held_bytes`"
        ),
    ),
    Case(
        StrategyContract,
        "holds_the_table",
        "test_a_wide_table_is_read_in_bounded_chunks",
        (
            "strategy `holds_the_table`: one chunk of a table of 12.0 MB held 5.8 MB of it; set `max_bytes` "
            "of the plan's `Chunks` to 4.0 MB at most"
        ),
    ),
    Case(
        StrategyContract,
        "reads_most",
        "test_no_row_is_lost_or_doubled_over_chunk_borders",
        (
            "strategy `reads_most`: the first load left 9 rows of the source missing in the warehouse, the "
            f"first one with `AptNum` 30; {BY_CURSOR}"
        ),
    ),
    Case(
        StrategyContract,
        "loses_the_boundary",
        "test_rows_at_the_watermark_arrive_with_the_next_run",
        (
            "strategy `loses_the_boundary`: a load after rows were added and edited in the second of the "
            "watermark left 2 rows of the source missing in the warehouse, the first one with `AptNum` 115; "
            f"{BY_CURSOR}"
        ),
    ),
    Case(
        StrategyContract,
        "skips_null",
        "test_rows_without_a_watermark_arrive",
        (
            "strategy `skips_null`: a load after rows were added that have a `DateTStamp` left 14 rows of "
            f"the source missing in the warehouse, the first one with `AptNum` 100; {BY_CURSOR}"
        ),
    ),
    Case(
        StrategyContract,
        "remembers",
        "test_a_broken_load_is_completed_by_the_next",
        (
            "strategy `remembers`: a load after the first one broke left 23 rows of the source missing in "
            f"the warehouse, the first one with `AptNum` 10; {BY_CURSOR}"
        ),
    ),
    Case(
        StrategyContract,
        "trusts_its_clock",
        "test_what_changes_during_a_run_arrives_with_the_next",
        (
            "strategy `trusts_its_clock`: a load after rows changed while the one before was reading left 2 "
            f"rows of the source missing in the warehouse, the first one with `AptNum` 116; {BY_CURSOR}"
        ),
    ),
    Case(
        StrategyContract,
        "reads_new_keys",
        "test_what_changes_between_runs_arrives",
        (
            "strategy `reads_new_keys`: a load after rows were added and edited left 1 row of the source "
            f"missing in the warehouse, the first one with `AptNum` 115; {BY_CURSOR}"
        ),
    ),
    Case(
        StrategyContract,
        "compares_with_nothing",
        "test_an_empty_table_and_one_row",
        (
            "strategy `compares_with_nothing`: a load after the first row was added left 1 row of the source"
            f" missing in the warehouse, the first one with `AptNum` 10; {BY_CURSOR}"
        ),
    ),
    Case(
        StrategyContract,
        "refuses_half",
        "test_a_key_of_two_columns",
        ("strategy `refuses_half`, table `appointment`: `plan` must raise PlanRefused where `fits` refuses"),
    ),
    Case(
        StrategyContract,
        "doubles",
        "test_a_table_without_key_is_served_or_refused",
        (
            "strategy `doubles`, table `appointment`, on a first load: rows can be merged or appended by a "
            "primary key only, which the table lacks"
        ),
    ),
    Case(
        ClassifierContract,
        "nothing",
        "test_the_plugin_provides_it",
        (
            "classifier `nothing`: the plugin does not provide it (it provides `misspelt`, `moody`, "
            "`no_level`); yield it from `etlkit_classifiers`, or correct `name`"
        ),
    ),
    Case(
        ClassifierContract,
        "moody",
        "test_it_answers_with_a_level_or_none_and_always_the_same",
        "classifier `moody`, table `patient`: the answer must be the same each time",
    ),
    Case(
        ClassifierContract,
        "no_level",
        "test_it_answers_with_a_level_or_none_and_always_the_same",
        "classifier `no_level`, table `patient`: the answer must be a level or None (got 3)",
    ),
    Case(
        ClassifierContract,
        "misspelt",
        "test_it_answers_with_its_own_levels_only",
        (
            "classifier `misspelt`: it answers `criticl` for table `patient`, which is none of its levels "
            "(`critical`, `audit`); correct `classify`, or add the level to `levels`"
        ),
        {"levels": ("critical", "audit")},
    ),
    Case(
        ConversionContract,
        "nothing",
        "test_the_plugin_provides_it",
        (
            "conversion `nothing`: the plugin does not provide it (it provides `any_boolean`, `empty`, "
            "`no_boolean`, `no_sql`, `raises`, `sign`, `upper`); yield it from `etlkit_conversions`, or "
            "correct `name`"
        ),
        {"column": "c int"},
    ),
    Case(
        ConversionContract,
        "no_sql",
        "test_it_builds_sql_for_its_column",
        (
            "conversion `no_sql`, column `contract`.`c`: `source_sql` must be a SQLAlchemy expression (got "
            "'upper(x)')"
        ),
        {"column": "c int"},
    ),
    Case(
        ConversionContract,
        "raises",
        "test_a_column_that_it_cannot_serve_is_refused_in_words",
        (
            "conversion `raises`: `target_type` raises ValueError for a bigint, where it should name a type "
            "or raise `PlanRefused` with what is lacking"
        ),
        {"column": "c varchar(20)"},
    ),
    Case(
        ConversionContract,
        "no_boolean",
        "test_each_example_becomes_what_is_promised",
        (
            "conversion `no_boolean`: 1 became '1', and `examples` promises True; correct `source_sql`, "
            "`target_type` or the example"
        ),
        {"column": "c tinyint", "examples": ((1, True),)},
    ),
    Case(
        ConversionContract,
        "upper",
        "test_each_example_becomes_what_is_promised",
        "conversion `upper`: there are no `examples`; give pairs of a value and what it becomes",
        {"column": "c varchar(20)"},
    ),
    Case(
        ConversionContract,
        "empty",
        "test_null_is_handled",
        (
            "conversion `empty`: NULL became '' instead of None; let `source_sql` give NULL for NULL, or add"
            " `(None, ...)` to `examples`"
        ),
        {"column": "c varchar(20)"},
    ),
    Case(
        ConversionContract,
        "sign",
        "test_what_it_does_not_accept_refuses_the_load",
        (
            "conversion `sign`: 2 became True without a word, and `refused` promises that it refuses the "
            "load; let `accepts` give false for it"
        ),
        {"column": "c tinyint", "examples": ((1, True),), "refused": (2,)},
    ),
    Case(
        ConversionContract,
        "any_boolean",
        "test_what_it_does_not_accept_refuses_the_load",
        (
            "conversion `any_boolean`: 2 broke the load instead of refusing it: warehouse table "
            "`raw.contract`, column `c`: a value is not of the column's type; mend `pg_type` in "
            "`column_overrides`, or leave it out and let the source's type decide; `pg_type: text` keeps "
            "what only the source takes for JSON; nothing of this load was kept (sqlstate 22P02, "
            "invalid_text_representation); let `accepts` give false for it"
        ),
        {"column": "c tinyint", "examples": ((1, True),), "refused": (2,)},
    ),
    Case(
        ConversionContract,
        "any_boolean",
        "test_what_it_accepts_fits_its_type",
        (
            "conversion `any_boolean`: -128 is accepted, and breaks the load: warehouse table "
            "`raw.contract`, column `c`: a value is not of the column's type; mend `pg_type` in "
            "`column_overrides`, or leave it out and let the source's type decide; `pg_type: text` keeps "
            "what only the source takes for JSON; nothing of this load was kept (sqlstate 22P02, "
            "invalid_text_representation); let `accepts` give false for it, or `source_sql` what PostgreSQL "
            "reads as `target_type`"
        ),
        {"column": "c tinyint"},
    ),
    Case(
        ConversionContract,
        "upper",
        "test_different_values_stay_different",
        (
            "conversion `upper`: it says `lossless=True`, and 15 different values became 14; set "
            "`lossless=False`, or let `accepts` give false for those that it cannot keep apart"
        ),
        {"column": "c varchar(20)", "examples": (("b", "B"),)},
    ),
    Case(
        RelationshipContract,
        "nothing",
        "test_the_plugin_provides_it",
        (
            "relationship rule `nothing`: the plugin does not provide it (it provides `stray`); yield it "
            "from `etlkit_relationships`, or correct `name`"
        ),
    ),
    Case(
        RelationshipContract,
        "stray",
        "test_it_names_what_is_there_and_always_the_same",
        "relationship rule `stray`: it names the column `PatNum`, which `fee` does not have",
    ),
    Case(
        ExclusionContract,
        "nothing",
        "test_the_plugin_provides_it",
        (
            "exclusion `nothing`: the plugin does not provide it (it provides `undecided`); yield it from "
            "`etlkit_exclusions`, or correct `name`"
        ),
    ),
    Case(
        ExclusionContract,
        "undecided",
        "test_it_answers_yes_or_no_and_always_the_same",
        "exclusion `undecided`, table `patient`: `excludes` must return a bool (got None)",
    ),
    Case(
        HabitContract,
        "nothing",
        "test_the_plugin_provides_it",
        (
            "habit `nothing`: the plugin does not provide it (it provides `early`); yield it from "
            "`etlkit_habits`, or correct `name`"
        ),
    ),
    Case(
        HabitContract,
        "early",
        "test_it_tells_what_can_be_and_always_the_same",
        "habit `early`, table `patient`: `lookback_seconds` must be 0 or more (got -1)",
    ),
    Case(
        ExecutorContract,
        "nothing",
        "test_the_plugin_provides_it",
        (
            "executor `nothing`: the plugin does not provide it (it provides `twice`); yield it from "
            "`etlkit_executors`, or correct `name`"
        ),
    ),
    Case(
        ExecutorContract,
        "twice",
        "test_it_loads_each_table_once_and_ends_with_a_failure",
        (
            "executor `twice`: plugin `tested` (not installed), `run` of `twice`: loads table `table0`, "
            "which is not among those that are left; correct the module"
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_wrong_plugin_is_found_out(case: Case, request: pytest.FixtureRequest) -> None:
    """The contract fails, and says what is wrong and what to do about it."""
    PLANNED.clear()
    attributes = {"plugin": wrong_plugins, "name": case.name, **case.attributes}
    tried = type("Wrong", (case.contract,), attributes)()
    method = getattr(tried, case.method)
    databases = {name: request.getfixturevalue(name) for name in inspect.signature(method).parameters}
    with pytest.raises(AssertionError) as caught:
        method(**databases)
    assert case.expected == str(caught.value)


def test_each_test_of_each_contract_is_failed_by_a_wrong_plugin() -> None:
    """A contract's test that nothing fails proves nothing."""
    contracts = [
        each
        for name in testing.__all__
        if inspect.isclass(each := getattr(testing, name))
        and issubclass(each, Contract)
        and each is not Contract
    ]
    every = {(each, method) for each in contracts for method in dir(each) if method.startswith("test_")}
    assert every == {(case.contract, case.method) for case in CASES}
