"""`--select` and `--exclude` choose tables by globs and levels, and a pattern that fits nothing is refused."""

from __future__ import annotations

import pytest

from etlkit.errors import ConfigurationError
from etlkit.orchestration.selection import selected

LEVELS = {
    "patient": "critical",
    "patplan": "important",
    "Patient2": "standard",
    "procedurelog": "critical",
    "securitylog": "audit",
    "sheet": "billing",
}


@pytest.mark.parametrize(
    ("select", "exclude", "expected"),
    [
        ([], [], ["patient", "patplan", "Patient2", "procedurelog", "securitylog", "sheet"]),
        (["patient"], [], ["patient"]),
        (["pat*"], [], ["patient", "patplan"]),
        (["*log"], [], ["procedurelog", "securitylog"]),
        (["pat????"], [], ["patient", "patplan"]),
        (["[ps]*"], [], ["patient", "patplan", "procedurelog", "securitylog", "sheet"]),
        (["importance:critical"], [], ["patient", "procedurelog"]),
        (["importance:billing"], [], ["sheet"]),
        (["importance:*i*"], [], ["patient", "patplan", "procedurelog", "securitylog", "sheet"]),
        (["sheet", "importance:critical"], [], ["patient", "procedurelog", "sheet"]),
        ([], ["importance:critical", "sheet"], ["patplan", "Patient2", "securitylog"]),
        (["*log"], ["importance:audit"], ["procedurelog"]),
    ],
)
def test_what_patterns_choose(select: list[str], exclude: list[str], expected: list[str]) -> None:
    """Patterns given several times add up, exclusion wins, case matters, and the order is that of the tables."""
    assert expected == selected(LEVELS, select, exclude)


@pytest.mark.parametrize(
    ("select", "exclude", "words"),
    [
        (["pateint"], [], "--select `pateint` fits no table; did you mean `patient`?"),
        (["patient", "Sheet"], [], "--select `Sheet` fits no table; did you mean `sheet`?"),
        ([], ["zz*"], "--exclude `zz*` fits no table; known: {all}"),
        (
            ["importance:critcal"],
            [],
            "--select `importance:critcal` fits no table; did you mean `critical`?",
        ),
        (
            ["importance:"],
            [],
            "--select `importance:` fits no table; known: `audit`, `billing`, `critical`, `important`, `standard`",
        ),
        (["patient"], ["pat*"], "--select and --exclude leave no table; take one of the patterns out"),
    ],
)
def test_a_pattern_that_fits_nothing(select: list[str], exclude: list[str], words: str) -> None:
    """It is refused with the option it stands behind and with the nearest name, or all of them."""
    with pytest.raises(ConfigurationError) as caught:
        selected(LEVELS, select, exclude)
    everything = ", ".join(f"`{name}`" for name in sorted(LEVELS))
    assert words.format(all=everything) == str(caught.value)
    assert 2 == caught.value.exit_code
