"""Problems of a configuration file: each with its file and line, all of a file reported at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import attrs

from etlkit.errors import ConfigurationError
from etlkit.wording import counted

_SHOWN = 20  # problems of one file: more are most likely one mistake, such as a wrong file


@attrs.frozen(kw_only=True)
class Problem:
    """One thing in a file that cannot be meant."""

    line: int | None
    """The line in the file, from 1; None when the problem is the whole file's."""
    text: str
    """What was expected, what is there, and the nearest valid name; never a secret."""


class ProblemsFound(Exception):
    """Problems on their way to the report; they never leave this package."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


def problem(line: int | None, text: str) -> ProblemsFound:
    """Make a single problem that can be raised.

    Args:
        line: the line in the file, from 1, or None.
        text: the sentence.

    Returns:
        The exception to raise.
    """
    return ProblemsFound([Problem(line=line, text=text)])


def report(file: Path, problems: Iterable[Problem]) -> ConfigurationError:
    """Turn the problems of one file into the error that people see, in the order of their lines.

    Args:
        file: the file that was read.
        problems: at least one.

    Returns:
        The error to raise; one line per problem, each beginning with `file:line:`. Of many, the first ones.
    """
    ordered = sorted(set(problems), key=lambda each: (each.line or 0, each.text))
    lines = [
        f"{file if each.line is None else f'{file}:{each.line}'}: {each.text}" for each in ordered[:_SHOWN]
    ]
    if len(ordered) > _SHOWN:
        lines.append(f"{file}: {counted(len(ordered) - _SHOWN, 'more problem')}")
    return ConfigurationError("\n".join(lines))
