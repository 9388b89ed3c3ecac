"""What the warehouse's refusal means, in words.

PostgreSQL puts values into its messages, DETAIL and CONTEXT. So only fields from a whitelist are used (sqlstate,
constraint, column), and the error that is raised leads back to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import errorcodes
from sqlalchemy import exc

from etlkit.errors import EtlkitError, LoadError
from etlkit.loading.target import TargetTable
from etlkit.raising import NO_MEMORY, raise_alone

_BAD_TEXT = (
    "a value is not of the column's type; mend `pg_type` in `column_overrides`, or leave it out and let the "
    "source's type decide"
)
_TOO_LARGE = (
    "a value does not fit the column's type; mend `pg_type` in `column_overrides`, or leave it out and let the "
    "source's type decide"
)
_RUN_AGAIN = "the warehouse ended the connection; run again"
_WITH_A_SCHEMA = "the name is taken by something else in that schema; rename or drop it"

MEANING = {
    "0A000": "something that depends on the table does not allow the change; `etlkit plan` shows the change",
    "22001": _TOO_LARGE,
    "22003": _TOO_LARGE,
    "22007": _BAD_TEXT,
    "22008": _TOO_LARGE,
    "22021": "a text is not UTF-8, such as half of a surrogate pair; mend the row in the source",
    "22026": _TOO_LARGE,
    "22P02": f"{_BAD_TEXT}; `pg_type: text` keeps what only the source takes for JSON",
    "22P05": "the warehouse cannot hold a character: jsonb has no \\u0000, `pg_type: json` has; text needs the "
    "encoding UTF8",
    "23502": "a key column would be NULL; mend the row in the source, or load the table without that key",
    "23503": "a foreign key that was added in the warehouse refused a row; drop that constraint",
    "23505": "two rows have the same key there; their values only differ in the source's type",
    "23514": "a check that was added in the warehouse refused a row; drop that constraint, or mend the row",
    "25006": "the warehouse is read-only; connect to its primary server",
    "25P03": _RUN_AGAIN,
    "40001": "it could not be serialised with another transaction; run again",
    "40P01": "the warehouse chose it as victim of a deadlock; run again",
    "42501": "the user lacks a privilege; grant it USAGE and CREATE on the schemas, TEMPORARY on the database, and "
    "ownership of the tables",
    "42601": "the type is not one; mend `pg_type` in `column_overrides`",
    "42703": "a column is missing there; `etlkit run` adds it",
    "42704": "the type does not exist there; mend `pg_type` in `column_overrides`",
    "42710": _WITH_A_SCHEMA,
    "42P07": _WITH_A_SCHEMA,
    "42P01": "a table is gone there; run again",
    "53100": "the warehouse's disk is full; free some of it and run again",
    "53200": "the warehouse is out of memory; run again",
    "53300": "the warehouse has no connection left; run again with fewer `--threads`",
    "54000": "it is larger than PostgreSQL allows",
    "54011": "it has more columns than PostgreSQL allows",
    "55P03": "somebody else holds a lock on the table; run again when it is free",
    "57014": "the statement was cancelled there; run again",
    "57P01": _RUN_AGAIN,
    "57P02": _RUN_AGAIN,
    "57P03": "the warehouse is starting or stopping; run again",
    "P0001": "a trigger that was added in the warehouse refused a row; drop that trigger, or mend the row",
}
"""By sqlstate (PostgreSQL's manual, appendix A), what happened and what to do."""

_PASSING = frozenset({"40001", "40P01", "53300", "55P03", "57014", "57P01", "57P02", "57P03", "25P03"})
"""What may succeed a moment later."""
_FATAL = frozenset({"25006", "53100"})
"""What every other table would meet as well."""

_UNPROVEN_REFUSED = ("22007", "22008", "22P02")
# On a line of its own: of JSON, another one that says where in the value stands before it.
_COPY_CONTEXT = re.compile(r"^COPY .*?, line \d+, column (?P<column>.+?)(?::|$)", re.MULTILINE)


class UnprovenRefused(EtlkitError):
    """The warehouse refused a value which the source was not asked to prove; the load begins again, and asks."""


@contextmanager
def unproven_trouble(*, proven: bool) -> Iterator[None]:
    """Turn the warehouse's refusal of a date or a boolean in the block into `UnprovenRefused`.

    Args:
        proven: whether the source proved all of them, so that the refusal means something else.

    Yields:
        Nothing.

    Raises:
        UnprovenRefused: see there.
    """
    try:
        yield
    except (exc.DBAPIError, psycopg2.Error) as error:
        refusal = error.orig if isinstance(error, exc.DBAPIError) else error
        if proven or getattr(refusal, "pgcode", None) not in _UNPROVEN_REFUSED:
            raise
        raise_alone(UnprovenRefused("a value is none of its type"))


@contextmanager
def write_trouble(target: TargetTable) -> Iterator[None]:
    """Turn what SQLAlchemy and psycopg2 raise in the block into a `LoadError` without values and without a chain.

    Args:
        target: the table that is written.

    Yields:
        Nothing.

    Raises:
        LoadError: the warehouse refused a statement, the connection broke, or this machine has no memory left.
    """
    columns = {column.name for column in target.columns}
    with warehouse_trouble(f"warehouse table `{target}`", columns, kept="nothing of this load was kept"):
        yield


@contextmanager
def warehouse_trouble(
    where: str, columns: Collection[str] = (), *, kept: str = "nothing was written"
) -> Iterator[None]:
    """Turn what SQLAlchemy and psycopg2 raise in the block into a `LoadError` without values and without a chain.

    Args:
        where: what is read or written, for the beginning of the message.
        columns: names that may be told as the place of the trouble.
        kept: what is left of the work after a refusal.

    Yields:
        Nothing.

    Raises:
        LoadError: the warehouse refused a statement, the connection broke, or this machine has no memory left.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise_alone(_load_error(where, columns, kept, error.orig))
    except psycopg2.Error as error:
        raise_alone(_load_error(where, columns, kept, error))
    except MemoryError:
        raise_alone(LoadError(f"{where}: {NO_MEMORY}; {kept}"))


def _load_error(where: str, columns: Collection[str], kept: str, error: BaseException | None) -> LoadError:
    state = getattr(error, "pgcode", None)
    if state is None:
        return LoadError(
            f"{where}: the connection to the warehouse broke before it confirmed anything; run again",
            transient=True,
        )
    name = errorcodes.lookup(state).lower() if state in errorcodes.__dict__.values() else "unknown"
    meaning = MEANING.get(state, "the warehouse refused it")
    return LoadError(
        f"{where}{_place(columns, error)}: {meaning}; {kept} (sqlstate {state}, {name})",
        transient=state in _PASSING,
        fatal=state in _FATAL,
    )


def _place(columns: Collection[str], error: BaseException | None) -> str:
    diagnostics = getattr(error, "diag", None)
    constraint = getattr(diagnostics, "constraint_name", None)
    column = getattr(diagnostics, "column_name", None)
    if column is None:
        found = _COPY_CONTEXT.search(getattr(diagnostics, "context", None) or "")
        column = found["column"] if found else None
    # The context goes on with the value, so what was found is only used when it is the name of a column.
    at = f", column `{column}`" if column in columns else ""
    return f"{at}, constraint `{constraint}`" if constraint else at
