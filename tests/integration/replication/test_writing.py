"""Writing rows into a replica: what it stores in another way than it was told is an error, and nothing is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs
import pytest

from etlkit.errors import LoadError
from etlkit.replication.rendering import render_exactly
from etlkit.replication.writing import RowWriter
from etlkit.sending_session import LOCAL_FILES
from etlkit.transfer.chunk import Chunk
from support.copying import Copying, copying
from support.databases import SourceDatabase

ROWS = "INSERT INTO t VALUES (1, 'CANARY a'), (2, 'CANARY b')"
ON_ONE = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
BY_LOAD = pytest.mark.parametrize("by_load", [True, False], ids=["load", "insert"])


@pytest.fixture
def pair(source: SourceDatabase, make_source: Callable[[str], SourceDatabase]) -> Iterator[Copying]:
    """A source, and a replica on the same server."""
    with copying(source, make_source(source.kind)) as made:
        yield made


def refusal(pair: Copying, by_load: bool, table: str = "t") -> LoadError:
    """Copy a table, which its replica must refuse."""
    with pytest.raises(LoadError) as caught:
        pair.copy(table, by_load=by_load)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


MISFITS = [
    ("VARCHAR(20)", "'CANARY text'", "VARCHAR(5)"),
    ("VARCHAR(20) CHARACTER SET utf8mb4", "'CANARY 😀'", "VARCHAR(20) CHARACTER SET utf8"),
    ("BIGINT", "2718281828459045", "INT"),
    ("DECIMAL(9,4)", "1.2345", "DECIMAL(9,2)"),
    ("VARCHAR(20)", "'CANARY x'", "INT"),
    ("VARCHAR(20)", "'CANARY x'", "DATETIME"),
    ("ENUM('a','b','c')", "'c'", "ENUM('a','b')"),
    ("VARBINARY(20)", "'CANARY bytes'", "VARBINARY(5)"),
    ("INT", "NULL", "INT NOT NULL"),
]


@BY_LOAD
def test_what_does_not_fit(pair: Copying, by_load: bool) -> None:
    """A value that the replica would change is an error that names table and column, never the value."""
    tables = {f"t{number}": each for number, each in enumerate(MISFITS)}
    for table, (declared, value, there) in tables.items():
        pair.source.execute(
            f"CREATE TABLE {table} (id INT PRIMARY KEY, a {declared})",
            f"INSERT INTO {table} VALUES (1, {value})",
        )
        pair.target.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, a {there})")
    for table in tables:
        said = str(refusal(pair, by_load, table))
        assert said.startswith(f"replica table {pair.named(table)}")
        assert "CANARY" not in said
        assert "2718281828459045" not in said
        if pair.target.storage_engine == "InnoDB":
            assert [] == pair.target.rows(f"SELECT * FROM {table}")


@ON_ONE
@BY_LOAD
def test_the_whole_message(pair: Copying, by_load: bool) -> None:
    """The message says what happened, where, and what is left of it."""
    pair.source.execute("CREATE TABLE t (id INT PRIMARY KEY, a TEXT)", ROWS)
    pair.target.execute("CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(3))")
    assert (
        f"replica table `{pair.target.name}`.`t`, column `a`: the replica would have stored another value than the "
        "source's; nothing was written (replica warning 1265)"
    ) == str(refusal(pair, by_load))


@ON_ONE
@BY_LOAD
def test_a_row_that_is_there(pair: Copying, by_load: bool) -> None:
    """A second row of the same key is an error that may pass, but for a writer that replaces rows."""
    pair.both("CREATE TABLE t (id INT PRIMARY KEY, a TEXT)")
    pair.source.execute(ROWS)
    pair.target.execute("INSERT INTO t VALUES (2, 'old')")
    error = refusal(pair, by_load)
    assert error.transient
    assert (
        f"replica table `{pair.target.name}`.`t`: two rows have the same value of a unique key there; rows changed "
        "while they were read; run again; nothing was written (replica"
    ) in str(error)
    assert 2 == pair.copy("t", by_load=by_load, replacing=True)
    assert 2 == pair.copy("t", by_load=by_load, replacing=True)
    assert pair.source.rows("SELECT * FROM t") == pair.target.rows("SELECT * FROM t")


@BY_LOAD
@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_nothing_is_committed(pair: Copying, by_load: bool) -> None:
    """Rows belong to the caller's transaction, also where the writer is the only one who works in it."""
    pair.both("CREATE TABLE t (id INT PRIMARY KEY, a TEXT) ENGINE=InnoDB")
    rendered = render_exactly(pair.source_analysis("t"), pair.source.name)
    with pair.connections.replica().connect() as connection:
        writer = attrs.evolve(RowWriter.of(connection), by_load=by_load)
        writer.connection.commit()
        writer.write(pair.named("t"), rendered, Chunk(data=b"1\xffa\xfe", rows=1, framed=True))
        writer.connection.rollback()
        writer.write(pair.named("t"), rendered, Chunk(data=b"2\xff\xfd\xfe", rows=1, framed=True))
        writer.connection.commit()
        writer.write(pair.named("t"), rendered, Chunk(data=b"3\xffa\xfe", rows=1, framed=True))
        writer.connection.rollback()
    assert [(2, None)] == pair.target.rows("SELECT * FROM t")


