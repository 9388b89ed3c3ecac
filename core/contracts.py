"""The values that cross the plugin border: what a plugin gives back to the kernel.

A plugin is shown a `TableAnalysis` (see `etlkit.tables`) and the last committed `TableState`; it answers with a
`LoadPlan`, an importance level, or a SQL expression. Everything here is frozen and plain: a plan can be printed,
compared and sent to another machine. Durations are seconds, sizes bytes, counts rows.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import ColumnElement

from etlkit.events import TableFinished
from etlkit.tables import Column, TableAnalysis


@attrs.frozen(kw_only=True)
class TableState:
    """What the ledger holds of a table: the end of its last committed load."""

    table: str
    """The table's name in the source."""
    cursor_column: str | None = None
    """The column `watermark` was read from; a plan for another column must not use the watermark."""
    watermark: str | None = None
    """The cursor as the source server printed it; None before the first load with a cursor."""
    schema_hash: str = ""
    """The source's schema hash at the last load."""
    strategy: str = ""
    """The strategy of the last load."""
    generation: int = 0
    """Counts committed loads; compared and swapped so that a run that woke up late cannot write."""


@attrs.frozen
class Everything:
    """Read every row."""


@attrs.frozen(kw_only=True)
class Since:
    """Read the rows whose cursor is at or after the watermark less the lookback, and those without a cursor."""

    column: str
    """The cursor."""
    watermark: str
    """The committed watermark, as the source server printed it."""
    lookback: int = 0
    """Seconds for a cursor that is a time, key units for one that is a number."""


@attrs.frozen(kw_only=True, eq=False)
class Where:
    """Read the rows that a condition selects."""

    condition: Callable[[Callable[[str], ColumnElement[Any]]], ColumnElement[bool]]
    """Given a function from column name to SQLAlchemy column, returns the condition.

    Named module-level functions can be sent to another machine; lambdas cannot.
    """
    text: str
    """The condition in words, for plans and logs; must not hold a value of a row."""


@attrs.frozen
class Differences:
    """Read the rows that differ from the stored ones: found by digests per range of the key, without a cursor.

    The strategy must keep digests, and the table must have been loaded with them before.
    """


Read = Everything | Since | Where | Differences


class Write(enum.Enum):
    """How staged rows change the warehouse's table; always in place, in one transaction."""

    REPLACE = "replace"
    """Afterwards the table holds exactly the staged rows, but for what `Deletes` keeps; equal rows are not touched."""
    MERGE = "merge"
    """Staged rows are inserted or, where they differ, updated by primary key; no row is removed."""
    APPEND = "append"
    """Staged rows whose key is not there yet are inserted; rows that are there stay as they are."""


class Deletes(enum.Enum):
    """What happens to stored rows that are gone in the source: by primary key, when all or the differences are read."""

    IGNORE = "ignore"
    """They stay as they are."""
    HARD = "hard"
    """They are removed."""
    TOMBSTONE = "tombstone"
    """They stay, and their column `_etlkit_deleted_at` holds when the load that missed them was committed."""


class Commit(enum.Enum):
    """What survives a crash in the middle of a read. Readers only ever see the table before or after the load."""

    ONCE = "once"
    """Nothing: the next run begins again."""
    PER_CHUNK = "per_chunk"
    """Chunks already staged, with the key position; the next run resumes behind it. See `Chunks.kept_seconds`."""


@attrs.frozen(kw_only=True)
class Chunks:
    """The budgets of one chunk; a chunk is fetched whole before anything of it is written."""

    rows: int = 5000
    """Rows of the first chunk; later ones are sized by the time the last one took."""
    max_bytes: int = 4 * 1024 * 1024
    """Rendered bytes that a chunk should not exceed."""
    seconds: float | None = None
    """Time a chunk may take on the source; None: 0.25 on MyISAM, 0.5 elsewhere."""
    queue: int = 2
    """Chunks that may wait between reading and writing."""
    kept_seconds: float = 0.5
    """With `Commit.PER_CHUNK`: chunks are committed together for so long, and a crash costs no more; 0: one by one."""


