"""What relationship rules, exclusions, habits and executors must keep, as tests to subclass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from etlkit.contracts import Exclusion, Executor, Habit, RelationshipRule
from etlkit.errors import PluginError
from etlkit.tables import TableAnalysis
from etlkit.testing.checks import check_exclusion, check_executor, check_habit, check_relationships
from etlkit.testing.contract import Contract
from etlkit.testing.tables import TABLES


class RelationshipContract(Contract):
    """A relationship rule answers only with tables and columns that are there, and always the same."""

    tables: ClassVar[Sequence[TableAnalysis]] = ()
    """Tables of your own to show it, beside `TABLES`."""

    hook = "etlkit_relationships"
    kind = "relationship rule"

    @classmethod
    def rule(cls) -> RelationshipRule:
        """Give the rule under test."""
        found: RelationshipRule = cls.found(cls.registry().relationships)
        return found

    def test_the_plugin_provides_it(self) -> None:
        """The plugin yields a relationship rule of this name."""
        self.rule()

    def test_it_names_what_is_there_and_always_the_same(self) -> None:
        """Each relationship is between tables and columns that were shown, and the answer does not change."""
        check_relationships(self.rule(), tables=(*self.tables, *TABLES))


class ExclusionContract(Contract):
    """An exclusion answers yes or no to each table, always the same."""

    tables: ClassVar[Sequence[TableAnalysis]] = ()
    """Tables of your own to show it, beside `TABLES`."""

    hook = "etlkit_exclusions"
    kind = "exclusion"

    @classmethod
    def exclusion(cls) -> Exclusion:
        """Give the exclusion under test."""
        found: Exclusion = cls.found(cls.registry().exclusions)
        return found

    def test_the_plugin_provides_it(self) -> None:
        """The plugin yields an exclusion of this name."""
        self.exclusion()

    def test_it_answers_yes_or_no_and_always_the_same(self) -> None:
        """The answer is True or False, and the same table gets the same answer."""
        check_exclusion(self.exclusion(), tables=(*self.tables, *TABLES))


class HabitContract(Contract):
    """A habit tells of a table what can be, or passes, always the same."""

    tables: ClassVar[Sequence[TableAnalysis]] = ()
    """Tables of your own to show it, beside `TABLES`."""

    hook = "etlkit_habits"
    kind = "habit"

    @classmethod
    def habit(cls) -> Habit:
        """Give the habit under test."""
        found: Habit = cls.found(cls.registry().habits)
        return found

    def test_the_plugin_provides_it(self) -> None:
        """The plugin yields a habit of this name."""
        self.habit()

    def test_it_tells_what_can_be_and_always_the_same(self) -> None:
        """The answer is None, or has a reason, columns of the table and no negative time, and does not change."""
        check_habit(self.habit(), tables=(*self.tables, *TABLES))


class ExecutorContract(Contract):
    """An executor loads each table once, and ends with what a load raises."""

    hook = "etlkit_executors"
    kind = "executor"

    @classmethod
    def executor(cls) -> Executor:
        """Give the executor under test."""
        found: Executor = cls.found(tuple(cls.registry().executors.values()))
        return found

    def test_the_plugin_provides_it(self) -> None:
        """The plugin yields an executor of this name."""
        self.executor()

    def test_it_loads_each_table_once_and_ends_with_a_failure(self) -> None:
        """With one worker and with several, each table is loaded once, and a load's exception ends the run."""
        try:
            check_executor(self.executor())
        except PluginError as error:
            raise AssertionError(f"executor `{self.name}`: {error}") from error
