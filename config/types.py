"""The shape of `etlkit.yml`: one frozen type per section, every key with its meaning and its default."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import attrs

from etlkit.config.secrets import PluginOption
from etlkit.config.urls import MySQLUrl, PostgresUrl


@attrs.frozen
class Between:
    """A number must lie in a range, both ends included."""

    least: float
    """The smallest value."""
    most: float | None = None
    """The largest value, or None."""

    def expectation(self) -> str:
        """Word the range for the end of `must be a whole number ...`."""
        return f"of at least {self.least}" if self.most is None else f"from {self.least} to {self.most}"

    def holds(self, value: Any) -> bool:
        """Say whether a value lies in the range."""
        return bool(value >= self.least and (self.most is None or value <= self.most))


@attrs.frozen
class Fitting:
    """A text must be no longer than a server allows."""

    most: int
    """The most bytes that it may have in UTF-8."""
    words: str
    """What it is, for the beginning of the expectation."""

    def expectation(self) -> str:
        """Word the limit."""
        return f"{self.words} of at most {self.most} bytes"

    def holds(self, value: Any) -> bool:
        """Say whether a text fits."""
        return len(value.encode()) <= self.most


@attrs.frozen
class Matching:
    """A text must have a form."""

    pattern: str
    """The form as a regular expression, for the whole text."""
    words: str
    """The form in words, for the end of `must be ...`."""

    def expectation(self) -> str:
        """Word the form."""
        return self.words

    def holds(self, value: Any) -> bool:
        """Say whether a value has the form."""
        return re.fullmatch(self.pattern, value) is not None


Name = Annotated[str, Matching(r"\S([^\r\n]*\S)?", "a name")]
"""The name of something that a plugin, the source or a person calls so."""

PG_TYPE = r"(?i:[a-z][a-z0-9_ ]*(\(\d+(,\s*\d+)?\))?[a-z ]*(\[\])?)"
"""The form of a PostgreSQL type's name."""


