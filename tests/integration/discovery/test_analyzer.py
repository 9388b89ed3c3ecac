"""`OpenDentalSchemaAnalyzer` on real servers: three files, the summary, and what changed since last time."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import sqlalchemy
import yaml

from etlkit import SchemaDiscovery
from etlkit.config.tables import read_tables
from etlkit.discovery import OpenDentalSchemaAnalyzer
from etlkit.discovery.documents import CompleteSchema
from etlkit.errors import ConfigurationGenerationError
from etlkit.registry import Registry
from support.databases import SourceDatabase
from support.documents import mismatches

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


def analysed_again(discovery: SchemaDiscovery, folder: Path) -> OpenDentalSchemaAnalyzer:
    """Analyse as a new process would."""
    discovery.clear_cache()
    analyzer = OpenDentalSchemaAnalyzer(discovery)
    analyzer.analyze(folder)
    return analyzer


def changes_in(summary: str) -> list[str]:
    """Give the lines of a summary that tell what changed, without times."""
    lines = TIME.sub("TIME", summary).splitlines()
    beginning = next(at for at, line in enumerate(lines) if line == "")
    return lines[beginning + 1 : lines.index("Largest tables") - 1]


def test_three_files(discovery: SchemaDiscovery, tmp_path: Path) -> None:
    """An analysis writes the configuration, its explanation and the whole analysis, and says where."""
    report = OpenDentalSchemaAnalyzer(discovery).analyze(tmp_path)
    assert [] == mismatches(report, get_type_hints(OpenDentalSchemaAnalyzer.analyze)["return"])
    assert {str(path) for path in tmp_path.iterdir()} == set(report["files"].values())
    assert re.fullmatch(r"schema_analysis_\d{8}T\d{6}Z\.json", Path(report["files"]["analysis"]).name)
    assert ("tables.yml", "tables_summary.txt") == (
        Path(report["files"]["tables"]).name,
        Path(report["files"]["summary"]).name,
    )
    complete = json.loads(Path(report["files"]["analysis"]).read_text())
    assert [] == mismatches(complete, CompleteSchema)
    assert discovery.analyze_complete_schema() == complete
    assert {0o644} == {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}


def test_tables_file_holds_the_batch(discovery: SchemaDiscovery, tmp_path: Path) -> None:
    """`tables.yml`, the batch and the single method give the same entry for every table."""
    configuration = discovery.generate_complete_configuration(tmp_path)["tables"]
    written = yaml.safe_load((tmp_path / "tables.yml").read_text())
    assert configuration == written["tables"]
    assert configuration == {name: discovery.get_pipeline_configuration(name) for name in configuration}
    assert configuration == {
        name: entry.as_dict() for name, entry in read_tables(tmp_path / "tables.yml").items()
    }
    assert discovery.source_db == written["metadata"]["source_database"]


def test_entry_of_a_table(discovery: SchemaDiscovery) -> None:
    """An entry says how the table is loaded, and why, in a line each."""
    entry = discovery.get_pipeline_configuration("patient")
    catalog = discovery.catalog()
    assert {
        "incremental_column": "SecDateTEdit",
        "batch_size": 5000,
        "extraction_strategy": "full_table",
        "table_importance": "critical",
        "estimated_size_mb": discovery.get_table_size_info("patient")["total_size_mb"],
        "estimated_rows": 3,
        "dependencies": ["provider"],
        "schema_hash": discovery.get_table_schema("patient")["schema_hash"],
        "last_analyzed": catalog.taken_at.isoformat(timespec="seconds"),
        "analysis_version": "1",
        "is_modeled": True,
        "column_overrides": {"HasSuperBilling": {"conversion": "open_dental_boolean"}},
        "monitoring": {
            "alert_on_failure": True,
            "max_extraction_time_minutes": 5,
            "data_quality_threshold": 0.99,
        },
        "primary_key": ["PatNum"],
        "reconcile": "every_run",
        "reasons": entry["reasons"],
    } == entry
    assert ["strategy", "cursor", "changes", "importance", "reconcile", "type HasSuperBilling"] == list(
        entry["reasons"]
    )
    assert "frequent: the server stamps changes of its rows in SecDateTEdit." == entry["reasons"]["changes"]
    assert (
        "boolean: open_dental_boolean of plugin open_dental_booleans applies by itself; it accepts the values of "
        "all rows; every load proves it again."
    ) == entry["reasons"]["type HasSuperBilling"]
    assert (
        "The server stamps SecDateTEdit at every change of a row (ON UPDATE CURRENT_TIMESTAMP). "
        "No index begins with it, so finding changes scans the table."
    ) == entry["reasons"]["cursor"]
    assert {1} == {len(reason.splitlines()) for reason in entry["reasons"].values()}


def test_summary(discovery: SchemaDiscovery, tmp_path: Path) -> None:
    """The summary is printed and written in one form, whose figures are those of the report."""
    analyzer = OpenDentalSchemaAnalyzer(discovery)
    assert "" == analyzer.summary
    report = analyzer.analyze(tmp_path)
    figures = report["summary_statistics"]
    entries = discovery.analyze_complete_schema()["pipeline_configs"]
    largest = sorted(entries, key=lambda name: (-entries[name]["estimated_size_mb"], name))[:10]
    width = max(len(name) for name in largest)

    def counts(of: dict[str, int]) -> str:
        return ", ".join(f"{count} {name}" for name, count in of.items())

    assert analyzer.summary.splitlines() == [
        f"Source      {discovery.source_db} on {discovery.catalog().server}",
        f"Analysed    {report['metadata']['timestamp']}",
        f"Tables      12 of {figures['total_columns']} columns; 1 excluded, 1 views left out",
        f"Size        {figures['total_size_mb']:.1f} MB, about 3 rows",
        f"Importance  {counts(figures['tables_by_importance'])}",
        "Strategies  12 full_table",
        "Cursors     4 tables have one; 1 have no primary key",
        f"Monitored   {figures['monitored_tables']} tables",
        f"Relations   {counts(figures['relations_by_origin'])}",
        "",
        "This is the first analysis.",
        "",
        "Largest tables",
        *(
            f"  {name:<{width}}  {entries[name]['estimated_size_mb']:>9,.1f} MB  "
            f"{entries[name]['estimated_rows']:>11,} rows  {entries[name]['table_importance']:<9}  full_table"
            for name in largest
        ),
    ]
    assert analyzer.summary == (tmp_path / "tables_summary.txt").read_text()


def test_second_analysis_changes_nothing(
    discovery: SchemaDiscovery, dental: SourceDatabase, tmp_path: Path
) -> None:
    """Analysing again changes nothing in `tables.yml` but the times, also when a few rows came."""
    dental.execute(
        "insert into provider (Abbr, IsHidden) values"
        + ", ".join(f"('{'x' * 200}', {number % 2})" for number in range(1000)),
        "analyze table provider",
    )
    first = OpenDentalSchemaAnalyzer(discovery)
    first.analyze(tmp_path)
    before = (tmp_path / "tables.yml").read_text()
    dental.execute("insert into provider (Abbr, IsHidden) values ('new', 0)", "analyze table provider")
    again = analysed_again(discovery, tmp_path)
    assert TIME.sub("TIME", before) == TIME.sub("TIME", (tmp_path / "tables.yml").read_text())
    assert ["Nothing changed since the analysis of TIME."] == changes_in(again.summary)


def test_grown_table_gets_new_estimates(
    discovery: SchemaDiscovery, dental: SourceDatabase, tmp_path: Path
) -> None:
    """A table that grew by more than a fifth gets its new size and rows, and a strategy for them."""
    OpenDentalSchemaAnalyzer(discovery).analyze(tmp_path)
    assert "full_table" == read_tables(tmp_path / "tables.yml")["procedurelog"].extraction_strategy
    numbers = "(select 0 n union all select 1 union all select 2 union all select 3) "
    joined = " cross join ".join(f"{numbers} t{each}" for each in range(8))
    dental.execute(
        f"insert into procedurelog (PatNum, AptNum, ProvNum) select 1, 1, 1 from {joined}",
        "analyze table procedurelog",
    )
    analysed_again(discovery, tmp_path)
    entry = read_tables(tmp_path / "tables.yml")["procedurelog"]
    assert ("incremental", "DateTStamp", 2000) == (
        entry.extraction_strategy,
        entry.incremental_column,
        entry.batch_size,
    )
    assert entry.estimated_rows == pytest.approx(4**8, rel=0.2)
    assert entry.estimated_size_mb > 1


def test_changes_since_the_last_analysis(
    discovery: SchemaDiscovery, dental: SourceDatabase, tmp_path: Path
) -> None:
    """Tables and columns that came, went and changed are told, with what is breaking."""
    OpenDentalSchemaAnalyzer(discovery).analyze(tmp_path)
    dental.execute(
        "drop table feeimport",
        "create table allergy (AllergyNum bigint(20) not null auto_increment primary key)",
        "alter table provider add NationalProvID varchar(255) not null",
        "alter table userod drop UserName, modify ProvNum int(11) not null",
        "alter table patient modify LName varchar(200) not null default ''",
        "alter table clockevent add key UserNum (UserNum)",
        "alter table ehrpatient drop primary key, add primary key (PatNum, MedicaidState(20))",
        "alter table patientnote comment = 'changes nothing', auto_increment = 7",
    )
    discovery.clear_cache()
    analyzer = OpenDentalSchemaAnalyzer(discovery)
    changes = analyzer.analyze(tmp_path)["changes"]
    assert [
        "Since the analysis of TIME",
        "  + allergy: new table",
        "  - feeimport: table is gone (breaking)",
        "  ~ clockevent: indexes changed",
        "  ~ ehrpatient: primary key (PatNum) became (PatNum, MedicaidState) (breaking)",
        "  ~ patient: LName: varchar(100) became varchar(200)",
        "  ~ provider: columns added: NationalProvID",
        "  ~ userod: columns removed: UserName; ProvNum: bigint became int (breaking)",
    ] == changes_in(analyzer.summary)
    assert ["ehrpatient", "feeimport", "userod"] == changes["breaking"]
    assert ["Nothing changed since the analysis of TIME."] == changes_in(
        analysed_again(discovery, tmp_path).summary
    )


@ONE_KIND
def test_same_schema_on_another_server_is_no_change(
    discovery: SchemaDiscovery,
    make_source: Any,
    registry: Registry,
    tmp_path: Path,
) -> None:
    """A practice that moves from MariaDB to MySQL, or to MyISAM, has no changes to tell."""
    OpenDentalSchemaAnalyzer(discovery).analyze(tmp_path)
    moved = make_source("mysql56")
    for table in discovery.discover_all_tables():
        discovery.replicate_schema(table, moved.engine, moved.name)
    analyzer = OpenDentalSchemaAnalyzer(SchemaDiscovery(moved.engine, moved.name, registry))
    analyzer.analyze(tmp_path)
    assert ["Nothing changed since the analysis of TIME."] == changes_in(analyzer.summary)


@ONE_KIND
def test_damaged_files_of_the_last_analysis(
    discovery: SchemaDiscovery, dental: SourceDatabase, tmp_path: Path
) -> None:
    """A lost or damaged analysis file costs the columns of the changes; a damaged `tables.yml` is refused."""
    OpenDentalSchemaAnalyzer(discovery).analyze(tmp_path)
    (analysis,) = tmp_path.glob("schema_analysis_*.json")
    analysis.write_text('{"tables": [')
    dental.execute("alter table provider add NationalProvID varchar(255) not null")
    assert [
        "Since the analysis of TIME",
        "  ~ provider: the definition changed; the last analysis's columns are not at hand (breaking)",
    ] == changes_in(analysed_again(discovery, tmp_path).summary)
    (tmp_path / "tables.yml").write_text("tables:\n  patient:\n    batchsize: 1\n")
    with pytest.raises(ConfigurationGenerationError) as caught:
        analysed_again(discovery, tmp_path)
    assert (
        f"{tmp_path}/tables.yml:3: `tables.patient` has no key `batchsize` (did you mean `batch_size`?)\n"
        "This file of the last analysis is damaged: move it away and analyse again."
    ) == str(caught.value)


@ONE_KIND
def test_folder_that_is_not_there(discovery: SchemaDiscovery, tmp_path: Path) -> None:
    """A folder that is missing is not made: the files would be looked for elsewhere."""
    with pytest.raises(ConfigurationGenerationError) as caught:
        discovery.generate_complete_configuration(tmp_path / "none")
    assert re.fullmatch(
        rf"{tmp_path}/none/schema_analysis_\w+\.json: cannot be written \(No such file or directory\); "
        r"make the folder writable and try again",
        str(caught.value),
    )


def test_discovery_is_required() -> None:
    """Nothing is built behind the caller's back."""
    with pytest.raises(ValueError, match="required") as caught:
        OpenDentalSchemaAnalyzer(None)  # type: ignore[arg-type]
    assert "SchemaDiscovery instance is required" == str(caught.value)


