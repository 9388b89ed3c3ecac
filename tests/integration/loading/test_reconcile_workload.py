"""Whatever a practice does to its tables, a reconcile makes the warehouse equal, and touches nothing else."""

from __future__ import annotations

import pytest

from etlkit.config import TableChoice
from support.comparison import differences
from support.loading import Loading
from support.workload import KEYS, Workload

ROUNDS = 20
TABLES = [kind for kind in KEYS if kind != "keyless"]


@pytest.mark.parametrize("seed", [11])
def test_equal_after_every_round(loading: Loading, seed: int) -> None:
    """Inserts, edits that no cursor shows, back-dated rows, ties, changed keys and deletes, round after round."""
    work = Workload(loading.source, seed)
    for table in TABLES:
        work.create(table)
        loading.choose(**{table: TableChoice(extraction_strategy="reconcile")})
    for number in range(ROUNDS):
        for table in TABLES:
            for _ in range(work.random.randrange(6)):
                loading.source.execute(work.change(table))
            before = set(loading.versions(table, "id").items()) if number else set()
            outcome = loading.loader().load_table(table)
            assert [] == differences(loading.source, loading.warehouse, table), (seed, number, table)
            if number:
                assert outcome.verified in {"equal", "equal after repair"}
                new = set(loading.versions(table, "id").items()) - before
                assert len(new) <= outcome.inserted + outcome.updated
