"""Reconciling finds every edit and every delete without a cursor, and mends exactly the rows that differ."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from etlkit.config import TableChoice
from etlkit.contracts import Differences
from etlkit.events import TableFinished
from support.comparison import differences
from support.loading import Loading, counts

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
_random = random.Random(5)  # noqa: S311 - keys of a test

KEYS: dict[str, tuple[str, Sequence[str]]] = {
    "int": ("k INT", [str(n) for n in range(-200, 200)]),
    "19 random digits": ("k BIGINT", [str(_random.randrange(10**18, 2**63)) for _ in range(400)]),
    "unsigned": ("k BIGINT UNSIGNED", [str(2**64 - 1 - n * 7) for n in range(400)]),
    "decimal": ("k DECIMAL(12,4)", [f"{n}.{n % 7}" for n in range(-200, 200)]),
    "datetime": ("k DATETIME(3)", [f"'2024-01-01 00:00:00.{n:03}'" for n in range(400)]),
    "timestamp": (
        "k TIMESTAMP DEFAULT '2000-01-01 00:00:00'",
        [f"'2024-03-31 0{n // 60}:{n % 60:02}:00'" for n in range(400)],
    ),
    "text": ("k VARCHAR(40) CHARACTER SET latin1", [f"'{'aBcÄ_ %'[n % 7]}{n}'" for n in range(400)]),
    "binary": ("k VARBINARY(8)", [f"0x{n:04x}5c0a00" for n in range(400)]),
    "composite": ("k INT, l VARCHAR(10)", [f"{n // 9}, 'x{n % 9}'" for n in range(400)]),
    "composite of numbers": ("k INT, l DATE", [f"{n // 9}, '2024-01-0{n % 9 + 1}'" for n in range(400)]),
}


def reconciled(loading: Loading) -> TableFinished:
    """Run the strategy once."""
    return loading.loader().load_table("t")


def made(loading: Loading, key: str, rows: Sequence[str]) -> None:
    """Make the source's table with a row per key, and load it."""
    names = ", ".join(part.split()[0] for part in key.split(", "))
    values = ", ".join(f"({row}, CONCAT({at}, 0x0A), {at} / 7, NULL)" for at, row in enumerate(rows))
    loading.source.execute(
        f"CREATE TABLE t ({key}, v VARCHAR(30), n DOUBLE, d DATE NULL, PRIMARY KEY ({names})) CHARACTER SET utf8mb4",
        f"INSERT INTO t VALUES {values}",
    )
    loading.choose(t=TableChoice(extraction_strategy="reconcile"))
    first = reconciled(loading)
    assert (len(rows), len(rows), 0, 0, 0) == counts(first)


@pytest.mark.parametrize(("key", "rows"), KEYS.values(), ids=KEYS)
def test_edits_inserts_deletes_and_key_changes_are_mended(
    loading: Loading, key: str, rows: Sequence[str]
) -> None:
    """Whatever the key's type; and nothing else is read or touched."""
    *rows, late = rows
    made(loading, key, rows)
    assert isinstance(loading.plan("t").plan.read, Differences)
    assert (0, 0, 0, 0, len(rows)) == counts(equal := reconciled(loading))
    assert "equal" == equal.verified
    names = [part.split()[0] for part in key.split(", ")]

    def where(place: int) -> str:
        parts = rows[place].split(", ")
        return " AND ".join(f"{name} = {part}" for name, part in zip(names, parts, strict=True))

    loading.source.execute(
        f"UPDATE t SET v = NULL WHERE {where(10)}",
        f"UPDATE t SET v = '' WHERE {where(11)}",
        f"UPDATE t SET n = n * (1 + 4e-16) WHERE {where(200)}",
        f"UPDATE t SET d = '0001-01-01' WHERE {where(201)}",
        f"DELETE FROM t WHERE {where(0)} OR {where(300)} OR {where(len(rows) - 1)}",
        f"INSERT INTO t VALUES ({late}, 'late', 1, '2024-02-29')",
    )
    mended = reconciled(loading)
    assert (1, 4, 3) == (mended.inserted, mended.updated, mended.deleted)
    assert "equal after repair" == mended.verified
    assert mended.read < 150
    assert [] == differences(loading.source, loading.warehouse, "t")
    assert (0, 0, 0, 0, len(rows) - 2) == counts(reconciled(loading))


