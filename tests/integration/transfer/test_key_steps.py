"""InnoDB tables whose key is one integer are read by steps: every row once, without asking for each chunk's end."""

from __future__ import annotations

import pytest

from etlkit.contracts import Chunks
from support.loading import Loading
from support.reading import chunks_of, rows_of
from support.server_log import statements_seen

SMALL = Chunks(rows=1000, max_bytes=16_000)
INNODB = pytest.mark.parametrize("shared", ["mariadb-innodb"], indirect=True)


@INNODB
@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("INT", range(-4000, 4000)),
        ("BIGINT UNSIGNED", [*range(10), *range(2**64 - 9000, 2**64)]),
        ("BIGINT", [*range(5000), *range(10**15, 10**15 + 9000), 2**63 - 1]),
        ("BIGINT", [*range(0, 9000 * 10**11, 10**11), *range(10**17, 10**17 + 9000)]),
        ("INT", [5]),
    ],
)
def test_every_row_is_read_once(shared: Loading, kind: str, keys: list[int]) -> None:
    """Dense and sparse stretches, gaps, and keys at both ends of their type."""
    shared.source.execute(
        "DROP TABLE IF EXISTS stepped",
        f"CREATE TABLE stepped (k {kind} PRIMARY KEY, v VARCHAR(20))",
        f"INSERT INTO stepped VALUES {', '.join(f'({key}, {key})' for key in keys)}",
        "ANALYZE TABLE stepped",
    )
    read = [row.split(b"\x01") for row in rows_of(chunks_of(shared, shared.plan("stepped", chunks=SMALL)))]
    assert [[b"%d" % key] * 2 for key in keys] == read


@INNODB
def test_the_source_is_asked_once_for_each_chunk(shared: Loading) -> None:
    """Once chunks are large, no statement looks for the next one's end, and the read ends without an empty one."""
    shared.source.execute(
        "DROP TABLE IF EXISTS stepped",
        "CREATE TABLE stepped (k INT PRIMARY KEY, v CHAR(255))",
        f"INSERT INTO stepped VALUES {', '.join(f'({key}, 1)' for key in range(30000))}",
        "ANALYZE TABLE stepped",
    )
    with statements_seen(shared.source.server) as seen:
        chunks = chunks_of(shared, shared.plan("stepped", chunks=Chunks(rows=5000, max_bytes=20_000)))
    assert 30000 == sum(chunk.rows for chunk in chunks)
    fetches = [each for each in seen if "count_1" in each]
    ends = [
        each for each in seen if "ORDER BY" in each and "LIMIT" in each and "information_schema" not in each
    ]
    assert len(chunks) == len(fetches)
    assert len(ends) <= 3
