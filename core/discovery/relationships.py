"""Which table points to which: declared keys first, then what the rules of plugins say.

Open Dental declares no foreign keys, so nearly all of its relations come from rules. Every relation says where
it comes from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

import attrs

from etlkit.contracts import Relationship, RelationshipRule
from etlkit.providers import Provided
from etlkit.suggestions import suggestion
from etlkit.tables import TableAnalysis

DECLARED = "declared"
"""Origin of a relation that the source declares as a foreign key."""


@attrs.frozen(kw_only=True, order=True)
class Relation(Relationship):
    """One column that points to another table, or to its own, and who says so."""

    origin: str
    """`DECLARED`, or the name of the rule."""
    plugin: str = ""
    """The plugin that provides the rule; empty for what is declared."""


@attrs.frozen(kw_only=True)
class Relations:
    """All relations of a schema, from both ends."""

    outgoing: Mapping[str, tuple[Relation, ...]]
    """By the table that points; every table is there."""
    incoming: Mapping[str, tuple[Relation, ...]]
    """By the table pointed to; every table is there."""
    said: tuple[Relation, ...] = ()
    """Everything that was said, in the order it was; what counts is the first of several that say the same."""

    def depends_on(self, table: str) -> tuple[str, ...]:
        """Give the tables that a table points to, sorted, itself left out."""
        return tuple(sorted({each.referenced_table for each in self.outgoing[table]} - {table}))

    def referenced_by(self, table: str) -> tuple[str, ...]:
        """Give the tables that point to a table, sorted, itself left out."""
        return tuple(sorted({each.table for each in self.incoming[table]} - {table}))


def find_relations(
    tables: Mapping[str, TableAnalysis],
    rules: Iterable[Provided[RelationshipRule]] = (),
    left_out: Collection[str] = (),
) -> Relations:
    """Find the relations among tables.

    Rules are not shown the tables that are left out by default, and what those declare counts at their own
    end only: a copy of a table left behind by an upgrade changes no other table's relations.

    Args:
        tables: all tables of the schema by name, as the catalog has them.
        rules: all are asked; where two say the same, the first one is the origin.
        left_out: names of tables that are left out by default.

    Returns:
        The relations; for a column with declared ones, these alone.

    Raises:
        PluginError: a rule failed, or named a table or column that is not there.
    """
    found: dict[tuple[str, ...], Relation] = {}
    declared: set[tuple[str, str]] = set()
    said: list[Relation] = []
    for relation in _declared(tables):
        declared.add((relation.table, relation.column))
        found[ends(relation)] = relation
        said.append(relation)
    shown = {name: table for name, table in tables.items() if name not in left_out}
    for rule in rules:
        for relation in _by_rule(rule, shown):
            said.append(relation)
            if (relation.table, relation.column) not in declared:
                found.setdefault(ends(relation), relation)
    outgoing: defaultdict[str, list[Relation]] = defaultdict(list)
    incoming: defaultdict[str, list[Relation]] = defaultdict(list)
    for relation in sorted(found.values()):
        outgoing[relation.table].append(relation)
        if relation.table not in left_out:
            incoming[relation.referenced_table].append(relation)
    return Relations(
        outgoing={name: tuple(outgoing[name]) for name in tables},
        incoming={name: tuple(incoming[name]) for name in tables},
        said=tuple(said),
    )


def ends(relation: Relation) -> tuple[str, ...]:
    """Give what points where, whoever says so.

    Args:
        relation: the relation.

    Returns:
        Table and column of both ends; the same for relations that say the same.
    """
    return (relation.table, relation.column, relation.referenced_table, relation.referenced_column)


def _declared(tables: Mapping[str, TableAnalysis]) -> Iterator[Relation]:
    for table in tables.values():
        for key in table.foreign_keys:
            if key.referenced_table in tables:
                yield Relation(
                    table=table.name,
                    column=key.column,
                    referenced_table=key.referenced_table,
                    referenced_column=key.referenced_column,
                    origin=DECLARED,
                )


def _by_rule(rule: Provided[RelationshipRule], shown: Mapping[str, TableAnalysis]) -> Iterator[Relation]:
    # Each rule gets a dict of its own: what it does to it must not reach the next one.
    for each in rule.each("relationships", dict(shown), expecting=Relationship):
        for table, column in ((each.table, each.column), (each.referenced_table, each.referenced_column)):
            if table not in shown:
                text = f"names the table `{table}`, which is not there; {suggestion(table, shown)}"
                raise rule.problem("relationships", text)
            if shown[table].column(column) is None:
                columns = [known.name for known in shown[table].columns]
                text = f"names the column `{column}`, which `{table}` does not have"
                raise rule.problem("relationships", f"{text}; {suggestion(column, columns)}")
        yield Relation(
            table=each.table,
            column=each.column,
            referenced_table=each.referenced_table,
            referenced_column=each.referenced_column,
            origin=rule.item.name,
            plugin=rule.plugin.name,
        )
