"""A deployment at work: its settings, plugins, connections, discovery and ledger, each built once, here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs

from etlkit.config import SETTINGS_FILE, Settings
from etlkit.config.named_files import check_named_files
from etlkit.config.problems import report
from etlkit.config.protection import Protection
from etlkit.config.secret_files import check_secret_files
from etlkit.connections import ConnectionFactory
from etlkit.discovery import SchemaDiscovery
from etlkit.ending import end_signal
from etlkit.errors import ConfigurationError
from etlkit.loading.cancelling import all_cancelled_by
from etlkit.loading.ledger import Ledger
from etlkit.orchestration.allowed_hours import require_allowed_hour
from etlkit.orchestration.choices import check_choices, plugin_problems
from etlkit.orchestration.needed_plugins import check_needed, without_plugins
from etlkit.orchestration.planning import Planner
from etlkit.orchestration.second_hop import SecondHop, behind_replica
from etlkit.pinned_plugins import PinnedPlugins, inspected_plugins
from etlkit.registry import Registry
from etlkit.replication.ledger import ReplicaLedger
from etlkit.transfer.source_queries import SourceQueries


@attrs.frozen(kw_only=True)
class Deployment:
    """The parts that every command works with; nothing else in etlkit builds them."""

    settings: Settings
    """What the folder says."""
    registry: Registry
    """The plugins, loaded and checked."""
    connections: ConnectionFactory
    """Makes the connections; nothing is connected before it is used."""
    discovery: SchemaDiscovery
    """Answers every question about the source's schema."""
    ledger: Ledger
    """What was loaded before."""
    second_hop: SecondHop | None = None
    """What reads the replica; None without one."""
    plugin_lock: str | None = None
    """The sha256 of the lock that the plugins were compared with; None when there is none."""

    @classmethod
    @contextmanager
    def opened(
        cls,
        folder: Path,
        *,
        threads: int | None = None,
        locked: bool = False,
        no_plugin: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> Iterator[Deployment]:
        """Read a deployment's folder and load its plugins; connections are closed when the block ends.

        Args:
            folder: the deployment's folder.
            threads: tables in work at the same time, instead of `run.threads`.
            locked: whether there must be a lock of the plugins, and no editable installation.
            no_plugin: names of plugins to leave out, beside those of `plugins.disable`.
            env: the environment; by default the process's own.

        Yields:
            The deployment.

        Raises:
            ConfigurationError: a file says something that cannot be meant.
            LockMismatch: the plugins are not those that are locked.
            RegistrationFailed: a plugin cannot be used.
        """
        settings = Settings.load(folder, env)
        if threads is not None:
            settings = attrs.evolve(settings, run=attrs.evolve(settings.run, threads=threads))
        check_secret_files(settings)
        check_named_files(settings)
        settings = without_plugins(settings, no_plugin)
        pinned = pinned_plugins(settings)
        registry = registry_of(settings, pinned, locked=locked)
        check_needed(settings, registry)
        check_choices(settings, registry)
        with cls.of(settings, registry) as deployment:
            yield attrs.evolve(deployment, plugin_lock=pinned.sha256)

    @classmethod
    @contextmanager
    def of(cls, settings: Settings, registry: Registry | None = None) -> Iterator[Deployment]:
        """Build a deployment from settings; connections are closed when the block ends.

        Args:
            settings: the deployment's.
            registry: plugins to use instead of those that the settings name.

        Yields:
            The deployment.

        Raises:
            LockMismatch: the plugins that the settings name are not those that are locked.
            RegistrationFailed: a plugin cannot be used.
        """
        plugin_lock = None
        if registry is None:
            pinned = pinned_plugins(settings)
            registry, plugin_lock = registry_of(settings, pinned), pinned.sha256
        with (
            ConnectionFactory(settings) as connections,
            all_cancelled_by(end_signal(), connections.warehouse()),
            _second_hop(settings, connections, registry) as second_hop,
        ):
            yield cls(
                settings=settings,
                registry=registry,
                connections=connections,
                discovery=_discovery(settings, connections, registry),
                ledger=Ledger(connections.warehouse(), settings.warehouse.schema),
                second_hop=second_hop,
                plugin_lock=plugin_lock,
            )

    def warehouse_hop(self) -> Deployment:
        """Give the deployment that loads the warehouse: with a replica, one whose source that is.

        Returns:
            With the same ledger, plugins and masking key; without a replica, this deployment itself.
        """
        if self.second_hop is None:
            return self
        return attrs.evolve(
            self,
            settings=behind_replica(self.settings),
            connections=self.second_hop.connections,
            discovery=self.second_hop.discovery,
            second_hop=None,
        )

    def replica_ledger(self) -> ReplicaLedger:
        """Make what reads and writes the replica's own record.

        Raises:
            ConfigurationError: the deployment has no replica.
        """
        engine = self.connections.replica()
        return ReplicaLedger(engine, str(engine.url.database))

    def planner(self) -> Planner:
        """Make what decides how tables are loaded."""
        return Planner(
            settings=self.settings,
            discovery=self.discovery,
            registry=self.registry,
            ledger=self.ledger,
            masking_key=self.connections.masking_key,
        )

    def levels(self) -> dict[str, str]:
        """Give the importance of every table that can be loaded.

        Returns:
            By name, in the order of the names.
        """
        settings = self.settings
        return {name: settings.get_table_config(name).table_importance for name in settings.list_tables()}


@contextmanager
def _second_hop(
    settings: Settings, connections: ConnectionFactory, registry: Registry
) -> Iterator[SecondHop | None]:
    if settings.replica is None:
        yield None
        return
    behind = behind_replica(settings)
    reading = connections.behind_replica(behind)
    with all_cancelled_by(end_signal(), connections.replica(), lambda raw: SourceQueries(raw).drop()):
        yield SecondHop(connections=reading, discovery=_discovery(behind, reading, registry))


def _discovery(settings: Settings, connections: ConnectionFactory, registry: Registry) -> SchemaDiscovery:
    return SchemaDiscovery(
        connections.source(),
        settings.source.url.database,
        registry,
        protection=Protection.of(settings),
        options={name: each.options for name, each in settings.tables.items()},
        may_read=partial(require_allowed_hour, settings.source.allowed_hours),
    )


def pinned_plugins(settings: Settings) -> PinnedPlugins:
    """Compare what is installed with a deployment's lock, if it has one; imports nothing.

    Args:
        settings: the deployment's.

    Returns:
        What was found.

    Raises:
        ConfigurationError: the lock cannot be read.
    """
    return PinnedPlugins.of(settings.folder, settings.deployment, settings.plugins)


def registry_of(settings: Settings, pinned: PinnedPlugins | None = None, *, locked: bool = False) -> Registry:
    """Load a deployment's plugins, once they are those that are locked.

    Args:
        settings: which plugins are left out, and which are asked first.
        pinned: the lock's comparison, when it was made already.
        locked: whether there must be a lock, and no editable installation.

    Returns:
        The plugins.

    Raises:
        LockMismatch: the plugins are not those that are locked.
        ConfigurationError: `plugins` in etlkit.yml names what is not there, and nothing else is wrong.
        RegistrationFailed: a plugin cannot be used, or two provide the same.
    """
    pinned = pinned or pinned_plugins(settings)
    pinned.require(locked=locked)
    registry = inspected_registry(settings).checked()
    pinned.refuse(pinned.differences_of(registry))
    return registry


def inspected_registry(settings: Settings) -> Registry:
    """Load what can be loaded of a deployment's plugins, for looking at them; the lock is not asked.

    Args:
        settings: which plugins are left out, and which are asked first.

    Returns:
        The plugins; `problems` holds what `registry_of` would raise.
    """
    registry = inspected_plugins(settings.plugins)
    broken = tuple(each for each in registry.problems if not isinstance(each, ConfigurationError))
    if broken == registry.problems:
        return registry
    # Worded anew, with the lines of the file.
    stray = report(settings.folder / SETTINGS_FILE, plugin_problems(settings, registry))
    return attrs.evolve(registry, problems=(*broken, stray))
