"""`TableProcessor` and `PriorityProcessor` load what they are asked to, and say what came of it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType

import attrs
import pytest

from etlkit import Executor, TableFinished, hookimpl
from etlkit.config import AllowedHours, RunSettings, TableChoice
from etlkit.errors import ConfigurationError
from etlkit.loading.postgres_loader import PostgresLoader
from etlkit.orchestration.priority_processor import PriorityProcessor
from etlkit.orchestration.table_processor import TableProcessor
from etlkit.registry import Registry
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of
from support.server_log import statements_seen

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

LEVELS = {"patient": "critical", "fee": "billing", "scratch": "standard", "securitylog": "audit"}
OK = {"failed": [], "total": 1}


@pytest.fixture
def running(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Running]:
    """A deployment of four tables, each with another level and two rows."""
    for name in LEVELS:
        source.execute(
            f"CREATE TABLE {name} (id INT PRIMARY KEY, at TIMESTAMP NOT NULL DEFAULT current_timestamp "
            "ON UPDATE current_timestamp, KEY (at))",
            f"INSERT INTO {name} VALUES (1, '2024-01-01'), (2, '2024-01-02')",
        )
    with running_of(source, warehouse) as made:
        made.analyse(LEVELS)
        made.deployment.ledger.ensure()
        yield made


def processor_of(running: Running, limit: int | None = None) -> TableProcessor:
    """Make a processor of tables."""
    deployment = running.deployment
    loader = PostgresLoader(
        settings=deployment.settings,
        planner=deployment.planner(),
        connections=deployment.connections,
        ledger=deployment.ledger,
        run_id="run",
    )
    return TableProcessor(deployment.discovery, loader, limit)


def priorities_of(running: Running, registry: Registry | None = None) -> PriorityProcessor:
    """Make a processor of all tables."""
    registry = registry or running.deployment.registry
    return PriorityProcessor(
        running.deployment.discovery,
        running.deployment.settings,
        processor=processor_of(running),
        executor=registry.executor("threads"),
    )


def counted(running: Running, table: str) -> int:
    """Count the rows of a table in the warehouse."""
    return int(running.warehouse.value(f"SELECT count(*) FROM raw.{table}"))


def test_what_is_required(running: Running) -> None:
    """Nothing is built behind the caller's back: what is missing is asked for, SchemaDiscovery first of all."""
    discovery, processor = running.deployment.discovery, processor_of(running)
    for make, words in (
        (lambda: TableProcessor(None), "SchemaDiscovery instance is required"),
        (lambda: TableProcessor(None, processor.loader), "SchemaDiscovery instance is required"),
        (lambda: TableProcessor(discovery), "PostgresLoader instance is required"),
        (lambda: PriorityProcessor(None), "SchemaDiscovery instance is required"),
        (lambda: PriorityProcessor(None, processor=processor), "SchemaDiscovery instance is required"),
        (lambda: PriorityProcessor(discovery), "TableProcessor instance is required"),
        (
            lambda: PriorityProcessor(discovery, processor=processor),
            "an executor is required; `Registry.executor` gives one by its name",
        ),
    ):
        with pytest.raises(ValueError, match=rf"\A{words}\Z"):
            make()


def test_one_table(running: Running) -> None:
    """A table is loaded, told and recorded; the processor closes its connections when it is left."""
    with processor_of(running) as processor:
        outcome = processor.process_table("patient")
        again = processor.process_table("patient", force_full=True)
    assert ("patient", "critical", None, 0, 2, 2) == (
        outcome.table,
        outcome.importance,
        outcome.error,
        outcome.exit_code,
        outcome.read,
        outcome.inserted,
    )
    assert (2, 0, 2) == (again.read, again.inserted, again.unchanged)
    assert 0 == running.deployment.connections.source().pool.checkedin()  # type: ignore[attr-defined]


