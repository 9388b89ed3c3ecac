"""Which columns may tell what changed, and why others may not."""

from __future__ import annotations

import pytest

from etlkit.discovery.analysis import as_in_catalog
from etlkit.discovery.catalog import TableFacts
from etlkit.discovery.cursors import best_cursor, cursor_candidates, judged_cursor, why_no_cursor
from etlkit.discovery.history import Usage, usage_of
from etlkit.plugins.opendental import habits
from etlkit.registry import Registry
from etlkit.tables import CursorCandidate
from support.schema_facts import facts

KEY = "Num bigint auto_increment"
BUSINESS = "is a date of the business: it may lie in the future, or never change with the row."
ENTRY = "says when a row was entered, not when it was changed; rows may be edited:"
LEDGER = "it is the ledger of care, and each procedure is edited from plan to payment"
RECORD = "notes of calls and letters are edited, and it is the record of care rather than an audit log"
NO_ENTRY = "it is named like a log, but no column says when a row was entered"
NOBODY = "nothing shows that its rows are never edited"
LATER = "looks like it is filled in later"
STAMP = "DateTStamp timestamp on update current_timestamp"
SECURITY_LOG = (
    "SecurityLogNum bigint auto_increment",
    "LogDateTime datetime",
    "DateTPrevious datetime",
    "LogText text",
)


REGISTRY = Registry.of(habits)


def usage(table: TableFacts) -> Usage:
    """What is known of how a table is used, Open Dental's habits included."""
    return usage_of(as_in_catalog(table), REGISTRY.habits)


def candidates_of(table: TableFacts) -> tuple[CursorCandidate, ...]:
    """The columns that look like cursors."""
    return cursor_candidates(table, usage(table))


def chosen(table: TableFacts) -> str | None:
    """Give the name of the cursor that is chosen without a person."""
    best = best_cursor(candidates_of(table))
    return best.column if best else None


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("AptDateTime datetime", f"AptDateTime {BUSINESS}"),
        ("DateTimeDeceased datetime", f"DateTimeDeceased {BUSINESS}"),
        ("ProcDate date", "ProcDate is a date without a time of day."),
        ("DateTStamp date", "DateTStamp is a date without a time of day."),
        ("LastUpdateTime varchar(20)", "LastUpdateTime is text, and text does not order like time."),
        ("SecDateTEntry datetime", f"SecDateTEntry {ENTRY} {NOBODY}."),
    ],
)
def test_column_is_refused_with_its_reason(column: str, reason: str) -> None:
    """Business dates, dates without time, texts and entry times of mutable tables are refused."""
    candidates = candidates_of(facts("appointment", KEY, column))
    found = next(each for each in candidates if each.column == column.split(maxsplit=1)[0])
    assert (True, 0.0, (reason,)) == (found.refused, found.score, found.reasons)


def test_column_that_the_server_stamps_is_chosen() -> None:
    """ON UPDATE CURRENT_TIMESTAMP wins over every other column, whatever it is named."""
    table = facts("claim", KEY, "SecDateTEdit datetime", "Whenever timestamp on update current_timestamp")
    assert "Whenever" == chosen(table)
    best = candidates_of(table)[0]
    expected = (
        "The server stamps Whenever at every change of a row (ON UPDATE CURRENT_TIMESTAMP).",
        "No index begins with it, so finding changes scans the table.",
    )
    assert (0.95, False, expected) == (best.score, best.indexed, best.reasons)


def test_indexed_stamp_is_preferred() -> None:
    """Of two stamps, the one that an index begins with is chosen."""
    other = "SecDateTEdit timestamp on update current_timestamp"
    table = facts("claim", KEY, STAMP, other, indexes=("Num,DateTStamp", "SecDateTEdit,Num"))
    assert "SecDateTEdit" == chosen(table)
    assert (0.99, True) == (candidates_of(table)[0].score, candidates_of(table)[0].indexed)


def test_stamp_by_name_only_is_left_to_a_person() -> None:
    """An edit time that the server does not stamp is not refused, but is not chosen without a person either."""
    table = facts("sheet", KEY, "DateTSheetEdited datetime")
    candidate = candidates_of(table)[0]
    assert (0.5, False, None) == (candidate.score, candidate.refused, chosen(table))
    assert (
        "DateTSheetEdited was not chosen: DateTSheetEdited is named like the time of the last change, but the "
        "server does not stamp it: it is as true as every program that writes the table."
    ) == why_no_cursor(candidates_of(table))


def test_key_of_a_log_is_chosen() -> None:
    """Rows of a log are only ever added, so its key tells the new ones."""
    table = facts("securitylog", *SECURITY_LOG, row_count=4_700_000, auto_increment=4_900_001)
    assert "append_only" == usage(table).frequency(as_in_catalog(table))
    assert "SecurityLogNum" == chosen(table)


def test_random_key_is_refused() -> None:
    """Keys of 19 random digits, a replication option, come in any order."""
    table = facts("securitylog", *SECURITY_LOG, row_count=500, auto_increment=7_461_001_234_567_890_124)
    refused = next(each for each in candidates_of(table) if each.column == "SecurityLogNum")
    expected = (
        "SecurityLogNum has keys that were drawn at random (500 rows, the next key would be "
        "7461001234567890124), so new rows come in anywhere."
    )
    assert (expected,) == refused.reasons
    assert "LogDateTime" == chosen(table)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (facts("procedurelog", KEY, "DateTimeEntry datetime"), LEDGER),
        (facts("commlog", KEY, "DateTimeEntry datetime"), RECORD),
        (facts("somelog", KEY, "Text text"), NO_ENTRY),
        (
            facts("promolog", KEY, "LogDateTime datetime", "PromoStatus tinyint"),
            f"it is named like a log, but PromoStatus {LATER}",
        ),
        (
            facts("otherlog", KEY, "LogDateTime datetime", "DateSeen date"),
            f"it is named like a log, but DateSeen {LATER}",
        ),
        (
            facts("somelog", KEY, "LogDateTime datetime", STAMP),
            "the server stamps changes of its rows in DateTStamp",
        ),
        (facts("dialog", KEY, "Text text"), NO_ENTRY),
    ],
)
def test_table_is_no_log_by_its_name_alone(table: TableFacts, reason: str) -> None:
    """A table is only append-only when more than its name shows it, and then no key becomes its cursor."""
    known = usage(table)
    assert (False, reason) == (known.only_added, known.why.reason)
    key = next(each for each in candidates_of(table) if each.column == "Num")
    assert key.refused


def test_history_with_an_entry_time_is_append_only() -> None:
    """The copies of rows in a history are never edited, whatever dates they carry."""
    table = facts(
        "histappointment", KEY, "HistDateTStamp datetime", "AptDateTime datetime", "DateTStamp datetime"
    )
    assert usage(table).only_added
    assert "Num" == chosen(table)


def test_person_may_ask_for_any_column() -> None:
    """A column that is no candidate is judged all the same when a person chose it."""
    table = facts("patient", KEY, "Version bigint")
    (version,) = (column for column in table.columns if column.name == "Version")
    judged = judged_cursor(table, version, usage(table))
    expected = ("Version is bigint, and nothing shows that it grows with every change.",)
    assert (True, expected) == (judged.refused, judged.reasons)


def test_frequency_is_told_by_columns() -> None:
    """Tables without points in time change rarely; the others may change at any time."""
    without = as_in_catalog(facts("definition", KEY, "ItemName varchar(255)"))
    assert ("rare", "frequent") == (
        without.update_frequency,
        as_in_catalog(facts("recall", KEY, "DateDue date")).update_frequency,
    )
