"""Fixtures: a deployment's folder for given servers, and its examination."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from etlkit.config.initial import write_initial
from etlkit.doctor import CHECKS, Examination, examine

Examine = Callable[..., Examination]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A deployment's folder as `etlkit init` makes it; the addresses come from the environment."""
    write_initial(tmp_path / "clinic", source_url=None, warehouse_url=None)
    return tmp_path / "clinic"


def with_replica(folder: Path) -> None:
    """Give a deployment a replica, as somebody does who follows the comment in `etlkit.yml`."""
    path = folder / "etlkit.yml"
    path.write_text(path.read_text().replace("# replica:\n#   url", "replica:\n  url"))


@pytest.fixture
def examined(folder: Path) -> Examine:
    """A function that examines the deployment of some addresses, and checks what holds for every examination."""

    def run(source_url: str, warehouse_url: str, replica_url: str | None = None) -> Examination:
        env = {"ETLKIT_SOURCE_URL": source_url, "ETLKIT_WAREHOUSE_URL": warehouse_url}
        if replica_url is not None:
            env["ETLKIT_REPLICA_URL"] = replica_url
            with_replica(folder)
        found = examine(folder, env)
        levels = {
            (check.section, check.name): {*check.levels, "skipped"}
            for check in CHECKS
            if check.section != "replica" or replica_url is not None
        }
        # Every check is answered, once and in order, by a level that it is documented with.
        assert list(levels) == [(each.section, each.check) for each in found.findings]
        assert [] == [each for each in found.findings if each.level not in levels[each.section, each.check]]
        assert found.exit_code == int(any(each.level == "problem" for each in found.findings))
        return found

    return run
