"""A run that observers are told of: what the built-in ones write and send of it."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import attrs
import pytest
from prometheus_client.parser import text_string_to_metric_families

from etlkit import RunFinished, hookimpl
from etlkit.errors import ConfigurationError
from etlkit.plugins.conversions import builtin
from etlkit.plugins.executors import threads
from etlkit.plugins.observers import alerts, metrics
from etlkit.plugins.strategies import full_table
from etlkit.registry import Registry
from support.databases import SourceDatabase, WarehouseDatabase
from support.http_server import http_server
from support.running import running_of

BUILT_IN = (full_table, threads, builtin)
ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


def samples(path: Path, table: str) -> dict[str, float]:
    """What is known of a table, by metric and kind, timestamps apart."""
    return {
        " ".join([sample.name.removeprefix("etlkit_table_"), *filter(None, [sample.labels.get("kind")])]): (
            sample.value
        )
        for family in text_string_to_metric_families(path.read_text("utf-8"))
        for sample in family.samples
        if sample.labels.get("table") == table and "timestamp" not in sample.name
    }


@ONE_KIND
def test_a_run_with_observers(source: SourceDatabase, warehouse: WarehouseDatabase, tmp_path: Path) -> None:
    """The file holds each table's numbers and the message the failure; no value of a row is in either."""
    source.execute(
        "CREATE TABLE patient (id INT PRIMARY KEY, name VARCHAR(20))",
        "INSERT INTO patient VALUES (1, 'Wilhelmina'), (2, 'Ottokar')",
        "CREATE TABLE claim (id INT PRIMARY KEY, fee INT)",
        "INSERT INTO claim VALUES (1, 5)",
    )
    path = tmp_path / "etlkit.prom"
    with http_server() as server:
        options = {
            "metrics": {"textfile": str(path)},
            "alerts": {"urls": f"json://{server.address}/token", "on": "watched"},
        }
        registry = Registry.of(*BUILT_IN, metrics, alerts, options=options)
        with running_of(source, warehouse, registry=registry) as running:
            running.analyse({"patient": "critical", "claim": "important"})
            watched = {
                name: attrs.evolve(each, monitoring=attrs.evolve(each.monitoring, alert_on_failure=True))
                for name, each in running.deployment.settings.analyzed.items()
            }
            running.change(analyzed=watched)
            assert 0 == running.run()
            assert [] == server.received
            warehouse.execute("ALTER TABLE raw.claim ADD CONSTRAINT low CHECK (fee < 10)")
            source.execute("UPDATE claim SET fee = 1234567", "INSERT INTO patient VALUES (3, 'Kunigunde')")
            assert 3 == running.run()
    assert {
        "consecutive_failures": 0,
        "rows read": 3,
        "rows inserted": 1,
        "rows updated": 0,
        "rows deleted": 0,
        "rows unchanged": 2,
        "lost_values": 0,
        "quality_alert": 0,
        "verified": 1,
    } == {
        name: value
        for name, value in samples(path, "patient").items()
        if name not in ("rendered_bytes", "duration_seconds")
    }
    claim = samples(path, "claim")
    assert (1, 1, 0) == (claim["consecutive_failures"], claim["rows read"], claim["verified"])
    [received] = server.received
    message = json.loads(received.body)
    assert "etlkit north: 1 of 2 tables was not loaded" == message["title"]
    assert (
        "- `claim` (important) failed: warehouse table `raw.claim`, constraint `low`: a check that was added in the "
        "warehouse refused a row; drop that constraint, or mend the row; nothing of this load was kept (sqlstate "
        "23514, check_violation)"
    ) == message["message"].splitlines()[1]
    for secret in ("Wilhelmina", "Ottokar", "Kunigunde", "1234567"):
        assert secret not in received.body + path.read_text("utf-8")


@ONE_KIND
def test_a_run_that_cannot_begin(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Observers are told of it by its end alone, which says why."""
    told: list[RunFinished] = []

    @hookimpl
    def etlkit_run_finished(event: RunFinished) -> None:
        told.append(event)

    module = ModuleType("watching")
    vars(module).update(etlkit_run_finished=etlkit_run_finished)
    with (
        running_of(source, warehouse, registry=Registry.of(*BUILT_IN, module)) as running,
        pytest.raises(ConfigurationError) as caught,
    ):
        running.run()
    assert [] == running.events
    assert [
        RunFinished(run_id="", deployment="north", exit_code=2, tables=(), error=caught.value.message)
    ] == told
