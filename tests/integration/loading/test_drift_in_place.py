"""A source table changes its shape while analysts read views upon it: the policy decides, and they notice nothing."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from etlkit.config import TableChoice
from etlkit.errors import DriftRefused
from support.comparison import differences
from support.loading import Loading
from support.marts import Marts, marts_of, reading

BEGIN = (
    "table `t` changed in the source in a way that is not carried over unasked; the rows of `raw.t` are as they "
    "were:\n"
)
FLAG = "Ways on:\n  `etlkit run --allow-drift --select t` {}, and reads every row; views and grants stay\n"
KEEPS = "keeps the old column, and adds the new one beside it, in every run"
KEEPS_OLD = f"  `drift: {{rename: keep}}` in etlkit.yml {KEEPS}\n"
END = "  renaming `raw.t` and running again loads the new shape beside it; views stay on the renamed table"
STRATEGIES = {
    "full_table": TableChoice(extraction_strategy="full_table"),
    "digests": TableChoice(extraction_strategy="reconcile"),
    **{
        name: TableChoice(extraction_strategy=name, incremental_column="s", lookback_seconds=0)
        for name in ("incremental", "chunked_incremental", "streaming_incremental")
    },
}
BEFORE = [("1", "1", "one"), ("2", None, None), ("3", "3", "three")]


@pytest.fixture
def marts(loading: Loading) -> Iterator[Marts]:
    """Views upon `raw.t`, which is loaded; the rows of the source have old cursors."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a SMALLINT, b VARCHAR(5), s DATETIME NOT NULL)",
        "INSERT INTO t VALUES (1, 1, 'one', '2020-01-01'), (2, NULL, NULL, '2020-01-02')",
        "INSERT INTO t VALUES (3, 3, 'three', '2024-01-01')",
    )
    loading.load("t")
    with marts_of(loading.warehouse) as made:
        made.build()
        yield made


def spread(*cases: tuple[str, str]) -> pytest.MarkDecorator:
    """Run once for each pair of a kind of source and a strategy."""
    return pytest.mark.parametrize(("source", "strategy"), cases, indirect=["source"])


def choose(loading: Loading, strategy: str) -> None:
    """Load `t` by a strategy from now on, and once, so that what it remembers is there."""
    loading.choose(t=STRATEGIES[strategy])
    loading.load("t")


def changed(loading: Loading, marts: Marts, *statements: str, allow_drift: bool = False) -> None:
    """Change the source; a load later all is equal, views are what they were, and readers saw before and after."""
    loading.source.execute(*statements)
    facts, identity = marts.facts(), "SELECT 'raw.t'::regclass::oid"
    oid, before = loading.warehouse.value(identity), marts.read()
    with reading(marts) as reader:
        loading.outcome("t", allow_drift=allow_drift)
    assert [] == differences(loading.source, loading.warehouse, "t")
    assert (facts, oid) == (marts.facts(), loading.warehouse.value(identity))
    after = marts.read()
    assert ([], [before] if before == after else [before, after]) == (reader.errors, reader.seen)
    # The next load does not begin again.
    outcome = loading.outcome("t")
    assert (0, 0, 0) == (outcome.inserted, outcome.updated, outcome.deleted)


@spread(
    ("mysql56", "full_table"),
    ("mariadb-innodb", "incremental"),
    ("mariadb-myisam", "chunked_incremental"),
    ("mysql56", "streaming_incremental"),
    ("mariadb-innodb", "digests"),
)
def test_new_and_wider(loading: Loading, marts: Marts, strategy: str) -> None:
    """New columns have their values in old rows, and columns below views become wider, whatever the strategy."""
    choose(loading, strategy)
    changed(
        loading,
        marts,
        "ALTER TABLE t MODIFY a BIGINT, MODIFY b TEXT, ADD d INT NOT NULL DEFAULT 7 AFTER id",
        "UPDATE t SET a = 5000000000, b = 'longer than before', s = '2024-05-01' WHERE id = 3",
    )
    assert [("1", "1", "one"), ("2", None, None), ("3", "5000000000", "longer than before")] == marts.read()
    assert [(7,), (7,), (7,)] == loading.there("d")


