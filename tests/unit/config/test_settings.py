"""Settings of a deployment's folder."""

from __future__ import annotations

import datetime as dt
import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from etlkit.config import (
    AllowedHours,
    ColumnOverride,
    DriftSettings,
    Monitoring,
    RunSettings,
    Secret,
    Settings,
    TableChoice,
    TableConfig,
    write_tables,
)
from etlkit.errors import ConfigurationError

SERVERS = """deployment: north
source: {url: "${S}"}
warehouse: {url: "${W}"}
"""
ENV = {"S": "mysql://u:hunter2@localhost/od", "W": "postgresql://u:hunter2@localhost/wh"}

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """A function that writes an `etlkit.yml` and reads it."""

    def load(text: str, env: dict[str, str] | None = None) -> Settings:
        (tmp_path / "etlkit.yml").write_text(text, encoding="utf-8")
        return Settings.load(tmp_path, ENV if env is None else env)

    return load


def problems(load: Load, text: str, env: dict[str, str] | None = None) -> list[str]:
    """Give the lines of the error, each without the folder, after looking for secrets in all of it."""
    with pytest.raises(ConfigurationError) as caught:
        load(text, env)
    assert 2 == caught.value.exit_code
    assert caught.value.__context__ is None
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    return [line[line.index("etlkit.yml:") :] for line in str(caught.value).splitlines()]


def test_smallest(load: Load, tmp_path: Path) -> None:
    """Name and addresses are enough; everything else has the documented default."""
    settings = load(SERVERS)
    assert ("north", tmp_path) == (settings.deployment, settings.folder)
    assert Secret("hunter2") == settings.source.url.password
    assert (1, False, None) == (
        settings.source.connections,
        settings.source.insecure,
        settings.source.allowed_hours,
    )
    assert "raw" == settings.warehouse.schema
    assert settings.replica is None
    assert (RunSettings(threads=2, executor="threads"), DriftSettings()) == (settings.run, settings.drift)
    assert {} == settings.tables
    assert "hunter2" not in repr(settings)


def test_everything(load: Load, tmp_path: Path) -> None:
    """Each section is read into its type; empty sections are the defaults."""
    settings = load(
        """
deployment: 3.10
source:
  url: "${S}"
  password_file: null
  insecure: no
  ca_file: ca.pem
  allowed_hours: 22:00-06:00
  connections: 3
replica: {url: "mysql://r@localhost/copy", engine: source, password_command: "cat 'a b'", statement_seconds: 900}
warehouse: {url: "${W}", schema: Roh Daten}
plugins: {disable: [slow], order: {classifiers: [a, b], conversions: []}}
run: {threads: "${N}", executor: dask}
drift: {add_column: refuse}
tables:
  patient:
    extraction_strategy: incremental
    incremental_column: no
    batch_size: 100
    column_overrides:
      TxtMsgOk: {conversion: tinyint_to_boolean, pg_type: "numeric(10,2)", policy: fail}
      row:
    lookback_seconds: 0
    monitoring: {data_quality_threshold: 0.5}
    options: {days: 030}
  log: {exclude: true}
""",
        {**ENV, "N": "4"},
    )
    assert "3.10" == settings.deployment
    assert tmp_path / "ca.pem" == settings.source.ca_file
    assert AllowedHours(start=dt.time(22), end=dt.time(6)) == settings.source.allowed_hours
    assert (False, 3) == (settings.source.insecure, settings.source.connections)
    assert settings.replica is not None
    assert "cat 'a b'" == settings.replica.password_command
    assert ("source", 900) == (settings.replica.engine, settings.replica.statement_seconds)
    assert "Roh Daten" == settings.warehouse.schema
    assert (("slow",), ("a", "b"), ()) == (
        settings.plugins.disable,
        settings.plugins.order.classifiers,
        settings.plugins.order.conversions,
    )
    assert RunSettings(threads=4, executor="dask") == settings.run
    assert "refuse" == settings.drift.add_column
    patient = settings.tables["patient"]
    assert ("incremental", "no", 100, 0) == (
        patient.extraction_strategy,
        patient.incremental_column,
        patient.batch_size,
        patient.lookback_seconds,
    )
    override = ColumnOverride(conversion="tinyint_to_boolean", pg_type="numeric(10,2)", policy="fail")
    assert {"TxtMsgOk": override, "row": ColumnOverride()} == patient.column_overrides
    assert {"days": "030"} == patient.options
    assert settings.tables["log"].exclude
    assert load(SERVERS + "plugins:\nrun: {}\ntables:\n").plugins == load(SERVERS).plugins


