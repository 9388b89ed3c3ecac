"""A deployment's configuration: `etlkit.yml`, `.env` and `tables.yml`, read strictly into frozen types."""

from etlkit.config.secrets import Secret
from etlkit.config.settings import SETTINGS_FILE, Settings
from etlkit.config.tables import (
    TABLES_FILE,
    Monitoring,
    TableConfig,
    TablesFile,
    TablesMetadata,
    read_tables,
    read_tables_file,
    render_tables,
    write_tables,
)
from etlkit.config.types import (
    AllowedHours,
    ColumnOverride,
    DriftSettings,
    MonitoringChoice,
    PluginOrder,
    PluginSettings,
    ReplicaSettings,
    RunSettings,
    Schedule,
    SourceSettings,
    TableChoice,
    WarehouseSettings,
)
from etlkit.config.urls import MySQLUrl, PostgresUrl

__all__ = [
    "SETTINGS_FILE",
    "TABLES_FILE",
    "AllowedHours",
    "ColumnOverride",
    "DriftSettings",
    "Monitoring",
    "MonitoringChoice",
    "MySQLUrl",
    "PluginOrder",
    "PluginSettings",
    "PostgresUrl",
    "ReplicaSettings",
    "RunSettings",
    "Schedule",
    "Secret",
    "Settings",
    "SourceSettings",
    "TableChoice",
    "TableConfig",
    "TablesFile",
    "TablesMetadata",
    "WarehouseSettings",
    "read_tables",
    "read_tables_file",
    "render_tables",
    "write_tables",
]
