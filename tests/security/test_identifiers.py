"""Names that a hostile source could give its tables and columns go through every verb, and are names only."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.clinic import Clinic
from support.comparison import all_differences
from support.databases import SourceDatabase, WarehouseDatabase

NAMES = [
    'x"; DROP TABLE raw.victim; --',
    "x`; DROP TABLE victim; -- ",
    "x'; DROP TABLE victim; --",
    "x'||(SELECT 1)||'",
    "x\\",
    "%s %(a)s %%",
    ":a {b} $1 ?",
    "a\nb\tc\rd",
    "\x1b[2J\x1b[31mred",
    "\u202edrowssap",
    "日本語",
    "ﬃ é e\u0301",
    "select",
    "z" * 64,
    "日" * 40,
]
"""No name of MySQL holds a NUL or a character beyond U+FFFF, or ends with a blank."""


def quoted(name: str) -> str:
    """A name in a statement of the source."""
    return "`" + name.replace("`", "``") + "`"


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_hostile_names(tmp_path: Path, source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """Tables and columns of any name are loaded, loaded again, mended and verified; nothing else happens."""
    names = [name.rstrip() for name in NAMES]
    columns = ", ".join(
        f"{quoted(name)} varchar(40) default {literal} comment {literal}"
        for name in names
        for literal in [f"""'{name[:20].replace(chr(92), chr(92) * 2).replace("'", "''")}'"""]
    )
    key = ", ".join(quoted(name) for name in names[:4])
    stamp = "timestamp not null default current_timestamp on update current_timestamp"
    source.execute(
        "create table victim (id int primary key)",
        "insert into victim values (1)",
        f"create table wide ({columns}, primary key ({key})) character set utf8mb4",
        f"insert into wide ({quoted(names[-1])}) values ('a')",
        *(
            f"create table {quoted(name)} ({quoted(name)} int primary key, {quoted('t' + name[:60])} {stamp}, "
            f"key ({quoted('t' + name[:60])}))"
            for name in names
        ),
        *(f"insert into {quoted(name)} ({quoted(name)}) values (1), (2)" for name in names),
    )
    # The comparison knows no table under another name; `etlkit verify` does.
    compared = {name for name in [*names, "victim", "wide"] if len(name.encode()) < 64}
    clinic = Clinic(folder=tmp_path / "north", source=source, warehouse=warehouse)
    clinic.prepared()
    said = [clinic.done("plan"), clinic.done("run")]
    assert [] == all_differences(source, warehouse, tables=compared)
    source.execute(
        *(f"update {quoted(name)} set {quoted(name)} = 3 where {quoted(name)} = 2" for name in names)
    )
    said += [clinic.done("run", "--log-format", "json"), clinic.done("reconcile")]
    assert [] == all_differences(source, warehouse, tables=compared)
    said += [clinic.done(*verb.split()) for verb in ("verify", "verify --deep", "status", "report")]
    assert [(1,)] == source.rows("select * from victim") == warehouse.rows("select * from raw.victim")
    assert [] == [each for each in said if "\x1b" in each or "\u202e" in each or "a\nb" in each]
