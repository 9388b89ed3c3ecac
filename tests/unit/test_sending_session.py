"""What a server can get of a client that may send rows: the rows that it was told of, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pymysql
import pytest

from etlkit.sending_session import LOCAL_FILES, ROWS, SendingConnection
from support.greedy_server import GreedyServer

REFUSAL = r"\(2027, 'the server asked for a file, and was given none'\)"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that is nobody's business."""
    path = tmp_path / "secret"
    path.write_text("secret")
    return path


def connected(server: GreedyServer) -> SendingConnection:
    """A client of the server."""
    return SendingConnection(
        host="127.0.0.1", port=server.port, user="u", charset="utf8mb4", client_flag=LOCAL_FILES
    )


def test_rows_are_given() -> None:
    """A server that asks for the rows gets all of them, though they are more than a packet holds."""
    rows = b"a\xffb\xfe" * 100_000
    with GreedyServer(ROWS) as server:
        connection = connected(server)
        assert 0 == connection.load("LOAD DATA", rows)
        connection.close()
    assert rows == server.given


def test_no_file_is_given_in_place_of_rows(secret: Path) -> None:
    """A server that names a file where it should name the rows gets nothing, and the connection is closed."""
    with GreedyServer(str(secret)) as server:
        connection = connected(server)
        with pytest.raises(pymysql.err.OperationalError, match=f"^{REFUSAL}$"):
            connection.load("LOAD DATA", b"rows")
        assert not connection.open
    assert b"" == server.given


@pytest.mark.parametrize("named", [True, False])
def test_no_file_is_given_to_a_question(secret: Path, named: bool) -> None:
    """A server that answers a question by asking for a file gets nothing, by whatever name."""
    with GreedyServer(ROWS if named else str(secret)) as server:
        connection = connected(server)
        with connection.cursor() as cursor, pytest.raises(pymysql.err.OperationalError, match=f"^{REFUSAL}$"):
            cursor.execute("SELECT 1")
        assert not connection.open
    assert b"" == server.given


def test_a_connection_that_opened_files_does_not_any_more(secret: Path) -> None:
    """A connection of PyMySQL's own that was allowed to send files is not, once it may send rows."""
    with GreedyServer(str(secret)) as first:
        before = pymysql.connect(host="127.0.0.1", port=first.port, user="u", local_infile=True)
        before.close()
    with GreedyServer(str(secret)) as server:
        before.port = server.port
        connection = SendingConnection.in_place_of(before)
        with connection.cursor() as cursor, pytest.raises(pymysql.err.OperationalError, match=f"^{REFUSAL}$"):
            cursor.execute("SELECT 1")
    assert b"" == server.given
