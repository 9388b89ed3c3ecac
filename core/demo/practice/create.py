"""Creates the practice: its database, its tables and the rows of its history."""

from __future__ import annotations

import json
from collections.abc import Callable

import attrs
import sqlalchemy
from sqlalchemy.engine import Engine, make_url

from etlkit.demo.practice.load import Source, load_rows, practice_engine
from etlkit.demo.practice.tables import TABLES, planned_rows
from etlkit.errors import PrivateServerError

DATABASE = "opendental"
"""Name that Open Dental's database has by default."""

STORAGE_ENGINES = ("MyISAM", "InnoDB")
"""Open Dental's default, and what some practices have changed to."""

MADE_BY = "EtlkitPractice"
"""Setting that holds how the practice was made; written last, so that half a practice is not one."""


@attrs.frozen(kw_only=True)
class Practice:
    """How a practice was made, and how far it has come; kept in its table `preference`."""

    seed: int
    """Equal seeds make equal practices."""

    scale: float
    """Size; 1 is a practice of two dentists with six years of history."""

    day: int = 0
    """Days that have passed since it was created."""

    @property
    def rows(self) -> dict[str, int]:
        """Rows of every table when the practice was created."""
        return planned_rows(self.scale)


def create_practice(
    url: str,
    *,
    scale: float = 1.0,
    seed: int = 1,
    storage_engine: str = "MyISAM",
    progress: Callable[[str, int], None] | None = None,
) -> Practice:
    """Create the practice's tables with their rows; tables of these names are replaced.

    Args:
        url: `mysql://user:password@host:port/database`; the database is made when it is not there.
        scale: Size of the practice.
        seed: Equal seeds make equal practices, on every server.
        storage_engine: `MyISAM` or `InnoDB`.
        progress: Called with each table's name and rows once it is filled.

    Returns:
        The practice.

    Raises:
        PrivateServerError: The storage engine is unknown, or a value did not arrive as it was made.
    """
    if storage_engine not in STORAGE_ENGINES:
        known = " or ".join(STORAGE_ENGINES)
        raise PrivateServerError(f"The practice's storage engine must be {known} (got {storage_engine!r}).")
    _make_database(url)
    practice = Practice(seed=seed, scale=scale)
    metadata = sqlalchemy.MetaData()
    for shape in TABLES.values():
        shape.build(metadata, storage_engine)
    rows = practice.rows
    source = Source(seed=str(seed), rows=rows)
    engine = practice_engine(url)
    try:
        metadata.drop_all(engine)
        metadata.create_all(engine)
        for name, shape in TABLES.items():
            with engine.begin() as connection:
                load_rows(connection, source, shape, shape.columns, range(rows[name]))
            if progress is not None:
                progress(name, rows[name])
        write_practice(engine, practice)
    finally:
        engine.dispose()
    return practice


def read_practice(url: str) -> Practice | None:
    """Read how the practice in a database was made.

    Args:
        url: `mysql://user:password@host:port/database`.

    Returns:
        The practice; None when the database has none, or one whose creation was interrupted.
    """
    engine = practice_engine(url)
    try:
        with engine.connect() as connection:
            value = connection.execute(
                sqlalchemy.select(_PREFERENCE.c.ValueString).where(_PREFERENCE.c.PrefName == MADE_BY)
            ).scalar()
    except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.ProgrammingError) as error:
        if getattr(error.orig, "args", [0])[0] in (_NO_DATABASE, _NO_TABLE):
            return None
        raise
    finally:
        engine.dispose()
    return None if value is None else Practice(**json.loads(value))


def write_practice(engine: Engine, practice: Practice) -> None:
    """Write down how the practice was made and how far it has come.

    Args:
        engine: An engine of `practice_engine`.
        practice: The practice.
    """
    value = json.dumps(attrs.asdict(practice), sort_keys=True)
    here = _PREFERENCE.c.PrefName == MADE_BY
    with engine.begin() as connection:
        if connection.execute(sqlalchemy.select(_PREFERENCE.c.PrefName).where(here)).first():
            connection.execute(_PREFERENCE.update().where(here).values(ValueString=value))
        else:
            connection.execute(_PREFERENCE.insert().values(PrefName=MADE_BY, ValueString=value))


_PREFERENCE = sqlalchemy.table("preference", sqlalchemy.column("PrefName"), sqlalchemy.column("ValueString"))
_NO_DATABASE, _NO_TABLE = 1049, 1146


def _make_database(url: str) -> None:
    parts = make_url(url)
    if not parts.database:
        raise PrivateServerError("The practice's URL names no database; add one, such as /opendental.")
    engine = practice_engine(parts.set(database="").render_as_string(hide_password=False))
    try:
        quoted = engine.dialect.identifier_preparer.quote_identifier(parts.database)
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"create database if not exists {quoted.replace('%', '%%')} character set utf8"
            )
    finally:
        engine.dispose()
