"""Whatever a practice does to its tables, a reconcile makes the warehouse equal, and touches nothing else."""

from __future__ import annotations

import random

import pytest

from etlkit.config import TableChoice
from support.comparison import differences
from support.databases import SourceDatabase
from support.loading import Loading

ROUNDS = 20
TABLES = {
    "numbered": "id INT AUTO_INCREMENT PRIMARY KEY",
    "random_keys": "id BIGINT PRIMARY KEY",
    "by_text": "id VARCHAR(20) PRIMARY KEY",
    "by_two": "id INT, part TINYINT, PRIMARY KEY (id, part)",
}
COLUMNS = "stamp DATETIME NOT NULL, note VARCHAR(50) NULL, fee DOUBLE NOT NULL, text MEDIUMTEXT"


class Workload:
    """Random changes of the tables, the same for the same seed."""

    def __init__(self, source: SourceDatabase, seed: int) -> None:
        self.source = source
        self.random = random.Random(seed)  # noqa: S311 - a test's work

    def change(self, table: str) -> str:
        """One statement that changes a table."""
        rows = self.source.value(f"SELECT COUNT(*) FROM {table}")
        kind = self.random.choice(
            ["insert"] * 4 + ["edit", "edit", "hidden", "key", "delete", "back-dated", "tie"]
        )
        if kind == "insert" or rows < 10:
            return self.insert(table)
        row = f"ORDER BY id LIMIT 1 OFFSET {self.random.randrange(rows)}"
        value = self.source.rows(f"SELECT id FROM {table} {row}")[0][0]
        key = f"id = {value}" if isinstance(value, int) else f"id = '{value}'"
        return {
            "edit": f"UPDATE {table} SET note = CONCAT('edited ', fee), stamp = NOW() WHERE {key}",
            "hidden": f"UPDATE {table} SET fee = fee + 0.1, note = IF(note IS NULL, '', NULL) WHERE {key}",
            "key": f"UPDATE IGNORE {table} SET id = {self.key(table)} WHERE {key}",
            "delete": f"DELETE FROM {table} WHERE {key}",
            "back-dated": f"UPDATE {table} SET stamp = '2001-01-01', text = REPEAT('é', 2000) WHERE {key}",
            "tie": f"UPDATE {table} SET stamp = '2024-01-01 00:00:00' WHERE {key}",
        }[kind]

    def insert(self, table: str) -> str:
        """A statement that adds a row, late, early or in between."""
        columns, values = "", ""
        if table != "numbered":
            columns, values = "id, ", f"{self.key(table)}, "
        if table == "by_two":
            columns, values = columns + "part, ", values + f"{self.random.randrange(3)}, "
        fee, text = self.random.random(), self.random.choice(["NULL", "''", "'tab\\tand\\nline'", "'😀'"])
        return (
            f"INSERT IGNORE INTO {table} ({columns}stamp, note, fee, text) "
            f"VALUES ({values}NOW() - INTERVAL {self.random.randrange(9)} DAY, NULL, {fee}, {text})"
        )

    def key(self, table: str) -> str:
        """A key that is probably free."""
        if table == "by_text":
            return f"'{self.random.choice('abÄz')}{self.random.randrange(10**6)}'"
        return str(
            self.random.randrange(10**18, 2**63) if table == "random_keys" else self.random.randrange(10**6)
        )


@pytest.mark.parametrize("seed", [11])
def test_equal_after_every_round(loading: Loading, seed: int) -> None:
    """Inserts, edits that no cursor shows, back-dated rows, ties, changed keys and deletes, round after round."""
    work = Workload(loading.source, seed)
    for table, key in TABLES.items():
        columns = (
            key.replace(" PRIMARY KEY", " PRIMARY KEY, " + COLUMNS)
            if "(id" not in key
            else f"{COLUMNS}, {key}"
        )
        loading.source.execute(f"CREATE TABLE {table} ({columns}) CHARACTER SET utf8mb4")
        loading.source.execute(*(work.insert(table) for _ in range(300)))
        loading.choose(**{table: TableChoice(extraction_strategy="reconcile")})
    for number in range(ROUNDS):
        for table in TABLES:
            for _ in range(work.random.randrange(6)):
                loading.source.execute(work.change(table))
            before = set(loading.versions(table, "id").items()) if number else set()
            outcome = loading.loader().load_table(table)
            assert [] == differences(loading.source, loading.warehouse, table), (seed, number, table)
            if number:
                assert outcome.verified in {"equal", "equal after repair"}
                new = set(loading.versions(table, "id").items()) - before
                assert len(new) <= outcome.inserted + outcome.updated
