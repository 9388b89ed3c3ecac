#!/usr/bin/env python3
"""Asks whether the installed packages have known vulnerabilities, and says what could not be told.

pip-audit leaves with 0 also when the service knows none of the packages (a mirror answers 404 for each), and with
1 also when the service cannot be reached. Neither says anything about vulnerabilities, so its report is read here.

Exit codes: 0 nothing is known against any package; 1 something is, or pip-audit is not installed; 3 it could not be
told for some or all of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

SERVICES = ("pypi", "osv")
"""Asked in this order, until one of them answers for every package."""
ANSWER_SECONDS = "5"
"""How long a service may take to answer a question."""
NOT_TOLD = 3


def dependencies(service: str) -> list[dict[str, Any]] | None:
    """Ask a service about the packages of this Python's environment; this checkout itself is no release.

    Args:
        service: one of `SERVICES`.

    Returns:
        pip-audit's entries, one a package; None when the service did not answer.
    """
    options = ("--format", "json", "--progress-spinner", "off", "--skip-editable", "--desc", "off")
    command = [sys.executable, "-m", "pip_audit", *options, "-s", service, "--timeout", ANSWER_SECONDS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if "No module named pip_audit" in done.stderr:
        sys.exit("pip-audit is not installed; install the extra `dev`")
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None
    return [each for each in found if each["name"] != "etlkit-core"]


def findings(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Word what is known against packages.

    Args:
        found: pip-audit's entries.

    Yields:
        A line for each vulnerability.
    """
    for each in found:
        for flaw in each.get("vulns", ()):
            mended = ", ".join(flaw["fix_versions"]) or "no version"
            yield f"{each['name']} {each['version']}: {flaw['id']}, mended in {mended}"


def main() -> int:
    """Ask, and tell.

    Returns:
        The exit code.
    """
    told: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    for service in SERVICES:
        found = dependencies(service) or []
        names.update(each["name"] for each in found)
        told.update((each["name"], each) for each in found if "version" in each)
        if told and names == set(told):
            break
    lines = list(findings(told.values()))
    for line in lines:
        print(line)  # noqa: T201 - a script speaks to who calls it
    if lines:
        return 1
    if told and names == set(told):
        print(f"{len(told)} packages, nothing known against them.")  # noqa: T201
        return 0
    missing = f"{len(names - set(told))} of {len(names)} packages" if names else "any package"
    print(  # noqa: T201
        f"NOT AUDITED: no service of vulnerabilities ({', '.join(SERVICES)}) answers here for {missing}. "
        "Run it where one can be reached."
    )
    return NOT_TOLD


if __name__ == "__main__":
    sys.exit(main())
