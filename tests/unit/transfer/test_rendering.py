"""The SQL by which the source renders columns and rows."""

from __future__ import annotations

import attrs
import pytest
from sqlalchemy import ColumnElement, func, literal_column, select

from etlkit.contracts import Conversion
from etlkit.errors import PlanRefused
from etlkit.tables import Column, TableAnalysis
from etlkit.transfer.chunk_queries import Prepared
from etlkit.transfer.rendering import RenderedTable, render

NULL = "_binary 0xFD COLLATE `binary`"


def column(name: str, kind: str, *, nullable: bool = False, charset: str | None = None) -> Column:
    """A column as discovery describes it."""
    return Column(name=name, data_type=kind, column_type=kind, nullable=nullable, charset=charset)


def rendered(*columns: Column, **conversions: Conversion) -> RenderedTable:
    """A table of these columns."""
    return render(TableAnalysis(name="t", columns=columns), "d", conversions)


def sql(expression: ColumnElement[object]) -> str:
    """Its text, with the columns' names alone."""
    text = Prepared.of(select(expression)).text.split("\nFROM")[0]
    text = text.removeprefix("SELECT ")
    return (text.rpartition(" AS ")[0] or text.strip()).replace("`d`.`t`.", "")


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (column("a", "int", nullable=True), f"ifnull(`a`, {NULL})"),
        (column("a%b", "decimal", nullable=True), f"ifnull(`a%%b`, {NULL})"),
        (column("a", "varchar", nullable=True, charset="utf8mb3"), f"ifnull(`a`, {NULL})"),
        (column("a", "text", charset="latin1"), "convert(`a` USING utf8mb4)"),
        (
            column("a", "char", charset="cp1250"),
            (
                "if(`a` IS NOT NULL AND CAST(convert(convert(`a` USING utf8mb4) USING cp1250) AS BINARY) "
                "!= CAST(`a` AS BINARY), _binary 0xFA303030 COLLATE `binary`, convert(`a` USING utf8mb4))"
            ),
        ),
        (column("a", "longtext", nullable=True, charset="utf8mb4"), f"if(`a` IS NULL, {NULL}, `a`)"),
        (column("a", "float"), "`a` * 1e0"),
        (column("a", "bit"), "lpad(bin(`a` + 0), 1, '0')"),
        (column("a", "blob"), "concat(0x5C78, hex(`a`))"),
        (column("a", "uuid"), "convert(`a` USING utf8mb4)"),
        (column("a", "json", nullable=True), f"if(`a` IS NULL, {NULL}, convert(`a` USING utf8mb4))"),
        (
            column("a", "point"),
            "concat(0x5C78, substr(hex(`a`), 9, 8), '20', substr(hex(`a`), 1, 8), substr(hex(`a`), 19))",
        ),
    ],
)
def test_columns(of: Column, expected: str) -> None:
    """Each type has its own rendering; NULL is asked for only where it can be."""
    assert expected == sql(rendered(of).columns[0].expression)


@pytest.mark.parametrize("kind", ["date", "datetime", "timestamp"])
def test_dates_that_do_not_exist_become_markers(kind: str) -> None:
    """Of each date it is asked whether it exists; only where NULL can be, whether it is NULL."""
    first, second = rendered(column("a", kind), column("b", kind, nullable=True)).columns
    assert sql(first.expression).endswith("`a`, _binary 0xFC303030 COLLATE `binary`)")
    assert sql(second.expression).endswith(
        f"`b`, if(`b` IS NULL, {NULL}, _binary 0xFC303031 COLLATE `binary`))"
    )


def test_dates_are_not_proven_where_postgresql_refuses_them() -> None:
    """Its own date types know the calendar; other targets, and TIMESTAMP, which costs nothing, are proven."""
    columns = [column(name, kind, nullable=name == "b") for name, kind in (("a", "date"), ("b", "datetime"))]
    columns += [column("c", "date"), column("d", "timestamp"), column("e", "date")]
    table = render(
        TableAnalysis(name="t", columns=tuple(columns)),
        "d",
        {
            "e": Conversion(
                name="x", summary="", target_type=lambda _: "date", source_sql=lambda value, _: value
            )
        },
        {"c": "text"},
    )
    assert table.may_trust
    asked = [sql(each.expression) for each in table.columns]
    assert ["`a`", f"ifnull(`b`, {NULL})", *asked[2:]] == [
        sql(each.expression) for each in table.trusting().columns
    ]
    assert all("last_day" in each for each in asked[:3])
    assert table.trusting().trusting().columns == table.trusting().columns
    assert not table.trusting().may_trust


DIGESTED = (
    column("a", "int"),
    column("b", "date"),
    column("c", "int"),
    *(column(name, "double", nullable=name == "f") for name in "def"),
    column("g", "date"),
)


def digested() -> RenderedTable:
    """A table whose rows have digests."""
    return render(TableAnalysis(name="t", columns=DIGESTED), "d", secret="s")  # noqa: S106 - of a test


def test_a_digest_needs_no_proofs() -> None:
    """So a row has the same one whether its dates were proven or not, and numbers are in it as they are kept."""
    digest = sql(digested().digest())
    assert "last_day" not in digest
    assert digest == sql(digested().trusting().digest())
    frame = "_binary 0xFF COLLATE `binary`"
    numbers = f"st_asbinary(point(`d`, `e`)), ifnull(st_asbinary(point(`f`, 0)), {NULL})"
    assert f"concat_ws({frame}, `a`, `b`, `c`, {numbers}, `g`)" in digest


