"""Which database a schema is loaded from: watermarks of one source mean nothing on another."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from etlkit.config import MySQLUrl
from etlkit.discovery.catalog import Catalog
from etlkit.errors import SourceChanged
from etlkit.loading.ledger import Ledger
from etlkit.loading.ledger_tables import SCHEMA, SOURCES, STATES
from etlkit.loading.trouble import warehouse_trouble

_log = logging.getLogger(__name__)

_WHERE = f"the ledger in the warehouse's schema `{SCHEMA}`"


@attrs.frozen(kw_only=True)
class SourceIdentity:
    """What tells one source from another; no secret, and nothing that a restart or an upgrade changes."""

    kind: str
    """The server's product, `MySQL` or `MariaDB`."""
    server: str | None
    """MySQL's `server_uuid`, which lies in the data folder, or MariaDB's `server_uid`, made of network card and port.

    None where the server has neither (MariaDB before 10.6 or so)."""
    machine: str
    """sha256 over the server's host name, port and data folder."""
    place: str
    """Host and port, or the socket, as the deployment names it."""
    database: str
    """The database's name."""

    @classmethod
    def of(cls, catalog: Catalog, url: MySQLUrl) -> SourceIdentity:
        """Tell which source a catalog was read from.

        Args:
            catalog: of the source.
            url: where it was read.

        Returns:
            The identity.
        """
        return cls(
            kind=catalog.server.kind,
            server=catalog.server.uid,
            machine=catalog.server.machine,
            place=url.socket or f"{url.host}:{url.port or url.default_port}",
            database=catalog.database,
        )

    def differences(self, before: SourceIdentity) -> list[str]:
        """Say in which way this is another source.

        A server that says who it is may be reached under any name. Of one that does not, the machine and the
        configured place must both be the same: two clinics' machines may well have the same name and folders.

        Args:
            before: the source of the last run.

        Returns:
            One phrase for each difference; none when both are the same source.
        """
        found = []
        if self.kind != before.kind:
            found.append(f"the server was a {before.kind} and is a {self.kind}")
        elif self.server is not None and before.server is not None:
            if self.server != before.server:
                found.append(f"the server was `{before.server}` and is `{self.server}`")
        elif self.place != before.place:
            found.append(f"the server was at `{before.place}` and is at `{self.place}`")
        elif self.machine != before.machine:
            found.append(
                f"the server at `{self.place}` is another one (its host name, port or data folder is)"
            )
        if self.database != before.database:
            found.append(f"the database was `{before.database}` and is `{self.database}`")
        return found


@attrs.frozen(kw_only=True)
class LoadedFrom:
    """Which database a warehouse's rows and watermarks come from: the source itself, or a replica of it."""

    database: SourceIdentity
    """The database that is read."""
    origin: SourceIdentity | None = None
    """The source that it is a replica of; None where it is the source itself."""

    @property
    def source(self) -> SourceIdentity:
        """The clinic's own database, by however many hops."""
        return self.origin or self.database

    def differences(self, before: LoadedFrom) -> list[str]:
        """Say in which way the rows come from another clinic's database.

        Args:
            before: where they came from until now.

        Returns:
            One phrase for each difference; none where it is the same one, by whatever way.
        """
        return self.source.differences(before.source)

    def another_way(self, before: LoadedFrom) -> str | None:
        """Say in which way the rows of one source come by another way, so that watermarks mean nothing any more.

        Args:
            before: the way until now, from the same source.

        Returns:
            What changed, in words; None where nothing did.
        """
        if before.origin is None and self.origin is None:
            return None
        if before.origin is None:
            return "they came from the source itself, and come through a replica now"
        if self.origin is None:
            return "they came through a replica, and come from the source itself now"
        moved = self.database.differences(before.database)
        return f"the replica is another one: {'; '.join(moved)}" if moved else None


def require_same_source(ledger: Ledger, now: LoadedFrom, *, accept: bool = False) -> bool:
    """Go on only with the source that the schema was loaded from, and remember it and the way from there.

    Where the way is another one, because a replica came between, went away or moved, the run goes on by itself: what
    it reads is a copy of the same source. Watermarks of the old way are forgotten then, so that each table's next
    load, in whichever run, reads and compares every row.

    Args:
        ledger: of the schema.
        now: the source as it is now, and the way from there; of a replica it must be known that it copies the source.
        accept: go on with another source as well; every watermark is forgotten then, too.

    Returns:
        Whether watermarks were forgotten.

    Raises:
        SourceChanged: it is another one.
    """
    with warehouse_trouble(_WHERE), ledger.engine.begin() as connection:
        before = _known(connection, ledger.schema)
        if before == now:
            return False
        differences = now.differences(before) if before is not None else []
        way = now.another_way(before) if before is not None and not differences else None
        if not differences or accept:
            _remember(connection, ledger.schema, now)
        forgotten = way is not None or (accept and bool(differences))
        if forgotten:
            _forget_loads(connection, ledger.schema)
    if differences and not accept:
        raise _changed(ledger, differences)
    if way is not None:
        _log.warning(
            "schema `%s` holds rows of the same source, but %s; every row is read and compared once",
            ledger.schema,
            way,
        )
    return forgotten


def refuse_other_source(ledger: Ledger, now: LoadedFrom) -> str | None:
    """Go on only with the source that the schema was loaded from; nothing is remembered.

    Args:
        ledger: of the schema.
        now: the source as it is now, and the way from there.

    Returns:
        In which way its rows come by another way than before, in words; None where they do not.

    Raises:
        SourceChanged: it is another one.
    """
    with warehouse_trouble(_WHERE), ledger.engine.connect() as connection:
        there = SOURCES.name in sa.inspect(connection).get_table_names(schema=SCHEMA)
        before = _known(connection, ledger.schema) if there else None
    if before is None:
        return None
    differences = now.differences(before)
    if differences:
        raise _changed(ledger, differences)
    return now.another_way(before)


def _changed(ledger: Ledger, differences: Sequence[str]) -> SourceChanged:
    return SourceChanged(
        f"schema `{ledger.schema}` was loaded from another source: {'; '.join(differences)}. Nothing was read. "
        "When the clinic's database moved, `etlkit run --accept-source` goes on with it and reads every row once; "
        "another clinic needs another `warehouse.schema` in etlkit.yml"
    )


def _known(connection: sa.Connection, schema: str) -> LoadedFrom | None:
    # Whatever columns it has: the ledger of an older etlkit knows nothing of replicas.
    whole = sa.func.to_jsonb(SOURCES.table_valued(), type_=JSONB)
    row = connection.scalar(sa.select(whole).where(SOURCES.c.target_schema == schema))
    if row is None:
        return None
    database = SourceIdentity(**{each.name: row[each.name] for each in attrs.fields(SourceIdentity)})
    origin = row.get("origin")
    return LoadedFrom(
        database=database, origin=None if origin is None else SourceIdentity(**json.loads(origin))
    )


def _remember(connection: sa.Connection, schema: str, now: LoadedFrom) -> None:
    origin = None if now.origin is None else json.dumps(attrs.asdict(now.origin))
    values = {**attrs.asdict(now.database), "origin": origin, "seen_at": sa.func.now()}
    statement = insert(SOURCES).values(target_schema=schema, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["target_schema"], set_=values))


def _forget_loads(connection: sa.Connection, schema: str) -> None:
    # Without a mapping no load builds upon them; with another generation no broken read goes on.
    connection.execute(
        sa.update(STATES)
        .values(watermark=None, mapping_hash="", generation=STATES.c.generation + 1)
        .where(STATES.c.target_schema == schema)
    )