@spread(("mysql56", "incremental"), ("mariadb-innodb", "digests"))
def test_narrower(loading: Loading, marts: Marts, strategy: str) -> None:
    """A narrower column is refused; allowed once, it stays wide, and is not asked for again until it changes."""
    choose(loading, strategy)
    loading.source.execute("UPDATE t SET b = 'tre'", "ALTER TABLE t MODIFY b VARCHAR(4)")
    with pytest.raises(DriftRefused) as caught:
        loading.load("t")
    assert (
        f"{BEGIN}  column `b`: character varying(5) in `raw.t`, the narrower character varying(4) in the source\n"
        f"{FLAG.format('keeps `b` as wide as it is')}"
        "  `drift: {narrow: keep}` in etlkit.yml keeps columns as wide as they are, in every run\n"
        f"{END}"
    ) == str(caught.value)
    changed(loading, marts, allow_drift=True)
    assert [("b", "narrower", "character varying(4)")] == loading.warehouse.rows(
        "SELECT column_name, reason, type FROM etlkit.kept"
    )
    changed(loading, marts, "ALTER TABLE t ADD more INT NOT NULL DEFAULT 1")
    changed(loading, marts, "INSERT INTO t VALUES (4, 4, 'four', '2025-01-01', 4)")
    loading.source.execute("UPDATE t SET b = 'x'", "ALTER TABLE t MODIFY b VARCHAR(3)")
    with pytest.raises(DriftRefused):
        loading.load("t")


@spread(("mysql56", "full_table"), ("mariadb-innodb", "incremental"), ("mariadb-myisam", "digests"))
def test_another_type(loading: Loading, marts: Marts, strategy: str) -> None:
    """Another type is refused; allowed, the column changes in place, values are read anew, and views are put back."""
    choose(loading, strategy)
    loading.source.execute("ALTER TABLE t MODIFY a VARCHAR(10), MODIFY b VARCHAR(20)")
    loading.source.execute(
        "ALTER TABLE t MODIFY b DATE NULL" if False else "UPDATE t SET a = 'x' WHERE id = 2"
    )
    with pytest.raises(DriftRefused) as caught:
        loading.load("t")
    assert (
        f"{BEGIN}  column `a`: smallint in `raw.t`, character varying(10) in the source\n"
        f"{FLAG.format('changes the type of `a` in place')}{END}"
    ) == str(caught.value)
    changed(loading, marts, allow_drift=True)
    assert [("1", "1", "one"), ("2", "x", None), ("3", "3", "three")] == marts.read()


@spread(("mariadb-innodb", "full_table"), ("mariadb-myisam", "incremental"), ("mysql56", "digests"))
def test_another_key(loading: Loading, marts: Marts, strategy: str) -> None:
    """Another key is refused; allowed, the constraint is replaced, also by one that old rows do not have."""
    choose(loading, strategy)
    loading.source.execute(
        "UPDATE t SET b = 'two' WHERE id = 2",
        "ALTER TABLE t MODIFY b VARCHAR(5) NOT NULL, DROP PRIMARY KEY, ADD PRIMARY KEY (b, id)",
    )
    with pytest.raises(DriftRefused) as caught:
        loading.load("t")
    assert (
        f"{BEGIN}  primary key: `id` in `raw.t`, `b`, `id` in the source\n"
        f"{FLAG.format('replaces the primary key')}{END}"
    ) == str(caught.value)
    changed(loading, marts, allow_drift=True)
    # Two rows have the same `b` now, and one row of the old key is two of the new one.
    changed(
        loading,
        marts,
        "INSERT INTO t VALUES (1, 9, 'uno', '2024-06-01')",
        "ALTER TABLE t DROP PRIMARY KEY, ADD n INT NOT NULL DEFAULT 0 FIRST",
        "UPDATE t SET n = 100 * id + IF(b = 'uno', 1, 0)",
        "ALTER TABLE t ADD PRIMARY KEY (n)",
        allow_drift=True,
    )
    assert [("n",)] == loading.warehouse.rows(
        "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey) "
        "WHERE indrelid = 'raw.t'::regclass AND indisprimary"
    )


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_no_key_and_one_again(loading: Loading, marts: Marts) -> None:
    """A table may lose its key, hold rows twice, and get a key again."""
    changed(
        loading,
        marts,
        "ALTER TABLE t DROP PRIMARY KEY, MODIFY id INT NULL",
        "INSERT INTO t VALUES (3, 3, 'three', '2024-01-01'), (NULL, 4, 'four', '2024-01-01')",
        allow_drift=True,
    )
    changed(
        loading,
        marts,
        "DELETE FROM t WHERE id IS NULL",
        "DELETE FROM t WHERE id = 3 LIMIT 1",
        "ALTER TABLE t MODIFY id INT NOT NULL, ADD PRIMARY KEY (id)",
        allow_drift=True,
    )
    assert BEFORE == marts.read()


