"""What the digest of a row is computed from, rule by rule, on every kind of source."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from etlkit.config import ColumnOverride, TableChoice
from etlkit.errors import ExtractionError
from etlkit.transfer import digests
from etlkit.transfer.rendering import render
from support.comparison import differences
from support.loading import Loading, counts

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
EMOJI = [f"_utf8mb4 0x{each.encode().hex()}" for each in ("😀", "😁", "🦷", "?", "??")]


def choose(loading: Loading, **overrides: ColumnOverride) -> None:
    """Keep table `t` with digests."""
    loading.choose(t=TableChoice(extraction_strategy="reconcile", column_overrides=overrides))


def made(loading: Loading, columns: str, rows: Sequence[str]) -> None:
    """Make table `t` with numbered rows, and load it with digests."""
    numbered = ", ".join(f"({number}, {row})" for number, row in enumerate(rows))
    loading.source.execute(
        f"CREATE TABLE t (id INT PRIMARY KEY, {columns}) CHARACTER SET utf8mb4",
        f"INSERT INTO t VALUES {numbered}",
    )
    choose(loading)
    assert (len(rows), len(rows), 0, 0, 0) == counts(loading.loader().load_table("t"))


def reconciled(loading: Loading) -> tuple[str, int, int]:
    """Reconcile; gives what was proven, and how many rows were read and updated."""
    outcome = loading.loader().load_table("t")
    return outcome.verified, outcome.read, outcome.updated


def stored(loading: Loading) -> list[int]:
    """The digests in the warehouse, by key."""
    return [each for (each,) in loading.warehouse.rows("SELECT _etlkit_digest FROM raw.t ORDER BY id")]


@contextmanager
def servers_setting(loading: Loading, name: str, value: str) -> Iterator[None]:
    """Change a setting of the server for new sessions."""
    before = loading.source.value(f"SELECT @@global.{name}")
    loading.source.execute(f"SET GLOBAL {name} = {value}")
    loading.deployment.connections.close()
    try:
        yield
    finally:
        loading.source.execute(f"SET GLOBAL {name} = {before!r}")
        loading.deployment.connections.close()


@pytest.mark.parametrize(
    ("kind", "beside"),
    # Beside dates and large columns, a digest is computed in other ways.
    [
        ("VARCHAR(20)", "INT"),
        ("VARCHAR(20)", "DATE"),
        ("TEXT", "LONGTEXT"),
        ("LONGTEXT", "INT"),
        ("LONGBLOB", "INT"),
    ],
)
def test_values_do_not_run_into_each_other(loading: Loading, kind: str, beside: str) -> None:
    """NULL, '', and texts that could be taken for a mark, a NULL or two values give rows of different digests."""
    # Marks of the frame cannot be in text; in bytes they are.
    odd = [
        "NULL",
        "''",
        "'a'",
        "'b'",
        "'ab'",
        "'ba'",
        "'NULL'",
        "'0'",
        "','",
        "'a,'",
        "',a'",
        "' '",
        "'\\\\N'",
    ]
    if kind == "LONGBLOB":
        odd += ["0xFF", "0xFE", "0xFD", "0xFC303030", "0xFFFF", "0xFD61"]
    pairs = list(itertools.product(odd, repeat=2))
    made(loading, f"a {kind}, b {kind}, c {beside}", [f"{a}, {b}, NULL" for a, b in pairs])
    assert len(pairs) == len(set(stored(loading)))
    # The key is in the digest, so that only a change under the same key shows what the values add.
    shifted = pairs[1:] + pairs[:1]
    loading.source.execute(
        *(f"UPDATE t SET a = {a}, b = {b} WHERE id = {at}" for at, (a, b) in enumerate(shifted))
    )
    assert ("equal after repair", len(pairs), len(pairs)) == reconciled(loading)
    assert [] == differences(loading.source, loading.warehouse, "t")


def test_the_key_is_in_the_digest(loading: Loading) -> None:
    """Rows that change places have the same values, the same number, and other digests."""
    made(loading, "v VARCHAR(9)", ["'a'", "'a'", "'b'", "'c'"])
    assert 4 == len(set(stored(loading)))
    loading.source.execute(
        "UPDATE t SET id = id + 10",
        "UPDATE t SET id = CASE id WHEN 12 THEN 3 WHEN 13 THEN 2 ELSE id - 10 END",
    )
    assert ("equal after repair", 2, 2) == reconciled(loading)
    assert [] == differences(loading.source, loading.warehouse, "t")


def test_twins_do_not_cancel_out(loading: Loading) -> None:
    """BIT_XOR of equal digests is 0, so that COUNT and SUM are compared as well, over all digests of the range."""
    made(loading, "v INT", ["1", "2", "3", "4", "5"])
    first, second, *_ = stored(loading)
    # As if somebody had copied digests: the XOR stays, the sum does not.
    loading.warehouse.execute(
        f"UPDATE raw.t SET _etlkit_digest = {first ^ second ^ 1} WHERE id = 0",
        "UPDATE raw.t SET _etlkit_digest = 1 WHERE id = 1",
    )
    assert ("equal after repair", 2, 2) == reconciled(loading)
    assert [first, second] == stored(loading)[:2]
    # A row more whose digest adds nothing.
    loading.warehouse.execute("INSERT INTO raw.t VALUES (99, 9, 0)")
    outcome = loading.loader().load_table("t")
    assert ("equal after repair", 1) == (outcome.verified, outcome.deleted)


def test_emoji_and_character_sets_in_one_row(loading: Loading) -> None:
    """Text of different character sets does not meet as text, where servers turn emoji into question marks."""
    columns = (
        "a VARCHAR(9) CHARACTER SET latin1, b VARCHAR(9) CHARACTER SET utf8mb4, c TEXT CHARACTER SET utf16, "
        "d LONGTEXT CHARACTER SET utf8, e TEXT CHARACTER SET gbk, f BLOB, g ENUM('é', 'b') CHARACTER SET cp850"
    )
    latin = f"_utf8mb4 0x{'é€'.encode().hex()}"
    same = f"{latin}, {{}}, {{}}, {latin}, _utf8mb4 0x{'牙'.encode().hex()}, 0xFF00, 1"
    made(loading, columns, [same.format(b, c) for b in EMOJI for c in EMOJI])
    rows = len(EMOJI) ** 2
    assert rows == len(set(stored(loading)))
    assert [] == differences(loading.source, loading.warehouse, "t")
    assert ("equal", 0, 0) == reconciled(loading)
    turned = EMOJI[1:] + EMOJI[:1]
    loading.source.execute(
        *(f"UPDATE t SET b = {b} WHERE id = {at * len(EMOJI)}" for at, b in enumerate(turned)),
        *(f"UPDATE t SET c = {c} WHERE id = {at}" for at, c in enumerate(turned) if at),
    )
    verified, _, updated = reconciled(loading)
    assert ("equal after repair", 2 * len(EMOJI) - 1) == (verified, updated)
    assert [] == differences(loading.source, loading.warehouse, "t")


def test_large_columns_are_hashed_on_their_own(loading: Loading) -> None:
    """A row whose columns together are above max_allowed_packet has a digest, and the last byte of each is in it."""
    size = 700_000
    made(
        loading,
        "a LONGTEXT, b LONGBLOB, c MEDIUMTEXT, d MEDIUMBLOB",
        [
            (
                f"concat(repeat('a', {size}), 1), concat(repeat(0xFF, {size}), 1), "
                f"concat(repeat('é', {size // 2}), 1), concat(repeat(0x00, {size}), 1)"
            ),
            "NULL, NULL, NULL, NULL",
            "'', '', '', ''",
        ],
    )
    with servers_setting(loading, "max_allowed_packet", str(2**20)):
        assert ("equal", 0, 0) == reconciled(loading)
        for column in "abcd":
            loading.source.execute(
                f"UPDATE t SET {column} = concat(left({column}, char_length({column}) - 1), 2) WHERE id = 0"
            )
            assert ("equal after repair", 1, 1) == reconciled(loading), column
        loading.source.execute(
            "UPDATE t SET c = '', d = NULL WHERE id = 1", "UPDATE t SET c = NULL WHERE id = 2"
        )
        assert ("equal after repair", 2, 2) == reconciled(loading)
    assert [] == differences(loading.source, loading.warehouse, "t")


@pytest.mark.parametrize("key", ["INT", "VARCHAR(9)"])
def test_digests_that_cannot_be_computed_are_an_error(loading: Loading, key: str) -> None:
    """BIT_XOR passes NULL over, so NULL digests are counted; one is an error, whichever way keys are compared."""
    points = 70_000
    line = f"concat(0x0102000000{points.to_bytes(4, 'little').hex()}, repeat(0x{bytes(16).hex()}, {points}))"
    loading.source.execute(
        f"CREATE TABLE t (id {key} PRIMARY KEY, v GEOMETRY)",
        f"INSERT INTO t VALUES ('1', GeomFromWKB({line})), ('2', NULL), ('3', NULL)",
    )
    choose(loading)
    loading.loader().load_table("t")
    before = loading.there("id, _etlkit_digest")
    with servers_setting(loading, "max_allowed_packet", str(2**20)), pytest.raises(ExtractionError) as caught:
        loading.loader().load_table("t")
    assert (
        "table `t`: the source could not compute the digest of 1 row larger than it can handle; raise "
        "max_allowed_packet on the source"
    ) == str(caught.value)
    assert before == loading.there("id, _etlkit_digest")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_zone", "'-08:00'"),
        (
            "sql_mode",
            "'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE'",
        ),
        ("character_set_client", "latin1"),
        ("collation_connection", "latin1_german2_ci"),
        ("lc_time_names", "'de_DE'"),
        ("div_precision_increment", "1"),
    ],
)
def test_the_session_is_the_same_whatever_the_server(loading: Loading, name: str, value: str) -> None:
    """A server that was set up anew gives the same digests: utf8mb4, UTC and the SQL mode are the session's own."""
    made(
        loading,
        "a TIMESTAMP NULL, b CHAR(20), c VARCHAR(20), d FLOAT, e DATETIME(3), f TIME, g DECIMAL(9,4), h BIT(9)",
        ["'2024-07-01 12:00:00', 'x ', '\\\\ü\\'', 1.234567, '2024-03-31 02:30:00.125', '-25:00:00', 1.5, 5"],
    )
    with servers_setting(loading, name, value):
        assert ("equal", 0, 0) == reconciled(loading)
        assert (1, 0, 0, 0, 1) == loading.load("t", force_full=True)


