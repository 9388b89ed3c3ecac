"""What a server of the MySQL family was asked, by its own general log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from etlkit.demo import PrivateMySQL

# Statements that manage a connection and ask nothing, and those that the clock may add: is the server busy?
_HOUSEKEEPING = ("rollback", "commit", "set autocommit", "show global status")


@contextmanager
def statements_seen(server: PrivateMySQL) -> Iterator[list[str]]:
    """Let the server log every statement of a block, other than the administrator's who asks for the log.

    Args:
        server: A running server, which nobody else uses meanwhile.

    Yields:
        The statements, in their order; filled at the end of the block.
    """
    seen: list[str] = []
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select @@global.log_output")
        ((before,),) = cursor.fetchall()
        cursor.execute("set global log_output = 'TABLE'")
        cursor.execute("truncate table mysql.general_log")
        cursor.execute("set global general_log = on")
        try:
            yield seen
        finally:
            cursor.execute("set global general_log = off")
            cursor.execute("set global log_output = %s", (before,))
            cursor.execute(
                "select argument from mysql.general_log where command_type = 'Query' and thread_id != %s",
                (connection.thread_id(),),
            )
            said = [each.decode() if isinstance(each, bytes) else str(each) for (each,) in cursor.fetchall()]
            seen += [each for each in said if not each.strip().lower().startswith(_HOUSEKEEPING)]
