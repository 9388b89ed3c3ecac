"""One spelling for what each server prints differently: types, defaults, extras, character sets.

MySQL 5.6 to 8.4 and MariaDB 10.3 to 11 describe the same column in other words. Functions here are pure;
they turn those words into the ones that `etlkit.tables` promises.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_QUOTED = re.compile(r"'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_LITERAL = re.compile(
    rf"null|(?:[bx]|_\w+ ?)?{_QUOTED.pattern}|[-+]?[\d.]+(?:e[-+]?\d+)?|0x[0-9a-f]*|true|false",
    re.DOTALL | re.IGNORECASE,
)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_INTEGER_WIDTH = re.compile(r"^(tinyint|smallint|mediumint|int|bigint)\(\d+\)")
_YEAR_WIDTH = re.compile(r"^year\(\d+\)")
_NOW = re.compile(r"^(?:current_timestamp|now|localtimestamp|localtime)(?:\((\d*)\))?$", re.IGNORECASE)
_ON_UPDATE = re.compile(r"on update (?:current_timestamp|now)(?:\(\d*\))?", re.IGNORECASE)
_JSON_CHECK = re.compile(r"^\(*json_valid\(`((?:[^`]|``)+)`\)\)*$", re.IGNORECASE)
_ESCAPES = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "b": "\b"}
_OTHER_NAMES = {
    "geomcollection": "geometrycollection",
    "integer": "int",
    "dec": "decimal",
    "numeric": "decimal",
}


def text_of(value: object) -> str:
    """Give a catalog value as text.

    Args:
        value: text, the bytes that MySQL 8 gives for some columns of its catalog, or None.

    Returns:
        The text; empty for None.
    """
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


def data_type(printed: str) -> str:
    """Give the bare type in lower case under its older name.

    Args:
        printed: `information_schema.columns.data_type`.

    Returns:
        The bare type; MySQL 8's `geomcollection` is `geometrycollection`.
    """
    bare = printed.strip().lower()
    return _OTHER_NAMES.get(bare, bare)


def column_type(printed: str) -> str:
    """Give a whole type without what says nothing of the values: case, display widths, comments.

    Args:
        printed: `information_schema.columns.column_type`.

    Returns:
        Such as `int unsigned`, `decimal(10,2)` or `enum('a','B')`; members keep their case.
    """
    # MariaDB marks old temporal formats and compressed columns by a comment behind the type.
    kept = _outside_quotes(printed, lambda part: _COMMENT.sub("", part).lower())
    kept = " ".join(kept.split()) if "'" not in kept else kept.strip()
    kept = _INTEGER_WIDTH.sub(r"\1", kept)
    kept = _YEAR_WIDTH.sub("year", kept)
    kept = kept.replace(" zerofill", " unsigned zerofill") if "unsigned" not in kept else kept
    head, *rest = re.split(r"(?=[ (])", kept, maxsplit=1)
    return _OTHER_NAMES.get(head, head) + "".join(rest)


def extras(printed: str) -> str:
    """Give a column's extras in lower case and MySQL's order of words.

    Args:
        printed: `information_schema.columns.extra`.

    Returns:
        Such as `auto_increment`, `on update current_timestamp`, `stored generated`, `invisible`; MySQL 8's
        `DEFAULT_GENERATED`, which marks a default that is an expression, is left out.
    """
    kept = printed.lower().replace("default_generated", "").replace(",", " ")
    kept = _ON_UPDATE.sub("on update current_timestamp", kept)
    kept = re.sub(r"\bpersistent\b(?: generated)?", "stored generated", kept)
    kept = re.sub(r"\bvirtual\b(?! generated)", "virtual generated", kept)
    return " ".join(kept.split())


def default(printed: str | None, bare_type: str, *, literals_are_quoted: bool) -> str | None:
    """Give a column's default without quotes.

    Args:
        printed: `information_schema.columns.column_default`.
        bare_type: the column's bare type.
        literals_are_quoted: whether the server prints defaults as SQL, as MariaDB does since 10.2.7: `'x'`
            for a text and `NULL` for none.

    Returns:
        The default; None when there is none, or when it is NULL.
    """
    if printed is None:
        return None
    if literals_are_quoted:
        if printed.upper() == "NULL":
            return None
        if len(printed) > 1 and printed[0] == printed[-1] == "'":
            return unquoted(printed)
    if bare_type in {"timestamp", "datetime", "date"} and (now := _NOW.match(printed)):
        digits = now.group(1) or ""
        return f"current_timestamp({digits})" if digits not in ("", "0") else "current_timestamp"
    return printed


def is_computed(printed: str | None, extra: str, *, literals_are_quoted: bool) -> bool:
    """Tell whether a column's default is an expression, other than the current time.

    Args:
        printed: `information_schema.columns.column_default`.
        extra: `information_schema.columns.extra`.
        literals_are_quoted: whether the server prints defaults as SQL.

    Returns:
        False where there is no default.
    """
    if printed is None or _NOW.match(printed):
        return False
    if literals_are_quoted:
        return _LITERAL.fullmatch(printed) is None
    return "default_generated" in extra.lower()


def unquoted(literal: str) -> str:
    """Give the text that a quoted SQL literal stands for.

    Args:
        literal: with its quotes, as MariaDB's catalog prints it.

    Returns:
        The text.
    """
    inner = literal[1:-1]
    return re.sub(
        r"''|\\(.)",
        lambda found: _ESCAPES.get(found.group(1), found.group(1)) if found.group(1) else "'",
        inner,
        flags=re.DOTALL,
    )


def charset(name: str | None) -> str | None:
    """Give a character set, or a collation, by its unambiguous name.

    Args:
        name: as the catalog has it; `utf8` means `utf8mb3` on every server up to MySQL 8.

    Returns:
        The name, `utf8mb3` and `utf8mb3_...` instead of `utf8` and `utf8_...`; None for none.
    """
    if not name:
        return None
    return re.sub(r"^utf8(?=_|$)", "utf8mb3", name)


def charset_of_collation(collation: str | None) -> str | None:
    """Give the character set that a collation belongs to.

    Args:
        collation: as the catalog has it.

    Returns:
        The character set; every collation's name begins with it.
    """
    named = charset(collation)
    return named.split("_", 1)[0] if named else None


def json_checked_column(clause: str) -> str | None:
    """Tell which column a CHECK constraint makes a JSON column, as MariaDB's JSON type does.

    Args:
        clause: `information_schema.check_constraints.check_clause`.

    Returns:
        The column's name; None when the constraint says anything else.
    """
    found = _JSON_CHECK.match(clause.strip())
    return found.group(1).replace("``", "`") if found else None


def _outside_quotes(text: str, change: Callable[[str], str]) -> str:
    parts: list[str] = []
    position = 0
    for quoted in _QUOTED.finditer(text):
        parts += [change(text[position : quoted.start()]), quoted.group()]
        position = quoted.end()
    return "".join([*parts, change(text[position:])])
