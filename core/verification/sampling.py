"""Reading some rows of a table at random, by keys that the source itself finds; nothing is sorted for it.

A key that is one integer is found behind a random number, which costs the source one look into the index. Other keys
have no arithmetic, and numbers with wide gaps would give the same few rows again and again: there random places are
counted off along the index, in short steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from secrets import SystemRandom

import attrs
from sqlalchemy import func, select

from etlkit.tables import INTEGER_TYPES
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.boundary_queries import ROWS_BEFORE
from etlkit.transfer.chunk import Fetched
from etlkit.transfer.keys import Key, KeyRange, Keyset, as_key
from etlkit.transfer.reader import Reader
from etlkit.transfer.trouble import read_trouble

_STEP_ROWS = 20_000
"""Rows that one statement counts off, so that it holds up nobody on MyISAM."""
_DENSE = 20
"""From one row in so many on, counting off the index costs little beside reading the rows."""

_random = SystemRandom()


@attrs.define(kw_only=True)
class SampleReader(Reader):
    """Reads at most so many rows, or all of them when there are no more; the table must have a key."""

    sample: int
    """How many."""
    total: int = 0
    """Rows that the source has; known from the first row on."""

    @property
    def whole(self) -> bool:
        """Whether the sample is the whole table."""
        return self.sample >= self.total

    def fetch(self) -> Iterator[Fetched]:
        """Read the rows.

        Yields:
            Rows, each at most once.

        Raises:
            ExtractionError: the source refused a statement, or a row is larger than it can send.
        """
        with read_trouble(self.analysis.name):
            keyset = self._begin()
            if keyset is None:
                raise ValueError(f"table `{self.analysis.name}` has no key to take a sample by")
            counted = select(func.count()).select_from(keyset.source)
            self.total = int((self.source.one(queries.Prepared.of(counted)) or (0,))[0])
            if self.whole:
                yield from self._by_key(keyset)
            else:
                for lower, upper in self._chosen(keyset):
                    self._rest(in_snapshot=True)
                    within = KeyRange(lower=lower, upper=upper)
                    fetched = self._packed(within) or self._wide(within)
                    if fetched.rows:
                        yield fetched
            self.source.text(queries.END_SNAPSHOT)

    def _chosen(self, keyset: Keyset) -> list[tuple[Key | None, Key]]:
        """Choose rows, each as the key before it, or a value between the two, and its own."""
        by_one_integer = len(keyset.columns) == 1 and keyset.columns[0].data_type in INTEGER_TYPES
        if by_one_integer and self.sample * _DENSE <= self.total:
            found = self._by_number(keyset)
            if len(found) == self.sample:
                return found
        return list(self._by_place(keyset))

    def _by_number(self, keyset: Keyset) -> list[tuple[Key | None, Key]]:
        [key] = keyset.expressions()
        ends = select(func.min(key), func.max(key)).select_from(keyset.source)
        first, last = self.source.one(queries.Prepared.of(ends)) or (None, None)
        if first is None or last is None:
            return []
        found: dict[Key, tuple[Key | None, Key]] = {}
        for _ in range(2 * self.sample):
            lower = (str(_random.randrange(int(first) - 1, int(last))),)
            upper = self._key_behind(keyset, lower, 1)
            if upper is not None:
                found[upper] = (lower, upper)
            if len(found) == self.sample:
                break
        return list(found.values())

    def _by_place(self, keyset: Keyset) -> Iterator[tuple[Key | None, Key]]:
        places = sorted(_random.sample(range(self.total), self.sample))
        lower: Key | None = None
        for before, place in itertools.pairwise([-1, *places]):
            left = place - before - 1
            while left:
                self._rest(in_snapshot=True)
                step = min(left, _STEP_ROWS)
                lower = self._key_behind(keyset, lower, step)
                left -= step
                if lower is None:
                    return
            upper = self._key_behind(keyset, lower, 1)
            if upper is None:
                return
            yield lower, upper
            lower = upper

    def _key_behind(self, keyset: Keyset, lower: Key | None, rows: int) -> Key | None:
        behind = KeyRange(lower=lower)
        statement = self._statements.boundary(behind, any_row=True)
        row = self.source.one(statement, {ROWS_BEFORE: rows - 1} | behind.values(keyset))
        return None if row is None else as_key(row)
