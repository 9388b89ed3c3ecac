"""What options take, each with words for what it does not take; and how a mistake of usage is told."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from etlkit.config.structure import quoted
from etlkit.wording import one_line, printable

# An address may hold a password, blanks within it included.
_ADDRESS = re.compile(r"\S*://(.*@)?\S*", re.DOTALL)
_LONG = re.compile(r"(?<=')[^'\n]{61,}(?=')")


class WholeNumber(click.IntRange):
    """A whole number in a range, written with plain digits."""

    def __init__(self, least: int, most: int) -> None:
        """Choose the range.

        Args:
            least: the smallest number.
            most: the largest number.
        """
        super().__init__(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number.

        Args:
            value: a text, or a number that is one already.
            param: the option.
            ctx: the command's.

        Returns:
            The number.

        Raises:
            click.BadParameter: it is none, or not in the range.
        """
        text = str(value)
        if re.fullmatch("0|[1-9][0-9]{0,17}", text) and self.min <= int(text) <= self.max:  # type: ignore[operator]
            return int(text)
        raise _refused(f"it must be a whole number from {self.min:,} to {self.max:,}", text, param, ctx)


class YesOrNo(click.types.BoolParamType):
    """A flag; a variable gives it a value."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """Read a flag.

        Args:
            value: a text, or a truth value.
            param: the option.
            ctx: the command's.

        Returns:
            Whether it is set.

        Raises:
            click.BadParameter: it is neither yes nor no.
        """
        try:
            return bool(super().convert(value, param, ctx))
        except click.BadParameter:
            pass
        raise _refused("it must be 1 or 0, true or false, yes or no", str(value), param, ctx)


class OneOf(click.Choice[str]):
    """One of a few words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read a word.

        Args:
            value: a text.
            param: the option.
            ctx: the command's.

        Returns:
            The word.

        Raises:
            click.BadParameter: it is another one.
        """
        if value in self.choices:
            return str(value)
        expected = " or ".join(f"`{each}`" for each in self.choices)
        raise _refused(f"it must be {expected}", str(value), param, ctx)


class Folder(click.Path):
    """A folder, which need not exist."""

    def __init__(self) -> None:
        """Take no files."""
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a path.

        Args:
            value: a text or a path.
            param: the option.
            ctx: the command's.

        Returns:
            The path.

        Raises:
            click.BadParameter: it is empty, or a file's.
        """
        text = str(value)
        if value == "" or "\0" in text:
            raise _refused("it must name a folder", text, param, ctx)
        if os.path.isfile(text):  # noqa: PTH113 - unlike `Path.is_file` it takes a name that is too long for one
            expectation = f"it must name a folder, and `{one_line(text)}` is a file"
            raise click.BadParameter(expectation, ctx, param, param_hint=_named(param, ctx))
        return Path(text)


def told(failure: click.ClickException) -> str:
    """Word a mistake of usage: what an address might hold is left out, and nothing is left that a terminal obeys.

    Args:
        failure: the mistake.

    Returns:
        Lines, the last one ended.
    """
    shown = io.StringIO()
    failure.show(file=shown)
    before, error, message = shown.getvalue().rpartition("Error: ")
    return printable(before + error + _LONG.sub("...", _ADDRESS.sub("...", message)))


def _refused(
    expectation: str, value: str, param: click.Parameter | None, ctx: click.Context | None
) -> click.BadParameter:
    got = quoted(one_line(value)) if value else "nothing"
    return click.BadParameter(f"{expectation} (got {got})", ctx, param, param_hint=_named(param, ctx))


def _named(param: click.Parameter | None, ctx: click.Context | None) -> str | None:
    """Name the option, or the variable where it was the variable that gave the value."""
    if param is None or ctx is None:
        return None
    by_variable = ctx.get_parameter_source(param.name) is ParameterSource.ENVIRONMENT
    return f"`{param.envvar if by_variable else max(param.opts, key=len)}`"
