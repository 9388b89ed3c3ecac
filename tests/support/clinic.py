"""A clinic's deployment on real servers, worked with by the command line only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa
from click.testing import CliRunner, Result

from etlkit.cli import main
from support.databases import SourceDatabase, WarehouseDatabase


@attrs.frozen(kw_only=True)
class Clinic:
    """A deployment's folder, and its two databases."""

    folder: Path
    source: SourceDatabase
    warehouse: WarehouseDatabase

    @cached_property
    def env(self) -> Mapping[str, str]:
        """What `etlkit.yml` refers to."""
        return {"ETLKIT_SOURCE_URL": self.source.reader_url, "ETLKIT_WAREHOUSE_URL": self.warehouse.url}

    def etlkit(self, *arguments: str, **env: str) -> Result:
        """Run a command in this process, and make sure that it tells no password."""
        where = [] if "list" in arguments else ["-C", str(self.folder)]
        result = CliRunner().invoke(main, [*arguments, *where], env={**self.env, **env})
        self.check(result.output)
        return result

    def started(
        self, *arguments: str, env: Mapping[str, str] | None = None, **own: str
    ) -> subprocess.Popen[str]:
        """Start a command as a process of its own; by default in this process's environment."""
        return subprocess.Popen(
            [sys.executable, "-m", "etlkit", *arguments, "-C", str(self.folder)],
            env={**(os.environ if env is None else env), **self.env, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def check(self, output: str) -> None:
        """Make sure that a command's output holds no password."""
        for url in self.env.values():
            password = sa.make_url(url).password
            assert password
            assert password not in output

    def done(self, *arguments: str, **env: str) -> str:
        """Run a command that must succeed; gives its standard output."""
        result = self.etlkit(*arguments, **env)
        assert 0 == result.exit_code, result.output
        return result.stdout

    def document(self, *arguments: str) -> Any:
        """Run a command that must succeed with `--json`; gives the one document that it prints."""
        return json.loads(self.done(*arguments, "--json"))

    def loaded(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Run `etlkit run`, which must succeed; gives what came of each table, by name."""
        last = json.loads(self.done("run", "--json", *arguments).splitlines()[-1])
        assert "run_finished" == last["event"]
        return {each["table"]: each for each in last["tables"]}

    def prepared(self, choices: str = "") -> None:
        """Write etlkit.yml with choices, and analyse."""
        self.done("init")
        with (self.folder / "etlkit.yml").open("a") as file:
            file.write(choices)
        self.done("analyze")

    def choose(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Write choices by table into etlkit.yml, instead of those written before."""
        path = self.folder / "etlkit.yml"
        kept = [line for line in path.read_text().splitlines() if not line.startswith("tables: ")]
        path.write_text("\n".join([*kept, f"tables: {json.dumps(tables)}", ""]))