@ONE_KIND
def test_a_deployments_digests_cannot_be_guessed(loading: Loading) -> None:
    """The same row has another digest under another secret; the secret is the ledger's, kept and told to nobody."""
    made(loading, "v VARCHAR(20)", ["'Smith'"])
    secret = loading.warehouse.value("SELECT secret FROM etlkit.secrets")
    assert 32 == len(secret)
    assert secret == loading.deployment.ledger.secret()
    analysis = loading.plan("t").analysis

    def digest(of: str) -> int:
        rendered = render(analysis, loading.source.name, secret=of)
        with loading.source.engine.connect() as connection:
            return int(connection.scalar(sa.select(rendered.digest()).select_from(rendered.source)) or 0)

    assert stored(loading) == [digest(secret)]
    assert digest("a") != digest("b")
    assert secret not in repr(loading.plan("t"))


@ONE_KIND
@pytest.mark.parametrize(
    ("statement", "override"),
    [
        ("", ColumnOverride(conversion="zero_to_null")),
        ("", ColumnOverride(pg_type="integer")),
        ("ALTER TABLE t MODIFY v INT", None),
        ("ALTER TABLE t ADD w INT", None),
    ],
)
def test_another_mapping_reads_the_table_again(
    loading: Loading, statement: str, override: ColumnOverride | None
) -> None:
    """The salt is of the mapping: where a column is converted in another way, or there are others, no digest holds."""
    made(loading, "v TINYINT, x VARCHAR(9)", ["1, 'a'", "0, 'b'"])
    before = stored(loading)
    if statement:
        loading.source.execute(statement)
    if override:
        choose(loading, v=override)
    assert 2 == loading.loader().load_table("t").read
    assert [] == [each for each in stored(loading) if each in before]
    assert ("equal", 0, 0) == reconciled(loading)
    null = {"v": [0]} if override and override.conversion else {}
    assert [] == differences(loading.source, loading.warehouse, "t", expected_null=null)


