"""A whole run: what it asks the source, what it tells, and how it ends when it cannot go on."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import attrs
import pytest
from sqlalchemy.engine import make_url

from etlkit import RunFinished, RunStarting, TableFinished, hookimpl
from etlkit.config import AllowedHours, DriftSettings, RunSettings
from etlkit.ending import end_signal, listening
from etlkit.errors import LockHeld, OutsideAllowedHours
from etlkit.orchestration.run import Event, Run
from etlkit.plugins.conversions import builtin
from etlkit.plugins.executors import threads
from etlkit.plugins.strategies import full_table, incremental
from etlkit.registry import Registry
from support.databases import SourceDatabase, WarehouseDatabase
from support.running import Running, running_of
from support.server_log import statements_seen

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
BUILT_IN = (full_table, incremental, threads, builtin)


def tables(source: SourceDatabase, *names: str) -> None:
    """Make small tables."""
    for name in names:
        source.execute(
            f"CREATE TABLE {name} (id INT PRIMARY KEY, v VARCHAR(20))", f"INSERT INTO {name} VALUES (1, 'x')"
        )


@pytest.fixture
def running(source: SourceDatabase, warehouse: WarehouseDatabase) -> Iterator[Running]:
    """A deployment of two tables, analysed."""
    tables(source, "definition", "patient")
    with running_of(source, warehouse, registry=Registry.of(*BUILT_IN)) as made:
        made.analyse({"patient": "critical"})
        yield made


def shares(statements: list[str], names: set[str]) -> tuple[list[str], list[str], list[str]]:
    """Split statements into those of the catalog, those that set a connection up, and those of tables."""
    catalog, of_tables, others = [], [], []
    for each in statements:
        text = each.lower()
        if "information_schema" in text or text.startswith(("show ", "select @@lower", "select database")):
            catalog.append(each)
        elif any(f"`{name}`" in each or f".{name}" in each for name in names):
            of_tables.append(each)
        else:
            others.append(each)
    return catalog, others, of_tables


@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_what_a_run_asks_the_source(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """The catalog is read once, and all checksums with it, and a small table costs at most six statements."""
    seen: dict[int, list[str]] = {}
    with running_of(source, warehouse, registry=Registry.of(*BUILT_IN)) as running:
        for total in (5, 25):
            tables(source, *(f"t{number}" for number in range(total) if number >= total - 20))
            running.analyse()
            running.run()
            with statements_seen(source.server) as seen[total]:
                assert 0 == running.run()
            assert total == len(running.events) - 2
    names = {f"t{number}" for number in range(25)}
    (few, few_others, few_reads), (many, many_others, many_reads) = (
        shares(seen[total], names) for total in (5, 25)
    )
    assert few == many
    assert 0 < len(many) <= 12
    per_table = (len(seen[25]) - len(seen[5])) / 20
    assert per_table <= 6
    few_sums, many_sums = (
        [each for each in reads if "CHECKSUM" in each] for reads in (few_reads, many_reads)
    )
    assert (2, 2) == (len(few_sums), len(many_sums))
    assert len(few_reads) == 5 + 2
    assert len(many_reads) == 20 + 2  # five of them are known to be equal by now
    assert len(many_others) - len(few_others) <= 20 * 5


@pytest.mark.parametrize("source", ["mariadb-innodb", "mariadb-myisam"], indirect=True)
def test_one_connection(source: SourceDatabase, warehouse: WarehouseDatabase) -> None:
    """With `source.connections: 1` one connection to the source serves discovery and all tables, one at a time."""
    names = [f"t{number}" for number in range(12)]
    tables(source, *names)
    source.execute(*(f"INSERT INTO {name} SELECT seq, 'y' FROM seq_2_to_2000" for name in names))
    with running_of(
        source, warehouse, registry=Registry.of(*BUILT_IN), connections=1, run=RunSettings(threads=4)
    ) as running:
        running.analyse()
        running.deployment.connections.close()
        with statements_seen(source.server) as seen:
            assert 0 == running.run()
    assert len(seen) > 12
    assert 1 == source.value(
        "SELECT count(DISTINCT thread_id) FROM mysql.general_log "
        "WHERE command_type = 'Connect' AND argument LIKE 'reader@%'"
    )
    assert 12 * 2000 == sum(warehouse.value(f"SELECT count(*) FROM raw.{name}") for name in names)


def observing(name: str, seen: list[Event], failing: bool) -> ModuleType:
    """A plugin that observes runs, and may fail at it."""

    def noted(event: Event) -> None:
        seen.append(event)
        if failing:
            raise RuntimeError("no network")

    @hookimpl
    def etlkit_run_starting(event: RunStarting) -> None:
        noted(event)

    @hookimpl
    def etlkit_table_finished(event: TableFinished) -> None:
        noted(event)

    @hookimpl
    def etlkit_run_finished(event: RunFinished) -> None:
        noted(event)

    module = ModuleType(name)
    vars(module).update(
        etlkit_run_starting=etlkit_run_starting,
        etlkit_table_finished=etlkit_table_finished,
        etlkit_run_finished=etlkit_run_finished,
    )
    return module


@ONE_KIND
def test_observers(
    source: SourceDatabase, warehouse: WarehouseDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """Each observer is told of the beginning, of each table and of the end, once and in order, whoever else fails."""
    tables(source, "definition", "patient", "appointment")
    seen: dict[str, list[Event]] = {"broken": [], "working": []}
    modules = [observing(name, each, name == "broken") for name, each in seen.items()]
    with running_of(source, warehouse, registry=Registry.of(*BUILT_IN, *modules)) as running:
        running.analyse({"patient": "critical"})
        assert 0 == running.run()
    assert running.events == seen["broken"] == seen["working"]
    first, *outcomes, last = running.events
    assert isinstance(first, RunStarting)
    assert isinstance(last, RunFinished)
    assert ("north", "patient", {"patient", "definition", "appointment"}) == (
        first.deployment,
        first.tables[0],
        set(first.tables),
    )
    assert (first.run_id, 0, outcomes) == (last.run_id, last.exit_code, list(last.tables))
    assert set(first.tables) == {each.table for each in outcomes if isinstance(each, TableFinished)}
    assert 5 == sum("the run goes on without it" in each for each in caplog.messages)


@ONE_KIND
def test_the_end_is_told_whatever_happens(running: Running) -> None:
    """When what is told cannot be heard, the run ends, and its end is recorded and told all the same."""
    deployment = running.deployment
    told: list[Event] = []
    module = observing("watching", told, failing=False)
    watched = attrs.evolve(deployment, registry=Registry.of(*BUILT_IN, module))

    def interrupted(event: Event) -> None:
        if isinstance(event, TableFinished):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Run(deployment=watched, tell=interrupted).carry_out()
    assert [RunStarting, TableFinished, RunFinished] == [type(each) for each in told]
    assert [(1,)] == running.warehouse.rows("SELECT exit_code FROM etlkit.runs WHERE finished_at IS NOT NULL")


@ONE_KIND
def test_the_end_is_recorded_although_the_signal_cancels_it(
    source: SourceDatabase, warehouse: WarehouseDatabase
) -> None:
    """The signal may cancel the very statement that records how the interrupted run ended: it is said again."""
    tables(source, "patient")
    with listening(1) as asked, running_of(source, warehouse, registry=Registry.of(*BUILT_IN)) as running:
        running.analyse()
        assert 0 == running.run()
        warehouse.execute(
            "CREATE SEQUENCE public.tries",
            "CREATE FUNCTION public.cancelled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF nextval('public.tries') < 3 THEN "
            "PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(60); "
            "END IF; RETURN new; END $$",
            "CREATE TRIGGER cancelled BEFORE UPDATE ON etlkit.runs FOR EACH ROW EXECUTE FUNCTION public.cancelled()",
        )

        def interrupted(event: Event) -> None:
            if isinstance(event, TableFinished):
                assert asked is end_signal()
                asked.set()
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Run(deployment=running.deployment, tell=interrupted).carry_out()
    assert 3 == warehouse.value("SELECT last_value FROM public.tries")
    assert [(0,), (1,)] == warehouse.rows("SELECT exit_code FROM etlkit.runs ORDER BY started_at")


@ONE_KIND
def test_new_and_gone_tables(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Tables that were never analysed are one warning; those that are gone follow the policy."""
    assert 0 == running.run()
    tables(running.source, "latecomer", "other", "third", "fourth", "fifth", "sixth")
    running.source.execute("DROP TABLE definition")
    new = (
        "6 tables of the source are not in tables.yml and not loaded: `fifth`, `fourth`, `latecomer`, `other`, "
        "`sixth` and 1 more; run `etlkit analyze`"
    )
    caplog.clear()
    assert 0 == running.run()
    assert [
        (logging.WARNING, new),
        (logging.WARNING, "table `definition` is gone in the source; the warehouse keeps its last rows"),
    ] == [(each.levelno, each.getMessage()) for each in caplog.records]
    assert ["patient"] == [each.table for each in running.events if isinstance(each, TableFinished)]

    running.change(drift=DriftSettings(drop_table="refuse"))
    caplog.clear()
    assert 5 == running.run()
    sentence = (
        "table `definition` is gone in the source, and `drift.drop_table` in etlkit.yml is `refuse`; the warehouse "
        "keeps its last rows; run `etlkit analyze` to take it off the list"
    )
    assert [(logging.WARNING, new), (logging.ERROR, sentence)] == [
        (each.levelno, each.getMessage()) for each in caplog.records
    ]
    assert {"definition": sentence, "patient": None} == {
        each.table: each.error for each in running.events if isinstance(each, TableFinished)
    }
    assert 1 == running.warehouse.value("SELECT count(*) FROM raw.definition")
    assert [(sentence,)] == running.warehouse.rows(
        "SELECT error FROM etlkit.table_loads WHERE table_name = 'definition' AND error IS NOT NULL"
    )


