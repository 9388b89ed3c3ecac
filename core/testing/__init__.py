"""The kit for plugin authors: contracts to subclass in tests, tables to show a plugin, and checks of one object.

Example:
    import acme_rules
    from etlkit.testing import StrategyContract

    pytest_plugins = ["etlkit.testing.fixtures"]

    class TestRecentByDate(StrategyContract):
        plugin = acme_rules
        name = "recent_by_date"
        options = {"date_column": "AptDateTime"}

Nothing here needs pytest; `etlkit.testing.fixtures`, which gives the contracts their servers, is a plugin for it.
"""

from etlkit.testing.checks import (
    check_classifier,
    check_conversion,
    check_exclusion,
    check_executor,
    check_habit,
    check_plugin,
    check_relationships,
    check_strategy,
)
from etlkit.testing.classifier_contract import ClassifierContract
from etlkit.testing.contract import Contract, Database
from etlkit.testing.conversion_contract import ConversionContract
from etlkit.testing.other_contracts import (
    ExclusionContract,
    ExecutorContract,
    HabitContract,
    RelationshipContract,
)
from etlkit.testing.strategy_contract import StrategyContract
from etlkit.testing.tables import TABLES, column, table

__all__ = [
    "TABLES",
    "ClassifierContract",
    "Contract",
    "ConversionContract",
    "Database",
    "ExclusionContract",
    "ExecutorContract",
    "HabitContract",
    "RelationshipContract",
    "StrategyContract",
    "check_classifier",
    "check_conversion",
    "check_exclusion",
    "check_executor",
    "check_habit",
    "check_plugin",
    "check_relationships",
    "check_strategy",
    "column",
    "table",
]
