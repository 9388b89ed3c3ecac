"""`etlkit plugins new` writes a plugin under a name that can be used, and never over something else."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from packaging.requirements import Requirement
from packaging.version import Version

import etlkit
from etlkit.cli import main
from etlkit.errors import ConfigurationError
from etlkit.scaffold import naming
from etlkit.scaffold.distribution import FILES, new_distribution
from etlkit.scaffold.naming import Names, names_of, requirement
from support.plugin_docs import HOOKS

ROOT = Path(__file__).resolve().parents[2]
LONGEST = "a23456789-123456789_1234567890"
FORM = (
    "its name has letters and digits with single `-` or `_` between them, begins with a letter and has at most 30 "
    "characters; choose one such as `acme_rules`"
)


def new(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["plugins", "new", *arguments])


@pytest.mark.parametrize("typed", ["acme_rules", "acme-rules", "Acme-Rules", "ACME_rules"])
def test_names(typed: str) -> None:
    """However it is typed, the distribution has `-`, the module `_`, and both are lower-case."""
    assert Names(distribution="acme-rules", module="acme_rules") == names_of(typed)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", f"a plugin cannot be called an empty name: {FORM}"),
        ("acme rules", f"a plugin cannot be called `acme rules`: {FORM}"),
        ("2acme", f"a plugin cannot be called `2acme`: {FORM}"),
        ("acme_", f"a plugin cannot be called `acme_`: {FORM}"),
        ("acme__rules", f"a plugin cannot be called `acme__rules`: {FORM}"),
        ("../acme", f"a plugin cannot be called `../acme`: {FORM}"),
        ("zahnärzte", f"a plugin cannot be called `zahnärzte`: {FORM}"),
        ("a\nb", f"a plugin cannot be called `a\\nb`: {FORM}"),
        (f"{LONGEST}1", f"a plugin cannot be called `{LONGEST}1`: {FORM}"),
        (
            "Class",
            "a plugin cannot be called `Class`: `class` is a keyword of Python; choose another name",
        ),
        (
            "email",
            "a plugin cannot be called `email`: Python itself has a module `email`; choose another name",
        ),
        (
            "tests",
            (
                "a plugin cannot be called `tests`: `tests` has a meaning of its own in a distribution's folder; "
                "choose another name"
            ),
        ),
        (
            "etlkit-core",
            "a plugin cannot be called `etlkit-core`: `etlkit-core` is etlkit itself; choose another name",
        ),
        (
            "etlkit",
            "a plugin cannot be called `etlkit`: a module `etlkit` is installed already; choose another name",
        ),
        (
            "PyMySQL",
            "a plugin cannot be called `PyMySQL`: a module `pymysql` is installed already; choose another name",
        ),
        (
            "masking",
            (
                "a plugin cannot be called `masking`: the plugin `masking` (etlkit-core 0.1.0) is called so "
                "already; choose another name"
            ),
        ),
    ],
)
def test_names_that_cannot_be_used(typed: str, sentence: str, tmp_path: Path) -> None:
    """A name that Python, pip, etlkit or the folder itself could not use is refused, and nothing is written."""
    done = new(typed, "-C", str(tmp_path))
    assert (2, f"Error: {sentence}\n") == (done.exit_code, done.stderr)
    assert [] == [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("version", "expected"),
    [("0.1.0", ">=0.1,<1"), ("0.12.3", ">=0.12,<1"), ("1.4.2", ">=1.4,<2"), ("3.0.0rc1", ">=3.0,<4")],
)
def test_versions_of_etlkit(version: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin works with the version it was made for, and with all up to the next major one."""
    monkeypatch.setattr(naming.importlib.metadata, "version", {"etlkit-core": version}.__getitem__)
    assert f"etlkit-core{expected}" == requirement()


def test_this_version_is_among_them() -> None:
    """What is generated can be installed beside the etlkit that generated it."""
    assert Version(naming.importlib.metadata.version("etlkit-core")) in Requirement(requirement()).specifier


def test_every_hook_is_shown(tmp_path: Path) -> None:
    """The module has one of each hook: a hook that is new in etlkit cannot be forgotten here."""
    new_distribution("acme_rules", tmp_path)
    module = ast.parse((tmp_path / "acme_rules.py").read_text(encoding="utf-8"))
    shown = [
        node.name
        for node in module.body
        if isinstance(node, ast.FunctionDef)
        and [ast.unparse(each) for each in node.decorator_list] == ["hookimpl"]
    ]
    assert sorted(HOOKS) == sorted(shown)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert [] == [hook for hook in HOOKS if f"`{hook}`" not in readme]


