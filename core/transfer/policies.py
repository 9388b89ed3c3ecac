"""What becomes of values that PostgreSQL cannot hold: a rule for each kind, and a policy for each column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

from etlkit.errors import ConfigurationError
from etlkit.tables import TEMPORAL_TYPES, TEXT_TYPES, Column

Policy = Literal["fail", "null", "replace", "quarantine"]
"""`fail`: the table's load fails; `null`: the value is NULL; `replace`: another text stands for it; `quarantine`: the
value is NULL, and its row's key is kept as long as that is so. All are counted."""

INVALID_DATE = "invalid_date"
"""A date that does not exist: `0000-00-00`, `2024-02-31`, one of the year 0."""
NUL_CHARACTER = "nul_character"
"""A text that holds a NUL character."""
BROKEN_TEXT = "broken_text"
"""A text with bytes that stand for nothing in its character set."""

RULES: Mapping[str, Policy] = MappingProxyType(
    {NUL_CHARACTER: "fail", BROKEN_TEXT: "fail", INVALID_DATE: "null"}
)
"""The rules, each with the policy of a column for which none was chosen."""

WORDS: Mapping[str, str] = MappingProxyType(
    {
        NUL_CHARACTER: "text with a NUL character, which PostgreSQL cannot hold",
        BROKEN_TEXT: "text that the source cannot convert to UTF-8 and back",
        INVALID_DATE: "dates that do not exist",
    }
)
"""The rules in words, for messages."""


def policy_of(rule: str, chosen: Policy | None) -> Policy:
    """Tell what happens to a column's values under a rule.

    Args:
        rule: a key of `RULES`.
        chosen: the column's policy, if one was chosen.

    Returns:
        The chosen one; but nothing is put in the place of text whose characters are not known.
    """
    if chosen is None or (rule == BROKEN_TEXT and chosen == "replace"):
        return RULES[rule]
    return chosen


def checked_policy(where: str, column: Column, chosen: str, *, converted: bool, key: Sequence[str]) -> Policy:
    """Refuse a policy that would have no effect on a column.

    Args:
        where: the key in the configuration, for the message.
        column: the column.
        chosen: what the configuration says.
        converted: whether a conversion makes the column's values.
        key: the columns of the table's primary key.

    Returns:
        The policy.

    Raises:
        ConfigurationError: it cannot be meant.
    """
    if column.data_type in TEMPORAL_TYPES and not converted:
        if chosen == "replace":
            raise ConfigurationError(
                f"`{where}` is `replace`, but nothing stands for a date that does not exist; use `fail` or `null`"
            )
    elif column.data_type not in TEXT_TYPES:
        why = (
            f"the conversion decides what becomes of a {column.data_type}"
            if converted
            else f"PostgreSQL holds every value of a {column.data_type}"
        )
        raise ConfigurationError(f"`{where}` is `{chosen}`, but {why}; take it out")
    if chosen == "quarantine" and not key:
        raise ConfigurationError(
            f"`{where}` is `quarantine`, but the table has no primary key by which its rows could be found again; use "
            "`fail` or `null`"
        )
    if chosen == "quarantine" and column.name in key:
        raise ConfigurationError(
            f"`{where}` is `quarantine`, but the column is in the primary key, which must have a value in the "
            "warehouse; use `fail`, and mend the source"
        )
    known: Mapping[str, Policy] = {each: each for each in get_args(Policy)}
    return known[chosen]
