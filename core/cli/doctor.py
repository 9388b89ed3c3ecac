"""`etlkit doctor`: what is wrong with a deployment, and what to do about it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs
import click

from etlkit.cli import options, output
from etlkit.doctor import Finding, examine

_WIDTH = len("PROBLEM") + 2


@click.command()
@options.common
@options.as_json
@click.pass_context
def doctor(context: click.Context, *, folder: Path, as_json: bool) -> None:
    """Check servers, rights, plugins and files, and say what to do.

    Nothing is changed anywhere. Exit code 0 without a problem (warnings may be there), 1 with one, 2 when the
    configuration cannot be read.
    """
    result = examine(folder)
    if as_json:
        findings = [attrs.asdict(finding) for finding in result.findings]
        output.write_json({"findings": findings, "exit_code": result.exit_code})
    else:
        output.say(*_lines(result.findings))
    context.exit(result.exit_code)


def _lines(findings: tuple[Finding, ...]) -> Iterator[str]:
    indent = " " * (2 + _WIDTH)
    for section, of_section in itertools.groupby(findings, key=lambda each: each.section):
        yield section.capitalize()
        for (level, message, remedy), alike in itertools.groupby(of_section, key=_said):
            checks = ", ".join(each.check for each in alike)
            said = f"{checks}: {message}".replace("\n", f"\n{indent}")
            yield f"  {level.upper():{_WIDTH}}{said}"
            if remedy:
                yield f"{indent}-> {remedy}"
        yield ""
    counted = Counter(finding.level for finding in findings)
    yield f"Problems: {counted['problem']}, warnings: {counted['warning']}, not checked: {counted['skipped']}."


def _said(finding: Finding) -> tuple[str, str, str]:
    # What is skipped for the same reason is told in one line.
    return finding.level, finding.message, finding.remedy
