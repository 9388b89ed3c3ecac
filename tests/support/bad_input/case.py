"""What a bad input is: the files, options and variables that somebody got wrong, and what is said of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from etlkit.config import TableConfig, render_tables

SECRET = "hunter2"  # noqa: S105 -- no password of anything
"""Stands in every password of the inputs, and never in an answer."""

ENV = {"EMPTY": "", "WORD": "word", "PW": SECRET}
"""Variables that the inputs refer to, beside the two addresses."""

TABLES = render_tables(
    {
        "patient": TableConfig(
            table_importance="critical", extraction_strategy="incremental", incremental_column="DateTStamp"
        ),
        "claim": TableConfig(),
    }
)
"""A `tables.yml` as `etlkit analyze` writes it."""


@attrs.frozen
class Link:
    """A symbolic link."""

    to: str


@attrs.frozen
class Folder:
    """A folder where a file should be."""


FOLDER = Folder()

Content = str | bytes | Link | Folder | None
"""What is at a path; None for nothing."""


@attrs.frozen(kw_only=True)
class Bad:
    """One bad input."""

    kind: str
    """Where the mistake is."""
    what: str
    """The mistake in words."""
    says: str
    """The whole answer but for `Error: ` before it; `{folder}` is the deployment's, `{all}` a list of names."""
    args: Sequence[str] = ("plan",)
    """The command line without `etlkit`."""
    env: Mapping[str, str] = attrs.field(factory=dict)
    """Variables beside those of `ENV`."""
    files: Mapping[str, Content] = attrs.field(factory=dict)
    """Files of the deployment's folder that are not as they should be."""
    mode: int = 0o600
    """The permissions of these files."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"

    @property
    def answer(self) -> str:
        """What is on standard error."""
        return f"{self.says}\n" if self.says.startswith("Usage: ") else f"Error: {self.says}\n"


def servers(*, deployment: str = "north", source: str = "", warehouse: str = "") -> str:
    """A small `etlkit.yml` of three lines.

    Args:
        deployment: what its name is.
        source: one more key of the section `source`.
        warehouse: one more key of the section `warehouse`.
    """
    more = [f", {each}" if each else "" for each in (source, warehouse)]
    return (
        f"deployment: {deployment}\n"
        f'source: {{url: "${{ETLKIT_SOURCE_URL}}"{more[0]}}}\n'
        f'warehouse: {{url: "${{ETLKIT_WAREHOUSE_URL}}"{more[1]}}}\n'
    )


def whole(kind: str, file: str, rows: Iterable[tuple[str, Content, str]]) -> tuple[Bad, ...]:
    """Inputs of which each is a whole file.

    Args:
        kind: of all.
        file: its name.
        rows: the mistake in words, the file, and the answer.
    """
    return tuple(Bad(kind=kind, what=what, files={file: content}, says=says) for what, content, says in rows)


def line_4(kind: str, rows: Iterable[tuple[str, str, str]]) -> tuple[Bad, ...]:
    """Inputs of which each is one more line of `etlkit.yml`, the fourth.

    Args:
        kind: of all.
        rows: the mistake in words, the line, and the answer.
    """
    return tuple(
        Bad(kind=kind, what=what, files={"etlkit.yml": f"{servers()}{line}\n"}, says=says)
        for what, line, says in rows
    )


def commands(kind: str, rows: Iterable[tuple[Sequence[str], Mapping[str, str], str]]) -> tuple[Bad, ...]:
    """Inputs of which each is a command, with variables.

    Args:
        kind: of all.
        rows: the words behind `etlkit`, the variables, and the answer.
    """
    return tuple(
        Bad(
            kind=kind,
            what=" ".join(
                [*(f"{name}={value}" for name, value in env.items()), shlex.join(["etlkit", *args])]
            )[:100],
            args=args,
            env=env,
            says=says,
        )
        for args, env, says in rows
    )


def lay_out(folder: Path, files: Mapping[str, Content], mode: int = 0o600) -> None:
    """Write a deployment's folder, all as it should be but for some files.

    Args:
        folder: an empty one.
        files: what is otherwise.
        mode: the permissions of these.
    """
    (folder / "empty").mkdir()
    usual: dict[str, Content] = {"etlkit.yml": servers(), "tables.yml": TABLES}
    for name, content in {**usual, **files}.items():
        path = folder / name
        match content:
            case None:
                continue
            case Link():
                path.symlink_to(content.to)
            case Folder():
                path.mkdir()
            case str():
                path.write_text(content, encoding="utf-8")
            case bytes():
                path.write_bytes(content)
        if name in files and path.is_file():
            path.chmod(mode)


def without_lists(answer: str) -> str:
    """Put `{all}` in place of lists of names, which grow with every plugin and every key."""
    return re.sub(r"(known[a-z ]*): (?:`[^`\n]*`(?:, )?)+(?: and \d+ more)?", r"\1: {all}", answer)


def state_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All that is below a folder: permissions and content by path."""
    found = {}
    for path in folder.rglob("*"):
        content = b"" if path.is_symlink() or not path.is_file() else path.read_bytes()
        found[str(path)] = (path.lstat().st_mode, content)
    return found
