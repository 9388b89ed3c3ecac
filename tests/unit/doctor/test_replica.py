"""Judging a replica: every sentence that a real server is not needed for."""

from __future__ import annotations

from typing import Literal

import attrs
import pytest

from etlkit.discovery.catalog import Catalog, SourceServer, TableFacts
from etlkit.discovery.replica import Adaptation
from etlkit.doctor import Finding
from etlkit.doctor import replica_server as server
from etlkit.doctor import replica_tables as tables
from etlkit.doctor.accounts import Account
from etlkit.doctor.grants import Grants, parse_grants
from etlkit.doctor.mysql_facts import MySQLFacts
from etlkit.doctor.replica_grants import judge_replica_grants
from etlkit.errors import ConfigurationError
from etlkit.loading.source_identity import SourceIdentity
from etlkit.orchestration.kept_names import require_kept_names
from etlkit.source_session import ServerVersion

MB = 1024 * 1024
COPIER = Account(user="copier", host="10.0.0.%")
NEEDED = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, CREATE TEMPORARY TABLES"
GRANT = f"GRANT {NEEDED} ON `copy\\_1`.* TO 'copier'@'10.0.0.%';"
OWN_USER = (
    "Give etlkit a user of its own, and name it with its password in `replica.url`: "
    "CREATE USER 'etlkit_replica'@'10.0.0.%' IDENTIFIED BY 'a long password'; "
    f"GRANT {NEEDED} ON `copy\\_1`.* TO 'etlkit_replica'@'10.0.0.%';"
)
FACTS = MySQLFacts(
    version=ServerVersion.parse("10.11.6-MariaDB"),
    cipher="",
    read_only=False,
    account=COPIER,
    grants=Grants(),
    max_allowed_packet=16 * MB,
    time_zone="SYSTEM (UTC)",
    clock_ahead=0.0,
    statement_seconds=300,
)
MARIADB = SourceServer(
    kind="MariaDB", version=(10, 11, 6), version_text="10.11.6-MariaDB", uid="one", machine="a"
)


def said(finding: Finding) -> tuple[str, str, str, str]:
    """A finding without its section, which is the replica."""
    assert "replica" == finding.section
    return finding.check, finding.level, finding.message, finding.remedy


def catalog(database: str, *facts: TableFacts, **its: object) -> Catalog:
    """A catalog of some tables on a server with some differences."""
    return Catalog(
        server=attrs.evolve(MARIADB, **its),  # type: ignore[arg-type]
        database=database,
        tables={each.name: each for each in facts},
    )


def judged(*lines: str) -> tuple[str, str, str, str]:
    """Judge the grants of the replica's user for the database `copy_1`."""
    return said(judge_replica_grants(COPIER, parse_grants(lines), "copy_1"))


@pytest.mark.parametrize(
    "lines",
    [
        (f"GRANT {NEEDED} ON `copy\\_1`.* TO `copier`@`10.0.0.%`",),
        (f"GRANT {NEEDED}, TRIGGER, CREATE VIEW ON `copy_1`.* TO `copier`@`10.0.0.%`",),
        ("GRANT ALL PRIVILEGES ON `copy\\_1`.* TO `copier`@`10.0.0.%` WITH GRANT OPTION",),
        (
            "GRANT SELECT, SHOW VIEW ON *.* TO `copier`@`10.0.0.%`",
            f"GRANT {NEEDED.removeprefix('SELECT, ')} ON `copy\\_1`.* TO `copier`@`10.0.0.%`",
        ),
    ],
)
def test_what_is_needed(lines: tuple[str, ...]) -> None:
    """The rights may come by several grants, and there may be more of them in the replica's own database."""
    message = "The user `copier`@`10.0.0.%` may write the database `copy_1`, and change nothing elsewhere."
    assert ("grants", "ok", message, "") == judged("GRANT USAGE ON *.* TO `copier`@`10.0.0.%`", *lines)


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ((), NEEDED),
        ((f"GRANT {NEEDED} ON `copy\\_2`.* TO `copier`@`10.0.0.%`",), NEEDED),
        ((f"GRANT {NEEDED} ON `copy_1`.`patient` TO `copier`@`10.0.0.%`",), NEEDED),
        (("GRANT SELECT, INSERT, UPDATE ON `copy_1`.* TO `copier`@`10.0.0.%`",), NEEDED[24:]),
        (
            (
                "GRANT ALL PRIVILEGES ON *.* TO `copier`@`10.0.0.%`",
                "REVOKE DELETE, ALTER ON `copy_1`.* FROM `copier`@`10.0.0.%`",
            ),
            "DELETE, ALTER",
        ),
    ],
)
def test_what_is_missing(lines: tuple[str, ...], missing: str) -> None:
    """Everything that is missing is granted by one statement."""
    expected = (
        "grants",
        "problem",
        f"The user `copier`@`10.0.0.%` may not {missing} in the database `copy_1`.",
        f"Let an administrator run: GRANT {missing} ON `copy\\_1`.* TO 'copier'@'10.0.0.%';",
    )
    assert expected == judged(*lines)


