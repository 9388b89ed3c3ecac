"""YAML as people mean it: each value stays the text that was written, with its line, until a type asks.

YAML 1.1 reads `22:00` as 1320, `3.10` as 3.1, `no` as false, `010` as 8, and keeps the last of two equal
keys. So nothing is resolved here, and anchors, aliases, merge keys and tags are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml

from etlkit.config.problems import Problem, ProblemsFound, problem, report
from etlkit.wording import one_line, size

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH = 20
_BYTES = 16 * 1024 * 1024  # a tables.yml of a clinic has half a megabyte
_LONG = 60  # characters: a longer text is not repeated in a message
# What YAML allows in a text, so that a message can name the line of what it does not.
_NOT_ALLOWED = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.MULTILINE)
# By a part of the parsers' words (there are two parsers), what to do about it.
_REMEDIES = {
    "mapping values are not allowed": "a `:` within a text wants quotes around it, and a key a line of its own",
    "cannot start any token": "put the text in quotes",
    "find expected ':'": "a key wants a `:` and a blank behind it",
    "end of stream": "a quote or a bracket is not closed",
    "quoted scalar": "a quote is not closed",
    "',' or": "a bracket is not closed, or a `,` is missing",
    "node content": "a value is missing, or a bracket is not closed",
    "expected key": "the line is indented otherwise than those above it",
    "block end": "the line is indented otherwise than those above it",
    "escape": "in double quotes a `\\` is written `\\\\`; single quotes keep it as it is",
    "document start": "write `key: value` lines",
}


@attrs.frozen(kw_only=True)
class Scalar:
    """A single value, as text."""

    path: str
    """Where in the document, such as `source.url`; empty at the root."""
    line: int
    """Its line, from 1."""
    text: str
    """The text that was written, quotes and escapes taken away."""
    plain: bool = True
    """Whether it was written without quotes, so that `null` and nothing at all mean no value."""
    origin: str | None = None
    """The `${NAME}` it came from; such a text is never shown."""

    @property
    def absent(self) -> bool:
        """Whether nothing was written, or `null` without quotes."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@attrs.frozen(kw_only=True)
class Listing:
    """A list of values."""

    path: str
    """Where in the document."""
    line: int
    """Its first line."""
    items: tuple[Node, ...]
    """In the order they were written."""


@attrs.frozen(kw_only=True)
class Block:
    """A mapping of keys to values."""

    path: str
    """Where in the document; empty at the root."""
    line: int
    """Its first line."""
    entries: Mapping[str, Node]
    """In the order they were written."""
    key_lines: Mapping[str, int]
    """The line of each key."""


Node = Scalar | Listing | Block


def read_yaml(path: Path) -> Block:
    """Read a file into blocks, lists and texts with their lines.

    Args:
        path: the file.

    Returns:
        The root block; its `path` is empty.

    Raises:
        ConfigurationError: the file cannot be read, or is not a mapping in the strict YAML described above.
    """
    try:
        return parse_yaml(_text(path))
    except ProblemsFound as found:
        error = report(path, found.problems)
    raise error


def parse_yaml(text: str) -> Block:
    """Parse a text; see `read_yaml`.

    Args:
        text: the whole document.

    Returns:
        The root block.

    Raises:
        ProblemsFound: with every problem up to the first place where the text is no YAML.
    """
    if odd := _NOT_ALLOWED.search(text):
        line = text[: odd.start()].count("\n") + 1
        raise problem(line, f"holds a character that YAML does not allow (`{one_line(odd[0])}`); delete it")
    reader = _Reader()
    failure: Problem | None = None
    root: Node | None = None
    try:
        root = reader.document(iter(yaml.parse(text, Loader=_PARSER)))
    except yaml.YAMLError as error:
        failure = _not_yaml(error, text)
    if failure is not None:
        raise ProblemsFound([*reader.problems, failure])
    if root is None or (isinstance(root, Scalar) and root.absent):
        raise problem(None, "is empty; a mapping of keys was expected")
    if not isinstance(root, Block):
        got = "a list" if isinstance(root, Listing) else "a single text"
        raise problem(root.line, f"the file must be a mapping of keys (got {got})")
    if reader.problems:
        raise ProblemsFound(reader.problems)
    return root


