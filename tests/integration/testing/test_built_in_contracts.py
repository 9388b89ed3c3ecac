"""The built-in plugins keep the contracts that etlkit asks of anybody's."""

from __future__ import annotations

from etlkit.plugins.strategies import (
    chunked_incremental,
    full_table,
    incremental,
    reconcile,
    streaming_incremental,
)
from etlkit.testing import StrategyContract


class TestFullTable(StrategyContract):
    """Reads everything."""

    plugin = full_table
    name = "full_table"


class TestIncremental(StrategyContract):
    """Follows a time."""

    plugin = incremental
    name = "incremental"


class TestIncrementalByNumber(StrategyContract):
    """Follows the key, which tells new rows and no edits."""

    plugin = incremental
    name = "incremental"
    cursor = "AptNum"


class TestChunkedIncremental(StrategyContract):
    """Follows a time, and goes on behind the last chunk after a crash."""

    plugin = chunked_incremental
    name = "chunked_incremental"


class TestStreamingIncremental(StrategyContract):
    """Follows a time, in one stream."""

    plugin = streaming_incremental
    name = "streaming_incremental"


class TestReconcile(StrategyContract):
    """Compares digests."""

    plugin = reconcile
    name = "reconcile"