@contextmanager
def clerk(source: SourceDatabase, *granted: str) -> Iterator[str]:
    """A user who may read some tables; gives the URL."""
    user = "'clerk'@'127.0.0.1'"
    source.execute(
        f"CREATE USER {user} IDENTIFIED BY 'clerk-secret'",
        *(f"GRANT SELECT ON `{source.name}`.{name} TO {user}" for name in granted),
    )
    url = make_url(source.url).set(username="clerk", password="clerk-secret")  # noqa: S106 - of a private server
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        source.execute(f"DROP USER {user}")


@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_a_table_whose_rights_were_revoked(
    source: SourceDatabase, warehouse: WarehouseDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """Its load fails with words of permission; it is not called gone, and the other tables are loaded."""
    tables(source, "definition", "patient")
    with (
        clerk(source, "definition", "patient") as url,
        running_of(source, warehouse, registry=Registry.of(*BUILT_IN), source_url=url) as running,
    ):
        running.analyse()
        assert 0 == running.run()
        source.execute(
            f"REVOKE SELECT ON `{source.name}`.patient FROM 'clerk'@'127.0.0.1'",
            "UPDATE definition SET v = 'y'",
        )
        running.deployment.connections.close()
        caplog.clear()
        assert 3 == running.run()
        errors = {each.table: each.error for each in running.events if isinstance(each, TableFinished)}
    words = (
        f"The server shows this user no table `patient` in the database `{source.name}`, and does not tell whether "
        f"there is one. Let an administrator GRANT SELECT on the database `{source.name}`, or check the name; "
        "`etlkit analyze` lists its tables."
    )
    assert {"definition": None, "patient": words} == errors
    assert [f"standard table `patient` was not loaded: {words}"] == caplog.messages
    assert [("x",), ("y",)] == [
        warehouse.rows(f"SELECT v FROM raw.{name}")[0] for name in ("patient", "definition")
    ]


@ONE_KIND
def test_outside_of_allowed_hours(running: Running) -> None:
    """A run at another time of day is refused before anything is read or written."""
    now = dt.datetime.now().astimezone()
    hours = AllowedHours(
        start=(now + dt.timedelta(hours=2)).time().replace(microsecond=0),
        end=(now + dt.timedelta(hours=3)).time().replace(microsecond=0),
    )
    running.change(source=attrs.evolve(running.deployment.settings.source, allowed_hours=hours))
    with statements_seen(running.source.server) as seen, pytest.raises(OutsideAllowedHours) as caught:
        running.run()
    message, at = str(caught.value), str(caught.value).partition("it is ")[2][:5]
    assert (
        f"the source may be read from {hours} only (`source.allowed_hours` in etlkit.yml), and it is {at}; "
        "run again then"
    ) == message
    assert (1, [], []) == (caught.value.exit_code, seen, running.events)
    assert [] == running.warehouse.rows("SELECT 1 FROM pg_namespace WHERE nspname = 'etlkit'")


@ONE_KIND
def test_a_second_run(running: Running) -> None:
    """While a run is at work, another one of the deployment leaves with 7, and tells and records nothing."""
    running.run()
    with running.deployment.ledger.run_lock(), pytest.raises(LockHeld) as caught:
        running.run()
    assert (7, []) == (caught.value.exit_code, running.events)
    assert 1 == running.warehouse.value("SELECT count(*) FROM etlkit.runs")
    assert 0 == running.run()
