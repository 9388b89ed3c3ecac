"""Writing a new plugin distribution: each template of this package, filled with the plugin's names."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

import attrs

from etlkit.errors import ConfigurationError
from etlkit.scaffold.naming import Names, names_of, requirement

FILES: Mapping[str, str] = {
    "pyproject.toml": "pyproject.toml.template",
    "README.md": "README.md.template",
    "${module}.py": "plugin.py.template",
    "conftest.py": "conftest.py.template",
    "tests/test_${module}.py": "test_plugin.py.template",
    ".gitignore": "gitignore.template",
}
"""Per file of the distribution the template that it is made from; in both, names stand as `$module`."""


@attrs.frozen(kw_only=True)
class Written:
    """A distribution that was written."""

    names: Names
    """How the plugin is called."""
    folder: Path
    """Where it is."""
    files: tuple[Path, ...]
    """Its files, in the order to read them."""


def new_distribution(name: str, into: Path) -> Written:
    """Write a plugin distribution to begin with.

    Args:
        name: what a person calls the plugin.
        into: the distribution's folder; it is made, or must be empty.

    Returns:
        What was written.

    Raises:
        ConfigurationError: the name cannot be used, the folder holds something, or it cannot be written.
    """
    names = names_of(name)
    texts = _filled(names)
    failure: str
    try:
        if into.exists() and any(into.iterdir()):
            raise ConfigurationError(
                f"{into}: the folder is not empty, and nothing in it is overwritten; choose another one with `--into`"
            )
        for place, text in texts.items():
            path = into / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        failure = error.strerror or "no reason given"
    else:
        return Written(names=names, folder=into, files=tuple(into / place for place in texts))
    raise ConfigurationError(
        f"{into}: cannot be written ({failure}); choose another folder with `--into`, or make room there"
    )


def _filled(names: Names) -> dict[str, str]:
    values = {"distribution": names.distribution, "module": names.module, "requirement": requirement()}
    templates = resources.files(__package__)
    return {
        Template(place).substitute(values): Template(
            templates.joinpath(template).read_text(encoding="utf-8")
        ).substitute(values)
        for place, template in FILES.items()
    }
