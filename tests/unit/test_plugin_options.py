"""Options of plugins: who is given which, what is refused, and that no value of them is ever repeated."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from etlkit import RunFinished, TableFinished
from etlkit.cli import main
from etlkit.config import Settings
from etlkit.errors import ConfigurationError, EtlkitError, PluginConflict, PluginError
from etlkit.executing import outcomes
from etlkit.orchestration.deployment import registry_of
from etlkit.orchestration.needed_plugins import without_plugins
from etlkit.plugin_options import GivenOptions
from etlkit.providers import PluginInfo
from etlkit.registry import Registry
from etlkit.testing import table

DECLARED = """
from etlkit import Classifier, Executor, Option, PlanRefused, hookimpl

def problem(options):
    {problem}

@hookimpl
def etlkit_options():
    yield Option(name="level", summary="The level.", problem=problem)
    yield Option(name="token", summary="A secret.")

"""
RUN = RunFinished(run_id="1", deployment="north", exit_code=0, tables=())

SECRET = {"token": "hunter2"}


def module(source: str, problem: str = "return None") -> ModuleType:
    """A plugin `levels` that takes the options `level` and `token`."""
    made = ModuleType("levels")
    exec(compile(DECLARED.format(problem=problem) + source, "levels.py", "exec"), vars(made))  # noqa: S102
    return made


def of(made: ModuleType, **options: str) -> Registry:
    """A registry of the plugin with options."""
    return Registry.of(made, options={"levels": options})


def refusal(made: ModuleType, **options: str) -> EtlkitError:
    """What a registry of the plugin raises; nowhere in it is the secret repeated."""
    with pytest.raises(EtlkitError) as caught:
        of(made, **options)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    return caught.value


CLASSIFIER = """
@hookimpl
def etlkit_classifiers(options):
    yield Classifier(name="own", classify=lambda table: options.get("level"))
"""


def test_a_registration_hook_takes_its_options() -> None:
    """A hook that asks for `options` is given those of its plugin, which nobody can change."""
    own = of(module(CLASSIFIER), level="critical").classifiers[0]
    assert "critical" == own.item.classify(table("patient"))
    assert of(module(CLASSIFIER)).classifiers[0].item.classify(table("patient")) is None
    with pytest.raises(TypeError):
        own.plugin.options.reveal()["level"] = "x"  # type: ignore[index]


def test_an_observer_takes_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments are passed by their names, in whatever order the observer takes them."""
    source = (
        "@hookimpl\ndef etlkit_run_finished(options, event):\n    print(event.deployment, options['level'])\n"
    )
    of(module(source), level="high").notify(RUN)
    assert "north high\n" == capsys.readouterr().out


def test_options_belong_to_a_plugin() -> None:
    """Two plugins may take options of the same name; one plugin may not name one twice."""
    other = module(CLASSIFIER.replace('"own"', '"other"'))
    other.__name__ = "others"
    registry = Registry.of(module(CLASSIFIER), other, options={"others": {"level": "audit"}})
    assert [None, "audit"] == [
        each.item.classify(table("patient"))
        for each in sorted(registry.classifiers, key=lambda each: each.plugin.name)
    ]
    twice = module("for each in []: pass")
    vars(twice)["problem"] = None
    source = "\n@hookimpl\ndef etlkit_options():\n    yield from [Option(name='a', summary='A.')] * 2\n"
    error = refusal(module(source))
    assert isinstance(error, PluginConflict)
    assert (
        "option `a` is provided more than once, in hook `etlkit_options`: by plugin `levels` (not installed) and "
        "by plugin `levels` (not installed); uninstall one of them, or name `levels` under `plugins.disable` in "
        "etlkit.yml"
    ) == str(error)


@pytest.mark.parametrize(
    ("options", "problem", "expected"),
    [
        ({"leval": "hunter2"}, "", "` has no key `leval` (did you mean `level`?)"),
        ({"x://hunter2": "1"}, "", "` has no key of that name (known keys: `level`, `token`)"),
        ({"level": "hunter2"}, "return 'must be high'", ".level` must be high"),
        ({"level": "hunter2"}, "return f'is {options}'", ".level` is {'level': '***'}"),
        ({"level": "x", "token": "hunter2"}, "return options['token']", ".level` ***"),
    ],
)
def test_options_that_a_plugin_does_not_take(options: dict[str, str], problem: str, expected: str) -> None:
    """A key that it does not name, and a value that it refuses, are problems of the configuration."""
    error = refusal(module(CLASSIFIER, problem or "return None"), **options)
    assert (ConfigurationError.exit_code, f"`plugins.options.levels{expected}") == (
        error.exit_code,
        str(error),
    )


