"""Which tables of a run the source still has, which are gone or renamed there, and which changed since the analysis."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

import attrs

from etlkit import wording
from etlkit.config import SETTINGS_FILE, TABLES_FILE, Settings
from etlkit.discovery.catalog import TableFacts
from etlkit.errors import DriftRefused, EtlkitError, PluginError, SchemaAnalysisError, SchemaNotFoundError
from etlkit.loading.kept import GONE, ITSELF, Kept, renew_kept
from etlkit.loading.ledger_entries import LedgerSnapshot
from etlkit.loading.moving import move_table
from etlkit.loading.target import TargetTable, target_name
from etlkit.loading.trouble import write_trouble
from etlkit.orchestration.deployment import Deployment
from etlkit.wording import counted

_MOST_DIFFERENCE = 0.2
_FEW_ROWS = 10

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class RenamedTable:
    """A table that looks renamed in the source."""

    old: str
    """Its name when it was loaded."""
    new: str
    """Its name now."""
    there: str
    """What it is called in the warehouse."""
    words: str
    """What shows it."""


@attrs.frozen(kw_only=True)
class Standing:
    """How the tables of a run stand in the source."""

    names: tuple[str, ...]
    """Those that can be loaded."""
    gone: tuple[str, ...] = ()
    """Those that the source no longer has, and whose rows the warehouse keeps."""
    refused: Mapping[str, DriftRefused] = attrs.field(factory=dict)
    """Those that the drift policy refuses, with why."""
    renamed: tuple[RenamedTable, ...] = ()
    """Those that are renamed in the warehouse first; `names` has their new names."""
    undecided: tuple[str, ...] = ()
    """Tables of the ledger that look renamed, which the policy lets nobody rename; they are not marked as gone."""
    changed: tuple[str, ...] = ()
    """Those whose definition is another one than when `tables.yml` was written."""


@attrs.frozen(kw_only=True)
class SourceTables:
    """Looks at a deployment's tables in the source, and at what the warehouse has of them."""

    deployment: Deployment
    """Whose tables."""
    known: LedgerSnapshot
    """What the warehouse held."""
    allow_drift: bool = False
    """Whether tables that look renamed are renamed in the warehouse."""

    def standing(self, chosen: Sequence[str]) -> Standing:
        """Say how tables stand; nothing is changed.

        Args:
            chosen: the tables that were asked for.

        Returns:
            What becomes of each.

        Raises:
            SchemaDiscoveryError: the catalog cannot be read.
            LoadError: the warehouse cannot be read.
        """
        settings = self.deployment.settings
        names = list(chosen)
        refused: dict[str, DriftRefused] = {}
        renamed: list[RenamedTable] = []
        looking = [] if settings.drift.rename == "keep" else self._looking_renamed()
        for each in looking:
            concerned = [name for name in (each.new, each.old) if name in names]
            if not concerned:
                continue
            names = [name for name in names if name not in concerned]
            if self.allow_drift:
                names.append(each.new)
                renamed.append(each)
            else:
                refused[concerned[0]] = _rename_refused(each, concerned[0], settings)
        gone = [name for name in names if self._is_gone(name)]
        if settings.drift.drop_table == "refuse":
            refused |= {name: _drop_refused(name) for name in gone}
        left = sorted(set(names).difference(gone))
        return Standing(
            names=tuple(left),
            gone=tuple(name for name in gone if name not in refused),
            refused=refused,
            renamed=tuple(renamed),
            undecided=tuple(each.old for each in looking if each not in renamed),
            changed=tuple(name for name in left if self._changed(name)),
        )

    def settled(self, standing: Standing, run_id: str) -> Deployment:
        """Rename in the warehouse what is renamed in the source, and mark what is gone there.

        Args:
            standing: of the run's tables.
            run_id: the run.

        Returns:
            The deployment, whose settings know the new names.

        Raises:
            LoadError: the warehouse refused it.
            LockHeld: another run writes such a table.
        """
        ledger = self.deployment.ledger
        for each in standing.renamed:
            move_table(ledger, each.old, each.new, there=each.there)
            _log.warning(
                "table `%s` is called `%s` in the source now: `%s.%s` was renamed to `%s`, and views follow; run "
                "`etlkit analyze`, which writes the new name into %s",
                each.old,
                each.new,
                ledger.schema,
                each.there,
                target_name(each.new),
                TABLES_FILE,
            )
        self._mark(run_id, left_out={*standing.undecided, *(each.old for each in standing.renamed)})
        settings = _with_new_names(self.deployment.settings, standing.renamed)
        return attrs.evolve(self.deployment, settings=settings)

    def tell(self, standing: Standing) -> None:
        """Log what a person should know of the tables.

        Args:
            standing: of the run's tables.
        """
        settings, discovery = self.deployment.settings, self.deployment.discovery
        for warning in settings.unknown_choices(discovery.catalog().tables):
            _log.warning("%s", warning)
        new = sorted(
            set(discovery.usual_tables())
            .difference(settings.analyzed, settings.tables)
            .difference(each.new for each in standing.renamed)
        )
        if new:
            _log.warning(
                "%s of the source %s not in %s and not loaded: %s; run `etlkit analyze`",
                counted(len(new), "table"),
                "is" if len(new) == 1 else "are",
                TABLES_FILE,
                wording.names(new),
            )
        if standing.changed:
            _log.warning(
                "%s is older than the source, where the definition of %s changed since: %s; what changed is loaded by "
                "the drift policy; run `etlkit analyze`, so that strategy and cursor are chosen for what is there now",
                TABLES_FILE,
                counted(len(standing.changed), "table"),
                wording.names(standing.changed),
            )
        for name in standing.gone:
            _log.warning("table `%s` is gone in the source; the warehouse keeps its last rows", name)
        for refused in standing.refused.values():
            _log.error("%s", refused)

    def _looking_renamed(self) -> list[RenamedTable]:
        discovery, known = self.deployment.discovery, self.known
        catalog = discovery.catalog()
        gone = [
            name
            for name, entry in known.entries.items()
            if catalog.find(name) is None and entry.target_name in known.tables
        ]
        if not gone:
            return []
        new = [
            catalog.table(name)
            for name in discovery.usual_tables()
            if name not in known.entries and target_name(name) not in known.tables
        ]
        found: list[RenamedTable] = []
        for old in gone:
            entry = known.entries[old]
            alike = [each for each in new if each.schema_hash == entry.state.schema_hash]
            others = [
                name for name in gone if known.entries[name].state.schema_hash == entry.state.schema_hash
            ]
            if len(alike) != 1 or len(others) != 1:
                continue  # nothing tells which of several it would be
            rows = self.deployment.ledger.count(entry.target_name)
            if abs(alike[0].row_count - rows) <= max(_FEW_ROWS, _MOST_DIFFERENCE * rows):
                found.append(_renamed_table(old, alike[0], entry.target_name, rows, self.known_schema))
        return found

    @property
    def known_schema(self) -> str:
        """The schema that tables are loaded into."""
        return self.deployment.settings.warehouse.schema

    def _is_gone(self, name: str) -> bool:
        try:
            self.deployment.discovery.analysis(name)
        except SchemaNotFoundError:
            return True
        except (SchemaAnalysisError, PluginError):
            # It is there, or may be, and its load tells why it cannot be read.
            return False
        return False

    def _changed(self, name: str) -> bool:
        analyzed = self.deployment.settings.analyzed.get(name)
        facts = self.deployment.discovery.catalog().find(name)
        if analyzed is None or facts is None or not analyzed.schema_hash:
            return False
        return analyzed.schema_hash != facts.schema_hash

    def _mark(self, run_id: str, left_out: Iterable[str]) -> None:
        """Mark tables that are gone in the source, and take the mark from those that are back."""
        catalog, known = self.deployment.discovery.catalog(), self.known
        skipped = set(left_out)
        for name, entry in known.entries.items():
            marked = {ITSELF: each} if (each := known.kept.get(name, {}).get(ITSELF)) else {}
            gone = catalog.find(name) is None and entry.target_name in known.tables and name not in skipped
            now = {ITSELF: Kept(column=ITSELF, reason=GONE)} if gone else {}
            if marked.keys() == now.keys():
                continue
            target = TargetTable(
                schema=self.known_schema, name=entry.target_name, source=name, columns=(), key=()
            )
            try:
                with write_trouble(target), self.deployment.ledger.engine.begin() as connection:
                    renew_kept(connection, run_id=run_id, target=target, known=marked, now=now)
            except EtlkitError as error:
                _log.warning("table `%s` is gone in the source, and could not be marked: %s", name, error)


