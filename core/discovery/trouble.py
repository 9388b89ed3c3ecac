"""What a failed conversation with the source means, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from etlkit.errors import ConnectionFailed, EtlkitError, SchemaAnalysisError, SchemaNotFoundError

_UNREACHABLE = {
    2002,
    2003,
    2005,
    2006,
    2012,
    2013,
    2014,
    2026,
    2055,
    1040,
    1042,
    1043,
    1053,
    1129,
    1130,
    1152,
    1927,
}
_USER_REFUSED = {1045, 1251, 1698, 1862, 3118, 4151}
_NO_DATABASE = 1049
NO_PRIVILEGE = frozenset({1044, 1142, 1143, 1227, 1370, 1345})
"""The server's error numbers for what the user may not do."""
_NO_TABLE = {1146, 1051}


@contextmanager
def told_plainly(
    engine: Engine, database: str, doing: str, *, needs: str = "SELECT", advice: str = "Run `etlkit doctor`."
) -> Iterator[None]:
    """Turn a driver's failure into an error that says what happened, where, and what to do next.

    Args:
        engine: the server that is talked to.
        database: the database that is asked about.
        doing: what was being done, as it follows "while", such as `reading the catalog of 'clinic'`.
        needs: the privileges that it takes.
        advice: what to do when the server refuses for a reason of its own; a sentence.

    Raises:
        ConnectionFailed: the server cannot be reached, or refuses the user.
        SchemaNotFoundError: the server has no such database or table.
        SchemaAnalysisError: the user lacks a privilege, or the server refuses for another reason.
    """
    try:
        yield
    except DBAPIError as error:
        raise explained(error, engine, database, doing, needs=needs, advice=advice) from error
    except SQLAlchemyError as error:
        raise SchemaAnalysisError(
            f"{_place(engine)} failed ({type(error).__name__}) while {doing}. {advice}"
        ) from error


def explained(
    error: DBAPIError, engine: Engine, database: str, doing: str, *, needs: str, advice: str
) -> EtlkitError:
    """Give the error that a driver's failure means.

    Args:
        error: what the driver raised.
        engine: the server that was talked to.
        database: the database that was asked about.
        doing: what was being done, as it follows "while".
        needs: the privileges that it takes.
        advice: what to do when the server refuses for a reason of its own; a sentence.

    Returns:
        The error to raise; it holds the server's error number, never its text.
    """
    place, code = _place(engine), code_of(error)
    user = engine.url.username or "the current user"
    kind: type[EtlkitError] = SchemaAnalysisError
    transient = False
    said = f"{place} failed (error {code}) while {doing}. {advice}"
    if code in _USER_REFUSED:
        kind = ConnectionFailed
        said = (
            f"{place} refuses the user `{user}` (error {code}) while {doing}. "
            "Check user and password, and from which hosts the user may connect."
        )
    elif code in _UNREACHABLE or error.connection_invalidated:
        kind = ConnectionFailed
        transient = True
        said = (
            f"{place} cannot be reached, or ended the connection (error {code}), while {doing}. "
            "Check host, port, firewall and that the server runs, then try again."
        )
    elif code == _NO_DATABASE:
        kind = SchemaNotFoundError
        said = f"{place} has no database `{database}`. Check the name in the URL."
    elif code in _NO_TABLE:
        kind = SchemaNotFoundError
        said = f"{place} has no such table any more (error {code}) while {doing}. Run `etlkit analyze` again."
    elif code in NO_PRIVILEGE:
        said = (
            f"{place} does not let the user `{user}` do this (error {code}) while {doing}. "
            f"Let an administrator GRANT {needs} on the database `{database}`, or check its name."
        )
    return kind(said, transient=transient)


def code_of(error: DBAPIError) -> int:
    """Give the server's or the driver's error number.

    Args:
        error: what the driver raised.

    Returns:
        The number; 0 when there is none.
    """
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else 0


def _place(engine: Engine) -> str:
    url = engine.url
    socket = url.query.get("unix_socket")
    return (
        f"The server at {socket}" if socket else f"The server at {url.host or 'localhost'}:{url.port or 3306}"
    )