def test_options_of_plugins(load: Load) -> None:
    """Options of plugins are texts by plugin and key, references replaced, and show themselves to nobody."""
    text = 'plugins: {options: {alerts: {urls: "json://${TOKEN}@h", on: always}, metrics: }}'
    settings = load(SERVERS + text, {**ENV, "TOKEN": "hunter2"})
    options = settings.plugins.options
    assert {"alerts": ["on", "urls"], "metrics": []} == {name: sorted(each) for name, each in options.items()}
    assert ["json://hunter2@h", "always"] == [each.reveal() for each in options["alerts"].values()]
    assert "hunter2" not in repr(settings)
    with pytest.raises(TypeError, match="a secret is not written into pickles"):
        pickle.dumps(options["alerts"]["urls"])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("runn: {}", "the file has no key `runn` (did you mean `run`?)"),
        ("run: {thread: 2}", "`run` has no key `thread` (did you mean `threads`?)"),
        (
            "run: {zzz: 2}",
            "`run` has no key `zzz` (known keys: `executor`, `max_deleted_share`, `retries`, `threads`)",
        ),
        (
            "run: {'mysql://u:hunter2@h': 2}",
            "`run` has no key of that name (known keys: `executor`, `max_deleted_share`, `retries`, `threads`)",
        ),
        ("run: 2", "`run` must be a mapping of keys (got `2`)"),
        ("run: [2]", "`run` must be a mapping of keys (got a list)"),
        ("run: mysql://u:hunter2@h/d", "`run` must be a mapping of keys (got a text that is not shown)"),
        ("run: {threads: many}", "`run.threads` must be a whole number (got `many`)"),
        ("run: {threads: 2.0}", "`run.threads` must be a whole number (got `2.0`)"),
        ("run: {threads: 010}", "`run.threads` must be a whole number (got `010`)"),
        ("run: {threads: }", "`run.threads` must be a whole number (got nothing)"),
        ("run: {threads: '${S}'}", "`run.threads` must be a whole number (got the value of `${S}`)"),
        ("run: {threads: 0}", "`run.threads` must be a whole number from 1 to 64 (got `0`)"),
        ("run: {executor: }", "`run.executor` must be a text (got nothing)"),
        ("run: {executor: [a]}", "`run.executor` must be a text (got a list)"),
        (
            "drift: {widen: evlove}",
            "`drift.widen` must be `evolve` or `refuse` (got `evlove`; did you mean `evolve`?)",
        ),
        ("drift: {add_column: 1}", "`drift.add_column` must be `evolve`, `ignore` or `refuse` (got `1`)"),
        ("plugins: {disable: a}", "`plugins.disable` must be a list (got `a`)"),
        ("plugins: {disable: [{}]}", "`plugins.disable[0]` must be a text (got a mapping)"),
        (
            "plugins: {options: hunter2}",
            "`plugins.options` must be a mapping of names (got a text that is not shown)",
        ),
        (
            "plugins: {options: {alerts: hunter2}}",
            "`plugins.options.alerts` must be a mapping of names (got a text that is not shown)",
        ),
        (
            "plugins: {options: {alerts: {urls: [hunter2]}}}",
            "`plugins.options.alerts.urls` must be a text (got a list)",
        ),
        (
            "plugins: {options: {alerts: {urls: }}}",
            "`plugins.options.alerts.urls` must be a text (got nothing)",
        ),
        (
            "plugins: {options: {alerts: {urls: '${NONE}'}}}",
            "`plugins.options.alerts.urls` needs `${NONE}`, which neither the environment nor `.env` sets",
        ),
        ("tables: [patient]", "`tables` must be a mapping of names (got a list)"),
        ("tables: {p: {exclude: 2}}", "`tables.p.exclude` must be true or false (got `2`)"),
        (
            "tables: {p: {batch_size: 0}}",
            "`tables.p.batch_size` must be a whole number from 1 to 1000000 (got `0`)",
        ),
        (
            "tables: {p: {lookback_seconds: -1}}",
            "`tables.p.lookback_seconds` must be a whole number from 0 to 31622400 (got `-1`)",
        ),
        (
            "tables: {p: {monitoring: {data_quality_threshold: 1.5}}}",
            "`tables.p.monitoring.data_quality_threshold` must be a number from 0 to 1 (got `1.5`)",
        ),
        (
            "tables: {p: {column_overrides: {c: {convertion: x}}}}",
            "`tables.p.column_overrides.c` has no key `convertion` (did you mean `conversion`?)",
        ),
        ("replica: {}", "`replica` needs the key `url`"),
        (
            "replica: {url: 'mysql://u@h/d', engine: innodb}",
            "`replica.engine` must be `InnoDB` or `source` (got `innodb`; did you mean `InnoDB`?)",
        ),
        (
            "replica: {url: 'mysql://u@h/d', password_file: a, password_command: b}",
            "`replica` has its password in `password_file` and in `password_command`; keep one",
        ),
        (
            "replica: {url: 'mysql://u:hunter2@h/d', password_file: a}",
            "`replica` has its password in `url` and in `password_file`; keep one",
        ),
        (
            "replica: {url: '${W}'}",
            "`replica.url` must begin with `mysql://` or `mariadb://` (got `postgresql://`)",
        ),
        (
            "run: {executor: '${NONE}'}",
            "`run.executor` needs `${NONE}`, which neither the environment nor `.env` sets",
        ),
        (
            "run: {threads: '${NONE}'}",
            "`run.threads` needs `${NONE}`, which neither the environment nor `.env` sets",
        ),
        ("deployment: south", "`deployment` is given twice (first in line 1)"),
    ],
)
def test_one_problem(load: Load, line: str, sentence: str) -> None:
    """Each mistake gives file, line, what was expected and what is there, once."""
    assert [f"etlkit.yml:4: {sentence}"] == problems(load, SERVERS + line + "\n")