def test_all_problems_are_told_at_once() -> None:
    """Several wrong options are several lines, and the other hooks are not called with them."""
    source = "@hookimpl\ndef etlkit_classifiers(options):\n    raise RuntimeError('called')\n"
    error = refusal(module(source, "return 'is wrong'"), level="1", b="2")
    assert isinstance(error, ConfigurationError)
    assert (
        "`plugins.options.levels.level` is wrong\n"
        "`plugins.options.levels` has no key `b` (known keys: `level`, `token`)"
    ) == str(error)


def test_a_check_that_fails() -> None:
    """What a check of an option raises is the plugin's failure."""
    error = refusal(module(CLASSIFIER, "raise ValueError(options['level'])"), level="hunter2")
    assert isinstance(error, PluginError)
    expected = "hook `etlkit_options`: raised ValueError: *** (levels.py, line 5); correct the module"
    assert f"plugin `levels` (not installed), {expected}" == str(error)


def test_options_of_nobody() -> None:
    """Options of a plugin that is not there, or takes none, are refused."""
    with pytest.raises(ConfigurationError) as caught:
        Registry.of(module(CLASSIFIER), options={"level": {"a": "1"}})
    assert "`plugins.options` names `level`, but no such plugin is there; did you mean `levels`?" == str(
        caught.value
    )
    none = ModuleType("none")
    exec("from etlkit import hookimpl\n@hookimpl\ndef etlkit_run_finished(event): pass", vars(none))  # noqa: S102
    with pytest.raises(ConfigurationError) as caught:
        Registry.of(none, options={"none": {"a": "1"}})
    assert "`plugins.options` names `none`, which takes no options; take them out" == str(caught.value)
    assert Registry.of(none, options={"none": {}}).plugins


def test_options_that_the_plugin_does_not_name() -> None:
    """A plugin that takes options names them, so that a slip of a key can be told."""
    unnamed = ModuleType("unnamed")
    source = "from etlkit import hookimpl\n@hookimpl\ndef etlkit_run_finished(event, options): pass"
    exec(source, vars(unnamed))  # noqa: S102
    with pytest.raises(PluginError) as caught:
        Registry.of(unnamed)
    assert (
        "plugin `unnamed` (not installed), hook `etlkit_run_finished`: takes `options`, but no hook "
        "`etlkit_options` of the plugin names any; correct the module"
    ) == str(caught.value)


FAILING = {
    "registration": "@hookimpl\ndef etlkit_classifiers(options):\n    raise KeyError(options['token'])\n",
    "from another": (
        "@hookimpl\ndef etlkit_classifiers(options):\n"
        "    try:\n        raise KeyError(options['token'])\n"
        "    except KeyError as error:\n        raise RuntimeError('no') from error\n"
    ),
}


@pytest.mark.parametrize("source", FAILING.values(), ids=FAILING)
def test_a_failing_registration_repeats_no_option(source: str) -> None:
    """Neither the message nor what it was raised from."""
    error = refusal(module(source), **SECRET)
    assert str(error).startswith("plugin `levels` (not installed), hook `etlkit_classifiers`: raised ")


def test_a_failing_observer_repeats_no_option(caplog: pytest.LogCaptureFixture) -> None:
    """Not in the log either, however much of it is asked for."""
    source = (
        "@hookimpl\ndef etlkit_run_finished(event, options):\n    raise OSError(f'no {options[\"token\"]}')\n"
    )
    with caplog.at_level(logging.DEBUG):
        of(module(source), **SECRET).notify(RUN)
    assert "raised OSError: no *** (levels.py, line 14); the run goes on without it" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("kind", ["ValueError", "PlanRefused"])
def test_a_failing_object_repeats_no_option(kind: str) -> None:
    """What a plugin provides is scrubbed as long as it is used, whatever it raises."""
    source = (
        f"@hookimpl\ndef etlkit_classifiers(options):\n    def classify(table):\n"
        f"        raise {kind}('no ' + options['token'])\n"
        f"    yield Classifier(name='own', classify=classify)\n"
        f"@hookimpl\ndef etlkit_executors(options):\n    def run(load, tables, workers):\n"
        f"        raise {kind}('no ' + options['token'])\n"
        f"        yield\n"
        f"    yield Executor(name='own', summary='Own.', run=run)\n"
    )
    registry = of(module(source), **SECRET)
    with pytest.raises(EtlkitError) as classified:
        registry.classifiers[0].call("classify", table("patient"), expecting=str)
    with pytest.raises(EtlkitError) as executed:
        list(outcomes(registry.executor("own"), lambda name: TableFinished(table=name), ["a"], 1))
    for caught in (classified, executed):
        assert "no ***" in str(caught.value)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_what_is_scrubbed() -> None:
    """Long texts anywhere, their words alone, short ones where they are words, and forms with escapes."""
    options = GivenOptions({"urls": "json://a/b  mail://c", "on": "x1", "odd": "a\n\tbcd"})
    assert '*** and ***, *** but ax1, "***"' == options.scrubbed(
        'json://a/b and mail://c, x1 but ax1, "a\\n\\tbcd"'
    )
    assert "***" == options.scrubbed("json://a/b  mail://c")
    address = GivenOptions({"url": "https://me:pw1@hooks.example/T0KEN%2B99/a?key=hunter2"})
    assert "POST /***/a?key=*** as me with *** and *** to host ***" == address.scrubbed(
        "POST /T0KEN%2B99/a?key=hunter2 as me with pw1 and T0KEN+99 to host hooks.example"
    )


