"""The statement that creates a copy: the source's own words, but for what was adapted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from etlkit.discovery.abilities import ServerAbilities
from etlkit.discovery.adaptation import AdaptedTable
from etlkit.discovery.catalog import SourceServer, TableFacts
from etlkit.discovery.create_table import (
    NAME,
    QUOTED,
    Clause,
    ColumnDefinition,
    CreateTable,
    name_of,
    outside_quotes,
    parse,
    parts_of_key,
    quoted_name,
)
from etlkit.discovery.replica import Adaptation
from etlkit.errors import SchemaAnalysisError
from etlkit.tables import Column

_FOREIGN_KEY = re.compile(rf"(?:CONSTRAINT {NAME} )?FOREIGN KEY\b")
_CHECK = re.compile(rf"(?:CONSTRAINT {NAME} )?(?=CHECK\b)")
_KEY = re.compile(rf"(?:PRIMARY KEY|(?:UNIQUE |FULLTEXT |SPATIAL )?KEY ({NAME}))")
_PARTITION_ENGINE = re.compile(r"(\bENGINE\s*=\s*)\w+")
_PARTITION_FOLDER = re.compile(rf"\s*\b(?:DATA|INDEX) DIRECTORY\s*=\s*{QUOTED}", re.DOTALL)
_OF_ALL_ENGINES = frozenset(
    {
        *("COMMENT", "MIN_ROWS", "MAX_ROWS", "AVG_ROW_LENGTH", "PACK_KEYS", "CHECKSUM", "DELAY_KEY_WRITE"),
        *("STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES"),
    }
)
_OF_ARIA = frozenset({"PAGE_CHECKSUM", "TRANSACTIONAL"})
_WRITTEN_ANYWAY = frozenset({"ENGINE", "AUTO_INCREMENT", "DEFAULT CHARSET", "COLLATE"})
_OF_FEW_INDEXES = re.compile(r" (IGNORED|INVISIBLE|CLUSTERING=YES)\b")
_LENGTH = re.compile(rf"^({NAME})(?:\(\d+\))?")


@attrs.frozen(kw_only=True)
class _Rewriting:
    """One statement, and what is said of it."""

    source: SourceServer
    table: TableFacts
    made: TableFacts
    target: ServerAbilities
    said: list[Adaptation] = attrs.field(factory=list)

    @property
    def same_kind(self) -> bool:
        return self.source.kind == self.target.server.kind

    @property
    def same_engine(self) -> bool:
        return self.made.engine.lower() == self.table.engine.lower()

    def leave_out(self, what: str, source: str, column: str | None = None, reason: str = "") -> None:
        self.said.append(Adaptation(what=what, source=source, target=None, column=column, reason=reason))

    def statement(self, parts: CreateTable, full_name: str) -> str:
        columns = zip(parts.columns, self.table.columns, self.made.columns, strict=True)
        lines = [*(self._column(*each) for each in columns), *self._others(parts)]
        inside = ",\n".join(f"  {line}" for line in lines)
        options = " ".join(self._options(parts))
        partitions = self._partitions(parts)
        return f"CREATE TABLE {full_name} (\n{inside}\n) {options}{partitions}"

    def _column(self, definition: ColumnDefinition, before: Column, now: Column) -> str:
        kind = definition.type if now.data_type == before.data_type else now.column_type
        kind = re.sub(r"^geomcollection\b", "geometrycollection", kind, flags=re.IGNORECASE)
        words = [quoted_name(now.name), kind]
        if now.collation is not None and now.collation != self.made.collation:
            words.append(f"CHARACTER SET {self.target.spelled(now.charset or '')}")
            words.append(f"COLLATE {self.target.spelled(now.collation)}")
        clauses = [each for each in definition.clauses if self._keeps(each, before, now)]
        keywords = {each.keyword for each in clauses}
        if now.data_type == "timestamp" and not now.generated and not keywords & {"NOT", "NULL"}:
            words.append("NULL" if now.nullable else "NOT NULL")
        first = ("NOT", "NULL", "GENERATED")
        words += [each.text for each in clauses if each.keyword in first]
        if now.default is not None and now.default != before.default:
            words.append(f"DEFAULT '{now.default}'")
        words += [each.text for each in clauses if each.keyword not in first]
        return " ".join(words)

    def _keeps(self, clause: Clause, before: Column, now: Column) -> bool:
        keyword, since = clause.keyword, self.target.since
        if keyword in ("CHARACTER", "COLLATE", "WITHOUT"):
            return False
        if keyword == "GENERATED":
            return now.generated
        if keyword == "INVISIBLE":
            return "invisible" in now.extra
        if keyword == "DEFAULT":
            return now.default == before.default
        kept = {
            "CHECK": self._keeps_checks,
            "COMPRESSED": since(mariadb=(10, 3, 1)),
            "COLUMN_FORMAT": self.same_kind and since(mysql=(5, 6)),
            "STORAGE": self.same_kind and since(mysql=(5, 6)),
            "SRID": self.same_kind and since(mysql=(8, 0, 3)),
            "REF_SYSTEM_ID": self.same_kind and since(mariadb=(10, 1)),
        }.get(keyword, keyword in ("NULL", "ON", "AUTO_INCREMENT", "COMMENT") or clause.text == "NOT NULL")
        if not kept:
            self.leave_out(keyword, clause.text[len(keyword) :].strip(), now.name)
        return kept

    @property
    def _keeps_checks(self) -> bool:
        return self.same_kind and self.target.since(mysql=(8, 0, 16), mariadb=(10, 2, 1))

    def _others(self, parts: CreateTable) -> Iterator[str]:
        for text in parts.others:
            if _FOREIGN_KEY.match(text):
                continue
            if check := _CHECK.match(text):
                if self._keeps_checks:
                    # MySQL wants the names of checks to be unique in a database.
                    yield text if self.target.server.kind == "MariaDB" else text[check.end() :]
                else:
                    self.leave_out("CHECK", text[check.end() :].removeprefix("CHECK").strip())
            elif text.startswith("PERIOD FOR"):
                if text.startswith("PERIOD FOR SYSTEM_TIME"):
                    continue
                if self.target.since(mariadb=(10, 4)):
                    yield text
                else:
                    self.leave_out("PERIOD FOR", text.removeprefix("PERIOD FOR").strip())
            else:
                yield self._key(text)

    def _key(self, text: str) -> str:
        found = _KEY.match(text)
        name = "PRIMARY" if found is None or found.group(1) is None else name_of(found.group(1))
        before, now = (
            next((each for each in table.indexes if each.name == name), None)
            for table in (self.table, self.made)
        )
        head, columns, end = parts_of_key(text)
        if before is not None and now is not None and now != before:
            columns = [
                part if old == new else _LENGTH.sub(rf"\1({new})", part.strip())
                for part, old, new in zip(columns, before.prefix_lengths, now.prefix_lengths, strict=True)
            ]
        keeps = self.same_kind and self.target.since(mysql=(8, 0), mariadb=(10, 6))
        for words in _OF_FEW_INDEXES.findall(outside_quotes(end, str)):
            if not keeps:
                self.leave_out(f"index `{name}`", words)
                end = outside_quotes(end, lambda part: _OF_FEW_INDEXES.sub("", part))
        return head + ",".join(columns) + end

    def _options(self, parts: CreateTable) -> Iterator[str]:
        given = dict(parts.options)
        yield f"ENGINE={self.made.engine}"
        if self.made.collation is not None:
            yield f"DEFAULT CHARSET={self.target.spelled(self.made.charset or '')}"
            yield f"COLLATE={self.target.spelled(self.made.collation)}"
        for name, value in given.items():
            if name in _WRITTEN_ANYWAY:
                continue
            if self._keeps_option(name, value, given):
                yield f"{name}={value}"
            else:
                shown = f"{name}={value}" if re.fullmatch(r"\w+", value) else name
                self.leave_out("table option", shown)

    def _keeps_option(self, name: str, value: str, given: dict[str, str]) -> bool:
        new_innodb = self.target.since(mysql=(5, 7), mariadb=(10, 2, 2))
        if name in _OF_ARIA:
            return self.made.engine == "Aria"
        if name == "KEY_BLOCK_SIZE":
            row_format = given.get("ROW_FORMAT", "")
            return self.same_engine and (row_format != "COMPRESSED" or new_innodb)
        if name == "ROW_FORMAT":
            is_innodb = self.made.engine == "InnoDB"
            return self.same_engine and (not is_innodb or new_innodb or value in ("COMPACT", "REDUNDANT"))
        return name in _OF_ALL_ENGINES

    def _partitions(self, parts: CreateTable) -> str:
        if not parts.partitions:
            return ""
        engine = self.made.engine
        only_innodb = self.target.since(mysql=(8, 0)) and engine != "InnoDB"
        if self.table.versioned or only_innodb:
            self.leave_out("partitions", "of the rows")
            return ""
        changed = outside_quotes(
            parts.partitions, lambda part: _PARTITION_ENGINE.sub(lambda hit: f"{hit.group(1)}{engine}", part)
        )
        return "\n" + _PARTITION_FOLDER.sub("", changed)


def rewritten(
    statement: str, table: TableFacts, source: SourceServer, adapted: AdaptedTable, full_name: str
) -> tuple[str, tuple[Adaptation, ...]]:
    """Rewrite a create statement for a copy on another server.

    The number that the next row would get is left out: a copy numbers no rows.

    Args:
        statement: as the source's `SHOW CREATE TABLE` gives it.
        table: the table in the source.
        source: the source's server.
        adapted: the table as the copy is to have it.
        full_name: the copy's quoted name.

    Returns:
        The statement, and what it leaves out that the catalog's facts do not tell of.

    Raises:
        SchemaAnalysisError: the statement and the facts are not of the same table.
    """
    try:
        parts = parse(statement)
    except ValueError as error:
        raise SchemaAnalysisError(
            f"The definition of the table `{table.name}` cannot be read: {error}. Let this user's sessions have "
            "sql_quote_show_create, and an sql_mode without ANSI_QUOTES."
        ) from error
    if [each.name for each in parts.columns] != [each.name for each in table.columns]:
        raise SchemaAnalysisError(
            f"The table `{table.name}` has got other columns since the catalog was read. Run the command again."
        )
    work = _Rewriting(source=source, table=table, made=adapted.facts, target=adapted.target)
    return work.statement(parts, full_name), tuple(work.said)
