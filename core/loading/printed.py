"""What psycopg2 itself prints on standard error, past everybody who could catch it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

import attrs
import psycopg2


@attrs.frozen
class _WithoutRows:
    """A hook that prints what the one before it prints, but for errors that hold rows."""

    before: Callable[[type[BaseException], BaseException, TracebackType | None], Any]

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None = None
    ) -> None:
        if not (isinstance(error, SystemError) and isinstance(error.__cause__, psycopg2.Error)):
            self.before(kind, error, trace)


def keep_rows_from_being_printed() -> None:
    """See to it that psycopg2 prints no row, from now on.

    When a connection breaks in the middle of COPY, psycopg2 meets a second error while it holds the first one, and
    hands both to `sys.excepthook`. The first one's CONTEXT is the row that was copied. What it raises then is told
    like any other trouble, so nothing is lost.
    """
    if not isinstance(sys.excepthook, _WithoutRows):
        sys.excepthook = _WithoutRows(sys.excepthook)
