"""What the code says of hooks and contracts, as docs/plugins.md has to repeat it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from etlkit import hookspecs

HOOKS: dict[str, Callable[..., Any]] = {
    name: value
    for name, value in vars(hookspecs).items()
    if name.startswith(f"{hookspecs.PROJECT}_") and inspect.isfunction(value)
}
"""Every hook by name, in the order of their definition."""


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
    """Write the part of the documentation that shows a hook."""
    return f"### `{hook}`\n\n{summary(hook)}\n\n```python\n{example(hook)}```\n"


def type_section(kind: type) -> str:
    """Write the part of the documentation that shows the fields of a contract."""
    first = inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]
    rows = "".join(f"| `{name}` | {text} |\n" for name, text in fields(kind).items())
    return f"### `{kind.__name__}`\n\n{first}\n\n| field | meaning |\n|---|---|\n{rows}"
