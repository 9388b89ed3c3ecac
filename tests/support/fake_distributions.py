"""Distributions as an installer would leave them, written by hand: small, without network, in any folder."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

CLASSIFIER = """
from pathlib import Path

from etlkit import Classifier, hookimpl

Path(__file__).with_suffix(".imported").touch()


@hookimpl
def etlkit_classifiers():
    for name in {names!r}:
        yield Classifier(name=name, classify=lambda table: None)
"""


def classifiers(*names: str) -> str:
    """The source of a plugin that provides classifiers, and leaves a file beside itself when it is imported."""
    return CLASSIFIER.format(names=names)


def was_imported(module: Path) -> bool:
    """Whether a plugin made of `classifiers` was imported since the last question."""
    mark = module.with_suffix(".imported")
    there = mark.exists()
    mark.unlink(missing_ok=True)
    return there


def install(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    plugins: Mapping[str, str],
    files: Mapping[str, str],
    requires: Sequence[str] = (),
    editable: bool = False,
) -> Path:
    """Install a distribution.

    Args:
        folder: on `sys.path`.
        name: of the distribution.
        version: its version.
        plugins: entry points of etlkit's group.
        files: its modules, path by text.
        requires: what it needs.
        editable: whether its files are said to be a developer's, and not listed.

    Returns:
        Its `dist-info`.
    """
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    entries = "".join(f"{plugin} = {value}\n" for plugin, value in plugins.items())
    contents = {
        f"{info.name}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info.name}/entry_points.txt": f"[etlkit.plugins]\n{entries}",
        f"{info.name}/INSTALLER": "hand\n",
        **files,
    }
    for path, text in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    listed = [path for path in contents if not editable or path.startswith(info.name)]
    rows = [*(f"{path},sha256={_listed(contents[path])},{len(contents[path])}\n" for path in listed)]
    (info / "RECORD").write_text("".join([*rows, f"{info.name}/RECORD,,\n"]), encoding="utf-8")
    if editable:
        (info / "direct_url.json").write_text('{"url": "file:///src", "dir_info": {"editable": true}}')
    return info


def _listed(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
