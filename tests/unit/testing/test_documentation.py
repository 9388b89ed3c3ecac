"""docs/testing-plugins.md tells of each contract what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from etlkit.testing import Contract
from support.contract_docs import contracts, section

PAGE = (Path(__file__).parents[3] / "docs" / "testing-plugins.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("contract", contracts())
def test_a_contract_is_documented(contract: type[Contract]) -> None:
    """The page has the contract's docstring, its attributes and all of its tests, in their order."""
    assert section(contract) in PAGE


def test_the_page_has_no_other_contracts() -> None:
    """A contract that is gone does not stay in the page."""
    headings = [line for line in PAGE.splitlines() if line.startswith("### `")]
    assert sorted(f"### `{each.__name__}`" for each in contracts()) == sorted(headings)
