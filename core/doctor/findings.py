"""What the doctor says: one finding per question, with its level in a word and what to do about it."""

from __future__ import annotations

from typing import Literal

import attrs

from etlkit.errors import EtlkitError

Level = Literal["ok", "warning", "problem", "skipped"]
"""`problem`: etlkit cannot work like this; `warning`: it can, but look at it; `skipped`: could not be checked."""

Section = Literal["source", "replica", "warehouse", "plugins", "configuration"]
"""What a check is about."""


@attrs.frozen(kw_only=True)
class Finding:
    """The answer to one question."""

    section: Section
    """What it is about."""
    check: str
    """The check's name."""
    level: Level
    """How bad it is."""
    message: str
    """What was found; never a secret or a row's value."""
    remedy: str = ""
    """What to do about it; empty when there is nothing to do."""


@attrs.frozen(kw_only=True)
class Check:
    """One question that the doctor asks, and the levels that its answer can have."""

    section: Section
    """What it is about."""
    name: str
    """Its name, the same in the output, in JSON and in the documentation."""
    levels: tuple[Level, ...]
    """The levels that its findings can have, `skipped` aside, which any can."""

    def ok(self, message: str) -> Finding:
        """Find that all is well.

        Args:
            message: one sentence.
        """
        return self._finding("ok", message, "")

    def warning(self, message: str, remedy: str) -> Finding:
        """Find something that should be looked at.

        Args:
            message: what was found.
            remedy: what to do about it.
        """
        return self._finding("warning", message, remedy)

    def problem(self, message: str, remedy: str) -> Finding:
        """Find what etlkit cannot work with.

        Args:
            message: what was found.
            remedy: what to do about it.
        """
        return self._finding("problem", message, remedy)

    def skipped(self, message: str, remedy: str = "") -> Finding:
        """Say that the question could not be answered.

        Args:
            message: why.
            remedy: how a person can find out, where there is a way.
        """
        return self._finding("skipped", message, remedy)

    def failed(self, error: EtlkitError) -> Finding:
        """Turn an error, which says what happened and then what to do, into a problem.

        Args:
            error: what was raised.
        """
        said = error.message.removeprefix(f"{self.section}: ")
        message, _, remedy = said.partition("; " if "; " in said else ". ")
        return self.problem(ended(message), sentence(remedy))

    def _finding(self, level: Level, message: str, remedy: str) -> Finding:
        return Finding(section=self.section, check=self.name, level=level, message=message, remedy=remedy)


def ended(text: str) -> str:
    """End a text with a full stop.

    Args:
        text: a sentence, or a part of one; may be empty.

    Returns:
        The text, which keeps an end of its own; its beginning may be a name and stays as it is.
    """
    return text if not text or text[-1] in ".?!" else f"{text}."


def sentence(text: str) -> str:
    """Make a sentence of a part of one that begins with a word.

    Args:
        text: the part; may be empty.

    Returns:
        The part with a capital and a full stop.
    """
    return ended(f"{text[:1].upper()}{text[1:]}")


def exit_code(findings: tuple[Finding, ...]) -> int:
    """Tell what the command leaves with.

    Args:
        findings: all of them.

    Returns:
        0 when none is a problem, else 1.
    """
    return int(any(finding.level == "problem" for finding in findings))
