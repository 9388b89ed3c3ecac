"""Who provides what: plugins as their entry points announce them, before any of their code is imported."""

from __future__ import annotations

import importlib.metadata
import traceback
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any, Generic, Literal, Protocol, TypeVar

import attrs
from packaging.utils import canonicalize_name

from etlkit.errors import EtlkitError, PluginError
from etlkit.hookspecs import GROUP
from etlkit.plugin_options import GivenOptions

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_CALLERS = (
    "importlib",
    "importlib.metadata",
    "etlkit.executing",
    "etlkit.plugin_loading",
    "etlkit.providers",
    "etlkit.registry",
)
"""Modules that call plugins; a failure that ends there is not in the plugin's own lines."""

Status = Literal["active", "disabled", "broken"]


class DistributionLike(Protocol):
    """What is asked of an installed distribution; `importlib.metadata.Distribution` has it."""

    @property
    def name(self) -> str:
        """The distribution's name."""

    @property
    def version(self) -> str:
        """The distribution's version."""


EntryPoints = Iterable[tuple[importlib.metadata.EntryPoint, DistributionLike]]
"""Entry points of the group, each with the distribution that announces it."""


def _read_only(given: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType(dict(given))


@attrs.frozen(kw_only=True)
class PluginInfo:
    """One plugin: where it comes from, whether it works, and what it provides."""

    name: str
    """The entry point's name; the name used in `plugins.disable`."""
    distribution: str
    """The distribution that announces it; empty when the module was given directly."""
    version: str
    """The distribution's version."""
    module: str
    """What the entry point names."""
    status: Status = "active"
    """`active`, `disabled` by the configuration and not imported, or `broken`."""
    error: str | None = None
    """What is wrong with a broken plugin, as in the error that stops a run; one problem a line."""
    provides: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, converter=_read_only)
    """Per hook the names it provides; an observer's hook provides none."""
    options: GivenOptions = attrs.field(factory=GivenOptions, repr=False, eq=False)
    """What `plugins.options` gives to it."""

    @property
    def source(self) -> str:
        """The distribution with its version, as messages name it."""
        return f"{self.distribution} {self.version}" if self.distribution else "not installed"

    @property
    def origin(self) -> str:
        """The plugin with its distribution and version, as messages name it."""
        return f"`{self.name}` ({self.source})"

    @property
    def remedy(self) -> str:
        """What a person can do about this plugin, as the end of a message."""
        if not self.distribution:
            return "correct the module"
        disable = f"name `{self.name}` under `plugins.disable` in etlkit.yml"
        return f"update or uninstall {self.distribution}, or {disable}"


@attrs.frozen(kw_only=True)
class Provided(Generic[Item]):
    """An object that a plugin gave to the kernel, with the plugin it came from."""

    item: Item
    """The strategy, classifier, conversion or whatever else a hook yields."""
    plugin: PluginInfo
    """Who provides it."""

    def call(self, part: str, *arguments: Any, expecting: type[Answer] | tuple[type[Answer], ...]) -> Answer:
        """Call one of the object's functions so that its failure names the plugin.

        Args:
            part: the name of the function, such as `plan`.
            *arguments: what it is called with.
            expecting: the class (or classes) that its answer must have.

        Returns:
            The function's answer.

        Raises:
            EtlkitError: as the function raised it.
            PluginError: the function raised anything else, left the program, or answered with another class.
        """
        function: Callable[..., Any] = getattr(self.item, part)
        try:
            answer = function(*arguments)
        except EtlkitError as refusal:
            raise self.plugin.options.redact(refusal)  # noqa: B904 - the same error
        except (Exception, SystemExit) as failure:  # noqa: BLE001 - becomes an error that names the plugin
            options = self.plugin.options
            raise self.problem(part, told(failure, options)) from options.cause(failure)
        if isinstance(answer, expecting):
            return answer
        classes = expecting if isinstance(expecting, tuple) else (expecting,)
        wanted = " or ".join("None" if each is type(None) else each.__name__ for each in classes)
        raise self.problem(part, f"returned {type(answer).__name__}, expected {wanted}")

    def each(self, part: str, *arguments: Any, expecting: type[Answer]) -> tuple[Answer, ...]:
        """Call one of the object's functions that yields, and read it to its end.

        Args:
            part: the name of the function, such as `relationships`.
            *arguments: what it is called with.
            expecting: the class of what it yields.

        Returns:
            All that it yielded.

        Raises:
            EtlkitError: as the function raised it.
            PluginError: the function raised anything else, left the program, or yielded another class.
        """
        function: Callable[..., Any] = getattr(self.item, part)
        try:
            # Read inside the try, because a generator's code runs while it is read.
            answers = tuple(function(*arguments))
        except EtlkitError as refusal:
            raise self.plugin.options.redact(refusal)  # noqa: B904 - the same error
        except (Exception, SystemExit) as failure:  # noqa: BLE001 - becomes an error that names the plugin
            options = self.plugin.options
            raise self.problem(part, told(failure, options)) from options.cause(failure)
        for answer in answers:
            if not isinstance(answer, expecting):
                text = f"yielded {type(answer).__name__}, expected {expecting.__name__}"
                raise self.problem(part, text)
        return answers

    def problem(self, part: str, text: str) -> PluginError:
        """Word what is wrong with the object.

        Args:
            part: the name of the function that is wrong, such as `plan`.
            text: what is wrong.

        Returns:
            The error, which names the plugin and says what to do.
        """
        name = getattr(self.item, "name", "")
        return PluginError(f"plugin {self.plugin.origin}, `{part}` of `{name}`: {text}; {self.plugin.remedy}")


