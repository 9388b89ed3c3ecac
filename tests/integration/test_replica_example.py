"""The example of `examples/replica`: its configuration loads through a replica, and its shell code can be read."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from etlkit.cli import main
from support.databases import SourceDatabase, WarehouseDatabase

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "replica"


def test_what_the_example_does(
    make_source: Callable[[str], SourceDatabase], warehouse: WarehouseDatabase, tmp_path: Path
) -> None:
    """The copy holds what the source holds, in InnoDB; the warehouse what may be seen of it; a day passes by."""
    source, replica = make_source("mariadb-myisam"), make_source("mariadb-innodb")
    source.execute(
        "create table patient (PatNum bigint not null auto_increment primary key, SSN varchar(100) not null)",
        "insert into patient values (1, '123456789'), (2, '987654321')",
        "create table signalod (SignalNum bigint not null primary key)",
    )
    shutil.copy(EXAMPLE / "etlkit.yml", tmp_path)
    env = {
        "ETLKIT_SOURCE_URL": source.reader_url,
        "ETLKIT_REPLICA_URL": replica.server.copier_url(replica.name),
        "ETLKIT_WAREHOUSE_URL": warehouse.url,
    }

    def etlkit(*arguments: str) -> str:
        done = CliRunner().invoke(main, [*arguments, "-C", str(tmp_path)], env=env)
        assert 0 == done.exit_code, done.output
        return done.stdout

    for command in ("doctor", "analyze", "run"):
        etlkit(command)
    source.execute(
        "update patient set SSN = '111223333' where PatNum = 1", "delete from patient where PatNum = 2"
    )
    for command in ("run", "status", "verify"):
        etlkit(command)
    assert [(1, "111223333")] == replica.rows("select * from patient")
    engines = "select table_name, engine from information_schema.tables where table_schema = database()"
    copies = [each for each in replica.rows(engines) if not each[0].startswith("etlkit_")]
    assert [("patient", "InnoDB")] == copies
    [(masked,)] = warehouse.rows('select "SSN" from raw.patient')
    assert "XXXX" == masked


def test_set_up_is_written_for_bash() -> None:
    """The shell code can be read by bash, and names only files that are there."""
    for path in EXAMPLE.glob("*.sh"):
        assert 0 == subprocess.run(["/bin/bash", "-n", path], check=False).returncode
        for sourced in re.findall(
            r"^# shellcheck source=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            assert (ROOT / sourced).is_file()
