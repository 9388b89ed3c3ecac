"""Fixtures: `SchemaDiscovery` over a small schema with Open Dental's habits."""

from __future__ import annotations

import pytest

from etlkit import SchemaDiscovery
from etlkit.registry import Registry
from support.databases import SourceDatabase
from support.dental_schema import create_dental_schema


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The plugins that are installed."""
    return Registry.load()


@pytest.fixture(scope="session")
def names_alone() -> Registry:
    """The installed plugins but for conversions that apply by themselves, for which values would be looked at."""
    return Registry.load(disable=["open_dental_booleans"])


@pytest.fixture
def dental(source: SourceDatabase) -> SourceDatabase:
    """A source database with a small schema in it."""
    create_dental_schema(source)
    return source


@pytest.fixture
def discovery(dental: SourceDatabase, registry: Registry) -> SchemaDiscovery:
    """Discovery of the small schema."""
    return SchemaDiscovery(dental.engine, dental.name, registry)
