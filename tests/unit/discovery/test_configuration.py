"""A table's entry in `tables.yml` follows from its size, its changes and its importance."""

from __future__ import annotations

import pytest

from etlkit.discovery.analysis import AnalysedTable, analyse_table, as_in_catalog
from etlkit.discovery.configuration import pipeline_configuration
from etlkit.discovery.documents import PipelineConfiguration
from etlkit.discovery.history import usage_of
from etlkit.discovery.relationships import Relations
from etlkit.registry import Registry
from support.schema_facts import facts

MB = 1024 * 1024
KEY = "NoteNum bigint auto_increment"
STAMP = "DateTStamp timestamp on update current_timestamp"


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The plugins that are installed."""
    return Registry.load()


def entry(registry: Registry, name: str, *columns: str, megabytes: float = 0) -> PipelineConfiguration:
    """Configure a table of a size."""
    table = facts(name, *columns, row_count=10, data_bytes=round(megabytes * MB))
    relations = Relations(outgoing={name: ()}, incoming={name: ()})
    analysed: AnalysedTable = analyse_table(
        table, relations, registry.classifiers, usage_of(as_in_catalog(table), registry.habits)
    )
    return pipeline_configuration(analysed, registry, "2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("megabytes", "strategy", "batch", "minutes"),
    [
        (0, "full_table", 5000, 5),
        (0.99, "full_table", 5000, 5),
        (1, "incremental", 2000, 5),
        (99.9, "incremental", 2000, 9),
        (100, "chunked_incremental", 1000, 10),
        (999.9, "chunked_incremental", 1000, 99),
        (1000, "streaming_incremental", 500, 100),
        (5000, "streaming_incremental", 500, 180),
    ],
)
def test_size_decides(registry: Registry, megabytes: float, strategy: str, batch: int, minutes: int) -> None:
    """Strategy, batch size and patience of a table that changes often go by the bands of its size."""
    found = entry(registry, "commlog", KEY, STAMP, megabytes=megabytes)
    assert (strategy, batch, minutes, "DateTStamp") == (
        found["extraction_strategy"],
        found["batch_size"],
        found["monitoring"]["max_extraction_time_minutes"],
        found["incremental_column"],
    )
    assert found["reasons"]["strategy"].startswith(f"{strategy}: ")


@pytest.mark.parametrize(
    ("megabytes", "strategy", "batch"),
    [
        (0.99, "full_table", 5000),
        (99.9, "incremental", 3000),
        (999.9, "streaming_incremental", 2000),
        (1000, "streaming_incremental", 1000),
    ],
)
def test_rare_changes_decide(registry: Registry, megabytes: float, strategy: str, batch: int) -> None:
    """A log changes rarely: its chunks are larger, and nothing is kept chunk by chunk."""
    found = entry(
        registry,
        "securitylog",
        "SecurityLogNum bigint auto_increment",
        "LogDateTime datetime",
        megabytes=megabytes,
    )
    assert (strategy, batch) == (found["extraction_strategy"], found["batch_size"])


@pytest.mark.parametrize(
    ("name", "level", "modeled", "quality"),
    [
        ("patient", "critical", True, 0.99),
        ("appointment", "critical", True, 0.99),
        ("recall", "important", True, 0.95),
        ("definition", "reference", False, 0.95),
        ("securitylog", "audit", False, 0.95),
        ("somethingelse", "standard", False, 0.95),
    ],
)
def test_importance_decides(registry: Registry, name: str, level: str, modeled: bool, quality: float) -> None:
    """Alerts and models are for critical and important tables, the stricter quality for critical ones."""
    found = entry(registry, name, KEY)
    assert (level, modeled, modeled, quality) == (
        found["table_importance"],
        found["is_modeled"],
        found["monitoring"]["alert_on_failure"],
        found["monitoring"]["data_quality_threshold"],
    )


@pytest.mark.parametrize(
    ("columns", "strategy", "cursor"),
    [
        (
            (KEY, "Note text"),
            "reconcile: No column tells which of 5000.0 MB changed: digests do, and they find deleted rows as well.",
            "No column says when a row changed; refused: NoteNum.",
        ),
        (
            ("Note text", STAMP),
            "full_table: The table has no primary key, so all 5000.0 MB are read and compared each time.",
            (
                "The server stamps DateTStamp at every change of a row (ON UPDATE CURRENT_TIMESTAMP). "
                "No index begins with it, so finding changes scans the table."
            ),
        ),
    ],
)
def test_what_cannot_be_followed_is_read_whole(
    registry: Registry, columns: tuple[str, ...], strategy: str, cursor: str
) -> None:
    """A large table without cursor is compared by digests, one without key read whole, and the entry says why."""
    found = entry(registry, "note", *columns, megabytes=5000)
    assert strategy.partition(":")[0] == found["extraction_strategy"]
    assert (strategy, cursor) == (found["reasons"]["strategy"], found["reasons"]["cursor"])
