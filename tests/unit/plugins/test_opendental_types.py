"""What the Open Dental pack says of columns: which are yes or no, which tables only grow, what times mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from etlkit import Column, TableAnalysis
from etlkit.discovery.analysis import as_in_catalog
from etlkit.errors import PlanRefused
from etlkit.plugins.opendental import booleans, habits, times
from etlkit.plugins.opendental.knowledge import read
from etlkit.registry import Registry
from support.schema_facts import facts

TRUTH: dict[str, Any] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "data" / "open_dental_truth.yml").read_text(encoding="utf-8")
)["tables"]
MONTH = 32 * 24 * 60 * 60


def answers(*parts: str) -> tuple[set[str], set[str]]:
    """The yes-and-no columns of some parts of the truth, and those that the pack takes for such."""
    true, said = set(), set()
    for name, table in TRUTH.items():
        if table["part"] not in parts:
            continue
        for column, known in table["columns"].items():
            kind = known.split(",")[0].split(" ")[0]
            of = Column(name=column, data_type=kind.split("(")[0], column_type=kind, declared_type=kind)
            if ", boolean" in known:
                true.add(f"{name}.{column}")
            if booleans.is_boolean(TableAnalysis(name=name, columns=(of,), primary_key=(table["key"],)), of):
                said.add(f"{name}.{column}")
    return true, said


def test_nine_booleans_in_ten_are_found_and_no_enum_among_them() -> None:
    """Measured on every table of the truth file; what is not found keeps its plain type."""
    true, said = answers("known", "held_out")
    assert set() == said - true
    assert len(said) >= 0.9 * len(true)


def test_names_alone_find_booleans_of_tables_that_nobody_looked_at() -> None:
    """The rules were written from the known tables; on the others they find 80 of 91, as docs/open-dental.md says."""
    true, said = answers("held_out")
    assert (80, 91) == (len(said & true), len(true))


@pytest.mark.parametrize(
    ("table", "column", "declared", "expected"),
    [
        ("patient", "TxtMsgOk", "tinyint(4)", False),
        ("patient", "TxtMsgOk", "tinyint(1)", False),
        ("PROVIDER", "ISERXENABLED", "tinyint(4)", False),
        ("provider", "IsHidden", "tinyint(3) unsigned", True),
        ("appointment", "TimeLocked", "tinyint(1)", True),
        ("appointment", "Whatever", "tinyint(1)", True),
        ("appointment", "Whatever", "tinyint(1) unsigned", True),
        ("patient", "PlannedIsDone", "tinyint(4)", True),
        ("patient", "Island", "tinyint(4)", False),
        ("mountdef", "FlipOnAcquire", "tinyint(4)", True),
        ("other", "FlipOnAcquire", "tinyint(4)", False),
        ("provider", "IsHidden", "int(11)", False),
        ("provider", "Enabled", "tinyint(4)", True),
        ("provider", "", "tinyint(4)", False),
    ],
)
def test_a_name_is_read_by_its_words(table: str, column: str, declared: str, expected: bool) -> None:
    """Words decide, then lists by table; an enum on the list stays one, whatever it is declared as."""
    kind = declared.partition("(")[0]
    of = Column(name=column, data_type=kind, column_type=kind, declared_type=declared)
    assert expected == booleans.is_boolean(TableAnalysis(name=table, columns=(of,)), of)


def test_a_key_is_no_boolean() -> None:
    """A key may be called and declared like one, and holds other numbers tomorrow."""
    of = Column(name="IsHidden", data_type="tinyint", column_type="tinyint", declared_type="tinyint(1)")
    table = TableAnalysis(name="t", columns=(of,), primary_key=("IsHidden",))
    assert not booleans.is_boolean(table, of)


def test_only_a_tinyint_becomes_a_boolean() -> None:
    """Named for another column, the conversion says which one is for it."""
    with pytest.raises(PlanRefused) as caught:
        booleans.boolean_type(Column(name="State", data_type="varchar", column_type="varchar(2)"))
    assert (
        "conversion open_dental_boolean is for tinyint columns, and `State` is varchar(2); choose another "
        "conversion, such as tinyint_to_boolean, or take it out of `column_overrides`"
    ) == str(caught.value)


def test_what_changes_late_is_read_again() -> None:
    """Time clocks are corrected for a month; a stamp of the server's own leaves that as it is."""
    plain = as_in_catalog(facts("clockevent", "ClockEventNum bigint auto_increment", "TimeEntered1 datetime"))
    known = habits.by_table(plain)
    assert known is not None
    assert (False, MONTH) == (known.only_added, known.lookback_seconds)
    assert habits.by_table(as_in_catalog(facts("patient", "PatNum bigint auto_increment"))) is None


def test_what_tables_of_the_pack_are_called() -> None:
    """A table that is documented is called so in the truth file; the few others are older or Open Dental's own."""
    known = read("habits.yml")
    named = {*known["grows"], *known["edited"], *known["lookbacks"]}
    assert {"claimlog", "medlablog"} == {each for each in named if each not in TRUTH}
    assert set() == {
        each for each in known["lookbacks"] if any("Edit" in column for column in TRUTH[each]["columns"])
    }


def test_every_time_of_the_documentation_is_known() -> None:
    """Each TIME column is a time of day or a duration, and none is both."""
    known = read("times.yml")
    said = [
        f"{table}.{each}"
        for part in ("times_of_day", "durations")
        for table, names in known[part].items()
        for each in names
    ]
    true = {
        f"{name}.{column}"
        for name, table in TRUTH.items()
        for column, kind in table["columns"].items()
        if kind == "time"
    }
    assert sorted(true) == sorted(said)


def test_times_refuse_other_columns_and_options() -> None:
    """What a conversion cannot mean is refused before anything is read."""
    registry = Registry.of(times)
    text = Column(name="Note", data_type="text", column_type="text")
    for name, wanted in (
        ("time_of_day", "a time"),
        ("minutes_to_interval", "an integer"),
        ("seconds_to_interval", "an integer"),
    ):
        with pytest.raises(PlanRefused) as caught:
            registry.conversion(name).item.target_type(text)
        assert (
            f"conversion {name} needs {wanted}, and `Note` is text; choose another conversion, or take it out of "
            "`column_overrides`"
        ) == str(caught.value)
    for options in ({"minutes": "0"}, {"minutes": "61"}, {"minutes": "x"}, {"hours": "1"}):
        with pytest.raises(PlanRefused) as caught:
            times.configured_pattern(options, TableAnalysis(name="appointment"))
        assert (
            "table `appointment`: conversion pattern_to_interval takes the option `minutes` alone, a whole number from "
            "1 to 60; correct `options` in `column_overrides`"
        ) == str(caught.value)
