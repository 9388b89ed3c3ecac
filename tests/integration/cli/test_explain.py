"""`etlkit plan --explain` tells who decided how a table is loaded, and who was asked before."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from etlkit import hookspecs
from etlkit.cli.explain import show_explanation
from etlkit.config import ColumnOverride, TableChoice
from etlkit.loading.ledger import Ledger
from etlkit.orchestration.deployment import Deployment
from etlkit.orchestration.explanation import Explanation, explain
from etlkit.registry import Registry
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

PLUGIN = """
from sqlalchemy import cast, String
from etlkit import (Classifier, Conversion, Exclusion, Fit, Habit, Relationship, RelationshipRule, Strategy,
                    TableHabit, hookimpl)
from etlkit.plugins.strategies.full_table import plan

def fits(table):
    return Fit(cost=0.1, reason="as asked") if "cheap" in table.options else Fit(cost=90, reason="it can")

@hookimpl
def etlkit_strategies():
    yield Strategy(name="costly", summary="Costs.", fits=fits, plan=plan)

@hookimpl
def etlkit_classifiers():
    yield Classifier(name="a_silent", classify=lambda table: None)
    yield Classifier(name="b_visits", classify=lambda table: "critical" if table.name == "visit" else None)
    yield Classifier(name="c_behind", classify=lambda table: "audit")

@hookimpl
def etlkit_conversions():
    yield Conversion(name="a_never", summary="Never.", target_type=lambda column: "text",
                     source_sql=lambda value, column: value)
    yield Conversion(name="b_flag", summary="Flags.", target_type=lambda column: "boolean",
                     source_sql=lambda value, column: value, matches=lambda table, column: column.name == "IsDone",
                     accepts=lambda value, column: value.in_([0, 1]))
    yield Conversion(name="c_text", summary="Text.", target_type=lambda column: "text",
                     source_sql=lambda value, column: cast(value, String))

def late(table):
    return TableHabit(only_added=True, lookback_seconds=60, reason="visits are typed in late")

@hookimpl
def etlkit_habits():
    yield Habit(name="d_late", summary="Late.", habit=lambda table: late(table) if table.name == "visit" else None)

def patients(tables):
    yield Relationship(table="visit", column="PatNum", referenced_table="patient", referenced_column="PatNum")

def owners(tables):
    yield from patients(tables)
    yield Relationship(table="visit", column="OwnerNum", referenced_table="visit", referenced_column="VisitNum")

@hookimpl
def etlkit_relationships():
    yield RelationshipRule(name="owners", summary="Owners.", relationships=owners)
    yield RelationshipRule(name="patients", summary="Patients.", relationships=patients)

@hookimpl
def etlkit_exclusions():
    yield Exclusion(name="old", summary="Old tables.", excludes=lambda table: table.name.endswith("_old"))
"""
SETTINGS = """deployment: north
run:
  executor: threads
tables:
  visit:
    table_importance: important
    column_overrides:
      Note: {conversion: c_text}
