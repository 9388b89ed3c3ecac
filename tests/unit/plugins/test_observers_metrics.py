"""The observer `metrics`: which metrics a run leaves for Prometheus, and where."""

from __future__ import annotations

import importlib.util
import logging
import re
from pathlib import Path

import attrs
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from etlkit import RunFinished, TableFinished
from etlkit.errors import ConfigurationError
from etlkit.plugins.observers import metrics
from etlkit.registry import Registry
from support.http_server import HTTPServer, http_server

ROOT = Path(__file__).resolve().parents[3]
PATIENT = TableFinished(
    table="patient",
    strategy="full_table",
    importance="critical",
    read=10,
    inserted=1,
    updated=2,
    deleted=3,
    unchanged=7,
    rendered_bytes=500,
    seconds=1.5,
    verified="repaired",
    losses=(("Note", "nul", 2, "replace"), ("Fee", "infinite", 1, "null")),
    alert=True,
)
FAILED = TableFinished(table="claim", importance="important", seconds=4, error="no", exit_code=1)
RUN = RunFinished(run_id="1", deployment="north", exit_code=3, tables=(PATIENT, FAILED), seconds=6.5)


def told(event: RunFinished, **options: str) -> None:
    """Tell the plugin of a run."""
    Registry.of(metrics, options={"metrics": options}).notify(event)


def written(text: str) -> dict[str, float]:
    """What a text says, timestamps apart."""
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "timestamp" not in sample.name
    }


def test_what_is_known_after_a_run() -> None:
    """Numbers of the load that was committed, and of the one that failed only that it did."""
    table = ("north", "patient")
    assert {
        ("etlkit_run_last_timestamp_seconds", "north"): 100,
        ("etlkit_run_exit_code", "north"): 3,
        ("etlkit_run_consecutive_failures", "north"): 1,
        ("etlkit_run_duration_seconds", "north"): 6.5,
        ("etlkit_run_tables", "north", "loaded"): 1,
        ("etlkit_run_tables", "north", "failed"): 1,
        ("etlkit_table_last_success_timestamp_seconds", *table): 100,
        ("etlkit_table_last_verified_timestamp_seconds", *table): 100,
        ("etlkit_table_consecutive_failures", *table): 0,
        ("etlkit_table_rows", *table, "read"): 10,
        ("etlkit_table_rows", *table, "inserted"): 1,
        ("etlkit_table_rows", *table, "updated"): 2,
        ("etlkit_table_rows", *table, "deleted"): 3,
        ("etlkit_table_rows", *table, "unchanged"): 7,
        ("etlkit_table_rendered_bytes", *table): 500,
        ("etlkit_table_duration_seconds", *table): 1.5,
        ("etlkit_table_lost_values", *table): 3,
        ("etlkit_table_quality_alert", *table): 1,
        ("etlkit_table_verified", *table): 1,
        ("etlkit_table_consecutive_failures", "north", "claim"): 1,
    } == metrics.after({}, RUN, 100)


def test_two_hops() -> None:
    """Of a table that goes through a replica, the last hop that it came to counts."""
    into = attrs.evolve(PATIENT, hop="replica", read=99, losses=())
    lost = attrs.evolve(FAILED, hop="replica")
    assert metrics.after({}, RUN, 100) == metrics.after(
        {}, attrs.evolve(RUN, tables=(into, lost, PATIENT)), 100
    )


def test_what_was_known_before_stays_known() -> None:
    """A failure keeps when the last success was, and is counted; another deployment is left alone."""
    claim = attrs.evolve(FAILED, error=None, verified="not checked: by cursor")
    good = attrs.evolve(RUN, exit_code=0, tables=(PATIENT, claim))
    other = {("etlkit_run_exit_code", "south"): 0.0}
    first = metrics.after(other, good, 100)
    third = metrics.after(metrics.after(first, RUN, 200), RUN, 300)
    assert 0 == third["etlkit_run_exit_code", "south"]
    assert (300, 100, 2) == (
        third["etlkit_run_last_timestamp_seconds", "north"],
        third["etlkit_run_last_success_timestamp_seconds", "north"],
        third["etlkit_run_consecutive_failures", "north"],
    )
    assert (300, 100) == tuple(
        third["etlkit_table_last_success_timestamp_seconds", "north", name] for name in ("patient", "claim")
    )
    assert ("etlkit_table_last_verified_timestamp_seconds", "north", "claim") not in third
    assert [0, 2] == [
        third["etlkit_table_consecutive_failures", "north", name] for name in ("patient", "claim")
    ]
    again = metrics.after(third, good, 400)
    assert (0, 0) == (
        again["etlkit_run_consecutive_failures", "north"],
        again["etlkit_table_consecutive_failures", "north", "claim"],
    )


@pytest.mark.parametrize(("whole", "kept"), [(True, False), (False, True)])
def test_a_table_that_is_gone(whole: bool, kept: bool) -> None:
    """A run of all tables forgets those that it does not have; a run of a selection does not."""
    before = metrics.after({("etlkit_table_verified", "south", "claim"): 1}, RUN, 100)
    after = metrics.after(before, attrs.evolve(RUN, whole=whole, tables=(PATIENT,)), 200)
    assert kept == (("etlkit_table_consecutive_failures", "north", "claim") in after)
    assert ("etlkit_table_verified", "south", "claim") in after
    assert ("etlkit_run_tables", "north", "failed") in after


