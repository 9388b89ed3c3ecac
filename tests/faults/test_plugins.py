"""A plugin fails in the middle of a run: who is told as the culprit, what is kept, and that nothing else suffers."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from etlkit import (
    Classifier,
    Conversion,
    Everything,
    Exclusion,
    Executor,
    Fit,
    LoadPlan,
    RelationshipRule,
    Strategy,
    Write,
    hookimpl,
)
from etlkit.config import ColumnOverride, RunSettings, TableChoice
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.faults import choices
from support.invariants import Invariants
from support.scene import Scene, scene_of

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


def raises() -> Any:
    """Fail."""
    raise ValueError("no such day")


def leaves() -> Any:
    """Leave the program."""
    raise SystemExit(9)


def answers_nonsense() -> Any:
    """Give what nobody can use."""
    return 3.5


LINES = {each: each.__code__.co_firstlineno + 2 for each in (raises, leaves)}


@attrs.define
class Plugin:
    """A plugin that uses every hook, and does what it is told to at one place."""

    place: str = ""
    fault: Callable[[], Any] = raises

    def at(self, place: str, usual: Callable[[], Any]) -> Any:
        """Do what is usual, or the fault where this is its place."""
        return self.fault() if place == self.place else usual()

    def module(self) -> ModuleType:  # noqa: C901 - one function for each hook
        """Make the plugin's module."""

        def plan(table: Any, _: Any) -> LoadPlan:
            return LoadPlan(
                table=table.name,
                strategy="own",
                read=Everything(),
                write=Write.REPLACE,
                reason="Reads everything.",
            )

        def run(load: Any, tables: Any, _: int) -> Iterator[Any]:
            yield from self.at("run", lambda: map(load, tables))

        @hookimpl
        def etlkit_strategies() -> Iterator[Strategy]:
            yield Strategy(
                name="own",
                summary="Reads everything.",
                fits=lambda _: self.at("fits", lambda: Fit(cost=500, reason="It can.")),
                plan=lambda table, state: self.at("plan", lambda: plan(table, state)),
            )

        @hookimpl
        def etlkit_conversions() -> Iterator[Conversion]:
            yield Conversion(
                name="own",
                summary="Changes nothing.",
                target_type=lambda _: self.at("target_type", lambda: "text"),
                source_sql=lambda value, _: self.at("source_sql", lambda: value),
                matches=lambda *_: self.at("matches", lambda: False),
                accepts=lambda value, _: self.at("accepts", lambda: value != ""),
            )

        @hookimpl
        def etlkit_classifiers() -> Iterator[Classifier]:
            yield Classifier(name="own", classify=lambda _: self.at("classify", lambda: None))

        @hookimpl
        def etlkit_relationships() -> Iterator[RelationshipRule]:
            yield RelationshipRule(
                name="own", summary="Knows none.", relationships=lambda _: self.at("relationships", list)
            )

        @hookimpl
        def etlkit_exclusions() -> Iterator[Exclusion]:
            yield Exclusion(
                name="own", summary="None.", excludes=lambda _: self.at("excludes", lambda: False)
            )

        @hookimpl
        def etlkit_executors() -> Iterator[Executor]:
            yield Executor(name="own", summary="One after the other.", run=run)

        @hookimpl
        def etlkit_run_starting() -> None:
            self.at("etlkit_run_starting", lambda: None)

        @hookimpl
        def etlkit_table_finished() -> None:
            self.at("etlkit_table_finished", lambda: None)

        @hookimpl
        def etlkit_run_finished() -> None:
            self.at("etlkit_run_finished", lambda: None)

        made = ModuleType("own")
        vars(made).update((name, value) for name, value in locals().items() if name.startswith("etlkit_"))
        return made


@pytest.fixture
def plugin() -> Plugin:
    """The plugin, still without a fault."""
    return Plugin()


@pytest.fixture
def scene(source: SourceDatabase, warehouse: WarehouseDatabase, plugin: Plugin) -> Iterator[Scene]:
    """A deployment in which `visit` needs the plugin, loaded once and changed since."""
    choice = TableChoice(
        extraction_strategy="own", column_overrides={"Note": ColumnOverride(conversion="own")}
    )
    with scene_of(source, warehouse, plugin.module(), choices={"visit": choice}) as made:
        made.running.change(run=RunSettings(threads=1, retries=0, executor="own"))
        made.loaded()
        yield made


FAULTS = (raises, leaves, answers_nonsense)


def words(fault: Callable[[], Any], expected: str) -> str:
    """What is said of a fault: where it was raised, or what was expected instead of a number."""
    if fault is answers_nonsense:
        return f"returned float, expected {expected}"
    raised = "ValueError: no such day" if fault is raises else "SystemExit: 9"
    return f"raised {raised} (test_plugins.py, line {LINES[fault]})"


@pytest.mark.parametrize(
    ("place", "expected", "tables"),
    [
        ("plan", "LoadPlan", ("visit",)),
        ("target_type", "str", ("visit",)),
        ("source_sql", "ColumnElement", ("visit",)),
        ("accepts", "ColumnElement", ("visit",)),
        ("matches", "bool", ("patient", "visit")),
        ("classify", "str or None", ("patient", "visit")),
    ],
)
def test_what_is_asked_of_a_table(
    scene: Scene, plugin: Plugin, place: str, expected: str, tables: tuple[str, ...]
) -> None:
    """A plugin that fails where it is asked about a table fails the tables it is asked about, by its name."""
    plugin.place = place
    for fault in FAULTS:
        plugin.fault = fault
        with scene.watched():
            ended = scene.ends(scene.running.run)
        said = (
            f"plugin `own` (not installed), `{place}` of `own`: {words(fault, expected)}; correct the module"
        )
        assert (3, {table: f"table `{table}`: {said}" for table in tables}) == ended
    assert [row for row in scene.kept["states"] if row[0] == "visit"] == scene.state_of("visit")
    plugin.place = ""
    scene.recovers()


