"""From texts with lines to frozen types: cattrs picks a hook per declared type, hooks word problems."""

from __future__ import annotations

import re
import types
import typing
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin

import attrs
import cattrs

from etlkit.config.problems import Problem, ProblemsFound, problem
from etlkit.config.secrets import PluginOption, Secret
from etlkit.config.types import AllowedHours
from etlkit.config.urls import DatabaseUrl, MySQLUrl, NotAnAddress, PostgresUrl
from etlkit.config.yaml_reader import Block, Listing, Node, Scalar, is_delicate
from etlkit.suggestions import suggestion

T = TypeVar("T")
_TRUE = ("true", "yes", "on")
_FALSE = ("false", "no", "off")
_UNSHOWN = "plugins.options."  # may hold what only the plugin knows to be a secret


def structure(node: Node, cls: type[T], folder: Path) -> T:
    """Make a frozen value out of a tree.

    Args:
        node: the tree as read, references expanded.
        cls: the attrs class to make.
        folder: where relative paths begin.

    Returns:
        The value.

    Raises:
        ProblemsFound: with every problem of the tree.
    """
    return _converter(folder).structure(node, cls)


def fields_of(cls: type) -> dict[str, attrs.Attribute[Any]]:
    """List the keys that a section has in its file.

    Args:
        cls: an attrs class.

    Returns:
        The fields by name, without those marked as not being in the file.
    """
    attrs.resolve_types(cls, include_extras=True)
    return {each.name: each for each in attrs.fields(cls) if each.metadata.get("in_file", True)}


def is_optional(kind: Any) -> bool:
    """Say whether a type is a union of one type and None."""
    return get_origin(kind) in (typing.Union, types.UnionType) and type(None) in get_args(kind)


def _converter(folder: Path) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)

    def path(node: Node, _: Any) -> Path:
        if not isinstance(node, Scalar) or not node.text or "\0" in node.text:
            raise _wrong(node, "a path")
        with suppress(RuntimeError):
            return folder / Path(node.text).expanduser()
        raise _wrong(node, "a path", "; there is no such user")

    hooks: list[tuple[Any, Callable[[Any, Any], Any]]] = [
        (str, _text),
        (int, _whole_number),
        (float, _number),
        (bool, _yes_or_no),
        (Path, path),
        (AllowedHours, _hours),
        (MySQLUrl, _url),
        (PostgresUrl, _url),
        (Secret, _secret),
        (PluginOption, _option),
    ]
    families: list[tuple[Callable[[Any], bool], Callable[[cattrs.Converter, Node, Any], Any]]] = [
        (attrs.has, _section),
        (lambda kind: get_origin(kind) is Literal, _one_of),
        (lambda kind: get_origin(kind) is tuple, _items),
        (lambda kind: get_origin(kind) is Mapping, _named),
        (is_optional, _maybe),
        (lambda kind: get_origin(kind) is Annotated, _checked),
    ]
    for predicate, family in families:
        converter.register_structure_hook_func(predicate, partial(family, converter))
    for cls, hook in hooks:
        converter.register_structure_hook(cls, hook)
    return converter


def _shown(node: Node) -> str:
    if isinstance(node, Block):
        return "a mapping"
    if isinstance(node, Listing):
        return "a list"
    if node.origin is not None:
        return f"the value of `{node.origin}`"
    if node.absent or not node.text:
        return "nothing"
    if is_delicate(node.text) or f"{node.path}.".startswith(_UNSHOWN):
        return "a text that is not shown"
    return f"`{node.text}`"


def quoted(name: str) -> str:
    """Put a name between backticks, unless it may be something else in the wrong place.

    Args:
        name: what a person wrote where a name is expected.

    Returns:
        Words for a message.
    """
    return "something that is not shown" if is_delicate(name) else f"`{name}`"


def _wrong(node: Node, expected: str, hint: str = "") -> ProblemsFound:
    named = f"`{node.path}`" if node.path else "the file"
    return problem(node.line, f"{named} must be {expected} (got {_shown(node)}{hint})")


def _text(node: Node, _: Any) -> str:
    if not isinstance(node, Scalar) or node.absent:
        raise _wrong(node, "a text")
    return node.text


def _whole_number(node: Node, _: Any) -> int:
    if isinstance(node, Scalar) and re.fullmatch(r"[+-]?(0|[1-9][0-9]{0,17})", node.text):
        return int(node.text)
    raise _wrong(node, "a whole number")


def _number(node: Node, _: Any) -> float:
    form = r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?"
    if isinstance(node, Scalar) and re.fullmatch(form, node.text):
        return float(node.text)
    raise _wrong(node, "a number")


def _yes_or_no(node: Node, _: Any) -> bool:
    if isinstance(node, Scalar) and node.text.lower() in (*_TRUE, *_FALSE):
        return node.text.lower() in _TRUE
    raise _wrong(node, "true or false")


def _hours(node: Node, _: Any) -> AllowedHours:
    reason = None
    if isinstance(node, Scalar):
        try:
            return AllowedHours.parse(node.text)
        except ValueError as error:
            reason = error
    hint = "; leave the key out to allow every hour" if reason and "same" in str(reason) else ""
    raise _wrong(node, "two different times of day such as `20:00-06:00`", hint)


def _url(node: Node, cls: type[DatabaseUrl]) -> DatabaseUrl:
    if not isinstance(node, Scalar):
        raise _wrong(node, "an address")
    try:
        return cls.parse("" if node.absent else node.text)
    except NotAnAddress as error:
        sentence = str(error)
    raise problem(node.line, f"`{node.path}` {sentence}")


