"""A value that a conversion does not accept refuses the load of its table, whatever the source and the strategy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import attrs
import pytest

from etlkit import Conversion, TableFinished, hookimpl
from etlkit.config import ColumnOverride, TableChoice
from etlkit.plugins.conversions import builtin
from etlkit.plugins.executors import threads
from etlkit.plugins.strategies import full_table
from etlkit.registry import Registry
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of

STRATEGIES = ("full_table", "incremental", "chunked_incremental", "streaming_incremental", "reconcile")
ROWS = 8
TABLE = (
    (
        "create table patient (PatNum int primary key, TxtMsgOk tinyint not null, "
        "DateTStamp timestamp not null default current_timestamp on update current_timestamp, key (DateTStamp))"
    ),
    "insert into patient values " + ", ".join(f"({each}, {each % 2}, '2024-01-01')" for each in range(ROWS)),
)
ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


def refused(count: int) -> str:
    """The message about so many values."""
    return (
        f"patient.TxtMsgOk: conversion `tinyint_to_boolean` does not accept {count} of the values read; nothing was "
        "written; mend the source, or take the conversion out of `column_overrides`; `etlkit analyze` counts such "
        "values in the whole table"
    )


@pytest.fixture
def make_running(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Callable[[str], Running]]:
    """A function that opens a deployment whose table is loaded by a strategy, two rows a chunk to begin with."""
    source.execute(*TABLE)
    with running_of(source, warehouse) as made:

        def make(strategy: str) -> Running:
            made.analyse()
            override = {"TxtMsgOk": ColumnOverride(conversion="tinyint_to_boolean")}
            choice = TableChoice(extraction_strategy=strategy, batch_size=2, column_overrides=override)
            made.change(tables={"patient": choice})
            return made

        yield make


def stored(running: Running) -> list[tuple[Any, ...]]:
    """The warehouse's rows, with their physical versions."""
    return running.warehouse.rows(
        'select "PatNum", "TxtMsgOk", ctid::text, xmin::text from raw.patient order by "PatNum"'
    )


def state(running: Running) -> list[tuple[Any, ...]]:
    """What the ledger remembers of the table."""
    return running.warehouse.rows("select watermark, generation, run_id from etlkit.table_state")


def outcome(running: Running) -> TableFinished:
    """What the last run said of the table."""
    (found,) = (each for each in running.events if isinstance(each, TableFinished))
    return found


