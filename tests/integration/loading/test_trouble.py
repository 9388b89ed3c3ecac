"""What the warehouse refuses is told in words, and no row's value gets out by any way."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from etlkit.config import ColumnOverride, TableChoice
from etlkit.errors import EtlkitError, ExtractionError, LoadError
from etlkit.orchestration.table_processor import TableProcessor
from support.loading import Loading

pytestmark = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)

CANARY = "Xq7canaryZ"
NUMBER = "987654321"


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that it leads back to."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def assert_silent(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """No canary is in the error, in what it leads back to, or in the logs."""
    assert [error] == list(chain(error))
    said = [str(error), repr(error), repr(error.args), *traceback.format_exception(error), caplog.text]
    for canary in (CANARY, NUMBER):
        assert [] == [each for each in said if canary in each]


def fill(loading: Loading) -> None:
    """Make and load a table whose second row holds canaries in every column."""
    loading.source.execute(
        "CREATE TABLE t (id INT NOT NULL, n INT, x VARCHAR(40) NOT NULL, d DATETIME NOT NULL, PRIMARY KEY (id, x, d))",
        f"INSERT INTO t VALUES (1, 1, 'a', '2024-01-01'), ({NUMBER}, {NUMBER}, '{CANARY}', '2024-01-01')",
    )


def as_type(column: str, pg_type: str) -> Callable[[Loading], None]:
    """Choose another type for a column."""
    choice = TableChoice(column_overrides={column: ColumnOverride(pg_type=pg_type)})
    return lambda loading: loading.choose(t=choice)


def zero_date(loading: Loading) -> None:
    """Put a date that does not exist into the key."""
    with loading.source.engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = ''")
        connection.exec_driver_sql(f"UPDATE t SET d = '0000-00-00' WHERE id = {NUMBER}")


def same_keys(loading: Loading) -> None:
    """Choose a type for the key in which two keys are one."""
    as_type("x", "integer")(loading)
    loading.source.execute(
        f"UPDATE t SET x = '{NUMBER}'", f"INSERT INTO t VALUES ({NUMBER}, 1, '0{NUMBER}', '2024-01-01')"
    )


def checked(loading: Loading) -> None:
    """Have the warehouse refuse a row."""
    loading.load("t")
    loading.warehouse.execute(
        "DELETE FROM raw.t WHERE id > 1", 'ALTER TABLE raw.t ADD CONSTRAINT "no c" CHECK (n < 9)'
    )


KEPT = "; nothing of this load was kept"
JSON = "; `pg_type: text` keeps what only the source takes for JSON"
MEND = "; mend `pg_type` in `column_overrides`, or leave it out and let the source's type decide"


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (
            same_keys,
            (
                ", constraint `t_pkey`: two rows have the same key there; their values only differ in the source's type"
                f"{KEPT} (sqlstate 23505, unique_violation)"
            ),
        ),
        (
            zero_date,
            (
                ", column `d`: a key column would be NULL; mend the row in the source, or load the table without that "
                f"key{KEPT} (sqlstate 23502, not_null_violation)"
            ),
        ),
        (
            checked,
            (
                ", constraint `no c`: a check that was added in the warehouse refused a row; drop that constraint, or "
                f"mend the row{KEPT} (sqlstate 23514, check_violation)"
            ),
        ),
        (
            as_type("n", "smallint"),
            (
                f", column `n`: a value does not fit the column's type{MEND}{KEPT} (sqlstate 22003, "
                "numeric_value_out_of_range)"
            ),
        ),
        (
            as_type("n", "varchar(3)"),
            (
                f", column `n`: a value does not fit the column's type{MEND}{KEPT} (sqlstate 22001, "
                "string_data_right_truncation)"
            ),
        ),
        (
            as_type("x", "integer"),
            (
                f", column `x`: a value is not of the column's type{MEND}{JSON}{KEPT} (sqlstate 22P02, "
                "invalid_text_representation)"
            ),
        ),
        (
            as_type("x", "date"),
            (
                f", column `x`: a value is not of the column's type{MEND}{KEPT} (sqlstate 22007, "
                "invalid_datetime_format)"
            ),
        ),
        (
            as_type("n", "nosuchtype"),
            (
                ": the type does not exist there; mend `pg_type` in `column_overrides`"
                f"{KEPT} (sqlstate 42704, undefined_object)"
            ),
        ),
    ],
)
def test_no_value_gets_out(
    loading: Loading, caplog: pytest.LogCaptureFixture, prepare: Callable[[Loading], None], words: str
) -> None:
    """Whatever the warehouse refuses, the error holds a sentence and a place, and leads back to nothing."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
    fill(loading)
    prepare(loading)
    with pytest.raises(LoadError) as caught:
        loading.load("t")
    assert f"warehouse table `raw.t`{words}" == str(caught.value)
    assert_silent(caught.value, caplog)
    outcome = TableProcessor(loading.deployment.discovery, loading.loader()).process_table("t")
    assert str(caught.value) == outcome.error
    assert 0 == loading.warehouse.value(
        f"SELECT count(*) FROM etlkit.table_loads AS l WHERE l::text LIKE '%{CANARY}%' OR l::text LIKE '%{NUMBER}%'"
    )
    assert CANARY not in caplog.text


@pytest.mark.shows_canaries(reason="an error that is not etlkit's own has one, and is passed on as it is")
def test_the_sources_trouble_is_told_as_such(loading: Loading) -> None:
    """A read that fails in the middle of a COPY is told as what it is, not as a COPY that failed."""
    fill(loading)
    plan = loading.plan("t")
    loading.source.execute("ALTER TABLE t DROP n")
    with pytest.raises(ExtractionError) as caught:
        loading.carry_out(plan)
    assert (
        "table `t`: a column is gone; run `etlkit analyze`, the table was altered (source error 1054)"
        == str(caught.value)
    )

    def fail(_: int) -> None:
        raise EtlkitError(f"stands for anything, {CANARY}")

    with pytest.raises(EtlkitError) as failed:
        loading.carry_out(loading.plan("t"), rows_read=fail)
    assert (f"stands for anything, {CANARY}", None) == (str(failed.value), failed.value.__context__)
    assert None is loading.warehouse.value("SELECT to_regclass('raw.t')")


def test_a_lock_on_the_table(loading: Loading) -> None:
    """A table that somebody keeps locked is told when the lock timeout ends."""
    fill(loading)
    loading.load("t")
    loading.source.execute("UPDATE t SET n = 2 WHERE id = 1")
    with loading.engine.connect() as connection:
        connection.exec_driver_sql("SET lock_timeout = 1")
        connection.commit()
    with loading.warehouse.engine.begin() as reader:
        reader.execute(text("LOCK TABLE raw.t IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(LoadError) as caught:
            loading.load("t")
    assert (
        "warehouse table `raw.t`: somebody else holds a lock on the table; run again when it is free; nothing of this "
        "load was kept (sqlstate 55P03, lock_not_available)"
    ) == str(caught.value)
    assert (2, 0, 1, 0, 1) == loading.load("t")


def test_a_read_only_warehouse(loading: Loading) -> None:
    """A warehouse that only answers is told."""
    fill(loading)
    loading.warehouse.execute(
        f"ALTER DATABASE {loading.warehouse.name} SET default_transaction_read_only = on",
    )
    loading.engine.dispose()
    with pytest.raises(LoadError) as caught:
        loading.load("t")
    assert (
        "warehouse table `raw.t`: the warehouse is read-only; connect to its primary server; nothing of this load was "
        "kept (sqlstate 25006, read_only_sql_transaction)"
    ) == str(caught.value)
