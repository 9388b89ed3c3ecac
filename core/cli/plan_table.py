"""How plans are shown, whichever hop they are of: a row of a table, or fields of a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from etlkit.cli import output
from etlkit.cli.output import Heading
from etlkit.contracts import Differences, Everything, LoadPlan, Read, Since, Where
from etlkit.orchestration.prediction import Certainty, Prediction
from etlkit.tables import TableAnalysis
from etlkit.wording import counted, size

_HEADINGS = [
    Heading(text="table"),
    Heading(text="importance"),
    Heading(text="strategy"),
    Heading(text="cursor"),
    Heading(text="reads"),
    Heading(text="rows", number=True),
    Heading(text="size", number=True),
    Heading(text="why"),
]


class Planned(Protocol):
    """One table's load, decided but not begun."""

    @property
    def analysis(self) -> TableAnalysis:
        """The table."""

    @property
    def plan(self) -> LoadPlan:
        """What to read, how to apply it."""

    @property
    def proof_follows(self) -> bool:
        """Whether all rows are compared by digests behind the load."""


def write_plans(plans: Iterable[Planned], predicted: Mapping[str, Prediction]) -> None:
    """Print a row for each plan.

    Args:
        plans: in order.
        predicted: by table what is read.
    """
    output.write_table(
        _HEADINGS,
        (
            (
                each.analysis.name,
                each.analysis.importance,
                each.plan.strategy,
                each.plan.cursor or "-",
                _reading(each.plan.read),
                _rows(predicted[each.analysis.name]),
                size(predicted[each.analysis.name].size),
                _why(each),
            )
            for each in plans
        ),
    )


def total(predicted: Mapping[str, Prediction]) -> str:
    """Word how much is read.

    Args:
        predicted: by table what is read.

    Returns:
        A sentence.
    """
    rows = sum(each.rows for each in predicted.values())
    whole = size(sum(each.size for each in predicted.values()))
    return f"{counted(len(predicted), 'table')}: about {counted(rows, 'row')} ({whole}) to read at most."


def fields(what: Planned, hop: str, target: str, predicted: Prediction) -> dict[str, Any]:
    """Say of a plan, for a program.

    Args:
        what: the plan.
        hop: as `TableFinished.hop`.
        target: the table that is written.
        predicted: what is read.

    Returns:
        An entry of the document, but for `drift` and `error`.
    """
    read = what.plan.read
    return {
        "table": what.analysis.name,
        "hop": hop,
        "target": target,
        "importance": what.analysis.importance,
        "strategy": what.plan.strategy,
        "cursor": what.plan.cursor,
        "read": type(read).__name__.lower(),
        "watermark": read.watermark if isinstance(read, Since) else None,
        "lookback": read.lookback if isinstance(read, Since) else None,
        "condition": read.text if isinstance(read, Where) else None,
        "write": what.plan.write.value,
        "deletes": what.plan.deletes.value,
        "commit": what.plan.commit.value,
        "predicted_rows": predicted.rows,
        "predicted_bytes": predicted.size,
        "certainty": predicted.certainty.value,
        "reason": what.plan.reason,
        "proof_follows": what.proof_follows,
    }


def refusal(table: str, hop: str, *, importance: str, strategy: str, error: str) -> dict[str, Any]:
    """Say of a table that cannot be planned, for a program.

    Args:
        table: its name.
        hop: as `TableFinished.hop`.
        importance: its level.
        strategy: its strategy.
        error: why.

    Returns:
        An entry of the document.
    """
    known: dict[str, Any] = {
        "table": table,
        "hop": hop,
        "importance": importance,
        "strategy": strategy,
        "drift": [],
        "error": error,
    }
    names = (
        "table",
        "hop",
        "importance",
        "strategy",
        "target",
        "cursor",
        "read",
        "watermark",
        "lookback",
        "condition",
        "write",
        "deletes",
        "commit",
        "predicted_rows",
        "predicted_bytes",
        "certainty",
        "reason",
        "proof_follows",
        "drift",
        "error",
    )
    return {name: known.get(name) for name in names}


def _reading(read: Read) -> str:
    match read:
        case Everything():
            return "everything"
        case Since():
            return f"since {read.watermark}"
        case Where():
            return f"where {read.text}"
        case Differences():
            return "what differs"


def _rows(prediction: Prediction) -> str:
    begin = {Certainty.EXACT: "", Certainty.ESTIMATE: "about ", Certainty.AT_MOST: "at most "}
    return f"{begin[prediction.certainty]}{prediction.rows:,}"


def _why(what: Planned) -> str:
    proof = " Then compares the digests of all rows, whose proof is due." if what.proof_follows else ""
    return f"{what.plan.reason}{proof}"