@attrs.frozen(kw_only=True)
class LoadPlan:
    """What to read of a table, how to apply it, and what to remember: data, not action."""

    table: str
    """The table's name in the source."""
    strategy: str
    """The strategy that made the plan."""
    read: Read
    """Which rows: `Everything()`, `Since(...)`, `Where(...)` or `Differences()`."""
    write: Write
    """How they are applied: a member of `Write`."""
    reason: str
    """One sentence for people: why this plan."""
    cursor: str | None = None
    """The column whose watermark, taken in the same read, is committed with the data; None to keep none."""
    chunks: Chunks = attrs.field(factory=Chunks)
    """The budgets of a chunk."""
    commit: Commit = Commit.ONCE
    """What survives a crash: a member of `Commit`."""
    deletes: Deletes = Deletes.HARD
    """What happens to rows that are gone; `tables: <name>: deletes:` in `etlkit.yml` wins over it."""


@attrs.frozen(kw_only=True)
class Fit:
    """A strategy's bid for a table."""

    cost: float
    """The lowest bid wins; the built-in strategies bid from 1 to 100."""
    reason: str
    """One sentence, written into `tables.yml`."""


@attrs.frozen(kw_only=True)
class Refusal:
    """A strategy's answer that it cannot serve a table."""

    reason: str
    """One sentence: what the table lacks."""


@attrs.frozen(kw_only=True)
class Strategy:
    """A way to load a table, as two pure functions. It opens no connection; the kernel alone reads and writes."""

    name: str
    """The name used in `tables.yml` and `etlkit.yml`."""
    summary: str
    """One sentence for `etlkit plugins list`."""
    fits: Callable[[TableAnalysis], Fit | Refusal]
    """Bids for a table when `analyze` chooses."""
    plan: Callable[[TableAnalysis, TableState | None], LoadPlan]
    """Turns a table and its last committed state (None before the first load) into a plan."""
    digests: bool = False
    """Whether each row is kept with a digest, which the source computes; a read of differences needs them."""
    whole: bool = False
    """Whether each load reads every row, which proves the table equal without digests."""


@attrs.frozen(kw_only=True)
class Classifier:
    """Says how much a table matters, or passes."""

    name: str
    """The name used in `plugins.order.classifiers`."""
    classify: Callable[[TableAnalysis], str | None]
    """Returns a level (`critical`, `important`, `reference`, `audit`, `standard` or one of its own), or None."""


class Effect(enum.Enum):
    """What a conversion does with a column."""

    COMPUTED = "computed"
    """The value is what `source_sql` builds."""
    PLAIN = "plain"
    """The value is what it would be if no conversion applied; a decision of its own in a protected table."""
    ABSENT = "absent"
    """The column is not read: a new table of the warehouse does not have it, in one that has it it becomes NULL."""


@attrs.frozen(kw_only=True)
class Conversion:
    """Changes what a column becomes in the warehouse, inside the source's SELECT."""

    name: str
    """The name used in `column_overrides`."""
    summary: str
    """One sentence for `etlkit plugins list`."""
    target_type: Callable[[Column], str]
    """The PostgreSQL type of the result, such as `boolean` or `numeric(10,2)`."""
    source_sql: Callable[[ColumnElement[Any], Column], ColumnElement[Any]]
    """Builds the expression that the source evaluates; its text form must be input for `target_type`."""
    matches: Callable[[TableAnalysis, Column], bool] = lambda *_: False
    """Whether it applies without being asked for; one with `accepts` only where `analyze` found all values accepted."""
    accepts: Callable[[ColumnElement[Any], Column], ColumnElement[bool]] | None = None
    """Builds the condition that each value (NULL aside) must meet; one that does not refuses the whole load."""
    refused_by_type: bool = False
    """Whether PostgreSQL refuses, as no input for `target_type`, what `accepts` does not: then the proof is free."""
    lossless: bool = True
    """Whether different values always stay different."""
    effect: Effect = Effect.COMPUTED
    """What it does with a column: a member of `Effect`."""
    hides: bool = False
    """Whether the column's own values must not leave the source; it is no cursor then, and no ranges are cut by it."""
    keyed: bool = False
    """Whether `source_sql` uses `hmac_sha256`; it is refused then as long as no masking key is given."""
    configure: Callable[[Mapping[str, str], TableAnalysis], Conversion] | None = None
    """Given a person's `options` (maybe none) and the table, gives the conversion to use; None: takes no options."""