@spread(("mariadb-myisam", "full_table"), ("mysql56", "incremental"), ("mariadb-innodb", "digests"))
def test_a_renamed_column(loading: Loading, marts: Marts, strategy: str) -> None:
    """A renamed column is told from a new one by its values; allowed, views follow it. With `keep` it is a new one."""
    choose(loading, strategy)
    loading.source.execute(
        "INSERT INTO t VALUES (4, 4, 'four', '2025-01-01')", "ALTER TABLE t CHANGE b letters VARCHAR(8)"
    )
    with pytest.raises(DriftRefused) as caught:
        loading.load("t")
    assert (
        f"{BEGIN}  column `b` looks renamed to `letters`: both are character varying(8), and 2 of 2 rows hold the same "
        f"there\n{FLAG.format('renames `b` to `letters` there')}"
        f"{KEEPS_OLD}{END}"
    ) == str(caught.value)
    definition = "SELECT pg_get_viewdef('marts.v'::regclass)"
    assert " b\n" in loading.warehouse.value(definition)
    facts = [each[:3] for each in marts.facts()]
    with reading(marts) as reader:
        loading.outcome("t", allow_drift=True)
    assert [] == differences(loading.source, loading.warehouse, "t")
    assert "letters AS b" in loading.warehouse.value(definition)
    assert (facts, [], [BEFORE, [*BEFORE, ("4", "4", "four")]]) == (
        [each[:3] for each in marts.facts()],
        reader.errors,
        reader.seen,
    )
    assert (0, 0) == loading.load("t")[1:3]


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_a_renamed_column_that_is_kept(loading: Loading, marts: Marts) -> None:
    """With `rename: keep`, and where values differ, the old column stays with its values, marked."""
    loading.choose(drift={"rename": "keep"})
    changed(loading, marts, "ALTER TABLE t CHANGE b letters VARCHAR(5)")
    assert BEFORE == marts.read()
    loading.choose(drift={"rename": "refuse"})
    changed(loading, marts, "ALTER TABLE t DROP letters, ADD letters2 VARCHAR(5) DEFAULT 'new' AFTER a")
    assert {"b", "letters"} == {
        name for (name,) in loading.warehouse.rows("SELECT column_name FROM etlkit.kept")
    }


@pytest.mark.parametrize("source", ["mysql56"], indirect=True)
def test_a_renamed_key(loading: Loading, marts: Marts) -> None:
    """A key whose column has another name is no other key: it is told by its values, and renamed."""
    loading.source.execute("ALTER TABLE t CHANGE id tid INT NOT NULL, CHANGE b bb VARCHAR(5)")
    with pytest.raises(DriftRefused) as caught:
        loading.load("t")
    assert (
        f"{BEGIN}  column `id` looks renamed to `tid`: both are integer, and 3 of 3 rows hold the same there\n"
        "  column `b` looks renamed to `bb`: both are character varying(5), and 2 of 2 rows hold the same there\n"
        f"{FLAG.format('renames `id` to `tid` there and renames `b` to `bb` there')}"
        f"{KEEPS_OLD}{END}"
    ) == str(caught.value)
    with reading(marts) as reader:
        loading.outcome("t", allow_drift=True)
    assert ([], [BEFORE]) == (reader.errors, reader.seen)
    assert [] == differences(loading.source, loading.warehouse, "t")


@spread(("mariadb-innodb", "full_table"), ("mysql56", "incremental"), ("mariadb-myisam", "digests"))
def test_a_dropped_column(loading: Loading, marts: Marts, strategy: str) -> None:
    """It stays with its values, marked behind its comment and in the ledger; when it comes back, the mark goes."""
    choose(loading, strategy)
    loading.warehouse.execute("COMMENT ON COLUMN raw.t.b IS 'what it says'")
    comment = "SELECT col_description('raw.t'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'raw.t'::regclass "
    comment += "AND attname = 'b'"
    changed(loading, marts, "ALTER TABLE t DROP b")
    assert BEFORE == marts.read()
    since = loading.warehouse.rows(
        "SELECT to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM etlkit.kept "
        "WHERE (table_name, column_name, reason) = ('t', 'b', 'gone')"
    )
    assert f"what it says [etlkit: gone in the source since {since[0][0]} UTC]" == loading.warehouse.value(
        comment
    )
    # A column of the same type, later, is a new one.
    changed(loading, marts, "ALTER TABLE t ADD c VARCHAR(5) DEFAULT 'c' AFTER a")
    changed(loading, marts, "ALTER TABLE t ADD b VARCHAR(5) DEFAULT 'back'")
    assert [("1", "1", "back"), ("2", None, "back"), ("3", "3", "back")] == marts.read()
    assert ([], "what it says") == (
        loading.warehouse.rows("SELECT * FROM etlkit.kept"),
        loading.warehouse.value(comment),
    )