def frozen_mapping(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Copy a mapping into one that nobody can change.

    Args:
        given: any mapping.

    Returns:
        A read-only copy.
    """
    return MappingProxyType(dict(given))


def _frozen_mappings(given: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    return frozen_mapping({name: frozen_mapping(inner) for name, inner in given.items()})


@attrs.frozen(kw_only=True)
class AllowedHours:
    """The part of the day in which the source may be read, by the clock of the machine etlkit runs on."""

    start: dt.time
    """The first moment."""
    end: dt.time
    """The first moment that is not allowed any more; before `start` when the hours go over midnight."""

    @classmethod
    def parse(cls, text: str) -> AllowedHours:
        """Read `20:00-06:00`.

        Args:
            text: two times of day with a hyphen between them; `24:00` is the end of a day.

        Returns:
            The hours.

        Raises:
            ValueError: the text has another form, or both times are the same.
        """
        match = re.fullmatch(r"\s*(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)\s*", text)
        if match is None:
            raise ValueError("is not of the form HH:MM-HH:MM")
        hour, minute, end_hour, end_minute = (int(each) for each in match.groups())
        start = dt.time(hour, minute)
        end = dt.time(0) if (end_hour, end_minute) == (24, 0) else dt.time(end_hour, end_minute)
        if start == end:
            raise ValueError("begins and ends at the same time")
        return cls(start=start, end=end)

    def include(self, moment: dt.time) -> bool:
        """Say whether a moment lies in the hours.

        Args:
            moment: a time of day.

        Returns:
            True from `start` on, until before `end`.
        """
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@attrs.frozen(kw_only=True)
class SourceSettings:
    """The clinic's database, which etlkit only reads."""

    url: MySQLUrl
    """`mysql://user:password@host:port/database`; `?unix_socket=` works. Best as `"${ETLKIT_SOURCE_URL}"`."""
    password_file: Path | None = None
    """A file with the password, readable by its owner only; beside `etlkit.yml` when the path is relative."""
    password_command: str | None = None
    """A command whose first line of output is the password; run without a shell."""
    insecure: bool = False
    """Whether a connection that leaves this machine may go unencrypted or unverified."""
    ca_file: Path | None = None
    """The certificate authority that signed the server's certificate; by default those the system trusts."""
    allowed_hours: AllowedHours | None = None
    """When the source may be read, such as `20:00-06:00`; by default at any time."""
    connections: Annotated[int, Between(1, 16)] = 1
    """How many connections etlkit may have to the source at a time."""
    statement_seconds: Annotated[int, Between(1, 86400)] = 300
    """After how many seconds the server stops a statement of ours (MySQL 5.6 cannot)."""
    silence_seconds: Annotated[int, Between(1, 3600)] = 60
    """After how many seconds without a sign of life of the server a connection counts as broken."""
    max_threads_running: Annotated[int, Between(1, 100_000)] = 10
    """Above so many statements at work on the server (`Threads_running`, our own included), reads pause."""
    max_table_lock_waits: Annotated[int, Between(0, 1_000_000)] = 20
    """Above so many waits for table locks a second (growth of `Table_locks_waited`), reads pause."""
    busy_patience_minutes: Annotated[float, Between(0, 1440)] = 10
    """After how many minutes of a busy server reads are given up."""
    duty_cycle: Annotated[float, Between(0.01, 1)] | None = None
    """The share of the time in which a table is read, in pieces; by default 0.5 on MyISAM and the like, 1 on InnoDB."""


@attrs.frozen(kw_only=True)
class ReplicaSettings:
    """A MySQL or MariaDB copy of the source, which the warehouse is loaded from instead of the source."""

    url: MySQLUrl
    """`mysql://user:password@host:port/database` of a database for etlkit alone. Best as `"${ETLKIT_REPLICA_URL}"`."""
    engine: Literal["InnoDB", "source"] = "InnoDB"
    """The storage engine of the copies: InnoDB, where rows and state commit together, or that of the source's table."""
    password_file: Path | None = None
    """As in `source`."""
    password_command: str | None = None
    """As in `source`."""
    insecure: bool = False
    """As in `source`."""
    ca_file: Path | None = None
    """As in `source`."""
    statement_seconds: Annotated[int, Between(1, 86400)] = 300
    """After how many seconds the server stops a statement of ours that reads (MySQL 5.6 cannot)."""
    silence_seconds: Annotated[int, Between(1, 3600)] = 60
    """As in `source`."""


@attrs.frozen(kw_only=True)
class WarehouseSettings:
    """The PostgreSQL database that etlkit writes."""

    url: PostgresUrl
    """`postgresql://user:password@host:port/database`; `?host=/folder` names a socket's folder."""
    schema: Annotated[
        str,
        Matching(
            r"(?!pg_)(?!(?:etlkit|information_schema)$)(?! )[^\x00-\x1f\x7f-\x9f]{1,63}(?<! )",
            "a schema's name of 1 to 63 characters, none of PostgreSQL's own and not `etlkit`",
        ),
        Fitting(63, "a schema's name"),
    ] = "raw"
    """The schema that receives the tables; etlkit keeps its own records in the schema `etlkit`."""
    password_file: Path | None = None
    """As in `source`."""
    password_command: str | None = None
    """As in `source`."""
    insecure: bool = False
    """As in `source`."""
    ca_file: Path | None = None
    """As in `source`."""
    silence_seconds: Annotated[int, Between(1, 3600)] = 60
    """As in `source`."""


@attrs.frozen(kw_only=True)
class PluginOrder:
    """Which plugins are asked first."""

    classifiers: tuple[Name, ...] = ()
    """Names of classifiers; those not named follow by name."""
    conversions: tuple[Name, ...] = ()
    """Names of conversions; those not named follow by name."""


@attrs.frozen(kw_only=True)
class PluginSettings:
    """Which plugins are used."""

    disable: tuple[Name, ...] = ()
    """Names of plugins that are not even imported."""
    order: PluginOrder = PluginOrder()
    """Which are asked first."""
    options: Mapping[str, Mapping[str, PluginOption]] = attrs.field(factory=dict, converter=_frozen_mappings)
    """By a plugin's name its options, by its own names; each is a text that no output repeats."""

    def revealed_options(self) -> dict[str, dict[str, str]]:
        """Give the options as the plugins take them; keep them out of names that live long."""
        return {
            plugin: {name: option.reveal() for name, option in options.items()}
            for plugin, options in self.options.items()
        }


@attrs.frozen(kw_only=True)
class RunSettings:
    """How `etlkit run` works."""

    threads: Annotated[int, Between(1, 64)] = 2
    """Tables in work at the same time."""
    executor: Name = "threads"
    """The executor's name."""
    retries: Annotated[int, Between(0, 10)] = 2
    """How often a table is tried again after a failure that may pass, such as a broken connection; 0: never."""
    max_deleted_share: Annotated[float, Between(0, 1)] = 0.5
    """A load that would remove this share of a table's rows, or more, is stopped; 1: none is."""


@attrs.frozen(kw_only=True)
class DriftSettings:
    """What happens when a source table no longer looks like it did."""

    add_column: Literal["evolve", "ignore", "refuse"] = "evolve"
    """A new column: add it to the warehouse, leave it out, or refuse to load the table."""
    widen: Literal["evolve", "refuse"] = "evolve"
    """A type that holds more than before: widen the column, or refuse."""
    narrow: Literal["keep", "refuse"] = "refuse"
    """A type that holds less than before: keep the wide column, or refuse."""
    drop_column: Literal["keep", "refuse"] = "keep"
    """A column that is gone: keep the warehouse's values, or refuse."""
    rename: Literal["keep", "refuse"] = "refuse"
    """A column or table that looks renamed: keep the old one and load the new one beside it, or refuse."""
    drop_table: Literal["keep", "refuse"] = "keep"
    """A table that is gone: keep the warehouse's table, or refuse."""


@attrs.frozen(kw_only=True)
class ColumnOverride:
    """What a person or a rule decided about one column."""

    conversion: Name | None = attrs.field(default=None, metadata={"null_is_a_name": True})
    """The conversion's name; `etlkit plugins list` shows them."""
    pg_type: Annotated[str, Matching(PG_TYPE, "a PostgreSQL type such as `numeric(12,2)`")] | None = None
    """The PostgreSQL type, instead of the one the conversion or the source's type gives."""
    policy: Literal["fail", "null", "replace", "quarantine"] | None = None
    """What to do with a value that PostgreSQL cannot hold; by default as the type's rule says."""
    options: Mapping[str, str] = attrs.field(factory=dict, converter=frozen_mapping)
    """Further choices, by the conversion's own names."""


@attrs.frozen(kw_only=True)
class MonitoringChoice:
    """A person's choices about watching one table; what is not given stays as analysed."""

    alert_on_failure: bool | None = None
    """Whether a failed load calls for attention."""
    max_extraction_time_minutes: Annotated[int, Between(1, 10_080)] | None = None
    """How many minutes a load may take."""
    data_quality_threshold: Annotated[float, Between(0, 1)] | None = None
    """The share of rows that must arrive."""


Schedule = Literal["every_run", "daily", "weekly", "never"]
"""How often a table is proven equal to its source."""


@attrs.frozen(kw_only=True)
class TableChoice:
    """A person's choices about one table; they win over `tables.yml`."""

    extraction_strategy: Name | None = None
    """The strategy's name; `etlkit plugins list` shows them."""
    incremental_column: Name | None = None
    """The column that tells which rows changed."""
    batch_size: Annotated[int, Between(1, 1_000_000)] | None = None
    """Rows of the first chunk; later ones are sized by time."""
    table_importance: Name | None = None
    """The level: critical, important, reference, audit, standard, or one that a plugin knows."""
    column_overrides: Mapping[str, ColumnOverride] = attrs.field(factory=dict, converter=frozen_mapping)
    """Choices by column."""
    exclude: bool = False
    """Whether the table is left out altogether."""
    protected: bool | None = None
    """Whether the table waits, unread, for a decision about each column; by default where `masking.preset` says so."""
    lookback_seconds: Annotated[int, Between(0, 366 * 86_400)] | None = None
    """How many seconds behind the last load a cursor that is a time is read again."""
    max_deleted_share: Annotated[float, Between(0, 1)] | None = None
    """Instead of `run.max_deleted_share`, for this table."""
    deletes: Literal["hard", "tombstone", "ignore"] | None = None
    """Rows that are gone in the source: remove them, mark them in `_etlkit_deleted_at`, or leave them as they are."""
    reconcile: Schedule | None = None
    """How often the table is proven equal and mended; rows are kept with digests for it, unless it is `never`."""
    is_modeled: bool | None = None
    """Whether models are built upon the table."""
    monitoring: MonitoringChoice = MonitoringChoice()
    """How the table is watched."""
    options: Mapping[str, str] = attrs.field(factory=dict, converter=frozen_mapping)
    """Further choices, by the strategy's own names."""
