"""`etlkit plugins list` shows every plugin, also when some are broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from etlkit.cli import main

STRATEGY = """
from etlkit import Everything, Fit, LoadPlan, Strategy, Write, hookimpl

def fits(table):
    return Fit(cost=1, reason="always")

def plan(table, state):
    return LoadPlan(table=table.name, strategy="sure", read=Everything(), write=Write.REPLACE, reason="all")

@hookimpl
def etlkit_strategies():
    yield Strategy(name="sure", summary="Everything.", fits=fits, plan=plan)

@hookimpl
def etlkit_run_finished(event):
    pass
"""


def install(folder: Path, name: str, source: str) -> None:
    """Put a distribution of one plugin where Python finds it."""
    (folder / f"installed_{name}.py").write_text(source)
    info = folder / f"dist_{name}-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-{name}\nVersion: 2.1\n")
    (info / "entry_points.txt").write_text(f"[etlkit.plugins]\n{name} = installed_{name}\n")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a plugin that works and one that cannot be imported, and no deployment."""
    packages = tmp_path / "packages"
    packages.mkdir()
    install(packages, "good", STRATEGY)
    install(packages, "bad", "import no_such_module\n")
    monkeypatch.syspath_prepend(str(packages))
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


PROBLEM = (
    "plugin `bad` (dist-bad 2.1): cannot be imported: raised ModuleNotFoundError: No module named 'no_such_module' "
    "(installed_bad.py, line 1); update or uninstall dist-bad, or name `bad` under `plugins.disable` in etlkit.yml"
)


def test_list(installed: Path) -> None:
    """Each plugin has a row; what is wrong with a broken one stands below, and the exit code is 0."""
    result = CliRunner().invoke(main, ["plugins", "list", "-C", str(installed)])
    rows = {line.split()[0]: line.split(maxsplit=5)[1:] for line in result.stdout.splitlines() if line}
    assert (0, "") == (result.exit_code, result.stderr)
    assert ["dist-good", "2.1", "active", "no", "strategies: sure; observes run finished"] == rows["good"]
    assert ["dist-bad", "2.1", "broken", "no"] == rows["bad"]
    assert ["active", "no", "strategies: full_table"] == rows["full_table"][2:]
    assert result.stdout.endswith(f"\n\n{PROBLEM}\n")


def test_json(installed: Path) -> None:
    """`--json` prints one document with a plugin's origin, state and what it provides."""
    result = CliRunner().invoke(main, ["plugins", "list", "--json", "-C", str(installed)])
    document = json.loads(result.stdout)
    plugins = {each["plugin"]: each for each in document["plugins"]}
    assert ["plugins", "lock", "problems"] == list(document)
    assert {
        "plugin": "good",
        "distribution": "dist-good",
        "version": "2.1",
        "module": "installed_good",
        "status": "active",
        "locked": "no",
        "provides": {"etlkit_strategies": ["sure"], "etlkit_run_finished": []},
        "error": None,
    } == plugins["good"]
    assert ("broken", PROBLEM) == (plugins["bad"]["status"], plugins["bad"]["error"])
    assert [] == document["problems"]


def test_of_a_deployment(installed: Path) -> None:
    """What a deployment disables is shown as disabled, whatever else its file lacks; an unknown name is told."""
    (installed / "etlkit.yml").write_text(
        'deployment: north\nsource: {url: "${NOT_SET}"}\nplugins: {disable: [bad, threats]}\n'
    )
    result = CliRunner().invoke(main, ["plugins", "list", "--json", "-C", str(installed)])
    document = json.loads(result.stdout)
    assert ["disabled"] == [each["status"] for each in document["plugins"] if each["plugin"] == "bad"]
    problem = "`plugins.disable` in etlkit.yml names `threats`, but no such plugin is there; did you mean `threads`?"
    assert [problem] == document["problems"]


def test_wrong_section(installed: Path) -> None:
    """A section `plugins` that cannot be meant is a warning with file and line."""
    (installed / "etlkit.yml").write_text("plugins: {disabled: [bad]}\n")
    result = CliRunner().invoke(main, ["plugins", "list", "-C", str(installed)])
    assert 0 == result.exit_code
    assert (
        f"Warning: {installed / 'etlkit.yml'}:1: `plugins` has no key `disabled` (did you mean `disable`?); the "
        "plugins are shown as if the file disabled none\n"
    ) == result.stderr


def test_unreadable_deployment(installed: Path) -> None:
    """A broken etlkit.yml is a warning only: the list must always work."""
    (installed / "etlkit.yml").write_text("deployment: [\n")
    result = CliRunner().invoke(main, ["plugins", "list", "-C", str(installed)])
    assert 0 == result.exit_code
    assert result.stderr.startswith(f"Warning: {installed / 'etlkit.yml'}")
    assert result.stderr.endswith("; the plugins are shown as if the file disabled none\n")
    assert "full_table" in result.stdout
