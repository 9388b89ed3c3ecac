"""Judging whether the plugins are those that the deployment's lock names."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from etlkit.config import Settings
from etlkit.doctor import checks
from etlkit.doctor.configuration import judge_plugins
from etlkit.doctor.findings import Finding
from etlkit.errors import ConfigurationError
from etlkit.lock_differences import Difference
from etlkit.orchestration.deployment import inspected_registry, pinned_plugins
from etlkit.pinned_plugins import PinnedPlugins
from etlkit.registry import Registry
from etlkit.wording import counted


def examine_plugins(settings: Settings) -> tuple[Registry, list[Finding]]:
    """Look at the plugins; none is imported unless they are the locked ones, or nothing is locked.

    Args:
        settings: the deployment's.

    Returns:
        The plugins, none when they were not imported, and what was found.
    """
    unseen = checks.PLUGINS.skipped("Not checked, because the plugins are not those that are locked.")
    try:
        pinned = pinned_plugins(settings)
    except ConfigurationError as error:
        return Registry(), [unseen, checks.PLUGIN_LOCK.failed(error)]
    if pinned.differences:
        return Registry(), [unseen, judge_lock(pinned, pinned.differences)]
    registry = inspected_registry(settings)
    found = judge_plugins(registry, settings.run.executor)
    return registry, [
        *found,
        judge_lock(pinned, () if registry.problems else pinned.differences_of(registry)),
    ]


def judge_lock(pinned: PinnedPlugins, differences: Sequence[Difference]) -> Finding:
    """Judge the lock.

    Args:
        pinned: what was compared.
        differences: everything that differs.

    Returns:
        A problem when anything does; no lock is fine.
    """
    command = f"`etlkit plugins lock -C {shlex.quote(str(pinned.folder))}`"
    if pinned.lock is None:
        return checks.PLUGIN_LOCK.ok(f"The plugins are not locked yet; {command} would do it.")
    if differences:
        lines = "\n".join(each.line for each in differences)
        return checks.PLUGIN_LOCK.problem(
            f"The plugins are not those that {pinned.path} names:\n{lines}",
            f"Install what is locked, or accept what is there by {command}; no run works before.",
        )
    return checks.PLUGIN_LOCK.ok(
        f"{pinned.path} names {counted(len(pinned.lock.plugins), 'plugin')}, and so they are installed."
    )