@attrs.frozen(kw_only=True, order=True)
class Relationship:
    """One column that points to the rows of a table, another one or its own."""

    table: str
    """The table that points."""
    column: str
    """The column that points."""
    referenced_table: str
    """The table it points to."""
    referenced_column: str
    """The column it points to."""


@attrs.frozen(kw_only=True)
class RelationshipRule:
    """Says which columns point to which tables, where the source declares no foreign keys."""

    name: str
    """Recorded with each relationship as its origin."""
    summary: str
    """One sentence for `etlkit plugins list`."""
    relationships: Callable[[Mapping[str, TableAnalysis]], Iterable[Relationship]]
    """Given all tables by name, those excluded by default left out, yields what points to what.

    The tables are shown as the catalog has them: without cursor, importance and relationships.
    """


@attrs.frozen(kw_only=True)
class Exclusion:
    """Says which tables are left out unless a person asks for them."""

    name: str
    """Recorded with each table that it leaves out."""
    summary: str
    """One sentence for `etlkit plugins list`: what these tables are."""
    excludes: Callable[[TableAnalysis], bool]
    """Whether a table, shown as the catalog has it, is left out."""


@attrs.frozen(kw_only=True)
class TableHabit:
    """What is known of how a program uses a table; what is left open, others may answer."""

    reason: str
    """Why, for all that is answered here: a clause that follows "because"."""
    only_added: bool | None = None
    """Whether rows are only ever added, never edited; None: not known."""
    entered: frozenset[str] = frozenset()
    """Columns that say when a row was entered; empty: not known."""
    edited: frozenset[str] = frozenset()
    """Columns that say when a row was changed last, as far as every program keeps them; empty: not known."""
    lookback_seconds: int | None = None
    """What is to be read again behind a time cursor; None: the strategy's own default. A person's choice wins."""


@attrs.frozen(kw_only=True)
class Habit:
    """Knows how a program uses its tables, which no catalog tells."""

    name: str
    """Recorded with each answer."""
    summary: str
    """One sentence for `etlkit plugins list`."""
    habit: Callable[[TableAnalysis], TableHabit | None]
    """Answers for a table, shown as the catalog has it, or passes; the first answer to each question holds."""


@attrs.frozen(kw_only=True)
class Executor:
    """Says where the tables of a run are loaded and how many at a time; what a load is, it is given."""

    name: str
    """The name used in `run.executor`."""
    summary: str
    """One sentence for `etlkit plugins list`."""
    run: Callable[[Callable[[str], TableFinished], Sequence[str], int], Iterable[TableFinished]]
    """Called as `run(load, tables, workers)`; calls `load` once with each table and yields what it returns.

    Tables are begun in their order, at most `workers` at a time, and outcomes are yielded as they come. `load`
    may be called from any thread of this process; a table that fails is an outcome, so what `load` raises ends
    the run. Then, and when the generator is closed before its end, no further table is begun; those in work
    are not to be waited for: the run tells them to end, and waits itself.
    """


@attrs.frozen(kw_only=True)
class Option:
    """A choice about a plugin that a person makes, as a text under `plugins.options` in `etlkit.yml`."""

    name: str
    """The key under the plugin's name."""
    summary: str
    """One sentence for people: what it is for, and what holds without it."""
    problem: Callable[[Mapping[str, str]], str | None] = lambda _: None
    """Given all options of the plugin, this one among them, says what is wrong with this one; None: nothing is.

    The answer ends a sentence that begins with the option's name, such as "must be a number of seconds".
    """
