"""Canaries: passwords of the tests' accounts and values of the tests' rows, which must never be shown anywhere.

A password is one as it is: made at random for each server. A row's value becomes one when a test writes it into a
source: literals of INSERT and UPDATE statements that are too peculiar to stand anywhere by chance, and the words of
`TOKENS`, which tests write into rows for this purpose.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import attrs

TOKENS = (
    *("CANARY", "Xq7canaryZ", "Ottilie", "canary77"),
    *("2718281828459045", "27182818284.5904", "1887-03-19"),
    *(b"Xq7canaryZ".hex(), "WHE3Y2FuYXJ5W"),  # the same in base64
)
"""Words, numbers and a date that tests write into rows and wrong passwords, and nowhere else."""

_WRITES = re.compile(r"\s*(?:insert|replace|update)\s", re.IGNORECASE)
_NAME = re.compile(r"`(?:[^`]|``)*`")
_LITERAL = re.compile(r"'([^'\\]{8,200})'")
# Dates and numbers are too ordinary, and so are lower-case words: names of levels, tables and conversions.
_ORDINARY = re.compile(r"[\d\s:.+TZ-]*|[a-z_]+|(.)\1*", re.DOTALL)
# The folder of a test is named by its parameters.
_FOLDER = re.compile(r"/pytest-of-[^/\s]+/pytest-\d+/(?:popen-gw\d+/)?[^/\s`'\":]+")
_MOST_TEXT = 20_000
_MOST_VALUES = 200


@attrs.define
class Canaries:
    """What must not be shown now, and where it was shown all the same."""

    passwords: set[str] = attrs.field(factory=set)
    """Passwords of servers that run, in every form in which an address may hold them."""
    values: dict[str, set[str]] = attrs.field(factory=dict)
    """By source database, values of its rows."""
    dropped: set[str] = attrs.field(factory=set)
    """Databases that are gone; their values are watched for until the end of the test."""
    found: list[str] = attrs.field(factory=list)
    """One sentence for each place that showed one since the last `taken`."""

    def add_password(self, password: str) -> None:
        """Watch for a password, as it is, in an address, and in base64."""
        encoded = base64.b64encode(password.encode()).decode().rstrip("=")
        self.passwords |= {password, quote(password, safe=""), encoded}

    def add_values(self, database: str, values: Iterable[Any]) -> None:
        """Watch for values of a database's rows, those that are too ordinary left out."""
        known = self.values.setdefault(database, set())
        for value in values:
            if len(known) >= _MOST_VALUES:
                return
            if isinstance(value, str) and len(value) >= 8 and not _ORDINARY.fullmatch(value):
                known.add(value)

    def add_statement(self, database: str, statement: str, parameters: Any) -> None:
        """Watch for the literals of a statement that writes rows."""
        if _WRITES.match(statement):
            self.add_values(database, _LITERAL.findall(_NAME.sub(" ", statement[:_MOST_TEXT])))
            self.add_values(database, _flat(parameters))

    def forget_dropped(self) -> None:
        """Stop watching for the values of databases that were dropped."""
        for database in self.dropped:
            self.values.pop(database, None)
        self.dropped.clear()

    def look(self, text: str | bytes | None, where: str, *, values: bool = True) -> None:
        """Look for canaries in a text, and note what is found.

        Args:
            text: what somebody could read.
            where: what it is, in words.
            values: whether values of rows are looked for too; passwords always are.
        """
        if not text:
            return
        said = text.decode(errors="replace") if isinstance(text, bytes) else text
        wanted = [*self.passwords, *(self._all_values() if values else ())]
        shown = next((each for each in wanted if each in said), None)
        if shown is not None:
            said = _FOLDER.sub("", said)
            shown = next((each for each in wanted if each in said), None)
        if shown is not None:
            at = said.index(shown)
            around = said[max(0, at - 200) : at + len(shown) + 100]
            kind = "a password" if shown in self.passwords else "a row's value"
            self.found.append(f"{where} shows {kind}, {shown!r}: ...{around}...")

    def look_at_error(self, error: BaseException, where: str, *, values: bool = True) -> None:
        """Look at an error and at everything that it leads back to, hidden or not."""
        for each in chain(error):
            said = [str(each), repr(each.args), repr(getattr(each, "__dict__", {}))]
            self.look("\n".join(said), f"{where}, {type(each).__name__}", values=values)

    def taken(self) -> list[str]:
        """Give what was found, and begin anew."""
        found, self.found = self.found, []
        return found

    def _all_values(self) -> Iterator[str]:
        yield from TOKENS
        for each in list(self.values.values()):
            yield from each


CANARIES = Canaries()
"""Those of this process."""


def chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error and all that it leads back to by `__cause__` and `__context__`, each once."""
    seen: set[int] = set()
    ahead: list[BaseException | None] = [error]
    while ahead:
        each = ahead.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            ahead += [each.__cause__, each.__context__]


def _flat(parameters: Any) -> Iterator[Any]:
    if isinstance(parameters, dict):
        yield from parameters.values()
    elif isinstance(parameters, list | tuple):
        for each in parameters[:_MOST_VALUES]:
            if isinstance(each, dict | list | tuple):
                yield from _flat(each)
            else:
                yield each
