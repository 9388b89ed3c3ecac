"""What one read of a table asks the source, which rows it gives, and where it leaves the watermark."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import Any

import attrs
import pytest

from etlkit.contracts import Chunks, Since, Where
from etlkit.errors import ExtractionError, PlanRefused
from etlkit.loading.table_plan import TablePlan
from etlkit.transfer.chunk import Chunk
from support.comparison import differences
from support.loading import Loading
from support.reading import chunks_of, reader_of, rows_of

_numbers = itertools.count(1)

ONE_KIND = pytest.mark.parametrize("shared", ["mariadb-innodb"], indirect=True)


def made(shared: Loading, columns: str, *rows: str) -> str:
    """Make a table."""
    name = f"t{next(_numbers)}"
    shared.source.execute(f"CREATE TABLE {name} ({columns})")
    if rows:
        shared.source.execute(f"INSERT INTO {name} VALUES {', '.join(rows)}")
    return name


def large(shared: Loading, name: str, rows: int = 1, **changes: Any) -> TablePlan:
    """A plan for a table as if it were large, in chunks of so many rows."""
    what = shared.plan(name, **({"chunks": Chunks(rows=rows, max_bytes=1), "cursor": None} | changes))
    return attrs.evolve(what, analysis=attrs.evolve(what.analysis, row_count=10**6))


def ids(chunks: list[Chunk]) -> list[int]:
    """The first column."""
    return [int(row.split(b"\x01")[0]) for row in rows_of(chunks)]


def selects(statements: list[str]) -> list[str]:
    """What was asked of the table: `greatest` key or cursor, `boundary`, `packed`, `rows` or `fields`."""
    kinds = []
    for each in statements:
        if "FROM" not in each:
            continue
        packed, framed, limited = ("group_concat" in each, "concat_ws" in each, "LIMIT" in each)
        greatest = each.startswith(("SELECT max(", "SELECT CAST(max("))
        alone = "boundary" if limited else "greatest" if greatest else "fields"
        kinds.append("packed" if packed else "rows" if framed else alone)
    return kinds


def test_a_chunk_costs_two_statements(shared: Loading) -> None:
    """Each chunk is one question for its end and one for its rows; the end of the table is found by the first."""
    name = made(shared, "id INT PRIMARY KEY, v INT", *(f"({n}, {n})" for n in range(5)))
    statements: list[str] = []
    chunks = chunks_of(shared, large(shared, name), statements=statements)
    assert list(range(5)) == ids(chunks)
    innodb = shared.source.storage_engine == "InnoDB"
    assert ["greatest"] * innodb + ["boundary", "packed"] * 6 == selects(statements)
    begin, end = ["SELECT @@max_allowed_packet, @@group_concat_max_len"], ["COMMIT"]
    if innodb:
        begin += ["START TRANSACTION WITH CONSISTENT SNAPSHOT"]
    assert [*begin, *end] == [each for each in statements if "FROM" not in each]


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["key", "no key"])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_small_table_costs_one_statement(shared: Loading, key: str, rows: int) -> None:
    """A table that fits into one chunk is read at one instant by one statement; an empty one gives no chunk."""
    name = made(shared, f"id INT {key}, v TEXT", *(f"({n}, '')" for n in range(rows)))
    statements: list[str] = []
    chunks = chunks_of(shared, shared.plan(name, cursor=None), statements=statements)
    assert [rows] if rows else [] == [chunk.rows for chunk in chunks]
    assert ["packed"] == selects(statements)
    assert (rows, rows, 0, 0, 0) == shared.load(name)
    assert [] == differences(shared.source, shared.warehouse, name)


def test_tables_without_key_keep_their_duplicates(shared: Loading) -> None:
    """A table without key is read in one go, each row as often as it is there."""
    name = made(
        shared, "a INT, b VARCHAR(5)", "(1, 'x')", "(1, 'x')", "(NULL, NULL)", "(NULL, NULL)", "(2, '')"
    )
    assert (5, 5, 0, 0, 0) == shared.load(name)
    assert [] == differences(shared.source, shared.warehouse, name)
    statements: list[str] = []
    (chunk,) = chunks_of(shared, large(shared, name), statements=statements)
    assert (5, None) == (chunk.rows, chunk.last_key)
    assert ["rows"] == selects(statements)


def test_one_wide_row_does_not_slow_the_others(shared: Loading) -> None:
    """A row too large for one value is fetched field by field, and the rows behind it in whole chunks again."""
    rows = [f"({n}, repeat('{n % 10}', {5000 if n == 50 else 10}))" for n in range(100)]
    name = made(shared, "id INT PRIMARY KEY, v TEXT", *rows)
    statements: list[str] = []
    what = large(shared, name, chunks=Chunks(rows=10))
    chunks = chunks_of(shared, what, group_concat_max_len=2000, statements=statements)
    assert list(range(100)) == ids(chunks)
    assert 2 == selects(statements).count("fields")  # the second shows that rows are small again
    assert rows_of(chunks_of(shared, shared.plan(name))) == rows_of(chunks)


def test_many_wide_rows_are_not_read_twice(shared: Loading) -> None:
    """Where rows are too large one after the other, only the first is tried as one value."""
    name = made(shared, "id INT PRIMARY KEY, v TEXT", *(f"({n}, repeat('x', 5000))" for n in range(20)))
    statements: list[str] = []
    what = large(shared, name, chunks=Chunks(rows=1, max_bytes=1))
    chunks = chunks_of(shared, what, group_concat_max_len=2000, statements=statements)
    assert list(range(20)) == ids(chunks)
    assert ["packed"] == [each for each in selects(statements) if each == "packed"]


def test_wide_rows_without_key(shared: Loading) -> None:
    """Rows too large to be one value are spooled field by field, none of them twice."""
    size = shared.source.value("SELECT @@max_allowed_packet") // 3
    name = made(shared, "id INT, a LONGBLOB, b LONGBLOB")
    shared.source.execute(
        f"INSERT INTO {name} VALUES (1, 'a', 'b'), (2, repeat('c', {size}), 0x00), (3, NULL, '')",
        f"UPDATE {name} SET b = repeat('d', {size}) WHERE id = 2",
    )
    statements: list[str] = []
    chunks = chunks_of(shared, large(shared, name), statements=statements)
    assert ["rows", "fields"] == selects(statements)
    lengths = sorted((int(row[:1]), len(row)) for row in rows_of(chunks))
    assert [
        (1, 1 + 1 + 5 + 1 + 5),
        (2, 1 + 1 + 3 + 2 * size + 1 + 3 + 2 * size),
        (3, 1 + 1 + 1 + 1 + 3),
    ] == lengths


@ONE_KIND
def test_a_value_that_the_source_cannot_send_is_told(shared: Loading) -> None:
    """A value whose rendered form is above max_allowed_packet fails by the names of table and column."""
    points = shared.source.value("SELECT @@max_allowed_packet") * 2 // 3 // 16
    name = made(shared, "id INT PRIMARY KEY, v GEOMETRY")
    line = f"concat(0x0102000000{points.to_bytes(4, 'little').hex()}, repeat(0x{bytes(16).hex()}, {points}))"
    shared.source.execute(f"INSERT INTO {name} VALUES (1, GeomFromWKB({line}))")
    with pytest.raises(ExtractionError) as caught:
        chunks_of(shared, shared.plan(name))
    assert (
        f"table `{name}`: column `v` holds a value larger than the source can send; "
        "raise max_allowed_packet on the source"
    ) == str(caught.value)


@pytest.mark.parametrize("shared", ["mysql56"], indirect=True)
def test_a_source_that_cuts_values_is_refused(shared: Loading) -> None:
    """Where not even a blob of 64 KB could be sent, nothing is read."""
    name = made(shared, "id INT PRIMARY KEY, v BLOB", "(1, '')")
    plan, before = shared.plan(name), shared.source.value("SELECT @@global.max_allowed_packet")
    shared.source.execute("SET GLOBAL max_allowed_packet = 65536")
    shared.deployment.connections.close()
    try:
        with pytest.raises(ExtractionError) as caught:
            chunks_of(shared, plan)
    finally:
        shared.source.execute(f"SET GLOBAL max_allowed_packet = {before}")
        shared.deployment.connections.close()
    assert (
        f"table `{name}`: max_allowed_packet of the source is 65536 bytes, which cuts values; "
        "set it to 1048576 at least"
    ) == str(caught.value)


STAMPS = [f"({n}, '2024-01-01 00:00:{n:02}')" for n in range(10)]


@pytest.mark.parametrize("index", ["", ", KEY (t)"], ids=["not indexed", "indexed"])
@pytest.mark.parametrize("kind", ["TIMESTAMP", "DATETIME", "DATETIME(3)"])
def test_since_a_watermark(shared: Loading, kind: str, index: str) -> None:
    """Rows at or after the watermark less the lookback are read, and rows that no clock has stamped."""
    name = made(
        shared,
        f"id INT PRIMARY KEY, t {kind} NULL{index}",
        *STAMPS,
        "(10, NULL)",
    )
    read = Since(column="t", watermark="2024-01-01 00:00:08", lookback=2)
    for what in (shared.plan(name, read=read, cursor="t"), large(shared, name, read=read, cursor="t")):
        assert [6, 7, 8, 9, 10] == sorted(ids(chunks_of(shared, what)))


@pytest.mark.parametrize("index", ["", ", KEY (stamp)"], ids=["not indexed", "indexed"])
def test_ranges_are_short_where_the_cursor_has_no_index(shared: Loading, index: str) -> None:
    """Without an index the condition is no part of the search for a chunk's end, which would scan the table."""
    name = made(shared, f"id INT PRIMARY KEY, stamp DATETIME NOT NULL{index}", *STAMPS)
    statements: list[str] = []
    what = large(shared, name, read=Since(column="stamp", watermark="2024-01-01 00:00:08"), cursor="stamp")
    assert [8, 9] == ids(chunks_of(shared, what, statements=statements))
    boundaries = [each for each in statements if "LIMIT" in each and "concat_ws" not in each]
    assert {bool(index)} == {"`stamp`" in each for each in boundaries}


