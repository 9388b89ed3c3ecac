"""Whether the policy lets a table's shape follow its source, and in words what is refused and which ways lead on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from etlkit.config import DriftSettings
from etlkit.errors import DriftRefused
from etlkit.loading.drift import Drift, listed
from etlkit.loading.renames import Rename
from etlkit.loading.target import OWN_COLUMNS, TargetTable

_IN_EVERY_RUN: Mapping[str, str] = {
    "add_column: evolve": "adds new columns",
    "widen: evolve": "widens columns",
    "narrow: keep": "keeps columns as wide as they are",
    "drop_column: keep": "keeps columns that are gone, marked",
    "rename: keep": "keeps the old column, and adds the new one beside it",
}


@attrs.frozen(kw_only=True)
class Refusal:
    """One part of a difference that is not carried over unasked."""

    what: str
    """What is there and what is wanted."""
    done: str
    """What `--allow-drift` does, such as "widens `a`"."""
    setting: str | None = None
    """What lets it happen in every run, where there is such a thing; a key of what the message explains."""


def permitted(
    drift: Drift,
    policy: DriftSettings,
    target: TargetTable,
    *,
    allow: bool = False,
    accepted: Mapping[str, str] | None = None,
    renames: Sequence[Rename] = (),
) -> Drift:
    """Let a difference be settled, or refuse it.

    Args:
        drift: the difference.
        policy: the deployment's.
        target: the table.
        allow: whether everything is allowed, for this run.
        accepted: columns that were kept wider than these types by an earlier run, which is not asked again.
        renames: columns that look renamed, as the difference has it.

    Returns:
        The difference.

    Raises:
        DriftRefused: the policy refuses a part of it; the message lists every part and the ways on.
    """
    found = [] if allow else refusals(drift, policy, target, accepted=accepted, renames=renames)
    if found:
        raise DriftRefused(message_of(found, target))
    return drift


def refusals(
    drift: Drift,
    policy: DriftSettings,
    target: TargetTable,
    *,
    accepted: Mapping[str, str] | None = None,
    renames: Sequence[Rename] = (),
) -> list[Refusal]:
    """Find what the policy refuses of a difference.

    Args:
        drift: the difference.
        policy: the deployment's.
        target: the table.
        accepted: as for `permitted`.
        renames: as for `permitted`.

    Returns:
        One for each part.
    """
    there = f"in `{target}`"
    found = [
        Refusal(what=each.words, done=f"renames `{each.old}` to `{each.new}` there", setting="rename: keep")
        for each in renames
    ]
    if policy.add_column == "refuse":
        found += [
            Refusal(
                what=f"column `{name}`: {kind}, new in the source",
                done=f"adds `{name}`",
                setting="add_column: evolve",
            )
            for name, kind in drift.added.items()
            if _of_source(name)
        ]
    if policy.widen == "refuse":
        found += [
            Refusal(
                what=f"column `{name}`: {drift.there.types[name]} {there}, the wider {kind} in the source",
                done=f"widens `{name}`",
                setting="widen: evolve",
            )
            for name, kind in drift.widened.items()
        ]
    if policy.narrow == "refuse":
        found += [
            Refusal(
                what=f"column `{name}`: {drift.there.types[name]} {there}, the narrower {kind} in the source",
                done=f"keeps `{name}` as wide as it is",
                setting="narrow: keep",
            )
            for name, kind in drift.narrowed.items()
            if (accepted or {}).get(name) != kind
        ]
    if policy.drop_column == "refuse":
        found += [
            Refusal(
                what=f"column `{name}`: {drift.there.types[name]} {there}, gone in the source",
                done=f"keeps `{name}` with its values, marked",
                setting="drop_column: keep",
            )
            for name in drift.dropped
            if _of_source(name)
        ]
    found += [
        Refusal(
            what=f"column `{name}`: {drift.there.types[name]} {there}, {kind} in the source",
            done=f"changes the type of `{name}` in place",
        )
        for name, kind in drift.retyped.items()
    ]
    if drift.rekeyed:
        key, wanted = listed(drift.there.key), listed(drift.wanted.key)
        found.append(
            Refusal(
                what=f"primary key: {key} {there}, {wanted} in the source", done="replaces the primary key"
            )
        )
    return found


def message_of(found: Sequence[Refusal], target: TargetTable) -> str:
    """Word what is refused of a table, and the ways on.

    Args:
        found: at least one.
        target: the table.

    Returns:
        Several lines.
    """
    done = _sentence([each.done for each in found])
    settings = dict.fromkeys(each.setting for each in found if each.setting is not None)
    begin = (
        f"table `{target.source}` changed in the source in a way that is not carried over unasked; the rows of "
        f"`{target}` are as they were:"
    )
    return "\n".join(
        [
            begin,
            *(f"  {each.what}" for each in found),
            "Ways on:",
            f"  `etlkit run --allow-drift --select {target.source}` {done}, and reads every row; views and grants stay",
            *(
                f"  `drift: {{{setting}}}` in etlkit.yml {_IN_EVERY_RUN[setting]}, in every run"
                for setting in settings
            ),
            f"  renaming `{target}` and running again loads the new shape beside it; views stay on the renamed table",
        ]
    )


def _sentence(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _of_source(name: str) -> bool:
    # These are ours: whether rows have digests and marks is a person's choice, not a change of the source.
    return name not in OWN_COLUMNS
