"""The observer `alerts`: when a message is sent, what it says, and what happens when it cannot be sent."""

from __future__ import annotations

import importlib.util
import json
import logging
from collections.abc import Iterator

import attrs
import pytest

from etlkit import RunFinished, TableFinished
from etlkit.errors import ConfigurationError
from etlkit.plugins.observers import alerts
from etlkit.registry import Registry
from support.http_server import HTTPServer, http_server

LOADED = TableFinished(table="patient", importance="critical", alert_on_failure=True, verified="equal")
POOR = attrs.evolve(
    LOADED, table="note", importance="standard", losses=(("Note", "nul", 1200, "replace"),), alert=True
)
FAILED = TableFinished(
    table="claim",
    importance="important",
    alert_on_failure=True,
    error="table `claim`: the warehouse's disk\nis full; make room",
    exit_code=1,
)
GOOD = RunFinished(run_id="1", deployment="north", exit_code=0, tables=(LOADED,), seconds=12.4)
BAD = attrs.evolve(GOOD, exit_code=3, tables=(LOADED, POOR, FAILED))
UNBEGUN = RunFinished(run_id="", deployment="north", exit_code=1, tables=(), error="the source is down")
UNWATCHED = attrs.evolve(BAD, tables=(LOADED, attrs.evolve(FAILED, alert_on_failure=False)))
PATH = "/hook/hunter2token"


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """What receives messages."""
    with http_server() as made:
        yield made


def told(event: RunFinished, **options: str) -> None:
    """Tell the plugin of a run."""
    Registry.of(alerts, options={"alerts": options}).notify(event)


def test_the_message_of_a_bad_run() -> None:
    """It names the deployment, the exit code, and each table that failed or lost too much, with the reason."""
    assert (
        "etlkit north: 1 of 3 tables was not loaded, 1 table with too few rows as they are in the source",
        (
            "The run ended with exit code 3 after 12 s.\n"
            "- `claim` (important) failed: table `claim`: the warehouse's disk is full; make room\n"
            "- `note` (standard) was loaded, but fewer of its rows than its `data_quality_threshold` asks for are as "
            "in the source: 1,200 values that PostgreSQL cannot hold; verified: equal\n"
            "`etlkit status` and `etlkit report` tell more."
        ),
    ) == alerts.message(BAD)


def test_the_message_of_two_hops() -> None:
    """A table counts once, and a failure says on which way it was."""
    lost = attrs.evolve(FAILED, hop="replica")
    event = attrs.evolve(BAD, tables=(attrs.evolve(LOADED, hop="replica"), lost, LOADED))
    assert (
        "etlkit north: 1 of 2 tables was not loaded",
        (
            "The run ended with exit code 3 after 12 s.\n"
            "- `claim` (important) failed on its way into the replica: table `claim`: the warehouse's disk is full; "
            "make room\n"
            "`etlkit status` and `etlkit report` tell more."
        ),
    ) == alerts.message(event)


def test_the_message_of_a_run_that_ended_itself() -> None:
    """A run that could not begin, or broke off, says why."""
    ending = "The run ended with exit code 1 after 0 s.\nthe source is down\n"
    more = "`etlkit status` and `etlkit report` tell more."
    assert ("etlkit north: the run could not begin", ending + more) == alerts.message(UNBEGUN)
    broken_off = attrs.evolve(UNBEGUN, run_id="1")
    assert ("etlkit north: the run failed", ending + more) == alerts.message(broken_off)


def test_the_message_of_a_good_run() -> None:
    """Nobody has to look anywhere."""
    expected = ("etlkit north: 1 table was loaded", "The run ended with exit code 0 after 12 s.")
    assert expected == alerts.message(GOOD)


def test_a_message_stays_short() -> None:
    """Of many tables that failed the first are named, and the others counted."""
    event = attrs.evolve(BAD, tables=tuple(attrs.evolve(FAILED, table=f"t{number}") for number in range(23)))
    title, body = alerts.message(event)
    assert "etlkit north: 23 of 23 tables were not loaded" == title
    assert ["- and 3 tables more", "`etlkit status` and `etlkit report` tell more."] == body.splitlines()[-2:]
    assert 23 == len(body.splitlines())


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (GOOD, ["always"]),
        (BAD, ["failure", "watched", "always"]),
        (UNBEGUN, ["failure", "watched", "always"]),
        (UNWATCHED, ["failure", "always"]),
        (attrs.evolve(GOOD, tables=(POOR,)), ["failure", "watched", "always"]),
        (attrs.evolve(GOOD, tables=(attrs.evolve(POOR, alert_on_failure=False),)), ["failure", "always"]),
    ],
)
def test_when_a_message_is_called_for(event: RunFinished, expected: list[str]) -> None:
    """Failures and quality alerts, those of watched tables only, or every run."""
    assert expected == [when for when in ("failure", "watched", "always") if alerts.called_for(event, when)]


@pytest.mark.parametrize(
    ("event", "kind"),
    [(BAD, "failure"), (GOOD, "success"), (attrs.evolve(GOOD, tables=(POOR,)), "warning")],
)
def test_the_message_is_sent(
    server: HTTPServer, event: RunFinished, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What arrives is the title and the text, of a kind that fits, at every address; nothing is printed."""
    address = f"json://{server.address}"
    told(event, urls=f"{address}{PATH}\n {address}/b", on="always")
    title, body = alerts.message(event)
    assert ["/b", PATH] == sorted(each.path for each in server.received)
    for each in server.received:
        received = json.loads(each.body)
        assert (title, body, kind) == (received["title"], received["message"], received["type"])
    assert ("", "") == capfd.readouterr()


def test_nothing_is_sent_without_reason(server: HTTPServer) -> None:
    """Without `on` only failures are told."""
    told(GOOD, urls=f"json://{server.address}")
    assert [] == server.received


def test_a_message_that_cannot_be_sent(server: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged which address it was, never the address; the others are sent to all the same."""
    server.status = 500
    urls = f"json://{server.address}{PATH}?retry=0 json://127.0.0.1:1{PATH}?retry=0"
    with caplog.at_level(logging.DEBUG):
        told(BAD, urls=urls)
    assert [
        (
            "plugin `alerts`: the message about the run could not be sent to 2 of 2 addresses under `urls` "
            "(number 1, 2); try it with the command `apprise`"
        )
    ] == [each.getMessage() for each in caplog.records if each.name.startswith("etlkit")]
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"urls": " "}, "urls` must be at least one address"),
        (
            {"urls": "json://h hunter2 slack://hunter2"},
            "urls` must be addresses that Apprise knows (number 2, 3 of 3 is none)",
        ),
        ({"urls": "json://h", "on": "hunter2"}, "on` must be `failure`, `watched` or `always`"),
        ({"on": "always"}, "on` says when to send, but there is no `urls` to send to"),
        ({"urls": "json://h", "url": "x"}, "` has no key `url` (did you mean `urls`?)"),
    ],
)
def test_options_that_cannot_be_meant(
    options: dict[str, str], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong option is refused before anything is read, and no address is repeated."""
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError) as caught:
        told(GOOD, **options)
    dot = "" if expected.startswith("`") else "."
    assert f"`plugins.options.alerts{dot}{expected}" == str(caught.value)
    assert "hunter2" not in caplog.text


def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for messages is told what to install; without options the plugin does nothing."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    told(BAD)
    with pytest.raises(ConfigurationError) as caught:
        told(BAD, urls="json://h")
    expected = "needs a package that is not installed; run `pip install 'etlkit-core[alerts]'`"
    assert f"`plugins.options.alerts.urls` {expected}" == str(caught.value)