@pytest.mark.parametrize("schema", ["''", "pg_raw", "etlkit", "information_schema", "x" * 64])
def test_schema_name(load: Load, schema: str) -> None:
    """The tables' schema is none of PostgreSQL's own, none of ours, and not too long."""
    (said,) = problems(load, SERVERS.replace('"${W}"', f'"${{W}}", schema: {schema}'))
    expected = (
        "`warehouse.schema` must be a schema's name of 1 to 63 characters, none of PostgreSQL's own and not"
    )
    assert said.startswith(f"etlkit.yml:3: {expected} `etlkit` (got ")


@pytest.mark.parametrize(
    ("hours", "got"),
    [
        ("20-6", "`20-6`"),
        ("25:00-06:00", "`25:00-06:00`"),
        ("[1]", "a list"),
        ("06:00-06:00", "`06:00-06:00`; leave the key out to allow every hour"),
    ],
)
def test_bad_hours(load: Load, hours: str, got: str) -> None:
    """Hours of another form are refused."""
    text = SERVERS.replace('{url: "${S}"}', f'{{url: "${{S}}", allowed_hours: {hours}}}')
    expected = "`source.allowed_hours` must be two different times of day such as `20:00-06:00`"
    assert [f"etlkit.yml:2: {expected} (got {got})"] == problems(load, text)


@pytest.mark.parametrize(
    ("hours", "moment", "inside"),
    [
        ("20:00-06:00", "20:00", True),
        ("20:00-06:00", "05:59", True),
        ("20:00-06:00", "06:00", False),
        ("20:00-06:00", "12:00", False),
        ("08:00-12:00", "08:00", True),
        ("08:00-12:00", "12:00", False),
        ("20:00-24:00", "23:59", True),
        ("20:00-24:00", "00:00", False),
    ],
)
def test_hours(hours: str, moment: str, inside: bool) -> None:
    """The beginning is allowed, the end is not, and hours may go over midnight."""
    assert inside == AllowedHours.parse(hours).include(dt.time.fromisoformat(moment))


def test_all_problems_at_once(load: Load) -> None:
    """All problems of a file come together, in the order of their lines."""
    text = """deployment: a b
source: {url: "${S}", connections: 99}
run: {threds: 1}
drift: {widen: no}
"""
    assert [
        "etlkit.yml:1: `deployment` must be a name of letters, digits, `_`, `.` and `-` (got `a b`)",
        "etlkit.yml:1: the file needs the key `warehouse`",
        "etlkit.yml:2: `source.connections` must be a whole number from 1 to 16 (got `99`)",
        "etlkit.yml:3: `run` has no key `threds` (did you mean `threads`?)",
        "etlkit.yml:4: `drift.widen` must be `evolve` or `refuse` (got `no`)",
    ] == problems(load, text)


def test_missing_file(tmp_path: Path) -> None:
    """A folder without configuration says how to make one."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(tmp_path, {})
    assert f"{tmp_path}/etlkit.yml: is not there; `etlkit init -C {tmp_path}` writes one" == str(caught.value)


def test_environment_wins(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.env` is read, and the environment wins over it; by default it is the process's own."""
    (tmp_path / ".env").write_text("S=mysql://dotenv@localhost/od\nW='postgresql://dotenv@localhost/wh'\n")
    settings = load(SERVERS, {"S": "mysql://env@localhost/od"})
    assert ("env", "dotenv") == (settings.source.url.user, settings.warehouse.url.user)
    monkeypatch.setenv("W", "postgresql://process@localhost/wh")
    monkeypatch.delenv("S", raising=False)
    settings = Settings.load(tmp_path)
    assert ("dotenv", "process") == (settings.source.url.user, settings.warehouse.url.user)