def test_a_limited_table(running: Running) -> None:
    """A limit holds for each table."""
    outcome = processor_of(running, limit=1).process_table("patient")
    assert (1, 1) == (outcome.read, counted(running, "patient"))


@pytest.mark.parametrize(("alert", "level"), [(True, logging.ERROR), (False, logging.WARNING)])
def test_a_table_that_fails(
    running: Running, caplog: pytest.LogCaptureFixture, alert: bool, level: int
) -> None:
    """A failure is an outcome, is recorded, and is one line of the log: an error where it calls for attention."""
    config = running.deployment.settings.analyzed["patient"]
    watched = attrs.evolve(config, monitoring=attrs.evolve(config.monitoring, alert_on_failure=alert))
    running.change(analyzed={**running.deployment.settings.analyzed, "patient": watched})
    running.warehouse.execute("CREATE TABLE raw.patient (x INT)")
    with caplog.at_level(logging.INFO, "etlkit"):
        outcome = processor_of(running).process_table("patient")
    sentence = (
        "warehouse table `raw.patient` exists, but etlkit did not make it; rename or drop it, or set another "
        "`warehouse.schema` in etlkit.yml"
    )
    assert (sentence, 1, "not checked: the load failed", 0) == (
        outcome.error,
        outcome.exit_code,
        outcome.verified,
        outcome.read,
    )
    assert [(level, f"critical table `patient` was not loaded: {sentence}")] == [
        (record.levelno, record.getMessage()) for record in caplog.records
    ]
    assert [("patient", sentence)] == running.warehouse.rows(
        "SELECT table_name, error FROM etlkit.table_loads"
    )


