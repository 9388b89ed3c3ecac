"""`deletes` in etlkit.yml decides, per table, what commands do about rows that are gone in the source."""

from __future__ import annotations

from typing import Any

import pytest

from support.clinic import Clinic

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
ENGINES = pytest.mark.parametrize("source", ["mariadb-innodb", "mariadb-myisam"], indirect=True)

ROWS = 'SELECT "PatNum", _etlkit_deleted_at IS NOT NULL FROM raw.patient ORDER BY 1'


def said(found: dict[str, dict[str, Any]], table: str = "patient") -> tuple[Any, ...]:
    """What a run did to a table."""
    return tuple(found[table][each] for each in ("read", "inserted", "deleted", "verified"))


def begun(clinic: Clinic, deletes: str) -> None:
    """Load the tables, with a choice for two of them, and delete a row of one."""
    choice = f"{{extraction_strategy: full_table, deletes: {deletes}}}"
    clinic.prepared(f"\ntables: {{patient: {choice}, definition: {choice}}}\n")
    clinic.loaded()
    clinic.source.execute("DELETE FROM patient WHERE PatNum = 1")


@ENGINES
def test_tombstones(clinic: Clinic) -> None:
    """A run marks, the next one need not read the table, verify finds it equal, and `hard` removes what was marked."""
    begun(clinic, "tombstone")
    assert (1, 0, 1, "equal after repair") == said(clinic.loaded())
    assert [(1, True), (2, False)] == clinic.warehouse.rows(ROWS)
    assert (0, 0, 0, "equal") == said(clinic.loaded())
    for way in ([], ["--deep"], ["--sample", "1"]):
        assert {"equal"} == {each["verified"] for each in clinic.document("verify", *way)["tables"]}
    clinic.choose({"patient": {"extraction_strategy": "full_table"}})
    assert (1, 0, 1, "equal after repair") == said(clinic.loaded())
    assert [(2, False)] == clinic.warehouse.rows(ROWS)


@ENGINES
def test_rows_that_are_kept(clinic: Clinic) -> None:
    """A run and verify say how many rows are kept, and the table counts as proven."""
    begun(clinic, "ignore")
    assert (1, 0, 0, "equal but for 1 row kept") == said(clinic.loaded())
    assert (1, 0, 0, "equal but for 1 row kept") == said(clinic.loaded())
    proven = "SELECT proven_at >= loaded_at FROM etlkit.table_state WHERE table_name = 'patient'"
    assert clinic.warehouse.value(proven)
    found = {each["table"]: each["verified"] for each in clinic.document("verify")["tables"]}
    assert {"definition": "equal", "patient": "equal but for 1 row kept", "scratchlog": "equal"} == found


@ONE_KIND
def test_a_table_without_a_key(clinic: Clinic) -> None:
    """It fails with what to do, and the others are loaded."""
    clinic.prepared("\ntables: {scratchlog: {deletes: tombstone}}\n")
    result = clinic.etlkit("run")
    assert 2 == result.exit_code
    assert "`tables.scratchlog.deletes` is `tombstone`, but the table has no primary key" in result.output
    assert 2 == clinic.warehouse.value("SELECT count(*) FROM raw.patient")


@ONE_KIND
def test_a_word_that_is_none(clinic: Clinic) -> None:
    """It is told with the words that there are."""
    clinic.prepared()
    clinic.choose({"patient": {"deletes": "soft"}})
    result = clinic.etlkit("run")
    assert 2 == result.exit_code
    words = "`tables.patient.deletes` must be `hard`, `tombstone` or `ignore` (got `soft`)"
    lines = (clinic.folder / "etlkit.yml").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith("tables: "))
    assert f"etlkit.yml:{line}: {words}\n" == result.output.rpartition("/")[2]
