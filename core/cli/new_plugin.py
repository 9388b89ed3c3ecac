"""`etlkit plugins new`: a plugin distribution to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from etlkit.cli import options, output
from etlkit.cli.values import Folder
from etlkit.scaffold.distribution import new_distribution


@click.command("new")
@click.argument("name")
@options.option(
    "--into",
    type=Folder(),
    metavar="FOLDER",
    help="Write into this folder, which must be new or empty, instead of NAME.",
)
@options.common
@options.as_json
def new_plugin(*, name: str, into: Path | None, folder: Path, as_json: bool) -> None:
    """Write a plugin to begin with.

    It is a distribution with one of each hook, tests that run the contracts and a README, in the new
    folder NAME. Asks no server.
    """
    done = new_distribution(name, into or folder / name)
    if as_json:
        output.write_json(
            {
                "plugin": done.names.module,
                "distribution": done.names.distribution,
                "folder": str(done.folder),
                "written": [str(path) for path in done.files],
            }
        )
        return
    output.say(
        *(f"Wrote {path}" for path in done.files),
        f"Next: {done.folder / 'README.md'} says how to test and use it",
    )
