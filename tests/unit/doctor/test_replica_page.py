"""docs/replica.md says what is there: the section of `etlkit.yml`, the policies, etlkit's own tables, the rights."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
from sqlalchemy.dialects import mysql

from etlkit.config import DriftSettings, ReplicaSettings
from etlkit.replication.ledger_tables import metadata
from etlkit.server_access import REPLICA_RIGHTS

PAGE = (Path(__file__).parents[3] / "docs" / "replica.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a title, up to the next one."""
    return re.split(r"^#+ ", PAGE.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_own_tables() -> None:
    """Every table of the replica's record is listed with each of its columns, their types, in their order."""
    dialect = mysql.dialect()
    for table in metadata.tables.values():
        rows = re.findall(r"^\| `(\w+)` \| ([\w()]+) \| [^|]+ \|$", section(table.name), re.MULTILINE)
        types = [
            (column.name, column.type.compile(dialect=dialect).lower().partition(" collate")[0])
            for column in table.columns
        ]
        assert types == rows
    listed = re.findall(r"^### (etlkit_\w+)$", PAGE, re.MULTILINE)
    assert list(metadata.tables) == listed


def test_keys_of_the_section() -> None:
    """Every key of the section `replica` is listed with its default."""
    rows = re.findall(r"^\| `(\w+)` \| (?:`(\w+)`)? ?\| [^|]+ \|$", section("Setting it up"), re.MULTILINE)
    defaults = [(each.name, _shown(each.default)) for each in attrs.fields(ReplicaSettings)]
    assert sorted(defaults) == sorted(rows)


def _shown(default: object) -> str:
    if default is None or default is attrs.NOTHING:
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_policies() -> None:
    """What each drift policy does in the first hop is told."""
    rows = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", section("When the source's definition changes"), re.MULTILINE
    )
    assert sorted(each.name for each in attrs.fields(DriftSettings)) == sorted(rows)


def test_rights() -> None:
    """The statement of the page grants what etlkit needs, and what the doctor asks for."""
    [granted] = re.findall(r"GRANT (SELECT, INSERT.+)\n  ON ", PAGE)
    assert ", ".join(REPLICA_RIGHTS) == granted
