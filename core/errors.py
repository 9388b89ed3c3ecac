"""Every failure that etlkit can report, one class each; the docstring is its definition.

A message says what happened, where, and what to do next. It never holds a row's value or a secret.
`exit_code` is what the command line leaves with when the error reaches it.
"""

from __future__ import annotations

from typing import ClassVar


class EtlkitError(Exception):
    """Something etlkit was asked to do could not be done."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, transient: bool = False, fatal: bool = False) -> None:
        """Keep the message, and what the failure means for what comes next.

        Args:
            message: what happened, where, and what to do next.
            transient: whether the same may succeed a moment later, as after a broken connection or a deadlock.
            fatal: whether nothing else could be done either until somebody mends it, as on a full disk. What is
                neither concerns one table, and the others go on.
        """
        super().__init__(message)
        self.message = message
        self.transient = transient
        self.fatal = fatal

    def __str__(self) -> str:
        return self.message


class ConfigurationError(EtlkitError):
    """A file, an option or an environment value says something that cannot be meant."""

    exit_code = 2


class ConnectionFailed(EtlkitError):
    """A server could not be reached, or refused the user, the database or the encryption."""


class SchemaDiscoveryError(EtlkitError):
    """The source's schema could not be told."""


class SchemaNotFoundError(SchemaDiscoveryError):
    """The source has no table (or no database) of that name; permissions were not the reason."""


class SchemaAnalysisError(SchemaDiscoveryError):
    """The catalog was read, but cannot be made sense of, or must not be read by this user."""


class ConfigurationGenerationError(SchemaDiscoveryError):
    """`tables.yml` or a file beside it could not be produced or written."""


class PluginError(EtlkitError):
    """A plugin's function failed at its work, or answered wrongly; the message names plugin and function."""


class RegistrationFailed(PluginError):
    """A plugin cannot be used at all: it cannot be imported, or what it registers is wrong. Nothing was done yet.

    The message names plugin, distribution, version and hook.
    """

    exit_code = 2


class PluginConflict(RegistrationFailed):
    """Two plugins provide the same name; the message names both."""


class LockMismatch(EtlkitError):
    """The plugins are not those that the deployment's `plugins.lock.yml` names; no plugin's code was used."""

    exit_code = 6


class PlanRefused(EtlkitError):
    """A strategy cannot serve this table, or its plan asks for something the table does not have."""


class ExtractionError(EtlkitError):
    """Rows could not be read from the source as the plan asked."""


class SourceBusy(ExtractionError):
    """The clinic's server stayed busy, so that reading was given up."""


class ConversionRefused(ExtractionError):
    """A conversion does not hold for the data: a value lies outside what it accepts."""


class ValueNotRepresentable(ExtractionError):
    """The source holds a value that PostgreSQL cannot hold, and the column's policy is to fail.

    `losses` counts what was found until then: column, rule, count and the policy `fail`.
    """

    def __init__(self, message: str, losses: tuple[tuple[str, str, int, str], ...] = ()) -> None:
        super().__init__(message)
        self.losses = losses


class LoadError(EtlkitError):
    """Rows could not be written to the warehouse; nothing of the table's load was kept."""


class DeletesRefused(LoadError):
    """A load would have removed so many of a table's rows that the source seems to be emptied or restored."""


class TargetConflict(LoadError):
    """The warehouse already holds something of that name which etlkit did not make."""


class DriftRefused(EtlkitError):
    """The source's table changed in a way that the drift policy refuses, or has a column that nobody decided about."""

    exit_code = 5


class SourceChanged(EtlkitError):
    """The source is not the database that the warehouse's schema was loaded from."""


class SomeTablesFailed(EtlkitError):
    """A run finished, but not every table was loaded."""

    exit_code = 3


class DifferencesFound(EtlkitError):
    """A verification finished, and a table of the warehouse does not equal its source."""

    exit_code = 4


class NotChecked(EtlkitError):
    """A table could not be compared with its source."""

    exit_code = 3


class OutsideAllowedHours(EtlkitError):
    """The source may not be read at this time of day, by the deployment's own choice."""


class RunInterrupted(EtlkitError):
    """The run was asked to end before a table was loaded; the table and its state are as they were."""


class LockHeld(EtlkitError):
    """Another run of this deployment, or of this table, is at work."""

    exit_code = 7


class PrivateServerError(EtlkitError):
    """A private database server, of the quickstart or a demo, cannot be installed, started or used."""


class PrivateServerMissing(PrivateServerError):
    """The programs of a private server are not installed; the message says what to install."""