def _secret(node: Node, _: Any) -> Secret:
    if not isinstance(node, Scalar) or node.origin is None:
        # What stands there may be the secret itself, so it is not repeated.
        raise problem(
            node.line,
            f'`{node.path}` must be a reference to the environment such as `"${{ETLKIT_MASKING_KEY}}"`',
        )
    return Secret(node.text)


def _option(node: Node, _: Any) -> PluginOption:
    return PluginOption(_text(node, str))


def _one_of(_: cattrs.Converter, node: Node, kind: Any) -> str:
    choices = get_args(kind)
    if isinstance(node, Scalar) and node.text in choices:
        return node.text
    expected = " or ".join(
        filter(None, [", ".join(f"`{each}`" for each in choices[:-1]), f"`{choices[-1]}`"])
    )
    hint = ""
    if isinstance(node, Scalar) and node.origin is None:
        near = suggestion(node.text, choices, otherwise="")
        hint = f"; {near}" if near.startswith("did") else ""
    raise _wrong(node, expected, hint)


def _items(converter: cattrs.Converter, node: Node, kind: Any) -> tuple[Any, ...]:
    if isinstance(node, Scalar) and node.absent:
        return ()
    if not isinstance(node, Listing):
        raise _wrong(node, "a list")
    by_place = {item.path: item for item in node.items}
    values = tuple(_each(by_place, get_args(kind)[0], converter).values())
    twice = [each for each, times in Counter(values).items() if times > 1]
    if twice:
        second = [item for item, value in zip(node.items, values, strict=True) if value == twice[0]][1]
        raise problem(second.line, f"`{second.path}` is given twice (it is {_shown(second)})")
    return values


def _named(converter: cattrs.Converter, node: Node, kind: Any) -> dict[str, Any]:
    if isinstance(node, Scalar) and node.absent:
        return {}
    if not isinstance(node, Block):
        raise _wrong(node, "a mapping of names")
    if "" in node.entries:
        raise problem(
            node.key_lines[""], f"`{node.path}` holds an empty name; write the name, or take it out"
        )
    return _each(node.entries, get_args(kind)[1], converter)


def _each(nodes: Mapping[str, Node], kind: Any, converter: cattrs.Converter) -> dict[str, Any]:
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, node in nodes.items():
        try:
            values[name] = converter.structure(node, kind)
        except ProblemsFound as found:
            problems.extend(found.problems)
    if problems:
        raise ProblemsFound(problems)
    return values


def _maybe(converter: cattrs.Converter, node: Node, kind: Any) -> Any:
    if isinstance(node, Scalar) and node.absent:
        return None
    (inner,) = (each for each in get_args(kind) if each is not type(None))
    return converter.structure(node, inner)


def _checked(converter: cattrs.Converter, node: Node, kind: Any) -> Any:
    inner, *checks = get_args(kind)
    value = converter.structure(node, inner)
    noun = {int: "a whole number ", float: "a number "}.get(inner, "")
    for check in checks:
        if not check.holds(value):
            raise _wrong(node, f"{noun}{check.expectation()}")
    return value


def _section(converter: cattrs.Converter, node: Node, cls: type) -> Any:
    if isinstance(node, Scalar) and node.absent:
        node = Block(path=node.path, line=node.line, entries={}, key_lines={})
    if not isinstance(node, Block):
        raise _wrong(node, "a mapping of keys")
    fields = fields_of(cls)
    named = f"`{node.path}`" if node.path else "the file"
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, given in node.entries.items():
        if name not in fields:
            hint = suggestion(name, fields, otherwise="known keys")
            text = f"{named} has no key {'of that name' if is_delicate(name) else f'`{name}`'} ({hint})"
            problems.append(Problem(line=node.key_lines[name], text=text))
            continue
        value = _without_null(given, fields[name])
        try:
            values[name] = converter.structure(value, cast("Any", fields[name].type))
        except ProblemsFound as found:
            problems.extend(found.problems)
    for name, field in fields.items():
        if field.default is attrs.NOTHING and name not in node.entries:
            problems.append(Problem(line=node.line, text=f"{named} needs the key `{name}`"))
    problems.extend(_rival_secrets(node, values))
    if values.get("insecure") and values.get("ca_file") is not None:
        text = f"`{named.strip('`')}` is `insecure` and has a `ca_file`, which nothing is verified by then; keep one"
        problems.append(Problem(line=node.key_lines["ca_file"], text=text))
    if problems:
        raise ProblemsFound(problems)
    return cls(**values)


def _without_null(node: Node, field: attrs.Attribute[Any]) -> Node:
    """Take `null` for the name that it is where a person who writes it would wonder that nothing is done."""
    named = field.metadata.get("null_is_a_name", False)
    if named and isinstance(node, Scalar) and node.absent and node.text.lower() == "null":
        return attrs.evolve(node, text="null", plain=False)
    return node


def _rival_secrets(node: Block, values: Mapping[str, Any]) -> list[Problem]:
    found = []
    for what in ("password", "key"):
        ways = [way for way in (what, f"{what}_file", f"{what}_command") if values.get(way) is not None]
        if what == "password" and getattr(values.get("url"), "password", None) is not None:
            ways.insert(0, "url")
        if ways[1:]:
            said = " and in ".join(f"`{way}`" for way in ways)
            text = f"`{node.path}` has its {what} in {said}; keep one"
            found.append(Problem(line=node.key_lines[ways[-1]], text=text))
    return found
