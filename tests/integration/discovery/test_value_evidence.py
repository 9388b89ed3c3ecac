"""Conversions are compared with the values of the source when it is analysed, and `tables.yml` says what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import attrs
import pytest
import yaml

from etlkit import Conversion, SchemaDiscovery, hookimpl
from etlkit.config import ColumnOverride, TableChoice
from etlkit.config.protection import Protection
from etlkit.config.tables import read_tables
from etlkit.discovery import OpenDentalSchemaAnalyzer, value_evidence
from etlkit.errors import OutsideAllowedHours
from etlkit.plugins.conversions import builtin
from etlkit.plugins.strategies import full_table
from etlkit.registry import Registry
from support.databases import SourceDatabase
from support.server_log import statements_seen

BOOLEAN = ColumnOverride(conversion="tinyint_to_boolean")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


@pytest.fixture
def texts(source: SourceDatabase) -> SourceDatabase:
    """A table with columns that look like yes and no, one of which is an enum."""
    source.execute(
        "create table patient (PatNum int primary key, TxtMsgOk tinyint not null, IsHidden tinyint, `row` tinyint)",
        "insert into patient values (1, 0, 0, 1), (2, 1, null, 0), (3, 2, 1, 1), (4, 2, 1, 1)",
    )
    return source


def yes_no(*columns: str) -> ModuleType:
    """A plugin whose conversion applies by itself to some columns."""
    module = ModuleType("yes_no")
    to_boolean = Registry.of(builtin).conversion("tinyint_to_boolean").item

    @hookimpl
    def etlkit_conversions() -> Iterator[Conversion]:
        yield attrs.evolve(to_boolean, name="yes_no", matches=lambda _, column: column.name in columns)

    module.etlkit_conversions = etlkit_conversions  # type: ignore[attr-defined]
    return module


def discovery_of(
    source: SourceDatabase, *plugins: ModuleType, asked: Mapping[str, ColumnOverride] | None = None
) -> SchemaDiscovery:
    """Discovery of the table, with what is asked for in etlkit.yml."""
    registry = Registry.of(builtin, full_table, *plugins)
    return SchemaDiscovery(
        source.engine,
        source.name,
        registry,
        protection=Protection(choices={"patient": TableChoice(column_overrides=asked or {})}),
    )


def test_what_is_asked_for(texts: SourceDatabase, tmp_path: Path) -> None:
    """What the values say of a conversion that is asked for stands in the reasons, the summary and the report."""
    discovery = discovery_of(texts, asked={"TxtMsgOk": BOOLEAN, "IsHidden": BOOLEAN})
    analyzer = OpenDentalSchemaAnalyzer(discovery)
    report = analyzer.analyze(tmp_path)
    entry = read_tables(tmp_path / "tables.yml")["patient"]
    assert {} == entry.column_overrides
    assert {
        "type IsHidden": (
            "boolean: tinyint_to_boolean, as etlkit.yml asks; it accepts the values of all 4 rows; "
            "every load proves it again."
        ),
        "type TxtMsgOk": (
            "boolean: tinyint_to_boolean, as etlkit.yml asks; it does not accept 2 of the values of all 4 rows, "
            "so loads of the table are refused."
        ),
    } == {name: reason for name, reason in entry.reasons.items() if name.startswith("type")}
    warning = (
        "`patient.TxtMsgOk`: conversion `tinyint_to_boolean`, which etlkit.yml asks for, does not accept 2 of the "
        "values of all 4 rows; loads of the table are refused; mend the source, or take the conversion out of "
        "`column_overrides`"
    )
    assert [warning] == report["warnings"]
    assert analyzer.summary.endswith(f"\n\nTo look at\n  ! {warning}\n")
    assert [] == discovery.validate_table_configuration("patient", entry.as_dict())


def test_what_applies_by_itself(texts: SourceDatabase, tmp_path: Path) -> None:
    """A conversion that nobody asked for applies where all values are accepted, and nowhere else."""
    discovery = discovery_of(texts, yes_no("TxtMsgOk", "row"))
    found = discovery.generate_complete_configuration(tmp_path)["tables"]["patient"]
    assert {"row": {"conversion": "yes_no"}, "TxtMsgOk": {}} == found["column_overrides"]
    assert found == discovery.get_pipeline_configuration("patient")
    assert found == yaml.safe_load((tmp_path / "tables.yml").read_text())["tables"]["patient"]
    texts.execute("update patient set TxtMsgOk = 1, `row` = 3")
    discovery.clear_cache()
    again = discovery.generate_complete_configuration(tmp_path)["tables"]["patient"]
    assert {"row": {}, "TxtMsgOk": {}} == again["column_overrides"]
    assert (
        "not boolean: yes_no of plugin yes_no would apply by itself; although it accepts the values of all rows "
        "now, it was not applied before; name it in etlkit.yml to apply it."
    ) == again["reasons"]["type TxtMsgOk"]


def test_second_analysis_changes_nothing(texts: SourceDatabase, tmp_path: Path) -> None:
    """As long as the table stays the same, `tables.yml` does, whatever was found."""
    discovery = discovery_of(texts, yes_no("TxtMsgOk", "row"), asked={"IsHidden": BOOLEAN})
    written = []
    for _ in range(3):
        discovery.clear_cache()
        discovery.generate_complete_configuration(tmp_path)
        written.append(TIME.sub("TIME", (tmp_path / "tables.yml").read_text()))
    assert [written[0]] * 2 == written[1:]


def test_one_statement(texts: SourceDatabase, tmp_path: Path) -> None:
    """All columns of a table are asked about at once, and a table where nothing is claimed not at all."""
    texts.execute("create table other (Id int primary key, IsHidden tinyint)")
    discovery = discovery_of(texts, yes_no("row"), asked={"TxtMsgOk": BOOLEAN, "IsHidden": BOOLEAN})
    discovery.catalog()
    with statements_seen(texts.server) as seen:
        OpenDentalSchemaAnalyzer(discovery).analyze(tmp_path)
        discovery.get_pipeline_configuration("patient")
        discovery.analyze_complete_schema()
    assert 1 == len(seen)
    assert (1, 3) == (seen[0].count("FROM"), seen[0].count("CASE"))


def test_a_part_of_a_large_table(texts: SourceDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where writers wait for readers, the first rows are looked at; what was not seen is not taken as proven."""
    monkeypatch.setattr(value_evidence, "MOST_ROWS", 2)
    whole = texts.storage_engine == "InnoDB"
    discovery = discovery_of(texts, yes_no("row"), asked={"IsHidden": BOOLEAN})
    found = discovery.get_pipeline_configuration("patient")
    rows = "all 4 rows" if whole else "the first 2 rows (no more were looked at)"
    assert (
        f"boolean: tinyint_to_boolean, as etlkit.yml asks; it accepts the values of {rows}; "
        "every load proves it again."
    ) == found["reasons"]["type IsHidden"]
    assert {"row": {"conversion": "yes_no"} if whole else {}} == found["column_overrides"]


