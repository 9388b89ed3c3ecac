"""What a column's policy makes of values that PostgreSQL cannot hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from etlkit.config import ColumnOverride, TableChoice
from etlkit.contracts import Chunks, Commit
from etlkit.errors import ConfigurationError, ValueNotRepresentable
from etlkit.transfer.chunk import Loss
from support.loading import Loading
from support.reading import chunks_of, rows_of

ONE_KIND = pytest.mark.parametrize("source", ["mariadb-innodb"], indirect=True)
ANY_MODE = "SET sql_mode = 'ALLOW_INVALID_DATES'"


def choose(loading: Loading, policies: Mapping[str, str], **choices: str) -> None:
    """Choose policies for the columns of table `t`."""
    overrides = {name: ColumnOverride(policy=each) for name, each in policies.items()}  # type: ignore[arg-type]
    loading.choose(t=TableChoice(column_overrides=overrides, **choices))  # type: ignore[arg-type]


@pytest.fixture
def texts(loading: Loading) -> Loading:
    """A table with NUL characters, in text of two character sets."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a TEXT NOT NULL, b VARCHAR(9) CHARACTER SET cp1251, c BLOB, f TEXT)",
        f"INSERT INTO t VALUES (1, 0x610062, _cp1251 0x0098, 0x00, '{'x' * 100}'), (2, 0x00, 'b', 0x0001, ''), "
        "(3, 'c', NULL, NULL, '')",
    )
    return loading


def test_nul_characters(texts: Loading) -> None:
    """`replace` shows NUL characters, `null` drops the text, both are counted; other text and bytes stay."""
    choose(texts, {"a": "replace", "b": "null"})
    outcome = texts.outcome("t")
    assert (("a", "nul_character", 2, "replace"), ("b", "broken_text", 1, "null")) == outcome.losses
    assert [(1, "a␀b", None), (2, "␀", "b"), (3, "c", None)] == texts.there("id, a, b")
    choose(texts, {"a": "null", "b": "null"})
    assert (3, 0, 2, 0, 1) == texts.load("t")
    assert [(1, None, None), (2, None, "b"), (3, "c", None)] == texts.there("id, a, b")


@ONE_KIND
def test_every_way_to_read(texts: Loading) -> None:
    """Whether rows come packed or field by field, the warehouse gets the same bytes, and the same is counted."""
    choose(texts, {"a": "replace", "b": "null"})
    plan = texts.plan("t")
    packed, wide = chunks_of(texts, plan), chunks_of(texts, plan, group_concat_max_len=64)
    assert rows_of(packed) == rows_of(wide)
    lost = [sum((each.losses for each in way), Counter[Loss]()) for way in (packed, wide)]
    assert [{(1, "nul_character"): 2, (2, "broken_text"): 1}] * 2 == lost


def test_failing(texts: Loading) -> None:
    """Without a policy text fails; broken text fails under `replace` too, because nothing can stand for it."""
    ending = "; nothing was written; mend the source, or choose another `policy` for the column in `column_overrides`"
    choose(texts, {"a": "replace", "b": "replace"})
    with pytest.raises(ValueNotRepresentable) as caught:
        texts.load("t")
    assert (
        f"text that the source cannot convert to UTF-8 and back: t.b (1 of the values read){ending}"
        == str(caught.value)
    )
    choose(texts, {"a": "fail", "b": "null"})
    with pytest.raises(ValueNotRepresentable) as caught:
        texts.load("t")
    assert (
        f"text with a NUL character, which PostgreSQL cannot hold: t.a (2 of the values read){ending}"
        == str(caught.value)
    )


def test_dates(loading: Loading) -> None:
    """Dates that do not exist are NULL and counted, or fail the load by column and count, and nothing is written."""
    loading.source.execute(
        ANY_MODE,
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL, e DATETIME)",
        "INSERT INTO t VALUES (1, '2024-02-31', '0000-00-00'), (2, '0000-00-00', NULL), (3, '0001-01-01', NULL)",
    )
    choose(loading, {"d": "null", "e": "fail"})
    with pytest.raises(ValueNotRepresentable) as caught:
        loading.load("t")
    assert (
        "dates that do not exist: t.e (1 of the values read); nothing was written; mend the source, or choose another "
        "`policy` for the column in `column_overrides`"
    ) == str(caught.value)
    assert [] == loading.warehouse.rows("SELECT 1 FROM pg_tables WHERE schemaname = 'raw'")
    choose(loading, {"d": "null"})
    assert (("d", "invalid_date", 2, "null"), ("e", "invalid_date", 1, "null")) == loading.outcome("t").losses


@ONE_KIND
def test_a_policy_that_changed(loading: Loading) -> None:
    """What was stored by another policy is read again, although the cursor stands where it stood."""
    loading.source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v TEXT, s TIMESTAMP NOT NULL)",
        "INSERT INTO t VALUES (1, 0x6100, '2024-01-01'), (2, 'b', '2024-01-09')",
    )
    cursor = {"extraction_strategy": "incremental", "incremental_column": "s"}
    choose(loading, {"v": "null"}, **cursor)
    assert (2, 2, 0, 0, 0) == loading.load("t")
    assert (1, 0, 0, 0, 1) == loading.load("t")
    choose(loading, {"v": "replace"}, **cursor)
    assert (2, 0, 1, 0, 1) == loading.load("t")
    assert [("a␀",), ("b",)] == loading.there("v")


@ONE_KIND
def test_a_load_per_chunk(texts: Loading) -> None:
    """What a broken load counted is counted on by the load that goes on with it."""
    choose(texts, {"a": "replace", "b": "null"})
    plan = texts.plan("t", commit=Commit.PER_CHUNK, chunks=Chunks(kept_seconds=0))

    def stop(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        texts.carry_out(plan, rows_read=stop)
    assert '{"1:nul_character": 2, "2:broken_text": 1}' == texts.warehouse.value(
        "SELECT losses FROM etlkit.table_resume"
    )
    outcome = texts.carry_out(plan)
    assert (("a", "nul_character", 2, "replace"), ("b", "broken_text", 1, "null")) == outcome.losses


@ONE_KIND
def test_what_cannot_be_meant(texts: Loading) -> None:
    """A policy without an effect is refused by its place in the configuration."""
    choose(texts, {"id": "null"})
    with pytest.raises(ConfigurationError) as caught:
        texts.load("t")
    assert (
        "`tables.t.column_overrides.id.policy` is `null`, but PostgreSQL holds every value of a int; take it out"
    ) == str(caught.value)