@pytest.mark.parametrize(
    ("line", "excess", "remedy"),
    [
        ("GRANT ALL PRIVILEGES ON *.* TO `copier`@`10.0.0.%`", "ALL PRIVILEGES on *.*", OWN_USER),
        ("GRANT RELOAD, SUPER ON *.* TO `copier`@`10.0.0.%`", "RELOAD, SUPER on *.*", OWN_USER),
        (
            "GRANT SELECT, DROP ON `other`.* TO `copier`@`10.0.0.%`",
            "DROP on `other`.*",
            "Let an administrator run: REVOKE DROP ON `other`.* FROM 'copier'@'10.0.0.%';",
        ),
        (
            "GRANT ALL PRIVILEGES ON `copy%`.* TO `copier`@`10.0.0.%`",
            "ALL PRIVILEGES on `copy%`.*",
            f"Let an administrator run: REVOKE ALL PRIVILEGES ON `copy%`.* FROM 'copier'@'10.0.0.%'; {GRANT}",
        ),
    ],
)
def test_more_than_the_replica_is_a_warning(line: str, excess: str, remedy: str) -> None:
    """Rights to change other databases are told, and the statements that end them and leave what is needed."""
    expected = (
        "grants",
        "warning",
        f"The user `copier`@`10.0.0.%` may do more than write the database `copy_1`: {excess}.",
        remedy,
    )
    own = f"GRANT {NEEDED} ON `copy\\_1`.* TO `copier`@`10.0.0.%`"
    assert expected == judged(own, line)


def test_rights_by_a_role_cannot_be_checked() -> None:
    """A role whose rights the server does not print is a warning, no problem."""
    expected = (
        "grants",
        "warning",
        (
            "The user `copier`@`10.0.0.%` has its rights by the role `writers@%`, and SHOW GRANTS does not say which "
            "these are."
        ),
        f"Give the rights directly, so that they can be checked: {GRANT}",
    )
    assert expected == judged("GRANT `writers`@`%` TO `copier`@`10.0.0.%`")


def test_innodb_that_is_read_only() -> None:
    """A server that was started without writes must be started anew."""
    expected = (
        "writable",
        "problem",
        "The server is read-only (`innodb_read_only`).",
        "Start it without `innodb_read_only`, or name another server in `replica.url`.",
    )
    assert expected == said(server.judge_writable(attrs.evolve(FACTS, refuses_changes="innodb_read_only")))


def test_sessions_that_are_read_only() -> None:
    """A server whose transactions write nothing by default is no replica."""
    expected = (
        "writable",
        "problem",
        "Transactions are read-only by default (`transaction_read_only`, or `tx_read_only`).",
        "Let an administrator switch that off on the server, or name another one in `replica.url`.",
    )
    assert expected == said(server.judge_writable(attrs.evolve(FACTS, read_only=True)))
    assert ("writable", "ok", "The server accepts changes.", "") == said(server.judge_writable(FACTS))