def test_a_run_that_could_not_begin() -> None:
    """It is a failed run; what is known of tables stays."""
    event = RunFinished(run_id="", deployment="north", exit_code=1, tables=(), error="no server")
    before = metrics.after({}, attrs.evolve(RUN, exit_code=0), 100)
    after = metrics.after(before, event, 200)
    assert (1, 1, 100) == (
        after["etlkit_run_exit_code", "north"],
        after["etlkit_run_consecutive_failures", "north"],
        after["etlkit_run_last_success_timestamp_seconds", "north"],
    )
    assert ("etlkit_table_verified", "north", "patient") in after


def test_the_text_file(tmp_path: Path) -> None:
    """The file holds what is known, is read before it is written anew, and stands alone in its folder."""
    path = tmp_path / "etlkit.prom"
    told(RUN, textfile=str(path))
    told(RUN, textfile=str(path))
    expected = metrics.after(metrics.after({}, RUN, 1), RUN, 1)
    assert written(path.read_text("utf-8")) == {
        f"{name}{sorted(labels)}": value
        for (name, *labels), value in expected.items()
        if "timestamp" not in name
    }
    assert ["etlkit.prom"] == [each.name for each in tmp_path.iterdir()]


@pytest.mark.parametrize("before", ["{not metrics", 'etlkit_run_exit_code{cluster="x"} 1\nother 3\n'])
def test_a_file_of_somebody_else(tmp_path: Path, before: str) -> None:
    """What is no text of metrics, or not of ours, does not keep a run from being told."""
    path = tmp_path / "etlkit.prom"
    path.write_text(before, encoding="utf-8")
    told(RUN, textfile=str(path))
    assert len(metrics.after({}, RUN, 1)) - 3 == len(written(path.read_text("utf-8")))


def test_a_file_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The failure is logged without the path, which is an option, and ends nothing."""
    folder = tmp_path / "gone"
    folder.mkdir()
    registry = Registry.of(metrics, options={"metrics": {"textfile": str(folder / "etlkit.prom")}})
    folder.rmdir()
    with caplog.at_level(logging.DEBUG):
        registry.notify(RUN)
    assert str(folder) not in caplog.text
    assert "hook `etlkit_run_finished`: raised FileNotFoundError: [Errno 2] No such file" in caplog.text


def gateway(server: HTTPServer) -> None:
    """Let a server show what was pushed to it, as a push gateway does."""
    body = server.received[-1].body
    server.pages["/metrics"] = body.replace('deployment="', 'instance="",job="etlkit",deployment="')


def test_the_push_gateway() -> None:
    """The group of the deployment is replaced by what is known; groups of others are not taken over."""
    with http_server() as server:
        server.pages["/metrics"] = (
            'etlkit_run_exit_code{instance="",job="etlkit",deployment="south"} 1\n'
            'etlkit_run_exit_code{instance="",job="other",deployment="north"} 1\n'
        )
        told(RUN, push_gateway=f"http://{server.address}/")
        gateway(server)
        told(RUN, push_gateway=f"http://{server.address}")
    expected = metrics.after(metrics.after({}, RUN, 1), RUN, 1)
    for each in server.received:
        assert ("PUT", "/metrics/job/etlkit/deployment/north") == (each.method, each.path)
    assert written(server.received[-1].body) == {
        f"{name}{sorted(labels)}": value
        for (name, *labels), value in expected.items()
        if "timestamp" not in name
    }


def test_without_options_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin works where its extra is not installed."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    told(RUN)


@pytest.mark.parametrize(
    ("option", "text", "expected"),
    [
        ("textfile", "etlkit.prom", "must be the whole path of a file that ends in `.prom`, which is what "),
        (
            "textfile",
            "/no/such/etlkit.txt",
            "must be the whole path of a file that ends in `.prom`, which is what ",
        ),
        (
            "textfile",
            "/no/such/x.prom",
            "is in a folder that is not there; make the folder, or correct the path",
        ),
        ("push_gateway", "gateway:9091", "must begin with `http://` or `https://`"),
    ],
)
def test_options_that_cannot_be_meant(option: str, text: str, expected: str) -> None:
    """A wrong option is refused before anything is read."""
    with pytest.raises(ConfigurationError) as caught:
        told(RUN, **{option: text})
    assert str(caught.value) == f"`plugins.options.metrics.{option}` {expected}" + (
        "node_exporter reads" if "whole path" in expected else ""
    )


@pytest.mark.parametrize("option", ["textfile", "push_gateway"])
def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    """Who asks for metrics is told what to install before anything is read."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError) as caught:
        told(RUN, **{option: "x"})
    expected = "needs a package that is not installed; run `pip install 'etlkit-core[metrics]'`"
    assert f"`plugins.options.metrics.{option}` {expected}" == str(caught.value)


def test_every_metric_is_documented() -> None:
    """docs/observing.md lists each metric with its labels and its meaning, and no other."""
    text = (ROOT / "docs" / "observing.md").read_text(encoding="utf-8")
    expected = [
        f"| `{name}` | {', '.join(metric.labels[1:])} | {metric.help} |"
        for name, metric in metrics.METRICS.items()
    ]
    assert expected == [line for line in text.splitlines() if line.startswith("| `etlkit_")]


def test_the_alert_rules_use_metrics_that_are_there() -> None:
    """Each expression of the rules in docs/observing.md begins with a metric that a run leaves."""
    text = (ROOT / "docs" / "observing.md").read_text(encoding="utf-8")
    rules = yaml.safe_load(re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0])
    used = [re.findall(r"etlkit_\w+", rule["expr"]) for rule in rules["groups"][0]["rules"]]
    assert 6 == len(used)
    assert all(len(names) == 1 and names[0] in metrics.METRICS for names in used)
