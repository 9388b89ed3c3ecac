"""The files of one installed distribution: their digest, and what was changed or added since it was installed."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import importlib.metadata
import os
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder, all_suffixes
from pathlib import Path, PurePosixPath
from typing import Literal

import attrs

Kind = Literal["files", "editable", "unlisted"]
"""`files`: the installer listed what it wrote; `editable`: the files are a developer's and lie elsewhere; `unlisted`:
nobody knows which files belong to it."""

_KEPT = ("METADATA", "entry_points.txt")
_SCRIPTS = ("bin", "Scripts")
_CACHE = "__pycache__"
_SUFFIXES = tuple(all_suffixes())


@attrs.frozen(kw_only=True)
class InstalledFiles:
    """What is there of a distribution."""

    kind: Kind
    """Whether its files can be told at all."""
    digest: str | None = None
    """sha256 over its files, as docs/plugin-lock.md defines it; None where its files cannot be told."""
    changed: tuple[str, ...] = ()
    """Files whose content is not what the installer wrote."""
    gone: tuple[str, ...] = ()
    """Files that the installer wrote and that are not there."""
    stray: tuple[str, ...] = ()
    """Files that could be imported, in the distribution's own packages, and that the installer did not write."""
    listed: frozenset[str] = attrs.field(default=frozenset(), repr=False)
    """The files that the digest is made of, and those that are gone."""


def installed_files(distribution: importlib.metadata.Distribution) -> InstalledFiles:
    """Read the files of a distribution; nothing of it is imported.

    Args:
        distribution: as `importlib.metadata` finds it.

    Returns:
        Their digest, and what is not as it was installed.
    """
    if _is_announced_editable(distribution):
        return InstalledFiles(kind="editable")
    listed = _listed(distribution)
    if not listed:
        # A builder leaves this list beside the sources; what is found by it lies in a developer's folder.
        in_sources = distribution.read_text("SOURCES.txt") is not None
        return InstalledFiles(kind="editable" if in_sources else "unlisted")
    root = Path(str(distribution.locate_file("")))
    own = [path for path in listed if _counts(PurePosixPath(path), listed)]
    if any((root / folder).is_symlink() for folder in _folders(own)):
        # A tree of links into somebody's checkout: what is behind them does not lie here.
        return InstalledFiles(kind="editable")
    digests = {path: _sha256(root / path) for path in own}
    there = {path: digest for path, digest in digests.items() if digest is not None}
    return InstalledFiles(
        kind="files",
        digest=_together(there.items()),
        changed=tuple(
            sorted(path for path, digest in there.items() if listed[path] not in ("", _as_listed(digest)))
        ),
        gone=tuple(sorted(digests.keys() - there.keys())),
        stray=tuple(sorted(_strays(root, own))),
        listed=frozenset(own),
    )


def imported_from(
    module: str, distribution: importlib.metadata.Distribution, files: InstalledFiles
) -> Path | None:
    """Find the file that an import would take for a module of a distribution; imports nothing.

    Args:
        module: its whole name.
        distribution: which announces it.
        files: its files.

    Returns:
        The file, when it is none of the distribution's: it lies in front of it on `sys.path`, or hides it. None when
        it is the distribution's own, or there is none at all, which the import will tell.
    """
    path: list[str] | None = None
    parts = module.split(".")
    root = Path(os.path.abspath(str(distribution.locate_file(""))))  # noqa: PTH100 - links are not to be followed
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or ())
        if spec.origin is None:
            continue  # a namespace, which has no file of its own
        found = Path(os.path.abspath(spec.origin))  # noqa: PTH100 - as above
        if not found.is_relative_to(root) or found.relative_to(root).as_posix() not in files.listed:
            return found
    return None


def _is_announced_editable(distribution: importlib.metadata.Distribution) -> bool:
    url = distribution.read_text("direct_url.json") or ""
    # Read as a text: a file that is no JSON announces nothing.
    return '"editable":true' in "".join(url.split())


def _listed(distribution: importlib.metadata.Distribution) -> dict[str, str]:
    """Read which files the installer wrote, each with its hash as it is written there."""
    rows = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    return {row[0].replace("\\", "/"): row[1] for row in rows if len(row) > 1}


def _counts(path: PurePosixPath, listed: Iterable[str]) -> bool:
    """Say whether a file is part of what is compared: not scripts, compiled code, and what installers note."""
    if ".." in path.parts or path.is_absolute() or path.suffix == ".pyc" or _CACHE in path.parts:
        return False
    first = path.parts[0]
    if first.endswith(".dist-info"):
        return path.parts[1:] in {(name,) for name in _KEPT}
    # Some installers list scripts beside the modules when they install into a folder of their own.
    return first not in _SCRIPTS or f"{first}/__init__.py" in listed


def _together(files: Iterable[tuple[str, str]]) -> str:
    lines = sorted((digest, path) for path, digest in files)
    whole = hashlib.sha256()
    for digest, path in lines:
        whole.update(f"{digest} {path}\n".encode())
    return whole.hexdigest()


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _as_listed(digest: str) -> str:
    text = base64.urlsafe_b64encode(binascii.unhexlify(digest)).decode()
    return f"sha256={text.rstrip('=')}"


def _folders(files: Iterable[str]) -> set[str]:
    """Give every folder that one of the files lies in."""
    return {str(parent) for path in files for parent in PurePosixPath(path).parents if str(parent) != "."}


def _strays(root: Path, own: Iterable[str]) -> Iterator[str]:
    """Find what could be imported beside the listed files, in every folder at the top that holds one of them."""
    files = set(own)
    for top in {path.partition("/")[0] for path in files if "/" in path and path.endswith(_SUFFIXES)}:
        found = {path for path in _importable(root, top) if path not in files}
        if found and f"{top}/__init__.py" not in files:
            # A namespace, which several distributions fill.
            found -= {
                path for each in importlib.metadata.distributions(path=[str(root)]) for path in _listed(each)
            }
        yield from found


def _importable(root: Path, top: str) -> Iterator[str]:
    for folder, below, names in os.walk(root / top):
        below[:] = [name for name in below if name != _CACHE]
        for name in names:
            if name.endswith(_SUFFIXES):
                yield (Path(folder) / name).relative_to(root).as_posix()
