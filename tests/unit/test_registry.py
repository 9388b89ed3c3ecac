"""The registry finds plugins, checks them, and tells every failure with the plugin it belongs to."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import attrs
import pytest

from etlkit import RunFinished, RunStarting, TableAnalysis, TableFinished
from etlkit.errors import (
    ConfigurationError,
    EtlkitError,
    PlanRefused,
    PluginConflict,
    PluginError,
    RegistrationFailed,
)
from etlkit.registry import Registry

STRATEGY = """
from etlkit import Everything, Fit, LoadPlan, Strategy, Write, hookimpl

def fits(table):
    return Fit(cost=1, reason="always")

def plan(table, state):
    return LoadPlan(table=table.name, strategy="{name}", read=Everything(), write=Write.REPLACE, reason="all")

@hookimpl
def etlkit_strategies():
    yield Strategy(name="{name}", summary="Everything.", fits=fits, plan=plan)
"""

CLASSIFIERS = """
from etlkit import Classifier, hookimpl

@hookimpl
def etlkit_classifiers():
    for name in {names}:
        yield Classifier(name=name, classify=lambda table: None)
"""

REMEDY = "update or uninstall dist-{0}, or name `{0}` under `plugins.disable` in etlkit.yml"


@attrs.frozen
class Installed:
    """A distribution as far as the registry asks."""

    name: str
    version: str = "1.0"


EntryPoints = list[tuple[importlib.metadata.EntryPoint, Installed]]


@pytest.fixture
def announce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., EntryPoints]]:
    """A function that writes plugin modules and gives their entry points, each of its own distribution."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(**sources: str) -> EntryPoints:
        entries = []
        for name, source in sources.items():
            (tmp_path / f"plugged_{name}.py").write_text(dedent(source), encoding="utf-8")
            entry = importlib.metadata.EntryPoint(name, f"plugged_{name}", "etlkit.plugins")
            entries.append((entry, Installed(f"dist-{name}")))
        return entries

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("plugged_"):
            del sys.modules[name]


def refusal(entry_points: EntryPoints, **options: object) -> EtlkitError:
    """What loading raises."""
    with pytest.raises(EtlkitError) as caught:
        Registry.load(entry_points=entry_points, **options)  # type: ignore[arg-type]
    return caught.value


def test_the_installed_distribution_provides_the_built_in_plugins() -> None:
    """The built-in strategies come through entry points of etlkit-core, like anybody's."""
    registry = Registry.load()
    version = importlib.metadata.version("etlkit-core")
    built_in = {plugin.name: plugin for plugin in registry.plugins if plugin.distribution == "etlkit-core"}
    assert {"chunked_incremental", "full_table", "incremental", "streaming_incremental"} <= set(
        registry.strategies
    )
    assert built_in["full_table"].version == version
    assert built_in["full_table"].module == "etlkit.plugins.strategies.full_table"
    assert built_in["full_table"].provides == {"etlkit_strategies": ("full_table",)}
    assert {"active"} == {plugin.status for plugin in built_in.values()}


def test_an_object_is_kept_with_its_origin(announce: Callable[..., EntryPoints]) -> None:
    """What a plugin provides can always be traced to plugin, distribution and version."""
    registry = Registry.load(entry_points=announce(a=STRATEGY.format(name="all")))
    provided = registry.strategies["all"]
    assert registry.plugins == (provided.plugin,)
    assert ("a", "dist-a", "1.0", "plugged_a", "active", None) == (
        provided.plugin.name,
        provided.plugin.distribution,
        provided.plugin.version,
        provided.plugin.module,
        provided.plugin.status,
        provided.plugin.error,
    )
    assert registry.strategy("all") is provided


def test_a_disabled_plugin_is_not_imported(announce: Callable[..., EntryPoints]) -> None:
    """A plugin is disabled before any of its code runs."""
    entry_points = announce(a="raise SystemExit('imported')", b=STRATEGY.format(name="all"))
    registry = Registry.load(disable=["a"], entry_points=entry_points)
    assert ["disabled", "active"] == [plugin.status for plugin in registry.plugins]
    assert "plugged_a" not in sys.modules


