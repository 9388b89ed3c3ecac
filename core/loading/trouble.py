"""What the warehouse's refusal means, in words.

PostgreSQL puts values into its messages, DETAIL and CONTEXT. So only fields from a whitelist are used (sqlstate,
constraint, table, column), and nothing is chained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import errorcodes
from sqlalchemy import exc

from etlkit.errors import LoadError
from etlkit.loading.target import TargetTable

_MEANING = {
    "23502": "a key column would be NULL",
    "23505": "two rows have the same key there",
    "40001": "it could not be serialised with another transaction; run again",
    "40P01": "the warehouse chose it as victim of a deadlock; run again",
    "42501": "the user lacks a privilege; grant it USAGE and CREATE on the schemas, and ownership of the tables",
    "53100": "the warehouse's disk is full",
    "53200": "the warehouse is out of memory",
    "53300": "the warehouse has no connection left",
    "55P03": "somebody else holds a lock on the table; run again when it is free",
    "57014": "the statement was cancelled there; run again",
    "57P01": "the warehouse ended the connection; run again",
    "25006": "the warehouse is read-only",
}
_COPY_CONTEXT = re.compile(r"^COPY .*?, line \d+, column (?P<column>.+?)(?::|$)")


@contextmanager
def write_trouble(target: TargetTable) -> Iterator[None]:
    """Turn what SQLAlchemy and psycopg2 raise in the block into a `LoadError` without values and without a chain.

    Args:
        target: the table that is written.

    Yields:
        Nothing.

    Raises:
        LoadError: the warehouse refused a statement, or the connection broke.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise _load_error(target, error.orig) from None
    except psycopg2.Error as error:
        raise _load_error(target, error) from None


def _load_error(target: TargetTable, error: BaseException | None) -> LoadError:
    state = getattr(error, "pgcode", None)
    where = f"warehouse table `{target}`"
    if state is None:
        return LoadError(
            f"{where}: the connection to the warehouse broke; nothing of this load was kept; run again"
        )
    column = _column(target, error)
    name = errorcodes.lookup(state).lower() if state in errorcodes.__dict__.values() else "unknown"
    meaning = _MEANING.get(state, "the warehouse refused it")
    at = f", column `{column}`" if column else ""
    return LoadError(f"{where}{at}: {meaning}; nothing of this load was kept (sqlstate {state}, {name})")


def _column(target: TargetTable, error: BaseException | None) -> str | None:
    diagnostics = getattr(error, "diag", None)
    names = {column.name for column in target.columns}
    named = getattr(diagnostics, "column_name", None)
    if named in names:
        return str(named)
    found = _COPY_CONTEXT.match(getattr(diagnostics, "context", None) or "")
    # The context goes on with the value, so what was found is only used when it is the name of a column.
    return found["column"] if found and found["column"] in names else None
