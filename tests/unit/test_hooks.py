"""Every hook is documented, its example runs, and its failures are told with plugin, distribution and hook."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import itertools
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import attrs
import pytest

import etlkit
from etlkit import RunFinished, RunStarting, TableFinished, hookspecs
from etlkit.errors import PluginError
from etlkit.plugin_loading import OBSERVERS, REGISTRATIONS
from etlkit.registry import Registry
from etlkit.testing import check_plugin, table
from support.plugin_docs import (
    DOCS,
    HOOKS,
    OVERVIEW,
    SECTIONS,
    example,
    fields,
    hook_row,
    hook_section,
    page_of,
    programs,
    summary,
    type_section,
)

PAGES = [OVERVIEW, *sorted((DOCS / "hooks").glob("*.md"))]
TYPES = [
    value
    for name, value in sorted(vars(etlkit).items())
    if inspect.isclass(value)
    and value.__module__ in ("etlkit.contracts", "etlkit.events", "etlkit.tables")
    and fields(value)
]
EVENTS = {
    "etlkit_run_starting": RunStarting(run_id="1", deployment="north", tables=("patient",)),
    "etlkit_table_finished": TableFinished(table="patient", error="no"),
    "etlkit_run_finished": RunFinished(run_id="1", deployment="north", exit_code=3, tables=()),
}
TOLD = {
    "etlkit_run_starting": "north: 1 tables\n",
    "etlkit_table_finished": "patient failed\n",
    "etlkit_run_finished": "exit code 3\n",
}
NUMBERS = itertools.count()
TABLES = [
    table("claim", "ClaimNum bigint auto_increment", "ApprovedBy bigint"),
    table("userod", "UserNum bigint auto_increment"),
    table("scratch", "Id bigint auto_increment"),
]


@attrs.frozen
class Installed:
    """A distribution as far as the registry asks."""

    name: str = "north-practice"
    version: str = "1.2.0"


Import = Callable[[str], ModuleType]


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    """A function that writes a module and imports it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names: list[str] = []

    def write(source: str) -> ModuleType:
        names.append(f"hook_example_{next(NUMBERS)}")
        (tmp_path / f"{names[-1]}.py").write_text(source, encoding="utf-8")
        return importlib.import_module(names[-1])

    yield write
    for name in names:
        del sys.modules[name]


def announced(module: ModuleType) -> list[tuple[importlib.metadata.EntryPoint, Installed]]:
    """Announce a module as a distribution's plugin `north`."""
    return [(importlib.metadata.EntryPoint("north", module.__name__, hookspecs.GROUP), Installed())]


def test_every_hook_is_known_to_the_registry() -> None:
    """A hook registers a kind of objects or observes an event; nothing is declared and then ignored."""
    assert sorted(HOOKS) == sorted([*REGISTRATIONS, *OBSERVERS.values()])


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_says_what_it_is_for(hook: str) -> None:
    """One sentence, an example, and what a registration hook gives back."""
    text = inspect.cleandoc(HOOKS[hook].__doc__ or "")
    assert re.fullmatch(r"[A-Z][^.]*(`[^`]*`[^.]*)*\.", summary(hook))
    assert "\n\nExample:\n" in text
    assert (hook in REGISTRATIONS) == ("\n\nReturns:\n" in text)


@pytest.mark.parametrize("hook", REGISTRATIONS)
def test_the_example_of_a_registration_runs(imported: Import, hook: str) -> None:
    """The example is a whole plugin: it is registered, provides something, and keeps its contract."""
    module = imported(example(hook))
    registry = Registry.load(entry_points=announced(module))
    [info] = registry.plugins
    assert [hook] == list(info.provides)
    assert len(info.provides[hook]) == 1
    check_plugin(module, tables=TABLES)


