"""What a classifier must keep, as tests to subclass."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from etlkit.contracts import Classifier
from etlkit.tables import TableAnalysis
from etlkit.testing.checks import check_classifier
from etlkit.testing.contract import Contract
from etlkit.testing.tables import TABLES


class ClassifierContract(Contract):
    """A classifier answers each question in the same way: with a level, or with None."""

    levels: ClassVar[Collection[str] | None] = None
    """The levels that it may answer with; None for any."""
    tables: ClassVar[Sequence[TableAnalysis]] = ()
    """Tables of your own to show it, beside `TABLES`."""

    hook = "etlkit_classifiers"
    kind = "classifier"

    @classmethod
    def classifier(cls) -> Classifier:
        """Give the classifier under test."""
        found: Classifier = cls.found(cls.registry().classifiers)
        return found

    def test_the_plugin_provides_it(self) -> None:
        """The plugin yields a classifier of this name."""
        self.classifier()

    def test_it_answers_with_a_level_or_none_and_always_the_same(self) -> None:
        """The answer is a level or None, and the same table gets the same answer."""
        check_classifier(self.classifier(), tables=(*self.tables, *TABLES))

    def test_it_answers_with_its_own_levels_only(self) -> None:
        """Nothing but `levels` is answered: a level that nobody expects is loaded last, as `standard`."""
        for each in (*self.tables, *TABLES):
            level = self.classifier().classify(each)
            allowed = self.levels is None or level is None or level in self.levels
            names = ", ".join(f"`{name}`" for name in self.levels or ())
            self.hold(
                allowed,
                f"it answers `{level}` for table `{each.name}`, which is none of its levels ({names}); "
                "correct `classify`, or add the level to `levels`",
            )
