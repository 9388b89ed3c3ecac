"""Reading a table by a plan: keyset chunks, each fetched whole, sized by the time the last one took."""

from __future__ import annotations

import time
from collections.abc import Iterator

import attrs

from etlkit.contracts import Commit, LoadPlan, Since
from etlkit.errors import ExtractionError
from etlkit.tables import TableAnalysis
from etlkit.transfer import boundary_queries as boundaries
from etlkit.transfer import chunk_queries as queries
from etlkit.transfer.chunk import Chunk, Fetched, finished
from etlkit.transfer.chunk_size import Pace
from etlkit.transfer.copy_text import CopyText
from etlkit.transfer.cutting import MOST_BY_INDEX, Cutting
from etlkit.transfer.forms import MAY_EXCEED_A_PACKET
from etlkit.transfer.key_steps import KeySteps, serves
from etlkit.transfer.keys import Key, KeyRange, Keyset, as_key
from etlkit.transfer.range_statements import RangeStatements
from etlkit.transfer.rendering import RenderedTable
from etlkit.transfer.sentinels import FIELD, ROW
from etlkit.transfer.source_queries import SourceQueries
from etlkit.transfer.spool import Spool
from etlkit.transfer.trouble import read_trouble
from etlkit.transfer.watermark import CursorBehind, Watermark
from etlkit.transfer.wide_rows import WideRows

