"""Log records on standard error: for people or as JSON, and never with the text of an exception.

Only the logger `etlkit` is set up. A traceback shows the kind of error and the lines that led to it; its message is
left out, because that of a database may hold a row's value.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
import traceback
from types import TracebackType

from etlkit.cli.output import write_no_more
from etlkit.wording import printable, printable_json

_LOGGER = logging.getLogger("etlkit")
# Its pool tells of a connection that broke with a traceback; whoever used the connection tells it in a sentence.
_SQLALCHEMY = logging.getLogger("sqlalchemy")
_NOWHERE = logging.NullHandler()


class StderrHandler(logging.Handler):
    """Writes records to whatever standard error is at the moment, so that bars can be drawn around them."""

    def __init__(self, *, as_json: bool, verbose: bool) -> None:
        super().__init__()
        self.as_json = as_json
        """Whether a record is one JSON object."""
        self.verbose = verbose
        """Whether details are asked for."""

    def format(self, record: logging.LogRecord) -> str:
        """Put a record into one line, or several when it has a traceback.

        Args:
            record: the record.

        Returns:
            Text without the last line's end.
        """
        message = record.getMessage()
        lines = frames(record.exc_info[1]) if record.exc_info and record.exc_info[1] else []
        when = dt.datetime.fromtimestamp(record.created, dt.UTC)
        if self.as_json:
            fields = {
                "time": when.isoformat(),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": message,
            }
            document = {**fields, "traceback": lines} if lines else fields
            return printable_json(json.dumps(document, ensure_ascii=False))
        begin = (
            record.levelname.capitalize() + ":"
            if sys.stderr.isatty()
            else f"{when.astimezone():%Y-%m-%d %H:%M:%S} {record.levelname}"
        )
        return "\n".join([f"{begin} {printable(message)}", *lines])

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record.

        Args:
            record: the record.
        """
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except BrokenPipeError:
            pass
        except Exception:  # noqa: BLE001 - a record that cannot be written must not end a run
            self.handleError(record)


def set_up(*, as_json: bool, verbose: bool) -> None:
    """Send the records of `etlkit` to standard error.

    Args:
        as_json: one JSON object per line.
        verbose: with records for those who look for a cause.
    """
    tear_down()
    _LOGGER.addHandler(StderrHandler(as_json=as_json, verbose=verbose))
    _LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
    _LOGGER.propagate = False
    _SQLALCHEMY.addHandler(_NOWHERE)


def tear_down() -> None:
    """Undo `set_up`, for programs that call the command line as a function."""
    handler = current()
    if handler is not None:
        _LOGGER.removeHandler(handler)
        _LOGGER.setLevel(logging.NOTSET)
        _LOGGER.propagate = True
        _SQLALCHEMY.removeHandler(_NOWHERE)


def settle() -> None:
    """Let go of what standard error cannot take: Python would try again at its end, and fail the whole program."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        write_no_more(sys.stderr)


def current() -> StderrHandler | None:
    """Give the handler that `set_up` made; None before and after."""
    return next((each for each in _LOGGER.handlers if isinstance(each, StderrHandler)), None)


def tell(message: str, *, prefix: str = "Error: ") -> None:
    """Tell people something on standard error; as a record when records are JSON.

    Args:
        message: one sentence or several.
        prefix: what comes before it.
    """
    handler = current()
    if handler is not None and handler.as_json:
        _LOGGER.log(logging.ERROR if prefix else logging.WARNING, "%s", message)
        return
    sys.stderr.write(f"{prefix}{printable(message)}\n")
    sys.stderr.flush()


def frames(error: BaseException) -> list[str]:
    """Give the lines that led to an error, without its message.

    Args:
        error: the error.

    Returns:
        One line per call, the last one names the kind of error.
    """
    trace: TracebackType | None = error.__traceback__
    calls = [f"  {each.filename}:{each.lineno} in {each.name}" for each in traceback.extract_tb(trace)]
    return [*calls, f"  {type(error).__module__}.{type(error).__qualname__}"]
