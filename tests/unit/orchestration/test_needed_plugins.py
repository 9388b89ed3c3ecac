"""Plugins can be left out for one call, but for those that no deployment can do without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import attrs
import pytest

from etlkit import Executor, Fit, LoadPlan, Strategy, hookimpl
from etlkit.config import (
    MySQLUrl,
    PluginSettings,
    PostgresUrl,
    RunSettings,
    Settings,
    SourceSettings,
    WarehouseSettings,
)
from etlkit.errors import ConfigurationError
from etlkit.orchestration.needed_plugins import check_needed, without_plugins
from etlkit.plugins.executors import threads
from etlkit.plugins.strategies import full_table, incremental
from etlkit.providers import PluginInfo
from etlkit.registry import Registry


@hookimpl
def etlkit_strategies() -> list[Strategy]:
    """Provide another strategy of the name that tables fall back to."""

    def plan(*_: object) -> LoadPlan:
        raise NotImplementedError

    def fits(*_: object) -> Fit:
        return Fit(cost=1, reason="It is ours.")

    return [Strategy(name="full_table", summary="Ours.", fits=fits, plan=plan)]


@hookimpl
def etlkit_executors() -> list[Executor]:
    """Provide an executor that a deployment may choose."""
    return [Executor(name="in_pairs", summary="Two by two.", run=lambda *_: [])]


def module(**functions: Callable[..., object]) -> ModuleType:
    """A plugin of some hooks."""
    made = ModuleType("ours")
    vars(made).update(functions)
    return made


def settings(folder: Path, *disable: str, executor: str = "threads", written: str = "") -> Settings:
    """A deployment that disables plugins, with a part of them written in its file."""
    (folder / "etlkit.yml").write_text(written, encoding="utf-8")
    return Settings(
        deployment="north",
        source=SourceSettings(url=MySQLUrl.parse("mysql://reader:x@localhost/clinic")),
        warehouse=WarehouseSettings(url=PostgresUrl.parse("postgresql://etl:x@localhost/dental")),
        plugins=PluginSettings(disable=disable),
        run=RunSettings(executor=executor),
        folder=folder,
    )


def registry(*modules: ModuleType, disabled: tuple[str, ...] = ()) -> Registry:
    """Plugins, and the names of those that were left out."""
    made = Registry.of(*modules)
    left_out = tuple(
        PluginInfo(name=name, distribution="etlkit-core", version="1", module=name, status="disabled")
        for name in disabled
    )
    return attrs.evolve(made, plugins=(*made.plugins, *left_out))


def refused(what: Settings, plugins: Registry) -> str:
    """What is said of plugins that are left out."""
    with pytest.raises(ConfigurationError) as caught:
        check_needed(what, plugins)
    return caught.value.message


def test_leaving_out_adds_to_the_file(tmp_path: Path) -> None:
    """What the option names is disabled as if the file named it too, once."""
    first = settings(tmp_path, "masking")
    again = without_plugins(first, ["left_overs", "masking", "left_overs"])
    assert ("masking", "left_overs") == again.plugins.disable
    assert first is without_plugins(first, [])


def test_another_plugin_may_provide_the_same(tmp_path: Path) -> None:
    """A plugin can be replaced: what matters is that somebody provides what is needed."""
    ours = module(etlkit_strategies=etlkit_strategies)
    check_needed(settings(tmp_path, "full_table"), registry(ours, threads, disabled=("full_table",)))


def test_what_nobody_needs_may_be_left_out(tmp_path: Path) -> None:
    """Other plugins are left out without a word."""
    left = registry(full_table, threads, disabled=("incremental", "importance"))
    check_needed(settings(tmp_path, "incremental", "importance"), left)


def test_the_executor_in_use(tmp_path: Path) -> None:
    """Only the executor in use is needed; a name that is merely wrong is told elsewhere."""
    pairs = module(etlkit_executors=etlkit_executors)
    without_threads = registry(full_table, pairs, disabled=("threads",))
    check_needed(settings(tmp_path, "threads", executor="in_pairs"), without_threads)
    check_needed(
        settings(tmp_path, "incremental", executor="in_piars"),
        registry(full_table, disabled=("incremental",)),
    )
    expected = (
        "--no-plugin leaves out `in_pairs`, and no other plugin provides the executor `in_pairs`, which loads the "
        "tables of a run (`run.executor`); do without the option, or install another plugin that provides it"
    )
    left = registry(full_table, threads, disabled=("in_pairs",))
    assert expected == refused(settings(tmp_path, "in_pairs", executor="in_pairs"), left)


def test_file_and_option_together(tmp_path: Path) -> None:
    """Where it is not known which of several provided it, all are named with both places; each need is told."""
    text = "plugins:\n  disable:\n  - all_of_ours\n"
    left = registry(incremental, disabled=("all_of_ours", "more_of_ours"))
    both = "`all_of_ours` and `more_of_ours`, and no other plugin provides the"
    end = "; take the one that does off the list, or install another plugin that provides it"
    expected = (
        f"{tmp_path}/etlkit.yml:3: `plugins.disable` and --no-plugin leave out {both} executor `threads`, which loads "
        f"the tables of a run (`run.executor`){end}\n"
        f"{tmp_path}/etlkit.yml:3: `plugins.disable` and --no-plugin leave out {both} strategy `full_table`, by which "
        f"tables are loaded that nobody chose anything for, or that no other strategy can serve{end}"
    )
    assert expected == refused(settings(tmp_path, "all_of_ours", "more_of_ours", written=text), left)
