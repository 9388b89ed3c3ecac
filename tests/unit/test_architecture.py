"""What belongs where: the rules of the layout, read from the sources themselves."""

from __future__ import annotations

import ast
import configparser
import fnmatch
import importlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import etlkit

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"core": "etlkit", "plugins": "etlkit.plugins", "config": "etlkit.config"}
SETTINGS = configparser.ConfigParser()
SETTINGS.read(ROOT / "setup.cfg", encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MOST_LINES = 350
IMPORT_NAMES = {
    "prometheus-client": "prometheus_client",
    "psycopg2-binary": "psycopg2",
    "python-dotenv": "dotenv",
    "pyyaml": "yaml",
}
OBSERVERS = ROOT / "plugins" / "observers"
EXTRAS = PROJECT["project"]["optional-dependencies"]


def import_names(requirements: list[str]) -> set[str]:
    """The packages that distributions bring."""
    names = (Requirement(each).name.lower() for each in requirements)
    return {IMPORT_NAMES.get(name, name) for name in names}


DEPENDENCIES = import_names(PROJECT["project"]["dependencies"])
OF_OBSERVERS = import_names([*EXTRAS["metrics"], *EXTRAS["alerts"]])

KNOWS_NOTHING_OF = {
    "etlkit.discovery": [
        "etlkit.loading",
        "etlkit.replication",
        "etlkit.transfer",
        "etlkit.orchestration",
        "etlkit.cli",
    ],
    "etlkit.transfer": ["etlkit.loading", "etlkit.replication", "etlkit.orchestration", "etlkit.cli"],
    "etlkit.loading": ["etlkit.replication", "etlkit.orchestration", "etlkit.cli"],
    "etlkit.replication": ["etlkit.orchestration", "etlkit.verification", "etlkit.cli"],
    "etlkit.orchestration": ["etlkit.cli"],
    "etlkit.verification": ["etlkit.cli"],
    "etlkit.config": [
        "etlkit.discovery",
        "etlkit.loading",
        "etlkit.replication",
        "etlkit.transfer",
        "etlkit.orchestration",
        "etlkit.cli",
    ],
}
"""One direction only: what each package must not import."""


def sources(*folders: str) -> list[Path]:
    """The Python files below some folders of the root."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    """The module that a file becomes when it is installed."""
    folder, *rest = path.relative_to(ROOT).with_suffix("").parts
    return ".".join([FOLDERS[folder], *rest]).removesuffix(".__init__")


def imports(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, module and name (or nothing) of every import in a file, wherever in the file it stands."""
    inside = path.relative_to(ROOT).parts[0] in FOLDERS
    package = module_of(path) if inside else ""
    if path.name != "__init__.py":
        package = package.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield from ((node.lineno, module, alias.name) for alias in node.names)


def within(module: str, package: str) -> bool:
    """Whether a module is a package or lies in it."""
    return module == package or module.startswith(f"{package}.")


def broken(path: Path, line: int, what: str) -> str:
    """Where a rule is broken, as a person finds it."""
    return f"{path.relative_to(ROOT)}:{line} {what}"


def test_the_kernel_does_not_know_its_plugins() -> None:
    """Built-in plugins are found by their entry points, like anybody's; the kernel imports none."""
    found = [
        broken(path, line, module)
        for path in sources("core", "config")
        for line, module, name in imports(path)
        if within(module, "etlkit.plugins") or (module, name) == ("etlkit", "plugins")
    ]
    assert [] == found


def test_built_in_plugins_import_only_what_a_third_party_can() -> None:
    """They use the public API, their own package and the declared dependencies, and nothing else of etlkit."""
    found = []
    for path in sources("plugins"):
        own = ".".join(module_of(path).split(".")[:3])
        for line, module, name in imports(path):
            public = module == "etlkit" and name in etlkit.__all__
            root = module.partition(".")[0]
            optional = OF_OBSERVERS if OBSERVERS in path.parents else set()
            foreign = root in sys.stdlib_module_names or root in DEPENDENCIES | optional
            if not (public or foreign or module == "etlkit.testing" or within(module, own)):
                found.append(broken(path, line, f"{module} {name}"))
    assert [] == found


def test_built_in_plugins_open_no_connection() -> None:
    """What a plugin answers is computed from what it is shown; the kernel reads and writes, and observers tell."""
    drivers = {"pymysql", "psycopg2", "socket", "subprocess", "http", "urllib"}
    found = [
        broken(path, line, module)
        for path in sources("plugins")
        if OBSERVERS not in path.parents
        for line, module, name in imports(path)
        if module.partition(".")[0] in drivers or name in {"create_engine", "Engine", "Connection"}
    ]
    assert [] == found


def test_the_example_imports_only_the_public_api() -> None:
    """Whoever copies the example depends on nothing that may change."""
    found = [
        broken(path, line, f"{module} {name}")
        for path in sources("examples")
        for line, module, name in imports(path)
        if within(module, "etlkit")
        and not (module == "etlkit.testing" or (module == "etlkit" and name in etlkit.__all__))
    ]
    assert [] == found


def test_nobody_imports_the_folders_by_their_names() -> None:
    """`core`, `plugins` and `config` are folders of the sources; the packages are called etlkit."""
    found = [
        broken(path, line, module)
        for path in sources("core", "plugins", "config", "tests", "examples")
        for line, module, _ in imports(path)
        if module.partition(".")[0] in FOLDERS
    ]
    assert [] == found


@pytest.mark.parametrize("package", KNOWS_NOTHING_OF)
def test_packages_depend_in_one_direction(package: str) -> None:
    """Discovery knows nothing of loading, loading nothing of the run, and nothing knows the command line."""
    found = [
        broken(path, line, module)
        for path in sources("core", "config")
        if within(module_of(path), package)
        for line, module, name in imports(path)
        for forbidden in KNOWS_NOTHING_OF[package]
        if within(module, forbidden) or within(f"{module}.{name}", forbidden)
    ]
    assert [] == found


def test_every_package_is_installed() -> None:
    """setup.cfg lists the packages by hand; a forgotten one would be missing in the wheel only."""
    in_tree = sorted({module_of(path.parent / "__init__.py") for path in sources(*FOLDERS)})
    assert in_tree == SETTINGS["options"]["packages"].split()
    without = [str(path.parent) for path in sources(*FOLDERS) if not (path.parent / "__init__.py").exists()]
    assert [] == without
    mapped = dict(line.split(" = ") for line in SETTINGS["options"]["package_dir"].strip().splitlines())
    assert {package: folder for folder, package in FOLDERS.items()} == mapped


def test_every_file_beside_the_modules_is_installed() -> None:
    """Data is found in the wheel by patterns of setup.cfg; a file that none matches would be missing."""
    patterns = SETTINGS["options.package_data"]["*"].split()
    left_out = [
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
        if not any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns)
    ]
    assert [] == left_out