def test_a_defect(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody thought of is told by its kind and place, never by its message, and stays with its table."""

    def fail(*_: object, **__: object) -> None:
        raise KeyError("Smith")

    monkeypatch.setattr("etlkit.loading.load.Load.carry_out", fail)
    line = fail.__code__.co_firstlineno + 1
    with caplog.at_level(logging.DEBUG, "etlkit"):
        outcome = processor_of(running).process_table("patient")
    assert (
        (
            f"table `patient`: KeyError at test_processors.py:{line}; this is a defect of etlkit or of a plugin, "
            "please report it with this line"
        ),
        1,
    ) == (outcome.error, outcome.exit_code)
    assert "Smith" not in caplog.text


def test_a_table_that_was_asked_to_end(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Who ends a run needs no alert: a table that was in work is told by a warning, whatever its monitoring says."""
    processor = processor_of(running)
    processor.loader.stop.set()
    assert running.deployment.settings.analyzed["patient"].monitoring.alert_on_failure
    outcome = processor.process_table("patient")
    sentence = "the run was asked to end; the table is as it was; run again"
    assert (sentence, 1) == (outcome.error, outcome.exit_code)
    assert [(logging.WARNING, f"critical table `patient` was not loaded: {sentence}")] == [
        (record.levelno, record.getMessage()) for record in caplog.records
    ]


def test_a_table_whose_turn_comes_too_late(running: Running) -> None:
    """When the allowed hours have ended before a table's turn, its load fails and the source is not asked."""
    now = dt.datetime.now().astimezone()
    hours = AllowedHours(start=(now + dt.timedelta(hours=2)).time(), end=(now + dt.timedelta(hours=3)).time())
    running.change(source=attrs.evolve(running.deployment.settings.source, allowed_hours=hours))
    with statements_seen(running.source.server) as seen:
        outcome = processor_of(running).process_table("patient")
    assert str(outcome.error).startswith(f"the source may be read from {hours} only")
    assert (1, []) == (outcome.exit_code, seen)


def test_a_failure_that_cannot_be_recorded(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """When the ledger does not take the failure either, the first failure is the one that is reported."""
    running.warehouse.execute("DROP SCHEMA etlkit CASCADE")
    with caplog.at_level(logging.INFO, "etlkit"):
        outcome = processor_of(running).process_table("patient")
    assert outcome.error is not None
    assert "table `patient`: its failure could not be recorded (LoadError)" == caplog.messages[-1]


def test_all_levels(running: Running) -> None:
    """All levels run by default, those of plugins and `standard` included, the most important first."""
    found = priorities_of(running).process_by_priority()
    assert [
        ("critical", {"success": ["patient"], **OK}),
        ("billing", {"success": ["fee"], **OK}),
        ("standard", {"success": ["scratch"], **OK}),
        ("audit", {"success": ["securitylog"], **OK}),
    ] == list(found.items())
    assert [2, 2, 2, 2] == [counted(running, name) for name in LEVELS]


def test_some_levels(running: Running) -> None:
    """Levels that are asked for are loaded, in the order of importance, and the others are left alone."""
    found = priorities_of(running).process_by_priority(importance_levels=["audit", "billing"])
    assert {"billing": {"success": ["fee"], **OK}, "audit": {"success": ["securitylog"], **OK}} == found
    assert ["billing", "audit"] == list(found)
    assert [("fee",), ("securitylog",)] == running.warehouse.rows(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'raw' ORDER BY 1"
    )
    assert {} == priorities_of(running).process_by_priority(importance_levels=[])
    assert {} == priorities_of(running).process_by_priority(importance_levels=["unheard of"])


def test_one_failure(running: Running) -> None:
    """One table's failure leaves the others running."""
    running.warehouse.execute("CREATE TABLE raw.patient (x INT)")
    found = priorities_of(running).process_by_priority()
    assert {"success": [], "failed": ["patient"], "total": 1} == found["critical"]
    assert ["billing", "standard", "audit"] == [level for level, each in found.items() if each["success"]]


def test_a_full_load(running: Running) -> None:
    """Incremental tables read little the second time, and everything when they are forced to."""
    told: list[TableFinished] = []
    processor = priorities_of(running)
    processor.finished = told.append
    running.change(
        tables={name: TableChoice(extraction_strategy="incremental", lookback_seconds=0) for name in LEVELS}
    )
    processor = PriorityProcessor(
        running.deployment.discovery,
        processor=processor_of(running),
        executor=running.deployment.registry.executor("threads"),
        finished=told.append,
    )
    for force, expected in ((False, 2), (False, 1), (True, 2)):
        told.clear()
        processor.process_by_priority(force_full=force)
        assert dict.fromkeys(LEVELS, expected) == {each.table: each.read for each in told}


def counting(seen: list[tuple[list[str], int]]) -> Registry:
    """An executor that loads one table after the other, and notes what it was asked."""

    def run(
        load: Callable[[str], TableFinished], tables: Sequence[str], workers: int
    ) -> Iterator[TableFinished]:
        seen.append((list(tables), workers))
        yield from map(load, tables)

    @hookimpl
    def etlkit_executors() -> Iterator[Executor]:
        yield Executor(name="threads", summary="One after the other.", run=run)

    module = ModuleType("counting")
    vars(module)["etlkit_executors"] = etlkit_executors
    return Registry.of(module)


def test_workers(running: Running) -> None:
    """The executor is given the tables in their order, and as many workers as asked for, or as configured."""
    seen: list[tuple[list[str], int]] = []
    registry = counting(seen)
    priorities_of(running, registry).process_by_priority(max_workers=7)
    priorities_of(running, registry).process_by_priority()
    running.change(run=RunSettings(threads=3))
    priorities_of(running, registry).process_by_priority()
    assert [(list(LEVELS), 7), (list(LEVELS), 2), (list(LEVELS), 3)] == seen


def test_an_unknown_executor(running: Running) -> None:
    """A run with an executor that nobody provides is refused before anything is loaded."""
    running.change(run=RunSettings(executor="treads"))
    with pytest.raises(ConfigurationError) as caught:
        running.run()
    assert "no plugin provides an executor `treads`; did you mean `threads`?" == str(caught.value)
    assert [] == running.warehouse.rows("SELECT 1 FROM etlkit.runs")
    assert [] == running.events
