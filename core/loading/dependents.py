"""Views in the way of a change: taken down and put back by the transaction that makes it, with all that hangs on them.

PostgreSQL changes neither the type of a column that a view reads, nor a primary key that a view groups by. So these
views, those upon them and materialized ones are dropped one by one, never by CASCADE, and made anew from what
PostgreSQL says of them: definition, options, owner, grants, comments, defaults, rules, triggers, indexes, statistics.
Other connections see the old view until the commit, and the new one from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import sqlalchemy as sa

# The key's views come first by depth; a view on several levels is made behind the last of them.
_VIEWS = sa.text("""
WITH RECURSIVE way (oid, depth) AS (
    SELECT r.ev_class, 1 FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
    JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
    WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.ev_class <> :relation AND (
        (d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = :relation AND d.refobjsubid = ANY (:numbers))
        OR (d.refclassid = 'pg_catalog.pg_constraint'::regclass AND d.refobjid = :constraint))
    UNION
    SELECT r.ev_class, way.depth + 1 FROM way
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = way.oid
        AND d.classid = 'pg_catalog.pg_rewrite'::regclass
    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> way.oid
    JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
)
SELECT c.oid, c.relkind, c.oid::regclass::text AS name, quote_ident(pg_get_userbyid(c.relowner)) AS owner,
    pg_has_role(c.relowner, 'USAGE') AS ours, c.relkind = 'm' AND c.relispopulated AS filled,
    c.relacl IS NOT NULL AS acl, EXISTS (
        SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid
        AND e.deptype = 'e') AS of_extension
FROM (SELECT oid, max(depth) AS depth FROM way GROUP BY oid) found JOIN pg_catalog.pg_class c USING (oid)
ORDER BY found.depth, c.oid
""")

# What the table's change or the views' dropping could be refused for, in PostgreSQL's words.
_OTHERS = sa.text("""
SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) FROM pg_catalog.pg_depend d
LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND f.oid = d.objid
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
WHERE d.deptype IN ('n', 'a') AND d.classid NOT IN (
        'pg_catalog.pg_class'::regclass, 'pg_catalog.pg_constraint'::regclass, 'pg_catalog.pg_statistic_ext'::regclass,
        'pg_catalog.pg_type'::regclass)
    AND (r.oid IS NULL OR NOT r.ev_class = ANY (:views))
    AND (f.oid IS NULL OR a.attgenerated <> '')
    AND ((d.refclassid = 'pg_catalog.pg_class'::regclass AND (
            (d.refobjid = :relation AND d.refobjsubid = ANY (:numbers)) OR d.refobjid = ANY (:views)))
        OR (d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid IN (
            SELECT reltype FROM pg_catalog.pg_class WHERE oid = ANY (:views)))
        OR (d.refclassid = 'pg_catalog.pg_constraint'::regclass AND d.refobjid = :constraint))
    AND NOT (d.classid = 'pg_catalog.pg_trigger'::regclass AND d.objid IN (
        SELECT oid FROM pg_catalog.pg_trigger WHERE tgrelid = ANY (:views) OR tgisinternal))
UNION
SELECT format('constraint %s on table %s', conname, conrelid::regclass) FROM pg_catalog.pg_constraint
WHERE contype = 'f' AND confrelid = :relation AND :constraint <> 0
ORDER BY 1
""")

# PostgreSQL quotes the names itself; with an empty search path it qualifies all of them.
_MAKING = sa.text("""
WITH it AS (
    SELECT c.*, c.oid::regclass::text AS name, CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind
    FROM pg_catalog.pg_class c WHERE c.oid = :view)
SELECT 1 AS place, 0 AS number, format('CREATE %s %s%s%s%s AS %s%s', kind, name,
    CASE WHEN relkind = 'm' AND m.amname IS NOT NULL THEN ' USING ' || quote_ident(m.amname) END,
    ' WITH (' || array_to_string(reloptions, ', ') || ')', ' TABLESPACE ' || quote_ident(s.spcname),
    rtrim(pg_get_viewdef(it.oid), ';'), CASE relkind WHEN 'm' THEN ' WITH NO DATA' END) AS statement
FROM it LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = reltablespace LEFT JOIN pg_catalog.pg_am m ON m.oid = relam
UNION ALL SELECT 2, 0, format('ALTER %s %s OWNER TO %I', kind, name, pg_get_userbyid(relowner)) FROM it
    WHERE relowner <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
