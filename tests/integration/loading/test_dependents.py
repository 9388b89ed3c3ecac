"""Views in the way of a change are put back with all that hung on them, or the change is refused in words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from sqlalchemy import make_url

from etlkit.errors import DriftRefused, RunInterrupted
from etlkit.loading.load import Load
from etlkit.stopping import StopSignal
from support.comparison import differences
from support.databases import WarehouseDatabase
from support.loading import Loading, loading_of
from support.marts import Marts, marts_of, reading

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'"
NOTHING = "Nothing was changed. "
AFTER = (
    f"{NOTHING}Drop what is in the way, run again, and create it anew; or rename `raw.t` and run again, which loads "
    "the new shape beside it"
)
TRIGGER = (
    "CREATE TRIGGER t BEFORE UPDATE OF a ON raw.t FOR EACH ROW "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
)


@pytest.fixture
def marts(loading: Loading) -> Iterator[Marts]:
    """Views upon `raw.t`, which is loaded."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a SMALLINT, b VARCHAR(5))",
        "INSERT INTO t VALUES (1, 1, 'one'), (2, NULL, NULL)",
    )
    loading.load("t")
    with marts_of(loading.warehouse) as made:
        made.build()
        yield made


def test_all_that_hangs_on_views(loading: Loading, marts: Marts) -> None:
    """Materialized views with indexes, rules, triggers, defaults, options, joins and odd names are what they were."""
    loading.warehouse.execute(
        "CREATE TABLE marts.names (id int, name text)",
        "CREATE FUNCTION marts.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        'CREATE VIEW marts."Über %s" (first) WITH (check_option=local) AS SELECT a FROM marts.v WHERE a IS NOT NULL',
        'ALTER VIEW marts."Über %s" ALTER COLUMN first SET DEFAULT 7',
        'CREATE RULE none AS ON DELETE TO marts."Über %s" DO INSTEAD NOTHING',
        'CREATE TRIGGER noting INSTEAD OF UPDATE ON marts."Über %s" FOR EACH ROW EXECUTE FUNCTION marts.noted()',
        "CREATE MATERIALIZED VIEW marts.kept AS SELECT a, b, count(*) FROM marts.v GROUP BY a, b",
        "CREATE UNIQUE INDEX kept_a ON marts.kept (a)",
        "CREATE INDEX kept_lower ON marts.kept (lower(b)) WHERE b IS NOT NULL",
        "COMMENT ON MATERIALIZED VIEW marts.kept IS 'kept'",
        f"GRANT SELECT ON marts.kept TO PUBLIC, {marts.analyst}",
        "CREATE MATERIALIZED VIEW marts.empty AS SELECT k.a FROM marts.kept k WITH NO DATA",
        "CREATE VIEW marts.joined AS SELECT n.name, u.letters FROM marts.names n JOIN marts.upon u ON u.number = n.id",
        f"REVOKE ALL ON marts.joined FROM {marts.warehouse.engine.url.username}",
    )
    facts = marts.facts()
    loading.source.execute(
        "ALTER TABLE t MODIFY a INT, MODIFY b VARCHAR(50)", "UPDATE t SET a = 70000 WHERE id = 1"
    )
    loading.load("t")
    assert facts == marts.facts()
    assert [(70000, "one", 1), (None, None, 1)] == loading.warehouse.rows(
        "SELECT * FROM marts.kept ORDER BY a"
    )
    assert "" == loading.warehouse.value("SELECT current_setting('search_path')").replace(
        '"$user", public', ""
    )


def test_new_privileges_by_default(loading: Loading, marts: Marts) -> None:
    """Who would read new views by default reads none that was put back and that it could not read before."""
    loading.warehouse.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA marts GRANT ALL ON TABLES TO {marts.analyst}"
    )
    facts = marts.facts()
    loading.source.execute("ALTER TABLE t MODIFY a INT")
    loading.load("t")
    assert ["marts.apart", "marts.upon", "marts.v"] == [each[0] for each in facts]
    assert [each[6:8] for each in facts if each[6]] == [
        each[6:8] for each in marts.facts() if each[0] != "marts.v"
    ]
    assert not loading.warehouse.value(f"SELECT has_table_privilege('{marts.analyst}', 'marts.v', 'SELECT')")


@pytest.mark.parametrize(
    ("made", "change", "step", "named"),
    [
        (
            "CREATE FUNCTION marts.of_view(marts.v) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "MODIFY a INT",
            "taking down the views that depend on it (SQLSTATE 2BP01)",
            "view marts.v, view marts.upon, function marts.of_view(marts.v)",
        ),
        (
            "CREATE VIEW marts.bits AS SELECT abs(a) AS size FROM raw.t",
            "MODIFY a VARCHAR(5)",
            "making the views anew that depend on it (SQLSTATE 42883)",
            "view marts.v, view marts.bits, view marts.upon",
        ),
        (
            "CREATE TABLE marts.referring (id int REFERENCES raw.t)",
            "ADD n INT UNIQUE AUTO_INCREMENT, DROP PRIMARY KEY, ADD PRIMARY KEY (n)",
            "replacing the primary key (SQLSTATE 2BP01)",
            "constraint referring_id_fkey on table marts.referring",
        ),
        (
            "CREATE VIEW marts.grouped AS SELECT id, a, count(*) FROM raw.t GROUP BY id",
            "DROP PRIMARY KEY",
            "making the views anew that depend on it (SQLSTATE 42803)",
            "view marts.grouped",
        ),
        (
            TRIGGER,
            "MODIFY a INT",
            "changing the columns `a` (SQLSTATE 0A000)",
            "view marts.v, view marts.upon, trigger t on table raw.t",
        ),
    ],
)
def test_what_cannot_be_put_back(  # noqa: PLR0917 - a case's columns
    loading: Loading, marts: Marts, made: str, change: str, step: str, named: str
) -> None:
    """What PostgreSQL does not let happen is told with all that depends, leaves with 5, and changes nothing."""
    loading.warehouse.execute(made)
    before = marts.facts(), loading.there(), loading.versions()
    loading.source.execute(f"ALTER TABLE t {change}")
    with pytest.raises(DriftRefused) as caught:
        loading.outcome("t", allow_drift=True)
    assert (
        f"table `t` cannot be changed in place: PostgreSQL refused {step}. What depends on it: {named}. {AFTER}",
        5,
        None,
    ) == (str(caught.value), caught.value.exit_code, caught.value.__context__)
    assert before == (marts.facts(), loading.there(), loading.versions())


