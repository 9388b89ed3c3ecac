"""Which change of a type keeps every value, and what each policy lets happen."""

from __future__ import annotations

import pytest

from etlkit.config import DriftSettings
from etlkit.errors import DriftRefused
from etlkit.loading.drift import Drift, drift_between, holds, permitted
from etlkit.loading.shapes import Shape
from etlkit.loading.target import TargetTable

TARGET = TargetTable(schema="raw", name="t", source="t", columns=(), key=())
ALL = Drift(
    added={"new": "integer"},
    widened={"wide": "text"},
    narrowed=("thin",),
    dropped=("gone",),
    changed=(),
)


@pytest.mark.parametrize(
    ("wider", "narrower", "expected"),
    [
        ("integer", "smallint", True),
        ("bigint", "integer", True),
        ("numeric(20,0)", "bigint", True),
        ("smallint", "integer", False),
        ("bigint", "numeric(20,0)", False),
        ("double precision", "real", True),
        ("real", "double precision", False),
        ("double precision", "integer", False),
        ("text", "character varying(10)", True),
        ("text", "character varying", True),
        ("character varying(10)", "text", False),
        ("character varying(20)", "character varying(10)", True),
        ("character varying(10)", "character varying(20)", False),
        ("numeric(10,2)", "numeric(8,2)", True),
        ("numeric(10,3)", "numeric(8,2)", True),
        ("numeric(9,3)", "numeric(8,2)", True),
        ("numeric(8,3)", "numeric(8,2)", False),
        ("numeric(10,1)", "numeric(8,2)", False),
        ("numeric(30,0)", "numeric(20,0)", True),
        ("timestamp(6) without time zone", "timestamp(0) without time zone", True),
        ("timestamp(0) without time zone", "timestamp(3) without time zone", False),
        ("timestamp(6) with time zone", "timestamp(0) without time zone", False),
        ("bit(8)", "bit(1)", False),
        ("date", "timestamp(0) without time zone", False),
        ("json", "text", False),
    ],
)
def test_holds(wider: str, narrower: str, expected: bool) -> None:
    """A type holds another when every value of that is, unchanged, one of its own."""
    assert expected is holds(wider, narrower)


def test_drift_between() -> None:
    """Each difference is of one kind: new, wider, narrower, gone, or not to be done in place."""
    now = Shape(
        types={
            "id": "integer",
            "wide": "character varying(5)",
            "thin": "bigint",
            "gone": "date",
            "other": "text",
        },
        key=("id",),
    )
    wanted = Shape(
        types={"id": "integer", "new": "integer", "wide": "text", "thin": "smallint", "other": "bytea"},
        key=("id", "new"),
    )
    assert Drift(
        added={"new": "integer"},
        widened={"wide": "text"},
        narrowed=("thin",),
        dropped=("gone",),
        changed=(
            "column `other` is text there and would be bytea",
            "the key is `id` there and would be `id`, `new`",
        ),
    ) == drift_between(now, wanted)


def test_the_order_of_columns_is_no_drift() -> None:
    """A table whose columns stand in another order is the same."""
    now = Shape(types={"a": "integer", "b": "text"}, key=())
    wanted = Shape(types={"b": "text", "a": "integer"}, key=())
    assert Drift(added={}, widened={}, narrowed=(), dropped=(), changed=()) == drift_between(now, wanted)


def test_what_is_permitted() -> None:
    """A policy that lets everything happen that can be done in place."""
    assert ALL == permitted(ALL, DriftSettings(narrow="keep"), TARGET)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (DriftSettings(), "column `thin` became narrower"),
        (DriftSettings(narrow="keep", add_column="refuse"), "column `new` (integer) is new"),
        (DriftSettings(narrow="keep", widen="refuse"), "column `wide` became wider (text)"),
        (DriftSettings(narrow="keep", drop_column="refuse"), "column `gone` is gone in the source"),
        (
            DriftSettings(widen="refuse", add_column="refuse", drop_column="refuse"),
            (
                "column `new` (integer) is new; column `wide` became wider (text); column `thin` became narrower; "
                "column `gone` is gone in the source"
            ),
        ),
    ],
)
def test_what_is_refused(policy: DriftSettings, words: str) -> None:
    """Every part that a policy refuses is told, in one message."""
    with pytest.raises(DriftRefused) as caught:
        permitted(ALL, policy, TARGET)
    assert (
        f"table `t` changed in a way that is not carried over: {words}. The rows of `raw.t` are as they were. Change "
        "the policy under `drift:` in etlkit.yml where it allows this, or rename the warehouse's table and run again, "
        "which loads the new shape beside it"
    ) == str(caught.value)