_PIECE_BYTES = 1024 * 1024
_SMALLEST_PACKET = 1024 * 1024
_NO_DATE = b"0000-00-00"


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
    """Where the cursor stood when the read began; an earlier, broken read's beginning counts."""
    tell_behind: bool = False
    """Whether a read since a watermark that does not find it again ends by `CursorBehind` before its last rows."""
    until: Key | None = None
    """The key that ends the read; None for the table's end."""
    trusting: bool = False
    """Whether it is left to the warehouse to refuse values, such as dates that do not exist, without a proof."""
    in_snapshot: bool = False
    """Whether the connection is in a snapshot already, which the read neither begins nor ends."""
    _mark: Watermark = attrs.field(factory=Watermark)
    _read_rows: int = 0
    _value_limit: int = 0
    _statements: RangeStatements = attrs.field(init=False)
    _cutting: Cutting = attrs.field(init=False)

    def chunks(self) -> Iterator[Chunk]:
        """Read the rows, ready to be written.

        Yields:
            Chunks in the order of the key; at least one row each.

        Raises:
            EtlkitError: as `fetch` and `finished`.
        """
        return (self.finished(each) for each in self.fetch())

    def finished(self, fetched: Fetched) -> Chunk:
        """Turn what was fetched into what is written; another thread may do it while this one reads on.

        Args:
            fetched: what `fetch` gave.

        Returns:
            The same rows.

        Raises:
            ConversionRefused: a value lies outside what a conversion accepts.
            ValueNotRepresentable: text holds a NUL character.
        """
        return finished(fetched, self.analysis.name, self.rendered)

    def fetch(self) -> Iterator[Fetched]:
        """Read the rows.

        Yields:
            Rows in the order of the key; at least one each.

        Raises:
            PlanRefused: the plan does not fit the table.
            ExtractionError: the source refused a statement, or a row is larger than it can send.
            CursorBehind: see `tell_behind`.
        """
        with read_trouble(self.analysis.name):
            keyset = self._begin()
            rows = self._in_one_go() if keyset is None else self._by_key(keyset)
            if self.tell_behind and isinstance(self.plan.read, Since):
                rows = self._unless_behind(rows, self.plan.read.watermark)
            yield from rows
            if not self.in_snapshot:
                self.source.text(queries.END_SNAPSHOT)

    def _unless_behind(self, rows: Iterator[Fetched], watermark: str) -> Iterator[Fetched]:
        # The last rows are held back until it is known, so that nobody takes the read for complete.
        held: Fetched | None = None
        for fetched in rows:
            if held is not None:
                yield held
            held = fetched
        if self._mark.behind(watermark):
            raise CursorBehind
        if held is not None:
            yield held

    def _begin(self) -> Keyset | None:
        self._rest(in_snapshot=self.in_snapshot)
        keyset = Keyset.of(self.analysis, self.rendered.source)
        pace = self.source.governor.pace if self.source.governor else Pace()
        self._cutting = Cutting(analysis=self.analysis, plan=self.plan, pace=pace)
        self._statements = RangeStatements(
            # A table without a key is not read in ranges, of which one could be read again.
            rendered=self.rendered.trusting() if self.trusting and keyset else self.rendered,
            keyset=keyset,
            cursor=self.plan.cursor,
            condition=queries.condition_of(self.plan.read, self.analysis, self.rendered),
            index=self._cutting.index(keyset),
        )
        packet, longest = (int(each) for each in self.source.text(queries.LIMITS) or ())
        if packet < _SMALLEST_PACKET:
            # A blob of 64 KB is twice that as hexadecimal digits; above the limit, the server makes it NULL.
            raise ExtractionError(
                f"table `{self.analysis.name}`: max_allowed_packet of the source is {packet} bytes, which cuts values; "
                f"set it to {_SMALLEST_PACKET} at least"
            )
        self._value_limit = min(packet, longest)
        column = self.analysis.column(self.plan.cursor) if self.plan.cursor else None
        if self.began is None and column is not None:
            # A row that is stamped while later chunks are read lies behind this, and is read next time.
            stands = queries.now_or_greatest_statement(self.rendered, column)
            self.began = (self.source.one(queries.Prepared.of(stands)) or (None,))[0]
        self._mark = Watermark(column=column, began=self.began, value=self.watermark)
        if self.analysis.engine == "InnoDB" and not self.in_snapshot:
            self.source.text(queries.SNAPSHOT)
        return keyset

    def _by_key(self, keyset: Keyset) -> Iterator[Fetched]:
        lower = self.resume_after
        whole = lower is None and self.until is None and self.limit is None and self._cutting.seems_small()
        scans = self._cutting.scans() or (not whole and self._too_many_for_the_index())
        size = self._cutting.first_size(self._value_limit, scans=scans)
        steps = None if whole else self._steps(keyset)
        wide = False
        while True:
            self._rest(in_snapshot=True)
            rows = size.rows if scans else self._within_limit(size.rows)
            began = time.monotonic()
            guessed = steps.guess(lower, rows) if steps else None
            upper = guessed
            if not whole and guessed is None:
                left = KeyRange(lower=lower, upper=self.until)
                boundary = self._statements.boundary(left, any_row=scans)
                place = {boundaries.ROWS_BEFORE: rows - 1}
                found = self.source.one(boundary, place | self._statements.values(left))
                upper = None if found is None else as_key(found)
                if upper is not None and upper == lower:
                    raise ExtractionError(
                        f"table `{self.analysis.name}`: the source sorts a key behind itself, so it cannot be read in "
                        "ranges; mend the text of its key on the source"
                    )
            within = KeyRange(lower=lower, upper=upper or self.until)
            fetched = self._wide(within) if wide else self._packed(within)
            # Back to whole chunks where rows are small again.
            wide = wide and fetched is not None and len(fetched.data) * 4 > fetched.rows * self._value_limit
            if fetched is None:
                wide = not whole and not size.too_large(rows)
                whole = False
                continue
            seconds = time.monotonic() - began
            self._cutting.pace.learn(rendered_bytes=len(fetched.data), seconds=seconds)
            size.took(
                seconds=seconds,
                rows=fetched.rows if whole or (steps and fetched.rows) else rows,
                rendered_bytes=len(fetched.data),
            )
            done = upper is None or self._reached_limit()
            if steps:
                steps.learn(lower, upper, fetched.rows)
                done = done or (guessed is not None and steps.reach(guessed))
            if fetched.rows:
                yield fetched if done else attrs.evolve(fetched, last_key=upper)
            if done:
                return
            lower = upper

    def _steps(self, keyset: Keyset) -> KeySteps | None:
        if not serves(self.analysis, self.plan, keyset):
            return None
        row = self.source.one(queries.Prepared.of(boundaries.last_key_statement(keyset)))
        return None if row is None or row[0] is None else KeySteps(last=int(row[0]))

    def _packed(self, within: KeyRange) -> Fetched | None:
        """Fetch a chunk as one value; None when it did not fit, which the server tells by cutting it silently."""
        statement, values = self._statements.packed(within), self._statements.values(within)
        framed, said, cursor = self.source.one(statement, values) or (None, "0", None)
        rows = int(said)
        framed = framed or b""
        if self._would_cost_all and _NO_DATE in framed:
            # It may stand in a text, but where one is, there are more: from here on, dates are proven.
            self._prove()
            return self._packed(within)
        if framed.count(ROW) != rows or (self._may_miss_fields() and not self._has_all_fields(framed, rows)):
            return None
        if self.limit is not None and rows > self._within_limit(rows):
            rows = self._within_limit(rows)
            framed = ROW.join([*framed.split(ROW, rows)[:rows], b""])
        return self._fetched(framed, rows, cursor)

    @property
    def _would_cost_all(self) -> bool:
        # Looking for it costs a fiftieth of a load; where chunks are kept, a refusal costs the last ones only.
        return self._statements.rendered is not self.rendered and self.plan.commit is Commit.ONCE

    def _prove(self) -> None:
        self._statements = attrs.evolve(self._statements, rendered=self.rendered)

    def _wide(self, within: KeyRange) -> Fetched:
        self._prove()
        rows = self._wide_rows()
        statement = self._statements.fields(within)
        for *values, stamp in self.source.stream(statement, self._statements.values(within)):
            if self.limit is None or len(rows) < self.limit - self._read_rows:
                rows.add(values)
                self._mark.take(stamp)
        return self._taken(rows)

    def _wide_rows(self) -> WideRows:
        return WideRows(self.rendered)

    def _taken(self, rows: WideRows) -> Fetched:
        text, count = rows.take()
        return self._fetched(text.data, count, copied=attrs.evolve(text, data=b""))

    def _in_one_go(self) -> Iterator[Fetched]:
        if self.limit is None and self._cutting.seems_small():
            fetched = self._packed(KeyRange())
            if fetched is not None:
                if fetched.rows:
                    yield fetched
                return
        if self.plan.cursor is not None:
            # Asked before the rows are, so that none which comes meanwhile lies behind the watermark unread.
            stands = queries.cursor_statement(self.rendered, self.plan.cursor, [self._statements.condition])
            self._mark.take((self.source.one(queries.Prepared.of(stands)) or (None,))[0])
        with Spool() as spool:
            if not self._spool_rows(spool):
                spool.clear()
                self._spool_wide(spool)
            yield from spool.kept()

    def _spool_rows(self, spool: Spool) -> bool:
        pending: list[bytes] = []
        size = 0
        fits = True
        statement = queries.rows_statement(self.rendered, [self._statements.condition], self.limit)
        for (framed,) in self.source.stream(queries.Prepared.of(statement)):
            # The statement is read to its end in any case, so that the connection can go on.
            fits = fits and framed is not None and framed.endswith(ROW)
            fits = fits and (not self._may_miss_fields() or self._has_all_fields(framed, 1))
            if fits:
                pending.append(framed)
                size += len(framed)
            if size > _PIECE_BYTES:
                spool.add(self._fetched(b"".join(pending), len(pending)))
                pending, size = [], 0
        if fits and pending:
            spool.add(self._fetched(b"".join(pending), len(pending)))
        return fits

    def _spool_wide(self, spool: Spool) -> None:
        rows = self._wide_rows()
        statement = queries.fields_statement(self.rendered, None, [self._statements.condition], self.limit)
        for *values, _ in self.source.stream(queries.Prepared.of(statement)):
            rows.add(values)
            if rows.size > _PIECE_BYTES:
                spool.add(self._taken(rows))
        if len(rows):
            spool.add(self._taken(rows))

    def _fetched(
        self, data: bytes, rows: int, cursor: str | None = None, copied: CopyText | None = None
    ) -> Fetched:
        self._read_rows += rows
        self._mark.take(cursor)
        return Fetched(data=data, rows=rows, watermark=self._mark.value, copied=copied)

    def _too_many_for_the_index(self) -> bool:
        statement = self._statements.counted(MOST_BY_INDEX + 1)
        return statement is not None and int((self.source.one(statement) or (0,))[0]) > MOST_BY_INDEX

    def _rest(self, *, in_snapshot: bool) -> None:
        engine = self.analysis.engine
        snapshot = in_snapshot and engine == "InnoDB"
        self.source.rest(f"table `{self.analysis.name}`", engine, in_snapshot=snapshot)

    def _may_miss_fields(self) -> bool:
        # A value above max_allowed_packet is NULL to CONCAT_WS, which leaves it out without a word.
        return any(each.column.data_type in MAY_EXCEED_A_PACKET for each in self.rendered.columns)

    def _has_all_fields(self, framed: bytes, rows: int) -> bool:
        return framed.count(FIELD) == rows * (len(self.rendered.columns) - 1)

    def _within_limit(self, rows: int) -> int:
        return rows if self.limit is None else max(1, min(rows, self.limit - self._read_rows))

    def _reached_limit(self) -> bool:
        return self.limit is not None and self._read_rows >= self.limit