def test_frozen(load: Load) -> None:
    """Settings cannot be changed, mappings included."""
    settings: Any = load(SERVERS + "tables: {patient: {}}\n")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        settings.deployment = "south"
    with pytest.raises(TypeError):
        settings.tables["patient"] = None
    with pytest.raises(TypeError):
        settings.tables["patient"].options["a"] = "b"


def test_table_config(load: Load, tmp_path: Path) -> None:
    """`tables.yml` gives a table's configuration, `etlkit.yml` wins key by key, and the reasons say so."""
    analyzed = TableConfig(
        extraction_strategy="incremental",
        incremental_column="DateTStamp",
        batch_size=3000,
        table_importance="critical",
        column_overrides={"a": ColumnOverride(conversion="x", pg_type="text")},
        monitoring=Monitoring(alert_on_failure=True, max_extraction_time_minutes=5),
        reasons={"strategy": "under 100 MB", "cursor": "stamps itself", "types": "by rule"},
    )
    write_tables(tmp_path / "tables.yml", {"patient": analyzed, "claim": analyzed})
    settings = load(
        SERVERS
        + """
tables:
  patient:
    extraction_strategy: full_table
    column_overrides: {a: {pg_type: bytea}, b: {conversion: y}}
    monitoring: {max_extraction_time_minutes: 9}
"""
    )
    expected = attrs.evolve(
        analyzed,
        extraction_strategy="full_table",
        column_overrides={
            "a": ColumnOverride(conversion="x", pg_type="bytea"),
            "b": ColumnOverride(conversion="y"),
        },
        monitoring=Monitoring(alert_on_failure=True, max_extraction_time_minutes=9),
        reasons={"strategy": "chosen in etlkit.yml", "cursor": "stamps itself", "types": "by rule"},
    )
    assert expected == settings.get_table_config("patient")
    assert analyzed == settings.get_table_config("claim")
    assert TableChoice() == settings.choice("claim")


def test_unknown_table(load: Load, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A table that is named nowhere gives a warning with the nearest name, and the defaults."""
    settings = load(SERVERS)
    with caplog.at_level(logging.WARNING):
        config = settings.get_table_config("patiant")
    never_analysed = (
        "table `patiant` is in neither tables.yml nor etlkit.yml (`etlkit analyze` has not been run); "
        "the defaults are used"
    )
    assert [never_analysed] == caplog.messages
    assert {
        "incremental_column": None,
        "batch_size": 5000,
        "extraction_strategy": "full_table",
        "table_importance": "standard",
        "estimated_size_mb": 0,
        "estimated_rows": 0,
        "dependencies": [],
        "is_modeled": False,
        "monitoring": {
            "alert_on_failure": False,
            "max_extraction_time_minutes": 30,
            "data_quality_threshold": 0.95,
        },
    }.items() <= config.as_dict().items()
    write_tables(tmp_path / "tables.yml", {"patient": TableConfig()})
    settings = load(SERVERS)
    caplog.clear()
    assert TableConfig() == settings.get_table_config("patiant")
    misspelled = (
        "table `patiant` is in neither tables.yml nor etlkit.yml (did you mean `patient`?); "
        "the defaults are used"
    )
    assert [misspelled] == caplog.messages


def test_lists(load: Load, tmp_path: Path) -> None:
    """Tables are listed without excluded ones; levels count as chosen; incremental needs a cursor."""
    write_tables(
        tmp_path / "tables.yml",
        {
            "b": TableConfig(table_importance="critical", extraction_strategy="chunked_incremental"),
            "a": TableConfig(extraction_strategy="incremental", incremental_column="d"),
            "s": TableConfig(extraction_strategy="streaming_incremental", incremental_column="d"),
            "f": TableConfig(incremental_column="d"),
            "out": TableConfig(table_importance="critical"),
        },
    )
    settings = load(SERVERS + "tables: {a: {table_importance: critical}, out: {exclude: true}}\n")
    assert ["a", "b", "f", "s"] == settings.list_tables()
    assert ["a", "b"] == settings.get_tables_by_importance("critical")
    assert ["f", "s"] == settings.get_tables_by_importance("standard")
    assert {"a": True, "b": False, "s": True, "f": False} == {
        name: settings.should_use_incremental(name) for name in "absf"
    }


def test_unknown_choices(load: Load, tmp_path: Path) -> None:
    """Choices for tables that the source does not have are worded, with the nearest name."""
    settings = load(SERVERS + "tables: {patiant: {}, zzz: {}, claim: {}}\n")
    path = tmp_path / "etlkit.yml"
    assert [
        f"{path}: `tables.patiant` is no table of the source (did you mean `patient`?)",
        f"{path}: `tables.zzz` is no table of the source",
    ] == settings.unknown_choices(["patient", "claim"])
