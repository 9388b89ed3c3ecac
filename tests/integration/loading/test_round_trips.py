"""A table in which nothing changed costs few statements: a clinic has hundreds of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from support.loading import Loading

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """Collect the first words of what is sent to the warehouse, apart from COPY, BEGIN and COMMIT."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(" ".join(statement.split()[:2]))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def test_statements_of_a_small_table(loading: Loading) -> None:
    """With the ledger read for the whole run, planning asks nothing, and loading sends nine statements with COPY."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1)")
    loading.load("t")
    known = loading.deployment.ledger.snapshot()
    planner = attrs.evolve(loading.deployment.planner(), known=known)
    with statements(loading.engine) as seen:
        plan = planner.plan("t")
        assert [] == seen
        loading.carry_out(plan)
    assert ("SELECT pg_try_advisory_xact_lock", "SELECT pg_catalog.pg_class") == (seen[0][:32], seen[1][:26])
    assert [
        "CREATE TEMPORARY",
        "DELETE FROM",
        "UPDATE raw.t",
        "INSERT INTO",
        "UPDATE etlkit.table_state",
        "INSERT INTO",
    ] == seen[2:]


def test_statements_of_an_empty_table(loading: Loading) -> None:
    """Nothing is staged of a table that is empty."""
    loading.source.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    loading.load("t")
    plan = loading.plan("t")
    with statements(loading.engine) as seen:
        loading.carry_out(plan)
    assert ["SELECT", "SELECT", "DELETE", "UPDATE", "INSERT"] == [each.split()[0] for each in seen]


def test_reading_the_ledger_costs_the_same_for_any_number_of_tables(loading: Loading) -> None:
    """What a run knows of all tables is read by four statements."""
    with statements(loading.engine) as seen:
        loading.deployment.ledger.snapshot()
    assert 4 == len(seen)