def test_every_object_bears_the_plugins_name(tmp_path: Path) -> None:
    """Two plugins that were made so can be installed together: no name is provided twice."""
    new_distribution("acme_rules", tmp_path)
    module = ast.parse((tmp_path / "acme_rules.py").read_text(encoding="utf-8"))
    names = {
        ast.unparse(node.func): ast.literal_eval(keyword.value)
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "name"
    }
    assert "slow_minutes" == names.pop("Option")
    assert len(names) == len([hook for hook in HOOKS if hook.endswith("s") and hook != "etlkit_options"])
    assert [] == [name for name in names.values() if not name.startswith("acme_rules_")]


def test_every_template_is_used() -> None:
    """No template is left behind, and each file has one."""
    there = {
        each.name for each in resources.files("etlkit.scaffold").iterdir() if each.name.endswith(".template")
    }
    assert there == set(FILES.values())


def test_only_the_public_api_is_imported(tmp_path: Path) -> None:
    """Whoever begins with it depends on nothing of etlkit that may change."""
    done = new_distribution("acme_rules", tmp_path)
    found = [
        (node.module, alias.name)
        for path in done.files
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "etlkit"
        for alias in node.names
    ]
    assert {"etlkit", "etlkit.testing"} == {module for module, _ in found}
    assert [] == [name for module, name in found if module == "etlkit" and name not in etlkit.__all__]


def test_files_are_named_and_told(tmp_path: Path) -> None:
    """The command tells each file that it wrote, and where to read on."""
    folder = tmp_path / "Acme-Rules"
    done = new("Acme-Rules", "-C", str(tmp_path))
    files = [
        *("pyproject.toml", "README.md", "acme_rules.py", "conftest.py"),
        *("tests/test_acme_rules.py", ".gitignore"),
    ]
    told = [
        *(f"Wrote {folder / each}" for each in files),
        f"Next: {folder}/README.md says how to test and use it",
    ]
    assert (0, told, "") == (done.exit_code, done.stdout.splitlines(), done.stderr)
    assert sorted(files) == sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    assert [] == [
        path for path in folder.rglob("*") if path.is_file() and "$" in path.read_text(encoding="utf-8")
    ]


def test_json(tmp_path: Path) -> None:
    """Programs are told the names, the folder and the files."""
    folder = tmp_path / "somewhere" / "else"
    done = new("acme_rules", "--into", str(folder), "--json")
    told = json.loads(done.stdout)
    assert 0 == done.exit_code
    assert str(folder / "acme_rules.py") in told.pop("written")
    assert {"plugin": "acme_rules", "distribution": "acme-rules", "folder": str(folder)} == told


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """A folder that was made for it, or that a repository was begun in, may be there already."""
    (tmp_path / "acme_rules").mkdir()
    assert 0 == new("acme_rules", "-C", str(tmp_path)).exit_code


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder that holds anything is refused and left as it is."""
    folder = tmp_path / "acme_rules"
    folder.mkdir()
    (folder / "mine").touch()
    done = new("acme_rules", "-C", str(tmp_path))
    sentence = (
        f"Error: {folder}: the folder is not empty, and nothing in it is overwritten; choose another one with "
        "`--into`\n"
    )
    assert (2, sentence) == (done.exit_code, done.stderr)
    assert [folder / "mine"] == [*folder.iterdir()]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """What the system says is told, with what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError) as raised:
        new_distribution("acme_rules", tmp_path / "file" / "acme_rules")
    assert (
        f"{tmp_path}/file/acme_rules: cannot be written (Not a directory); choose another folder with `--into`, or "
        "make room there"
    ) == str(raised.value)


@pytest.mark.parametrize("name", ["ab", LONGEST])
def test_it_is_clean(name: str, tmp_path: Path) -> None:
    """Short name or long, what is written passes the checks that etlkit's own code passes."""
    new_distribution(name, tmp_path)
    ruff = (sys.executable, "-m", "ruff")
    config = ("--config", str(ROOT / "pyproject.toml"), "--no-cache")
    # Nothing of etlkit is the author's own, and a contract's function takes all of its arguments.
    own = ("--config", "lint.isort.known-first-party = []", "--extend-ignore", "ARG001")
    for command in ((*ruff, "check", *config, *own, "."), (*ruff, "format", "--check", *config, ".")):
        checked(command, tmp_path)


def test_it_is_typed(tmp_path: Path) -> None:
    """The module and its tests pass `mypy --strict`."""
    new_distribution("acme_rules", tmp_path)
    checked((sys.executable, "-m", "mypy", "--strict", f"--cache-dir={os.devnull}", "."), tmp_path)


def checked(command: Sequence[str], folder: Path) -> None:
    """Run a check in a folder, and show what it says when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