def equal(running: Running) -> bool:
    """Whether the warehouse holds the source's rows."""
    there = running.warehouse.rows('select "PatNum", "TxtMsgOk" from raw.patient order by 1')
    return there == [
        (number, bool(value))
        for number, value in running.source.rows("select PatNum, TxtMsgOk from patient order by 1")
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_first_load(make_running: Callable[[str], Running], strategy: str) -> None:
    """A table that was never loaded is not made."""
    running = make_running(strategy)
    running.source.execute(f"update patient set TxtMsgOk = 2 where PatNum = {ROWS - 1}")
    assert 3 == running.run()
    assert (refused(1), "not checked: the load failed") == (
        outcome(running).error,
        outcome(running).verified,
    )
    assert [(None,)] == running.warehouse.rows("select to_regclass('raw.patient')::text")
    assert [] == state(running)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_between_two_runs(make_running: Callable[[str], Running], strategy: str) -> None:
    """Nothing of the table is touched, neither its rows nor its state; once mended, everything arrives."""
    running = make_running(strategy)
    assert (0, True) == (running.run(), equal(running))
    before, remembered = stored(running), state(running)
    running.source.execute(
        "update patient set TxtMsgOk = 1 - TxtMsgOk where PatNum = 0",
        f"insert into patient (PatNum, TxtMsgOk) values ({ROWS}, 1), ({ROWS + 1}, 2)",
    )
    for _ in range(2):
        assert (3, refused(1)) == (running.run(), outcome(running).error)
        assert (before, remembered) == (stored(running), state(running))
    running.source.execute("update patient set TxtMsgOk = 0 where TxtMsgOk = 2")
    assert (0, True) == (running.run(), equal(running))


@pytest.mark.parametrize("strategy", ["incremental", "chunked_incremental", "streaming_incremental"])
def test_behind_the_cursor(make_running: Callable[[str], Running], strategy: str) -> None:
    """A value that came without its cursor being moved is met by the proof, which is refused as well."""
    running = make_running(strategy)
    assert 0 == running.run()
    before = stored(running)
    running.source.execute("update patient set TxtMsgOk = 2, DateTStamp = '2020-01-01' where PatNum = 3")
    assert (3, refused(1)) == (running.run(), outcome(running).error)
    assert [each[:2] for each in before] == [each[:2] for each in stored(running)]
    running.source.execute("update patient set TxtMsgOk = 0, DateTStamp = '2020-01-01' where PatNum = 3")
    assert (0, True) == (running.run(), equal(running))


@pytest.mark.parametrize("strategy", ["full_table", "incremental", "reconcile"])
def test_asked_for_later(make_running: Callable[[str], Running], strategy: str) -> None:
    """A table that holds the enum's numbers keeps them when the conversion is asked for afterwards."""
    running = make_running(strategy)
    asked = running.deployment.settings.tables
    running.change(tables={"patient": TableChoice(extraction_strategy=strategy)})
    running.source.execute("update patient set TxtMsgOk = 2 where PatNum = 1")
    assert 0 == running.run()
    before = stored(running)
    assert {0, 1, 2} == {each[1] for each in before}
    running.change(tables=asked)
    assert (3, refused(1)) == (running.run(), outcome(running).error)
    assert before == stored(running)


def yes_no() -> ModuleType:
    """A plugin whose conversion applies to every tinyint by itself."""
    module = ModuleType("yes_no")
    to_boolean = Registry.of(builtin).conversion("tinyint_to_boolean").item

    @hookimpl
    def etlkit_conversions() -> Iterator[Conversion]:
        yield attrs.evolve(to_boolean, name="yes_no", matches=lambda _, of: of.data_type == "tinyint")

    module.etlkit_conversions = etlkit_conversions  # type: ignore[attr-defined]
    return module


def test_what_applies_by_itself(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """A conversion that nobody asked for leaves an enum alone, and refuses what comes after it was proven."""
    source.execute(
        "create table patient (PatNum int primary key, TxtMsgOk tinyint, IsHidden tinyint)",
        "insert into patient values (1, 0, 0), (2, 1, 1), (3, 2, null)",
    )
    registry = Registry.of(builtin, full_table, threads, yes_no())
    with running_of(source, warehouse, registry=registry) as running:
        running.analyse()
        assert 0 == running.run()
        rows = [(1, 0, False), (2, 1, True), (3, 2, None)]
        there = 'select "PatNum", "TxtMsgOk", "IsHidden" from raw.patient order by 1'
        assert rows == warehouse.rows(there)
        source.execute("update patient set TxtMsgOk = 3, IsHidden = 2 where PatNum = 3")
        assert 3 == running.run()
        assert (outcome(running).error or "").startswith(
            "patient.IsHidden: conversion `yes_no` does not accept 1 of"
        )
        assert rows == warehouse.rows(there)


def told(choices: Mapping[str, Any]) -> str:
    """The choices as lines of etlkit.yml."""
    return f"tables: {json.dumps({'patient': choices})}\n"


def test_by_the_command_line(clinic: Clinic) -> None:
    """`analyze` warns with the count, `run` ends with 3 and says where and how many; other tables are loaded."""
    clinic.source.execute(
        "drop table patient", *TABLE, "update patient set TxtMsgOk = 2 where PatNum in (2, 4, 5)"
    )
    clinic.prepared(told({"column_overrides": {"TxtMsgOk": {"conversion": "tinyint_to_boolean"}}}))
    analysed = clinic.etlkit("analyze")
    warning = (
        "`patient.TxtMsgOk`: conversion `tinyint_to_boolean`, which etlkit.yml asks for, does not accept 3 of the "
        "values of all 8 rows; loads of the table are refused; mend the source, or take the conversion out of "
        "`column_overrides`"
    )
    assert f"\n\nTo look at\n  ! {warning}\n" in analysed.stdout
    assert f"WARNING {warning}\n" in analysed.stderr
    result = clinic.etlkit("run")
    assert 3 == result.exit_code
    assert result.stdout.endswith(f"\n\nNot loaded:\n  {refused(3)}\n")
    assert [("definition",), ("scratchlog",)] == clinic.warehouse.rows(
        "select table_name::text from information_schema.tables where table_schema = 'raw' order by 1"
    )


@ONE_KIND
def test_proven_and_applied(clinic: Clinic) -> None:
    """What the values prove becomes a boolean, and `tables.yml` says why."""
    clinic.source.execute("drop table patient", *TABLE)
    clinic.prepared(told({"column_overrides": {"TxtMsgOk": {"conversion": "tinyint_to_boolean"}}}))
    assert (
        "type TxtMsgOk: 'boolean: tinyint_to_boolean, as etlkit.yml asks; it accepts the values of all 8 rows; "
        "every load proves it again.'"
    ) in (clinic.folder / "tables.yml").read_text()
    clinic.done("run")
    assert [(False, 4), (True, 4)] == clinic.warehouse.rows(
        'select "TxtMsgOk", count(*) from raw.patient group by 1 order by 1'
    )
