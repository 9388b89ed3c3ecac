"""What a server can hold: collations and engines near to those of the source."""

from __future__ import annotations

import attrs
import pytest

from etlkit.discovery.abilities import ServerAbilities
from etlkit.discovery.adaptation import adapted_table
from etlkit.discovery.catalog import SourceServer, TableFacts
from etlkit.discovery.replica import Adaptation
from etlkit.discovery.spelling import is_computed
from etlkit.errors import SchemaAnalysisError
from etlkit.tables import Column

MYSQL56 = SourceServer(kind="MySQL", version=(5, 6, 24), version_text="5.6.24")
MYSQL8 = SourceServer(kind="MySQL", version=(8, 0, 36), version_text="8.0.36")
MARIADB = SourceServer(kind="MariaDB", version=(10, 11, 6), version_text="10.11.6-MariaDB")
COLLATIONS = {
    f"{charset}_{each}": charset
    for charset in ("utf8", "utf8mb4")
    for each in ("general_ci", "unicode_ci", "unicode_520_ci", "swedish_ci", "bin")
}


def abilities(server: SourceServer = MYSQL56) -> ServerAbilities:
    """What a server with some collations can hold."""
    return ServerAbilities(server=server, collations=COLLATIONS, engines={"innodb": "InnoDB"})


@pytest.mark.parametrize(
    ("collation", "by_bytes", "expected"),
    [
        ("utf8mb3_general_ci", False, "utf8mb3_general_ci"),
        ("utf8mb4_swedish_ci", True, "utf8mb4_swedish_ci"),
        ("utf8mb4_0900_ai_ci", False, "utf8mb4_unicode_520_ci"),
        ("utf8mb3_uca1400_ai_ci", False, "utf8mb3_unicode_520_ci"),
        ("utf8mb4_uca1400_swedish_nopad_as_ci", False, "utf8mb4_swedish_ci"),
        ("utf8mb4_uca1400_icelandic_ai_ci", False, "utf8mb4_unicode_520_ci"),
        ("utf8mb4_uca1400_as_cs", False, "utf8mb4_bin"),
        ("utf8mb4_0900_ai_ci", True, "utf8mb4_bin"),
        ("gb18030_chinese_ci", False, None),
    ],
)
def test_nearest_collation(collation: str, by_bytes: bool, expected: str | None) -> None:
    """The same, else one of the language, else the newest; by bytes where nothing may become equal."""
    assert expected == abilities().nearest(collation, by_bytes=by_bytes)


def test_blanks_that_count_go_on_to_count() -> None:
    """Where blanks at the end tell two keys apart in the source, they do in the copy, if its server can."""
    known = attrs.evolve(abilities(), collations={**COLLATIONS, "utf8mb4_nopad_bin": "utf8mb4"})
    assert ["utf8mb4_nopad_bin", "utf8mb4_nopad_bin", "utf8mb4_bin"] == [
        known.nearest(each, by_bytes=True)
        for each in ("utf8mb4_0900_ai_ci", "utf8mb4_uca1400_nopad_ai_ci", "utf8mb4_uca1400_ai_ci")
    ]


def test_spelling() -> None:
    """A server gets the names that it knows."""
    assert ["utf8", "utf8_bin", "utf8mb4", "latin1"] == [
        abilities().spelled(each) for each in ("utf8mb3", "utf8mb3_bin", "utf8mb4", "latin1")
    ]


def test_since() -> None:
    """What one product learned in a version, another did in its own, or never."""
    assert [True, False, False] == [
        abilities(server).since(mariadb=(10, 4)) for server in (MARIADB, MYSQL8, MYSQL56)
    ]
    assert [False, True, False] == [
        abilities(server).since(mysql=(8, 0, 16)) for server in (MARIADB, MYSQL8, MYSQL56)
    ]


@pytest.mark.parametrize(
    ("source", "target", "printed", "expected"),
    [
        (MARIADB, MARIADB, "longtext", ("json", [], ())),
        (MARIADB, MYSQL8, "longtext", ("longtext", [], ())),
        (MYSQL8, MARIADB, "json", ("json", [], ("json_valid(`A`)",))),
        (MYSQL8, MYSQL8, "json", ("json", [], ())),
        (MYSQL8, MYSQL56, "json", ("longtext", ["column `A`: type json -> longtext"], ())),
    ],
)
def test_json(
    source: SourceServer,
    target: SourceServer,
    printed: str,
    expected: tuple[str, list[str], tuple[str, ...]],
) -> None:
    """Text that is checked stays text, as it was written; MySQL's own type goes where there is one like it."""
    column = Column(name="A", data_type="json", column_type="json", declared_type=printed)
    table = TableFacts(name="t", engine="InnoDB", columns=(column,))
    adapted = adapted_table(table, source, abilities(target), "source")
    assert expected == (
        adapted.facts.columns[0].data_type,
        [str(each) for each in adapted.adaptations],
        adapted.facts.checks,
    )


def test_unknown_character_sets_are_refused() -> None:
    """What a server cannot hold is refused by the name of the column, and no other character set is taken."""
    column = Column(
        name="A", data_type="text", column_type="text", charset="gb18030", collation="gb18030_chinese_ci"
    )
    with pytest.raises(SchemaAnalysisError) as caught:
        adapted_table(TableFacts(name="t", engine="InnoDB", columns=(column,)), MYSQL8, abilities(), "source")
    assert (
        "MySQL 5.6.24 cannot hold the column `t`.`A`: it does not know the character set of gb18030_chinese_ci. "
        "Choose a newer server for the replica, or leave the table out."
    ) == str(caught.value)


@pytest.mark.parametrize(
    ("printed", "extra", "quoted", "expected"),
    [
        (None, "", True, False),
        ("NULL", "", True, False),
        ("'it''s'", "", True, False),
        ("b'101'", "", True, False),
        ("-1.5e10", "", True, False),
        ("current_timestamp(6)", "", True, False),
        ("uuid()", "", True, True),
        ("(`a` + 1)", "", True, True),
        ("concat('a','b')", "", True, True),
        ("uuid()", "", False, False),
        ("uuid()", "DEFAULT_GENERATED", False, True),
        ("CURRENT_TIMESTAMP", "DEFAULT_GENERATED on update CURRENT_TIMESTAMP", False, False),
    ],
)
def test_defaults_that_are_computed(printed: str | None, extra: str, quoted: bool, expected: bool) -> None:
    """An expression is told from a text that looks like one, by quotes or by what the server says beside it."""
    assert expected == is_computed(printed, extra, literals_are_quoted=quoted)


@pytest.mark.parametrize(
    ("adaptation", "words"),
    [
        (Adaptation(what="engine", source="MyISAM", target="InnoDB"), "engine MyISAM -> InnoDB"),
        (
            Adaptation(what="engine", source="MyISAM", target="MyISAM", reason="why"),
            "engine MyISAM: kept (why)",
        ),
        (Adaptation(what="INVISIBLE", source="", target=None, column="A"), "column `A`: INVISIBLE: left out"),
    ],
)
def test_words_of_an_adaptation(adaptation: Adaptation, words: str) -> None:
    """People read what it is in the source, and on the replica."""
    assert words == str(adaptation)