@spread(("mariadb-innodb", "incremental"), ("mariadb-myisam", "digests"), ("mysql56", "chunked_incremental"))
def test_what_stamps_no_row(loading: Loading, marts: Marts, strategy: str) -> None:
    """Another engine, character set or nullability is no drift; values that it changed arrive without a cursor."""
    choose(loading, strategy)
    other = "MyISAM" if loading.source.storage_engine == "InnoDB" else "InnoDB"
    before = loading.there()
    changed(loading, marts, f"ALTER TABLE t ENGINE = {other}")
    assert before == loading.there()
    loading.source.execute("UPDATE t SET b = 'ë' WHERE id = 1")
    changed(loading, marts, "SET sql_mode = ''", "ALTER TABLE t MODIFY b VARCHAR(5) CHARACTER SET latin1")
    assert ("1", "1", "ë") == marts.read()[0]
    changed(
        loading,
        marts,
        "ALTER TABLE t MODIFY b VARCHAR(5) CHARACTER SET utf8mb4",
        "UPDATE t SET b = '日' WHERE id = 1",
    )
    changed(loading, marts, "SET sql_mode = ''", "ALTER TABLE t MODIFY b VARCHAR(5) CHARACTER SET latin1")
    assert ("1", "1", "?") == marts.read()[0]
    changed(loading, marts, "ALTER TABLE t MODIFY b VARCHAR(5) CHARACTER SET latin1 COLLATE latin1_bin")
    changed(loading, marts, "SET sql_mode = ''", "ALTER TABLE t MODIFY a SMALLINT NOT NULL")
    assert ("2", "0", None) == marts.read()[1]


@pytest.mark.usefixtures("marts")
@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_rows_that_are_kept_keep_their_values(loading: Loading) -> None:
    """Rows that only the warehouse has keep what the new type can hold, and refuse a type or key that loses some."""
    loading.choose(t=TableChoice(deletes="tombstone"))
    loading.source.execute("INSERT INTO t VALUES (4, 4, 'four', '2025-01-01')")
    loading.load("t")
    loading.source.execute("DELETE FROM t WHERE id = 4")
    loading.load("t")
    loading.source.execute("ALTER TABLE t MODIFY a VARCHAR(10)")
    loading.outcome("t", allow_drift=True)
    assert [("4", "four")] == loading.warehouse.rows("SELECT a, b FROM raw.t WHERE id = 4")
    loading.source.execute("UPDATE t SET b = id", "ALTER TABLE t MODIFY b INT")
    with pytest.raises(DriftRefused) as caught:
        loading.outcome("t", allow_drift=True)
    assert (
        "table `t`: 1 row of `raw.t` that the source no longer has, and that `deletes: tombstone` keeps, would lose "
        "the value of `b`, which is none of integer. Nothing was changed. Choose another `pg_type` for the column, "
        "`deletes: hard` for the table, or rename `raw.t` and run again, which loads the new shape beside it"
    ) == str(caught.value)
    loading.source.execute(
        "ALTER TABLE t MODIFY b VARCHAR(5), ADD n INT NOT NULL DEFAULT 0, DROP PRIMARY KEY"
    )
    loading.source.execute("UPDATE t SET n = id", "ALTER TABLE t ADD PRIMARY KEY (n)")
    with pytest.raises(DriftRefused) as caught:
        loading.outcome("t", allow_drift=True)
    assert (
        "table `t`: 4 rows of `raw.t` would have no value in the new primary key (`n`), or the same as another row, so "
        "nothing tells which of them `deletes: tombstone` keeps. Nothing was changed. Choose `deletes: hard` for the "
        "table, or rename `raw.t` and run again, which loads the new shape beside it"
    ) == str(caught.value)
    loading.choose(t=TableChoice(deletes="hard"))
    loading.outcome("t", allow_drift=True)
    assert [] == differences(loading.source, loading.warehouse, "t")


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_a_part_of_the_rows(loading: Loading, marts: Marts) -> None:
    """With a limit, nothing is changed that needs every row."""
    loading.source.execute("ALTER TABLE t MODIFY a VARCHAR(10)")
    plan = attrs.evolve(loading.plan("t", limit=1))
    with pytest.raises(DriftRefused):
        loading.carry_out(plan, limit=1, allow_drift=True)
    loading.source.execute("ALTER TABLE t MODIFY a INT")
    loading.outcome("t", limit=1)
    assert BEFORE == marts.read()


@pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
def test_a_table_that_somebody_altered(loading: Loading, marts: Marts) -> None:
    """What was changed by hand in the warehouse is put right by a load that reads every row."""
    choose(loading, "incremental")
    loading.warehouse.execute(
        "ALTER TABLE raw.t DROP CONSTRAINT t_pkey", "INSERT INTO raw.t SELECT * FROM raw.t"
    )
    changed(loading, marts, allow_drift=True)
    loading.warehouse.execute(
        "ALTER TABLE raw.t ADD old smallint", "UPDATE raw.t SET old = a", "DELETE FROM raw.t WHERE id = 1"
    )
    loading.outcome("t", force_full=True)
    assert [] == differences(loading.source, loading.warehouse, "t")