@attrs.frozen(kw_only=True)
class Candidate:
    """A plugin that could be loaded."""

    info: PluginInfo
    """What is known of it without importing it."""
    load: Callable[[], object]
    """Imports it."""


def announced(entry_points: EntryPoints | None = None) -> tuple[Candidate, ...]:
    """List the plugins that installed distributions announce; imports nothing of them.

    Args:
        entry_points: entry points to use instead of those of the installed distributions.

    Returns:
        Candidates by normalised name of the distribution, then by name. Where a distribution is found more
        than once, the one that an import would use counts: the first.
    """
    pairs = _installed() if entry_points is None else entry_points
    first: dict[str, DistributionLike] = {}
    # Each look at a distribution's name reads all of its metadata, its README included.
    named: dict[int, tuple[DistributionLike, str, str]] = {}
    found: list[tuple[str, Candidate]] = []
    for entry_point, distribution in pairs:
        if id(distribution) not in named:
            named[id(distribution)] = distribution, distribution.name, str(distribution.version)
        _, name, version = named[id(distribution)]
        normalised = canonicalize_name(name)
        if first.setdefault(normalised, distribution) is not distribution:
            continue
        info = PluginInfo(
            name=entry_point.name,
            distribution=name,
            version=version,
            module=entry_point.value,
        )
        found.append((normalised, Candidate(info=info, load=entry_point.load)))
    found.sort(key=lambda each: (each[0], each[1].info.name, each[1].info.module))
    return tuple(candidate for _, candidate in found)


def given(modules: Iterable[ModuleType]) -> tuple[Candidate, ...]:
    """Make candidates of modules that are imported already.

    Args:
        modules: plugin modules.

    Returns:
        Candidates in the order of the modules, named by the last part of the module's name.
    """
    return tuple(
        Candidate(
            info=PluginInfo(
                name=module.__name__.rpartition(".")[2], distribution="", version="", module=module.__name__
            ),
            load=lambda module=module: module,  # type: ignore[misc]
        )
        for module in modules
    )


def told(failure: BaseException, options: GivenOptions | None = None) -> str:
    """Say what a plugin's code raised, and where.

    Args:
        failure: the exception.
        options: the plugin's, which must not be repeated.

    Returns:
        A phrase such as `raised ValueError: no such day (weekly.py, line 12)`.
    """
    message = " ".join((options or GivenOptions()).scrubbed(str(failure)).split())
    phrase = f"raised {type(failure).__name__}{f': {message}' if message else ''}"
    places = [
        (frame.f_globals.get("__name__", ""), f"{frame.f_code.co_filename.rpartition('/')[2]}, line {line}")
        for frame, line in traceback.walk_tb(failure.__traceback__)
        # The import machinery stands at the end of a failed import, and attrs where a frozen value was to be changed.
        if not frame.f_code.co_filename.startswith("<frozen")
        and not frame.f_globals.get("__name__", "").startswith("attr.")
    ]
    module, place = places[-1] if places else (__name__, "")
    return phrase if module in _CALLERS else f"{phrase} ({place})"


def _installed() -> EntryPoints:
    # importlib.metadata leaves out distributions that are shadowed by an earlier entry of sys.path.
    for entry_point in importlib.metadata.entry_points(group=GROUP):
        if entry_point.dist is not None:
            yield entry_point, entry_point.dist