@ONE_KIND
@pytest.mark.parametrize(
    ("config", "problems"),
    [
        ({}, []),
        ({"extraction_strategy": "incremental"}, []),
        ({"batch_size": 0}, ["`batch_size` must be a whole number from 1 to 1000000 (got `0`)"]),
        (
            {"monitoring": {"data_quality_threshold": 2}},
            ["`monitoring.data_quality_threshold` must be a number from 0 to 1 (got `2`)"],
        ),
        (
            {"extracton_strategy": "x"},
            ["`extracton_strategy` is no key; did you mean `extraction_strategy`?"],
        ),
        (
            {"extraction_strategy": "increment"},
            ["extraction_strategy `increment` is provided by no plugin; did you mean `incremental`?"],
        ),
        (
            {"extraction_strategy": "incremental", "incremental_column": None},
            [
                (
                    "extraction_strategy `incremental` refuses the table: "
                    "No column tells which rows changed since the last load."
                )
            ],
        ),
        (
            {"incremental_column": "Birthdate"},
            ["incremental_column `Birthdate` is unfit: Birthdate is a date without a time of day."],
        ),
        (
            {"incremental_column": "LName"},
            ["incremental_column `LName` is varchar(100), which orders no changes"],
        ),
        (
            {"incremental_column": "SecDateTEdt"},
            ["incremental_column names `SecDateTEdt`, which is no column; did you mean `SecDateTEdit`?"],
        ),
        (
            {"column_overrides": {"TxtMsg": {"pg_type": "text"}}},
            ["column_overrides names `TxtMsg`, which is no column; did you mean `TxtMsgOk`?"],
        ),
        (
            {"column_overrides": {"TxtMsgOk": {"conversion": "tinyint_to_bolean"}}},
            [
                (
                    "column_overrides gives `TxtMsgOk` the conversion `tinyint_to_bolean`, "
                    "which no plugin provides; did you mean `tinyint_to_boolean`?"
                )
            ],
        ),
        ({"primary_key": ["LName"]}, ["primary_key is `LName`, but the source's is `PatNum`"]),
        (
            {"schema_hash": "0" * 64},
            ["schema_hash differs: the table changed since it was analysed; run `etlkit analyze`"],
        ),
        ({"reasons": {"a": object()}}, ["the entry holds a value that YAML has no form for"]),
    ],
)
def test_problems_of_a_configuration(
    discovery: SchemaDiscovery, config: dict[str, Any], problems: list[str]
) -> None:
    """Each problem of an entry, or of a part of one, is a sentence."""
    assert problems == discovery.validate_table_configuration("patient", config)


@ONE_KIND
def test_problems_with_names_of_tables(discovery: SchemaDiscovery) -> None:
    """Tables that are not there are named with the nearest that is."""
    where = f"The database `{discovery.source_db}` has no table `pateint`; did you mean `patient`?"
    assert [where] == discovery.validate_table_configuration("pateint", {})
    assert [f"dependencies names `pateint`: {where}"] == discovery.validate_table_configuration(
        "patient", {"dependencies": ["provider", "pateint"]}
    )


@ONE_KIND
def test_reader_is_enough(dental: SourceDatabase, registry: Registry, tmp_path: Path) -> None:
    """A user who may only read the database can analyse it."""
    url = sqlalchemy.make_url(dental.reader_url).set(drivername="mysql+pymysql")
    engine = sqlalchemy.create_engine(url)
    report = OpenDentalSchemaAnalyzer(SchemaDiscovery(engine, dental.name, registry)).analyze(tmp_path)
    assert 12 == report["summary_statistics"]["total_tables"]
    engine.dispose()
