"""Types and habits of the Open Dental pack in whole runs, on real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from etlkit import Since, TableFinished
from etlkit.config import ColumnOverride, TableChoice, TableConfig
from etlkit.config.tables import read_tables
from etlkit.discovery import OpenDentalSchemaAnalyzer, SchemaDiscovery
from etlkit.orchestration.planning import Planner
from etlkit.registry import Registry
from support.comparison import differences
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
TABLE = (
    (
        "create table provider (ProvNum int primary key, IsHidden tinyint not null, IsCDAnet tinyint(1),"
        " IsErxEnabled tinyint not null, IsNotPerson tinyint not null)"
    ),
    "insert into provider values (1, 0, null, 0, 0), (2, 1, 1, 1, 2), (3, 0, 0, 1, 1)",
)

UNSEEN = {"provider": TableConfig()}
"""A `tables.yml` that nobody's analysis wrote."""


def types(warehouse: WarehouseDatabase) -> dict[str, str]:
    """Types of the warehouse's columns by name, keys left out."""
    return dict(
        warehouse.rows(
            "select column_name, data_type from information_schema.columns where table_schema = 'raw'"
            " and column_name not like '%Num' and column_name not like '%etlkit%'"
        )
    )


def error(running: Running) -> str | None:
    """What the last run said of its only table."""
    (found,) = (each for each in running.events if isinstance(each, TableFinished))
    return found.error


