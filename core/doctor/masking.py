"""Judging whether what must not leave the source is decided about, and whether its key is there."""

from __future__ import annotations

from collections.abc import Iterable

from etlkit.config import Secret, Settings
from etlkit.config.protection import Protection
from etlkit.doctor import checks
from etlkit.doctor.findings import Finding, ended
from etlkit.errors import ConfigurationError
from etlkit.tables import TableAnalysis
from etlkit.wording import counted

_DECIDE = (
    "Decide about each under `tables:`, `column_overrides` in etlkit.yml, by `keep`, `drop`, `null`, `mask`, `hmac` or "
    "another conversion; until then nothing of these tables "
)


def judge_masking(
    settings: Settings, key: Secret | ConfigurationError | None, tables: Iterable[TableAnalysis] | None
) -> list[Finding]:
    """Judge the masking of a deployment.

    Args:
        settings: the deployment's.
        key: the masking key; None for none, an error where it cannot be had.
        tables: those to load; None where the source cannot be asked.

    Returns:
        A problem for a key that is missing, and for tables that wait for decisions; else one finding.
    """
    found = []
    if isinstance(key, ConfigurationError):
        found.append(
            checks.MASKING.problem(ended(key.message), "Mend it; no connection is opened without it.")
        )
    elif key is None and settings.masking.preset is not None:
        found.append(
            checks.MASKING.problem(
                f"`masking.preset` is `{settings.masking.preset}`, which hashes patients' numbers, and there is no "
                "key.",
                "Give one by `key`, `key_file` or `key_command` of the section `masking` in etlkit.yml.",
            )
        )
    protection = Protection.of(settings)
    asked = {each.name: each for each in tables or ()}
    undecided = {name: columns for name, each in asked.items() if (columns := protection.undecided(each))}
    if undecided:
        said = "; ".join(
            f"`{name}` ({', '.join(f'`{each}`' for each in columns)})" for name, columns in undecided.items()
        )
        found.append(
            checks.MASKING.problem(
                f"Nobody decided about these columns of protected tables: {said}.",
                f"{_DECIDE}{'goes beyond the replica' if settings.replica else 'is read'}.",
            )
        )
    if found:
        return found
    if tables is None and (protection.preset or any(each.protected for each in settings.tables.values())):
        return [checks.MASKING.skipped("Not checked, because the source's tables are not known.")]
    protected = sum(protection.protects(each) for each in asked.values())
    if not protected:
        return [checks.MASKING.ok("No table is protected.")]
    return [checks.MASKING.ok(f"Every column of {counted(protected, 'protected table')} is decided about.")]
