"""Discovery: one snapshot of the source's catalog, and the answers to every question about its schema."""

from etlkit.discovery.analyzer import OpenDentalSchemaAnalyzer
from etlkit.discovery.catalog import Catalog, SourceServer, TableFacts
from etlkit.discovery.schema_discovery import SchemaDiscovery

__all__ = ["Catalog", "OpenDentalSchemaAnalyzer", "SchemaDiscovery", "SourceServer", "TableFacts"]
