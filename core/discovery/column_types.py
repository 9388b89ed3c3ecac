"""The type that a column gets where it is not the plain one, and why, in a line that stands in `tables.yml`.

What a person asked for in etlkit.yml stays asked for, whatever the values say: loads refuse it. A conversion that
applies by itself does so only where every value was looked at and accepted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import attrs

from etlkit.config import SETTINGS_FILE, ColumnOverride, TableConfig
from etlkit.contracts import Effect
from etlkit.discovery.claims import Claim, Claims
from etlkit.discovery.value_evidence import Evidence
from etlkit.wording import counted

_PLAIN = ColumnOverride()


@attrs.frozen(kw_only=True)
class ColumnType:
    """What was decided of one column."""

    column: str
    """Its name."""
    override: dict[str, str] | None
    """Its part of `column_overrides`: a conversion, or nothing, which keeps a matching one from applying by itself.

    None where etlkit.yml decides.
    """
    reason: str
    """One line."""
    warning: str | None = None
    """What a person should look at; None when all is well."""


@attrs.frozen(kw_only=True)
class Looked:
    """A table's claims, and what its values say of them."""

    claims: Claims = attrs.field(factory=Claims)
    """The claims."""
    evidence: Evidence = attrs.field(factory=Evidence)
    """What the values say."""

    def decided(
        self, table: str, earlier: TableConfig | None = None, then: Collection[str] | None = None
    ) -> tuple[ColumnType, ...]:
        """Decide the types of the claimed columns.

        Args:
            table: the table's name.
            earlier: its entry in the last `tables.yml`.
            then: the columns that it had then; None where that is not known.

        Returns:
            A decision for each claim.
        """
        kept_plain = set[str]() if earlier is None else self._plain_before(earlier, then)
        return tuple(
            _asked(table, each, self.evidence)
            if each.asked or each.conversion is None
            else _by_itself(table, each, self.evidence, kept_plain=each.column.name in kept_plain)
            for each in self.claims.claims
        )

    def _plain_before(self, earlier: TableConfig, then: Collection[str] | None) -> set[str]:
        """Find the columns that may have been loaded with their plain type, be it before a conversion was there."""
        names = {each.column.name for each in self.claims.claims}
        there = names if then is None else names.intersection(then)
        return {name for name in there if earlier.column_overrides.get(name, _PLAIN) == _PLAIN}

    def warnings(self, decided: Sequence[ColumnType]) -> list[str]:
        """List what a person should look at.

        Args:
            decided: what `decided` gave.

        Returns:
            A sentence each.
        """
        found = [*self.claims.problems, *(each.warning for each in decided if each.warning is not None)]
        return found if self.evidence.trouble is None else [*found, self.evidence.trouble]


def _asked(table: str, claim: Claim, evidence: Evidence) -> ColumnType:
    name = claim.column.name
    if claim.conversion is None:
        reason = f"{claim.type}: the `pg_type` that {SETTINGS_FILE} asks for."
        return ColumnType(column=name, override=None, reason=reason)
    conversion = claim.conversion.item.name
    if claim.conversion.item.effect is Effect.ABSENT:
        reason = f"not loaded: {conversion}, as {SETTINGS_FILE} asks."
        return ColumnType(column=name, override=None, reason=reason)
    begin = f"{claim.type}: {conversion}, as {SETTINGS_FILE} asks; it"
    refused = evidence.outside.get(name, 0)
    if not refused:
        return ColumnType(
            column=name, override=None, reason=f"{begin} {_accepts(claim, evidence)}{_again(claim)}."
        )
    count = f"does not accept {_values(refused, evidence)}"
    return ColumnType(
        column=name,
        override=None,
        reason=f"{begin} {count}, so loads of the table are refused.",
        warning=f"`{table}.{name}`: conversion `{conversion}`, which {SETTINGS_FILE} asks for, {count}; loads of "
        "the table are refused; mend the source, or take the conversion out of `column_overrides`",
    )


def _by_itself(table: str, claim: Claim, evidence: Evidence, *, kept_plain: bool) -> ColumnType:
    if claim.conversion is None:
        raise ValueError("only a conversion applies by itself")
    name, conversion = claim.column.name, claim.conversion.item.name
    who = f"{conversion} of plugin {claim.conversion.plugin.name}"
    refused = evidence.outside.get(name, 0)
    if refused:
        count = f"does not accept {_values(refused, evidence)}"
        return ColumnType(
            column=name,
            override={},
            reason=f"not {claim.type}: {who} would apply by itself, but {count}.",
            warning=f"`{table}.{name}`: conversion `{conversion}` would apply by itself, but {count}; the column "
            "keeps its plain type",
        )
    accepts = _accepts(claim, evidence)
    if claim.has_proof and evidence.whole and evidence.rows:
        # Without their number, which would change the line at each analysis of a table that grows.
        accepts = "accepts the values of all rows"
    if claim.has_proof and (not evidence.whole or kept_plain):
        # What was loaded as a plain type would be refused as drift, so only a person changes it.
        why = (
            f"it {accepts}" if not evidence.whole else f"although it {accepts} now, it was not applied before"
        )
        ask = f"name it in {SETTINGS_FILE} to apply it"
        reason = f"not {claim.type}: {who} would apply by itself; {why}; {ask}."
        return ColumnType(column=name, override={}, reason=reason)
    return ColumnType(
        column=name,
        override={"conversion": conversion},
        reason=f"{claim.type}: {who} applies by itself; it {accepts}{_again(claim)}.",
    )


def _accepts(claim: Claim, evidence: Evidence) -> str:
    if not claim.has_proof:
        return "accepts every value"
    if evidence.trouble is not None:
        return "was not proven, because the values could not be looked at"
    if not evidence.rows:
        return "has met no rows yet"
    return f"accepts the values of {_rows(evidence)}"


def _again(claim: Claim) -> str:
    return "; every load proves it again" if claim.has_proof else ""


def _values(count: int, evidence: Evidence) -> str:
    return f"{count:,} of the values of {_rows(evidence)}"


def _rows(evidence: Evidence) -> str:
    if evidence.whole:
        return f"all {counted(evidence.rows, 'row')}"
    return f"the first {counted(evidence.rows, 'row')} (no more were looked at)"