def test_a_disabled_name_must_exist(announce: Callable[..., EntryPoints]) -> None:
    """A misspelt name under `disable` is an error, since the plugin would run."""
    error = refusal(announce(weekly=STRATEGY.format(name="all")), disable=["weakly"])
    assert type(error) is ConfigurationError
    assert (
        str(error) == "`plugins.disable` in etlkit.yml names `weakly`, but no such plugin is there; "
        "did you mean `weekly`?"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            "import no_such_library_at_all",
            ": cannot be imported: raised ModuleNotFoundError: No module named 'no_such_library_at_all' "
            "(plugged_a.py, line 1)",
            id="import error",
        ),
        pytest.param(
            "import sys\nsys.exit('bye')",
            ": cannot be imported: raised SystemExit: bye (plugged_a.py, line 2)",
            id="leaves while imported",
        ),
        pytest.param(
            """
            from etlkit import hookimpl
            @hookimpl
            def etlkit_strategies():
                yield from ()
                raise ValueError("no such day")
            """,
            ", hook `etlkit_strategies`: raised ValueError: no such day (plugged_a.py, line 6)",
            id="generator raises at the end",
        ),
        pytest.param(
            """
            from etlkit import hookimpl
            @hookimpl
            def etlkit_strategies():
                raise SystemExit(3)
            """,
            ", hook `etlkit_strategies`: raised SystemExit: 3 (plugged_a.py, line 5)",
            id="leaves in the hook",
        ),
        pytest.param(
            """
            from etlkit import hookimpl
            @hookimpl
            def etlkit_conversions():
                pass
            """,
            ", hook `etlkit_conversions`: returned None, expected an iterable of `etlkit.Conversion`",
            id="not iterable",
        ),
        pytest.param(
            """
            from etlkit import Classifier, hookimpl
            @hookimpl
            def etlkit_conversions():
                yield Classifier(name="a", classify=print)
            """,
            ", hook `etlkit_conversions`: yielded `Classifier`, expected `etlkit.Conversion`",
            id="another class",
        ),
        pytest.param(
            """
            from etlkit import Classifier, hookimpl
            @hookimpl
            def etlkit_classifiers():
                yield Classifier(name=3, classify=print)
            """,
            ", hook `etlkit_classifiers`: yielded `etlkit.Classifier` whose `name` is `int`, expected text",
            id="name is no text",
        ),
        pytest.param(
            """
            from etlkit import Classifier, hookimpl
            @hookimpl
            def etlkit_classifiers():
                yield Classifier(name="", classify=print)
            """,
            ", hook `etlkit_classifiers`: yielded `etlkit.Classifier` whose `name` is empty, expected text",
            id="empty name",
        ),
        pytest.param(
            """
            from etlkit import Classifier, hookimpl
            @hookimpl
            def etlkit_classifiers():
                yield Classifier(name="a", classify="critical")
            """,
            ", hook `etlkit_classifiers`: yielded `etlkit.Classifier` whose `classify` is `str`, "
            "expected a function",
            id="not a function",
        ),
        pytest.param(
            """
            from etlkit import hookimpl
            @hookimpl
            def etlkit_stratgies():
                return []
            """,
            ", hook `etlkit_stratgies`: etlkit has no such hook; did you mean `etlkit_strategies`?",
            id="unknown hook",
        ),
        pytest.param(
            """
            def etlkit_strategies():
                return []
            """,
            ", hook `etlkit_strategies`: the function lacks the decorator `@hookimpl`",
            id="forgotten decorator",
        ),
        pytest.param("x = 1", ": `plugged_a` implements no hook of etlkit", id="no hook"),
        pytest.param(
            """
            from etlkit import hookimpl
            @hookimpl(tryfirst=True)
            def etlkit_strategies():
                return []
            """,
            ", hook `etlkit_strategies`: wrappers, `tryfirst` and `trylast` are not supported; "
            "order is set by `plugins.order`",
            id="order in code",
        ),
        pytest.param(
            """
            from etlkit import hookimpl
            @hookimpl
            def etlkit_run_starting(run):
                pass
            """,
            ", hook `etlkit_run_starting`: Plugin 'a' for hook 'etlkit_run_starting' "
            "hookimpl definition: etlkit_run_starting(run) "
            "Argument(s) {'run'} are declared in the hookimpl but can not be found in the hookspec",
            id="unknown argument",
        ),
    ],
)
def test_every_failure_names_plugin_distribution_version_and_hook(
    announce: Callable[..., EntryPoints], source: str, expected: str
) -> None:
    """Whatever a plugin does wrong, the error says which plugin of which distribution did it, and where."""
    error = refusal(announce(a=source))
    assert (RegistrationFailed, 2) == (type(error), error.exit_code)
    assert str(error) == f"plugin `a` (dist-a 1.0){expected}; {REMEDY.format('a')}"


