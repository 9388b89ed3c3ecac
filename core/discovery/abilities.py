"""What a server can hold: the collations and storage engines it knows, and what its version has learned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs
from sqlalchemy import Engine

from etlkit.discovery import spelling, statements
from etlkit.discovery.catalog import SourceServer
from etlkit.discovery.reading import read_server

_OF_UNICODE = ("utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32")
_BY_BYTES = ("_bin", "_cs")
_LANGUAGE = re.compile(r"_uca1400_([a-z0-9]+?)(?:_nopad)?_a[is]_c[is]$")
_COUNTS_BLANKS = re.compile(r"_(?:0900|nopad)_")
_BYTES_OF_A_CHARACTER = {
    **dict.fromkeys(("utf8mb4", "utf16", "utf16le", "utf32", "gb18030"), 4),
    **dict.fromkeys(("utf8mb3", "ujis", "eucjpms"), 3),
    **dict.fromkeys(("ucs2", "gbk", "gb2312", "big5", "sjis", "cp932", "euckr"), 2),
}


def _read_only(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(given))


@attrs.frozen(kw_only=True)
class ServerAbilities:
    """What one server can hold."""

    server: SourceServer
    """Which server."""
    collations: Mapping[str, str] = attrs.field(converter=_read_only)
    """Character set by collation, by the names that the server itself uses."""
    engines: Mapping[str, str] = attrs.field(converter=_read_only)
    """Storage engines that can be used, by their names in lower case, as the server spells them."""

    def since(self, *, mysql: tuple[int, ...] | None = None, mariadb: tuple[int, ...] | None = None) -> bool:
        """Tell whether the server is one of the versions that have learned something.

        Args:
            mysql: the first version of MySQL; None for none at all.
            mariadb: the first version of MariaDB; None for none at all.
        """
        first = mariadb if self.server.kind == "MariaDB" else mysql
        return first is not None and self.server.version >= first

    def spelled(self, name: str) -> str:
        """Spell a character set or a collation as this server does.

        Args:
            name: as `etlkit.tables` has it: `utf8mb3` is never called `utf8`.
        """
        other = re.sub(r"^utf8mb3(?=_|$)", "utf8", name)
        return other if other in self.collations or other in self.collations.values() else name

    def knows(self, name: str) -> bool:
        """Tell whether the server knows a character set or a collation.

        Args:
            name: as `etlkit.tables` has it.
        """
        spelled = self.spelled(name)
        return spelled in self.collations or spelled in self.collations.values()

    def nearest(self, collation: str, *, by_bytes: bool = False) -> str | None:
        """Give the nearest collation that the server knows.

        Args:
            collation: as `etlkit.tables` has it.
            by_bytes: whether another one must not take for equal what the old one tells apart.

        Returns:
            The same, where the server knows it; else the order by bytes where the old one told cases apart, else
            one that does not, of the same language where there is one. None where the server does not even know
            the character set.
        """
        if self.knows(collation):
            return collation
        charset = spelling.charset_of_collation(collation) or ""
        if not self.knows(charset):
            return None
        language = _LANGUAGE.search(collation)
        choices = [f"{language.group(1)}_ci"] if language else []
        choices += ["unicode_520_ci", "unicode_ci", "general_ci", "bin"]
        if by_bytes or collation.endswith(_BY_BYTES):
            # Those of MySQL 8 count blanks at the end of a value, as those named "nopad" do.
            choices = ["nopad_bin", "bin"] if _COUNTS_BLANKS.search(collation) else ["bin"]
        found = (f"{charset}_{each}" for each in choices)
        return next((each for each in found if self.knows(each)), None)


def bytes_of_a_character(charset: str | None) -> int:
    """Give the most bytes that one character takes.

    Args:
        charset: as `etlkit.tables` has it; None for what is not text.
    """
    return _BYTES_OF_A_CHARACTER.get(charset or "", 1)


def read_abilities(engine: Engine) -> ServerAbilities:
    """Ask a server what it can hold, in three statements.

    Args:
        engine: the server.

    Returns:
        Its abilities.

    Raises:
        DBAPIError: the server cannot be reached; the caller tells what it was asked for.
    """
    with engine.connect() as connection:
        server, _ = read_server(connection)
        collations: dict[str, str] = {}
        for name, charset in connection.execute(statements.COLLATIONS):
            collation = spelling.text_of(name)
            if charset is None:
                # MariaDB lists those of UCA 14 once for all character sets that have them.
                collations |= {f"{each}_{collation}": each for each in _OF_UNICODE}
            else:
                collations[collation] = spelling.text_of(charset)
        engines = [spelling.text_of(name) for (name,) in connection.execute(statements.ENGINES)]
    return ServerAbilities(
        server=server, collations=collations, engines={each.lower(): each for each in engines}
    )