UNION ALL SELECT 3, 0, format('COMMENT ON %s %s IS %L', kind, name, obj_description(it.oid, 'pg_class')) FROM it
    WHERE obj_description(it.oid, 'pg_class') IS NOT NULL
UNION ALL SELECT 3, a.attnum, format('COMMENT ON COLUMN %s.%I IS %L', name, attname, col_description(it.oid, attnum))
    FROM it JOIN pg_catalog.pg_attribute a ON attrelid = it.oid AND col_description(it.oid, attnum) IS NOT NULL
UNION ALL SELECT 4, adnum,
    format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', name, attname, pg_get_expr(adbin, adrelid)) FROM it
    JOIN pg_catalog.pg_attrdef d ON adrelid = it.oid
    JOIN pg_catalog.pg_attribute a ON attrelid = adrelid AND attnum = adnum
UNION ALL SELECT 5, row_number() OVER (ORDER BY rulename), pg_get_ruledef(r.oid) FROM it
    JOIN pg_catalog.pg_rewrite r ON ev_class = it.oid AND rulename <> '_RETURN'
UNION ALL SELECT 6, row_number() OVER (ORDER BY tgname), pg_get_triggerdef(t.oid) FROM it
    JOIN pg_catalog.pg_trigger t ON tgrelid = it.oid AND NOT tgisinternal
UNION ALL SELECT 7, row_number() OVER (ORDER BY i.indexrelid), pg_get_indexdef(i.indexrelid) FROM it
    JOIN pg_catalog.pg_index i ON indrelid = it.oid
UNION ALL SELECT 8, row_number() OVER (ORDER BY i.indexrelid),
    format('ALTER MATERIALIZED VIEW %s CLUSTER ON %I', name, x.relname) FROM it
    JOIN pg_catalog.pg_index i ON indrelid = it.oid AND indisclustered JOIN pg_catalog.pg_class x ON x.oid = indexrelid
UNION ALL SELECT 9, row_number() OVER (ORDER BY s.oid), pg_get_statisticsobjdef(s.oid) FROM it
    JOIN pg_catalog.pg_statistic_ext s ON stxrelid = it.oid
ORDER BY 1, 2
""")

_GRANTS = sa.text("""
SELECT attname IS NULL AS whole,
    format('GRANT %s%s ON TABLE %s TO %s%s', privilege, '(' || quote_ident(attname) || ')', view,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END) AS statement
FROM (SELECT oid::regclass AS view, NULL AS attname, 0 AS number, privilege_type AS privilege, grantee, is_grantable
        FROM pg_catalog.pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner))) WHERE oid = :view
    UNION ALL SELECT attrelid::regclass, attname, attnum, privilege_type, grantee, is_grantable
        FROM pg_catalog.pg_attribute, aclexplode(attacl) WHERE attrelid = :view) given
ORDER BY number, grantee, privilege
""")

_REVOKES = sa.text("""
SELECT DISTINCT format('REVOKE ALL ON TABLE %s FROM %s', CAST(:view AS regclass),
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END) AS statement
FROM pg_catalog.pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner))) WHERE oid = CAST(:view AS regclass)
""")

_ALTER = {"v": "ALTER VIEW", "m": "ALTER MATERIALIZED VIEW"}
_DROP = {"v": "DROP VIEW", "m": "DROP MATERIALIZED VIEW"}
_NO_PATH = sa.text("SELECT set_config('search_path', '', true)")
_PATH = sa.text("SELECT current_setting('search_path')")
_SET_PATH = sa.text("SELECT set_config('search_path', :path, true)")


@attrs.frozen(kw_only=True)
class View:
    """One view, and how it is made."""

    name: str
    """Its name, qualified and quoted by PostgreSQL."""
    kind: str
    """`v`, or `m` for a materialized one."""
    owner: str
    """Its owner, quoted."""
    ours: bool
    """Whether etlkit's user is its owner, or a member of its owner."""
    filled: bool
    """Whether it is a materialized view that holds rows."""
    granted: bool
    """Whether its privileges are others than those that a new view has."""
    statements: tuple[str, ...]
    """What makes it, in order."""
    grants: tuple[str, ...]
    """What gives its privileges."""
    grants_on_columns: tuple[str, ...]
    """What gives those on single columns."""

    @property
    def title(self) -> str:
        """What it is and its name."""
        return f"{'materialized view' if self.kind == 'm' else 'view'} {self.name}"