@pytest.mark.parametrize(
    ("its", "level"),
    [
        ({}, "warning"),
        ({"uid": None}, "warning"),
        ({"uid": "two"}, "ok"),
        ({"machine": "b"}, "ok"),
        ({"kind": "MySQL"}, "ok"),
    ],
)
def test_whose_server(its: dict[str, str], level: str) -> None:
    """A server is the source's own when number, machine and product are the same; a copied data folder is not."""
    assert level == server.judge_server(catalog("clinic"), catalog("copy", **its)).level


@pytest.mark.parametrize(("folds", "level"), [(0, "warning"), (1, "problem")])
def test_one_database_of_two_names(folds: int, level: str) -> None:
    """Where the case of names does not matter, the source cannot hide behind it."""
    names = (catalog(each, lower_case_table_names=folds) for each in ("clinic", "Clinic"))
    assert level == server.judge_server(*names).level


def test_no_innodb() -> None:
    """Without InnoDB there is no place for the record, whatever engine the copies have."""
    expected = (
        "engine",
        "problem",
        "The server has no InnoDB, which etlkit keeps its own record in, and by default the copies.",
        "Start the server with InnoDB, or name another one in `replica.url`.",
    )
    engines: tuple[Literal["InnoDB", "source"], ...] = ("InnoDB", "source")
    for engine in engines:
        found = server.judge_engine(attrs.evolve(FACTS, has_innodb=False), engine, None)
        assert expected == said(found)


def test_engines_of_the_source() -> None:
    """Where copies keep their engine, it is told which these are and what only InnoDB promises."""
    source = catalog(
        "clinic",
        *(TableFacts(name=f"t{number}", engine="MyISAM") for number in range(2)),
        TableFacts(name="x"),
    )
    expected = (
        "engine",
        "ok",
        (
            "Copies keep the storage engine of the source's table: MyISAM (2 tables). Only InnoDB commits a "
            "table's rows and its state together; elsewhere each statement counts by itself."
        ),
        "",
    )
    assert expected == said(server.judge_engine(FACTS, "source", source))


def test_definitions() -> None:
    """Adaptations are told once with the tables that have them; those of names of one table are not told apart."""
    engine = Adaptation(what="engine", source="MyISAM", target="InnoDB")
    collation = Adaptation(what="collation", source="utf8mb4_uca1400_ai_ci", target="utf8mb4_unicode_ci")
    keys = [Adaptation(what="foreign key", source=f"`fk_{each}`", target=None, reason="r") for each in "ab"]
    found = tables.judge_definitions(
        {
            "a": (engine, attrs.evolve(collation, column="x"), attrs.evolve(collation, column="y"), *keys),
            "b": (engine,),
            "c": (),
        },
        {},
    )
    message = (
        "1 of 3 tables are made just as in the source. Adapted in the others: engine MyISAM -> InnoDB (2 tables: "
        "`a`, `b`); collation utf8mb4_uca1400_ai_ci -> utf8mb4_unicode_ci (1 table: `a`); foreign keys: left out (1 "
        "table: `a`)."
    )
    assert ("definitions", "ok", message, "") == said(found)
    as_they_are = "Every table is made as it is in the source."
    assert ("definitions", "ok", as_they_are, "") == said(tables.judge_definitions({"c": ()}, {}))


def test_many_adaptations() -> None:
    """A report stays readable: the kinds that most tables have, and how many more there are."""
    said_of = {
        f"t{number}": (Adaptation(what="default", source=f"({number})", target=None),) for number in range(10)
    }
    message = said(tables.judge_definitions(said_of, {}))[2]
    assert message.endswith("default (7): left out (1 table: `t7`); and 2 more.")