@pytest.mark.parametrize("column", ["id", "rev"])
def test_since_a_number(shared: Loading, column: str) -> None:
    """A number is a cursor as well; its lookback is counted in units of the number."""
    name = made(shared, "id BIGINT UNSIGNED PRIMARY KEY, rev INT NULL", *(f"({n}, {n})" for n in range(10)))
    read = Since(column=column, watermark="8", lookback=100 if column == "id" else 1)
    expected = list(range(10)) if column == "id" else [7, 8, 9]
    chunks = chunks_of(shared, large(shared, name, read=read, cursor=column))
    assert (expected, "9") == (ids(chunks), chunks[-1].watermark)


def test_watermarks_are_the_greatest_cursor_read(shared: Loading) -> None:
    """The watermark grows with the chunks, not with the order of the key, and rows without a stamp leave it."""
    rows = ["(1, '2024-01-05')", "(2, '2024-01-03')", "(3, NULL)", "(4, '2024-01-09')", "(5, '2024-01-01')"]
    name = made(shared, "id INT PRIMARY KEY, d DATE", *rows)
    chunks = chunks_of(shared, large(shared, name, cursor="d"))
    assert ["2024-01-05"] * 3 + ["2024-01-09"] * 2 == [chunk.watermark for chunk in chunks]
    chunks = chunks_of(shared, large(shared, name, cursor="d"), group_concat_max_len=4)
    assert ["2024-01-05"] * 3 + ["2024-01-09"] * 2 == [chunk.watermark for chunk in chunks]