@ONE_KIND
def test_another_version_reads_the_table_again(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a digest is computed from has a version, which is in the salt."""
    made(loading, "v INT", ["1", "2"])
    monkeypatch.setattr(digests, "VERSION", f"{digests.VERSION}+")
    assert ("equal after repair", 2, 2) == reconciled(loading)
    assert ("equal", 0, 0) == reconciled(loading)


@pytest.mark.parametrize("source", ["mariadb-innodb", "mariadb-myisam"], indirect=True)
def test_generated_columns_are_in_the_digest(loading: Loading) -> None:
    """What the server computes changes with what it is computed from, or alone when its expression does."""
    made_by = "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT AS (a * 2) VIRTUAL, c INT INVISIBLE)"
    loading.source.execute(made_by, "INSERT INTO t (id, a, c) VALUES (1, 1, 1), (2, 2, 2)")
    choose(loading)
    loading.loader().load_table("t")
    loading.source.execute("ALTER TABLE t MODIFY b INT AS (if(id = 1, a * 2, a * 3)) VIRTUAL")
    assert ("equal after repair", 1, 1) == reconciled(loading)
    loading.source.execute("UPDATE t SET c = 3 WHERE id = 1")
    assert ("equal after repair", 1, 1) == reconciled(loading)
    assert [] == differences(loading.source, loading.warehouse, "t")


@pytest.mark.parametrize("declared", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("nullable", ["NULL", "NOT NULL"])
def test_numbers_are_in_the_digest_to_the_last_bit(loading: Loading, declared: str, nullable: str) -> None:
    """Numbers side by side do not change places, and neither the last bit nor the sign of a zero is passed over."""
    least = "1.401298464324817e-45" if declared == "FLOAT" else "5e-324"
    odd = ["0", least, f"-{least}", "1.5", "1.5000001", "-1.5", "16777216", "16777215", "1e38", "2.5e-38"]
    if nullable == "NULL":
        odd.append("NULL")
    if loading.source.kind == "mysql56":  # MariaDB stores -0 as 0
        odd.append("-0e0")
    pairs = list(itertools.product(odd, repeat=2))
    columns = f"a {declared} {nullable}, b {declared} {nullable}, c {declared} NULL"
    made(loading, columns, [f"{a}, {b}, NULL" for a, b in pairs])
    assert ("equal", 0, 0) == reconciled(loading)
    shifted = pairs[1:] + pairs[:1]
    loading.source.execute(
        *(f"UPDATE t SET a = {a}, b = {b} WHERE id = {at}" for at, (a, b) in enumerate(shifted))
    )
    assert ("equal after repair", len(pairs), len(pairs)) == reconciled(loading)
    loading.source.execute("UPDATE t SET c = 0 WHERE id = 3", "UPDATE t SET a = b, b = a WHERE id = 17")
    assert ("equal after repair", 2) == reconciled(loading)[::2]
    assert [] == differences(loading.source, loading.warehouse, "t")
