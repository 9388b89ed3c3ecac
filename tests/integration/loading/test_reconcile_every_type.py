"""The least change of a value in the source is found by digests in every type; its row only is read and mended."""

from __future__ import annotations

from support.comparison import differences
from support.every_type import ANY_MODE, made, tables_of
from support.loading import Loading, counts

APART = 25
"""Rows that differ are read one by one where so many equal ones are between them."""
ROWS = 320


def test_the_least_change_of_every_type(loading: Loading) -> None:
    """One bit, character, digit or NULL more or less is another digest, and everything else is left as it is."""
    made(loading, ROWS, extraction_strategy="reconcile")
    loader = loading.loader()  # which reads the catalog once: the tables stay what they are
    for table, cases in tables_of(loading.source.kind).items():
        assert (ROWS, ROWS, 0, 0, 0) == counts(loader.load_table(table))
        first = loader.load_table(table)
        assert ("equal", (0, 0, 0, 0, ROWS)) == (first.verified, counts(first))
        before = loading.versions(table)
        rows = {place * APART: name for place, name in enumerate(cases, 1)}
        loading.source.execute(
            ANY_MODE,
            *(
                f"UPDATE {table} SET `{name}` = {cases[name].changed_in(name)} WHERE id = {row}"
                for row, name in rows.items()
            ),
        )
        mended = loader.load_table(table)
        after = loading.versions(table)
        assert list(rows.values()) == [
            rows.get(row, row) for row in sorted(before) if before[row] != after[row]
        ]
        assert ("equal after repair", (len(rows), 0, len(rows), 0, ROWS - len(rows))) == (
            mended.verified,
            counts(mended),
        )
        last = loader.load_table(table)
        assert ("equal", (0, 0, 0, 0, ROWS)) == (last.verified, counts(last))
        # What is not the source's value by choice cannot be compared by plain drivers.
        replaced = [name for name, case in cases.items() if case.override and case.override.policy]
        assert [] == differences(loading.source, loading.warehouse, table, without=replaced)
