"""The statements that compare both sides, word for word."""

from __future__ import annotations

import re

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from etlkit.loading.target import DELETED_AT, DELETED_AT_TYPE, Named, TargetColumn, TargetTable
from etlkit.verification.comparing import Compared, compared_as_multisets, compared_by_key, first_keys


def compared(*key: str, wide: str = "text") -> Compared:
    """A table of two columns."""
    types = {"Pat": "bigint", "a%b": "text"}
    columns = tuple(TargetColumn(name=name, source=name, type=kind) for name, kind in types.items())
    target = TargetTable(schema="raw", name="Patient", source="Patient", columns=columns, key=key)
    return Compared(
        target=target,
        table=target.itself({**types, "a%b": wide}),
        read=target.table(schema=None, name="read", temporary=True),
    )


def sql(statement: sa.Select[tuple[object, ...]]) -> str:
    """The statement's text on one line, values in their places."""
    dialect = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
    said = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return re.sub(r"\s+", " ", said).strip()


def plain(
    what: Compared, *, only_read: bool = False, values: bool = False, keys: tuple[str, ...] = ("Pat",)
) -> str:
    """The comparison by key, without a cursor."""
    return sql(compared_by_key(what, only_read=only_read, keys=keys, values=values, newer_than=None))


def test_rows_are_matched_by_key_and_compared_as_records() -> None:
    """Both sides are joined whole by the key; all columns, those of the key too, are compared byte by byte."""
    said = plain(compared("Pat"))
    assert (
        'FROM (SELECT true AS there, read."Pat" AS c0, read."a%%b" AS c1 FROM read) AS source '
        'FULL OUTER JOIN (SELECT true AS there, raw."Patient"."Pat" AS c0, raw."Patient"."a%%b" AS c1 '
        'FROM raw."Patient") AS warehouse ON source.c0 = warehouse.c0 '
        "WHERE warehouse.there IS NULL OR source.there IS NULL OR "
        "(CAST(row(warehouse.c0, warehouse.c1) AS record) *<> CAST(row(source.c0, source.c1) AS record))"
    ) in said


def test_a_sample_misses_nothing_in_the_source() -> None:
    """Rows of the warehouse that were not chosen are left alone."""
    said = plain(compared("Pat"), only_read=True)
    assert ("LEFT OUTER JOIN" in said, "FULL OUTER JOIN" in said) == (True, False)


def test_only_the_first_differing_rows() -> None:
    """Of the warehouse those rows are compared whose keys were read, or are the first that are gone."""
    what = compared("Pat")
    gone = sa.Table("gone", sa.MetaData(), sa.Column("Pat", Named("bigint")))
    said = plain(attrs.evolve(what, only=first_keys(what.read, gone, what.target.key)))
    assert (
        'FROM raw."Patient" JOIN (SELECT read."Pat" AS "Pat" FROM read UNION SELECT first_gone."Pat" AS "Pat" FROM '
        '(SELECT gone."Pat" AS "Pat" FROM gone ORDER BY gone."Pat" LIMIT 20) AS first_gone) AS first_keys '
        'ON raw."Patient"."Pat" = first_keys."Pat") AS warehouse'
    ) in said


def test_a_column_that_is_named_last() -> None:
    """A digest is only said to differ where no other column does."""
    said = plain(attrs.evolve(compared("Pat"), last="a%b"))
    assert "NOT (CAST(row(warehouse.c0) AS record) *<> CAST(row(source.c0) AS record))) THEN 1" in said
    assert "NOT (CAST" not in plain(compared("Pat"))


def test_marked_rows() -> None:
    """Rows that are marked as gone in the source are not there."""
    what = compared("Pat")
    marked = attrs.evolve(what, table=what.target.itself({DELETED_AT: DELETED_AT_TYPE}))
    there = 'FROM raw."Patient" WHERE raw."Patient"._etlkit_deleted_at IS NULL) AS warehouse'
    assert there in plain(marked)
    assert there in sql(compared_as_multisets(attrs.evolve(marked, target=compared().target)))


def test_a_wider_column_is_compared_as_its_type() -> None:
    """What was read is cast to the type that the column has in the warehouse."""
    assert 'CAST(read."a%%b" AS character varying(9)) AS c1' in plain(
        compared("Pat", wide="character varying(9)")
    )


def test_values_and_hidden_keys_do_not_leave_the_warehouse() -> None:
    """Without being asked for, neither a value nor a key that is one is selected."""
    hidden, shown = plain(compared("a%b"), keys=()), plain(compared("a%b"), keys=("a%b",), values=True)
    assert ("ARRAY[CAST(NULL AS TEXT)]" in hidden, "left(" in hidden) == (True, False)
    assert ("ARRAY[CAST(first.c1 AS TEXT)]" in shown, shown.count("left(")) == (True, 4)


def test_newer_rows() -> None:
    """Rows whose cursor lies behind the watermark are counted, compared in the cursor's own type."""
    said = sql(
        compared_by_key(compared("Pat"), only_read=False, keys=(), values=False, newer_than=("Pat", "17"))
    )
    assert "source.c0 > CAST('17' AS bigint) AS newer" in said


def test_multisets() -> None:
    """Rows without a key are counted by digest on each side, and the counts are compared."""
    said = sql(compared_as_multisets(compared()))
    digest = "sha256(convert_to(CAST(row({0}.c0, {0}.c1) AS TEXT), 'UTF8')) AS row"
    assert digest.format("source") in said
    assert digest.format("warehouse") in said
    assert "FULL OUTER JOIN" in said