def test_tables_that_cannot_be_made() -> None:
    """A table that the server cannot hold is a problem, with the reason and both ways out."""
    reason = (
        "MySQL 5.6.24 cannot hold the column `t`.`u`: it has no type uuid. Choose a MariaDB for the replica."
    )
    expected = (
        "definitions",
        "problem",
        f"1 table cannot be made on the replica's server: {reason}",
        (
            "Exclude them in etlkit.yml (`tables:`, `exclude: true`), or name a server that can hold them in "
            "`replica.url`."
        ),
    )
    assert expected == said(tables.judge_definitions({"c": ()}, {"t": reason}))


@pytest.mark.parametrize(
    ("setting", "wanted", "lost"),
    [
        (0, ("Patient", "patient"), []),
        (1, ("patient", "fee"), []),
        (1, ("Patient", "fee"), ["Patient"]),
        (2, ("Patient", "fee"), []),
        (2, ("Patient", "patient", "fee"), ["Patient", "patient"]),
    ],
)
def test_names(setting: int, wanted: tuple[str, ...], lost: list[str]) -> None:
    """A server that writes names in lower case, or tells no cases apart, cannot have every table."""
    replica = catalog("copy", lower_case_table_names=setting)
    expected = ("names", "ok", "The server keeps the names of the tables as they are.", "")
    if lost:
        listed = ", ".join(f"`{each}`" for each in lost)
        setting_told = f"its `lower_case_table_names` is {setting}"
        ways = (
            "ame a server in `replica.url` whose `lower_case_table_names` is 0 (it is chosen when a server is set up), "
            "or exclude the tables"
        )
        told = f"The server does not keep the names of {listed}: {setting_told}."
        expected = ("names", "problem", told, f"N{ways}.")
        with pytest.raises(ConfigurationError) as caught:
            require_kept_names(wanted, replica.server)
        assert f"the replica's server does not keep the names of {listed} ({setting_told}); n{ways}" == str(
            caught.value
        )
    else:
        require_kept_names(wanted, replica.server)
    assert expected == said(tables.judge_names(replica, wanted))


def test_record() -> None:
    """The first run makes the record; later it names this source, which cannot be told without the source."""
    here = SourceIdentity(kind="MariaDB", server="one", machine="a", place="clinic:3306", database="clinic")
    first = "There is no copy yet; the first `etlkit run` makes it."
    assert ("ledger", "ok", first, "") == said(tables.judge_record(None, here, "copy"))
    this = "The database `copy` copies this source."
    assert ("ledger", "ok", this, "") == said(
        tables.judge_record(here, attrs.evolve(here, place="127.0.0.1:3306"), "copy")
    )
    unknown = "Not checked, because the source's database cannot be read."
    assert ("ledger", "skipped", unknown, "") == said(tables.judge_record(here, None, "copy"))


def test_disk() -> None:
    """What is missing is told with the room that it needs: twice as much as on MyISAM, and the largest table again."""
    large, small = (
        TableFacts(name=name, engine=engine, data_bytes=number * MB)
        for name, engine, number in (("large", "MyISAM", 30), ("small", "InnoDB", 10))
    )
    source = catalog("clinic", large, small, TableFacts(name="left_out", engine="MyISAM", data_bytes=MB))
    wanted = ("large", "small")
    expected = (
        "disk",
        "skipped",
        (
            "The tables to copy have 40.0 MB in the source, and 5.0 MB in the replica so far; the free space of its "
            "server cannot be seen from here."
        ),
        "Look on the server (`df -h`) that about 120.0 MB are free.",
    )
    held = attrs.evolve(small, data_bytes=5 * MB)
    assert expected == said(tables.judge_disk(source, catalog("copy", held), wanted))
    whole = catalog("copy", held, attrs.evolve(large, data_bytes=45 * MB))
    expected = (
        "disk",
        "ok",
        "The tables to copy have 40.0 MB in the source, and 50.0 MB in the replica so far; no table is missing.",
        "",
    )
    assert expected == said(tables.judge_disk(source, whole, wanted))
    assert ("disk", "skipped", "The size of the source is not known.", "") == said(
        tables.judge_disk(None, whole, wanted)
    )
