"""What the replica's refusal of a write means, in words; its own message is left out, since it may hold values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
from sqlalchemy import exc

from etlkit.errors import LoadError
from etlkit.raising import NO_MEMORY, raise_alone

_RIGHTS = "the user lacks a privilege; `etlkit doctor` says which ones the replica's user needs, and how to grant them"
_FULL = "the replica's disk is full; free some of it and run again"
_LOST = "the connection to the replica was lost; run again"
_LOCKED = "somebody else holds a lock on it; run again when it is free"
_READ_ONLY = "the replica accepts no writes; connect to a server that does"

MEANING = {
    1020: "somebody else changed it meanwhile; run again",
    1021: _FULL,
    1040: "the replica has no connection left; run again with fewer `--threads`",
    1044: _RIGHTS,
    1050: "something else has that name there, such as a view; rename or drop it",
    1053: "the replica is stopping; run again",
    1062: "two rows have the same value of a unique key there; rows changed while they were read; run again",
    1114: _FULL,
    1142: _RIGHTS,
    1143: _RIGHTS,
    1146: "a table is gone there; run again",
    1153: "a statement is larger than max_allowed_packet of the replica; set it as high as the source's",
    1205: _LOCKED,
    1206: "it needs more locks than innodb_buffer_pool_size of the replica allows; raise it",
    1213: "the replica chose it as victim of a deadlock; run again",
    1227: _RIGHTS,
    1290: _READ_ONLY,
    1317: "the statement was killed on the replica; run again",
    1370: _RIGHTS,
    1836: _READ_ONLY,
    1927: "the connection was killed on the replica; run again",
    1969: "a statement took longer than the replica's limit for it; run again",
    2006: _LOST,
    2013: _LOST,
    2014: _LOST,
    3024: "a statement took longer than the replica's limit for it; run again",
}
"""By the server's error number, what happened and what to do."""

_PASSING = frozenset({1020, 1040, 1053, 1062, 1205, 1213, 1317, 1927, 2006, 2013, 2014})
"""What may succeed a moment later."""
_FATAL = frozenset({1021, 1044, 1114, 1227, 1290, 1836})
"""What every other table would meet as well."""


@contextmanager
def replica_trouble(where: str, *, kept: str = "nothing was written") -> Iterator[None]:
    """Turn what SQLAlchemy and PyMySQL raise in the block into a `LoadError` without values and without a chain.

    Args:
        where: what is written, for the beginning of the message.
        kept: what is left of the work after a refusal.

    Yields:
        Nothing.

    Raises:
        LoadError: the replica refused a statement, the connection broke, or this machine has no memory left.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise_alone(_load_error(where, kept, error.orig))
    except (pymysql.err.Error, OSError, EOFError) as error:
        raise_alone(_load_error(where, kept, error))
    except exc.SQLAlchemyError as error:
        # Of a connection that was dropped meanwhile, such as an invalidated transaction.
        raise_alone(LoadError(f"{where}: {_LOST} ({type(error).__name__})", transient=True))
    except MemoryError:
        raise_alone(LoadError(f"{where}: {NO_MEMORY}; {kept}"))


def replica_table(database: str, table: str) -> str:
    """Name a table of the replica at the beginning of a message.

    Args:
        database: its database.
        table: its name.
    """
    return f"replica table `{database}.{table}`"


def _load_error(where: str, kept: str, error: BaseException | None) -> LoadError:
    said = getattr(error, "args", None) or (0,)
    code = said[0] if isinstance(said[0], int) else 0
    if not code or isinstance(error, OSError | EOFError):
        return LoadError(f"{where}: the connection to the replica broke; run again", transient=True)
    meaning = MEANING.get(code, "the replica refused it")
    return LoadError(
        f"{where}: {meaning}; {kept} (replica error {code})",
        transient=code in _PASSING,
        fatal=code in _FATAL,
    )
