"""Errors of the driver become sentences that lead back to nothing."""

from __future__ import annotations

from typing import Any

import psycopg2
import pytest
from psycopg2 import errorcodes
from sqlalchemy import exc

from etlkit.errors import LoadError
from etlkit.loading.trouble import MEANING, warehouse_trouble

CANARY = "Xq7canaryZ"


class Refused(psycopg2.Error):
    """An error of PostgreSQL with a sqlstate that a test chooses."""

    pgcode: Any = None
    diag: Any = None

    def __init__(self, state: str) -> None:
        super().__init__(CANARY)
        self.pgcode = state


@pytest.mark.parametrize("state", sorted(MEANING))
def test_every_sentence(state: str) -> None:
    """Each known sqlstate is one of PostgreSQL's, gives its sentence, and nothing of the server's own message."""
    with pytest.raises(LoadError) as caught, warehouse_trouble("here"):
        raise Refused(state)
    name = errorcodes.lookup(state).lower()
    assert f"here: {MEANING[state]}; nothing was written (sqlstate {state}, {name})" == str(caught.value)
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("XX000", "the warehouse refused it; nothing was written (sqlstate XX000, internal_error)"),
        ("ZZ999", "the warehouse refused it; nothing was written (sqlstate ZZ999, unknown)"),
    ],
)
def test_an_unknown_state(state: str, words: str) -> None:
    """A sqlstate without a sentence is told by its name, or its number."""
    with pytest.raises(LoadError) as caught, warehouse_trouble("here"):
        raise Refused(state)
    assert f"here: {words}" == str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        psycopg2.InterfaceError(CANARY),
        exc.DBAPIError(CANARY, {CANARY: CANARY}, psycopg2.OperationalError(CANARY)),
    ],
)
def test_a_connection_that_broke(error: Exception) -> None:
    """Without a sqlstate there was no answer; the errors of SQLAlchemy and of the driver are told alike."""
    with pytest.raises(LoadError) as caught, warehouse_trouble("here"):
        raise error
    assert "here: the connection to the warehouse broke before it confirmed anything; run again" == str(
        caught.value
    )
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


def test_other_errors_pass() -> None:
    """What has nothing to do with the warehouse is left as it is."""
    with pytest.raises(ValueError, match=r"^mine$"), warehouse_trouble("here"):
        raise ValueError("mine")
