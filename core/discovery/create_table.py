"""The parts of a statement as `SHOW CREATE TABLE` gives it: columns with their clauses, keys, options, partitions.

Names and texts may hold anything, so the statement is cut into words before it is cut into parts. What is not known
stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import attrs

QUOTED = r"'(?:[^'\\]|''|\\.)*'"
NAME = r"`(?:[^`]|``)*`"
_QUOTED_OR_COMMENT = re.compile(rf"({QUOTED}|{NAME})|/\*(?:M?!\d*)?(.*?)\*/", re.DOTALL)
_PLAIN_COMMENT = re.compile(r"/\*(?!M?!)")
_WORD = re.compile(rf"{QUOTED}|{NAME}|\w+|\s+|.", re.DOTALL)
_OPTION = re.compile(
    rf"((?:DEFAULT |DATA |INDEX )?\w+|{NAME})(?:\s*=\s*|(?<=TABLESPACE)\s+)({QUOTED}|{NAME}|\([^)]*\)|[\w.\-]+)",
    re.DOTALL,
)
_PARTITIONS = re.compile(r"PARTITION\s+BY\b")
_STARTS = frozenset(
    {
        *("CHARACTER", "COLLATE", "GENERATED", "NOT", "NULL", "INVISIBLE", "VISIBLE", "DEFAULT", "ON"),
        *("AUTO_INCREMENT", "COMMENT", "CHECK", "WITHOUT", "COMPRESSED", "COLUMN_FORMAT", "STORAGE", "SRID"),
        *("REF_SYSTEM_ID", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"),
    }
)


@attrs.frozen(kw_only=True)
class Clause:
    """What a column's definition says beside name and type."""

    keyword: str
    """Its first word in capitals, such as `DEFAULT`; the name of an option that the server does not know."""
    text: str
    """The whole clause."""


@attrs.frozen(kw_only=True)
class ColumnDefinition:
    """A column's definition in the statement."""

    name: str
    """The column's name."""
    type: str
    """The type, without character set and collation."""
    clauses: tuple[Clause, ...]
    """The rest, in order."""


@attrs.frozen(kw_only=True)
class CreateTable:
    """A statement in parts."""

    columns: tuple[ColumnDefinition, ...]
    """In the table's order."""
    others: tuple[str, ...]
    """Keys, constraints and periods, in order."""
    options: tuple[tuple[str, str], ...]
    """Options of the table by name, with their values, in order."""
    versioned: bool
    """Whether the table is to keep earlier versions of its rows."""
    partitions: str
    """From `PARTITION BY` on; empty when there are none."""


def parse(statement: str) -> CreateTable:
    """Cut a statement into parts; what stands in version comments counts as written without them.

    Args:
        statement: as `SHOW CREATE TABLE` gives it.

    Returns:
        Its parts.

    Raises:
        ValueError: it is no statement that creates a table from columns.
    """
    words = _WORD.findall(_QUOTED_OR_COMMENT.sub(_uncovered, statement))
    if "(" not in words:
        raise ValueError("the statement names no columns")
    start = words.index("(")
    end = _closing(words, start)
    parts = [part.strip() for part in _split(words[start + 1 : end])]
    columns = tuple(_column(part) for part in parts if part.startswith("`"))
    if not columns:
        raise ValueError("names stand in it without backticks")
    options, others, partitions = _options("".join(words[end + 1 :]))
    return CreateTable(
        columns=columns,
        others=tuple(part for part in parts if not part.startswith("`")),
        options=options,
        versioned="WITH SYSTEM VERSIONING" in others,
        partitions=partitions,
    )


def parts_of_key(text: str) -> tuple[str, list[str], str]:
    """Cut the definition of a key at its columns.

    Args:
        text: such as "KEY `a` (`b`(3),`c`) USING BTREE".

    Returns:
        What stands before the columns, the columns with prefix lengths, and what stands behind them.
    """
    words = _WORD.findall(text)
    start = words.index("(")
    end = _closing(words, start)
    return "".join(words[: start + 1]), _split(words[start + 1 : end]), "".join(words[end:])


def outside_quotes(text: str, change: Callable[[str], str]) -> str:
    """Change what stands outside quoted texts and names.

    Args:
        text: a part of a statement.
        change: gives the new text for each stretch between them.

    Returns:
        The new text.
    """
    parts = re.split(rf"({QUOTED}|{NAME})", text, flags=re.DOTALL)
    return "".join(part if at % 2 else change(part) for at, part in enumerate(parts))


def name_of(quoted: str) -> str:
    """Give a name without its quotes.

    Args:
        quoted: in backticks.
    """
    return quoted[1:-1].replace("``", "`")


def quoted_name(name: str) -> str:
    """Give a name in quotes, as the servers print it.

    Args:
        name: any.
    """
    return "`" + name.replace("`", "``") + "`"


def _uncovered(found: re.Match[str]) -> str:
    quoted, inside = found.groups()
    if quoted is not None:
        return str(quoted)
    return "" if _PLAIN_COMMENT.match(found.group()) else f" {str(inside).strip()} "


def _closing(words: Sequence[str], start: int) -> int:
    depth = 0
    for at in range(start, len(words)):
        depth += {"(": 1, ")": -1}.get(words[at], 0)
        if not depth:
            return at
    raise ValueError("the statement has a parenthesis that is not closed")


def _split(words: Iterable[str]) -> list[str]:
    parts, depth = [""], 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "," and not depth:
            parts.append("")
        else:
            parts[-1] += word
    return parts


def _column(text: str) -> ColumnDefinition:
    words = _WORD.findall(text)
    clauses: list[list[str]] = [[]]
    depth = 0
    for word in words[1:]:
        current = "".join(clauses[-1]).split()
        # What follows DEFAULT belongs to it, whatever it is; so does the NULL behind NOT.
        open_end = current in (["DEFAULT"], ["NOT"])
        starts = word.upper() in _STARTS or (word.startswith("`") and len(clauses) > 1)
        if not depth and starts and not open_end:
            clauses.append([])
        depth += {"(": 1, ")": -1}.get(word, 0)
        clauses[-1].append(word)
    kind, *rest = ("".join(each).strip() for each in clauses)
    return ColumnDefinition(
        name=name_of(words[0]),
        type=kind,
        clauses=tuple(Clause(keyword=each.split()[0].partition("(")[0].upper(), text=each) for each in rest),
    )


def _options(text: str) -> tuple[tuple[tuple[str, str], ...], str, str]:
    found, others, position = [], "", 0
    while position < len(text) and not _PARTITIONS.match(text, position):
        if (option := _OPTION.match(text, position)) is not None:
            found.append((option.group(1), option.group(2)))
            position = option.end()
        elif (word := _WORD.match(text, position)) is not None:
            others += word.group()
            position = word.end()
    return tuple(found), others, text[position:].strip()
