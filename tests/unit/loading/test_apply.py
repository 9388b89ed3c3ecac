"""The statements that change a table in place, word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from etlkit.loading import apply
from etlkit.loading.alterations import AlterColumns, DropKey, RenameColumn, RenameTable
from etlkit.loading.target import TargetColumn, TargetTable


def target(key: Sequence[str] = ("id",), **types: str) -> TargetTable:
    """A target in schema `raw`."""
    columns = tuple(TargetColumn(name=name, source=name, type=kind) for name, kind in types.items())
    return TargetTable(schema="raw", name="Patient", source="Patient", columns=columns, key=tuple(key))


PATIENT = target(("id",), id="bigint", Name="text", doc="json")
STAGE = PATIENT.table(schema=None, name="stage", temporary=True)
MARKING = attrs.evolve(PATIENT, marks=True)


def sql(statement: sa.Executable | sa.schema.ExecutableDDLElement | None) -> str:
    """The statement's text on one line."""
    assert statement is not None
    said = str(statement.compile(dialect=PGDialect_psycopg2()))  # type: ignore[no-untyped-call, attr-defined]
    return re.sub(r"\s+", " ", said).strip()


def test_delete_missing() -> None:
    """Rows whose key was not staged are removed."""
    assert (
        'DELETE FROM raw."Patient" WHERE NOT (EXISTS (SELECT * FROM stage WHERE raw."Patient".id = stage.id))'
    ) == sql(apply.delete_missing(PATIENT, PATIENT.itself(), STAGE))


def test_delete_missing_and_marked() -> None:
    """Where rows were marked before, they are removed as well, whether they are staged or not."""
    assert (
        'DELETE FROM raw."Patient" WHERE NOT (EXISTS (SELECT * FROM stage WHERE raw."Patient".id = stage.id)) '
        'OR raw."Patient"._etlkit_deleted_at IS NOT NULL'
    ) == sql(apply.delete_missing(PATIENT, MARKING.itself(), STAGE))


def test_mark_missing() -> None:
    """Rows whose key was not staged are marked with the transaction's time, unless they are already."""
    assert (
        'UPDATE raw."Patient" SET _etlkit_deleted_at=now() WHERE raw."Patient"._etlkit_deleted_at IS NULL AND '
        'NOT (EXISTS (SELECT * FROM stage WHERE raw."Patient".id = stage.id))'
    ) == sql(apply.mark_missing(MARKING, MARKING.itself(), STAGE))


def test_count_missing() -> None:
    """Rows whose key was not staged are counted, without those that are marked where that can be."""
    where = 'NOT (EXISTS (SELECT * FROM stage WHERE raw."Patient".id = stage.id))'
    assert f'SELECT count(*) AS count_1 FROM raw."Patient" WHERE {where}' == sql(
        apply.count_missing(PATIENT, PATIENT.itself(), STAGE)
    )
    assert (
        f'SELECT count(*) AS count_1 FROM raw."Patient" WHERE raw."Patient"._etlkit_deleted_at IS NULL AND {where}'
    ) == sql(apply.count_missing(MARKING, MARKING.itself(), STAGE))


def test_restore_marked() -> None:
    """Marked rows that are staged get the staged values, cast to wider columns, and lose their mark."""
    wide = MARKING.itself({**MARKING.types, "Name": "character varying(9)"})
    assert (
        'UPDATE raw."Patient" SET "Name"=CAST(stage."Name" AS character varying(9)), doc=stage.doc, '
        '_etlkit_deleted_at=NULL FROM stage WHERE raw."Patient".id = stage.id AND '
        'raw."Patient"._etlkit_deleted_at IS NOT NULL'
    ) == sql(apply.restore_marked(MARKING, wide, STAGE))


def test_update_changed() -> None:
    """Rows are compared as records, byte by byte, and set to the staged values where they differ."""
    assert (
        'UPDATE raw."Patient" SET "Name"=stage."Name", doc=stage.doc FROM stage WHERE raw."Patient".id = stage.id AND '
        '(CAST(row(raw."Patient"."Name", raw."Patient".doc) AS record) *<> '
        'CAST(row(stage."Name", stage.doc) AS record))'
    ) == sql(apply.update_changed(PATIENT, PATIENT.itself(), STAGE))


def test_update_casts_to_wider_columns() -> None:
    """Where the table kept a wider type than the staged one, the staged value is cast for the comparison."""
    wide = PATIENT.itself({"Name": "character varying(9)"})
    assert (
        'UPDATE raw."Patient" SET "Name"=CAST(stage."Name" AS character varying(9)), doc=stage.doc FROM stage '
        'WHERE raw."Patient".id = stage.id AND '
        '(CAST(row(raw."Patient"."Name", raw."Patient".doc) AS record) *<> '
        'CAST(row(CAST(stage."Name" AS character varying(9)), stage.doc) AS record))'
    ) == sql(apply.update_changed(PATIENT, wide, STAGE))