def test_a_view_that_groups_by_the_key(loading: Loading, marts: Marts) -> None:
    """A view that needs the primary key is put back, where the new key serves it."""
    loading.warehouse.execute("CREATE VIEW marts.grouped AS SELECT id, b, count(*) FROM raw.t GROUP BY id, b")
    loading.source.execute(
        "UPDATE t SET b = id", "ALTER TABLE t MODIFY b VARCHAR(5) NOT NULL, DROP PRIMARY KEY"
    )
    loading.source.execute("ALTER TABLE t ADD PRIMARY KEY (b)")
    facts = marts.facts()
    loading.outcome("t", allow_drift=True)
    assert ([], facts) == (differences(loading.source, loading.warehouse, "t"), marts.facts())


def test_views_of_others(loading: Loading, warehouse: WarehouseDatabase, marts: Marts) -> None:
    """Views of a role that etlkit's user is no member of are refused by name; with membership, they are put back."""
    user = f"loader_{warehouse.name}"
    warehouse.execute(
        f"CREATE ROLE {user} LOGIN PASSWORD 'loading'",
        f"GRANT ALL ON DATABASE {warehouse.name} TO {user}",
        f"GRANT ALL ON SCHEMA raw, etlkit, marts TO {user}",
        f"GRANT ALL ON ALL TABLES IN SCHEMA etlkit TO {user}",
        f"ALTER TABLE raw.t OWNER TO {user}",
        f"ALTER VIEW marts.upon OWNER TO {user}",
    )
    url = make_url(warehouse.url).set(username=user, password="loading")  # noqa: S106 - of a private server
    loading.source.execute("ALTER TABLE t MODIFY a INT")
    facts = marts.facts()
    try:
        with loading_of(loading.source, warehouse, url.render_as_string(hide_password=False)) as other:
            with pytest.raises(DriftRefused) as caught:
                other.load("t")
            assert (
                "table `t`: views stand in the way of its change, and etlkit's user may not take them down and put "
                f"them back: marts.v (of {marts.owner}). {NOTHING}Make the user a member of their owner (`GRANT "
                f"{marts.owner} TO ...`), or drop them, run again, and create them anew"
            ) == str(caught.value)
            warehouse.execute(f"GRANT {marts.owner} TO {user}")
            other.load("t")
        assert facts == marts.facts()
        assert [] == differences(loading.source, warehouse, "t")
    finally:
        warehouse.execute(
            f"REASSIGN OWNED BY {user} TO CURRENT_USER", f"DROP OWNED BY {user}", f"DROP ROLE {user}"
        )


def test_a_reader_who_does_not_end(loading: Loading, marts: Marts) -> None:
    """Somebody reads the table for long and then the view: the load waits, others read, and nobody is a victim."""
    loading.source.execute("ALTER TABLE t MODIFY a INT", "UPDATE t SET a = 70000 WHERE id = 1")
    url = make_url(loading.warehouse.url)
    slow = psycopg2.connect(
        host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
    )
    with slow.cursor() as cursor, reading(marts) as reader:
        cursor.execute("SELECT count(*) FROM raw.t")
        failures: list[BaseException] = []
        load = threading.Thread(target=lambda: _carried_out(lambda: loading.load("t"), failures))
        load.start()
        while not loading.warehouse.value(WAITING):
            assert load.is_alive()
        # The load holds the view now, and waits for the table: a deadlock, if it went on waiting.
        cursor.execute("SELECT count(*) FROM marts.upon")
        reads = reader.reads
        while reader.reads < reads + 3:
            assert load.is_alive()
        slow.rollback()
        load.join()
    slow.close()
    assert ([], []) == (failures, reader.errors)
    assert [[("1", "1", "one"), ("2", None, None)], [("1", "70000", "one"), ("2", None, None)]] == reader.seen


def test_a_load_that_is_asked_to_end(loading: Loading, marts: Marts) -> None:
    """A load that waits for somebody's lock ends between two attempts, and leaves nothing."""
    loading.source.execute("ALTER TABLE t MODIFY a INT")
    facts, stop = marts.facts(), StopSignal()
    load = Load(
        what=loading.plan("t"),
        connections=loading.deployment.connections,
        ledger=loading.deployment.ledger,
        run_id="run",
        drift=loading.deployment.settings.drift,
        stop=stop,
    )
    failures: list[BaseException] = []
    with loading.warehouse.engine.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM raw.t")
        thread = threading.Thread(target=lambda: _carried_out(load.carry_out, failures))
        thread.start()
        while not loading.warehouse.value(WAITING):
            assert thread.is_alive()
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
    assert [RunInterrupted] == [type(each) for each in failures]
    assert facts == marts.facts()


def _carried_out(load: Callable[[], object], failures: list[BaseException]) -> None:
    try:
        load()
    except BaseException as failure:  # noqa: BLE001 - told by the test
        failures.append(failure)
