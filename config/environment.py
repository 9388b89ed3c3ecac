"""`${NAME}` in values: taken from the environment first, then from `.env` beside the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import attrs
from dotenv.parser import parse_stream

from etlkit.config.problems import Problem, report
from etlkit.config.yaml_reader import Block, Listing, Node, Scalar, shown_path
from etlkit.suggestions import nearest
from etlkit.wording import size

# `$${NAME}` is the text `${NAME}` itself; what else begins with `${` has to be a name.
_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_REFERENCE = re.compile(rf"\$(?P<escaped>\$\{{)|\$\{{(?P<name>{_NAME})\}}|(?P<broken>\$\{{)")
_BYTES = 1024 * 1024


def read_dotenv(path: Path) -> dict[str, str]:
    """Read a `.env` file: `KEY=value` lines, quotes, comments, an `export` in front.

    Args:
        path: the file; it need not exist.

    Returns:
        The values by name; empty when there is no such file.

    Raises:
        ConfigurationError: the file cannot be read, a line is no assignment, or a name is given twice.
    """
    failure: str
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES + 1)
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        failure = "is not UTF-8; save the file in that encoding"
    except OSError as error:
        failure = f"cannot be read ({error.strerror})"
    else:
        if len(content) <= _BYTES:
            return _assignments(path, text)
        failure = f"is larger than {size(_BYTES)}, which no file of variables is"
    raise report(path, [Problem(line=None, text=failure)])


def _assignments(path: Path, text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    problems = []
    for binding in parse_stream(StringIO(text)):
        # The parser hands a statement over together with the blank lines in front of it.
        written = binding.original.string
        line = binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(Problem(line=line, text="is not an assignment of the form NAME=value"))
        elif binding.key is not None and not re.fullmatch(_NAME, binding.key):
            text = "gives a value to what is no name; a name has letters without accents, digits and `_`"
            problems.append(Problem(line=line, text=text))
        elif "\0" in (binding.value or ""):
            problems.append(Problem(line=line, text=f"`{binding.key}` holds a NUL, which no value can"))
        elif binding.key is not None and binding.key in values:
            first = lines[binding.key]
            problems.append(
                Problem(line=line, text=f"`{binding.key}` is given twice (first in line {first})")
            )
        elif binding.key is not None:
            values[binding.key] = binding.value or ""
            lines[binding.key] = line
    if problems:
        raise report(path, problems)
    return values


def expand(node: Node, values: Mapping[str, str]) -> tuple[Node, list[Problem]]:
    """Replace every `${NAME}` in a tree's values; keys are left alone.

    Args:
        node: the tree as it was read.
        values: the values by name.

    Returns:
        The tree with texts in place of references, each with its origin, and a problem per unknown name.
    """
    problems: list[Problem] = []
    if isinstance(node, Scalar):
        return _expanded(node, values, problems), problems
    if isinstance(node, Listing):
        items = []
        for item in node.items:
            inner, found = expand(item, values)
            items.append(inner)
            problems.extend(found)
        return attrs.evolve(node, items=tuple(items)), problems
    entries = {}
    for key, value in node.entries.items():
        if "${" in key:
            text = (
                f"the key `{shown_path(key)}` holds a reference, and only values are replaced; write it out"
            )
            problems.append(Problem(line=node.key_lines[key], text=text))
        entries[key], found = expand(value, values)
        problems.extend(found)
    return Block(path=node.path, line=node.line, entries=entries, key_lines=node.key_lines), problems


def _expanded(node: Scalar, values: Mapping[str, str], problems: list[Problem]) -> Scalar:
    used: list[str] = []

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "${"
        name = match["name"]
        if name is None:
            text = f"`{node.path}` holds a `${{` without name and `}}`; write `$${{` for the text itself"
            problems.append(Problem(line=node.line, text=text))
            return ""
        used.append(name)
        if name not in values:
            close = nearest(name, values)
            hint = f" (did you mean `${{{close}}}`?)" if close else ""
            text = f"`{node.path}` needs `${{{name}}}`, which neither the environment nor `.env` sets{hint}"
            problems.append(Problem(line=node.line, text=text))
            return ""
        if not values[name].isascii() and not _is_utf8(values[name]):
            text = f"`{node.path}` needs `${{{name}}}`, whose value is not UTF-8"
            problems.append(Problem(line=node.line, text=text))
        return values[name]

    text = _REFERENCE.sub(value, node.text)
    if not used:
        return attrs.evolve(node, text=text)
    return attrs.evolve(node, text=text, plain=False, origin=f"${{{used[0]}}}")


def _is_utf8(text: str) -> bool:
    # Bytes of the environment that are no UTF-8 come as lone surrogates, which nothing can send.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
