"""What is decided of a column that would not get its plain type, and the line that says why."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import attrs
import pytest
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit import Conversion, hookimpl
from etlkit.config import ColumnOverride, TableConfig
from etlkit.discovery.claims import Claims, claims_of
from etlkit.discovery.column_types import ColumnType, Looked
from etlkit.discovery.value_evidence import Evidence, evidence_statement, rows_to_look_at
from etlkit.plugins.conversions import builtin
from etlkit.registry import Registry
from etlkit.tables import Column, TableAnalysis

TINYINT = Column(name="IsHidden", data_type="tinyint", column_type="tinyint")
TEXT = Column(name="Note", data_type="text", column_type="text", charset="utf8mb4")
TABLE = TableAnalysis(name="provider", columns=(TINYINT, TEXT))
ASKED = {"IsHidden": ColumnOverride(conversion="tinyint_to_boolean")}
BUILT_IN = Registry.of(builtin)


def claiming() -> Registry:
    """A plugin whose conversions apply by themselves: one with a proof to tinyints, one without to texts."""
    module = ModuleType("yes_no")
    to_boolean = BUILT_IN.conversion("tinyint_to_boolean").item

    @hookimpl
    def etlkit_conversions() -> Iterator[Conversion]:
        yield attrs.evolve(to_boolean, name="yes_no", matches=lambda _, column: column.data_type == "tinyint")
        yield Conversion(
            name="upper",
            summary="Upper case.",
            target_type=lambda _: "text",
            source_sql=lambda value, _: value,
            matches=lambda _, column: column.data_type == "text",
        )

    module.etlkit_conversions = etlkit_conversions  # type: ignore[attr-defined]
    return Registry.of(module)


def decided(
    claims: Claims, evidence: Evidence, earlier: TableConfig | None = None
) -> tuple[ColumnType, tuple[str, ...]]:
    """The decision upon the first claim, and all warnings."""
    looked = Looked(claims=claims, evidence=evidence)
    found = looked.decided("provider", earlier)
    return found[0], tuple(looked.warnings(found))


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (Evidence(rows=12345), "accepts the values of all 12,345 rows"),
        (Evidence(rows=1), "accepts the values of all 1 row"),
        (Evidence(rows=0), "has met no rows yet"),
        (Evidence(rows=9, whole=False), "accepts the values of the first 9 rows (no more were looked at)"),
        (
            Evidence(whole=False, trouble="The server failed."),
            "was not proven, because the values could not be looked at",
        ),
    ],
)
def test_what_is_asked_for_stays(evidence: Evidence, words: str) -> None:
    """etlkit.yml decides, so nothing stands in `column_overrides`; the line says what the values say."""
    found, warnings = decided(claims_of(TABLE, ASKED, BUILT_IN), evidence)
    assert (None, None, tuple(filter(None, [evidence.trouble]))) == (found.override, found.warning, warnings)
    assert (
        f"boolean: tinyint_to_boolean, as etlkit.yml asks; it {words}; every load proves it again."
        == found.reason
    )


def test_what_is_asked_for_against_the_values() -> None:
    """Values outside are told with their number, as a warning too."""
    found, warnings = decided(
        claims_of(TABLE, ASKED, BUILT_IN), Evidence(rows=4000, outside={"IsHidden": 1234})
    )
    assert (
        "boolean: tinyint_to_boolean, as etlkit.yml asks; it does not accept 1,234 of the values of all "
        "4,000 rows, so loads "
        "of the table are refused."
    ) == found.reason
    assert (
        (
            "`provider.IsHidden`: conversion `tinyint_to_boolean`, which etlkit.yml asks for, does not "
            "accept 1,234 of the "
            "values of all 4,000 rows; loads of the table are refused; mend the source, or take the conversion out of "
            "`column_overrides`"
        ),
    ) == warnings
    assert found.override is None


@pytest.mark.parametrize(
    ("evidence", "override", "words"),
    [
        (
            Evidence(rows=40),
            {"conversion": "yes_no"},
            (
                "boolean: yes_no of plugin yes_no applies by itself; it accepts the values of all rows; every load "
                "proves it again."
            ),
        ),
        (
            Evidence(rows=40, outside={"IsHidden": 1}),
            {},
            (
                "not boolean: yes_no of plugin yes_no would apply by itself, but does not accept 1 of the "
                "values of all 40 rows."
            ),
        ),
        (
            Evidence(rows=40, whole=False),
            {},
            (
                "not boolean: yes_no of plugin yes_no would apply by itself; it accepts the values of "
                "the first 40 rows "
                "(no more were looked at); name it in etlkit.yml to apply it."
            ),
        ),
    ],
)
def test_what_applies_by_itself(evidence: Evidence, override: dict[str, str], words: str) -> None:
    """A conversion that nobody asked for applies only where every value was looked at and accepted."""
    found, warnings = decided(claims_of(TABLE, {}, claiming()), evidence)
    assert (override, words) == (found.override, found.reason)
    refused = (
        (
            "`provider.IsHidden`: conversion `yes_no` would apply by itself, but does not accept 1 of "
            "the values of all 40 rows; "
            "the column keeps its plain type"
        ),
    )
    assert (refused if evidence.outside else ()) == warnings


def test_a_plain_type_stays_plain() -> None:
    """A column that was loaded as it is does not change its type when the values become acceptable."""
    claims, proven = claims_of(TABLE, {}, claiming()), Evidence(rows=40)
    earlier = TableConfig(column_overrides={"IsHidden": ColumnOverride()})
    found, _ = decided(claims, proven, earlier)
    assert {} == found.override
    assert (
        "not boolean: yes_no of plugin yes_no would apply by itself; although it accepts the values of all rows "
        "now, it was not applied before; name it in etlkit.yml to apply it."
    ) == found.reason
    applied = TableConfig(column_overrides={"IsHidden": ColumnOverride(conversion="yes_no")})
    assert decided(claims, proven, applied) == decided(claims, proven)


def test_without_a_proof_nothing_is_asked() -> None:
    """A conversion that accepts every value applies without a look at any."""
    claims = claims_of(attrs.evolve(TABLE, columns=(TEXT,)), {}, claiming())
    assert [False] == [each.has_proof for each in claims.claims]
    found, _ = decided(claims, Evidence())
    assert {"conversion": "upper"} == found.override
    assert "text: upper of plugin yes_no applies by itself; it accepts every value." == found.reason


def test_a_chosen_type() -> None:
    """A `pg_type` is told as well; on top of a conversion it is the type that the column gets."""
    found, _ = decided(claims_of(TABLE, {"Note": ColumnOverride(pg_type="json")}, BUILT_IN), Evidence())
    assert ("Note", "json: the `pg_type` that etlkit.yml asks for.") == (found.column, found.reason)
    both = claims_of(
        TABLE, {"IsHidden": ColumnOverride(conversion="tinyint_to_boolean", pg_type="bool")}, BUILT_IN
    )
    assert ["bool"] == [each.type for each in both.claims]


def test_what_nobody_can_do() -> None:
    """A column, a conversion or a type that does not fit is told with the place where it is asked for."""
    asked = {
        "IsHiden": ColumnOverride(pg_type="text"),
        "IsHidden": ColumnOverride(conversion="tinyint_to_bolean"),
        "Note": ColumnOverride(conversion="tinyint_to_boolean"),
    }
    claims = claims_of(TABLE, asked, BUILT_IN)
    assert () == claims.claims
    where = "`tables.provider.column_overrides`"
    known = "did you mean `tinyint_to_boolean`?"
    assert (
        f"{where} names the column `IsHiden`, which the table does not have; did you mean `IsHidden`?",
        f"{where}: no plugin provides a conversion `tinyint_to_bolean`; {known}",
        (
            f"{where}: conversion tinyint_to_boolean needs an integer, and column Note is a text; "
            "take it out of the table's `column_overrides` in etlkit.yml"
        ),
    ) == claims.problems


@pytest.mark.parametrize(
    ("engine", "rows", "size", "expected"),
    [
        ("InnoDB", 10**8, 10**11, None),
        ("MyISAM", 499_999, 128 * 1024 * 1024, None),
        ("MyISAM", 500_000, 1000, 500_000),
        ("Aria", 10**7, 10 * 128 * 1024 * 1024, 500_000),
        ("MyISAM", 1000, 10 * 128 * 1024 * 1024, 100),
        ("MyISAM", 1, 10 * 128 * 1024 * 1024, 1),
    ],
)
def test_rows_to_look_at(engine: str, rows: int, size: int, expected: int | None) -> None:
    """Where writers wait for readers, a large table is looked at in part only."""
    assert expected == rows_to_look_at(
        TableAnalysis(name="t", engine=engine, row_count=rows, data_bytes=size)
    )


def test_one_statement_per_table() -> None:
    """Rows and refused values are counted by one SELECT, with one aggregate for each column."""
    table = attrs.evolve(TABLE, columns=(TINYINT, attrs.evolve(TINYINT, name="row")))
    asked = {name: ColumnOverride(conversion="tinyint_to_boolean") for name in ("IsHidden", "row")}
    claims = claims_of(table, asked, BUILT_IN).claims

    def text(limit: int | None) -> str:
        statement = evidence_statement("clinic", "provider", claims, limit)
        return str(
            statement.compile(
                dialect=MySQLDialect_pymysql(),
                compile_kwargs={"render_postcompile": True, "literal_binds": True},
            )
        ).replace("\n", "")

    def outside(column: str) -> str:
        return f"count(CASE WHEN ({column} IS NULL) THEN NULL WHEN ({column} IN (0, 1)) THEN NULL ELSE 1 END)"

    source = "`clinic`.`provider`"
    hidden, row = (f"{source}.`{each}`" for each in ("IsHidden", "row"))
    begin = "SELECT count(*) AS count_1, "
    assert f"{begin}{outside(hidden)} AS count_2, {outside(row)} AS count_3 FROM {source}" == text(None)
    of_some = [f"looked_at.`{each}`" for each in ("IsHidden", "row")]
    assert (
        f"{begin}{outside(of_some[0])} AS count_2, {outside(of_some[1])} AS count_3 "
        f"FROM (SELECT {hidden} AS `IsHidden`, {row} AS `row` FROM {source}  LIMIT 10) AS looked_at"
    ) == text(10)
