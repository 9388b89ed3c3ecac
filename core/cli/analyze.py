"""`etlkit analyze`: decides how every table is loaded, and writes it down."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from etlkit.cli import options, output
from etlkit.discovery import OpenDentalSchemaAnalyzer
from etlkit.errors import ConfigurationError
from etlkit.orchestration.deployment import Deployment

_log = logging.getLogger(__name__)


@click.command()
@options.common
@options.as_json
@options.locked
@options.no_plugin
def analyze(*, folder: Path, as_json: bool, locked: bool, no_plugin: tuple[str, ...]) -> None:
    """Decide how every table is loaded.

    Writes tables.yml, a summary, and the analysis behind it, into the deployment's folder. Only the
    catalog is read, and the values of columns that a conversion would make something else of. Your own
    choices in etlkit.yml are left alone, and win.
    """
    with Deployment.opened(folder, locked=locked, no_plugin=no_plugin) as deployment:
        _require_tables(deployment)
        analyzer = OpenDentalSchemaAnalyzer(deployment.discovery)
        report = analyzer.analyze(folder)
        for warning in deployment.settings.unknown_choices(deployment.discovery.catalog().tables):
            _log.warning("%s", warning)
        for warning in report["warnings"]:
            _log.warning("%s", warning)
    if as_json:
        output.write_json(report)
        return
    output.write(analyzer.summary)
    output.say("", *(f"Wrote {path}" for path in report["files"].values()), f"Next: etlkit plan -C {folder}")


def _require_tables(deployment: Deployment) -> None:
    """Refuse a source without tables: it is the wrong one, and would replace what is known of the right one."""
    if not deployment.discovery.usual_tables():
        url = deployment.settings.source.url
        raise ConfigurationError(
            f"source: the database `{url.database}` at {url.place} has no table that could be loaded, or shows none to "
            f"this user; correct `source.url`, or see what `etlkit doctor` says of the grants"
        )
