"""Places in a run at which it can be stopped for sure: the warehouse makes the statement there wait."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg2

from support.databases import WarehouseDatabase

_PATIENCE_SECONDS = 60
_PAUSE_SECONDS = 0.02
_LOCK = 4711

_WAIT = f"""
CREATE FUNCTION public.wait_here() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({_LOCK});
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$
"""

_WAITING = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = {_LOCK} AND NOT granted"


def on_rows(event: str, table: str, condition: str = "true") -> str:
    """Make a breakpoint at a row that is written.

    Args:
        event: INSERT, UPDATE or DELETE; COPY is an INSERT.
        table: as SQL writes it.
        condition: of `NEW` or `OLD`.

    Returns:
        SQL for `waiting_at`; the table must be there.
    """
    return (
        f"CREATE TRIGGER wait_here BEFORE {event} ON {table} FOR EACH ROW WHEN ({condition}) "
        "EXECUTE FUNCTION public.wait_here()"
    )


def on_command(tag: str, thing: str, action: str = f"PERFORM pg_advisory_xact_lock({_LOCK})") -> str:
    """Make a breakpoint behind a command that defines something.

    Args:
        tag: such as CREATE TABLE.
        thing: what it defines, as PostgreSQL prints it; a pattern of LIKE.
        action: what happens there, in PL/pgSQL.

    Returns:
        SQL for `waiting_at`.
    """
    return f"""
    CREATE FUNCTION public.look_here() RETURNS event_trigger LANGUAGE plpgsql AS $look$
    BEGIN
        IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE '{thing}') THEN
            {action};
        END IF;
    END $look$;
    CREATE EVENT TRIGGER look_here ON ddl_command_end WHEN TAG IN ('{tag}')
        EXECUTE FUNCTION public.look_here()
    """


def on_rows_of_new(table: str, condition: str) -> str:
    """Make a breakpoint at a row that is copied into a table which its own transaction makes.

    Args:
        table: as PostgreSQL prints it.
        condition: of `NEW`.

    Returns:
        SQL for `waiting_at`.
    """
    return on_command("CREATE TABLE", table, f"EXECUTE $at${on_rows('INSERT', table, condition)}$at$")


@contextmanager
def waiting_at(warehouse: WarehouseDatabase, breakpoint_sql: str) -> Iterator[None]:
    """Let everything that comes to a breakpoint wait there until the block ends.

    Args:
        warehouse: where.
        breakpoint_sql: as this module's functions give it.
    """
    holder = psycopg2.connect(warehouse.url)
    holder.autocommit = True
    try:
        with holder.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_lock({_LOCK})")
            cursor.execute(_WAIT)
            cursor.execute(breakpoint_sql)
        yield
    finally:
        holder.close()  # whatever waits goes on
        warehouse.execute(
            "DROP EVENT TRIGGER IF EXISTS look_here",
            "DROP FUNCTION IF EXISTS public.look_here()",
            "DROP FUNCTION public.wait_here() CASCADE",
        )


def arrive(process: subprocess.Popen[str], warehouse: WarehouseDatabase) -> None:
    """Wait until a process's statement waits at a breakpoint.

    Args:
        process: at work inside of `waiting_at`.
        warehouse: where.
    """
    _wait(process, lambda: bool(warehouse.rows(_WAITING)))


def arrive_when(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Wait until a condition holds for which a process is at work.

    Args:
        process: at work.
        reached: asked again and again.
    """
    _wait(process, reached)


def kill_there(process: subprocess.Popen[str], warehouse: WarehouseDatabase) -> None:
    """Wait until a process's statement waits at a breakpoint, and kill the process with SIGKILL.

    Args:
        process: at work inside of `waiting_at`.
        warehouse: where.
    """
    kill_when(process, lambda: bool(warehouse.rows(_WAITING)))


def kill_when(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    """Kill a process with SIGKILL as soon as a condition holds.

    Args:
        process: at work.
        reached: asked again and again.
    """
    _wait(process, reached)
    process.kill()
    process.communicate()


def _wait(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not reached():
        with suppress(subprocess.TimeoutExpired):
            ended = process.wait(_PAUSE_SECONDS)
            raise AssertionError(
                f"the process ended with {ended} before it came there: {process.communicate()}"
            )
        assert time.monotonic() < until, "the process did not come there"
