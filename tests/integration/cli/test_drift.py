"""`etlkit plan` tells what becomes of a table whose source changed, before `etlkit run` does it."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


@pytest.fixture
def loaded(clinic: Any) -> Any:
    """The clinic, loaded once, with a view."""
    clinic.prepared()
    clinic.done("run")
    clinic.warehouse.execute('CREATE VIEW public.names AS SELECT "ItemName" FROM raw.definition')
    return clinic


def told(clinic: Any, *options: str) -> str:
    """What `plan` prints below its table; the exit code is 0."""
    below: str = clinic.done("plan", "--select", "definition", *options).partition(" to read at most.\n")[2]
    return below


def test_what_is_carried_over(loaded: Any) -> None:
    """Steps are listed below the table and in the document, with the views in the way, and come true."""
    loaded.source.execute(
        "ALTER TABLE definition MODIFY ItemName TEXT, ADD Color INT NOT NULL DEFAULT 3, ADD Hidden BOOL"
    )
    steps = [
        "adds column `Color` (integer)",
        "adds column `Hidden` (smallint)",
        "widens column `ItemName` from character varying(100) to text",
        "takes down and puts back, by the same transaction: view public.names",
    ]
    lines = "".join(f"  {each}\n" for each in steps)
    assert f"\nTable `definition` changed in the source, and the run:\n{lines}" == told(loaded)
    tables = loaded.document("plan")["tables"]
    assert {"definition": steps, "patient": [], "scratchlog": []} == {
        each["table"]: each["drift"] for each in tables
    }
    loaded.done("run")
    assert "" == told(loaded)


def test_what_is_refused_and_allowed(loaded: Any) -> None:
    """A refusal has the run's words and exit code, several lines below one title; with --allow-drift it is a step."""
    loaded.source.execute(
        "UPDATE definition SET ItemName = DefNum",
        "ALTER TABLE definition MODIFY ItemName INT",
    )
    words = (
        "table `definition` changed in the source in a way that is not carried over unasked; the rows of "
        "`raw.definition` are as they were:\n"
        "  column `ItemName`: character varying(100) in `raw.definition`, integer in the source\n"
        "Ways on:\n"
        "  `etlkit run --allow-drift --select definition` changes the type of `ItemName` in place, and reads every "
        "row; views and grants stay\n"
        "  renaming `raw.definition` and running again loads the new shape beside it; views stay on the renamed table"
    )
    planned = loaded.etlkit("plan", "--select", "definition")
    assert (5, True) == (planned.exit_code, planned.stdout.endswith(f"\n\n{words}\n"))
    document = json.loads(loaded.etlkit("plan", "--json", "--select", "definition").stdout)
    assert [words] == [each["error"] for each in document["tables"]]
    ran = loaded.etlkit("run", "--select", "definition")
    below = "\n".join(f"  {line}" for line in words.splitlines())
    assert (5, True) == (ran.exit_code, ran.stdout.endswith(f"\n\nNot loaded:\n{below}\n"))
    assert (
        "\nTable `definition` changed in the source, and the run:\n"
        "  changes the type of column `ItemName` from character varying(100) to integer in place\n"
        "  takes down and puts back, by the same transaction: view public.names\n"
    ) == told(loaded, "--allow-drift")
    loaded.done("run", "--select", "definition", "--allow-drift")
    assert [(1,), (2,), (3,)] == loaded.warehouse.rows("SELECT * FROM public.names ORDER BY 1")


def test_what_looks_renamed(loaded: Any) -> None:
    """A column that looks renamed is told before its values are compared, and a table with its new name."""
    loaded.source.execute("ALTER TABLE definition CHANGE ItemName Name VARCHAR(100)")
    look = (
        "  column `ItemName` looks renamed to `Name`: the type and the place are the same; the load compares the "
        "values, and when they are the same, {}\n"
        "  adds column `Name` (character varying(100))\n"
        "  keeps column `ItemName`, which is gone in the source, and marks it\n"
    )
    title = "\nTable `definition` changed in the source, and the run:\n"
    assert f"{title}{look.format('the table is not loaded')}" == told(loaded)
    assert f"{title}{look.format('it is renamed in the warehouse')}" == told(loaded, "--allow-drift")
    loaded.done("run", "--allow-drift")
    loaded.source.execute("RENAME TABLE definition TO def")
    planned = loaded.etlkit("plan", "--allow-drift", "--select", "definition")
    assert planned.stdout.endswith(
        "\n\ntable `definition` looks renamed to `def` in the source: the definition is the same, and it has about "
        "as many rows (3; `raw.definition` has 3); the run renames `raw.definition`, and loads it on.\n"
    )
    assert 5 == loaded.etlkit("plan").exit_code


def test_status(loaded: Any) -> None:
    """What the warehouse keeps is told, since when."""
    loaded.source.execute("ALTER TABLE definition DROP ItemName", "DROP TABLE scratchlog")
    loaded.done("run")
    kept = {each["table"]: each["kept"] for each in loaded.document("status")["tables"]}
    assert [("ItemName", "gone")] == [(each["column"], each["reason"]) for each in kept["definition"]]
    assert [(None, "gone")] == [(each["column"], each["reason"]) for each in kept["scratchlog"]]
    since = loaded.done("status")
    assert "\nColumn `ItemName` of table `definition` is gone in the source since 20" in since
    assert "\nTable `scratchlog` is gone in the source since 20" in since
