"""What the sums over a table notice, on every kind of source."""

from __future__ import annotations

import pytest

from etlkit.transfer.checksums import checksums, may_be_summed
from etlkit.transfer.source_queries import SourceQueries
from support.every_type import ANY_MODE, made, tables_of
from support.loading import Loading


def sums(shared: Loading, *names: str) -> dict[str, int]:
    """Sum tables up."""
    plans = {name: shared.plan(name) for name in names}
    with shared.deployment.connections.source_raw() as raw:
        return checksums(
            SourceQueries(raw),
            {name: plan.rendered.source for name, plan in plans.items()},
            {name: plan.analysis for name, plan in plans.items()},
        )


@pytest.mark.parametrize(
    ("columns", "values", "changes"),
    [
        # What CHECKSUM TABLE does not notice by itself.
        ("a VARCHAR(9), b VARCHAR(9)", "'a', 'bc'", "a = 'ab', b = 'c'"),
        ("a TEXT, b TEXT", "'a note', ''", "a = '', b = 'a note'"),
        ("a VARCHAR(9), n INT, b VARCHAR(9)", "'note', NULL, ''", "a = '', b = 'note'"),
        ("a VARBINARY(9), n TINYINT, b BLOB", "0x01, 2, 0x03", "a = 0x0102, n = 3, b = ''"),
        ("a VARCHAR(9), b VARCHAR(9)", "'a ', 'b'", "a = 'a', b = ' b'"),
        ("a VARCHAR(9), b VARCHAR(9)", "NULL, ''", "a = '', b = NULL"),
        ("a INT, b INT", "1, 2", "a = 2, b = 1"),
    ],
)
def test_values_do_not_run_into_each_other(shared: Loading, columns: str, values: str, changes: str) -> None:
    """A text that moves from one column to the next is noticed, also where another row makes up for its length."""
    shared.source.execute(
        "DROP TABLE IF EXISTS moving",
        f"CREATE TABLE moving (id INT PRIMARY KEY, {columns})",
        f"INSERT INTO moving VALUES (1, {values}), (2, {values})",
        f"UPDATE moving SET {changes} WHERE id = 2",
    )
    seen = [sums(shared, "moving")["moving"]]
    shared.source.execute(f"UPDATE moving SET {changes} WHERE id = 1")
    seen.append(sums(shared, "moving")["moving"])
    # What the rows were at first, the other way round.
    shared.source.execute("DELETE FROM moving WHERE id = 2", f"INSERT INTO moving VALUES (2, {values})")
    seen.append(sums(shared, "moving")["moving"])
    assert 3 == len(set(seen))
    assert all(0 <= each < 2**63 for each in seen)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("id INT PRIMARY KEY, a TEXT, b TEXT", True),
        ("id INT, a TEXT, b TEXT", False),
        ("id INT, a TEXT, b INT", True),
        ("id INT, a CHAR(9), b ENUM('x')", True),
    ],
)
@pytest.mark.parametrize("shared", ["mariadb-innodb"], indirect=True)
def test_tables_that_may_be_summed(shared: Loading, columns: str, expected: bool) -> None:
    """Rows without a key could make up for each other's lengths."""
    shared.source.execute("DROP TABLE IF EXISTS summed", f"CREATE TABLE summed ({columns})")
    assert expected == may_be_summed(shared.plan("summed").analysis)


def test_the_least_change_of_every_type(loading: Loading) -> None:
    """One bit, character, digit or NULL more or less is another sum; the sums of many tables come together."""
    made(loading, 2)
    tables = tables_of(loading.source.kind)
    before = sums(loading, *tables)
    assert before == sums(loading, *tables)
    for table, cases in tables.items():
        for name, case in cases.items():
            loading.source.execute(
                ANY_MODE, f"UPDATE {table} SET `{name}` = {case.changed_in(name)} WHERE id = 2"
            )
            after = sums(loading, table)[table]
            assert before[table] != after, name
            before[table] = after
    assert before == sums(loading, *tables)
