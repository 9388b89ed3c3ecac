"""docs/doctor.md is complete: every check, in the order of the report, with its levels."""

from __future__ import annotations

import re
from pathlib import Path

from etlkit.doctor import CHECKS

PAGE = (Path(__file__).parents[3] / "docs" / "doctor.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"^## The (source|replica|warehouse|plugins|configuration)$", re.MULTILINE)
_ROW = re.compile(r"^\| `(\w+)` \| ([a-z, ]+) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)


def test_every_check_is_documented() -> None:
    """The tables of the page hold the checks that there are, no more, and the levels that their findings can have."""
    parts = _SECTION.split(PAGE)
    documented = [
        (section, name, tuple(levels.split(", ")))
        for section, text in zip(parts[1::2], parts[2::2], strict=True)
        for name, levels in _ROW.findall(text)
    ]
    assert [(check.section, check.name, check.levels) for check in CHECKS] == documented


def test_checks_have_different_names() -> None:
    """Section and name together identify a check."""
    names = [(check.section, check.name) for check in CHECKS]
    assert sorted(set(names)) == sorted(names)
