"""A conversion at work on a table of its own: loads values through it, and gives what they became."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import attrs
import sqlalchemy as sa

from etlkit.config import ColumnOverride, Secret, TableChoice
from etlkit.config.masking import MaskingSettings
from etlkit.contracts import Conversion, Everything, Fit, LoadPlan, Strategy, TableState, Write
from etlkit.tables import BINARY_TYPES, INTEGER_TYPES, TEXT_TYPES, Column, TableAnalysis
from etlkit.testing.contract import Database
from etlkit.testing.source_tables import both_engines, source_column
from etlkit.testing.tables import column
from etlkit.testing.trial import Trial, registry_of_only, trial

NAME = "contract"
"""The table's name."""
KEY = "id bigint not null"
"""Its key."""
MASKING_KEY = "the key of a contract, which protects nobody"
"""The masking key of keyed conversions."""

_STRATEGY = "contract_every_row"
# Dates that do not exist can be stored then; what does not fit the column is still refused.
_MODE = "STRICT_ALL_TABLES,ALLOW_INVALID_DATES"
_DATES = ("0001-01-01", "0001-01-02", "1899-12-31", "2024-02-29", "2024-12-31", "0000-00-00", "2024-02-31")
_TEXTS = (
    "",
    " ",
    "a",
    "A",
    "a ",
    "ab",
    "ä",
    "a\tb",
    "\\N",
    "1",
    "12345",
    "12346",
    "123-45-6789",
    "123-45-6780",
)
_NUMBERS = ("0", "0.004", "0.01", "0.5", "1", "2", "-1", "1.5", "99.99", "100000")
_SAMPLES: Mapping[str, Sequence[Any]] = MappingProxyType(
    {
        **dict.fromkeys(INTEGER_TYPES, (-128, -1, 0, 1, 2, 3, 10, 100, 127)),
        **dict.fromkeys(("decimal", "float", "double"), _NUMBERS),
        **dict.fromkeys(TEXT_TYPES, _TEXTS),
        **dict.fromkeys(BINARY_TYPES, (b"", b"\0", b"a", b"b", b"\xff")),
        "date": _DATES,
        "datetime": tuple(f"{each} 12:00:00" for each in _DATES),
        "timestamp": ("1970-01-02 00:00:01", "2024-02-29 12:00:00", "2024-02-29 12:00:01"),
        "bit": (0, 1),
        "time": ("00:00:00", "00:00:01", "23:59:59", "24:00:00", "-01:00:00", "838:59:59"),
    }
)


@attrs.frozen(kw_only=True)
class ConversionTrial:
    """One conversion, its column and a table for it."""

    conversion: Conversion
    """With its options."""
    of: Column
    """The column."""
    here: sa.Table
    """The source's table."""
    source: sa.Engine
    """Whoever works in the practice."""
    warehouse: sa.Engine
    """Whoever reads the warehouse."""
    loads: Trial
    """What loads it."""

    def samples(self) -> Sequence[Any]:
        """Give values of the column's type that conversions tend to forget; not all of them fit the column."""
        return _SAMPLES.get(self.of.data_type, ())

    def fill(self, values: Sequence[Any], *, lenient: bool = False) -> None:
        """Empty the table, and give it one row a value, numbered from 0.

        Args:
            values: what the column is to hold.
            lenient: whether values that do not fit the column are left out.

        Raises:
            sqlalchemy.exc.DBAPIError: a value does not fit the column.
        """
        others = {each.name: 1 for each in self.here.columns if each.name not in {"id", self.of.name}}
        with self.source.begin() as connection:
            connection.execute(sa.text("SET SESSION sql_mode = :mode"), {"mode": _MODE})
            connection.execute(sa.delete(self.here))
            for number, value in enumerate(values):
                try:
                    row = {"id": number, self.of.name: value, **others}
                    connection.execute(sa.insert(self.here).values(row))
                except sa.exc.DBAPIError:
                    if not lenient:
                        raise

    def keep(self, numbers: Collection[int]) -> None:
        """Remove all rows but some."""
        with self.source.begin() as connection:
            connection.execute(sa.delete(self.here).where(self.here.c.id.not_in(numbers)))

    def accepted(self) -> list[int]:
        """Ask the source which rows' values the conversion accepts."""
        value = self.here.c[self.of.name]
        statement = sa.select(self.here.c.id).order_by(self.here.c.id)
        if self.conversion.accepts is not None:
            accepts = self.conversion.accepts(sa.column(self.of.name), self.of)
            statement = statement.where(sa.or_(value.is_(None), accepts))
        with self.source.connect() as connection:
            return list(connection.execute(statement).scalars())

    def different(self) -> int:
        """Count the different values in the source, byte for byte; NULL is not counted."""
        value = sa.func.hex(sa.cast(self.here.c[self.of.name], sa.LargeBinary))
        with self.source.connect() as connection:
            return connection.execute(sa.select(sa.func.count(value.distinct()))).scalar_one()

    def load(self) -> None:
        """Load the table.

        Raises:
            EtlkitError: the load failed.
        """
        self.loads.load()

    def results(self) -> dict[int, Any]:
        """Give what each row's value became, by its number."""
        if not sa.inspect(self.warehouse).has_table(NAME, schema="raw"):
            return {}
        there = sa.table(NAME, sa.column("id"), sa.column(self.of.name), schema="raw")
        with self.warehouse.connect() as connection:
            rows = connection.execute(sa.select(there.c.id, there.c[self.of.name]))
            return {row[0]: _plain(row[1]) for row in rows}


@contextmanager
def conversion_trial(
    source: Database,
    warehouse: Database,
    provided: Conversion,
    configured: Conversion,
    *,
    lines: Sequence[str],
    options: Mapping[str, str],
) -> Iterator[ConversionTrial]:
    """Make the table, and open a deployment with the conversion alone.

    Args:
        source: where the table is.
        warehouse: where it goes.
        provided: the conversion as its plugin provides it.
        configured: the same with the options.
        lines: the column and those beside it.
        options: what a person would write below `column_overrides`.

    Yields:
        The trial.
    """
    of = column(lines[0])
    registry = registry_of_only({"etlkit_conversions": [provided], "etlkit_strategies": [_EVERY_ROW]})
    choice = TableChoice(
        extraction_strategy=_STRATEGY,
        column_overrides={of.name: ColumnOverride(conversion=provided.name, options=options)},
        reconcile="never",
    )
    masking = MaskingSettings(key=Secret(MASKING_KEY))
    here = sa.Table(
        NAME,
        sa.MetaData(),
        *(source_column(line, {"id"}) for line in (KEY, *lines)),
        mysql_charset="utf8mb4",
    )
    with (
        both_engines(source, warehouse) as (mine, theirs),
        trial(source, warehouse, registry, NAME, choice, masking=masking) as loads,
    ):
        here.create(mine)
        yield ConversionTrial(
            conversion=configured, of=of, here=here, source=mine, warehouse=theirs, loads=loads
        )


def _plain(value: Any) -> Any:
    # Times with a zone are told in UTC, whatever the server's zone is.
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC)
    return value.tobytes() if isinstance(value, memoryview) else value


def _fits(_: TableAnalysis) -> Fit:
    return Fit(cost=1, reason="Reads every row.")


def _plan(shown: TableAnalysis, _: TableState | None) -> LoadPlan:
    return LoadPlan(
        table=shown.name,
        strategy=_STRATEGY,
        read=Everything(),
        write=Write.REPLACE,
        reason="Reads every row.",
    )


_EVERY_ROW = Strategy(name=_STRATEGY, summary="Reads every row.", fits=_fits, plan=_plan, whole=True)
