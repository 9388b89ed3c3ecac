"""What analysts built upon a warehouse's table: views, views upon views, grants; and somebody who reads them always."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import psycopg2
from sqlalchemy import make_url, text

from support.databases import WarehouseDatabase

_FACTS = """
SELECT c.oid::regclass::text, c.relkind::text, pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid), c.reloptions,
    obj_description(c.oid, 'pg_class'),
    (SELECT array_agg(x ORDER BY x) FROM unnest(c.relacl::text[]) x),
    (SELECT array_agg(attname || ' ' || coalesce(attacl::text, '') || coalesce(col_description(c.oid, attnum), '')
        ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0),
    (SELECT array_agg(indexdef ORDER BY indexdef) FROM pg_indexes i
        WHERE format('%I.%I', i.schemaname, i.tablename)::regclass = c.oid),
    (SELECT array_agg(pg_get_triggerdef(oid)) FROM pg_trigger WHERE tgrelid = c.oid),
    (SELECT array_agg(pg_get_ruledef(oid)) FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN'),
    (SELECT array_agg(pg_get_expr(adbin, adrelid)) FROM pg_attrdef WHERE adrelid = c.oid),
    CASE WHEN c.relkind = 'm' THEN c.relispopulated END
FROM pg_class c WHERE c.relnamespace = 'marts'::regnamespace AND c.relkind IN ('v', 'm') ORDER BY 1
"""


@attrs.frozen(kw_only=True)
class Marts:
    """The schema `marts`, which the role `analyst` may read."""

    warehouse: WarehouseDatabase
    analyst: str
    """A role's name."""
    owner: str
    """Another one, that owns some of the views."""

    def build(self, table: str = "t") -> None:
        """Make a view of a table's columns `id`, `a`, `b`, one upon it, and a grant of each kind."""
        self.warehouse.execute(
            f"CREATE VIEW marts.v WITH (security_barrier=true) AS SELECT id, a, b FROM raw.{table}",
            "CREATE VIEW marts.upon (number, said, letters) AS SELECT id, a::text, b FROM marts.v WHERE id IS NOT NULL",
            f"CREATE VIEW marts.apart AS SELECT count(*) AS rows FROM raw.{table}",
            "COMMENT ON VIEW marts.v IS 'of ''the'' practice, 100%'",
            "COMMENT ON COLUMN marts.upon.said IS 'as text'",
            f"ALTER VIEW marts.v OWNER TO {self.owner}",
            f"GRANT SELECT ON raw.{table} TO {self.owner}",
            f"GRANT SELECT ON marts.upon, marts.apart, raw.{table} TO {self.analyst} WITH GRANT OPTION",
            f"GRANT SELECT (id, b) ON marts.v TO {self.analyst}",
        )

    def facts(self) -> list[tuple[Any, ...]]:
        """All that PostgreSQL knows of the views, but the types of their columns."""
        return self.warehouse.rows(_FACTS)

    def read(self) -> list[tuple[Any, ...]]:
        """The rows of the view upon the view, as texts."""
        return self.warehouse.rows("SELECT number::text, said, letters::text FROM marts.upon ORDER BY number")


@attrs.define(kw_only=True)
class Reader:
    """A connection of the analyst that reads the view upon the view, again and again."""

    seen: list[list[tuple[Any, ...]]] = attrs.field(factory=list)
    """The rows that were seen, in order, repetitions left out."""
    errors: list[str] = attrs.field(factory=list)
    """What PostgreSQL refused."""
    reads: int = 0


@contextmanager
def reading(marts: Marts) -> Iterator[Reader]:
    """Read the view upon the view as the analyst from a second connection, until the block ends, at least twice."""
    reader, over, begun = Reader(), threading.Event(), threading.Event()

    def read() -> None:
        url = make_url(marts.warehouse.url)
        connection = psycopg2.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
        )
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {marts.analyst}")
            once_more = True
            while once_more:
                # Behind the end once more: what is there then is the last thing seen.
                once_more = not over.is_set()
                try:
                    cursor.execute("SELECT number::text, said, letters::text FROM marts.upon ORDER BY number")
                    rows = cursor.fetchall()
                except psycopg2.Error as error:
                    reader.errors.append(str(error))
                    rows = []
                reader.reads += 1
                if not reader.seen or reader.seen[-1] != rows:
                    reader.seen.append(rows)
                begun.set()
        connection.close()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        assert begun.wait(30)
        yield reader
    finally:
        over.set()
        thread.join()


@contextmanager
def marts_of(warehouse: WarehouseDatabase) -> Iterator[Marts]:
    """Make the schema and two roles, and drop the roles at the end."""
    made = Marts(warehouse=warehouse, analyst=f"analyst_{warehouse.name}", owner=f"owner_{warehouse.name}")
    warehouse.execute(
        f"CREATE ROLE {made.analyst}",
        f"CREATE ROLE {made.owner}",
        "CREATE SCHEMA marts",
        f"GRANT USAGE ON SCHEMA marts TO {made.analyst}",
        f"GRANT USAGE, CREATE ON SCHEMA marts TO {made.owner}",
        f"GRANT USAGE ON SCHEMA raw TO {made.owner}",
    )
    try:
        yield made
    finally:
        with warehouse.engine.begin() as connection:
            for role in (made.analyst, made.owner):
                connection.execute(text(f"DROP OWNED BY {role} CASCADE"))
                connection.execute(text(f"DROP ROLE {role}"))
