"""Which database a schema is loaded from: watermarks of one source mean nothing on another."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from etlkit.config import MySQLUrl
from etlkit.discovery.catalog import Catalog
from etlkit.errors import SourceChanged
from etlkit.loading.ledger import Ledger
from etlkit.loading.ledger_tables import SCHEMA, SOURCES, STATES
from etlkit.loading.trouble import warehouse_trouble

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


def require_same_source(ledger: Ledger, now: SourceIdentity, *, accept: bool = False) -> None:
    """Go on only with the source that the schema was loaded from, and remember it.

    Args:
        ledger: of the schema.
        now: the source as it is now.
        accept: go on with another source as well; every watermark is forgotten then, so that each table's next
            load, in whichever run, reads every row.

    Raises:
        SourceChanged: it is another one.
    """
    with warehouse_trouble(_WHERE), ledger.engine.begin() as connection:
        before = _known(connection, ledger.schema)
        if before == now:
            return
        differences = now.differences(before) if before is not None else []
        if not differences or accept:
            _remember(connection, ledger.schema, now)
        if differences and accept:
            _forget_loads(connection, ledger.schema)
    if differences and not accept:
        raise _changed(ledger, differences)


def refuse_other_source(ledger: Ledger, now: SourceIdentity) -> None:
    """Go on only with the source that the schema was loaded from; nothing is remembered.

    Args:
        ledger: of the schema.
        now: the source as it is now.

    Raises:
        SourceChanged: it is another one.
    """
    with warehouse_trouble(_WHERE), ledger.engine.connect() as connection:
        there = sa.inspect(connection).has_table(SOURCES.name, schema=SCHEMA)
        before = _known(connection, ledger.schema) if there else None
    differences = now.differences(before) if before is not None else []
    if differences:
        raise _changed(ledger, differences)


def _changed(ledger: Ledger, differences: Sequence[str]) -> SourceChanged:
    return SourceChanged(
        f"schema `{ledger.schema}` was loaded from another source: {'; '.join(differences)}. Nothing was read. "
        "When the clinic's database moved, `etlkit run --accept-source` goes on with it and reads every row once; "
        "another clinic needs another `warehouse.schema` in etlkit.yml"
    )


def _known(connection: sa.Connection, schema: str) -> SourceIdentity | None:
    columns = [SOURCES.c[each.name] for each in attrs.fields(SourceIdentity)]
    row = connection.execute(sa.select(*columns).where(SOURCES.c.target_schema == schema)).mappings().first()
    return None if row is None else SourceIdentity(**row)


def _remember(connection: sa.Connection, schema: str, now: SourceIdentity) -> None:
    values = {**attrs.asdict(now), "seen_at": sa.func.now()}
    statement = insert(SOURCES).values(target_schema=schema, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["target_schema"], set_=values))


def _forget_loads(connection: sa.Connection, schema: str) -> None:
    # Without a mapping no load builds upon them; with another generation no broken read goes on.
    connection.execute(
        sa.update(STATES)
        .values(watermark=None, mapping_hash="", generation=STATES.c.generation + 1)
        .where(STATES.c.target_schema == schema)
    )
