"""Which change of a type keeps every value, and what each policy lets happen."""

from __future__ import annotations

import pytest

from etlkit.config import DriftSettings
from etlkit.errors import DriftRefused
from etlkit.loading.drift import Drift, holds
from etlkit.loading.drift_policy import permitted
from etlkit.loading.renames import Rename, looking_renamed
from etlkit.loading.shapes import Shape
from etlkit.loading.target import TargetTable

TARGET = TargetTable(schema="raw", name="t", source="t", columns=(), key=())
ALL = Drift(
    now=Shape(
        types={"id": "integer", "wide": "character varying(5)", "thin": "bigint", "gone": "date"}, key=("id",)
    ),
    wanted=Shape(types={"id": "integer", "wide": "text", "thin": "smallint", "new": "integer"}, key=("id",)),
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


def test_the_difference() -> None:
    """Each difference is of one kind: new, wider, narrower, gone, another type, another key."""
    drift = Drift(
        now=Shape(
            types={
                "id": "integer",
                "wide": "character varying(5)",
                "thin": "bigint",
                "gone": "date",
                "other": "text",
            },
            key=("id",),
        ),
        wanted=Shape(
            types={"id": "integer", "new": "integer", "wide": "text", "thin": "smallint", "other": "bytea"},
            key=("id", "new"),
        ),
    )
    assert (
        {"new": "integer"},
        {"wide": "text"},
        {"thin": "smallint"},
        {"other": "bytea"},
        ("gone",),
        True,
    ) == (
        drift.added,
        drift.widened,
        drift.narrowed,
        drift.retyped,
        drift.dropped,
        drift.rekeyed,
    )
    assert (
        "column `other` is text there and would be bytea",
        "the key is `id` there and would be `id`, `new`",
    ) == drift.changed
    # What is narrower stays wide, and what is gone stays.
    assert {
        "id": "integer",
        "wide": "text",
        "thin": "bigint",
        "gone": "date",
        "other": "bytea",
        "new": "integer",
    } == drift.types


def test_a_renamed_column_is_no_difference() -> None:
    """A column under another name, also one of the key, is the same column."""
    drift = Drift(
        now=Shape(types={"id": "integer", "b": "text"}, key=("id",)),
        wanted=Shape(types={"pid": "integer", "c": "text"}, key=("pid",)),
        renamed={"id": "pid", "b": "c"},
    )
    assert ({}, (), False, True) == (drift.added, drift.dropped, drift.rekeyed, drift.same)
    assert drift.needs_every_row


def test_the_order_of_columns_is_no_drift() -> None:
    """A table whose columns stand in another order is the same."""
    now = Shape(types={"a": "integer", "b": "text"}, key=())
    assert Drift(now=now, wanted=Shape(types={"b": "text", "a": "integer"}, key=())).same


@pytest.mark.parametrize(
    ("there", "wanted", "kept", "expected"),
    [
        ({"id": "integer", "b": "text"}, {"id": "integer", "c": "text"}, (), [("b", "c")]),
        ({"id": "integer", "b": "smallint"}, {"id": "integer", "c": "bigint"}, (), [("b", "c")]),
        ({"id": "integer", "b": "bigint"}, {"id": "integer", "c": "smallint"}, (), []),
        ({"id": "integer", "b": "text"}, {"id": "integer", "c": "text"}, ("b",), []),
        ({"id": "integer", "b": "text", "z": "text"}, {"id": "integer", "z": "text", "c": "text"}, (), []),
        ({"id": "integer", "b": "text", "d": "date"}, {"id": "integer", "d": "date", "c": "text"}, (), []),
        (
            {"id": "integer", "b": "text", "d": "text", "z": "date"},
            {"id": "integer", "c": "text", "z": "date"},
            (),
            [("b", "c")],
        ),
    ],
)
def test_what_looks_renamed(
    there: dict[str, str], wanted: dict[str, str], kept: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """Before rows are read, the place and a type that fits make a column look renamed; one gone before never does."""
    drift = Drift(now=Shape(types=there, key=("id",)), wanted=Shape(types=wanted, key=("id",)))
    assert expected == [(each.old, each.new) for each in looking_renamed(drift, kept)]


def test_what_is_permitted() -> None:
    """A policy that lets everything happen, an earlier run that did, and `--allow-drift` for one run."""
    assert ALL == permitted(ALL, DriftSettings(narrow="keep"), TARGET)
    assert ALL == permitted(ALL, DriftSettings(), TARGET, accepted={"thin": "smallint"})
    strict = DriftSettings(add_column="refuse", widen="refuse", drop_column="refuse")
    assert ALL == permitted(ALL, strict, TARGET, allow=True)


BEGIN = (
    "table `t` changed in the source in a way that is not carried over unasked; the rows of `raw.t` are as they "
    "were:\n"
)
END = "  renaming `raw.t` and running again loads the new shape beside it; views stay on the renamed table"
FLAG = "  `etlkit run --allow-drift --select t` {}, and reads every row; views and grants stay\n"
NEW = "  column `new`: integer, new in the source\n"
WIDE = "  column `wide`: character varying(5) in `raw.t`, the wider text in the source\n"
THIN = "  column `thin`: bigint in `raw.t`, the narrower smallint in the source\n"
GONE = "  column `gone`: date in `raw.t`, gone in the source\n"
ADDS = "  `drift: {add_column: evolve}` in etlkit.yml adds new columns, in every run\n"
WIDENS = "  `drift: {widen: evolve}` in etlkit.yml widens columns, in every run\n"
KEEPS = "  `drift: {narrow: keep}` in etlkit.yml keeps columns as wide as they are, in every run\n"
MARKS = "  `drift: {drop_column: keep}` in etlkit.yml keeps columns that are gone, marked, in every run\n"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (
            DriftSettings(),
            f"{THIN}Ways on:\n{FLAG.format('keeps `thin` as wide as it is')}{KEEPS}",
        ),
        (
            DriftSettings(narrow="keep", add_column="refuse"),
            f"{NEW}Ways on:\n{FLAG.format('adds `new`')}{ADDS}",
        ),
        (
            DriftSettings(narrow="keep", widen="refuse"),
            f"{WIDE}Ways on:\n{FLAG.format('widens `wide`')}{WIDENS}",
        ),
        (
            DriftSettings(narrow="keep", drop_column="refuse"),
            f"{GONE}Ways on:\n{FLAG.format('keeps `gone` with its values, marked')}{MARKS}",
        ),
        (
            DriftSettings(widen="refuse", add_column="refuse", drop_column="refuse"),
            f"{NEW}{WIDE}{THIN}{GONE}Ways on:\n"
            + FLAG.format(
                "adds `new`, widens `wide`, keeps `thin` as wide as it is and keeps `gone` with its values, marked"
            )
            + f"{ADDS}{WIDENS}{KEEPS}{MARKS}",
        ),
    ],
)
def test_what_is_refused(policy: DriftSettings, words: str) -> None:
    """Every part that a policy refuses is told, in one message, with what each way on would do."""
    with pytest.raises(DriftRefused) as caught:
        permitted(ALL, policy, TARGET)
    assert f"{BEGIN}{words}{END}" == str(caught.value)


def test_what_no_policy_allows() -> None:
    """Another type, another key and a rename are done with `--allow-drift` only; a rename has a policy of its own."""
    drift = Drift(
        now=Shape(types={"id": "integer", "a": "text", "b": "date"}, key=("id",)),
        wanted=Shape(types={"id": "integer", "a": "bytea", "c": "date"}, key=()),
        renamed={"b": "c"},
    )
    look = "column `b` looks renamed to `c`: both are date, and 2 of 2 rows hold the same there"
    with pytest.raises(DriftRefused) as caught:
        permitted(drift, DriftSettings(), TARGET, renames=[Rename(old="b", new="c", words=look)])
    assert (
        f"{BEGIN}  {look}\n"
        "  column `a`: text in `raw.t`, bytea in the source\n"
        "  primary key: `id` in `raw.t`, nothing in the source\n"
        "Ways on:\n"
        + FLAG.format(
            "renames `b` to `c` there, changes the type of `a` in place and replaces the primary key"
        )
        + "  `drift: {rename: keep}` in etlkit.yml keeps the old column, and adds the new one beside it, in every run\n"
        + END
    ) == str(caught.value)
