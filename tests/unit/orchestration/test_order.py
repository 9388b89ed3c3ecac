"""Tables are loaded level by level, and within a level what they point to comes first."""

from __future__ import annotations

import itertools

import pytest

from etlkit.orchestration.order import levels, load_order
from etlkit.tables import TableAnalysis


def tables(**described: str) -> dict[str, TableAnalysis]:
    """Describe tables, each as `level parent parent ...`."""
    made = {}
    for name, text in described.items():
        level, *parents = text.split()
        made[name] = TableAnalysis(name=name, importance=level, depends_on=tuple(parents))
    return made


def test_levels() -> None:
    """Critical, important and reference come first, standard and audit last, what plugins added between by name."""
    named = ["audit", "zeta", "standard", "critical", "billing", "reference", "important", "billing"]
    assert ["critical", "important", "reference", "billing", "zeta", "standard", "audit"] == levels(named)
    assert ["billing", "audit"] == levels(["audit", "billing"])
    assert [] == levels([])


def test_importance_comes_before_dependencies() -> None:
    """A critical table does not wait for a table of a lower level that it points to."""
    found = load_order(tables(a="audit", b="critical a", c="billing", d="standard c", e="important"))
    assert ["b", "e", "c", "d", "a"] == found


def test_dependencies_within_a_level() -> None:
    """What a table points to comes before it, whatever the names; tables that point nowhere come by name."""
    found = load_order(
        tables(
            appointment="critical patient provider",
            claim="critical patient insplan",
            patient="critical patient provider",
            provider="critical",
            insplan="critical carrier",
            carrier="critical gone",
        )
    )
    assert ["provider", "patient", "appointment", "carrier", "insplan", "claim"] == found


@pytest.mark.parametrize("names", list(itertools.permutations("abc")))
def test_cycles(names: tuple[str, ...]) -> None:
    """A cycle is broken at its first table by name, and every table comes once, in whatever order they are known."""
    cycle = tables(a="standard b", b="standard c", c="standard a b c")
    assert ["c", "b", "a"] == load_order({name: cycle[name] for name in names})


def test_a_long_chain() -> None:
    """A chain of any length is followed, in either direction."""
    names = [f"t{number:04}" for number in range(5000)]
    forwards = {name: f"standard {parent}" for name, parent in itertools.pairwise(names)}
    assert names[::-1] == load_order(tables(**forwards, **{names[-1]: "standard"}))
    backwards = {name: f"standard {parent}" for parent, name in itertools.pairwise(names)}
    assert names == load_order(tables(**backwards, **{names[0]: "standard"}))


def test_many_that_point_to_one() -> None:
    """Five thousand tables that all point to each other's neighbours and to one table are ordered once each."""
    described = {f"t{number:04}": f"standard t{(number + 1) % 5000:04} hub" for number in range(5000)}
    found = load_order(tables(**described, hub="standard"))
    assert (5001, 5001) == (len(found), len(set(found)))
    assert found.index("hub") < found.index("t0000")