def _text(path: Path) -> str:
    reason = None
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES + 1)
        if len(content) > _BYTES:
            raise problem(None, f"is larger than {size(_BYTES)}, which no file of a deployment is")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise problem(line, "is not UTF-8; save the file in that encoding") from None
    except FileNotFoundError:
        reason = "is a link to a file that is not there" if path.is_symlink() else "is not there"
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    raise problem(None, reason)


def _not_yaml(error: yaml.YAMLError, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Problem(line=None, text="is not YAML")
    if conflict := _CONFLICT.search(text):
        line = text[: conflict.start()].count("\n") + 1
        return Problem(
            line=line, text="holds the marks of a merge conflict; choose one side and delete the marks"
        )
    lines = text.split("\n")
    for number in range(max(0, mark.line - 1), min(len(lines), mark.line + 1)):
        if re.match(r"\s*\t", lines[number]):
            return Problem(line=number + 1, text="is indented with a tab; YAML wants spaces")
    said: str = getattr(error, "problem", None) or "unexpected text"
    began = getattr(error, "context_mark", None)
    if began is not None and ("end of stream" in said or "expected ':'" in said):
        mark = began  # where the quote is that is not closed, or the key
    remedy = next((words for part, words in _REMEDIES.items() if part in said), None)
    # A parser's message may quote what was written, and that may be a password; single characters stay.
    shown = re.sub(
        r"'([^']*)'|\"([^\"]*)\"", lambda quoted: quoted[0] if len(quoted[0]) <= len("'x'") else "...", said
    )
    return Problem(line=mark.line + 1, text=f"is not YAML: {shown}{f' ({remedy})' if remedy else ''}")


def is_delicate(text: str) -> bool:
    """Say whether a text must not be repeated in a message.

    Args:
        text: what a person wrote.

    Returns:
        True for what may be an address, with a password in it, and for what does not fit into a sentence.
    """
    return "://" in text or "@" in text or len(text) > _LONG or "\n" in text


def shown_path(*keys: str) -> str:
    """Word where in a document something is.

    Args:
        *keys: from the root on; what must not be repeated is `...`.

    Returns:
        Such as `source.url`.
    """
    return ".".join("..." if is_delicate(key) else one_line(key) for key in keys)


class _Reader:
    """Builds the tree from the parser's events, so that nothing is resolved on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def document(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._add(event, "begins a second document; one file holds one")
                    break
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, "", 0)
        return root

    def _add(self, event: Any, text: str) -> None:
        self.problems.append(Problem(line=event.start_mark.line + 1, text=text))

    def _node(self, event: Any, events: Iterator[Any], path: str, depth: int) -> Node:
        line: int = event.start_mark.line + 1
        named = f"`{path}`" if path else "the file"
        if depth > _DEPTH:
            text = f"is nested deeper than {_DEPTH} levels"
            raise ProblemsFound([*self.problems, Problem(line=line, text=text)])
        if isinstance(event, yaml.AliasEvent):
            self._add(event, f"{named} refers to an anchor (`*`); write the value out, or put it in quotes")
            return Scalar(path=path, line=line, text="")
        if event.anchor is not None:
            self._add(event, f"{named} has an anchor (`&`); write values out, or put the text in quotes")
        if event.tag is not None:
            self._add(event, f"{named} has a tag (`!`); types follow from the key, put the text in quotes")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(path=path, line=line, text=event.value, plain=event.style in (None, ""))
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(following := next(events), yaml.SequenceEndEvent):
                items.append(self._node(following, events, f"{path}[{len(items)}]", depth + 1))
            return Listing(path=path, line=line, items=tuple(items))
        return self._block(events, path, line, depth)

    def _block(self, events: Iterator[Any], path: str, line: int, depth: int) -> Block:
        entries: dict[str, Node] = {}
        key_lines: dict[str, int] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, path, depth + 1)
            name = key.text if isinstance(key, Scalar) else ""
            inner = f"{path}.{shown_path(name)}" if path else shown_path(name)
            value = self._node(next(events), events, inner, depth + 1)
            if not isinstance(key, Scalar):
                self._add(event, "a key must be a single text")
            elif name == "<<" and key.plain:
                self._add(event, "a merge key (`<<`) is not understood; write the keys out")
            elif name in entries:
                self._add(event, f"`{inner}` is given twice (first in line {key_lines[name]})")
            else:
                entries[name] = value
                key_lines[name] = key.line
        return Block(path=path, line=line, entries=entries, key_lines=key_lines)