@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_dates_that_do_not_exist(source: SourceDatabase) -> None:
    """What counts as outside is what a load refuses, also where a NOT NULL date is NULL for the server."""
    source.execute("create table patient (PatNum int primary key, Birthdate date not null)")
    with source.engine.begin() as connection:
        connection.exec_driver_sql("set session sql_mode = 'ALLOW_INVALID_DATES'")
        connection.exec_driver_sql(
            "insert into patient values (1, '0001-01-01'), (2, '2024-02-31'), (3, '2024-02-29')"
        )
    discovery = discovery_of(source, asked={"Birthdate": ColumnOverride(conversion="min_date_to_null")})
    assert (
        "date: min_date_to_null, as etlkit.yml asks; it does not accept 1 of the values of all 3 rows, so loads of "
        "the table are refused."
    ) == discovery.get_pipeline_configuration("patient")["reasons"]["type Birthdate"]


@pytest.mark.parametrize("source", ["mariadb-myisam"], indirect=True)
def test_a_table_that_cannot_be_read(texts: SourceDatabase, tmp_path: Path) -> None:
    """A server that refuses to look at one table's values is no failure of the analysis, and is told."""
    discovery = discovery_of(texts, yes_no("row"), asked={"IsHidden": BOOLEAN})
    discovery.catalog()
    texts.execute("drop table patient")
    analyzer = OpenDentalSchemaAnalyzer(discovery)
    (trouble,) = analyzer.analyze(tmp_path)["warnings"]
    assert "has no such table any more (error 1146) while looking at the values of" in trouble
    found = read_tables(tmp_path / "tables.yml")["patient"]
    assert {"row": ColumnOverride()} == found.column_overrides
    assert (
        "boolean: tinyint_to_boolean, as etlkit.yml asks; it was not proven, because the values could not be looked "
        "at; every load proves it again."
    ) == found.reasons["type IsHidden"]


@ONE_KIND
def test_allowed_hours(texts: SourceDatabase) -> None:
    """Values are looked at only when the source may be read; the catalog may be read at any time."""

    def refuse() -> None:
        raise OutsideAllowedHours("not now")

    registry = Registry.of(builtin, full_table)
    for asked in ({}, {"patient": {"IsHidden": BOOLEAN}}):
        protection = Protection(
            choices={name: TableChoice(column_overrides=each) for name, each in asked.items()}
        )
        discovery = SchemaDiscovery(
            texts.engine, texts.name, registry, protection=protection, may_read=refuse
        )
        if asked:
            with pytest.raises(OutsideAllowedHours, match=r"^not now$"):
                discovery.analyze_complete_schema()
        else:
            discovery.analyze_complete_schema()
