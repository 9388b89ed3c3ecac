"""A clinic whose way to both servers leads over wires that can fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import Result

from etlkit.config import Settings
from etlkit.orchestration.deployment import Deployment
from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.fault_proxy import FaultProxy
from support.faults import changed, choices, filled
from support.invariants import CANARY, Invariants
from support.running import Running

LARGE = "commlog"
"""A table whose rows take several chunks."""

_ROWS = 600
_NOTE_BYTES = 2000
_LARGE_CHOICE = {
    "extraction_strategy": "chunked_incremental",
    "incremental_column": "DateTStamp",
    "batch_size": 100,
    "options": {"chunk_mb": "1", "kept_seconds": "0"},
}
_SETTINGS = {
    "WIRE_SILENCE": "60",
    "WIRE_STATEMENT": "300",
    "WIRE_RETRIES": "0",
    "WIRE_THREADS": "1",
}
_YAML = """deployment: north
source:
  url: "${ETLKIT_SOURCE_URL}"
  silence_seconds: "${WIRE_SILENCE}"
  statement_seconds: "${WIRE_STATEMENT}"
warehouse:
  url: "${ETLKIT_WAREHOUSE_URL}"
  silence_seconds: "${WIRE_SILENCE}"
run:
  retries: "${WIRE_RETRIES}"
  threads: "${WIRE_THREADS}"
"""


@attrs.frozen(kw_only=True)
class Wired:
    """A clinic that was loaded, and the wires of the runs that faults are for."""

    clinic: Clinic
    direct: Running
    """The same deployment, for runs over no wire."""
    to_source: FaultProxy
    to_warehouse: FaultProxy

    def run(self, *arguments: str, **env: str) -> Result:
        """Carry out `etlkit run` over the wires."""
        over_wires = {
            "ETLKIT_SOURCE_URL": self.to_source.through(self.clinic.env["ETLKIT_SOURCE_URL"]),
            "ETLKIT_WAREHOUSE_URL": self.to_warehouse.through(self.clinic.env["ETLKIT_WAREHOUSE_URL"]),
        }
        return self.clinic.etlkit("run", "--json", *arguments, **over_wires, **env)

    def survives(
        self,
        fault: Callable[[], None],
        *arguments: str,
        recovered: bool = False,
        meanwhile: Callable[[], None] = lambda: None,
        **env: str,
    ) -> Mapping[str, Any]:
        """Let a run meet a fault after every table changed, and make sure that all that must hold does.

        Args:
            fault: sets the wires; when the run is over, they are good ones again.
            arguments: of the run.
            recovered: whether the run was to get over the fault.
            meanwhile: done behind the run, before the wires are good ones again.
            env: of the run, such as `WIRE_RETRIES`.

        Returns:
            By table that was told of, its error or None; and by `run`, why the run itself did not begin or broke off.
        """
        changed(self.clinic.source)
        change_large(self.clinic.source)
        self.direct.deployment.connections.close()  # only the run's own sessions are to be seen
        invariants = Invariants.of_running(self.direct)
        with invariants.watching():
            fault()
            result = self.run(*arguments, **env)
            meanwhile()
        assert (False, False) == (self.to_source.armed, self.to_warehouse.armed), (
            f"the fault did not strike: {result.output}"
        )
        self.to_source.heal()
        self.to_warehouse.heal()
        invariants.hold_after(result.exit_code, result.stdout, result.stderr, recovered=recovered)
        return told(result)


def told(result: Result) -> Mapping[str, Any]:
    """Give what a run said: by table its error or None, and its own by `run`."""
    events = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    found = {each["table"]: each["error"] for each in events if each["event"] == "table_finished"}
    if result.exit_code and not any(found.values()):
        found["run"] = result.stderr.splitlines()[-1]
    return found


def change_large(source: SourceDatabase) -> None:
    """Stamp every row of the large table, so that the next run reads all of it."""
    source.execute(f"update {LARGE} set Mode = Mode + 1")


@contextmanager
def wired_clinic(folder: Path, source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Wired]:
    """Make a clinic, and load it.

    Args:
        folder: its folder, which is not there yet.
        source: an empty database.
        warehouse: an empty database.
    """
    filled(source, rows=60)
    source.execute(
        f"create table {LARGE} (CommlogNum bigint not null auto_increment primary key, Note text, "
        "Mode int not null, DateTStamp timestamp not null default current_timestamp "
        "on update current_timestamp, key (DateTStamp))",
        f"insert into {LARGE} (Note, Mode, DateTStamp) values "
        + ", ".join(
            f"(concat('{CANARY} ', repeat('{number % 10}', {_NOTE_BYTES})), 0, '2024-03-01')"
            for number in range(_ROWS)
        ),
    )
    with (
        pytest.MonkeyPatch.context() as environment,
        FaultProxy(source.server.access.port) as to_source,
        FaultProxy(warehouse.server.access.port) as to_warehouse,
    ):
        for name, value in _SETTINGS.items():
            environment.setenv(name, value)
        clinic = Clinic(folder=folder, source=source, warehouse=warehouse)
        folder.mkdir()
        (folder / "etlkit.yml").write_text(_YAML)
        clinic.done("analyze")
        clinic.choose({**choices(), LARGE: _LARGE_CHOICE})
        with Deployment.of(Settings.load(folder, {**clinic.env, **_SETTINGS})) as deployment:
            direct = Running(source=source, warehouse=warehouse, deployment=deployment)
            assert 0 == direct.run()
            yield Wired(clinic=clinic, direct=direct, to_source=to_source, to_warehouse=to_warehouse)
