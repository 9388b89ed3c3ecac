"""`etlkit verify`: proves that tables of the warehouse equal their source, or says what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from etlkit.cli import options, output
from etlkit.cli.output import Heading
from etlkit.cli.values import WholeNumber
from etlkit.errors import DifferencesFound, NotChecked
from etlkit.events import REPLICA, WAREHOUSE
from etlkit.orchestration.deployment import Deployment
from etlkit.verification.results import DIFFERENT, Difference, TableVerification, Verification
from etlkit.verification.verify import Verify, VerifyRequest
from etlkit.wording import counted


def _headings(hop: str) -> list[Heading]:
    return [
        Heading(text="table"),
        Heading(text="way"),
        Heading(text="checked", number=True),
        Heading(text=f"missing in {hop}", number=True),
        Heading(text="missing in source", number=True),
        Heading(text="different", number=True),
        Heading(text="seconds", number=True),
        Heading(text="verified"),
    ]


@click.command()
@options.common
@options.as_json
@options.tables
@options.locked
@options.no_plugin
@options.option(
    "--deep",
    is_flag=True,
    help="Compare every column of every row, also of tables that can be compared by digests.",
)
@options.option(
    "--sample",
    type=WholeNumber(1, options.MOST_ROWS),
    metavar="ROWS",
    help="Compare every column of so many rows of each table, chosen at random, and the number of rows.",
)
@options.option("--show-values", is_flag=True, help="Show the beginnings of the values that differ.")
def verify(
    *,
    folder: Path,
    as_json: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    locked: bool,
    no_plugin: tuple[str, ...],
    deep: bool,
    sample: int | None,
    show_values: bool,
) -> None:
    """Compare the warehouse with the source.

    Tables whose rows are kept with digests are compared by them: the source sums them up, and only rows that differ
    are read. Of the others, and with --deep of all, every row is read once more, and PostgreSQL compares every column
    byte by byte. With a replica, the replica is compared with the source by definition, count and digests, and the
    warehouse with the replica. Nothing is written. Exits with 4 when a table differs, with 3 when one could not be
    compared.
    """
    if deep and sample is not None:
        raise click.UsageError("--deep compares every row and --sample only some: give one of them.")
    request = VerifyRequest(select=select, exclude=exclude, deep=deep, sample=sample, values=show_values)
    with Deployment.opened(folder, locked=locked, no_plugin=no_plugin) as deployment:
        found = Verify(deployment=deployment, request=request).carry_out()
    if as_json:
        output.write_json(
            {"tables": [_document(each) for each in found.tables], "exit_code": found.exit_code}
        )
    else:
        _print(found)
    _leave(found)


def _leave(found: Verification) -> None:
    tables = counted(len({each.table for each in found.tables}), "table")
    differ = len({each.table for each in found.tables if each.differs})
    unchecked = len({each.table for each in found.tables if each.reason is not None})
    words = []
    if differ:
        words.append(f"{differ} of {tables} {'differs' if differ == 1 else 'differ'}")
    if unchecked:
        were = "was" if unchecked == 1 else "were"
        words.append(f"{unchecked} of {tables} {were} not checked")
    if words:
        kind = DifferencesFound if differ else NotChecked
        raise kind("; ".join(words))


def _print(found: Verification) -> None:
    copies = [each for each in found.tables if each.hop == REPLICA]
    loads = [each for each in found.tables if each.hop != REPLICA]
    if copies:
        output.say("The replica against the source:", "")
        _print_hop(REPLICA, copies)
        output.say("", "The warehouse against the replica:", "")
    _print_hop(WAREHOUSE, loads)


def _print_hop(hop: str, tables: Sequence[TableVerification]) -> None:
    output.write_table(_headings(hop), (_row(each) for each in tables))
    for each in tables:
        lines = list(_details(each))
        if lines:
            output.say("", f"{each.table}:", *(f"  {line}" for line in lines))


def _row(found: TableVerification) -> tuple[str, ...]:
    if found.reason is not None:
        return found.table, "-", "-", "-", "-", "-", f"{found.seconds:,.2f}", found.verified
    of = f" of {found.rows:,}" if found.checked != found.rows else ""
    counts = (found.missing_in_warehouse, found.missing_in_source, found.different)
    return (
        found.table,
        found.way or "-",
        f"{found.checked:,}{of}",
        *(f"{each:,}" for each in counts),
        f"{found.seconds:,.2f}",
        found.verified,
    )


def _details(found: TableVerification) -> Iterator[str]:
    yield from found.definition
    for name, why in found.not_compared.items():
        yield f"column `{name}` is not compared: {why}"
    if found.examined is not None and found.examined < found.differing:
        yield f"compared column by column: {found.examined:,} of {counted(found.differing, 'row')}"
    if found.differing and found.newer:
        it = "it" if found.newer == 1 else "them"
        yield f"newer than the last load: {counted(found.newer, 'row')}; the next run reads {it}"
    for name, rows in found.columns.items():
        yield f"column `{name}` differs in {counted(rows, 'row')}"
    for each in found.differences:
        yield _described(each)
    more = found.differing - len(found.differences)
    if found.differences and more > 0:
        yield f"and {counted(more, 'row')} more"


def _described(difference: Difference) -> str:
    key = ", ".join(
        f"`{name}` {'(not shown)' if value is None else value}" for name, value in difference.key.items()
    )
    if difference.kind != DIFFERENT:
        return f"{key}: {difference.kind}"
    if difference.values is None:
        return f"{key}: {', '.join(f'`{name}`' for name in difference.columns)}"
    shown = (
        f"`{name}` is {_quoted(ours)} in the source, {_quoted(theirs)} in the warehouse"
        for name, (ours, theirs) in difference.values.items()
    )
    return f"{key}: {'; '.join(shown)}"


def _quoted(value: str | None) -> str:
    return "NULL" if value is None else repr(value)


def _document(found: TableVerification) -> dict[str, Any]:
    return {
        "table": found.table,
        "hop": found.hop,
        "verified": found.verified,
        "way": found.way,
        "rows": found.rows,
        "checked": found.checked,
        f"missing_in_{found.hop}": found.missing_in_warehouse,
        "missing_in_source": found.missing_in_source,
        "different": found.different,
        "kept": found.kept,
        "newer_than_last_load": found.newer,
        "examined": found.differing if found.examined is None else found.examined,
        "columns": dict(found.columns),
        "not_compared": dict(found.not_compared),
        "differences": [_difference(each) for each in found.differences],
        "seconds": found.seconds,
        **({"definition": list(found.definition)} if found.hop == REPLICA else {}),
    }


def _difference(found: Difference) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": found.kind, "key": dict(found.key), "columns": list(found.columns)}
    if found.values is not None:
        said["values"] = {
            name: {"source": ours, "warehouse": theirs} for name, (ours, theirs) in found.values.items()
        }
    return said
