"""What changed in a schema since the last analysis, and which changes break something."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from etlkit.discovery import spelling
from etlkit.discovery.documents import ChangesDocument, ColumnDocument, TableChange, TableSchema

_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_TEXTS = ("tinytext", "text", "mediumtext", "longtext")
_BLOBS = ("tinyblob", "blob", "mediumblob", "longblob")
_WITH_LENGTH = re.compile(r"^(char|varchar|binary|varbinary|bit|datetime|timestamp|time)(?:\((\d+)\))?$")
_DECIMAL = re.compile(r"^decimal\((\d+),(\d+)\)( unsigned)?$")
_MEMBERS = re.compile(r"^(enum|set)\((.*)\)$", re.DOTALL)


@attrs.frozen(kw_only=True)
class LastAnalysis:
    """What is known of the last analysis."""

    made_at: str | None = None
    """When; None when there was none."""
    hashes: Mapping[str, str] = attrs.field(factory=dict)
    """`schema_hash` by table, from `tables.yml`."""
    tables: Mapping[str, TableSchema] = attrs.field(factory=dict)
    """Definitions by table, from the newest `schema_analysis_<timestamp>.json`."""

    def columns(self, table: str) -> frozenset[str] | None:
        """Give the columns that a table had then.

        Args:
            table: its name.

        Returns:
            Their names; None where they are not known, as when that file is another analysis's than `tables.yml`.
        """
        known = self.tables.get(table)
        if known is None or known["schema_hash"] != self.hashes.get(table):
            return None
        return frozenset(each["name"] for each in known["columns"])


def find_changes(last: LastAnalysis, now: Mapping[str, TableSchema]) -> ChangesDocument:
    """Compare two analyses.

    Args:
        last: the earlier one.
        now: definitions by table of the later one.

    Returns:
        The changes; none where there was no earlier analysis.
    """
    if last.made_at is None:
        return _document(None, [], [], [])
    changed = [
        _change(name, last.tables.get(name), schema, last.hashes[name])
        for name, schema in sorted(now.items())
        if name in last.hashes and last.hashes[name] != schema["schema_hash"]
    ]
    return _document(
        last.made_at, sorted(set(now) - set(last.hashes)), sorted(set(last.hashes) - set(now)), changed
    )


def _document(
    compared_with: str | None, added: list[str], removed: list[str], changed: list[TableChange]
) -> ChangesDocument:
    return {
        "compared_with": compared_with,
        "tables_added": added,
        "tables_removed": removed,
        "tables_changed": changed,
        "breaking": sorted([*removed, *(each["table"] for each in changed if each["breaking"])]),
    }


def _change(name: str, before: TableSchema | None, now: TableSchema, last_hash: str) -> TableChange:
    if before is None or before["schema_hash"] != last_hash:
        # The file beside tables.yml is gone, or belongs to another analysis.
        return {
            "table": name,
            "columns_added": [],
            "columns_removed": [],
            "columns_changed": {},
            "other": ["the definition changed; the last analysis's columns are not at hand"],
            "breaking": True,
        }
    old = {column["name"]: column for column in before["columns"]}
    new = {column["name"]: column for column in now["columns"]}
    changed: dict[str, str] = {}
    breaking = not set(old) <= set(new)
    for column, after in new.items():
        if column in old and (words := _column_change(old[column], after)):
            changed[column] = words
            breaking = breaking or not widens(_type(old[column]), _type(after))
    other = []
    if before["primary_key_columns"] != now["primary_key_columns"]:
        other.append(f"primary key {_key(before)} became {_key(now)}")
        breaking = True
    if not changed and not other and set(old) == set(new):
        moved = list(old) != list(new)
        other.append("the order of columns changed" if moved else "indexes changed")
    return {
        "table": name,
        "columns_added": [column for column in new if column not in old],
        "columns_removed": [column for column in old if column not in new],
        "columns_changed": changed,
        "other": other,
        "breaking": breaking,
    }


def widens(before: str, now: str) -> bool:
    """Tell whether every value of one type is a value of another.

    Args:
        before: a whole type, as `Column.column_type` spells it.
        now: the same.

    Returns:
        True when they are equal or the later one holds more; in doubt False.
    """
    if before == now:
        return True
    for family in (_INTEGERS, _TEXTS, _BLOBS):
        old, new = before.removesuffix(" unsigned"), now.removesuffix(" unsigned")
        if old in family and new in family:
            larger = family.index(new) - family.index(old)
            same_sign = (before == old) == (now == new)
            return larger >= 0 if same_sign else larger > 0 and before != old
    if (old_members := _MEMBERS.match(before)) and (new_members := _MEMBERS.match(now)):
        return old_members[1] == new_members[1] and new_members[2].startswith(old_members[2] + ",")
    if (old_decimal := _DECIMAL.match(before)) and (new_decimal := _DECIMAL.match(now)):
        digits, scale = int(old_decimal[1]), int(old_decimal[2])
        return (
            int(new_decimal[2]) >= scale
            and int(new_decimal[1]) - int(new_decimal[2]) >= digits - scale
            and new_decimal[3] in (None, old_decimal[3])
        )
    if (old_length := _WITH_LENGTH.match(before)) and (new_length := _WITH_LENGTH.match(now)):
        same = old_length[1] == new_length[1]
        return same and old_length[1] != "binary" and int(new_length[2] or 0) >= int(old_length[2] or 0)
    return (before.startswith(("varchar(", "char(")) and now in _TEXTS[1:]) or (before, now) == (
        "float",
        "double",
    )


def _column_change(before: ColumnDocument, now: ColumnDocument) -> str:
    parts = []
    if _type(before) != _type(now):
        parts.append(f"{_type(before)} became {_type(now)}")
    if before["is_nullable"] != now["is_nullable"]:
        parts.append("may be NULL now" if now["is_nullable"] else "must not be NULL any more")
    return ", ".join(parts)


def _type(column: ColumnDocument) -> str:
    return "json" if column["data_type"] == "json" else spelling.column_type(column["type"])


def _key(schema: TableSchema) -> str:
    return f"({', '.join(schema['primary_key_columns'])})" if schema["primary_key_columns"] else "none"