def test_an_entry_point_must_name_a_module(announce: Callable[..., EntryPoints]) -> None:
    """A plugin is a module; a class or an instance is refused."""
    announce(a="class Plugin: pass")
    entry = importlib.metadata.EntryPoint("a", "plugged_a:Plugin", "etlkit.plugins")
    assert str(refusal([(entry, Installed("dist-a"))])) == (
        "plugin `a` (dist-a 1.0): `plugged_a:Plugin` is an object of class `type`, expected a module; "
        + REMEDY.format("a")
    )


def test_a_missing_module_is_told_without_the_import_machinery() -> None:
    """An entry point to a module that is not there says so, without lines of Python's own files."""
    entry = importlib.metadata.EntryPoint("a", "no_such_module_at_all", "etlkit.plugins")
    assert str(refusal([(entry, Installed("dist-a"))])) == (
        "plugin `a` (dist-a 1.0): cannot be imported: raised ModuleNotFoundError: "
        f"No module named 'no_such_module_at_all'; {REMEDY.format('a')}"
    )


def test_keyboard_interrupt_passes(announce: Callable[..., EntryPoints]) -> None:
    """A person who stops the program is not a plugin's failure."""
    with pytest.raises(KeyboardInterrupt):
        Registry.inspect(entry_points=announce(a="raise KeyboardInterrupt"))


def test_two_entry_points_of_one_name_are_refused(announce: Callable[..., EntryPoints]) -> None:
    """Of two plugins with one name neither is loaded; the error names both distributions."""
    first, second = announce(a=STRATEGY.format(name="all"), b="raise SystemExit")
    entry = importlib.metadata.EntryPoint("a", "plugged_b", "etlkit.plugins")
    error = refusal([first, (entry, second[1])])
    assert (PluginConflict, 2) == (type(error), error.exit_code)
    assert str(error) == (
        "plugin `a` is provided more than once: by dist-a 1.0 (`plugged_a`) and by dist-b 1.0 (`plugged_b`); "
        "uninstall one of them, or name `a` under `plugins.disable` in etlkit.yml, which disables all of them"
    )
    assert not {"plugged_a", "plugged_b"} & set(sys.modules)


@pytest.mark.parametrize(
    ("hook", "kind", "item"),
    [
        (
            "etlkit_strategies",
            "strategy",
            "Strategy(name='same', summary='Same.', fits=lambda table: None, plan=lambda table, state: None)",
        ),
        ("etlkit_classifiers", "classifier", "Classifier(name='same', classify=lambda table: None)"),
        (
            "etlkit_conversions",
            "conversion",
            "Conversion(name='same', summary='.', target_type=lambda c: 'text', source_sql=lambda v, c: v)",
        ),
        (
            "etlkit_relationships",
            "relationship rule",
            "RelationshipRule(name='same', summary='Same.', relationships=lambda tables: [])",
        ),
        (
            "etlkit_exclusions",
            "exclusion",
            "Exclusion(name='same', summary='Same.', excludes=lambda table: False)",
        ),
        (
            "etlkit_executors",
            "executor",
            "Executor(name='same', summary='Same.', run=lambda load, tables, workers: [])",
        ),
    ],
)
def test_two_objects_of_one_name_are_refused(
    announce: Callable[..., EntryPoints], hook: str, kind: str, item: str
) -> None:
    """Two providers of one name are both named, with distribution and version."""
    source = f"from etlkit import *\n@hookimpl\ndef {hook}():\n    yield {item}\n"
    error = refusal(announce(a=source, b=source))
    assert (PluginConflict, 2) == (type(error), error.exit_code)
    assert str(error) == (
        f"{kind} `same` is provided more than once, in hook `{hook}`: by plugin `a` (dist-a 1.0) and by "
        "plugin `b` (dist-b 1.0); uninstall one of them, or name `a` or `b` under `plugins.disable` "
        "in etlkit.yml"
    )


