"""Options of plugins: what `plugins.options` of `etlkit.yml` gives to each, checked before it is used.

Only a plugin knows which of its options is a secret, so all of them are taken for one: they are handed to the plugin's
hooks, and taken out of whatever the plugin raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Never
from urllib.parse import unquote

from etlkit.config.structure import quoted
from etlkit.contracts import Option
from etlkit.errors import ConfigurationError, EtlkitError
from etlkit.suggestions import suggestion

Options = Mapping[str, Mapping[str, str]]
"""By a plugin's name its options."""

NO_OPTIONS: Options = MappingProxyType({})
"""No plugin is given any."""

_WORD = 4  # characters; a shorter text is no secret, and stands in many words
_PART = 6  # characters; a shorter part of an address is a word of its own more likely than a token


class GivenOptions:
    """The options that one plugin was given; not an attrs class, since `attrs.asdict` would hand them out."""

    __slots__ = ("_options",)

    def __init__(self, options: Mapping[str, str] = MappingProxyType({})) -> None:
        self._options = MappingProxyType(dict(options))

    def __repr__(self) -> str:
        return "GivenOptions(***)"

    def __bool__(self) -> bool:
        return bool(self._options)

    def __reduce__(self) -> Never:
        raise TypeError("options of plugins are not written into pickles")

    def reveal(self) -> Mapping[str, str]:
        """Give the options, for the plugin's hooks.

        Returns:
            A mapping that nobody can change.
        """
        return self._options

    def scrubbed(self, text: str) -> str:
        """Take the options out of a text that the plugin wrote.

        Args:
            text: such as the message of what it raised.

        Returns:
            The text with `***` in place of each option, each word of one that is several words, and each part of an
            address, since tokens are parts of addresses.
        """
        for secret in sorted(self._secrets(), key=len, reverse=True):
            escaped = re.escape(secret)
            text = re.sub(escaped if len(secret) >= _WORD else rf"(?<!\w){escaped}(?!\w)", "***", text)
        return text

    def redact(self, error: EtlkitError) -> EtlkitError:
        """Take the options out of an error that the plugin raised, and of what it was raised from.

        Args:
            error: the error; it is changed.

        Returns:
            The same error.
        """
        message = self.scrubbed(error.message)
        if message != error.message:
            error.message = message
            error.args = (message, *error.args[1:])
        if self.repeated_by(error.__cause__ or error.__context__):
            error.__cause__ = error.__context__ = None
        return error

    def cause(self, failure: BaseException) -> BaseException | None:
        """Give what an error may be raised from.

        Args:
            failure: what the plugin raised.

        Returns:
            The same, or None when it repeats an option.
        """
        return None if self.repeated_by(failure) else failure

    def repeated_by(self, failure: BaseException | None) -> bool:
        """Say whether an exception repeats an option.

        Args:
            failure: what the plugin raised.

        Returns:
            True where its text does, or that of what it was raised from.
        """
        while failure is not None:
            text = str(failure)
            if self.scrubbed(text) != text:
                return True
            failure = failure.__cause__ or failure.__context__
        return False

    def _secrets(self) -> set[str]:
        # Written with escapes, or encoded in an address, it would be a secret still.
        words = {word for text in self._options.values() for word in (text, *text.split())}
        words |= {part for word in words for part in _parts(word)}
        return {form for word in words if word for form in (word, repr(word)[1:-1])}


def _parts(address: str) -> Iterator[str]:
    _, _, rest = address.partition("://")
    userinfo, at, _ = rest.rpartition("@")
    if at:
        yield userinfo.partition(":")[2]
    for part in re.split(r"[/@:?&=#]", rest):
        if len(part) >= _PART:
            yield part
            yield unquote(part)


class OptionRefused(ConfigurationError):
    """`plugins.options` gives what the plugin does not take, or to a plugin that is not there."""

    def __init__(self, message: str, *keys: str) -> None:
        """Keep the message, and where the option stands.

        Args:
            message: what is wrong.
            *keys: under `plugins.options`: the plugin's name, and the option's where it is about one.
        """
        super().__init__(message)
        self.keys = keys


def refused(plugin: str, given: GivenOptions, declared: Iterable[Option]) -> Iterator[OptionRefused]:
    """Judge the options of a plugin.

    Args:
        plugin: its name.
        given: its options.
        declared: what it takes.

    Yields:
        What is wrong, in the order of the options.
    """
    known = {each.name: each for each in declared}
    options = given.reveal()
    if options and not known:
        text = f"`plugins.options` names {quoted(plugin)}, which takes no options; take them out"
        yield OptionRefused(text, plugin)
        return
    for name in options:
        if name not in known:
            named = "of that name" if quoted(name) != f"`{name}`" else f"`{name}`"
            text = f"`plugins.options.{plugin}` has no key {named} ({suggestion(name, known, otherwise='known keys')})"
            yield OptionRefused(text, plugin, name)
            continue
        wrong = known[name].problem(options)
        if wrong is not None:
            text = f"`plugins.options.{plugin}.{name}` {given.scrubbed(wrong)}"
            yield OptionRefused(text, plugin, name)


def without_plugin(
    options: Options, there: Iterable[str], disabled: Iterable[str]
) -> Iterator[OptionRefused]:
    """Find options of plugins that are not there.

    Args:
        options: by a plugin's name.
        there: the names of all plugins that are announced.
        disabled: the names of those that the configuration disables.

    Yields:
        What is wrong, in the order of the options.
    """
    names, off = set(there), set(disabled)
    for plugin in options:
        named = f"`plugins.options` names {quoted(plugin)}"
        if plugin not in names:
            text = f"{named}, but no such plugin is there; {suggestion(plugin, names)}"
            yield OptionRefused(text, plugin)
        elif plugin in off:
            text = f"{named}, which `plugins.disable` names as well; take it out of one of them"
            yield OptionRefused(text, plugin)
