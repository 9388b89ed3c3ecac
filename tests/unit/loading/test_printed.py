"""What psycopg2 prints by itself, past everybody who could catch it, never holds a row."""

from __future__ import annotations

import sys

import psycopg2
import pytest

from etlkit.loading.printed import keep_rows_from_being_printed

printed: list[BaseException] = []


@pytest.fixture(autouse=True)
def _hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook that was there before, and is asked to be kept from rows as often as somebody copies."""
    printed.clear()
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: printed.append(error))
    for _ in range(3):
        keep_rows_from_being_printed()


def test_an_error_behind_an_error() -> None:
    """The second error of a broken COPY, which holds the first one with its row, is not printed."""
    error = SystemError("<function decode> returned a result with an exception set")
    error.__cause__ = psycopg2.OperationalError("COPY t, line 3: a row")
    sys.excepthook(SystemError, error, None)
    assert [] == printed


@pytest.mark.parametrize("error", [SystemError("other"), psycopg2.OperationalError("x"), ValueError("y")])
def test_other_errors(error: Exception) -> None:
    """Whatever else a program meets is printed as before, once."""
    sys.excepthook(type(error), error, None)
    assert [error] == printed
