"""A third party's distribution, installed by pip, takes part in `etlkit run` through its entry point alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from support.clinic import Clinic
from support.comparison import all_differences, differences
from support.example_plugin import install_example
from support.practice import MakePractice

KEPT = {"patient", "appointment", "walkinlist", "kioskping", "zipcode"}
APPOINTMENTS = {
    "reconcile": "never",
    "extraction_strategy": "recent_by_date",
    "options": {"date_column": "AptDateTime", "days": "30"},
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the example is installed."""
    return install_example(tmp_path_factory.mktemp("example"))


def etlkit(clinic: Clinic, environment: dict[str, str], *arguments: str) -> str:
    """Run a command as a process of its own; gives its standard output."""
    process = clinic.started(*arguments, env=environment)
    output, errors = process.communicate(timeout=120)
    clinic.check(output + errors)
    assert 0 == process.returncode, errors
    return output


def loaded(clinic: Clinic, environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Run `etlkit run`; gives what came of each table."""
    last = json.loads(etlkit(clinic, environment, "run", "--json", *arguments).splitlines()[-1])
    return {each["table"]: each for each in last["tables"]}


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_the_example_takes_part(make_practice: MakePractice, environment: dict[str, str]) -> None:
    """Its strategy loads appointments by date, its classifier gives a level, its conversion masks numbers."""
    clinic = make_practice(0.02, only=KEPT)
    etlkit(clinic, environment, "init")
    etlkit(clinic, environment, "analyze")
    clinic.choose({"appointment": APPOINTMENTS})
    levels = {
        name: each["table_importance"]
        for name, each in yaml.safe_load((clinic.folder / "tables.yml").read_text())["tables"].items()
    }
    assert {"walkinlist", "kioskping"} == {name for name, level in levels.items() if level == "front_desk"}
    [plugin] = [
        each
        for each in json.loads(etlkit(clinic, environment, "plugins", "list", "--json"))["plugins"]
        if each["plugin"] == "north_practice"
    ]
    assert ("etlkit-north-practice", "1.2.0", "active", ["recent_by_date"]) == (
        plugin["distribution"],
        plugin["version"],
        plugin["status"],
        plugin["provides"]["etlkit_strategies"],
    )

    first = loaded(clinic, environment)
    assert [] == all_differences(clinic.source, clinic.warehouse, without=["SSN"])
    assert "recent_by_date" == first["appointment"]["strategy"]
    assert {"walkinlist", "kioskping"} == set(
        loaded(clinic, environment, "--select", "importance:front_desk")
    )
    assert [("",), ("***-**-6789",)] == clinic.warehouse.rows(
        'select distinct "SSN" from raw.patient order by 1'
    )
    assert [("",), ("123456789",)] == clinic.source.rows("select distinct SSN from patient order by 1")

    recent = "AptDateTime >= adddate(curdate(), -30)"
    clinic.source.execute(
        "update appointment set AptDateTime = adddate(now(), 7) order by AptNum limit 12",
        "update appointment set Note = 'moved' order by AptNum limit 20",
    )
    second = loaded(clinic, environment, "--select", "appointment")["appointment"]
    assert clinic.source.value(f"select count(*) from appointment where {recent}") == second["read"]
    assert (0, 12, 0) == (second["inserted"], second["updated"], second["deleted"])
    # The other eight lie further back than 30 days, so they wait for a full refresh, as the README says.
    behind = differences(clinic.source, clinic.warehouse, "appointment")
    assert 8 == len({each.partition(":")[0] for each in behind})
    loaded(clinic, environment, "--select", "appointment", "--full-refresh")
    assert [] == differences(clinic.source, clinic.warehouse, "appointment")
    [status] = [
        each
        for each in json.loads(etlkit(clinic, environment, "status", "--json"))["tables"]
        if each["table"] == "appointment"
    ]
    assert ("recent_by_date", "loaded") == (status["strategy"], status["state"])


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_disabled(make_practice: MakePractice, environment: dict[str, str]) -> None:
    """A plugin that `plugins.disable` names is not imported, and what it would do is not done."""
    clinic = make_practice(0.005, only=KEPT)
    clinic.done("init")
    with (clinic.folder / "etlkit.yml").open("a") as file:
        file.write("plugins: {disable: [north_practice]}\n")
    # Python then says on stderr what it imports.
    watched = {**environment, "PYTHONVERBOSE": "1"}
    imported = {}
    for disabled in (True, False):
        if not disabled:
            path = clinic.folder / "etlkit.yml"
            path.write_text(path.read_text().replace("disable: [north_practice]", "disable: []"))
        process = clinic.started("analyze", env=watched)
        imported[disabled] = "import 'etlkit_north_practice'" in process.communicate(timeout=120)[1]
        assert 0 == process.returncode
        levels = yaml.safe_load((clinic.folder / "tables.yml").read_text())["tables"]
        expected = "standard" if disabled else "front_desk"
        assert expected == levels["walkinlist"]["table_importance"]
    assert {True: False, False: True} == imported