def test_names_claim_and_values_decide(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Columns of 0 and 1 become booleans, an enum never does, and neither does a column that holds a 2."""
    source.execute(*TABLE)
    with running_of(source, warehouse) as running:
        running.analyse()
        assert 0 == running.run()
        assert {
            "IsHidden": "boolean",
            "IsCDAnet": "boolean",
            "IsErxEnabled": "smallint",
            "IsNotPerson": "smallint",
        } == types(warehouse)
        assert [] == differences(source, warehouse, "provider")
        source.execute("update provider set IsHidden = 2 where ProvNum = 3")
        assert 3 == running.run()
        assert (
            "provider.IsHidden: conversion `open_dental_boolean` does not accept 1 of the values read; nothing was "
            "written; mend the source, or take the conversion out of `column_overrides`; `etlkit analyze` counts such "
            "values in the whole table"
        ) == error(running)
        source.execute("update provider set IsHidden = 1, IsCDAnet = null where ProvNum = 3")
        assert 0 == running.run()
        assert [] == differences(source, warehouse, "provider")


@ONE_KIND
def test_what_was_never_analysed_keeps_its_plain_types(
    source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """Nobody has looked at the values then, so a name alone decides nothing."""
    source.execute(*TABLE)
    with running_of(source, warehouse, analyzed=UNSEEN) as running:
        assert 0 == running.run()
        assert {"smallint"} == set(types(warehouse).values())


@ONE_KIND
def test_an_upgrade_changes_no_type_of_a_loaded_table(
    source: SourceDatabase, warehouse: WarehouseDatabase, tmp_path: Path
) -> None:
    """What was loaded before the pack was there goes on, analysed again or not; a new column gets its boolean."""
    source.execute(*TABLE)
    before = Registry.load(disable=["open_dental_booleans"])
    with running_of(source, warehouse, registry=before) as running:
        running.analyse()
        assert 0 == running.run()
    OpenDentalSchemaAnalyzer(SchemaDiscovery(source.engine, source.name, before)).analyze(tmp_path)
    source.execute("alter table provider add IsSecondary tinyint not null default 1")
    OpenDentalSchemaAnalyzer(SchemaDiscovery(source.engine, source.name, Registry.load())).analyze(tmp_path)
    entry = read_tables(tmp_path / "tables.yml")["provider"]
    assert {
        "IsHidden": ColumnOverride(),
        "IsCDAnet": ColumnOverride(),
        "IsNotPerson": ColumnOverride(),
        "IsSecondary": ColumnOverride(conversion="open_dental_boolean"),
    } == entry.column_overrides
    assert (
        "not boolean: open_dental_boolean of plugin open_dental_booleans would apply by itself; although it accepts "
        "the values of all rows now, it was not applied before; name it in etlkit.yml to apply it."
    ) == entry.reasons["type IsHidden"]
    with running_of(source, warehouse) as running:
        running.analyse()  # Without what was analysed before: this `tables.yml` wants booleans.
        assert 0 == running.run()
        assert ("smallint", "boolean") == (types(warehouse)["IsHidden"], types(warehouse)["IsSecondary"])
        assert [] == differences(source, warehouse, "provider")


@ONE_KIND
def test_a_person_changes_the_type_of_a_loaded_table(
    source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """Named in etlkit.yml the conversion is drift, which a person allows."""
    source.execute(*TABLE)
    with running_of(source, warehouse, analyzed=UNSEEN) as running:
        assert 0 == running.run()
        override = {"IsHidden": ColumnOverride(conversion="open_dental_boolean")}
        running.change(tables={"provider": TableChoice(column_overrides=override)})
        assert 5 == running.run()
        assert 0 == running.run(allow_drift=True)
        assert "boolean" == types(warehouse)["IsHidden"]


def test_times_by_name(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Moments, numbers and patterns become what the chosen conversion says; a length is no moment."""
    source.execute(
        "create table schedule (ScheduleNum int primary key, StartTime time not null, Minutes int, Seconds bigint,"
        " Pattern varchar(255) not null)",
        "insert into schedule values (1, '00:00:00', 90, -61, '/XX/'), (2, '23:59:59', null, null, '')",
    )
    names = {
        "StartTime": "time_of_day",
        "Minutes": "minutes_to_interval",
        "Seconds": "seconds_to_interval",
        "Pattern": "pattern_to_interval",
    }
    override = {column: ColumnOverride(conversion=name) for column, name in names.items()}
    override["Pattern"] = ColumnOverride(conversion="pattern_to_interval", options={"minutes": "10"})
    with running_of(
        source, warehouse, tables={"schedule": TableChoice(column_overrides=override)}
    ) as running:
        running.analyse()
        assert 0 == running.run()
        assert [
            ("00:00:00", "01:30:00", "-00:01:01", "00:40:00"),
            ("23:59:59", None, None, "00:00:00"),
        ] == warehouse.rows(
            'select "StartTime"::text, "Minutes"::text, "Seconds"::text, "Pattern"::text from raw.schedule order by 1'
        )
        assert "time without time zone" == types(warehouse)["StartTime"]
        for wrong in ("24:00:00", "-00:00:01"):
            source.execute(f"update schedule set StartTime = '{wrong}' where ScheduleNum = 1")
            assert 3 == running.run()
            assert (
                "schedule.StartTime: conversion `time_of_day` does not accept 1 of the values read; nothing was "
                "written; mend the source, or take the conversion out of `column_overrides`; `etlkit analyze` counts "
                "such values in the whole table"
            ) == error(running)


@ONE_KIND
def test_a_habit_says_how_far_a_time_is_read_again(
    source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """A plan looks back as far as the pack knows that rows change, unless a person says something else."""
    source.execute(
        "create table clockevent (ClockEventNum bigint auto_increment primary key, TimeEntered1 datetime not null)",
        "insert into clockevent (TimeEntered1) values ('2024-01-01 08:00:00')",
    )
    choice = TableChoice(extraction_strategy="incremental", incremental_column="TimeEntered1")
    with running_of(source, warehouse, tables={"clockevent": choice}) as running:
        running.analyse()
        assert 0 == running.run()

        def lookback() -> int:
            deployment = running.deployment
            planner = Planner(
                settings=deployment.settings,
                discovery=deployment.discovery,
                registry=deployment.registry,
                ledger=deployment.ledger,
            )
            read = planner.plan("clockevent").plan.read
            assert isinstance(read, Since)
            return read.lookback

        assert 32 * 86_400 == lookback()
        entry = running.deployment.discovery.get_pipeline_configuration("clockevent")
        assert (
            "2764800 seconds behind a time cursor: times are corrected until the pay period ends, which is a month at "
            "most; so says the habit open_dental_known of plugin open_dental_habits."
        ) == entry["reasons"]["lookback"]
        running.change(
            tables={
                "clockevent": TableChoice(
                    extraction_strategy="incremental", incremental_column="TimeEntered1", lookback_seconds=60
                )
            }
        )
        assert 60 == lookback()
