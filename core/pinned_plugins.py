"""The plugins of a deployment, compared with its lock before any of them is imported."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import attrs

from etlkit.config import PluginSettings
from etlkit.errors import EtlkitError, LockMismatch, RegistrationFailed
from etlkit.installed import Installed
from etlkit.lock import LOCK_FILE, LockedFile, PluginLock, file_digest, read_lock
from etlkit.lock_differences import (
    Difference,
    differences_after_import,
    differences_before_import,
    editable,
    unlockable,
)
from etlkit.registry import Registry

_UNREAD = "nothing was read from the source"


@attrs.frozen(kw_only=True)
class PinnedPlugins:
    """What a deployment's folder says of its plugins, and what of it is so; nothing is imported by making it."""

    folder: Path
    """The deployment's folder."""
    settings: PluginSettings
    """Which plugins are left out, and which are asked first."""
    pylock: LockedFile | None
    """The list of packages that belongs to the deployment, where there is one."""
    lock: PluginLock | None
    """The lock; None when there is none."""
    sha256: str | None
    """The digest of the lock's file."""
    installed: Installed | None
    """What is installed; not looked at where there is no lock."""
    differences: tuple[Difference, ...]
    """Everything that differs from the lock, as far as it can be told before an import."""

    @classmethod
    def of(cls, folder: Path, deployment: str, settings: PluginSettings) -> PinnedPlugins:
        """Read the lock of a deployment, if there is one, and compare it with what is installed.

        Args:
            folder: the deployment's folder.
            deployment: its name.
            settings: which plugins are left out, and which are asked first.

        Returns:
            What was found.

        Raises:
            ConfigurationError: the lock cannot be read.
        """
        path, pylock = folder / LOCK_FILE, _pylock(folder, deployment)
        lock: PluginLock | None = None
        sha256: str | None = None
        installed: Installed | None = None
        differences: tuple[Difference, ...] = ()
        if os.path.lexists(path):
            lock, sha256 = read_lock(path)
            installed = Installed.now()
            orders = {
                each.name: getattr(settings.order, each.name) for each in attrs.fields(type(settings.order))
            }
            differences = differences_before_import(
                lock, installed, pylock=pylock, disable=settings.disable, orders=orders
            )
        return cls(
            folder=folder,
            settings=settings,
            pylock=pylock,
            lock=lock,
            sha256=sha256,
            installed=installed,
            differences=differences,
        )

    @property
    def path(self) -> Path:
        """The lock's file."""
        return self.folder / LOCK_FILE

    def require(self, *, locked: bool = False) -> None:
        """Make sure that plugins may be imported.

        Args:
            locked: whether there must be a lock, and no editable installation.

        Raises:
            LockMismatch: they may not; the message holds everything that differs.
        """
        if self.lock is None or self.installed is None:
            if locked:
                raise self.missing("--locked asks for one")
            return
        self.refuse([*self.differences, *(editable(self.installed) if locked else ())])

    def inspected(self) -> Registry:
        """Load the plugins, what cannot be loaded included; `require` comes first."""
        return inspected_plugins(self.settings)

    def differences_of(self, registry: Registry) -> tuple[Difference, ...]:
        """Compare what plugins provide with the lock.

        Args:
            registry: the plugins, loaded and without problems.

        Returns:
            What differs; nothing without a lock.
        """
        return () if self.lock is None else differences_after_import(self.lock, registry)

    def new_lock(self) -> PluginLock:
        """Lock what is there now; imports the plugins.

        Returns:
            The lock, not yet written.

        Raises:
            RegistrationFailed: a plugin cannot be used, or its files are not as they were installed.
            ConfigurationError: the settings name what is not there.
        """
        installed = self.installed or Installed.now()
        if lines := unlockable(installed):
            said = "".join(f"  {line}\n" for line in lines)
            raise RegistrationFailed(
                f"{self.path}: not written, because these are not as they were installed:\n{said}install them anew"
            )
        return PluginLock.of(installed, self.inspected().checked(), self.pylock)

    def refuse(self, differences: Sequence[Difference]) -> None:
        """Raise what differs, if anything does.

        Args:
            differences: what differs.

        Raises:
            LockMismatch: something does.
        """
        if differences:
            said = "".join(f"  {each.line}\n" for each in differences)
            raise LockMismatch(
                f"{self.path}: the plugins are not those that are locked:\n{said}install what is locked, or accept "
                f"what is there by `{self._command()}`; {_UNREAD}"
            )

    def missing(self, why: str) -> EtlkitError:
        """Word that there is no lock.

        Args:
            why: why there should be one.

        Returns:
            The error.
        """
        return LockMismatch(f"{self.path}: is not there, and {why}; `{self._command()}` writes it; {_UNREAD}")

    def _command(self) -> str:
        return f"etlkit plugins lock -C {shlex.quote(str(self.folder))}"


def inspected_plugins(settings: PluginSettings) -> Registry:
    """Load what can be loaded of the installed plugins; no lock is asked.

    Args:
        settings: which plugins are left out, which are asked first, and their options.

    Returns:
        The plugins; `problems` holds what is wrong.
    """
    return Registry.inspect(
        disable=settings.disable,
        order_classifiers=settings.order.classifiers,
        order_conversions=settings.order.conversions,
        options=settings.revealed_options(),
    )


def _pylock(folder: Path, deployment: str) -> LockedFile | None:
    """Find the list of packages (PEP 751) that is named after the deployment."""
    name = f"pylock.{deployment}.toml"
    # The standard allows no further dot in such a name.
    if not re.fullmatch(r"[^./\\]+", deployment) or not (folder / name).is_file():
        return None
    return LockedFile(file=name, sha256=file_digest(folder / name))
