"""The built-in plugins keep the contracts that etlkit asks of anybody's."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import importlib
import importlib.metadata
import sys
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from etlkit.hookspecs import GROUP
from etlkit.plugins.conversions import builtin, masking
from etlkit.plugins.opendental import booleans, times
from etlkit.plugins.strategies import (
    chunked_incremental,
    full_table,
    incremental,
    reconcile,
    streaming_incremental,
)
from etlkit.providers import Provided
from etlkit.registry import Registry
from etlkit.testing import (
    ClassifierContract,
    Contract,
    ConversionContract,
    ExclusionContract,
    ExecutorContract,
    HabitContract,
    RelationshipContract,
    StrategyContract,
)
from etlkit.testing.conversion_trial import MASKING_KEY

HASHED = hmac.new(MASKING_KEY.encode(), b"123-45-6789", hashlib.sha256).hexdigest()
PURE = {
    "classifiers": ClassifierContract,
    "relationships": RelationshipContract,
    "exclusions": ExclusionContract,
    "habits": HabitContract,
    "executors": ExecutorContract,
}
"""Contracts that need nothing but the name of what they are for."""
LEVELS = ("critical", "important", "reference", "audit", "standard")


class TestFullTable(StrategyContract):
    """Reads everything."""

    plugin = full_table
    name = "full_table"


class TestIncremental(StrategyContract):
    """Follows a time."""

    plugin = incremental
    name = "incremental"


class TestIncrementalByNumber(StrategyContract):
    """Follows the key, which tells new rows and no edits."""

    plugin = incremental
    name = "incremental"
    cursor = "AptNum"
    # These ask what a number does not show, or nothing of cursors.
    test_a_wide_table_is_read_in_bounded_chunks = None
    test_rows_without_a_watermark_arrive = None
    test_a_key_of_two_columns = None
    test_a_table_without_key_is_served_or_refused = None


class TestChunkedIncremental(StrategyContract):
    """Follows a time, and goes on behind the last chunk after a crash."""

    plugin = chunked_incremental
    name = "chunked_incremental"


class TestStreamingIncremental(StrategyContract):
    """Follows a time, in one stream."""

    plugin = streaming_incremental
    name = "streaming_incremental"


class TestChunkedIncrementalOnMyISAM(StrategyContract):
    """The oldest server, and an engine that has no snapshots: what changes during a run is seen in part."""

    plugin = chunked_incremental
    name = "chunked_incremental"
    engine = "MyISAM"

    @pytest.fixture
    def source_kind(self) -> str:
        """The oldest server."""
        return "mysql56"


class TestReconcile(StrategyContract):
    """Compares digests."""

    plugin = reconcile
    name = "reconcile"


class TestTinyintToBoolean(ConversionContract):
    """0 and 1, and nothing else."""

    plugin = builtin
    name = "tinyint_to_boolean"
    column = "IsHidden tinyint"
    examples = ((0, False), (1, True))
    refused = (2, -1, 127)


class TestDecimalRound(ConversionContract):
    """Two digits behind the point."""

    plugin = builtin
    name = "decimal_round"
    column = "ProcFee double"
    examples = (("0.004", Decimal("0.00")), ("-1.126", Decimal("-1.13")), ("99.999", Decimal("100.00")))
    refused = ("1e16", "-1e300")


class TestMinDateToNull(ConversionContract):
    """Open Dental's way to say that there is no date."""

    plugin = builtin
    name = "min_date_to_null"
    column = "Birthdate date"
    examples = (("0001-01-01", None), ("0001-01-02", dt.date(1, 1, 2)), ("2024-02-29", dt.date(2024, 2, 29)))
    refused = ("0000-00-00", "2024-02-31")


class TestMinDateToNullOnMySQL56(TestMinDateToNull):
    """The oldest server gives the same."""

    test_null_is_handled = None
    test_different_values_stay_different = None

    @pytest.fixture
    def source_kind(self) -> str:
        """The oldest server."""
        return "mysql56"


class TestZeroToNull(ConversionContract):
    """0 refers to nothing."""

    plugin = builtin
    name = "zero_to_null"
    column = "ClinicNum bigint unsigned"
    examples = ((0, None), (1, 1), (18446744073709551615, 18446744073709551615))