def test_a_server_that_takes_no_files(pair: Copying) -> None:
    """Where the server refuses LOAD DATA LOCAL, the same rows are inserted, and it is not tried again."""
    pair.both("CREATE TABLE t (id INT PRIMARY KEY, a TEXT)")
    pair.source.execute(ROWS)
    with pair.writing() as writer:
        assert writer.by_load
    engine = pair.connections.replica()
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.close()
        raw.client_flag &= ~LOCAL_FILES
        raw.connect()  # what the server says then is what it says whose local_infile is off
        writer = RowWriter.of(connection)
        assert not writer.by_load
        writer.by_load = True
        rendered = render_exactly(pair.source_analysis("t"), pair.source.name)
        chunk = Chunk(data=b"1\xffCANARY a\xfe2\xffCANARY b\xfe", rows=2, framed=True)
        writer.write(pair.named("t"), rendered, chunk)
        connection.commit()
        assert not writer.by_load
        connection.invalidate()
    assert pair.source.rows("SELECT * FROM t") == pair.target.rows("SELECT * FROM t")
    with pair.writing() as another:
        assert not another.by_load


@ON_ONE
def test_backslashes_by_the_session(pair: Copying) -> None:
    """INSERT writes backslashes as the session's sql_mode reads them."""
    pair.both("CREATE TABLE t (id INT PRIMARY KEY, a TEXT)")
    pair.source.execute("INSERT INTO t VALUES (1, '\\\\'), (2, '\\\\\\''), (3, 'a\\\\nb')")
    with pair.connections.replica().connect() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')")
        writer = attrs.evolve(RowWriter.of(connection), by_load=False)
        rendered = render_exactly(pair.source_analysis("t"), pair.source.name)
        data = b"1\xff\\\xfe2\xff\\'\xfe3\xffa\\nb\xfe"
        writer.write(pair.named("t"), rendered, Chunk(data=data, rows=3, framed=True))
        connection.commit()
        connection.invalidate()
    assert pair.source.rows("SELECT * FROM t") == pair.target.rows("SELECT * FROM t")


@ON_ONE
def test_statements_as_large_as_the_server_takes(pair: Copying) -> None:
    """INSERT statements stay below max_allowed_packet; a row that cannot is refused before it is sent."""
    pair.both("CREATE TABLE t (id INT PRIMARY KEY, a LONGTEXT)")
    pair.source.execute(
        "INSERT INTO t VALUES (1, REPEAT('a', 3000)), (2, REPEAT('b', 3000)), (3, REPEAT('c', 3000))"
    )
    rendered = render_exactly(pair.source_analysis("t"), pair.source.name)
    rows = [b"%d\xff%s\xfe" % (n, text * 3000) for n, text in ((1, b"a"), (2, b"b"), (3, b"c"))]
    with pair.writing(by_load=False) as writer:
        writer.packet = 5000
        writer.write(pair.named("t"), rendered, Chunk(data=b"".join(rows), rows=3, framed=True))
        writer.packet = 2000
        with pytest.raises(LoadError) as caught:
            writer.write(pair.named("t"), rendered, Chunk(data=rows[0], rows=1, framed=True))
    assert (
        f"replica table {pair.named('t')}: a row is larger than max_allowed_packet of the replica; raise it, or let "
        "the replica take rows by LOAD DATA (`local_infile`); nothing was written"
    ) == str(caught.value)
    assert pair.source.rows("SELECT * FROM t") == pair.target.rows("SELECT * FROM t")


@BY_LOAD
@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_many_values_that_are_no_member(pair: Copying, by_load: bool) -> None:
    """More warnings than the server keeps are in order where each is of a value that is no member, not one more."""
    pair.both("SET sql_mode = ''", "CREATE TABLE t (id INT PRIMARY KEY, a ENUM('x'), b VARCHAR(9))")
    rows = ", ".join(f"({n}, 0, 'b')" for n in range(200))
    pair.source.execute("SET sql_mode = ''", f"INSERT INTO t VALUES {rows}")
    assert 200 == pair.copy("t", by_load=by_load)
    pair.target.execute("DELETE FROM t", "ALTER TABLE t MODIFY b VARCHAR(3)")
    pair.source.execute("UPDATE t SET b = 'CANARY' WHERE id = 199")
    assert "the replica would have stored another value" in str(refusal(pair, by_load))
