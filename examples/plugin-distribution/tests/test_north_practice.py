"""The plugin keeps its promises; no server and no installation is needed to see it."""

from __future__ import annotations

import attrs
import etlkit_north_practice
import pytest
from sqlalchemy import column
from sqlalchemy.dialects import mysql

from etlkit import Everything, Fit, PlanRefused, Refusal, TableState, Where, Write
from etlkit.testing import check_plugin, table

APPOINTMENT = table(
    "appointment",
    "AptNum bigint auto_increment",
    "AptDateTime datetime",
    options={"date_column": "AptDateTime", "days": "7"},
)
PATIENT = table("patient", "PatNum bigint auto_increment", "SSN varchar(255)")
# Checks that all of the plugin keeps etlkit's contracts, and gives what it provides.
REGISTRY = check_plugin(etlkit_north_practice, tables=[APPOINTMENT, PATIENT])


def test_the_strategy_bids_only_where_a_date_was_chosen() -> None:
    """Without the option the built-in strategies decide alone."""
    strategy = REGISTRY.strategy("recent_by_date").item
    assert Fit(cost=0.5, reason="AptDateTime says which rows are recent.") == strategy.fits(APPOINTMENT)
    assert isinstance(strategy.fits(attrs.evolve(APPOINTMENT, options={})), Refusal)
    with pytest.raises(PlanRefused):
        strategy.plan(attrs.evolve(APPOINTMENT, primary_key=()), None)


def test_the_first_load_reads_everything_and_later_ones_the_last_days() -> None:
    """A new warehouse is complete, and an old one is kept up by merging."""
    strategy = REGISTRY.strategy("recent_by_date").item
    first = strategy.plan(APPOINTMENT, None)
    later = strategy.plan(APPOINTMENT, TableState(table="appointment"))
    assert (Everything(), Write.REPLACE) == (first.read, first.write)
    assert Write.MERGE == later.write
    assert isinstance(later.read, Where)
    condition = later.read.condition(column).compile(
        dialect=mysql.dialect(), compile_kwargs={"literal_binds": True}
    )
    assert "`AptDateTime` >= adddate(curdate(), -7)" == str(condition)
    assert "AptDateTime: 7 days" == later.read.text


def test_front_desk_tables_have_a_level_of_their_own() -> None:
    """Other tables are left to the classifiers asked later."""
    [classifier] = REGISTRY.classifiers
    assert "front_desk" == classifier.item.classify(table("walkinlist"))
    assert classifier.item.classify(APPOINTMENT) is None


def test_masking_applies_by_itself_to_columns_named_ssn() -> None:
    """Nobody has to remember to mask."""
    mask = REGISTRY.conversion("mask_ssn").item
    number, ssn = PATIENT.columns
    assert mask.matches(PATIENT, ssn)
    assert not mask.matches(PATIENT, number)
    assert "text" == mask.target_type(ssn)
