"""`OpenDentalSchemaAnalyzer`: one analysis from the source to the files in a deployment's folder."""

from __future__ import annotations

from pathlib import Path

from etlkit.discovery.documents import AnalysisReport
from etlkit.discovery.generation import Generated, generate
from etlkit.discovery.schema_discovery import SchemaDiscovery


class OpenDentalSchemaAnalyzer:
    """Analyses a source in one pass and writes `tables.yml` and two files that explain it.

    What a deployment chose under `tables:` in `etlkit.yml` is not written into `tables.yml`; it wins when
    tables are loaded.
    """

    def __init__(self, schema_discovery: SchemaDiscovery) -> None:
        """Name the source.

        Args:
            schema_discovery: answers all questions; nothing else asks the source.

        Raises:
            ValueError: there is none.
        """
        if not isinstance(schema_discovery, SchemaDiscovery):
            raise ValueError("SchemaDiscovery instance is required")  # noqa: TRY004 - the contract's words and class
        self.schema_discovery = schema_discovery
        self._last: Generated | None = None

    def analyze(self, output_dir: Path | str = ".") -> AnalysisReport:
        """Analyse all tables but those excluded by default, and write the three files.

        Args:
            output_dir: the folder, which exists.

        Returns:
            Figures, changes since the last analysis in the same folder, and the paths of the files.

        Raises:
            ConnectionFailed: the server cannot be reached, or refuses the user.
            SchemaDiscoveryError: the source cannot be analysed, or a file cannot be written.
            PluginError: a plugin failed.
        """
        self._last = generate(self.schema_discovery.generation_input(), Path(output_dir))
        return self._last.report

    @property
    def summary(self) -> str:
        """The last analysis in words, as in `tables_summary.txt`; empty before the first."""
        return self._last.summary if self._last else ""
