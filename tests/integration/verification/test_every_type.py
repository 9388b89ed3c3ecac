"""A single bit or character that is wrong in the warehouse is found, in every type, and nothing else is."""

from __future__ import annotations

from support.every_type import made, tables_of
from support.loading import Loading
from support.verifying import found_in, verified_one

ROWS = 14


def test_one_wrong_value_of_every_type(loading: Loading) -> None:
    """Each is named by key and column; where PostgreSQL itself calls both values equal, too; a load mends them."""
    made(loading, ROWS)
    for table, cases in tables_of(loading.source.kind).items():
        loading.load(table)
        assert "equal" == verified_one(loading, table).verified
        # One wrong value a row, and rows before and behind that are right.
        rows = dict(enumerate(cases, 2))
        loading.warehouse.execute(
            *(
                f'UPDATE raw.{table} SET "{name}" = {cases[name].planted_in(name)} WHERE id = {row}'
                for row, name in rows.items()
            )
        )
        assert (
            f"{len(rows)} rows differ",
            dict.fromkeys(cases, 1),
            [("different", {"id": str(row)}, (name,)) for row, name in rows.items()],
        ) == found_in(verified_one(loading, table))
        assert (ROWS, 0, len(rows), 0, ROWS - len(rows)) == loading.load(table)
        assert "equal" == verified_one(loading, table).verified
