"""Where the practice's values come from: one function for each habit of a column.

Each function gives a maker of a whole column of a batch. Values are text as LOAD DATA reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from etlkit.demo.practice.shape import Batch, Values
from etlkit.demo.practice.words import CITIES, DURATIONS, STREETS, escaped, notes

LAST_DAY = dt.date(2024, 6, 28)
"""The day on which the practice is created, in its own calendar."""

HISTORY = 2200
"""Days before the last that the practice remembers."""

NO_DATE = "0001-01-01"
"""Open Dental's way to say that there is no date."""

NULL = "\\N"
"""How LOAD DATA reads NULL."""

_DAYS = [str(LAST_DAY - dt.timedelta(days=back)) for back in range(HISTORY, -1, -1)]
_OPENING_TIMES = [f"{hour:02}:{minute:02}" for hour in range(7, 19) for minute in range(60)]
_SECONDS = [f"{second:02}" for second in range(60)]


def key() -> Values:
    """Make the table's own keys."""
    return lambda batch: [str(batch.own_key(number)) for number in batch.numbers]


def same_row(table: str) -> Values:
    """Refer to the row of another table that has the same number."""
    return lambda batch: [str(batch.tables[table].key_numbers(number)) for number in batch.numbers]


def ref(table: str, nobody: float = 0.0) -> Values:
    """Refer to rows of another table; nothing is declared, and 0 says that there is none.

    Args:
        table: The other table.
        nobody: Share of rows that refer to none.
    """

    def make(batch: Batch) -> list[str]:
        keys = batch.tables[table].key_numbers
        chosen = batch.chance.choices(range(batch.rows[table]), k=batch.count)
        if not nobody:
            return [str(keys(number)) for number in chosen]
        draw = batch.chance.random
        return ["0" if draw() < nobody else str(keys(number)) for number in chosen]

    return make


