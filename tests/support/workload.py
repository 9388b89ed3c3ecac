"""A seeded workload: whatever a practice does to its tables, with edits that no cursor shows."""

from __future__ import annotations

import random

from support.databases import SourceDatabase

KEYS = {
    "numbered": "id INT AUTO_INCREMENT PRIMARY KEY",
    "random_keys": "id BIGINT PRIMARY KEY",
    "by_text": "id VARCHAR(20) PRIMARY KEY",
    "by_two": "id INT, part TINYINT, PRIMARY KEY (id, part)",
    "keyless": "id INT, KEY (id)",
}
"""By kind of table, how its key is declared."""
STAMP = "DATETIME NOT NULL"
"""The declaration of a stamp that the server leaves alone."""
SERVER_STAMP = "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
"""The declaration of a stamp that the server sets."""


class Workload:
    """Random changes of tables, the same for the same seed; a table's kind is the beginning of its name."""

    def __init__(self, source: SourceDatabase, seed: int) -> None:
        self.source = source
        self.random = random.Random(seed)  # noqa: S311 - a test's work

    def create(self, table: str, *, stamp: str = STAMP, rows: int = 300, width: int = 0) -> None:
        """Make a table with rows, each of them `width` bytes wider than its values."""
        key = KEYS[self.kind(table)]
        self.source.execute(
            f"CREATE TABLE {table} (stamp {stamp}, note VARCHAR(50) NULL, fee DOUBLE NOT NULL, text MEDIUMTEXT, "
            f"padding TEXT, {key}) CHARACTER SET utf8mb4"
        )
        with self.source.engine.begin() as connection:
            for _ in range(rows):
                connection.exec_driver_sql(self.insert(table))
            connection.exec_driver_sql(f"UPDATE {table} SET padding = REPEAT('x', {width}), stamp = stamp")

    def kind(self, table: str) -> str:
        """The kind of a table."""
        return next(kind for kind in KEYS if table.startswith(kind))

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
            "hidden": f"UPDATE {table} SET fee = fee + 0.1, note = IF(note IS NULL, '', NULL), stamp = stamp "
            f"WHERE {key}",
            "key": f"UPDATE IGNORE {table} SET id = {self.key(table)}, stamp = stamp WHERE {key}",
            "delete": f"DELETE FROM {table} WHERE {key}",
            "back-dated": f"UPDATE {table} SET stamp = '2001-01-01', text = REPEAT('é', 2000) WHERE {key}",
            "tie": f"UPDATE {table} SET stamp = '2024-01-01 00:00:00' WHERE {key}",
        }[kind]

    def insert(self, table: str) -> str:
        """A statement that adds a row, late, early or in between."""
        columns, values = "", ""
        if self.kind(table) != "numbered":
            columns, values = "id, ", f"{self.key(table)}, "
        if self.kind(table) == "by_two":
            columns, values = columns + "part, ", values + f"{self.random.randrange(3)}, "
        fee, text = self.random.random(), self.random.choice(["NULL", "''", "'tab\\tand\\nline'", "'😀'"])
        return (
            f"INSERT IGNORE INTO {table} ({columns}stamp, note, fee, text) "
            f"VALUES ({values}NOW() - INTERVAL {self.random.randrange(9)} DAY, NULL, {fee}, {text})"
        )

    def key(self, table: str) -> str:
        """A key that is probably free."""
        kind = self.kind(table)
        if kind == "by_text":
            return f"'{self.random.choice('abÄz')}{self.random.randrange(10**6)}'"
        return str(
            self.random.randrange(10**18, 2**63) if kind == "random_keys" else self.random.randrange(10**6)
        )
