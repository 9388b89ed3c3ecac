"""Observer `metrics`: what came of each run, for Prometheus: in a file, at a push gateway, or both.

A run is over before Prometheus could ask it, so the metrics are gauges about the last run and the last load of each
table. What they said before is read from where they are written: a table that failed, or was not selected, keeps what
is known of its last load. A table is loaded when it is in the warehouse, by however many hops: what brought it into a
replica is no load of its own, and a failure on that way is a failure of the table.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from etlkit import Option, RunFinished, TableFinished, hookimpl

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_JOB = "etlkit"
_SECONDS = 10  # for each of the two requests to a push gateway
_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Metric:
    """One of the metrics."""

    help: str
    """What it is, as Prometheus shows it."""
    labels: tuple[str, ...] = ("deployment",)
    """The names of its labels; the first two of a table's are the deployment and the table."""


_TABLE = ("deployment", "table")

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "etlkit_run_last_timestamp_seconds": Metric(help="When the last run ended"),
        "etlkit_run_last_success_timestamp_seconds": Metric(
            help="When the last run with exit code 0 ended",
        ),
        "etlkit_run_exit_code": Metric(help="Exit code of the last run"),
        "etlkit_run_consecutive_failures": Metric(help="Runs since the last one with exit code 0"),
        "etlkit_run_duration_seconds": Metric(help="Wall time of the last run"),
        "etlkit_run_tables": Metric(
            help="Tables of the last run by outcome (loaded, failed)", labels=("deployment", "outcome")
        ),
        "etlkit_table_last_success_timestamp_seconds": Metric(
            help="When the table's last load was committed, or it was found unchanged", labels=_TABLE
        ),
        "etlkit_table_consecutive_failures": Metric(
            help="Loads of the table that failed since the last one that did not", labels=_TABLE
        ),
        "etlkit_table_rows": Metric(
            help="Rows of the table's last load by kind (read, inserted, updated, deleted, unchanged)",
            labels=(*_TABLE, "kind"),
        ),
        "etlkit_table_rendered_bytes": Metric(help="Bytes that the table's last load moved", labels=_TABLE),
        "etlkit_table_duration_seconds": Metric(help="Wall time of the table's last load", labels=_TABLE),
        "etlkit_table_lost_values": Metric(
            help="Values of the table's last load that PostgreSQL cannot hold", labels=_TABLE
        ),
        "etlkit_table_quality_alert": Metric(
            help="1 if the table's last load stayed below its data_quality_threshold, else 0", labels=_TABLE
        ),
        "etlkit_table_verified": Metric(
            help="1 if the table's last load proved it equal to its source, else 0", labels=_TABLE
        ),
        "etlkit_table_last_verified_timestamp_seconds": Metric(
            help="When a load of the table last proved it equal to its source", labels=_TABLE
        ),
    }
)
"""The metrics by name; all are gauges."""

Samples = dict[tuple[str, ...], float]
"""By a metric's name and the values of its labels."""


def after(before: Mapping[tuple[str, ...], float], event: RunFinished, now: float) -> Samples:
    """Say what is known after a run.

    Args:
        before: what was known before it, of any deployment.
        event: the run's end.
        now: the time in seconds since 1970.

    Returns:
        What holds now.
    """
    own, names = event.deployment, {each.table for each in event.tables}
    # Of a table that is gone, nothing is told any more; only a run of all tables knows.
    samples = {
        key: value
        for key, value in before.items()
        if not (event.whole and key[1] == own and METRICS[key[0]].labels[1:2] == ("table",))
        or key[2] in names
    }
    loads = [each for each in event.tables if each.hop == "warehouse" or each.error is not None]
    failed = sum(each.error is not None for each in loads)
    failures = samples.get(("etlkit_run_consecutive_failures", own), 0)
    samples |= {
        ("etlkit_run_last_timestamp_seconds", own): now,
        ("etlkit_run_exit_code", own): event.exit_code,
        ("etlkit_run_consecutive_failures", own): failures + 1 if event.exit_code else 0,
        ("etlkit_run_duration_seconds", own): event.seconds,
        ("etlkit_run_tables", own, "loaded"): len(loads) - failed,
        ("etlkit_run_tables", own, "failed"): failed,
    }
    if not event.exit_code:
        samples["etlkit_run_last_success_timestamp_seconds", own] = now
    for each in loads:
        failures = samples.get(("etlkit_table_consecutive_failures", own, each.table), 0)
        samples["etlkit_table_consecutive_failures", own, each.table] = failures + 1 if each.error else 0
        if each.error is None:
            samples |= _of_load(own, each, now)
    return samples


