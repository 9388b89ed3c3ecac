"""What the code says of hooks and contracts, as docs/plugins.md and the pages of docs/hooks have to repeat it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from etlkit import hookspecs

HOOKS: dict[str, Callable[..., Any]] = {
    name: value
    for name, value in vars(hookspecs).items()
    if name.startswith(f"{hookspecs.PROJECT}_") and inspect.isfunction(value)
}
"""Every hook by name, in the order of their definition."""


DOCS = Path(__file__).resolve().parents[2] / "docs"
OVERVIEW = DOCS / "plugins.md"
"""The page that links to all others."""

SECTIONS = (
    "When it is asked",
    "What it may do, and must not",
    "What happens when it fails",
    "Example",
    "Test",
    "Contracts",
)
"""What the page of each hook has, in this order."""

_PROGRAM = re.compile(r"(?:`(\w+\.py)`[.:]\n\n)?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@attrs.frozen(kw_only=True)
class Program:
    """A Python block of a page."""

    file: str | None
    """The name that the text in front of it gives it."""
    source: str
    """The code."""


def page_of(hook: str) -> Path:
    """Give the place of a hook's page, which need not be there."""
    return DOCS / "hooks" / f"{hook.removeprefix('etlkit_').replace('_', '-')}.md"


def programs(page: Path) -> list[Program]:
    """Give the Python blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [Program(file=file or None, source=source) for file, source in _PROGRAM.findall(text)]


def summary(hook: str) -> str:
    """Give the sentence that says what a hook is for."""
    return inspect.cleandoc(HOOKS[hook].__doc__ or "").partition("\n")[0]


def example(hook: str) -> str:
    """Give the example of a hook: a whole plugin module."""
    text = inspect.cleandoc(HOOKS[hook].__doc__ or "")
    lines = text.partition("Example:\n")[2].splitlines()
    # The example ends where a line stands as far to the left as its heading.
    end = next((number for number, line in enumerate(lines) if line[:1].strip()), len(lines))
    return textwrap.dedent("\n".join(lines[:end])).strip() + "\n"


def fields(kind: type) -> dict[str, str]:
    """Give what stands under each field of a class (or member of an enumeration), in one line."""
    [body] = [node for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef)]
    found: dict[str, str] = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        target = before.target if isinstance(before, ast.AnnAssign) else None
        if isinstance(before, ast.Assign):
            target = before.targets[0]  # type: ignore[assignment]
        if isinstance(target, ast.Name) and isinstance(after, ast.Expr):
            found[target.id] = " ".join(str(ast.literal_eval(after.value)).split())
    return found


def hook_section(hook: str) -> str:
    """Write how the page of a hook begins."""
    return f"# `{hook}`\n\n{summary(hook)}\n\n"


def hook_row(hook: str) -> str:
    """Write the line of the overview that leads to the page of a hook."""
    return f"| [`{hook}`]({page_of(hook).relative_to(DOCS)}) | {summary(hook)} |\n"


def type_section(kind: type) -> str:
    """Write the part of the documentation that shows the fields of a contract."""
    first = inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]
    rows = "".join(f"| `{name}` | {text} |\n" for name, text in fields(kind).items())
    return f"### `{kind.__name__}`\n\n{first}\n\n| field | meaning |\n|---|---|\n{rows}"
