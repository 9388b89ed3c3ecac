"""What a source's refusal of a read means, in words."""

from __future__ import annotations

import pymysql
import pytest

from etlkit.errors import ExtractionError
from etlkit.transfer.trouble import read_trouble

CANARY = "Canary Jones"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1044, "the user may not use this database; grant it SELECT"),
        (1142, "the user may not read it; grant SELECT on it"),
        (1143, "the user may not read one of its columns; grant SELECT on the table"),
        (1054, "a column is gone; run `etlkit analyze`, the table was altered"),
        (1146, "it is gone; run `etlkit analyze`, the table was dropped or renamed"),
        (145, "it is marked as crashed; repair it on the source with REPAIR TABLE"),
        (1205, "it stayed locked by somebody else; run again"),
        (1317, "the query was killed on the source; run again"),
        (1412, "it was altered during the read; run again"),
        (1969, "a statement took longer than the source's limit for it; run again at a quieter hour"),
        (2013, "the connection to the source was lost; run again"),
        (3024, "a statement took longer than the source's limit for it; run again at a quieter hour"),
        (9999, "the source refused to read it; run `etlkit doctor`"),
    ],
)
def test_refusals(code: int, expected: str) -> None:
    """Each refusal is told by what it means and what to do; the server's own words are left out."""
    with pytest.raises(ExtractionError) as caught, read_trouble("patient"):
        raise pymysql.err.OperationalError(code, f"near {CANARY}")
    assert f"table `patient`: {expected} (source error {code})" == str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("error", [ConnectionResetError(104, CANARY), TimeoutError(CANARY), EOFError(CANARY)])
def test_broken_connections(error: Exception) -> None:
    """A connection that breaks is told by the kind of the error alone."""
    with pytest.raises(ExtractionError) as caught, read_trouble("patient"):
        raise error
    assert (
        f"table `patient`: the connection to the source broke ({type(error).__name__}); run again"
    ) == str(caught.value)
    assert caught.value.__cause__ is None


def test_errors_without_a_number() -> None:
    """An error of the driver that has no number is told as well."""
    with pytest.raises(ExtractionError) as caught, read_trouble("patient"):
        raise pymysql.err.InterfaceError(CANARY)
    assert ("table `patient`: the source refused to read it; run `etlkit doctor` (source error 0)") == str(
        caught.value
    )