def _of_load(own: str, load: TableFinished, now: float) -> Samples:
    proven = load.verified.startswith(("equal", "repaired"))
    rows: Samples = {
        ("etlkit_table_rows", own, load.table, kind): float(getattr(load, kind))
        for kind in ("read", "inserted", "updated", "deleted", "unchanged")
    }
    return {
        **rows,
        **({("etlkit_table_last_verified_timestamp_seconds", own, load.table): now} if proven else {}),
        ("etlkit_table_last_success_timestamp_seconds", own, load.table): now,
        ("etlkit_table_rendered_bytes", own, load.table): load.rendered_bytes,
        ("etlkit_table_duration_seconds", own, load.table): load.seconds,
        ("etlkit_table_lost_values", own, load.table): sum(count for _, _, count, _ in load.losses),
        ("etlkit_table_quality_alert", own, load.table): load.alert,
        ("etlkit_table_verified", own, load.table): proven,
    }


@hookimpl
def etlkit_options() -> Iterator[Option]:
    """Name the options."""
    yield Option(
        name="textfile",
        summary="The file to write for node_exporter's textfile collector; without it none is written.",
        problem=lambda options: _lacking() or _no_textfile(options["textfile"]),
    )
    yield Option(
        name="push_gateway",
        summary="The address of a push gateway, such as `http://gateway:9091`; without it nothing is pushed.",
        problem=lambda options: _lacking() or _no_address(options["push_gateway"]),
    )


@hookimpl
def etlkit_run_finished(event: RunFinished, options: Mapping[str, str]) -> None:
    """Write the metrics.

    Args:
        event: the run's end.
        options: where to.
    """
    now = time.time()
    try:
        if "textfile" in options:
            _write(Path(options["textfile"]), event, now)
    finally:
        if "push_gateway" in options:
            _push(options["push_gateway"].rstrip("/"), event, now)


def _write(path: Path, event: RunFinished, now: float) -> None:
    from prometheus_client import write_to_textfile  # noqa: PLC0415 - optional, and only loaded where it is used

    text = path.read_text(encoding="utf-8") if path.exists() else ""
    known = _known(text, lambda labels: labels)
    write_to_textfile(str(path), _registry(after(known, event, now)))


def _push(gateway: str, event: RunFinished, now: float) -> None:
    import urllib.request  # noqa: PLC0415 - as above

    from prometheus_client import push_to_gateway  # noqa: PLC0415 - as above

    def of_this_group(labels: Mapping[str, str]) -> Mapping[str, str] | None:
        group = (labels.get("job"), labels.get("deployment"), labels.get("instance", ""))
        return labels if group == (_JOB, event.deployment, "") else None

    # The address was checked to be one of HTTP.
    with urllib.request.urlopen(f"{gateway}/metrics", timeout=_SECONDS) as answer:  # noqa: S310
        text = answer.read().decode()
    registry = _registry(after(_known(text, of_this_group), event, now))
    push_to_gateway(gateway, _JOB, registry, {"deployment": event.deployment}, timeout=_SECONDS)


def _known(text: str, chosen: Callable[[Mapping[str, str]], Mapping[str, str] | None]) -> Samples:
    """Read what is known from metrics in Prometheus's text format."""
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - as above

    samples: Samples = {}
    try:
        for family in text_string_to_metric_families(text):
            metric = METRICS.get(family.name)
            for sample in family.samples if metric else ():
                labels = chosen(sample.labels)
                if metric and labels is not None and set(metric.labels) <= set(labels):
                    samples[sample.name, *(labels[name] for name in metric.labels)] = sample.value
    except (ValueError, KeyError, IndexError) as failure:
        # Whoever wrote it: a file that cannot be read must not keep every later run from being told.
        _log.warning(
            "plugin `metrics`: what was written before is no text of metrics (%s) and is written anew",
            type(failure).__name__,
        )
        return {}
    return samples


def _registry(samples: Samples) -> CollectorRegistry:
    from prometheus_client import CollectorRegistry, Gauge  # noqa: PLC0415 - as above

    registry = CollectorRegistry()
    gauges = {
        name: Gauge(name, metric.help, metric.labels, registry=registry) for name, metric in METRICS.items()
    }
    for (name, *labels), value in sorted(samples.items()):
        gauges[name].labels(*labels).set(value)
    return registry


def _lacking() -> str | None:
    if importlib.util.find_spec("prometheus_client") is None:
        return "needs a package that is not installed; run `pip install 'etlkit-core[metrics]'`"
    return None


def _no_textfile(text: str) -> str | None:
    path = Path(text)
    if not path.is_absolute() or path.suffix != ".prom":
        return "must be the whole path of a file that ends in `.prom`, which is what node_exporter reads"
    if not path.parent.is_dir():
        return "is in a folder that is not there; make the folder, or correct the path"
    return None


def _no_address(text: str) -> str | None:
    if not text.startswith(("http://", "https://")):
        return "must begin with `http://` or `https://`"
    return None