def test_two_implementations_of_a_hook_in_one_module_are_refused(
    announce: Callable[..., EntryPoints],
) -> None:
    """Pluggy would call both in an order of its own."""
    source = """
    from etlkit import hookimpl
    @hookimpl(specname="etlkit_strategies")
    def first():
        return []
    @hookimpl(specname="etlkit_strategies")
    def second():
        return []
    """
    error = refusal(announce(a=source))
    assert (PluginConflict, 2) == (type(error), error.exit_code)
    assert str(error) == (
        "plugin `a` (dist-a 1.0), hook `etlkit_strategies`: is implemented more than once: by `first` and by "
        f"`second`; {REMEDY.format('a')}"
    )


def test_all_problems_are_reported_at_once(announce: Callable[..., EntryPoints]) -> None:
    """One start tells everything that is wrong, so that it can be put right at once."""
    same = STRATEGY.format(name="all")
    error = refusal(announce(a="raise ValueError", b=same, c=same), disable=["nobody"])
    assert (RegistrationFailed, 2) == (type(error), error.exit_code)
    beginnings = [
        "plugin `a` (dist-a 1.0): cannot be imported: ",
        "strategy `all` is provided more than once, ",
        "`plugins.disable` in etlkit.yml names `nobody`, ",
    ]
    lines = str(error).splitlines()
    assert beginnings == [line[: len(start)] for start, line in zip(beginnings, lines, strict=True)]


def test_inspect_shows_broken_plugins_and_raises_nothing(announce: Callable[..., EntryPoints]) -> None:
    """A list of plugins can be shown whatever is wrong with them."""
    entry_points = announce(a="raise ValueError('x')", b=STRATEGY.format(name="all"), c="raise SystemExit")
    registry = Registry.inspect(disable=["c"], entry_points=entry_points)
    assert [("a", "broken"), ("b", "active"), ("c", "disabled")] == [
        (plugin.name, plugin.status) for plugin in registry.plugins
    ]
    assert registry.plugins[0].error == (
        "plugin `a` (dist-a 1.0): cannot be imported: raised ValueError: x (plugged_a.py, line 1); "
        + REMEDY.format("a")
    )
    assert ["all"] == list(registry.strategies)
    assert [registry.plugins[0].error] == [str(problem) for problem in registry.problems]


def test_of_two_copies_of_a_distribution_the_first_counts(announce: Callable[..., EntryPoints]) -> None:
    """A distribution that is found twice under spellings of one name is one distribution."""
    entry_points = announce(a=STRATEGY.format(name="all"), b="raise ValueError")
    (first, _), (shadowed, _) = entry_points
    registry = Registry.load(
        entry_points=[(first, Installed("Some_Dist", "2.0")), (shadowed, Installed("some-dist", "1.0"))]
    )
    assert [("a", "Some_Dist", "2.0")] == [
        (plugin.name, plugin.distribution, plugin.version) for plugin in registry.plugins
    ]


def test_order_is_by_configuration_and_then_by_name(announce: Callable[..., EntryPoints]) -> None:
    """The order of installation never decides which classifier answers first."""
    entry_points = announce(b=CLASSIFIERS.format(names=["y", "m"]), a=CLASSIFIERS.format(names=["x", "c"]))
    for given in (entry_points, entry_points[::-1]):
        registry = Registry.load(order_classifiers=["y", "x"], entry_points=given)
        assert ["y", "x", "c", "m"] == [each.item.name for each in registry.classifiers]


def test_a_name_in_an_order_must_exist(announce: Callable[..., EntryPoints]) -> None:
    """A misspelt name in an order is an error, since another one would answer first."""
    error = refusal(announce(a=CLASSIFIERS.format(names=["claims_first"])), order_classifiers=["claim_first"])
    assert type(error) is ConfigurationError
    assert str(error) == (
        "`plugins.order.classifiers` in etlkit.yml names `claim_first`, but no such classifier is there; "
        "did you mean `claims_first`?"
    )


def test_an_unknown_strategy_names_the_nearest(announce: Callable[..., EntryPoints]) -> None:
    """A misspelt strategy says what it may have meant, and which plugins are switched off."""
    entry_points = announce(a=STRATEGY.format(name="weekly"), b="raise ValueError")
    registry = Registry.load(disable=["b"], entry_points=entry_points)
    with pytest.raises(ConfigurationError) as caught:
        registry.strategy("weakly")
    assert str(caught.value) == (
        "no plugin provides a strategy `weakly`; did you mean `weekly`? (disabled plugins: `b`)"
    )
    with pytest.raises(ConfigurationError) as caught:
        registry.conversion("upper")
    assert str(caught.value) == (
        "no plugin provides a conversion `upper`; known: none (disabled plugins: `b`)"
    )


