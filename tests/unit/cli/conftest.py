"""Fixtures of the tests of the command line."""

from __future__ import annotations

import pytest

from support.terminal import Terminal


@pytest.fixture
def terminal() -> type[Terminal]:
    """Starts `etlkit` on a terminal of its own."""
    return Terminal