@pytest.mark.parametrize(
    ("place", "nonsense"),
    [
        ("excludes", "returned float, expected bool"),
        ("run", "raised TypeError: 'float' object is not iterable (test_plugins.py, line {line})"),
    ],
)
def test_what_is_asked_of_a_run(scene: Scene, plugin: Plugin, place: str, nonsense: str) -> None:
    """A plugin without which nobody knows which tables to load, or how, ends the run before it writes."""
    plugin.place = place
    lines = Path(__file__).read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if 'self.at("run"' in text)
    for fault in FAULTS:
        plugin.fault = fault
        with scene.watched():
            code, said = scene.ends(scene.running.run)
        # The plugin's own exception stays with it, for who looks for the cause.
        scene.leads_to = None
        what = nonsense.format(line=line) if fault is answers_nonsense else words(fault, "")
        assert (1, f"plugin `own` (not installed), `{place}` of `own`: {what}; correct the module") == (
            code,
            said,
        )
        scene.untouched()
    plugin.place = ""
    scene.recovers()


@pytest.mark.parametrize("place", ["etlkit_run_starting", "etlkit_table_finished", "etlkit_run_finished"])
def test_observers(scene: Scene, plugin: Plugin, place: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever is only told what happens can fail as he likes: it is logged, and the run is complete."""
    plugin.place = place
    for fault in (raises, leaves):
        plugin.fault = fault
        caplog.clear()
        with scene.watched():
            assert (0, {}) == scene.ends(scene.running.run)
        said = f"plugin `own` (not installed), hook `{place}`: {words(fault, '')}; the run goes on without it"
        assert {said} == set(caplog.messages)
    scene.recovers(recovered=True)


def test_what_a_plugin_is_given_cannot_be_changed(scene: Scene, plugin: Plugin) -> None:
    """A plugin that changes what it is shown is refused by its name, and changes nothing for others."""

    def change() -> Any:
        scene.running.deployment.discovery.analysis("patient").primary_key += ("LName",)  # type: ignore[misc]

    plugin.place, plugin.fault = "plan", change
    with scene.watched():
        code, said = scene.ends(scene.running.run)
    line = change.__code__.co_firstlineno + 1
    assert (
        3,
        {
            "visit": "table `visit`: plugin `own` (not installed), `plan` of `own`: raised FrozenInstanceError: "
            f"can't set attribute (test_plugins.py, line {line}); correct the module"
        },
    ) == (code, said)
    plugin.place = ""
    scene.recovers()


INSTALLED = """
import sys, threading
from etlkit import Everything, Fit, LoadPlan, Strategy, Write, hookimpl

def plan(table, state):
    print("canary of a plugin")
    {statement}
    return LoadPlan(table=table.name, strategy="own", read=Everything(), write=Write.REPLACE, reason="Reads all.")

@hookimpl
def etlkit_strategies():
    yield Strategy(name="own", summary="Reads all.", fits=lambda table: Fit(cost=500, reason="It can."), plan=plan)

@hookimpl
def etlkit_table_finished(event):
    print("finished", event.table)
"""


def installed(folder: Path, statement: str) -> dict[str, str]:
    """Lay a plugin's distribution into a folder; gives the environment in which it is found."""
    information = folder / "own_plugin-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: own-plugin\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[etlkit.plugins]\nown = own_plugin\n")
    (folder / "own_plugin.py").write_text(INSTALLED.format(statement=statement))
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"PYTHONPATH": path}


def test_a_plugin_that_prints(clinic: Clinic, tmp_path: Path) -> None:
    """With --json, what a plugin prints goes to standard error, and standard output stays one document a line."""
    clinic.choose({**choices(), "patient": {"extraction_strategy": "own"}})
    process = clinic.started("run", "--json", **installed(tmp_path / "installed", "pass"))
    output, errors = process.communicate(timeout=60)
    assert 0 == process.returncode
    events = [json.loads(line)["event"] for line in output.splitlines()]
    assert ("run_starting", "run_finished") == (events[0], events[-1])
    assert {"canary of a plugin", "finished patient"} <= set(errors.splitlines())


def test_a_plugin_that_hangs(clinic: Clinic, tmp_path: Path) -> None:
    """A plugin that never answers does not keep a run from ending in order when it is asked to."""
    clinic.choose({**choices(), "patient": {"extraction_strategy": "own"}})
    statement = "sys.stdout.flush(); threading.Event().wait()"
    process = clinic.started("run", "--threads", "1", **installed(tmp_path / "installed", statement))
    invariants = Invariants.of_clinic(clinic)
    with invariants.watching():
        assert process.stdout is not None
        assert "canary of a plugin\n" == process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
    assert "interrupted: 0 tables were loaded, 6 were not; run again to go on" == errors.splitlines()[-1]
    healthy = installed(tmp_path / "healthy", "pass")
    assert 0 == clinic.started("run", **healthy).wait(60)
    clinic.choose(choices())
    invariants.hold_after(process.returncode, output, errors)