@pytest.mark.parametrize(
    ("declared", "began", "values", "expected"),
    [
        ("DATETIME", "2024-01-01 00:00:05.999999", STAMPS, "2024-01-01 00:00:05"),
        ("DATETIME(3)", "2024-01-01 00:00:05.999999", STAMPS, "2024-01-01 00:00:05.999"),
        ("TIMESTAMP(6)", "2024-01-01 00:00:05.000001", STAMPS, "2024-01-01 00:00:05.000001"),
        ("DATE", "2023-12-31 23:59:59.999999", STAMPS, "2023-12-31"),
        ("INT", "5", ["(1, 3)", "(2, 10)"], "5"),
        ("INT", "10", ["(1, 3)", "(2, 9)"], "9"),
    ],
)
def test_watermarks_never_pass_the_beginning(
    shared: Loading, declared: str, began: str, values: list[str], expected: str
) -> None:
    """A cursor later than the read's beginning, whatever the reason, does not raise the watermark above it."""
    name = made(shared, f"id INT PRIMARY KEY, c {declared} NULL", *values)
    for what in (shared.plan(name, cursor="c"), large(shared, name, cursor="c")):
        chunks = chunks_of(shared, what, began=began)
        assert (len(values), expected) == (len(ids(chunks)), chunks[-1].watermark)


