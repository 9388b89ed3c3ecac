"""Reading a table by a plan: keyset chunks, each fetched whole, sized by the time the last one took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import attrs

from etlkit.contracts import LoadPlan, Since
from etlkit.errors import ConversionRefused, ValueNotRepresentable
from etlkit.tables import SPATIAL_TYPES, TableAnalysis
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.chunk import Chunk
from etlkit.transfer.chunk_size import ChunkSize, first_size
from etlkit.transfer.copy_text import CopyText, copy_text
from etlkit.transfer.keys import Key, Keyset, as_key
from etlkit.transfer.rendering import RenderedTable
from etlkit.transfer.sentinels import FIELD, ROW
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.spool import Spool
from etlkit.transfer.trouble import read_trouble
from etlkit.transfer.wide_rows import WideRows

_MAY_EXCEED_A_PACKET = SPATIAL_TYPES | {"mediumtext", "longtext", "mediumblob", "longblob", "json"}
_FIRST_SCAN_ROWS = 50_000
_SMALL_ROWS = 20_000
_PIECE_BYTES = 1024 * 1024

_Conditions = Sequence[queries.Condition | None]


@attrs.frozen(kw_only=True)
class _Fetched:
    text: CopyText
    rows: int
    cursor: str | None = None


@attrs.define(kw_only=True)
class Reader:
    """Reads one table once, and keeps what is learned on the way."""

    source: SourceQueries
    """The source; nobody else uses its connection meanwhile."""
    analysis: TableAnalysis
    """The table."""
    rendered: RenderedTable
    """How its rows are rendered."""
    plan: LoadPlan
    """What to read."""
    resume_after: Key | None = None
    """The key behind which an earlier, broken read goes on."""
    limit: int | None = None
    """Read at most so many rows."""
    watermark: str | None = None
    """Where an earlier, broken read left the watermark."""
    began: str | None = None
    """When the read began, on the cursor's clock; an earlier, broken read's beginning counts."""
    _read_rows: int = 0
    _value_limit: int = 0

    def chunks(self) -> Iterator[Chunk]:
        """Read the rows.

        Yields:
            Chunks in the order of the key; at least one row each.

        Raises:
            PlanRefused: the plan does not fit the table.
            ExtractionError: the source refused a statement, or a row is larger than it can send.
            ConversionRefused: a value lies outside what a conversion accepts.
            ValueNotRepresentable: text holds a NUL character.
        """
        keyset = Keyset.of(self.analysis, self.rendered.source)
        condition = queries.condition_of(self.plan.read, self.analysis, self.rendered)
        with read_trouble(self.analysis.name):
            self._begin()
            if keyset is None:
                yield from self._in_one_go(condition)
            else:
                yield from self._by_key(keyset, condition)
            self.source.text(queries.END_SNAPSHOT)

    def _begin(self) -> None:
        self._value_limit = min(int(each) for each in self.source.text(queries.LIMITS) or ())
        column = self.analysis.column(self.plan.cursor) if self.plan.cursor else None
        if self.began is None and column is not None and not queries.cursor_is_number(column):
            # A row that is stamped while later chunks are read lies behind this moment, and is read next time.
            self.began = (self.source.one(queries.now_statement(column)) or (None,))[0]
        if self.analysis.engine == "InnoDB":
            self.source.text(queries.SNAPSHOT)

    def _by_key(self, keyset: Keyset, condition: queries.Condition | None) -> Iterator[Chunk]:
        size = self._first_size()
        # Without an index on the cursor, ranges are cut by the key alone and the condition is applied inside them:
        # one short scan per chunk instead of a long one.
        scans = isinstance(self.plan.read, Since) and not self._indexed(self.plan.read.column)
        if scans:
            size.rows = max(size.rows, _FIRST_SCAN_ROWS)
        lower = self.resume_after
        whole = lower is None and self._seems_small()
        wide = False
        while True:
            rows = self._within_limit(size.rows)
            behind = None if lower is None else keyset.after(lower)
            began = time.monotonic()
            upper = None
            if not whole:
                found = self.source.one(
                    queries.boundary_statement(keyset, rows, [behind, None if scans else condition])
                )
                upper = None if found is None else as_key(found)
            within = [condition, behind, None if upper is None else keyset.up_to(upper)]
            fetched = self._wide(within) if wide else self._packed(within)
            if fetched is None:
                wide = not whole and not size.too_large(rows)
                whole = False
                continue
            size.took(
                seconds=time.monotonic() - began,
                rows=fetched.rows if whole else rows,
                rendered_bytes=len(fetched.text.data),
            )
            done = upper is None or self._reached_limit(fetched.rows)
            if fetched.rows:
                yield self._chunk(fetched, None if done else upper)
            if done:
                return
            lower = upper

    def _packed(self, within: _Conditions) -> _Fetched | None:
        """Fetch a chunk as one value; None when it did not fit, which the server tells by cutting it silently."""
        statement = queries.packed_statement(self.rendered, self.plan.cursor, within)
        framed, said, cursor = self.source.one(statement) or (None, "0", None)
        rows = int(said)
        framed = framed or b""
        if framed.count(ROW) != rows or (self._may_miss_fields() and not self._has_all_fields(framed, rows)):
            return None
        return _Fetched(text=copy_text(framed), rows=rows, cursor=cursor)

    def _wide(self, within: _Conditions) -> _Fetched:
        rows = WideRows(self.rendered)
        cursor: str | None = None
        for *values, stamp in self.source.stream(
            queries.fields_statement(self.rendered, self.plan.cursor, within)
        ):
            rows.add(values)
            cursor = self._later(cursor, stamp)
        text, count = rows.take()
        return _Fetched(text=text, rows=count, cursor=cursor)

    def _in_one_go(self, condition: queries.Condition | None) -> Iterator[Chunk]:
        if self.limit is None and self._seems_small():
            fetched = self._packed([condition])
            if fetched is not None:
                if fetched.rows:
                    yield self._chunk(fetched, None)
                return
        with Spool() as spool:
            if not self._spool_rows(spool, condition):
                spool.clear()
                self._spool_wide(spool, condition)
            yield from spool.chunks()

    def _spool_rows(self, spool: Spool, condition: queries.Condition | None) -> bool:
        pending: list[bytes] = []
        size = 0
        fits = True
        for (framed,) in self.source.stream(queries.rows_statement(self.rendered, [condition], self.limit)):
            # The statement is read to its end in any case, so that the connection can go on.
            fits = fits and framed is not None and framed.endswith(ROW)
            fits = fits and (not self._may_miss_fields() or self._has_all_fields(framed, 1))
            if fits:
                pending.append(framed)
                size += len(framed)
            if size > _PIECE_BYTES:
                spool.add(self._piece(copy_text(b"".join(pending)), len(pending)))
                pending, size = [], 0
        if fits and pending:
            spool.add(self._piece(copy_text(b"".join(pending)), len(pending)))
        return fits

    def _spool_wide(self, spool: Spool, condition: queries.Condition | None) -> None:
        rows = WideRows(self.rendered)
        statement = queries.fields_statement(self.rendered, None, [condition], self.limit)
        for *values, _ in self.source.stream(statement):
            rows.add(values)
            if rows.size > _PIECE_BYTES:
                spool.add(self._piece(*rows.take()))
        if len(rows):
            spool.add(self._piece(*rows.take()))

    def _chunk(self, fetched: _Fetched, last_key: Key | None) -> Chunk:
        self._check(fetched.text)
        self._read_rows += fetched.rows
        self.watermark = self._later(self.watermark, fetched.cursor)
        return Chunk(
            data=fetched.text.data,
            rows=fetched.rows,
            last_key=last_key,
            losses=fetched.text.losses,
            watermark=self.watermark,
        )

    def _piece(self, text: CopyText, rows: int) -> Chunk:
        return self._chunk(_Fetched(text=text, rows=rows), None)

    def _check(self, text: CopyText) -> None:
        if text.refused.total():
            each = "; ".join(
                f"{self.analysis.name}.{self.rendered.columns[number].column.name}: conversion "
                f"`{self.rendered.columns[number].conversion}` does not accept {count} of the values read"
                for number, count in sorted((+text.refused).items())
            )
            raise ConversionRefused(
                f"{each}; nothing was written; take the conversion out of `column_overrides` or mend the source"
            )
        if text.nul.total():
            each = ", ".join(
                f"{self.analysis.name}.{self.rendered.columns[number].column.name} ({count} of the values read)"
                for number, count in sorted((+text.nul).items())
            )
            raise ValueNotRepresentable(
                f"text with a NUL character, which PostgreSQL cannot hold: {each}; nothing was written; "
                "mend the source, or convert the column"
            )

    def _later(self, one: str | None, other: str | None) -> str | None:
        if self.plan.cursor is None or one is None or other is None:
            return self._bounded(other) if one is None else one
        column = self.analysis.column(self.plan.cursor)
        if column is not None and queries.cursor_is_number(column):
            return str(max(int(one), int(other)))
        return max(one, self._bounded(other) or one)

    def _bounded(self, stamp: str | None) -> str | None:
        # Times are printed with fixed width, so their order as text is their order in time.
        return stamp if stamp is None or self.began is None else min(stamp, self.began[: len(stamp)])

    def _first_size(self) -> ChunkSize:
        average = self.analysis.data_bytes // max(1, self.analysis.row_count)
        return first_size(
            engine=self.analysis.engine,
            rows=self.plan.chunks.rows,
            average_row=average,
            max_bytes=min(self.plan.chunks.max_bytes, self._value_limit * 3 // 4),
            seconds=self.plan.chunks.seconds,
        )

    def _seems_small(self) -> bool:
        return (
            self.limit is None
            and self.analysis.row_count <= _SMALL_ROWS
            and self.analysis.data_bytes <= self.plan.chunks.max_bytes // 2
        )

    def _indexed(self, name: str) -> bool:
        return any(index.columns[:1] == (name,) for index in self.analysis.indexes)

    def _may_miss_fields(self) -> bool:
        # A value above max_allowed_packet is NULL to CONCAT_WS, which leaves it out without a word.
        return any(each.column.data_type in _MAY_EXCEED_A_PACKET for each in self.rendered.columns)

    def _has_all_fields(self, framed: bytes, rows: int) -> bool:
        return framed.count(FIELD) == rows * (len(self.rendered.columns) - 1)

    def _within_limit(self, rows: int) -> int:
        return rows if self.limit is None else max(1, min(rows, self.limit - self._read_rows))

    def _reached_limit(self, more: int) -> bool:
        return self.limit is not None and self._read_rows + more >= self.limit
