"""A replica that was lost is filled anew, and what no cursor shows reaches the warehouse in the same run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from etlkit.cli import main
from support.databases import SourceDatabase, WarehouseDatabase

CONFIGURATION = """
deployment: north
source: {url: "${S}"}
replica: {url: "${R}"}
warehouse: {url: "${W}"}
tables: {patient: {extraction_strategy: incremental, incremental_column: DateTStamp, reconcile: weekly}}
"""


def test_lost_replica(
    make_source: Callable[[str], SourceDatabase],
    warehouse: WarehouseDatabase,
    tmp_path: Path,
) -> None:
    """Deletes that happened meanwhile are found, although nothing is left to copy and no proof is due."""
    source, replica = make_source("mariadb-myisam"), make_source("mariadb-innodb")
    source.execute(
        "create table patient (PatNum bigint not null primary key, LName varchar(9) not null, "
        "DateTStamp timestamp not null default current_timestamp on update current_timestamp)",
        "insert into patient (PatNum, LName) values (1, 'a'), (2, 'b'), (3, 'c')",
    )
    (tmp_path / "etlkit.yml").write_text(CONFIGURATION, encoding="utf-8")
    env = {
        "S": source.reader_url,
        "R": replica.server.copier_url(replica.name),
        "W": warehouse.url,
    }

    def etlkit(command: str) -> None:
        done = CliRunner().invoke(main, [command, "-C", str(tmp_path)], env=env)
        assert 0 == done.exit_code, done.output

    for command in ("analyze", "run"):
        etlkit(command)
    assert [(0,)] == replica.rows("select follow_up from etlkit_state")
    source.execute("delete from patient")
    with replica.server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"drop database {replica.name}")
        cursor.execute(f"create database {replica.name}")
    etlkit("run")
    assert [] == replica.rows("select * from patient")
    assert [] == warehouse.rows("select * from raw.patient")
    assert [(0,)] == replica.rows("select follow_up from etlkit_state")
