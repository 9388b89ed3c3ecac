"""What a strategy must keep, as tests to subclass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from etlkit.contracts import Strategy
from etlkit.tables import TableAnalysis
from etlkit.testing.checks import check_strategy
from etlkit.testing.contract import Contract
from etlkit.testing.tables import TABLES, table


class StrategyContract(Contract):
    """A strategy loses no row and doubles none, whatever happens between two runs and during one.

    It is tried on a table `appointment` with the columns `AptNum` (the key), `PatNum`, `AptDateTime`, `Note`, `Fee` and
    `DateTStamp`, which changes with each row that is edited.
    """

    options: ClassVar[Mapping[str, str]] = {}
    """What `tables: appointment: options:` would hold."""
    cursor: ClassVar[str | None] = "DateTStamp"
    """The column that discovery is to have chosen: `DateTStamp`, `AptNum` or, without a cursor, None."""
    columns: ClassVar[Sequence[str]] = ()
    """Further columns that the strategy needs, each in one line: `DateEntry date`."""
    tables: ClassVar[Sequence[TableAnalysis]] = ()
    """Tables of your own that its plans are checked for, beside `TABLES`."""

    hook = "etlkit_strategies"
    kind = "strategy"

    @classmethod
    def shown(cls) -> TableAnalysis:
        """Give the table that it is tried on, as discovery would show it."""
        return table(
            "appointment",
            "AptNum bigint not null",
            "PatNum bigint not null",
            "AptDateTime datetime",
            "Note varchar(100)",
            "Fee decimal(10,2)",
            "DateTStamp timestamp",
            *cls.columns,
            key="AptNum",
            cursor=cls.cursor or "",
            options=dict(cls.options),
        )

    @classmethod
    def strategy(cls) -> Strategy:
        """Give the strategy under test."""
        found: Strategy = cls.found(tuple(cls.registry().strategies.values()))
        return found

    def test_the_plugin_provides_it(self) -> None:
        """The plugin yields a strategy of this name."""
        self.strategy()

    def test_it_bids_and_plans_without_side_effects(self) -> None:
        """Bids and plans are reasoned, repeatable data, and only what can be done is planned."""
        check_strategy(self.strategy(), tables=(self.shown(), *self.tables, *TABLES))
