"""Rows are found again by a key of any type, whatever is loaded by it."""

from __future__ import annotations

from etlkit.config import TableChoice
from support.comparison import differences
from support.keys import ANY_MODE, KEYS, MARIADB_KEYS, columns_of
from support.loading import Loading, counts


def test_rows_are_found_again_by_their_key(loading: Loading) -> None:
    """An edit, a delete and a row more are carried over by key: read whole, and by digests; the rest stays."""
    keys = KEYS if loading.source.kind == "mysql56" else KEYS | MARIADB_KEYS
    # A date that does not exist cannot be a key in PostgreSQL.
    possible = {
        name: (columns, key, [each for each in values if "0000-00-00" not in each])
        for name, (columns, key, values) in keys.items()
        if "not exist" not in name
    }
    for number, (columns, key, values) in enumerate(possible.values()):
        name, rows = f"t{number}", len(values)
        numbered = ", ".join(f"({each}, {n})" for n, each in enumerate(values[1:], 1))
        loading.source.execute(
            ANY_MODE,
            f"CREATE TABLE {name} ({columns_of(columns)}, n INT NOT NULL, PRIMARY KEY ({key}))",
            f"INSERT INTO {name} VALUES {numbered}",
        )
        assert (rows - 1, rows - 1, 0, 0, 0) == loading.load(name)
        loading.source.execute(
            ANY_MODE, f"UPDATE {name} SET n = -1 WHERE n = 1", f"DELETE FROM {name} WHERE n = 2"
        )
        assert (rows - 2, 0, 1, 1, rows - 3) == loading.load(name)
        loading.choose(**{name: TableChoice(extraction_strategy="reconcile")})
        loader = loading.loader()
        loader.load_table(name)
        versions = loading.warehouse.rows(f"SELECT n, ctid FROM raw.{name} WHERE n > 3 ORDER BY n")
        loading.source.execute(
            ANY_MODE,
            f"UPDATE {name} SET n = -2 WHERE n = -1",
            f"DELETE FROM {name} WHERE n = 3",
            f"INSERT INTO {name} VALUES ({values[0]}, 0)",
        )
        mended = loader.load_table(name)
        assert (1, 1, 1) == (mended.inserted, mended.updated, mended.deleted), columns
        assert "equal after repair" == mended.verified
        assert versions == loading.warehouse.rows(f"SELECT n, ctid FROM raw.{name} WHERE n > 3 ORDER BY n")
        last = loader.load_table(name)
        assert ("equal", (0, 0, 0, 0, rows - 2)) == (last.verified, counts(last))
        assert [] == differences(loading.source, loading.warehouse, name)