def test_every_plugin_is_announced() -> None:
    """A module with a hook is an entry point, once; nothing is announced that is not there."""
    with_hooks = sorted(
        module_of(path)
        for path in sources("plugins")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(each).startswith("hookimpl") for each in node.decorator_list)
    )
    announced = PROJECT["project"]["entry-points"]["etlkit.plugins"]
    assert sorted(set(with_hooks)) == sorted(announced.values())


def test_the_root_holds_what_was_agreed() -> None:
    """A reader finds the room from the list of folders, so there is nothing beside them."""
    agreed = {
        *(".ci", ".git", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "setup.cfg"),
        *("config", "core", "docs", "examples", "plugins", "tests"),
    }
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()]
    found = {
        path.name
        for path in ROOT.iterdir()
        if not any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored)
    }
    assert agreed == found | {".git"}


def test_modules_are_of_one_idea() -> None:
    """A module that grows past the limit has become two."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in sources(*FOLDERS)
    }
    assert {} == {path: lines for path, lines in lengths.items() if lines > MOST_LINES}


def put_together(argument: ast.expr) -> bool:
    """Whether a text is made of parts where it is passed on."""
    return any(
        isinstance(each, ast.JoinedStr | ast.BinOp)
        or (isinstance(each, ast.Attribute) and each.attr in {"format", "join", "replace"})
        for each in ast.walk(argument)
    )


def test_sql_is_not_put_together_from_strings() -> None:
    """Text given to SQLAlchemy's `text` is written out: identifiers and values reach SQL by its own means."""
    found = [
        broken(path, node.lineno, ast.unparse(node))
        for path in sources(*FOLDERS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name | ast.Attribute)
        and (node.func.id if isinstance(node.func, ast.Name) else node.func.attr) in {"text", "DDL"}
        and any(put_together(each) for each in node.args)
    ]
    assert [] == found


def test_the_public_api_is_complete() -> None:
    """All that is announced can be imported, and nothing is announced twice."""
    assert sorted(set(etlkit.__all__)) == sorted(etlkit.__all__)
    assert [] == [name for name in etlkit.__all__ if not hasattr(etlkit, name)]
    contracts = importlib.import_module("etlkit.contracts")
    own = [
        name
        for name, value in vars(contracts).items()
        if getattr(value, "__module__", "") == contracts.__name__ and not name.startswith("_")
    ]
    assert [] == [name for name in own if name not in etlkit.__all__]