"""


@attrs.frozen
class Installed:
    """A distribution as far as the registry asks."""

    name: str = "north-rules"
    version: str = "1.2.0"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Three plugins of one distribution: two of etlkit's and one that says something to everything."""
    (tmp_path / "north_explained.py").write_text(PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = {
        "full_table": "etlkit.plugins.strategies.full_table",
        "incremental": "etlkit.plugins.strategies.incremental",
        "threads": "etlkit.plugins.executors.threads",
        "north": "north_explained",
    }
    points = [importlib.metadata.EntryPoint(*each, hookspecs.GROUP) for each in modules.items()]
    distribution = Installed()
    yield Registry.load(entry_points=[(each, distribution) for each in points])
    del sys.modules["north_explained"]


@pytest.fixture
def running(
    source: SourceDatabase, warehouse: WarehouseDatabase, registry: Registry, tmp_path: Path
) -> Iterator[Running]:
    """A deployment that was never analysed, with choices about a table `visit`."""
    source.execute(
        "create table patient (PatNum bigint not null auto_increment primary key, LName varchar(100))",
        "create table visit (VisitNum bigint not null auto_increment primary key, PatNum bigint not null, "
        "OwnerNum bigint, IsDone tinyint not null, Note text, A int, B int, "
        "DateTStamp timestamp not null default current_timestamp on update current_timestamp, key (DateTStamp), "
        "foreign key (OwnerNum) references patient (PatNum))",
        "create table visit_old (VisitNum bigint)",
        "insert into visit (PatNum, IsDone, Note) values (1, 1, 'CANARY note')",
    )
    (tmp_path / "etlkit.yml").write_text(SETTINGS, encoding="utf-8")
    choice = TableChoice(
        table_importance="important", column_overrides={"Note": ColumnOverride(conversion="c_text")}
    )
    with running_of(
        source, warehouse, registry=registry, folder=tmp_path, tables={"visit": choice}
    ) as running:
        yield running


@pytest.fixture
def deployment(running: Running) -> Deployment:
    """The deployment alone."""
    return running.deployment


NORTH = "of plugin `north` (north-rules 1.2.0)"
TEXT = f"""\
Table `visit`, which runs do not load

Left out: no, as the plugins say now
  It is not in tables.yml; `etlkit analyze` would add it.
  Exclusions, all of which are asked:
    no  `old` {NORTH}

Strategy: full_table, as the plugins say now
  `full_table` of plugin `full_table` (north-rules 1.2.0)
  Bids now, of which the lowest wins where nothing was chosen:
     1  `full_table` of plugin `full_table` (north-rules 1.2.0): The table is small (0.0 MB): reading it whole costs \
less than finding changes.
    10  `incremental` of plugin `incremental` (north-rules 1.2.0): The table has 0.0 MB: what changed since the last \
load is read.
    90  `costly` {NORTH}: it can

Importance: important, from etlkit.yml:6
  Classifiers, asked until one answers:
      passes  `a_silent` {NORTH}
    critical  `b_visits` {NORTH}
  Not asked any more: `c_behind`

Rows: frequent, because the server stamps changes of its rows in DateTStamp
  Read again behind a time cursor: 60 seconds, because visits are typed in late; so says `d_late` {NORTH}

Cursor: DateTStamp, as the plugins say now
  Columns that look like one, by score:
       0.99  `DateTStamp`: The server stamps DateTStamp at every change of a row (ON UPDATE CURRENT_TIMESTAMP). An \
index begins with it.
    refused  `VisitNum`: VisitNum is a key, and a key says nothing of edits: the server stamps changes of its rows in \
DateTStamp.

Columns: 8
  `IsDone` keeps its plain type smallint in spite of `b_flag` {NORTH}, by itself
    It does not apply before `etlkit analyze` has looked at the values.
    asked before, and passed: `a_never`
  `Note` becomes text by `c_text` {NORTH}, from etlkit.yml:8
  6 columns keep their plain type, since none of 3 conversions applies to them by itself: `VisitNum`, `PatNum`, \
`OwnerNum`, `A`, `B` and 1 more

Relationships:
  `visit.OwnerNum` points to `patient.PatNum`: declared as a foreign key in the source
  `visit.PatNum` points to `patient.PatNum`: so says `owners` {NORTH}, and `patients` {NORTH}
  `visit.OwnerNum` points to `visit.VisitNum`: so says `owners` {NORTH}, which does not count, since the source \
declares something else of the column

Proven equal to the source: every_run, as the plugins say now
  every_run: each load reads every row and compares it.

Executor: threads, from etlkit.yml:3
  `threads` of plugin `threads` (north-rules 1.2.0)
"""


def test_text(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    """Each decision is told with where it stands, who provides it, and who else was asked."""
    show_explanation(deployment, "visit", as_json=False)
    assert TEXT == capsys.readouterr().out


def test_a_column_that_points_to_its_own_table(
    source: SourceDatabase, deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such a relationship is one, although both of its ends are the table's."""
    source.execute(
        "create table staff (StaffNum bigint not null primary key, Boss bigint, "
        "foreign key (Boss) references staff (StaffNum))"
    )
    show_explanation(deployment, "staff", as_json=False)
    said = "  `staff.Boss` points to `staff.StaffNum`: declared as a foreign key in the source"
    assert [said] == [each for each in capsys.readouterr().out.splitlines() if "points to" in each]


def test_document(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, the same: every answer with name, plugin, distribution and version."""
    show_explanation(deployment, "visit", as_json=True)
    document = json.loads(capsys.readouterr().out)
    # Without a replica there is nothing to say of one.
    names = [each.name for each in attrs.fields(Explanation) if each.name != "replica"]
    assert names == list(document)
    north = {"plugin": "north", "distribution": "north-rules", "version": "1.2.0"}
    assert [({"name": "a_silent", **north}, None), ({"name": "b_visits", **north}, "critical")] == [
        (each["by"], each["answer"]) for each in document["levels"]
    ]
    assert [("full_table", 1), ("incremental", 10), ("costly", 90)] == [
        (each["by"]["name"], each["cost"]) for each in document["bids"]
    ]
    expected = {
        "column": "IsDone",
        "type": "smallint",
        "decided_by": "plugins",
        "line": None,
        "conversion": {"name": "b_flag", **north},
        "masks": False,
        "loaded": True,
        "reason": "It does not apply before `etlkit analyze` has looked at the values.",
        "applies": False,
        "asked_before": ["a_never"],
    }
    assert expected == document["columns"][3]
    assert [None, {"name": "owners", **north}] == [each["by"] for each in document["points_to"]]
    assert [[], [{"name": "patients", **north}]] == [each["also"] for each in document["points_to"]]


def test_left_out_and_pointed_to(deployment: Deployment) -> None:
    """A table that an exclusion leaves out says which; one that others point to says who."""
    old = explain(deployment, "visit_old")
    assert ("yes", "plugins", "old") == (
        old.exclusion.chosen,
        old.exclusion.decided_by,
        old.exclusion.by and old.exclusion.by.name,
    )
    assert ["visit.OwnerNum", "visit.PatNum"] == [
        f"{each.table}.{each.column}" for each in explain(deployment, "patient").pointed_to_by
    ]


def test_analysed(running: Running) -> None:
    """What stands in tables.yml counts, though plugins would say something else now; conversions of it were asked."""
    running.analyse({"visit": "reference"})
    found = explain(running.deployment, "visit")
    assert found.loaded
    assert ("no", "tables.yml") == (found.exclusion.chosen, found.exclusion.decided_by)
    assert ("full_table", "tables.yml") == (found.strategy.chosen, found.strategy.decided_by)
    assert ("important", "etlkit.yml", 6) == (
        found.importance.chosen,
        found.importance.decided_by,
        found.importance.line,
    )
    by_name = {each.column: each for each in found.columns}
    done = by_name["IsDone"]
    assert ("tables.yml", "boolean", True, ("a_never",)) == (
        done.decided_by,
        done.type,
        done.applies,
        done.asked_before,
    )
    running.change(tables={})
    again = explain(running.deployment, "visit")
    assert ("reference", "tables.yml", None) == (
        again.importance.chosen,
        again.importance.decided_by,
        again.importance.by,
    )


def test_loaded_plain(running: Running) -> None:
    """A conversion that nobody asked for leaves a column alone that the warehouse has with its plain type."""
    running.analyse()
    found = running.deployment.settings.analyzed
    plain = attrs.evolve(found["visit"], column_overrides={"IsDone": ColumnOverride()})
    running.change(analyzed={"visit": plain})
    assert 0 == running.run()
    running.change(analyzed=found)
    done = explain(running.deployment, "visit").columns[3]
    said = (
        "It does not apply: the warehouse has the column with its plain type, and no type changes by itself."
    )
    assert ("smallint", False, said) == (done.type, done.applies, done.reason)


def test_many_conversions_ask_the_ledger_once(
    source: SourceDatabase, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the number of columns that a conversion may change, what the warehouse has is read once for them."""
    source.execute(
        "create table flags (FlagNum bigint not null primary key, IsDone tinyint not null)",
        "create table more (FlagNum bigint not null primary key, IsDone tinyint not null, IsOpen tinyint not null)",
    )
    running.analyse()
    planner, asked = running.deployment.planner(), []
    monkeypatch.setattr(Ledger, "snapshot", lambda self, read=Ledger.snapshot: asked.append(0) or read(self))
    flag = {"conversion": "b_flag"}
    for name, columns in (("flags", ("IsDone",)), ("more", ("IsDone", "IsOpen"))):
        decided = {each: ColumnOverride(**flag) for each in columns}
        config = attrs.evolve(running.deployment.settings.analyzed[name], column_overrides=decided)
        settings = attrs.evolve(running.deployment.settings, analyzed={name: config})
        attrs.evolve(planner, settings=settings).decided(name)
    assert 2 == len(asked)


def test_bids_by_options(running: Running) -> None:
    """A strategy is shown a person's options for the table when it bids: by `analyze`, and when bids are explained."""
    settings = attrs.evolve(
        running.deployment.settings, tables={"visit": TableChoice(options={"cheap": "yes"})}
    )
    with Deployment.of(settings, running.deployment.registry) as deployment:
        assert "costly" == deployment.discovery.get_pipeline_configuration("visit")["extraction_strategy"]
        assert "costly" != deployment.discovery.get_pipeline_configuration("patient")["extraction_strategy"]
        bids = {each.by.name: each.cost for each in explain(deployment, "visit").bids}
    assert 0.1 == bids["costly"]


def test_many_plain_columns_are_one_line(
    source: SourceDatabase, deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sixty columns that nothing was decided about share a line."""
    source.execute(f"create table wide ({', '.join(f'c{number} int' for number in range(60))})")
    show_explanation(deployment, "wide", as_json=False)
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("Columns: 60")
    expected = (
        "  60 columns keep their plain type, since none of 3 conversions applies to them by itself: "
        "`c0`, `c1`, `c2`, `c3`, `c4` and 55 more"
    )
    assert [expected, "", "Relationships: none"] == lines[at + 1 : at + 4]


def test_unknown_table(clinic: Any) -> None:
    """A table that the source does not have is a mistake of usage, with the nearest name."""
    clinic.prepared()
    result = clinic.etlkit("plan", "--explain", "patinet")
    assert 2 == result.exit_code
    assert "Error: --explain names `patinet`, which is no table of the source; did you mean `patient`?\n" == (
        result.stderr
    )


def test_masked(clinic: Any) -> None:
    """With masking, the rule of the preset is told, undecided columns, no value of a row; no warehouse is asked."""
    clinic.source.execute("alter table patient add column Fax varchar(30), add column Whim int")
    clinic.prepared("masking: {preset: hipaa_safe_harbor}\n")
    nowhere = {"ETLKIT_WAREHOUSE_URL": "postgresql://nobody:nothing@127.0.0.1:1/none"}
    result = clinic.etlkit("plan", "--explain", "patient", **nowhere)
    assert 0 == result.exit_code, result.output
    lines = result.stdout.splitlines()
    assert "CANARY" not in result.output
    assert "It cannot be planned, and this is what would hold otherwise:" == lines[2]
    assert lines[3].startswith("  table `patient` is protected, and nobody decided about its column `Whim`")
    [at] = [number for number, line in enumerate(lines) if line.startswith("  `LName` ")]
    assert (
        "  `LName` is not loaded by `drop` of plugin `masking` (etlkit-core 0.1.0), from masking.preset, its own "
        "values stay in the source"
    ) == lines[at]
    assert (
        "    hipaa_safe_harbor (A): names, also of relatives and of members of the household."
        == lines[at + 1]
    )


def test_masked_cursor(clinic: Any) -> None:
    """Where the cursor is masked, the strategy was chosen anew, and that is told."""
    clinic.prepared("tables: {patient: {extraction_strategy: incremental}}\n")
    settings = clinic.folder / "etlkit.yml"
    masked = "tables: {patient: {column_overrides: {DateTStamp: {conversion: mask}}}}\n"
    settings.write_text(
        settings.read_text().replace("tables: {patient: {extraction_strategy: incremental}}\n", masked)
    )
    document = clinic.document("plan", "--explain", "patient")
    assert (None, "plugins", "tables.yml says otherwise, which cannot hold any more.") == tuple(
        document["cursor"][key] for key in ("chosen", "decided_by", "reason")
    )
    assert {"No column tells which rows changed since the last load."} == {
        each["reason"] for each in document["bids"] if each["by"]["name"] == "incremental"
    }


def test_without_a_plugin(clinic: Any) -> None:
    """A plugin that is left out for the call is not asked, and others decide; a run leaves it out as well."""
    clinic.prepared()
    [first] = clinic.document("plan", "--explain", "patient")["levels"]
    assert "critical" == first["answer"]
    plugin = first["by"]["plugin"]
    document = clinic.document("plan", "--explain", "patient", "--no-plugin", plugin)
    assert plugin not in {each["by"]["plugin"] for each in document["levels"]}
    assert ["critical", "tables.yml", None] == [
        document["importance"][key] for key in ("chosen", "decided_by", "by")
    ]
    clinic.done("run", "--no-plugin", plugin)
    clinic.done("verify", "--no-plugin", plugin, "--no-plugin", "left_overs")
    clinic.done("reconcile", ETLKIT_NO_PLUGIN=f"{plugin} left_overs")
    clinic.done("analyze", "--no-plugin", plugin)
    document = clinic.document("plan", "--explain", "patient")
    assert "standard" == document["importance"]["chosen"]