@pytest.mark.parametrize(
    ("trusting", "expected"),
    [
        (
            True,
            [
                "@etlkit_0 := concat_ws({}, `a`, `b`, `c`)",
                "`d`",
                "@etlkit_6 := concat_ws({}, `g`)",
                "@etlkit_6",
            ],
        ),
        (
            False,
            [
                "@etlkit_0 := concat_ws({}, `a`)",
                "@etlkit_2 := concat_ws({}, `c`)",
                "@etlkit_0, `b`, @etlkit_2",
            ],
        ),
    ],
)
def test_what_row_and_digest_share_is_rendered_once(trusting: bool, expected: list[str]) -> None:
    """The row comes first, and leaves what its digest needs in variables."""
    row = sql((digested().trusting() if trusting else digested()).row())
    for each in expected:
        assert each.format("_binary 0xFF COLLATE `binary`") in row
    assert row.index(":= md5") > row.rindex(":= concat_ws")


def test_rows() -> None:
    """A row is one byte string: its fields between marks, its end behind the last."""
    table = rendered(column("a", "int"), column("b", "int"))
    row = "concat_ws(_binary 0xFF COLLATE `binary`, `a`, concat(`b`, _binary 0xFE COLLATE `binary`))"
    assert row == sql(table.row())
    assert f"group_concat({row} SEPARATOR '')" == sql(table.rows())


def test_names_are_always_quoted() -> None:
    """A name that no list of reserved words holds today may be reserved by the next server."""
    table = render(TableAnalysis(name="plain", columns=(column("also", "int"),)), "base")
    assert (
        "SELECT `base`.`plain`.`also` \nFROM `base`.`plain`"
        == Prepared.of(select(table.columns[0].expression)).text
    )


def test_conversions_replace_the_rendering() -> None:
    """A conversion decides type and text; a value outside what it accepts becomes a marker."""
    conversion = Conversion(
        name="c",
        summary="",
        target_type=lambda _: "boolean",
        source_sql=lambda value, _: value,
        accepts=lambda value, _: value < 2,
    )
    (made,) = rendered(column("a", "int"), a=conversion).columns
    assert ("boolean", "c") == (made.target_type, made.conversion)
    assert "if(`a` < %s, `a`, _binary 0xFB303030 COLLATE `binary`)" == sql(made.expression)
    (nullable,) = rendered(column("a", "int", nullable=True), a=conversion).columns
    assert (
        f"CASE WHEN (`a` < %s) THEN `a` WHEN (`a` IS NULL) THEN {NULL} ELSE _binary 0xFB303030 COLLATE `binary` END"
    ) == sql(nullable.expression)
    text = attrs.evolve(conversion, source_sql=lambda value, _: func.upper(value))
    (other,) = rendered(column("a", "int"), a=text).columns
    assert (
        f"CASE WHEN (`a` IS NULL) THEN {NULL} WHEN (`a` < %s) THEN if(upper(`a`) IS NULL, {NULL}, "
        "convert(upper(`a`) USING utf8mb4)) ELSE _binary 0xFB303030 COLLATE `binary` END"
    ) == sql(other.expression)


def test_numbers_are_not_proven_where_postgresql_refuses_them() -> None:
    """A boolean costs nothing then; another type than the conversion's, or another text, is proven by the source."""
    boolean = Conversion(
        name="b",
        summary="",
        target_type=lambda _: "boolean",
        source_sql=lambda value, _: value,
        accepts=lambda value, _: value.in_([literal_column("0"), literal_column("1")]),
        refused_by_type=True,
    )
    proven = attrs.evolve(boolean, refused_by_type=False)
    text = attrs.evolve(boolean, source_sql=lambda value, _: func.upper(value))
    columns = [column(name, "tinyint", nullable=name == "b") for name in "abcde"]
    table = render(
        TableAnalysis(name="t", columns=tuple(columns)),
        "d",
        {"a": boolean, "b": boolean, "c": proven, "d": text, "e": boolean},
        {"e": "text"},
    )
    asked = [sql(each.expression) for each in table.columns]
    assert "if(`a` IN (0, 1), `a`, _binary 0xFB303030 COLLATE `binary`)" == asked[0]
    assert ["`a`", f"ifnull(`b`, {NULL})", *asked[2:]] == [
        sql(each.expression) for each in table.trusting().columns
    ]
    assert table.may_trust


def test_columns_can_be_left_out() -> None:
    """A column that is left out of the rows can still be named by keys and conditions."""
    table = render(
        TableAnalysis(name="t", columns=(column("a", "int"), column("b", "date"))), "d", without={"a"}
    )
    assert [("b", 0)] == [(each.column.name, each.number) for each in table.columns]
    assert "a" in table.source.c


def test_unknown_types_are_refused() -> None:
    """A type that is not in the table of types is refused, unless a conversion renders it."""
    vector = column("v", "vector")
    with pytest.raises(PlanRefused) as caught:
        rendered(vector)
    assert (
        "table `t`: column `v` is a vector, a type that etlkit cannot render; "
        "name a conversion for it in `column_overrides`"
    ) == str(caught.value)
    conversion = Conversion(
        name="c", summary="", target_type=lambda _: "bytea", source_sql=lambda value, _: value
    )
    assert "bytea" == rendered(vector, v=conversion).columns[0].target_type
