"""What stops a load into the replica: a table that etlkit did not make, another run, most of the rows gone."""

from __future__ import annotations

from etlkit.errors import DeletesRefused, LoadError, LockHeld, TargetConflict
from etlkit.loading.brake import ANY_SHARE, LEAST_ROWS
from etlkit.replication.work import Work


def require_own(work: Work) -> None:
    """Go on only where the replica's table is one that etlkit made.

    Args:
        work: the load.

    Raises:
        TargetConflict: it is not.
        LoadError: a run that was ended put it in place by another plan; that is recorded now, and to be tried again.
        LockHeld: another run loaded it since the plan was made.
    """
    entry = work.replica.ledger.entry(work.connection, work.what.name)
    generation = entry.state.generation if entry else 0
    reading = work.replica.ledger.reading(work.connection, work.what.name)
    work.connection.commit()
    if generation != work.what.generation:
        raise LockHeld(
            f"table `{work.what.name}`: another run loaded it into the replica meanwhile; run again"
        )
    loaded = entry is not None and entry.loaded_at is not None
    if work.what.there is None or loaded:
        return
    if reading is None or not reading.complete:
        raise TargetConflict(
            f"replica table `{work.replica.database}.{work.what.name}` exists, but etlkit did not make it; rename "
            "or drop it, or name another database in `replica.url`"
        )
    if reading.plan != work.what.digest and not work.is_there(reading.side):
        # Nothing is known of it but that it is whole: the next try builds upon that.
        work.commit(
            work.outcome({"inserted": reading.read}, read=reading.read, size=0, unchanged=0, seconds=0),
            None,
        )
        raise LoadError(
            f"table `{work.what.name}`: a run that was ended had put it in place in the replica, by another plan; "
            "run again",
            transient=True,
        )


def refuse_mass_deletes(work: Work, *, deleted: int, before: int) -> None:
    """Stop a load that would leave too little of the table.

    Args:
        work: the load.
        deleted: rows that would go.
        before: rows that the table has.

    Raises:
        DeletesRefused: so many would go.
    """
    share = work.max_deleted_share
    if share >= ANY_SHARE or before < LEAST_ROWS or not deleted or deleted < share * before:
        return
    raise DeletesRefused(
        f"table `{work.what.name}`: {deleted:,} of the {before:,} rows in the replica would be removed, and a load "
        f"that removes a share of {share:g} or more is stopped (`max_deleted_share`): the source may have been "
        "emptied, or restored from an older copy. Nothing was changed. Mend the source and run again; or, when "
        f"these rows are gone for good, run once with `--allow-deletes --select {work.what.name}`"
    )