class TestOpenDentalBoolean(ConversionContract):
    """0 and 1, and nothing else."""

    plugin = booleans
    name = booleans.NAME
    column = "IsHidden tinyint"
    examples = ((0, False), (1, True))
    refused = (2, 127)


class TestTimeOfDay(ConversionContract):
    """What a clock shows."""

    plugin = times
    name = "time_of_day"
    column = "StartTime time"
    examples = (("00:00:00", dt.time(0, 0)), ("23:59:59", dt.time(23, 59, 59)))
    refused = ("24:00:00", "-00:00:01")


class TestMinutesToInterval(ConversionContract):
    """A length in minutes."""

    plugin = times
    name = "minutes_to_interval"
    column = "Minutes int"
    examples = ((0, dt.timedelta(0)), (-90, dt.timedelta(minutes=-90)))


class TestSecondsToInterval(ConversionContract):
    """A length in seconds."""

    plugin = times
    name = "seconds_to_interval"
    column = "Seconds int"
    examples = ((0, dt.timedelta(0)), (90, dt.timedelta(seconds=90)))


class TestPatternToInterval(ConversionContract):
    """A length in steps."""

    plugin = times
    name = "pattern_to_interval"
    column = "Pattern varchar(255)"
    options: ClassVar = {"minutes": "10"}
    examples = (("", dt.timedelta(0)), ("//XX/", dt.timedelta(minutes=50)))
    refused = ("//XX?",)


class TestMask(ConversionContract):
    """Covers all but the end."""

    plugin = masking
    name = "mask"
    column = "SSN varchar(20)"
    options: ClassVar = {"visible": "4"}
    examples = (("", ""), ("1234567", "XXXX"), ("123-45-6789", "XXXX6789"))


class TestHmac(ConversionContract):
    """Hashes, and keeps values apart."""

    plugin = masking
    name = "hmac"
    column = "SSN varchar(20)"
    examples = (("123-45-6789", HASHED),)


class TestDateShift(ConversionContract):
    """Moves dates, all of a patient by the same days."""

    plugin = masking
    name = "date_shift"
    column = "Birthdate date"
    columns = ("PatNum bigint",)
    options: ClassVar = {"days": "1"}
    examples = (("0001-01-01", dt.date(1, 1, 1)), ("2024-03-01", dt.date(2024, 2, 29)))


class TestYear(ConversionContract):
    """Keeps the year."""

    plugin = masking
    name = "year"
    column = "Birthdate date"
    examples = (("0001-01-01", dt.date(1, 1, 1)), ("2024-03-01", dt.date(2024, 1, 1)))


class TestZip3(ConversionContract):
    """Keeps three digits."""

    plugin = masking
    name = "zip3"
    column = "Zip varchar(100)"
    examples = (("03601", "000"), ("97301-1234", "973"), ("somewhere", ""))


class TestNull(ConversionContract):
    """Keeps nothing."""

    plugin = masking
    name = "null"
    column = "SSN varchar(20)"
    examples = (("123-45-6789", None),)


def _pure_contracts() -> None:
    """Make a contract for each of the other things that etlkit's own plugins provide."""
    for entry in importlib.metadata.entry_points(group=GROUP):
        if entry.dist is None or entry.dist.name != "etlkit-core":
            continue
        module = importlib.import_module(entry.value)
        registry = Registry.of(module)
        for kind, contract in PURE.items():
            provided = getattr(registry, kind)
            for each in provided.values() if isinstance(provided, dict | MappingProxyType) else provided:
                name = each.item.name
                title = f"Test{name.title().replace('_', '')}Of{kind.title()}"
                levels = {"levels": LEVELS} if contract is ClassifierContract else {}
                globals()[title] = type(title, (contract,), {"plugin": module, "name": name, **levels})


_pure_contracts()


def test_everything_that_is_built_in_keeps_a_contract() -> None:
    """Each strategy and conversion has a contract above; those that compute nothing need none."""
    tested = {each.name for each in vars(sys.modules[__name__]).values() if _is_contract(each)}
    registry = Registry.load()
    strategies = {name for name, each in registry.strategies.items() if _is_own(each)}
    conversions = {each.item.name for each in registry.conversions if _is_own(each)}
    assert set() == strategies - tested
    assert {"keep", "drop"} == conversions - tested


def _is_contract(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Contract) and value.__name__.startswith("Test")


def _is_own(each: Provided[Any]) -> bool:
    return each.plugin.distribution == "etlkit-core"
