"""Connections to real servers: session set-up, budgets, encryption, and what a refused person is told."""

from __future__ import annotations

import errno
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymysql
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from etlkit.config import Settings
from etlkit.connections import ConnectionFactory, server_kind
from etlkit.demo import PrivateMariaDB
from etlkit.errors import ConfigurationError, ConnectionFailed
from etlkit.transfer.chunk_queries import Prepared
from etlkit.transfer.source_queries import SourceQueries
from support.databases import SourceDatabase, WarehouseDatabase, source_database
from support.tls import Certificates, make_certificates, make_stranger, tls_in_front

NOWHERE_SOURCE = "mysql://nobody@localhost:1/none"
NOWHERE_WAREHOUSE = "postgresql://nobody@localhost:1/none"
ODD = """sp ace'"@/:%#\\ü"""
ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

Factory = Callable[..., ConnectionFactory]


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    """A function that makes a factory for given addresses; its connections are closed at the end."""
    made: list[ConnectionFactory] = []

    def make(
        source_url: str = NOWHERE_SOURCE,
        warehouse_url: str = NOWHERE_WAREHOUSE,
        more: str = "",
        **source: Any,
    ) -> ConnectionFactory:
        options = "".join(f"  {key}: {value}\n" for key, value in source.items())
        (tmp_path / "etlkit.yml").write_text(
            'deployment: test\nsource:\n  url: "${S}"\n' + options + 'warehouse:\n  url: "${W}"\n' + more
        )
        settings = Settings.load(tmp_path, {"S": source_url, "W": warehouse_url})
        made.append(ConnectionFactory(settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def refusal(connect: Callable[[], Any]) -> str:
    """Connect in vain, check that the error hides the driver's, and give its message."""
    with pytest.raises(ConnectionFailed) as caught:
        connect()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert 1 == caught.value.exit_code
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def with_password(url: str, password: str, **parts: Any) -> str:
    """Give an address with another password, percent-encoded, and other parts."""
    return make_url(url).set(password=password, **parts).render_as_string(hide_password=False)


def server_thread(connection: Any) -> int:
    """Give the server's number of a PyMySQL connection."""
    return int(connection.thread_id())


def port_of(url: str) -> int:
    """Give an address's port."""
    port = make_url(url).port
    assert port is not None
    return port


def test_source_session(source: SourceDatabase, factory: Factory) -> None:
    """A source session is in UTC and utf8mb4, without strict mode, and impatient with locks."""
    with factory(source.reader_url).source().connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT @@time_zone, @@sql_mode, @@character_set_client, @@character_set_results, "
            "@@character_set_connection, @@group_concat_max_len, @@lock_wait_timeout, "
            "@@net_write_timeout, @@wait_timeout, @@autocommit"
        ).one()
    assert ("+00:00", "", "utf8mb4", "utf8mb4", "utf8mb4", 8 * 1024 * 1024, 2, 60, 3600, 1) == tuple(row)


def test_source_refuses_to_write(source: SourceDatabase, factory: Factory) -> None:
    """A source session cannot write, even when its user may."""
    source.execute("CREATE TABLE t (a int)")
    made = factory(source.url)
    with pytest.raises(DBAPIError) as caught, made.source().connect() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    assert caught.value.orig is not None
    assert 1792 == caught.value.orig.args[0]
    with pytest.raises(pymysql.MySQLError) as refused, made.source_raw() as raw, raw.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
    assert 1792 == refused.value.args[0]
    assert [] == source.rows("SELECT * FROM t")


@pytest.mark.parametrize("source", ["mariadb-innodb", "mariadb-myisam"], indirect=True)
def test_statement_is_stopped(source: SourceDatabase, factory: Factory) -> None:
    """A statement that runs longer than `statement_seconds` is stopped by the server."""
    made = factory(source.reader_url, statement_seconds=1)
    with pytest.raises(DBAPIError) as caught, made.source().connect() as connection:
        connection.exec_driver_sql("SELECT SLEEP(20) FROM (SELECT 1) AS one")
    assert "1969" in str(caught.value)


def test_reconnected_session_is_set_up(source: SourceDatabase, factory: Factory) -> None:
    """A connection that the server ended is replaced by one that is set up like the first."""
    engine = factory(source.reader_url).source()
    with engine.connect() as connection:
        number = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
    source.execute(f"KILL {number}")
    with engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT @@time_zone, @@sql_mode, CONNECTION_ID()").one()
    assert ("+00:00", "") == tuple(row)[:2]
    assert number != row[2]


def test_raw_values(source: SourceDatabase, factory: Factory) -> None:
    """A raw connection gives bytes for binary fields and converts nothing; the engine still converts."""
    made = factory(source.reader_url)
    query = "SELECT CAST('ü' AS BINARY), 1.5, CAST('2024-01-31 10:00:00' AS DATETIME), '0000-00-00'"
    with made.source_raw() as connection, connection.cursor() as cursor:
        cursor.execute(query)
        raw = cursor.fetchone()
    with made.source().connect() as other:
        converted = other.exec_driver_sql(query).one()
    assert ("ü".encode(), "1.5", "2024-01-31 10:00:00", "0000-00-00") == raw
    assert ("Decimal", "datetime") == (type(converted[1]).__name__, type(converted[2]).__name__)


def test_one_connection(source: SourceDatabase, factory: Factory) -> None:
    """Engine and raw connections share the budget: by default the server never sees more than one."""
    made = factory(source.reader_url)
    numbers = set()
    for _ in range(3):
        with made.source().connect() as connection:
            numbers.add(int(connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()))
        with made.source_raw() as raw, raw.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            numbers.add(int(cursor.fetchone()[0]))
    assert 1 == len(numbers)


@ONE_KIND
def test_raw_waits_its_turn(source: SourceDatabase, factory: Factory) -> None:
    """While the only connection is lent, another thread waits for it, and gets it when it comes back."""
    made = factory(source.reader_url)
    got = threading.Event()

    def ask() -> None:
        with made.source().connect():
            got.set()

    with made.source_raw():
        thread = threading.Thread(target=ask)
        thread.start()
        assert not got.wait(0.3)
    assert got.wait(5)
    thread.join()


@ONE_KIND
def test_raw_drops_the_socket(source: SourceDatabase, factory: Factory) -> None:
    """After an error in the middle of a result the connection is dropped, and the next one is another."""
    made = factory(source.reader_url)
    numbers = []
    many = Prepared(text="SELECT seq FROM seq_1_to_10000000", names=(), given={})

    def break_off() -> None:
        with made.source_raw() as raw:
            numbers.append(server_thread(raw))
            for _ in SourceQueries(raw).stream(many):
                raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            break_off()
    assert 2 == len(set(numbers))


def test_reading_holds_no_metadata_lock(source: SourceDatabase, factory: Factory) -> None:
    """After a read, while the connection is still lent, the clinic can alter the table."""
    source.execute("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)")
    with factory(source.reader_url).source_raw() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT a FROM t")
        cursor.fetchall()
        source.execute("SET lock_wait_timeout = 1", "ALTER TABLE t ADD b int")
    assert [(1, None)] == source.rows("SELECT a, b FROM t")


def test_snapshot_on_request(source: SourceDatabase, factory: Factory) -> None:
    """A transaction with a consistent snapshot can be opened, and ends when the connection goes back."""
    source.execute("CREATE TABLE t (a int) ENGINE=InnoDB", "INSERT INTO t VALUES (1)")
    made = factory(source.reader_url)
    counts = []
    with made.source_raw() as connection, connection.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        source.execute("INSERT INTO t VALUES (2)")
        cursor.execute("SELECT COUNT(*) FROM t")
        counts.append(cursor.fetchone()[0])
    with made.source_raw() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM t")
        counts.append(cursor.fetchone()[0])
    assert ["1", "2"] == counts


def test_server_kind(source: SourceDatabase, factory: Factory) -> None:
    """Kind and version are told by both kinds of connection."""
    made = factory(source.reader_url)
    with made.source().connect() as connection:
        known = server_kind(connection)
    with made.source_raw() as raw:
        assert known == server_kind(raw)
    expected = ("mysql", (5, 6)) if source.kind == "mysql56" else ("mariadb", (10,))
    assert expected == (known.kind, known.version[: len(expected[1])])
    assert known.text == source.value("SELECT VERSION()")


def test_replica_may_be_written(source: SourceDatabase, factory: Factory) -> None:
    """The replica's sessions write, and keep a 0 in a numbered column."""
    more = f'replica: {{url: "{source.url}"}}\n'
    with factory(more=more).replica().begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a int AUTO_INCREMENT PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO t VALUES (0)")
    assert [(0,)] == source.rows("SELECT a FROM t")


def test_no_replica(factory: Factory) -> None:
    """A deployment without replica says what to add."""
    with pytest.raises(ConfigurationError) as caught:
        factory().replica()
    assert "etlkit.yml has no section `replica`; add one with its `url`" == str(caught.value)


def test_warehouse_session(warehouse: WarehouseDatabase, factory: Factory) -> None:
    """A warehouse session is in UTC and ISO, has its name, and neither waits nor idles for ever."""
    with factory(warehouse_url=warehouse.url).warehouse().connect() as connection:
        names = (
            "TimeZone DateStyle IntervalStyle client_encoding standard_conforming_strings bytea_output "
            "application_name lock_timeout idle_in_transaction_session_timeout tcp_keepalives_idle "
            "tcp_user_timeout"
        )
        setting = text("select current_setting(:name)")
        found = {name: connection.scalar(setting, {"name": name}) for name in names.split()}
        connection.rollback()
        assert "UTC" == connection.exec_driver_sql("show timezone").scalar_one()
    assert {
        "TimeZone": "UTC",
        "DateStyle": "ISO, YMD",
        "IntervalStyle": "postgres",
        "client_encoding": "UTF8",
        "standard_conforming_strings": "on",
        "bytea_output": "hex",
        "application_name": "etlkit",
        "lock_timeout": "1min",
        "idle_in_transaction_session_timeout": "10min",
        "tcp_keepalives_idle": "30",
        "tcp_user_timeout": "60000",
    } == found


def test_warehouse_begins_outside_of_a_transaction(warehouse: WarehouseDatabase, factory: Factory) -> None:
    """A new warehouse connection is idle, and what is not committed is gone."""
    engine = factory(warehouse_url=warehouse.url).warehouse()
    with engine.connect() as connection:
        connection.exec_driver_sql("create table t (a int)")
    assert [(None,)] == warehouse.rows("select to_regclass('t')")


@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_any_password_source(source: SourceDatabase, factory: Factory) -> None:
    """A password of blanks, quotes, signs and umlauts works, from an address and from a file."""
    with source.server.connect() as admin, admin.cursor() as cursor:
        cursor.execute("CREATE USER 'odd'@'127.0.0.1' IDENTIFIED BY %s", (ODD,))
        cursor.execute(f"GRANT SELECT ON `{source.name}`.* TO 'odd'@'127.0.0.1'")
    try:
        bare = f"mysql://odd@127.0.0.1:{port_of(source.url)}/{source.name}"
        inside = bare.replace("odd@", f"odd:{quote(ODD, safe='')}@")
        with factory(inside).source().connect() as connection:
            assert "odd@127.0.0.1" == connection.exec_driver_sql("SELECT CURRENT_USER()").scalar_one()
        made = factory(bare, password_file=Path("pw"))
        file = Path(str(made._settings.source.password_file))  # noqa: SLF001
        file.write_text(ODD + "\n")
        file.chmod(0o600)
        with made.source().connect() as connection:
            assert 1 == connection.exec_driver_sql("SELECT 1").scalar_one()
    finally:
        with source.server.connect() as admin, admin.cursor() as cursor:
            cursor.execute("DROP USER 'odd'@'127.0.0.1'")


def test_any_password_warehouse(warehouse: WarehouseDatabase, factory: Factory) -> None:
    """A password of blanks, quotes, signs and umlauts works."""
    with warehouse.server.connect() as admin, admin.cursor() as cursor:
        cursor.execute("create role odd login password %s", (ODD,))
    try:
        url = f"postgresql://odd:{quote(ODD, safe='')}@127.0.0.1:{port_of(warehouse.url)}/{warehouse.name}"
        made = factory(warehouse_url=url)
        with made.warehouse().connect() as connection:
            assert "odd" == connection.exec_driver_sql("select current_user").scalar_one()
        made.close()
    finally:
        with warehouse.server.connect() as admin, admin.cursor() as cursor:
            cursor.execute("drop role odd")


@ONE_KIND
def test_sockets(source: SourceDatabase, warehouse: WarehouseDatabase, factory: Factory) -> None:
    """Both servers are reached through their unix sockets, without TLS."""
    there = source.server.socket
    user, password = make_url(source.url).username, make_url(source.url).password
    source_url = f"mysql://{user}:{password}@/{source.name}?unix_socket={there}"
    port = port_of(warehouse.url)
    role, secret = make_url(warehouse.url).username, make_url(warehouse.url).password
    folder = warehouse.server.socket.parent
    warehouse_url = f"postgresql://{role}:{secret}@:{port}/{warehouse.name}?host={folder}"
    made = factory(source_url, warehouse_url)
    with made.source().connect() as connection:
        assert "localhost" in str(connection.exec_driver_sql("SELECT USER()").scalar_one())
    with made.warehouse().connect() as connection:
        assert connection.exec_driver_sql("select inet_client_addr()").scalar_one() is None


@pytest.mark.parametrize("source", ["mariadb-innodb", "mysql56"], indirect=True)
def test_source_refusals(source: SourceDatabase, factory: Factory) -> None:
    """A wrong password and a wrong database are told apart, without the password."""
    url, port = source.url, port_of(source.url)
    wrong = with_password(source.url, "hunter2")
    elsewhere = with_password(url, str(make_url(url).password), database="nowhere")
    assert (
        f"source: 127.0.0.1:{port} refuses the user `etlkit` with this password; correct `source.url`"
    ) == refusal(lambda: factory(wrong).source().connect())
    assert (f"source: 127.0.0.1:{port} has no database `nowhere`; correct `source.url`") == refusal(
        lambda: factory(elsewhere).source().connect()
    )
    closed = with_password(source.reader_url, str(make_url(source.reader_url).password), database="closed")
    assert (
        f"source: 127.0.0.1:{port} lets the user `reader` not use the database `closed`; grant the right to"
    ) == refusal(lambda: factory(closed).source_raw().__enter__())


def test_warehouse_refusals(warehouse: WarehouseDatabase, factory: Factory) -> None:
    """A wrong password and a wrong database are told apart, without the password."""
    url, port = warehouse.url, port_of(warehouse.url)
    wrong = with_password(url, "hunter2")
    elsewhere = with_password(url, str(make_url(url).password), database="nowhere")
    assert (
        f"warehouse: 127.0.0.1:{port} refuses the user `etlkit` with this password; correct `warehouse.url`"
    ) == refusal(lambda: factory(warehouse_url=wrong).warehouse().connect())
    assert (f"warehouse: 127.0.0.1:{port} has no database `nowhere`; correct `warehouse.url`") == refusal(
        lambda: factory(warehouse_url=elsewhere).warehouse().connect()
    )


def test_nobody_answers(factory: Factory) -> None:
    """A port without server and a host without address are told apart."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = factory(f"mysql://u:hunter2@127.0.0.1:{port}/d", f"postgresql://u:hunter2@127.0.0.1:{port}/d")
    for section, connect in (("source", made.source().connect), ("warehouse", made.warehouse().connect)):
        assert (
            f"{section}: no server answers at 127.0.0.1:{port} (connection refused); start it, or correct "
            f"`{section}.url`"
        ) == refusal(connect)
    made = factory(
        "mysql://u:hunter2@no-such-host.invalid/d", "postgresql://u:hunter2@no-such-host.invalid/d"
    )
    for section, connect in (("source", made.source().connect), ("warehouse", made.warehouse().connect)):
        port = {"source": 3306, "warehouse": 5432}[section]
        assert (
            f"{section}: the host of no-such-host.invalid:{port} is not known; correct `{section}.url`"
        ) == refusal(connect)


def test_a_connection_that_is_reset_at_once(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who resets a connection is there to answer, whether that is seen in connecting or in the first read."""

    def reset(*_: object, **__: object) -> socket.socket:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

    monkeypatch.setattr(socket, "create_connection", reset)
    assert (
        "source: 127.0.0.1:1 broke the connection while it was being set up, or is another kind of server; try "
        "again, or correct `source.url`"
    ) == refusal(factory("mysql://u:hunter2@127.0.0.1:1/d").source().connect)


@pytest.fixture(scope="module")
def certificates(server_folder: Path) -> Certificates:
    """A certificate for `localhost`."""
    folder = server_folder / "tls"
    folder.mkdir()
    folder.chmod(0o711)
    return make_certificates(folder)


@pytest.fixture(scope="module")
def tls_mariadb(server_folder: Path, certificates: Certificates) -> Iterator[PrivateMariaDB]:
    """A MariaDB that encrypts."""
    server = PrivateMariaDB(
        server_folder / "mariadb-tls",
        settings={"ssl-cert": str(certificates.certificate), "ssl-key": str(certificates.key)},
    )
    server.start()
    yield server
    server.stop()


def test_source_tls(tls_mariadb: PrivateMariaDB, certificates: Certificates, factory: Factory) -> None:
    """Where TLS is asked for, a trusted authority must have signed the certificate, and it names the host."""
    with source_database(tls_mariadb, "mariadb-innodb") as database:
        by_name = database.url.replace("127.0.0.1", "localhost")
        made = factory(by_name, ca_file=certificates.authority)
        with made.source().connect() as connection:
            name, cipher = connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one()
        assert "Ssl_cipher" == name
        assert cipher
        port = port_of(database.url)
        said = "IP address mismatch, certificate is not valid for '127.0.0.1'"
        assert (
            f"source: the certificate of 127.0.0.1:{port} is not valid ({said}); name who signed it by "
            "`ca_file` below `source`, and the host as the certificate does"
        ) == refusal(lambda: factory(database.url, ca_file=certificates.authority).source().connect())
        stranger = make_stranger(certificates.authority.with_name("stranger.pem"))
        assert (
            f"source: the certificate of localhost:{port} is not valid (unable to get local issuer certificate); "
            "name who signed it by `ca_file` below `source`, and the host as the certificate does"
        ) == refusal(lambda: factory(by_name, ca_file=stranger).source().connect())
        empty = certificates.authority.with_name("empty.pem")
        empty.touch()
        assert (
            "source: the file named by `ca_file` below `source` holds no certificates that can be read"
        ) == refusal(lambda: factory(by_name, ca_file=empty).source().connect())
        made.close()


def test_source_tls_that_nobody_asked_for(tls_mariadb: PrivateMariaDB, factory: Factory) -> None:
    """On the own machine, encryption that is offered is taken, whoever signed the certificate."""
    with source_database(tls_mariadb, "mariadb-innodb") as database:
        made = factory(database.url)
        for _ in range(2):
            with made.source().connect() as connection:
                assert connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one()[1]
                connection.invalidate()


def test_warehouse_tls(
    warehouse: WarehouseDatabase, certificates: Certificates, tmp_path: Path, factory: Factory
) -> None:
    """Where TLS is asked for, a trusted authority must have signed the certificate, and it names the host."""
    with tls_in_front(port_of(warehouse.url), certificates) as port:
        password = str(make_url(warehouse.url).password)
        by_address = with_password(warehouse.url, password, port=port)
        by_name = with_password(warehouse.url, password, port=port, host="localhost")

        def made(url: str, authority: Path) -> ConnectionFactory:
            return factory(warehouse_url=url, more=f"  ca_file: {authority}\n")

        with made(by_name, certificates.authority).warehouse().connect() as connection:
            driver: Any = connection.connection.driver_connection
            assert driver.info.ssl_in_use
            assert 1 == connection.exec_driver_sql("select 1").scalar_one()
        assert (
            f"warehouse: the certificate of 127.0.0.1:{port} is not valid (it is for another host); name who "
            "signed it by `ca_file` below `warehouse`, and the host as the certificate does"
        ) == refusal(lambda: made(by_address, certificates.authority).warehouse().connect())
        stranger = make_stranger(tmp_path / "stranger.pem")
        assert (
            f"warehouse: the certificate of localhost:{port} is not valid (its signer is not trusted); name "
            "who signed it by `ca_file` below `warehouse`, and the host as the certificate does"
        ) == refusal(lambda: made(by_name, stranger).warehouse().connect())
        empty = tmp_path / "empty.pem"
        empty.touch()
        assert (
            "warehouse: the file named by `ca_file` below `warehouse` holds no certificates that can be read"
        ) == refusal(lambda: made(by_name, empty).warehouse().connect())


@ONE_KIND
def test_server_without_tls(
    source: SourceDatabase, warehouse: WarehouseDatabase, certificates: Certificates, factory: Factory
) -> None:
    """A server that does not encrypt is refused where encryption is asked for."""
    authority = certificates.authority
    made = factory(source.url, warehouse.url, ca_file=authority, more=f"  ca_file: {authority}\n")
    for section, url, connect in (
        ("source", source.url, made.source().connect),
        ("warehouse", warehouse.url, made.warehouse().connect),
    ):
        assert (
            f"{section}: 127.0.0.1:{port_of(url)} does not encrypt; set up TLS on the server, or write "
            f"`insecure: true` below `{section}` if the network between is yours"
        ) == refusal(connect)


@ONE_KIND
def test_another_machine_must_encrypt(
    source: SourceDatabase, warehouse: WarehouseDatabase, factory: Factory
) -> None:
    """Without a word in the configuration, only a loopback address and a socket may be reached in plain text."""
    # Linux takes 0.0.0.0 for this machine; to etlkit it is an address like any other.
    elsewhere = [url.replace("127.0.0.1", "0.0.0.0") for url in (source.url, warehouse.url)]  # noqa: S104
    made = factory(*elsewhere)
    for section, url, connect in (
        ("source", elsewhere[0], made.source().connect),
        ("warehouse", elsewhere[1], made.warehouse().connect),
    ):
        assert (
            f"{section}: 0.0.0.0:{port_of(url)} does not encrypt; set up TLS on the server, or write "
            f"`insecure: true` below `{section}` if the network between is yours"
        ) == refusal(connect)
    allowed = factory(*elsewhere, insecure="true", more="  insecure: true\n")
    for engine in (allowed.source(), allowed.warehouse()):
        with engine.connect() as connection:
            assert 1 == connection.exec_driver_sql("select 1").scalar_one()


def test_another_machine_is_verified(
    tls_mariadb: PrivateMariaDB, warehouse: WarehouseDatabase, certificates: Certificates, factory: Factory
) -> None:
    """Without `ca_file`, those sign whom this machine trusts; a certificate that anybody could make is refused."""
    with (
        source_database(tls_mariadb, "mariadb-innodb") as database,
        tls_in_front(port_of(warehouse.url), certificates) as port,
    ):
        password = str(make_url(warehouse.url).password)
        made = factory(
            database.url.replace("127.0.0.1", "0.0.0.0"),  # noqa: S104 - see above
            with_password(warehouse.url, password, port=port, host="0.0.0.0"),  # noqa: S104
        )
        for section, place, said, connect in (
            (
                "source",
                f"0.0.0.0:{port_of(database.url)}",
                "unable to get local issuer certificate",
                made.source().connect,
            ),
            ("warehouse", f"0.0.0.0:{port}", "its signer is not trusted", made.warehouse().connect),
        ):
            assert (
                f"{section}: the certificate of {place} is not valid ({said}); name who signed it by `ca_file` "
                f"below `{section}`, and the host as the certificate does"
            ) == refusal(connect)