def test_options_show_themselves_to_nobody() -> None:
    """They are in no text of the registry, and in no pickle."""
    registry = of(module(CLASSIFIER), **SECRET)
    assert "hunter2" not in repr(registry)
    [info] = registry.plugins
    assert ("level", "token") == info.provides["etlkit_options"]
    with pytest.raises(TypeError, match="options of plugins are not written into pickles"):
        info.options.__reduce__()
    assert not PluginInfo(name="a", distribution="", version="", module="a").options


SETTINGS = """deployment: north
source: {url: "mysql://u@localhost/od"}
warehouse: {url: "postgresql://u@localhost/wh"}
plugins:
  disable: [role_names]
  options:
    alerts:
      urls: "json://${TOKEN}@h"
      on: "${TOKEN}"
      "off": never
    alarts: {urls: json://h}
    role_names: {a: b}
    threads: {a: b}
"""


def test_problems_are_told_with_their_lines(tmp_path: Path) -> None:
    """Whatever is wrong with options is told at once, with file and line, and with exit code 2."""
    (tmp_path / "etlkit.yml").write_text(SETTINGS, encoding="utf-8")
    settings = Settings.load(tmp_path, {"TOKEN": "hunter2"})
    with pytest.raises(ConfigurationError) as caught:
        registry_of(settings)
    file = tmp_path / "etlkit.yml"
    assert [
        f"{file}:9: `plugins.options.alerts.on` must be `failure`, `watched` or `always`",
        f"{file}:10: `plugins.options.alerts` has no key `off` (known keys: `on`, `urls`)",
        f"{file}:11: `plugins.options` names `alarts`, but no such plugin is there; did you mean `alerts`?",
        (
            f"{file}:12: `plugins.options` names `role_names`, which `plugins.disable` names as well; take it out of "
            "one of them"
        ),
        f"{file}:13: `plugins.options` names `threads`, which takes no options; take them out",
    ] == str(caught.value).splitlines()
    assert ConfigurationError.exit_code == caught.value.exit_code
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_options_of_the_file_reach_the_plugin(tmp_path: Path) -> None:
    """References are replaced before a plugin is given its options."""
    text = SETTINGS.replace('      on: "${TOKEN}"\n      "off": never\n', "").partition("    alarts")[0]
    (tmp_path / "etlkit.yml").write_text(text, encoding="utf-8")
    registry = registry_of(Settings.load(tmp_path, {"TOKEN": "hunter2"}))
    [given] = [each.options for each in registry.plugins if each.name == "alerts"]
    assert {"urls": "json://hunter2@h"} == dict(given.reveal())


def test_options_of_a_plugin_that_is_left_out_for_once(tmp_path: Path) -> None:
    """`--no-plugin` may name a plugin that has options in the file; `plugins.disable` may not."""
    text = (
        SETTINGS.partition("    alarts")[0].replace("${TOKEN}", "always").replace('      "off": never\n', "")
    )
    (tmp_path / "etlkit.yml").write_text(text, encoding="utf-8")
    settings = without_plugins(Settings.load(tmp_path, {}), ["alerts"])
    assert ["disabled"] == [each.status for each in registry_of(settings).plugins if each.name == "alerts"]


def test_options_are_known_where_plugins_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`etlkit plugins` gives the same options to plugins as a run does, and repeats none when they are wrong."""
    (tmp_path / "etlkit.yml").write_text(SETTINGS.partition("    alarts")[0], encoding="utf-8")
    monkeypatch.setenv("TOKEN", "hunter2")
    printed = CliRunner().invoke(main, ["plugins", "list", "-C", str(tmp_path)])
    assert 0 == printed.exit_code
    assert "`plugins.options.alerts.on` must be `failure`, `watched` or `always`" in printed.output
    assert "hunter2" not in printed.output
