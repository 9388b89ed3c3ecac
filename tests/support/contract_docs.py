"""What the code says of the contracts of `etlkit.testing`, as docs/testing-plugins.md has to repeat it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise

from etlkit import testing
from etlkit.testing import Contract


def contracts() -> list[type[Contract]]:
    """Give every contract, in the order of the names."""
    found = (getattr(testing, name) for name in testing.__all__)
    return [
        each
        for each in found
        if inspect.isclass(each) and issubclass(each, Contract) and each is not Contract
    ]


def section(contract: type[Contract]) -> str:
    """Word a contract's part of the page: what it is, its attributes and its tests."""
    lines = [
        f"### `{contract.__name__}`",
        "",
        *inspect.cleandoc(contract.__doc__ or "").splitlines(),
        "",
    ]
    own = list(_attributes(contract))
    if own:
        lines += [
            "| attribute | meaning |",
            "|---|---|",
            *(f"| `{name}` | {said} |" for name, said in own),
            "",
        ]
    lines += ["| test | servers | what it asserts |", "|---|---|---|"]
    for name, method in vars(contract).items():
        if name.startswith("test_"):
            servers = "yes" if len(inspect.signature(method).parameters) > 1 else "no"
            lines.append(f"| `{name}` | {servers} | {inspect.getdoc(method)} |")
    return "\n".join([*lines, ""])


def _attributes(contract: type[Contract]) -> Iterator[tuple[str, str]]:
    [definition] = ast.parse(inspect.getsource(contract)).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for node, following in pairwise(body):
        documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and documented:
            yield node.target.id, " ".join(str(ast.literal_eval(following.value)).split())