def test_large_and_odd_values_are_in_the_digest(loading: Loading) -> None:
    """Values larger than a packet's share, and values that could run into each other, are told apart."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20), m MEDIUMTEXT, l LONGBLOB)"
        " CHARACTER SET utf8mb4",
        "INSERT INTO t SELECT 1, 'a', 'bc', REPEAT('x', 300000), REPEAT(0xFF00, 200000)",
        "INSERT INTO t VALUES (2, NULL, '', NULL, NULL), (3, 'ab', 'c', '', ''), (4, '😀', '😁', '', NULL)",
    )
    loading.choose(t=TableChoice(extraction_strategy="reconcile"))
    reconciled(loading)
    changes = [
        "UPDATE t SET a = 'ab', b = 'c' WHERE id = 1",
        "UPDATE t SET a = '', b = NULL WHERE id = 2",
        "UPDATE t SET m = NULL WHERE id = 3",
        "UPDATE t SET a = '😁', b = '😀' WHERE id = 4",
        "UPDATE t SET m = CONCAT(m, 'y') WHERE id = 1",
        "UPDATE t SET l = CONCAT(LEFT(l, 399999), 0x01) WHERE id = 1",
        "UPDATE t SET l = '' WHERE id = 4",
    ]
    for change in changes:
        loading.source.execute(change)
        assert 1 == reconciled(loading).updated, change
        assert [] == differences(loading.source, loading.warehouse, "t")


@ONE_KIND
def test_damage_in_the_digests_and_missing_rows_are_found(loading: Loading) -> None:
    """What somebody deleted in the warehouse comes back; a digest that was lost is computed again."""
    made(loading, *KEYS["int"])
    loading.warehouse.execute(
        "DELETE FROM raw.t WHERE k IN (-200, 0, 199)",
        "UPDATE raw.t SET _etlkit_digest = NULL WHERE k = 5",
        "INSERT INTO raw.t (k) VALUES (1000)",
    )
    mended = reconciled(loading)
    assert (3, 1, 1) == (mended.inserted, mended.updated, mended.deleted)
    assert [] == differences(loading.source, loading.warehouse, "t")


@ONE_KIND
def test_one_changed_row_is_found_by_reading_less_than_a_hundredth(loading: Loading) -> None:
    """The source sends sums of ranges, the keys of one range, and the row."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v CHAR(250))",
        "INSERT INTO t SELECT seq, MD5(seq) FROM seq_1_to_100000",
        "UPDATE t SET v = REPEAT(v, 7)",
        "ANALYZE TABLE t",
    )
    loading.choose(t=TableChoice(extraction_strategy="reconcile"))
    full = reconciled(loading)
    loading.source.execute("UPDATE t SET v = 'changed' WHERE id = 54321")
    with loading.source.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Bytes_sent'")
        before = int(cursor.fetchone()[1])  # type: ignore[index]
        mended = reconciled(loading)
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Bytes_sent'")
        sent = int(cursor.fetchone()[1]) - before  # type: ignore[index]
    assert (1, 0, 1, 0, 99_999) == counts(mended)
    assert mended.rendered_bytes < 1000
    # The keys of one range, and the catalog that discovery reads for each load of this test, are in it.
    assert sent < full.rendered_bytes / 15


@ONE_KIND
def test_nothing_is_left_and_a_failure_changes_nothing(loading: Loading) -> None:
    """A reconcile is one transaction: what the warehouse refuses leaves all as it was."""
    made(loading, *KEYS["int"])
    loading.source.execute("UPDATE t SET v = 'secret value' WHERE k = 7", "DELETE FROM t WHERE k = 8")
    loading.warehouse.execute("ALTER TABLE raw.t ADD CONSTRAINT no_secrets CHECK (v <> 'secret value')")
    with pytest.raises(Exception, match="check_violation") as caught:
        reconciled(loading)
    assert "secret value" not in str(caught.value)
    assert 400 == loading.warehouse.value("SELECT count(*) FROM raw.t")
    loading.warehouse.execute("ALTER TABLE raw.t DROP CONSTRAINT no_secrets")
    assert "equal after repair" == reconciled(loading).verified
    assert [] == loading.warehouse.rows("SELECT relname FROM pg_class WHERE relname ~ '^etlkit_'")