def test_update_of_a_table_that_is_all_key() -> None:
    """There is nothing to update without a column beside the key."""
    everything = target(("b", "a"), a="integer", b="text")
    stage = everything.table(schema=None, name="stage")
    assert None is apply.update_changed(everything, everything.itself(), stage)


def test_insert_new() -> None:
    """Staged rows whose key is not there are added; a key of several columns is compared column by column."""
    two = target(("b", "a"), a="integer", b="text", c="date")
    stage = two.table(schema="etlkit", name="stage_1")
    assert (
        'INSERT INTO raw."Patient" (a, b, c) SELECT etlkit.stage_1.a, etlkit.stage_1.b, etlkit.stage_1.c '
        'FROM etlkit.stage_1 WHERE NOT (EXISTS (SELECT * FROM raw."Patient" WHERE raw."Patient".b = '
        'etlkit.stage_1.b AND raw."Patient".a = etlkit.stage_1.a))'
    ) == sql(apply.insert_new(two, two.itself(), stage))


def test_insert_all() -> None:
    """All staged rows are added."""
    assert (
        'INSERT INTO raw."Patient" (id, "Name", doc) SELECT stage.id, stage."Name", stage.doc FROM stage'
    ) == sql(apply.insert_all(PATIENT, PATIENT.itself(), STAGE))


def test_differs() -> None:
    """Rows are compared as a multiset of digests of their text, which is exact for every type."""
    nokey = target((), a="integer", j="json")
    stage = nokey.table(schema=None, name="stage", temporary=True)
    assert (
        'SELECT (SELECT count(*) AS count_1 FROM raw."Patient") != (SELECT count(*) AS count_2 FROM stage) OR '
        '(EXISTS (SELECT missing.row FROM (SELECT sha256(convert_to(CAST(row(raw."Patient".a, raw."Patient".j) AS '
        "TEXT), 'UTF8')) AS row FROM raw.\"Patient\" EXCEPT ALL SELECT sha256(convert_to(CAST(row(stage.a, stage.j) AS "
        "TEXT), 'UTF8')) AS row FROM stage) AS missing)) AS anon_1"
    ) == sql(apply.differs(nokey, nokey.itself(), stage))


def test_alter_columns() -> None:
    """All changes of a table's columns are one statement."""
    alter = AlterColumns(
        PATIENT.itself(),
        added={"new": "integer", "Über%": "text"},
        widened={"Name": "character varying(20)"},
        retyped={"doc": "text"},
        nullable=["id"],
        checking=True,
    )
    assert (
        'ALTER TABLE raw."Patient" ALTER COLUMN "id" DROP NOT NULL, ADD COLUMN "new" integer, '
        'ADD COLUMN "Über%%" text, '
        'ALTER COLUMN "Name" TYPE character varying(20), ALTER COLUMN "doc" TYPE text USING CASE WHEN '
        'pg_input_is_valid(CAST("doc" AS text), \'text\') THEN CAST(CAST("doc" AS text) AS text) END'
    ) == sql(alter)
    older = AlterColumns(PATIENT.itself(), retyped={"doc": "text"})
    assert 'ALTER TABLE raw."Patient" ALTER COLUMN "doc" TYPE text USING CAST(NULL AS text)' == sql(older)


def test_other_alterations() -> None:
    """Nothing is dropped but the constraint of a key, and that without CASCADE."""
    table = PATIENT.itself()
    assert 'ALTER TABLE raw."Patient" RENAME COLUMN "Name" TO "LName%%"' == sql(
        RenameColumn(table, "Name", "LName%")
    )
    assert 'ALTER TABLE raw."Patient" RENAME TO "patients"' == sql(RenameTable(table, "patients"))
    assert 'ALTER TABLE raw."Patient" DROP CONSTRAINT "Patient_pkey" RESTRICT' == sql(
        DropKey(table, "Patient_pkey")
    )


def test_the_column_of_marks() -> None:
    """It lies behind the source's columns, in the table only, also where rows are not marked any more."""
    created = 'CREATE TABLE raw."Patient" ( id bigint NOT NULL, "Name" text, doc json{} )'
    with_it = created.format(", _etlkit_deleted_at timestamp with time zone")
    assert with_it == sql(sa.schema.CreateTable(MARKING.itself()))
    assert with_it == sql(
        sa.schema.CreateTable(PATIENT.itself({"_etlkit_deleted_at": "timestamp with time zone"}))
    )
    assert created.format("") == sql(sa.schema.CreateTable(MARKING.table(schema="raw", name="Patient")))
    assert PATIENT.mapping_hash == MARKING.mapping_hash


def test_the_stage() -> None:
    """The stage is a temporary table of the target's columns, gone with the transaction."""
    assert (
        'CREATE TEMPORARY TABLE stage ( id bigint NOT NULL, "Name" text, doc json ) ON COMMIT DROP'
    ) == sql(sa.schema.CreateTable(STAGE))
