"""ConnectionFactory: the only place where connections to source, replica and warehouse are made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import attrs
from sqlalchemy import Engine, create_engine

from etlkit.config import ReplicaSettings, Secret, Settings, SourceSettings, WarehouseSettings
from etlkit.config.masking import masking_key
from etlkit.config.passwords import password_of
from etlkit.errors import ConfigurationError
from etlkit.server_access import ServerAccess
from etlkit.source_session import MySQLConnection, ServerVersion, connect_mysql, lent_raw, server_kind
from etlkit.transfer.governor import Governor
from etlkit.warehouse_session import connect_postgres, signs_of_life
from etlkit.warehouse_waits import Waits

__all__ = ["ConnectionFactory", "MySQLConnection", "ServerVersion", "server_kind"]

ServerSettings = SourceSettings | ReplicaSettings | WarehouseSettings

# With one connection and several tables in work, waiting for a turn is normal; this only ends a deadlock.
_TURN_SECONDS = 6 * 3600


class ConnectionFactory:
    """Makes the engines of a deployment, each once; nothing is connected before it is used.

    Every connection, and every one that replaces a broken one, is opened and set up by the same function, so
    no session is ever without its time zone, its limits or its encryption.
    """

    _source = "source"
    """The section of etlkit.yml that names the source, for messages."""

    def __init__(self, settings: Settings) -> None:
        """Prepare, without connecting.

        Args:
            settings: the deployment's.
        """
        self._settings = settings
        self.governor = Governor(settings.source)
        """Says when reads of the source go on; one for all of them."""
        self._lock = threading.RLock()
        self._engines: dict[str, Engine] = {}
        self._passwords: dict[str, Secret | None] = {}
        self._key: tuple[Secret | None] | None = None
        self._behind: list[ConnectionFactory] = []

    def source(self) -> Engine:
        """Give the engine of the clinic's database.

        Its sessions are read-only and commit after each statement. Its pool holds `source.connections` (one
        by default), never more: hold a connection for one piece of work only, and never two in one thread.

        Returns:
            The engine, the same at every call.
        """
        settings = self._settings.source
        return self._engine(
            "source",
            lambda: create_engine(
                settings.url.sqlalchemy(),
                creator=lambda: connect_mysql(
                    attrs.evolve(self._access(self._source, settings), masking_key=self.masking_key())
                ),
                hide_parameters=True,
                isolation_level="AUTOCOMMIT",
                pool_size=settings.connections,
                max_overflow=0,
                pool_timeout=_TURN_SECONDS,
                pool_pre_ping=True,
            ),
        )

    @contextmanager
    def source_raw(self) -> Iterator[MySQLConnection]:
        """Lend one of the source's connections as PyMySQL's own, whose values come as the server sent them.

        It is taken from the pool of `source()`, so the budget of connections holds for both together; see `lent_raw`.

        Yields:
            The connection; do not keep it, and do not `ping(reconnect=True)` it.

        Raises:
            ConnectionFailed: the source cannot be reached.
        """
        with lent_raw(self.source()) as connection:
            yield connection

    def replica(self) -> Engine:
        """Give the engine of the replica, which may be written.

        Returns:
            The engine, the same at every call.

        Raises:
            ConfigurationError: the deployment has no replica.
        """
        settings = self._settings.replica
        if settings is None:
            raise ConfigurationError("etlkit.yml has no section `replica`; add one with its `url`")

        return self._engine(
            "replica",
            lambda: create_engine(
                settings.url.sqlalchemy(),
                creator=lambda: connect_mysql(self._access("replica", settings, read_only=False)),
                hide_parameters=True,
                pool_size=self._settings.run.threads,
                max_overflow=-1,
                pool_pre_ping=True,
            ),
        )

    def behind_replica(self, settings: Settings) -> ConnectionFactory:
        """Give what makes the connections of the second hop, whose source is the replica; they close with these.

        Args:
            settings: the deployment's, with the replica as its `source`.

        Returns:
            Another factory, whose warehouse and masking key are these.
        """
        behind = _BehindReplica(self, settings)
        self._behind.append(behind)
        return behind

    def warehouse(self) -> Engine:
        """Give the engine of the warehouse; its pool keeps a connection per thread and lends more if asked.

        Returns:
            The engine, the same at every call.
        """
        settings = self._settings.warehouse
        waits = Waits(
            settings.silence_seconds, lambda pids: signs_of_life(self._access("warehouse", settings), pids)
        )

        return self._engine(
            "warehouse",
            lambda: create_engine(
                settings.url.sqlalchemy(),
                creator=lambda: connect_postgres(self._access("warehouse", settings), waits),
                hide_parameters=True,
                pool_size=self._settings.run.threads,
                max_overflow=-1,
                pool_pre_ping=True,
            ),
        )

    def masking_key(self) -> Secret | None:
        """Give the masking key, which each session of the source is told; it is looked for once.

        Returns:
            The key; None when the deployment has none.

        Raises:
            ConfigurationError: the key cannot be had, or is too short.
        """
        with self._lock:
            if self._key is None:
                self._key = (masking_key(self._settings.masking),)
            return self._key[0]

    def close(self) -> None:
        """Close every connection that is not lent out; the factory can be used again."""
        with self._lock:
            for engine in self._engines.values():
                engine.dispose()
            for behind in self._behind:
                behind.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _engine(self, section: str, make: Callable[[], Engine]) -> Engine:
        with self._lock:
            if section not in self._engines:
                self._engines[section] = make()
            return self._engines[section]

    def _access(self, section: str, server: ServerSettings, *, read_only: bool = True) -> ServerAccess:
        # The password is asked for once: a command may be slow, or ask a person.
        with self._lock:
            if section not in self._passwords:
                self._passwords[section] = password_of(server, section)
        return ServerAccess(
            section=section,
            url=server.url,
            password=self._passwords[section],
            insecure=server.insecure,
            ca_file=server.ca_file,
            statement_seconds=getattr(server, "statement_seconds", 300),
            silence_seconds=server.silence_seconds,
            read_only=read_only,
        )


class _BehindReplica(ConnectionFactory):
    """Makes the connections of the second hop: what it reads is the replica."""

    _source = "replica"

    def __init__(self, front: ConnectionFactory, settings: Settings) -> None:
        """Prepare, without connecting.

        Args:
            front: makes those of the first hop.
            settings: the deployment's, with the replica as its `source`.
        """
        super().__init__(settings)
        self._front = front
        # Whoever asks for the password of a server first, it is the same one.
        self._passwords = front._passwords  # noqa: SLF001 - both are one factory, in two parts
        self._lock = front._lock  # noqa: SLF001 - as above

    def replica(self) -> Engine:
        return self._front.replica()

    def warehouse(self) -> Engine:
        return self._front.warehouse()

    def masking_key(self) -> Secret | None:
        return self._front.masking_key()
