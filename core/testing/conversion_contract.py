"""What a conversion must keep, as tests to subclass: lossless or loud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from etlkit.contracts import Conversion
from etlkit.errors import ConversionRefused, EtlkitError, ExtractionError, PlanRefused
from etlkit.tables import TableAnalysis
from etlkit.testing.checks import check_conversion
from etlkit.testing.contract import Contract, Database
from etlkit.testing.conversion_trial import KEY, NAME, ConversionTrial, conversion_trial
from etlkit.testing.tables import TABLES, table


class ConversionContract(Contract):
    """A conversion gives every value that it accepts the promised result, and refuses the others loudly.

    It is tried on a table `contract` with the key `id`, the column, and further ones that it may need.
    """

    column: ClassVar[str]
    """The column it is tried on, in one line: `SSN varchar(20)`."""
    examples: ClassVar[Sequence[tuple[Any, Any]]] = ()
    """Pairs of a value in the source and what it becomes in the warehouse, as Python's values.

    Dates that Python does not know are given as text, such as `0000-00-00`.
    """
    refused: ClassVar[Sequence[Any]] = ()
    """Values in the source that must refuse the load."""
    columns: ClassVar[Sequence[str]] = ()
    """Further columns that it needs, each in one line; all their values are 1."""
    options: ClassVar[Mapping[str, str]] = {}
    """The options that a person would give it."""

    hook = "etlkit_conversions"
    kind = "conversion"

    @classmethod
    def shown(cls) -> TableAnalysis:
        """Give the table that the conversion is shown: a key and the columns."""
        return table(NAME, KEY, cls.column, *cls.columns, key="id")

    @classmethod
    def provided(cls) -> Conversion:
        """Give the conversion under test, as the plugin provides it."""
        found: Conversion = cls.found(cls.registry().conversions)
        return found

    @classmethod
    def conversion(cls) -> Conversion:
        """Give the conversion under test, made with the options."""
        found = cls.provided()
        return found if found.configure is None else found.configure(cls.options, cls.shown())

    def test_the_plugin_provides_it(self) -> None:
        """The plugin yields a conversion of this name."""
        self.provided()

    def test_it_builds_sql_for_its_column(self) -> None:
        """It names a type for the column and builds SQL for it, in the source's language."""
        check_conversion(self.conversion(), tables=[table(NAME, self.column)])

    def test_a_column_that_it_cannot_serve_is_refused_in_words(self) -> None:
        """For columns of every type it names a type or raises `PlanRefused`, and nothing else."""
        conversion = self.conversion()
        for each in TABLES:
            for of in each.columns:
                try:
                    conversion.target_type(of)
                except PlanRefused as refusal:
                    self.hold(
                        bool(str(refusal).strip()), f"it refuses a {of.data_type} without a word; say why"
                    )
                except Exception as failure:
                    raise AssertionError(
                        f"conversion `{self.name}`: `target_type` raises {type(failure).__name__} for a "
                        f"{of.data_type}, where it should name a type or raise `PlanRefused` with what is lacking"
                    ) from failure

    def test_each_example_becomes_what_is_promised(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """Each value of `examples` arrives in the warehouse as the value beside it, and of its type."""
        self.hold(bool(self.examples), "there are no `examples`; give pairs of a value and what it becomes")
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            trial.fill([value for value, _ in self.examples])
            self._load(trial, "the values of `examples`")
            results = trial.results()
            for number, (value, expected) in enumerate(self.examples):
                actual = results[number]
                # True equals 1 in Python, and is another value in PostgreSQL.
                same = actual == expected and isinstance(actual, bool) == isinstance(expected, bool)
                self.hold(
                    same,
                    f"{value!r} became {actual!r}, and `examples` promises {expected!r}; correct `source_sql`, "
                    "`target_type` or the example",
                )

    def test_null_is_handled(self, etlkit_source: Database, etlkit_warehouse: Database) -> None:
        """NULL stays NULL, unless `examples` say what becomes of it, and never refuses a load."""
        expected = dict(self.examples[number] for number in self._nulls()).get(None)
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            if not trial.of.nullable:
                return
            trial.fill([None])
            self._load(trial, "NULL")
            actual = trial.results()[0]
            self.hold(
                actual == expected,
                f"NULL became {actual!r} instead of {expected!r}; let `source_sql` give NULL for NULL, or add "
                "`(None, ...)` to `examples`",
            )

    def test_what_it_does_not_accept_refuses_the_load(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """Each value of `refused` stops the load in the source, and nothing of the table arrives."""
        if not self.refused:
            return
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            for value in self.refused:
                trial.fill([*(example for example, _ in self.examples), value])
                try:
                    trial.load()
                except ConversionRefused:
                    self.hold(not trial.results(), f"{value!r} refused a load that has written already")
                    continue
                except EtlkitError as error:
                    raise AssertionError(
                        f"conversion `{self.name}`: {value!r} broke the load instead of refusing it: {error}; let "
                        "`accepts` give false for it"
                    ) from error
                became = trial.results()[len(self.examples)]
                self.hold(
                    False,
                    f"{value!r} became {became!r} without a word, and `refused` promises that it refuses the load; let "
                    "`accepts` give false for it",
                )

    def test_what_it_accepts_fits_its_type(self, etlkit_source: Database, etlkit_warehouse: Database) -> None:
        """Values of the column's type that it accepts can be stored as its `target_type`."""
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            self._fill_with_accepted(trial)
            self._load_what_can_be(trial)

    def test_different_values_stay_different(
        self, etlkit_source: Database, etlkit_warehouse: Database
    ) -> None:
        """When it says `lossless`, values that differ in the source differ in the warehouse."""
        if not self.conversion().lossless:
            return
        with self._tried(etlkit_source, etlkit_warehouse) as trial:
            self._fill_with_accepted(trial)
            self._load_what_can_be(trial)
            here = trial.different()
            there = len({repr(value) for value in trial.results().values() if value is not None})
            self.hold(
                here == there,
                f"it says `lossless=True`, and {here} different values became {there}; set `lossless=False`, or let "
                "`accepts` give false for those that it cannot keep apart",
            )

    @classmethod
    def _nulls(cls) -> list[int]:
        return [number for number, (value, _) in enumerate(cls.examples) if value is None]

    @classmethod
    @contextmanager
    def _tried(cls, source: Database, warehouse: Database) -> Iterator[ConversionTrial]:
        lines = (cls.column, *cls.columns)
        with conversion_trial(
            source, warehouse, cls.provided(), cls.conversion(), lines=lines, options=cls.options
        ) as trial:
            yield trial

    @classmethod
    def _load(cls, trial: ConversionTrial, what: str) -> None:
        try:
            trial.load()
        except EtlkitError as error:
            raise AssertionError(
                f"conversion `{cls.name}`: a load of {what} failed: {error}; let `accepts` give true for them, and "
                "`source_sql` what PostgreSQL reads as `target_type`"
            ) from error

    @classmethod
    def _fill_with_accepted(cls, trial: ConversionTrial) -> None:
        trial.fill([*(value for value, _ in cls.examples), *trial.samples()], lenient=True)
        trial.keep(trial.accepted())

    @classmethod
    def _load_what_can_be(cls, trial: ConversionTrial) -> None:
        """Load the rows; those whose values the source itself refuses are left out."""
        try:
            trial.load()
        except EtlkitError:
            good = []
            values = [*(value for value, _ in cls.examples), *trial.samples()]
            for number in trial.accepted():
                trial.fill([values[number]])
                try:
                    trial.load()
                except ExtractionError:
                    # Loud: the source named the column and the rule.
                    continue
                except EtlkitError as error:
                    raise AssertionError(
                        f"conversion `{cls.name}`: {values[number]!r} is accepted, and breaks the load: {error}; let "
                        "`accepts` give false for it, or `source_sql` what PostgreSQL reads as `target_type`"
                    ) from error
                good.append(number)
            trial.fill(values, lenient=True)
            trial.keep(good)
            cls._load(trial, "what was loaded one by one")
