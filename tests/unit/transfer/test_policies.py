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
                chosen = checked_policy(WHERE, column(kinds[rule]), each, converted=False)
            except ConfigurationError:
                continue
            if policy_of(rule, chosen) == each:
                obeyed.append(each)
        assert obeyed == re.findall(r"`(\w+)`", policies)
    assert [*get_args(Policy), "quarantine"] == re.findall(r"^- `(\w+)`[:,]", DOCUMENT, re.MULTILINE)


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
            "text",
            "quarantine",
            False,
            f"`{WHERE}` is `quarantine`, which is not available yet; use `fail` or `null`",
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
        checked_policy(WHERE, column(kind), policy, converted=converted)
    assert message == str(caught.value)
