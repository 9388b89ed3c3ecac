"""What all contracts have in common: the plugin under test, its object, and the databases they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar, Protocol

from etlkit.registry import Registry


class Database(Protocol):
    """An empty database on a real server, as the fixtures `etlkit_source` and `etlkit_warehouse` give it."""

    @property
    def url(self) -> str:
        """Its URL as a person writes it, `mysql://user:password@host:port/name` or `postgresql://...`."""

    def execute(self, *statements: str) -> None:
        """Run statements as they are written, each committed."""

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Give all rows of a query."""


def registry_of(plugin: ModuleType, options: Mapping[str, str]) -> Registry:
    """Load a plugin alone, with options if there are any.

    Args:
        plugin: the plugin.
        options: by the plugin's own names.

    Returns:
        A registry of it.

    Raises:
        EtlkitError: the plugin could not be loaded, or does not take the options.
    """
    name = plugin.__name__.rpartition(".")[2]
    return Registry.of(plugin, options={name: options} if options else {})


class Contract:
    """What a plugin's author subclasses; each test is a method whose docstring is the rule."""

    plugin: ModuleType
    """The plugin: a module with hooks."""
    name: ClassVar[str]
    """Name of the object that the plugin provides, such as a strategy's."""
    plugin_options: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What a person would choose for the whole plugin under `plugins.options`."""
    hook: ClassVar[str] = ""
    kind: ClassVar[str] = ""

    @classmethod
    def registry(cls) -> Registry:
        """Give a registry of the plugin alone; no installed distribution is looked for.

        Raises:
            EtlkitError: the plugin could not be loaded.
        """
        return registry_of(cls.plugin, cls.plugin_options)

    @classmethod
    def hold(cls, fact: bool, otherwise: str) -> None:
        """Fail the test unless something holds.

        Args:
            fact: what must hold.
            otherwise: what is wrong with the plugin, and what to do.

        Raises:
            AssertionError: it does not hold.
        """
        if not fact:
            raise AssertionError(f"{cls.kind} `{cls.name}`: {otherwise}")

    @classmethod
    def found(cls, provided: Sequence[Any]) -> Any:
        """Give the object under test.

        Args:
            provided: what the plugin provides of its kind.

        Raises:
            AssertionError: the plugin does not provide it.
        """
        by_name = {each.item.name: each.item for each in provided}
        there = ", ".join(f"`{name}`" for name in by_name) or "nothing"
        cls.hold(
            cls.name in by_name,
            f"the plugin does not provide it (it provides {there}); yield it from `{cls.hook}`, or correct `name`",
        )
        return by_name[cls.name]
