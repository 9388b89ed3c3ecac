"""Names of a new plugin: what a person typed, as its distribution and its module are called."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator

import attrs
from packaging.version import Version

from etlkit.config.structure import quoted
from etlkit.errors import ConfigurationError
from etlkit.providers import announced
from etlkit.wording import one_line

_FORM = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|[-_](?=[A-Za-z0-9]))*")
_LONGEST = 30  # a line of the module that holds the name stays within a line's length
_OWN = frozenset({"build", "conftest", "dist", "setup", "tests"})
"""Names that files and folders of the new distribution have themselves."""
_KERNEL = "etlkit-core"


@attrs.frozen(kw_only=True)
class Names:
    """How one plugin is called in each place that needs a name."""

    distribution: str
    """What pip installs: `acme-rules`."""
    module: str
    """What Python imports, and the plugin's own name: `acme_rules`."""


def names_of(typed: str) -> Names:
    """Make the names of a new plugin.

    Args:
        typed: such as `acme_rules` or `Acme-Rules`, which are the same.

    Returns:
        The names, lower-case; the distribution's with `-` and the module's with `_` between words.

    Raises:
        ConfigurationError: no module can be called so, or something else is called so already.
    """
    shown = quoted(one_line(typed)) if typed else "an empty name"
    if not _FORM.fullmatch(typed) or len(typed) > _LONGEST:
        raise ConfigurationError(
            f"a plugin cannot be called {shown}: its name has letters and digits with single `-` or `_` between "
            f"them, begins with a letter and has at most {_LONGEST} characters; choose one such as `acme_rules`"
        )
    module = typed.lower().replace("-", "_")
    for reason in _reasons(module):
        raise ConfigurationError(f"a plugin cannot be called {shown}: {reason}; choose another name")
    return Names(distribution=module.replace("_", "-"), module=module)


def requirement() -> str:
    """Word which versions of etlkit a plugin that is written today works with.

    Returns:
        This version and all later ones up to the next major one: `etlkit-core>=0.1,<1`.
    """
    version = Version(importlib.metadata.version(_KERNEL))
    return f"{_KERNEL}>={version.major}.{version.minor},<{version.major + 1}"


def _reasons(module: str) -> Iterator[str]:
    """Say why a name is not free."""
    if keyword.iskeyword(module):
        yield f"`{module}` is a keyword of Python"
    if module in sys.stdlib_module_names:
        yield f"Python itself has a module `{module}`"
    if module in _OWN:
        yield f"`{module}` has a meaning of its own in a distribution's folder"
    if module == _KERNEL.replace("-", "_"):
        yield f"`{_KERNEL}` is etlkit itself"
    for each in announced():
        if each.info.name == module:
            yield f"the plugin {each.info.origin} is called so already"
    # Only looked for, not imported. A folder without code is found as well, and has no origin.
    found = importlib.util.find_spec(module)
    if found is not None and found.origin is not None:
        yield f"a module `{module}` is installed already"