@pytest.mark.parametrize("hook", OBSERVERS.values())
def test_the_example_of_an_observer_runs(
    imported: Import, hook: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The example is a whole plugin, and is told what happened."""
    registry = Registry.load(entry_points=announced(imported(example(hook))))
    registry.notify(EVENTS[hook])
    assert TOLD[hook] == capsys.readouterr().out
    assert [] == caplog.messages


WRONG = """
from etlkit import hookimpl

@hookimpl
def {hook}({argument}):
    {statement}
"""
AT = "(hook_example_{number}.py, line 6)"
REMEDY = "update or uninstall north-practice, or name `north` under `plugins.disable` in etlkit.yml"


@pytest.mark.parametrize("hook", REGISTRATIONS)
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("raise ValueError('no')", f"raised ValueError: no {AT}"),
        (
            "yield from (1 // 0 for _ in 'x')",
            f"raised ZeroDivisionError: integer division or modulo by zero {AT}",
        ),
        ("yield 3", "yielded `int`, expected `etlkit.{kind}`"),
        ("return 3", "returned `int`, expected an iterable of `etlkit.{kind}`"),
        ("return None", "returned None, expected an iterable of `etlkit.{kind}`"),
    ],
)
def test_a_failing_registration_names_plugin_distribution_version_and_hook(
    imported: Import, hook: str, statement: str, expected: str
) -> None:
    """Whatever a registration hook does wrong, a person knows whom to ask and what to do."""
    module = imported(WRONG.format(hook=hook, argument="", statement=statement))
    number = module.__name__.rpartition("_")[2]
    with pytest.raises(PluginError) as caught:
        Registry.load(entry_points=announced(module))
    what = expected.format(kind=REGISTRATIONS[hook].__name__, number=number)
    assert f"plugin `north` (north-practice 1.2.0), hook `{hook}`: {what}; {REMEDY}" == str(caught.value)


@pytest.mark.parametrize("hook", OBSERVERS.values())
def test_a_failing_observer_is_logged_with_its_plugin_and_stops_nothing(
    imported: Import, hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A run does not fail because somebody could not be told of it."""
    module = imported(WRONG.format(hook=hook, argument="event", statement="raise OSError('no network')"))
    number = module.__name__.rpartition("_")[2]
    registry = Registry.load(entry_points=announced(module))
    with caplog.at_level(logging.INFO, "etlkit"):
        registry.notify(EVENTS[hook])
    expected = (
        f"plugin `north` (north-practice 1.2.0), hook `{hook}`: raised OSError: no network "
        f"{AT.format(number=number)}; the run goes on without it"
    )
    assert [expected] == caplog.messages


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_page(hook: str) -> None:
    """Its page begins with the hook's sentence, has every section, and the overview leads to it."""
    page = page_of(hook)
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    assert text.startswith(hook_section(hook)), f"{page} begins with:\n{hook_section(hook)}"
    assert list(SECTIONS) == re.findall("^## (.*)$", text, re.MULTILINE)
    assert hook_row(hook) in OVERVIEW.read_text(encoding="utf-8")


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_an_example_and_a_test(hook: str) -> None:
    """Its page shows the example as the code has it, as a file, and a test of that file."""
    named = {each.file: each.source for each in programs(page_of(hook))}
    [file] = [name for name, source in named.items() if source == example(hook)]
    assert file is not None
    assert f"import {file.removesuffix('.py')}\n" in named[f"test_{file}"]
    assert None not in named


def test_no_page_is_left_of_a_hook_that_is_gone() -> None:
    """Each page is a hook's."""
    assert sorted(map(page_of, HOOKS)) == sorted((DOCS / "hooks").iterdir())


@pytest.mark.parametrize("kind", TYPES)
def test_every_contract_is_documented(kind: type) -> None:
    """One page shows each field of each type that crosses the border, as the code has them."""
    section = type_section(kind)
    assert 1 == sum(section in page.read_text(encoding="utf-8") for page in PAGES), section


def test_every_field_has_a_meaning() -> None:
    """A field without a sentence under it is not part of a contract."""
    silent = [
        f"{kind.__name__}.{field.name}"
        for kind in TYPES
        if attrs.has(kind)
        for field in attrs.fields(kind)
        if field.name not in fields(kind)
    ]
    assert [] == silent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_the_programs_in_the_documentation_run(imported: Import, page: Path) -> None:
    """Every Python block is a module that can be imported; the tests among them are run below."""
    plugins = [each for each in programs(page) if "def test_" not in each.source]
    assert plugins
    for each in plugins:
        imported(each.source)


def test_the_tests_in_the_documentation_pass(tmp_path: Path) -> None:
    """The tests that the pages show find the plugins beside them right."""
    expected = set()
    for page in PAGES:
        for number, each in enumerate(programs(page)):
            is_test = "def test_" in each.source
            name = each.file or f"{'test_' if is_test else ''}{page.stem}_{number}.py"
            assert not (tmp_path / name).exists(), f"two programs are called {name}"
            (tmp_path / name).write_text(each.source, encoding="utf-8")
            expected |= {name} if is_test else set()
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-c", os.devnull, "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == result.returncode, result.stdout + result.stderr
    assert expected == set(re.findall(r"^PASSED (?:.*/)?(\w+\.py)::", result.stdout, re.MULTILINE))
    assert len(expected) > len(HOOKS)
