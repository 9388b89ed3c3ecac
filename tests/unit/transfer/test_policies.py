"""Rules and policies: which there are, and which are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from etlkit.errors import ConfigurationError
from etlkit.tables import Column
from etlkit.transfer.policies import RULES, WORDS, Policy, checked_policy, policy_of

DOCUMENT = (Path(__file__).parents[3] / "docs" / "types.md").read_text(encoding="utf-8")
WHERE = "tables.t.column_overrides.c.policy"


def column(kind: str) -> Column:
    """A column of a type."""
    return Column(name="c", data_type=kind, column_type=kind)


def test_documentation() -> None:
    """docs/types.md lists each rule with its default and the policies that are obeyed, and explains each policy."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| `(\w+)` \| ([^|]+) \|$", DOCUMENT, re.MULTILINE)
    assert list(RULES.items()) == [(rule, default) for rule, default, _ in rows]
    assert list(RULES) == list(WORDS)
    kinds = {"nul_character": "text", "broken_text": "text", "invalid_date": "date"}
    for rule, _, policies in rows:
        obeyed = []
        for each in get_args(Policy):
            try:
                chosen = checked_policy(WHERE, column(kinds[rule]), each, converted=False, key=["id"])
            except ConfigurationError:
                continue
            if policy_of(rule, chosen) == each:
                obeyed.append(each)
        assert obeyed == re.findall(r"`(\w+)`", policies)
    assert list(get_args(Policy)) == re.findall(r"^- `(\w+)`[:,]", DOCUMENT, re.MULTILINE)


@pytest.mark.parametrize(
    ("kind", "policy", "converted", "message"),
    [
        (
            "datetime",
            "replace",
            False,
            f"`{WHERE}` is `replace`, but nothing stands for a date that does not exist; use `fail` or `null`",
        ),
        (
            "int",
            "quarantine",
            False,
            f"`{WHERE}` is `quarantine`, but PostgreSQL holds every value of a int; take it out",
        ),
        (
            "int",
            "null",
            False,
            f"`{WHERE}` is `null`, but PostgreSQL holds every value of a int; take it out",
        ),
        (
            "date",
            "null",
            True,
            f"`{WHERE}` is `null`, but the conversion decides what becomes of a date; take it out",
        ),
    ],
)
def test_refused(kind: str, policy: str, message: str, *, converted: bool) -> None:
    """A policy that would have no effect is refused, instead of being ignored."""
    with pytest.raises(ConfigurationError) as caught:
        checked_policy(WHERE, column(kind), policy, converted=converted, key=["id"])
    assert message == str(caught.value)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (
            [],
            "the table has no primary key by which its rows could be found again; use `fail` or `null`",
        ),
        (
            ["id", "c"],
            (
                "the column is in the primary key, which must have a value in the warehouse; "
                "use `fail`, and mend the source"
            ),
        ),
    ],
)
def test_quarantine_needs_a_key(key: list[str], why: str) -> None:
    """A row is found again by its key, which can neither be missing nor be NULL."""
    with pytest.raises(ConfigurationError) as caught:
        checked_policy(WHERE, column("text"), "quarantine", converted=False, key=key)
    assert f"`{WHERE}` is `quarantine`, but {why}" == str(caught.value)
