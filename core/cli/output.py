"""What commands write to standard output: text, tables that are never cut, and JSON."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any, TextIO

import attrs
from rich.console import Console
from rich.table import Table
from rich.text import Text

from etlkit.errors import EtlkitError
from etlkit.wording import one_line, printable, printable_json

_WIDE = 100_000

_reserved: list[TextIO] = []
"""The real standard output while it is reserved, the last one."""


@attrs.frozen(kw_only=True)
class Heading:
    """The head of a column."""

    text: str
    """What it says."""
    number: bool = False
    """Whether the column holds numbers, which stand at the right."""


@contextmanager
def reserved() -> Iterator[None]:
    """Keep standard output for what this module writes; what a plugin prints meanwhile goes to standard error.

    Yields:
        Nothing.
    """
    _reserved.append(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _reserved.pop()


def write(text: str) -> None:
    """Write to standard output; what a terminal would obey is escaped.

    Args:
        text: lines, the last one ended.
    """
    _put(printable(text))


def _put(text: str) -> None:
    """Write as it is; who closed standard output early (`| head`) is not told about it."""
    where = _reserved[-1] if _reserved else sys.stdout
    encoding = where.encoding or "utf-8"
    try:
        # A name that the terminal cannot show is no reason to fail.
        where.write(text.encode(encoding, "backslashreplace").decode(encoding))
        where.flush()
    except BrokenPipeError:
        write_no_more(where)
    except OSError as error:
        write_no_more(where)
        reason = (error.strerror or type(error).__name__).lower()
        raise EtlkitError(
            f"standard output cannot be written ({reason}); what was loaded until now is kept; make room there, or "
            "send the output elsewhere"
        ) from None


def write_no_more(where: TextIO) -> None:
    """Let all that is written from now on vanish, what waits to be written included.

    Args:
        where: standard output or standard error, which cannot be written any more.
    """
    # Python would complain once more at its end, when it flushes what cannot be written.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), where.fileno())


def say(*lines: str) -> None:
    """Write lines to standard output.

    Args:
        *lines: without their ends.
    """
    write("".join(f"{line}\n" for line in lines))


def below(text: str) -> str:
    """Put a text, which may have several lines, below a title.

    Args:
        text: the lines.

    Returns:
        The same, two blanks in front of each line.
    """
    return "\n".join(f"  {line}" for line in text.splitlines())


def write_json(document: Any) -> None:
    """Write one JSON document to standard output.

    Args:
        document: of dicts, lists, texts, numbers, and times, which become ISO 8601 in UTC.
    """
    _put(printable_json(json.dumps(document, indent=2, ensure_ascii=False, default=_as_json)) + "\n")


def write_event(event: dict[str, Any]) -> None:
    """Write one event as one line of JSON to standard output.

    Args:
        event: as for `write_json`.
    """
    _put(printable_json(json.dumps(event, ensure_ascii=False, default=_as_json)) + "\n")


def write_table(headings: Sequence[Heading], rows: Iterable[Sequence[str]]) -> None:
    """Write a table to standard output, every cell whole and on one line, however narrow the terminal is.

    Args:
        headings: of the columns.
        rows: cells, as many as there are headings.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading.text, justify="right" if heading.number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    kept = io.StringIO()
    # rich looks at NO_COLOR and TERM itself; it is only told whether somebody looks.
    console = Console(file=kept, width=_WIDE, force_terminal=sys.stdout.isatty(), highlight=False)
    console.print(table)
    _put("".join(f"{line.rstrip()}\n" for line in kept.getvalue().split("\n")[:-1]))


def moment(when: dt.datetime) -> str:
    """Word a time by this machine's clock.

    Args:
        when: with a time zone.

    Returns:
        Such as `2026-03-01 20:15:00`.
    """
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S}"


def _as_json(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
