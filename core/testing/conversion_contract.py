"""What a conversion must keep, as tests to subclass: lossless or loud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from etlkit.contracts import Conversion
from etlkit.tables import TableAnalysis
from etlkit.testing.checks import check_conversion
from etlkit.testing.contract import Contract
from etlkit.testing.tables import table


class ConversionContract(Contract):
    """A conversion gives every value that it accepts the promised result, and refuses the others loudly."""

    column: ClassVar[str]
    """The column it is tried on, in one line: `SSN varchar(20)`."""
    examples: ClassVar[Sequence[tuple[Any, Any]]] = ()
    """Pairs of a value in the source and what it becomes in the warehouse, as Python's values.

    Dates that Python does not know are given as text, such as `0000-00-00`.
    """
    refused: ClassVar[Sequence[Any]] = ()
    """Values in the source that must refuse the load."""
    options: ClassVar[Mapping[str, str]] = {}
    """The options that a person would give it."""

    hook = "etlkit_conversions"
    kind = "conversion"

    @classmethod
    def shown(cls) -> TableAnalysis:
        """Give the table that the conversion is shown: a key and the column."""
        return table("contract", "id bigint not null auto_increment", cls.column)

    @classmethod
    def conversion(cls) -> Conversion:
        """Give the conversion under test, made with the options."""
        found: Conversion = cls.found(cls.registry().conversions)
        return found if found.configure is None else found.configure(cls.options, cls.shown())

    def test_the_plugin_provides_it(self) -> None:
        """The plugin yields a conversion of this name."""
        self.conversion()

    def test_it_builds_sql_for_its_column(self) -> None:
        """It names a type for the column and builds SQL for it, in the source's language."""
        check_conversion(self.conversion(), tables=[self.shown()])