@pytest.mark.parametrize("declared", ["TIMESTAMP(6)", "INT"])
def test_rows_that_change_while_others_are_read_are_read_next_time(shared: Loading, declared: str) -> None:
    """A row that is stamped behind the reader's back lies behind the watermark."""
    now = "now(6)" if declared.startswith("T") else "100"
    first = "'2024-01-01'" if declared.startswith("T") else "1"
    name = made(
        shared, f"id INT PRIMARY KEY, c {declared} NOT NULL DEFAULT 0", *(f"({n}, {first})" for n in range(4))
    )
    with reader_of(shared, large(shared, name, cursor="c")) as reader:
        chunks = reader.chunks()
        read = [next(chunks)]
        shared.source.execute("SET time_zone = '+00:00'", f"UPDATE {name} SET c = {now} WHERE id IN (0, 3)")
        read += chunks
    watermark = read[-1].watermark
    assert watermark is not None
    again = shared.plan(name, cursor="c", read=Since(column="c", watermark=watermark))
    assert {0, 3} <= set(ids(chunks_of(shared, again)))


def test_the_clock_of_a_datetime_is_the_servers(shared: Loading) -> None:
    """A DATETIME holds the server's wall clock, so a read begins on that clock; a TIMESTAMP's is UTC."""
    name = made(shared, "id INT PRIMARY KEY, d DATETIME, t TIMESTAMP NULL")
    before = shared.source.value("SELECT @@global.time_zone")
    shared.source.execute("SET GLOBAL time_zone = '+09:00'")
    try:
        began = {}
        for cursor in "dt":
            with reader_of(shared, shared.plan(name, cursor=cursor)) as reader:
                list(reader.chunks())
                assert reader.began is not None
                began[cursor] = dt.datetime.fromisoformat(reader.began)
    finally:
        shared.source.execute(f"SET GLOBAL time_zone = '{before}'")
    assert 9 == round((began["d"] - began["t"]).total_seconds() / 3600)