@attrs.frozen(kw_only=True)
class Dependents:
    """What depends on some columns of a table, or on its primary key."""

    views: tuple[View, ...] = ()
    """Views, each behind those that it reads."""
    others: tuple[str, ...] = ()
    """What else there is that PostgreSQL may refuse the change for, in its words."""

    @classmethod
    def of(
        cls, connection: sa.Connection, relation: int, numbers: Sequence[int], constraint: int
    ) -> Dependents:
        """Find them.

        Args:
            connection: in the load's transaction.
            relation: the table's oid.
            numbers: its columns, as in `pg_attribute.attnum`.
            constraint: the oid of its primary key, where that changes; else 0.

        Returns:
            All of them, views upon views included.
        """
        given = {"relation": relation, "numbers": list(numbers), "constraint": constraint}
        path = connection.scalar(_PATH)
        connection.execute(_NO_PATH)
        rows = connection.execute(_VIEWS, given).all()
        views = tuple(_view(connection, row) for row in rows)
        others = connection.scalars(_OTHERS, {**given, "views": [row.oid for row in rows]}).all()
        connection.execute(_SET_PATH, {"path": path})
        of_extensions = [f"view {row.name} of an extension" for row in rows if row.of_extension]
        return cls(views=views, others=(*of_extensions, *others))

    @property
    def foreign(self) -> tuple[View, ...]:
        """The views that etlkit's user may not take down."""
        return tuple(each for each in self.views if not each.ours)

    def lock(self, connection: sa.Connection) -> None:
        """Wait until nobody reads the views, those first that read others, as readers do.

        Args:
            connection: in the load's transaction.
        """
        for view in reversed(self.views):
            # It changes nothing. LOCK TABLE would lock all tables below as well, and knows no materialized view.
            _execute(connection, f"{_ALTER[view.kind]} {view.name} OWNER TO {view.owner}")

    def take_down(self, connection: sa.Connection) -> None:
        """Drop the views, one by one; PostgreSQL refuses it while anything else needs one of them.

        Args:
            connection: in the load's transaction.
        """
        for view in reversed(self.views):
            _execute(connection, f"{_DROP[view.kind]} {view.name} RESTRICT")

    def put_back(self, connection: sa.Connection) -> None:
        """Make the views anew, with all that hung on them, and fill those that hold rows.

        Args:
            connection: in the load's transaction, the rows applied.
        """
        if not self.views:
            return
        path = connection.scalar(_PATH)
        connection.execute(_NO_PATH)
        for view in self.views:
            for statement in view.statements:
                _execute(connection, statement)
            grants = view.grants_on_columns
            # A new view has the privileges of its owner, or what ALTER DEFAULT PRIVILEGES gives.
            if view.granted or connection.scalar(_HAS_GRANTS, {"view": view.name}):
                revokes = connection.scalars(_REVOKES, {"view": view.name}).all()
                grants = (*revokes, *view.grants, *grants)
            for statement in grants:
                _execute(connection, statement)
            if view.filled:
                _execute(connection, f"REFRESH MATERIALIZED VIEW {view.name}")
        connection.execute(_SET_PATH, {"path": path})

    def __str__(self) -> str:
        return ", ".join([*(each.title for each in self.views), *self.others])


_HAS_GRANTS = sa.text(
    "SELECT relacl IS NOT NULL FROM pg_catalog.pg_class WHERE oid = CAST(:view AS regclass)"
)


def _view(connection: sa.Connection, row: Any) -> View:
    given = {"view": row.oid}
    made, grants = (connection.execute(query, given).all() for query in (_MAKING, _GRANTS))
    return View(
        name=row.name,
        kind=row.relkind,
        owner=row.owner,
        ours=row.ours,
        filled=row.filled,
        granted=row.acl,
        statements=tuple(each.statement for each in made),
        grants=tuple(each.statement for each in grants if each.whole),
        grants_on_columns=tuple(each.statement for each in grants if not each.whole),
    )


def _execute(connection: sa.Connection, statement: str) -> None:
    # As PostgreSQL wrote it: a percent sign in a definition is no parameter.
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