def spread(table: str) -> Values:
    """Refer to rows of another table one after another, so that each has about the same number of rows."""

    def make(batch: Batch) -> list[str]:
        keys, others, own = batch.tables[table].key_numbers, batch.rows[table], batch.rows[batch.table]
        return [str(keys(number * others // max(own, 1) % others)) for number in batch.numbers]

    return make


def always(value: object) -> Values:
    """Write the same value everywhere."""
    return lambda batch: [_written(value)] * batch.count


def _written(value: object) -> str:
    return NULL if value is None else escaped(str(value))


def pick(*values: object, weights: Sequence[float] | None = None) -> Values:
    """Choose among values.

    Args:
        values: What is chosen from; None is NULL.
        weights: How often each is chosen, relative to the others.
    """
    texts = [_written(value) for value in values]
    return lambda batch: batch.chance.choices(texts, weights, k=batch.count)


def each_of(*values: object) -> Values:
    """Write the values one after another, and again from the first."""
    texts = [_written(value) for value in values]
    return lambda batch: [texts[number % len(texts)] for number in batch.numbers]


def between(low: int, high: int) -> Values:
    """Choose whole numbers, both ends included."""
    return lambda batch: [str(value) for value in batch.chance.choices(range(low, high + 1), k=batch.count)]


def money(low: float, high: float, zero: float = 0.0) -> Values:
    """Choose dollars with two decimals.

    Args:
        low: Least.
        high: Most.
        zero: Share of rows that are 0.
    """

    def make(batch: Batch) -> list[str]:
        draw = batch.chance.random
        return [
            "0" if zero and draw() < zero else f"{low + (high - low) * draw():.2f}" for _ in batch.numbers
        ]

    return make


def real(low: float, high: float) -> Values:
    """Choose numbers with every digit a double has."""
    return lambda batch: [repr(batch.chance.uniform(low, high)) for _ in batch.numbers]


def day(none: float = 0.0, ahead: int = 0) -> Values:
    """Choose a day of the practice's history.

    Args:
        none: Share of rows without a date.
        ahead: Days after the last day that may be chosen too.
    """
    future = [str(LAST_DAY + dt.timedelta(days=number)) for number in range(1, ahead + 1)]
    days = [*_DAYS, *future]

    def make(batch: Batch) -> list[str]:
        draw = batch.chance.random
        chosen = _written_today(batch) if not ahead else None
        chosen = chosen or batch.chance.choices(days, k=batch.count)
        return [NO_DATE if none and draw() < none else each for each in chosen]

    return make


def birthday() -> Values:
    """Choose a date of birth; one patient in fifty has not told it."""

    def make(batch: Batch) -> list[str]:
        ages = batch.chance.choices(range(700, 34_000), k=batch.count)
        days = [str(LAST_DAY - dt.timedelta(days=age)) for age in ages]
        return [NO_DATE if age % 50 == 0 else each for age, each in zip(ages, days, strict=True)]

    return make


def moment(none: float = 0.0, ahead: int = 0) -> Values:
    """Choose date and time, as `day` chooses a day."""
    days = day(none, ahead)

    def make(batch: Batch) -> list[str]:
        times = batch.chance.choices(_OPENING_TIMES, k=batch.count)
        seconds = batch.chance.choices(_SECONDS, k=batch.count)
        return [
            f"{each} 00:00:00" if each == NO_DATE else f"{each} {time}:{second}"
            for each, time, second in zip(days(batch), times, seconds, strict=True)
        ]

    return make


def rising_day() -> Values:
    """Give days that rise with the row's number, as they do where rows are only appended."""

    def make(batch: Batch) -> list[str]:
        rows = max(batch.rows[batch.table], 1)
        return _written_today(batch) or [_DAYS[number * len(_DAYS) // rows] for number in batch.numbers]

    return make


def rising_moment() -> Values:
    """Give date and time that rise with the row's number."""
    days = rising_day()
    opens, open_for = 7 * 3600, 12 * 3600

    def make(batch: Batch) -> list[str]:
        # How much of its own day has passed when a row is written, in seconds.
        rows, history = (batch.count, 1) if batch.today else (max(batch.rows[batch.table], 1), len(_DAYS))
        first = batch.numbers.start if batch.today else 0
        passed = [(number - first) * history * open_for // rows % open_for for number in batch.numbers]
        return [
            f"{each} {(opens + second) // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            for each, second in zip(days(batch), passed, strict=True)
        ]

    return make


def _written_today(batch: Batch) -> list[str]:
    return [str(batch.today)] * batch.count if batch.today else []


def clock() -> Values:
    """Choose a time of day on which the practice is open."""
    return pick(*(f"{each}:00" for each in _OPENING_TIMES[::10]))


def duration() -> Values:
    """Choose a duration: negative ones and ones of more than a day are among them."""
    return pick(*DURATIONS)


def note(kind: str, longest: int = 4, null: float = 0.0) -> Values:
    """Choose what somebody wrote.

    Args:
        kind: What the notes are for.
        longest: Most sentences.
        null: Share of rows that are NULL.
    """

    def make(batch: Batch) -> list[str]:
        chosen = batch.chance.choices(notes(kind, longest), k=batch.count)
        draw = batch.chance.random
        return [NULL if draw() < null else each for each in chosen] if null else chosen

    return make


def phone() -> Values:
    """Choose a phone number; some have none."""

    def make(batch: Batch) -> list[str]:
        numbers = batch.chance.choices(range(10_000), k=batch.count)
        return ["" if each % 9 == 0 else f"(503){100 + each % 900}-{each:04}" for each in numbers]

    return make


def street() -> Values:
    """Choose an address."""

    def make(batch: Batch) -> list[str]:
        names = batch.chance.choices(STREETS, k=batch.count)
        houses = batch.chance.choices(range(100, 9900), k=batch.count)
        return [f"{house} {name}" for house, name in zip(houses, names, strict=True)]

    return make


def city() -> Values:
    """Choose a town near by."""
    return pick(*CITIES)


def numbered(text: str) -> Values:
    """Write a text with the row's number, from 1.

    Args:
        text: The text; `{}` stands for the number.
    """
    return lambda batch: [escaped(text.format(number + 1)) for number in batch.numbers]


def digits(count: int) -> Values:
    """Choose digits as text, leading zeros included."""
    return lambda batch: [f"{batch.chance.randrange(10**count):0{count}}" for _ in batch.numbers]


def token() -> Values:
    """Choose 32 hexadecimal digits."""
    return lambda batch: [f"{batch.chance.getrandbits(128):032x}" for _ in batch.numbers]


def octets(shortest: int, longest: int) -> Values:
    """Choose bytes, written as hexadecimal digits.

    Args:
        shortest: Fewest bytes.
        longest: Most bytes.
    """

    def make(batch: Batch) -> list[str]:
        sizes = [batch.chance.randint(shortest, longest) for _ in batch.numbers]
        return [batch.chance.randbytes(size).hex() for size in sizes]

    return make