def test_an_own_condition_selects_rows(shared: Loading) -> None:
    """A condition of a plugin's author is evaluated by the source, inside ranges of the key."""
    name = made(shared, "id INT PRIMARY KEY, `a b%` VARCHAR(9)", *(f"({n}, '{n % 2}:%s')" for n in range(6)))
    where = Where(condition=lambda column: column("a b%").like("1:%"), text="odd")
    for what in (shared.plan(name, read=where), large(shared, name, read=where)):
        statements: list[str] = []
        assert [1, 3, 5] == ids(chunks_of(shared, what, statements=statements))
        assert not any("like" in each.lower() for each in statements if "concat_ws" not in each)


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["key", "no key"])
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_at_most_so_many_rows(shared: Loading, key: str, limit: int) -> None:
    """A limit is kept whatever the chunks, with and without key, packed and field by field."""
    name = made(shared, f"id INT {key}, v TEXT", *(f"({n}, 'x{n}')" for n in range(20)))
    expected = min(limit, 20)
    for what in (shared.plan(name), large(shared, name), large(shared, name, chunks=Chunks(rows=3))):
        for length in (None, 8):
            rows = rows_of(chunks_of(shared, what, limit=limit, group_concat_max_len=length))
            assert (expected, expected) == (len(rows), len(set(rows)))


def test_a_limit_does_not_shorten_the_ranges_of_a_scan(shared: Loading) -> None:
    """Where few rows meet a condition, a limit makes no more questions of it, and cuts what one of them finds."""
    name = made(shared, "id INT PRIMARY KEY, t DATETIME NOT NULL", *STAMPS)
    what = large(shared, name, read=Since(column="t", watermark="2024-01-01 00:00:05"), cursor="t")
    statements: list[str] = []
    assert [5, 6] == ids(chunks_of(shared, what, limit=2, statements=statements))
    assert ["boundary", "packed"] == selects(statements)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (
            Since(column="gone", watermark="1"),
            "table `{}` has no column `gone`; run `etlkit analyze` if it is new",
        ),
        (
            Since(column="v", watermark="1"),
            "column `v` is a text and cannot be a cursor; only integers, dates and times can",
        ),
        (
            Since(column="id", watermark="2024-01-01"),
            "cursor `id` is a number, but the stored watermark is not; load the table with --full-refresh once",
        ),
    ],
)
@ONE_KIND
def test_plans_that_do_not_fit_are_refused(shared: Loading, read: Since, message: str) -> None:
    """A plan for another table's columns or another type's watermark is refused before anything is read."""
    name = made(shared, "id INT PRIMARY KEY, v TEXT")
    statements: list[str] = []
    with pytest.raises(PlanRefused) as caught:
        chunks_of(shared, shared.plan(name, read=read), statements=statements)
    assert (message.format(name), []) == (str(caught.value), statements)


@pytest.mark.parametrize("shared", ["mariadb-myisam", "mysql56"], indirect=True)
def test_a_table_that_goes_away_is_told(shared: Loading) -> None:
    """A table renamed between two chunks ends the read by one sentence, without a chain of causes."""
    name = made(shared, "id INT PRIMARY KEY", "(1)", "(2)", "(3)")
    with pytest.raises(ExtractionError) as caught:
        first_chunk_then(shared, name, f"RENAME TABLE {name} TO {name}_away")
    assert (
        f"table `{name}`: it is gone; run `etlkit analyze`, the table was dropped or renamed (source error 1146)"
    ) == str(caught.value)
    assert caught.value.__cause__ is None


def test_a_killed_connection_is_told(shared: Loading) -> None:
    """A connection that the source ends in the middle is told in words, and the next read gets a new one."""
    name = made(shared, "id INT PRIMARY KEY", "(1)", "(2)", "(3)")
    with pytest.raises(ExtractionError) as caught:
        first_chunk_then(shared, name, "KILL {}")
    assert re.fullmatch(
        f"table `{name}`: the connection (to the source was lost|was killed on the source); run again "
        r"\(source error (2006|2013|1927)\)",
        str(caught.value),
    )
    assert [1, 2, 3] == ids(chunks_of(shared, shared.plan(name)))


def first_chunk_then(shared: Loading, name: str, statement: str) -> None:
    """Read a table, and run a statement on the source behind the first chunk."""
    with reader_of(shared, large(shared, name)) as reader:
        number = reader.source.connection.thread_id()
        for chunk in itertools.islice(reader.chunks(), 5):
            if ids([chunk]) == [1]:
                shared.source.execute(statement.format(number))