OBSERVERS = """
from etlkit import hookimpl

seen = []

@hookimpl
def etlkit_run_starting(event):
    seen.append(event)
    {failure}

@hookimpl
def etlkit_table_finished(event):
    seen.append(event)

@hookimpl
def etlkit_run_finished():
    seen.append("asked for no argument")
"""


def test_observers_are_told_by_the_class_of_the_event(announce: Callable[..., EntryPoints]) -> None:
    """Each event reaches the hook that is made for it, with the arguments the plugin asks for."""
    registry = Registry.load(entry_points=announce(a=OBSERVERS.format(failure="")))
    starting = RunStarting(run_id="1", deployment="north", tables=("patient",))
    finished = TableFinished(table="patient")
    registry.notify(starting)
    registry.notify(finished)
    registry.notify(RunFinished(run_id="1", deployment="north", exit_code=0, tables=()))
    assert [starting, finished, "asked for no argument"] == sys.modules["plugged_a"].seen


@pytest.mark.parametrize("failure", ["raise ValueError('no network')", "raise SystemExit('no network')"])
def test_a_failing_observer_stops_nothing(
    announce: Callable[..., EntryPoints], caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    """An observer's failure is logged with its plugin and hook, and the next observer is told."""
    registry = Registry.load(
        entry_points=announce(a=OBSERVERS.format(failure=failure), b=OBSERVERS.format(failure=""))
    )
    event = RunStarting(run_id="1", deployment="north", tables=())
    with caplog.at_level(logging.INFO, "etlkit"):
        registry.notify(event)
    assert [event] == sys.modules["plugged_b"].seen
    kind = failure.split()[1].partition("(")[0]
    expected = (
        f"plugin `a` (dist-a 1.0), hook `etlkit_run_starting`: raised {kind}: no network "
        "(plugged_a.py, line 9); the run goes on without it"
    )
    assert [expected] == caplog.messages


def test_an_observer_does_not_keep_a_person_from_stopping(announce: Callable[..., EntryPoints]) -> None:
    """Ctrl-C while an observer runs ends the run."""
    registry = Registry.load(entry_points=announce(a=OBSERVERS.format(failure="raise KeyboardInterrupt")))
    with pytest.raises(KeyboardInterrupt):
        registry.notify(RunStarting(run_id="1", deployment="north", tables=()))


CLASSIFIER = """
from etlkit import Classifier, hookimpl

def classify(table):
    {body}

@hookimpl
def etlkit_classifiers():
    yield Classifier(name="mine", classify=classify)
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("raise KeyError('PatNum')", "raised KeyError: 'PatNum' (plugged_a.py, line 5)"),
        ("raise SystemExit(0)", "raised SystemExit: 0 (plugged_a.py, line 5)"),
        ("return 3", "returned int, expected str or None"),
    ],
)
def test_a_call_into_a_plugin_names_it_when_it_fails(
    announce: Callable[..., EntryPoints], body: str, expected: str
) -> None:
    """A failure while a plugin is being asked is told like one while it is loaded."""
    registry = Registry.load(entry_points=announce(a=CLASSIFIER.format(body=body)))
    with pytest.raises(PluginError) as caught:
        registry.classifiers[0].call("classify", TableAnalysis(name="t"), expecting=(str, type(None)))
    assert (
        str(caught.value)
        == f"plugin `a` (dist-a 1.0), `classify` of `mine`: {expected}; {REMEDY.format('a')}"
    )


def test_a_call_into_a_plugin_lets_errors_of_etlkit_pass(announce: Callable[..., EntryPoints]) -> None:
    """A plugin that refuses in etlkit's own words is not called broken."""
    body = "from etlkit.errors import PlanRefused; raise PlanRefused('no')"
    registry = Registry.load(entry_points=announce(a=CLASSIFIER.format(body=body)))
    with pytest.raises(PlanRefused, match=r"\Ano\Z"):
        registry.classifiers[0].call("classify", TableAnalysis(name="t"), expecting=(str, type(None)))


def test_of_makes_a_registry_of_modules(announce: Callable[..., EntryPoints]) -> None:
    """Tests of a plugin need no installation."""
    [(entry, _)] = announce(a=STRATEGY.format(name="all"))
    registry = Registry.of(entry.load())
    assert ["all"] == list(registry.strategies)
    assert registry.strategies["all"].plugin.origin == "`plugged_a` (not installed)"