def _renamed_table(old: str, new: TableFacts, there: str, rows: int, schema: str) -> RenamedTable:
    return RenamedTable(
        old=old,
        new=new.name,
        there=there,
        words=(
            f"table `{old}` looks renamed to `{new.name}` in the source: the definition is the same, and it has about "
            f"as many rows ({new.row_count:,}; `{schema}.{there}` has {rows:,})"
        ),
    )


def _rename_refused(each: RenamedTable, name: str, settings: Settings) -> DriftRefused:
    there, wanted = f"{settings.warehouse.schema}.{each.there}", target_name(each.new)
    return DriftRefused(
        f"{each.words}; the rows of `{there}` are as they were.\n"
        "Ways on:\n"
        f"  `etlkit run --allow-drift --select {name}` renames `{there}` to `{wanted}`, with its rows, grants and "
        "history, and goes on loading it; views follow\n"
        f"  `drift: {{rename: keep}}` in {SETTINGS_FILE} loads `{each.new}` as a new table, once `etlkit analyze` "
        f"found it, and keeps `{there}` as it is, marked"
    )


def _drop_refused(name: str) -> DriftRefused:
    return DriftRefused(
        f"table `{name}` is gone in the source, and `drift.drop_table` in {SETTINGS_FILE} is `refuse`; the "
        "warehouse keeps its last rows; run `etlkit analyze` to take it off the list"
    )


def _with_new_names(settings: Settings, renamed: Iterable[RenamedTable]) -> Settings:
    analyzed, tables = dict(settings.analyzed), dict(settings.tables)
    for each in renamed:
        if each.old in analyzed:
            analyzed.setdefault(each.new, analyzed[each.old])
        if each.old in tables:
            tables.setdefault(each.new, tables[each.old])
    return attrs.evolve(settings, analyzed=analyzed, tables=tables)
