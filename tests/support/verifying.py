"""Verifying the tables of a test: loaded one at a time, then compared by the product."""

from __future__ import annotations

from typing import Any

import attrs

from etlkit.config import TableConfig
from etlkit.verification.results import TableVerification, Verification
from etlkit.verification.verify import Verify, VerifyRequest
from support.loading import Loading

Found = tuple[str, dict[str, int], list[tuple[str, dict[str, str | None], tuple[str, ...]]]]
"""What was said of a table, rows by column, and each difference's kind, key and columns."""


def verified(loading: Loading, *tables: str, **request: Any) -> Verification:
    """Verify tables by every column unless told otherwise, discovery looking anew; `request` has its fields by name."""
    request.setdefault("deep", request.get("sample") is None)
    loading.deployment.discovery.clear_cache()
    settings = attrs.evolve(
        loading.deployment.settings,
        analyzed={name: TableConfig() for name in tables},
        tables={name: each for name, each in loading.deployment.settings.tables.items() if name in tables},
    )
    deployment = attrs.evolve(loading.deployment, settings=settings)
    return Verify(deployment=deployment, request=VerifyRequest(**request)).carry_out()


def verified_one(loading: Loading, table: str = "t", **request: Any) -> TableVerification:
    """Verify one table."""
    [found] = verified(loading, table, **request).tables
    return found


def found_in(found: TableVerification) -> Found:
    """What a test compares of an outcome."""
    listed = [(each.kind, dict(each.key), each.columns) for each in found.differences]
    return found.verified, dict(found.columns), listed


def loaded_and_verified(loading: Loading, table: str = "t", **request: Any) -> TableVerification:
    """Load a table, then verify it."""
    loading.load(table)
    return verified_one(loading, table, **request)
