"""What a driver raises while rows are read becomes a sentence that leads back to nothing."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator

import pymysql
import pytest

from etlkit.contracts import Since
from etlkit.errors import EtlkitError, ExtractionError, PlanRefused
from etlkit.tables import Column, TableAnalysis
from etlkit.transfer import chunk_queries, keys
from etlkit.transfer.rendering import render
from etlkit.transfer.trouble import read_trouble

CANARY = "Xq7canaryZ"


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Everything that an error leads to."""
    while error is not None:
        yield error
        yield from chain(error.__cause__)
        error = error.__context__


def raised(kind: type[EtlkitError], act: Callable[[], object]) -> EtlkitError:
    """Act while another error is being handled; make sure that what is raised shows no canary anywhere."""
    try:
        raise RuntimeError(CANARY)  # noqa: TRY301 - something must be being handled
    except RuntimeError:
        with pytest.raises(kind) as caught:
            act()
    error = caught.value
    told = [str(each) + repr(each) + repr(vars(each)) for each in chain(error)]
    assert 1 == len(told)
    assert CANARY not in told[0] + "".join(traceback.format_exception_only(error))
    return error


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (
            pymysql.err.DataError(1292, f"Truncated incorrect DOUBLE value: '{CANARY}'"),
            "the source refused to read it; run `etlkit doctor` (source error 1292)",
        ),
        (
            pymysql.err.OperationalError(1142, f"SELECT command denied for table '{CANARY}'"),
            "the user may not read it; grant SELECT on it (source error 1142)",
        ),
        (
            pymysql.err.InterfaceError(CANARY),
            "the source refused to read it; run `etlkit doctor` (source error 0)",
        ),
        (OSError(CANARY), "the connection to the source broke (OSError); run again"),
        (EOFError(CANARY), "the connection to the source broke (EOFError); run again"),
    ],
)
def test_what_the_driver_raises(failure: Exception, words: str) -> None:
    """The sentence is ours; neither the message nor what the error leads to holds the driver's words."""

    def read() -> None:
        with read_trouble("patient"):
            raise failure

    assert f"table `patient`: {words}" == str(raised(ExtractionError, read))


def test_a_failure_inside_of_a_generator() -> None:
    """It is the same when the rows come from a generator that is in the middle of its work."""

    def rows() -> Iterator[int]:
        with read_trouble("patient"):
            yield 1
            raise pymysql.err.DataError(1292, CANARY)

    raised(ExtractionError, lambda: list(rows()))


def test_a_key_that_is_no_number() -> None:
    """A stored key that does not fit the column's type is not told."""
    column = Column(name="PatNum", data_type="bigint", column_type="bigint")
    error = raised(PlanRefused, lambda: keys.comparable(column, CANARY))
    assert (
        "column `PatNum` is a bigint, but what it was to be compared with is not a number; "
        "load the table with --full-refresh once"
    ) == str(error)


def test_a_watermark_that_is_no_number() -> None:
    """A stored watermark that does not fit the cursor's type is not told."""
    table = TableAnalysis(
        name="patient", columns=(Column(name="PatNum", data_type="bigint", column_type="bigint"),)
    )
    read = Since(column="PatNum", watermark=CANARY)
    error = raised(PlanRefused, lambda: chunk_queries.condition_of(read, table, render(table, "clinic")))
    assert (
        "cursor `PatNum` is a number, but the stored watermark is not; load the table with --full-refresh once"
    ) == str(error)
