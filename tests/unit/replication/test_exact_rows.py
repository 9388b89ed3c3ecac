"""Rows that are fetched field by field for a replica get the frame that their source would have given them."""

from __future__ import annotations

import pytest

from etlkit.errors import ExtractionError, PlanRefused
from etlkit.replication.reading import FramedRows
from etlkit.replication.rendering import render_exactly
from etlkit.tables import Column, TableAnalysis


def analysed(*columns: Column) -> TableAnalysis:
    """A table with these columns."""
    return TableAnalysis(name="t", columns=columns)


TEXT = Column(name="a", data_type="longtext", column_type="longtext", charset="utf8mb4")
LATIN = Column(name="b", data_type="text", column_type="text", charset="latin1")
BLOB = Column(name="c", data_type="longblob", column_type="longblob")


def test_the_frame() -> None:
    """Bytes become digits, text stays as it is, and NULL is its mark."""
    rows = FramedRows(render_exactly(analysed(TEXT, LATIN, BLOB), "d"))
    rows.add(["é\0\n", b"\xe9", b""])
    rows.add([b"\xfd", None, None])
    text, count = rows.take()
    assert (b"\xc3\xa9\0\n\xffE9\xff\xfe\xfd\xff\xfd\xff\xfd\xfe", 2) == (text.data, count)


@pytest.mark.parametrize("value", [b"a\xfe", b"\xff", b"\xfd\xfd"])
def test_bytes_that_are_no_text(value: bytes) -> None:
    """A text whose bytes would be taken for the frame's cannot be passed on, and is not passed on as another one."""
    rows = FramedRows(render_exactly(analysed(TEXT), "d"))
    with pytest.raises(ExtractionError) as caught:
        rows.add([value])
    assert (
        "table `t`: column `a` holds bytes that are no text in its character set; mend the value in the source"
    ) == str(caught.value)


def test_a_value_that_the_source_cannot_send() -> None:
    """A field without a value is one that was too large, since NULL has its own mark."""
    rows = FramedRows(render_exactly(analysed(TEXT), "d"))
    with pytest.raises(ExtractionError) as caught:
        rows.add([None])
    assert (
        "table `t`: column `a` holds a value larger than the source can send; raise max_allowed_packet on the source"
    ) == str(caught.value)


def test_an_unknown_type() -> None:
    """A type that is not known here is not copied by a guess."""
    with pytest.raises(PlanRefused) as caught:
        render_exactly(analysed(Column(name="v", data_type="vector", column_type="vector(3)")), "d")
    assert (
        "table `t`: column `v` is a vector, a type that etlkit cannot copy to a replica; leave the table out by "
        "`--exclude`"
    ) == str(caught.value)


def test_the_salt() -> None:
    """Digests are the same whatever a table and its database are called, and others for other columns."""
    one = render_exactly(analysed(TEXT), "d", digests=True)
    other = render_exactly(TableAnalysis(name="side", columns=(TEXT,)), "e", digests=True)
    assert one.salt == other.salt
    assert one.salt != render_exactly(analysed(BLOB), "d", digests=True).salt
    assert render_exactly(analysed(TEXT), "d").salt is None
