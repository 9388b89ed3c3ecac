"""Compares a document with the `TypedDict` that documents it."""

from __future__ import annotations

import types
import typing
from typing import Any


def mismatches(value: Any, hint: Any, where: str = "document") -> list[str]:
    """Find where a value is not what its type says: keys missing or too many, values of other types.

    Args:
        value: A document, or part of one.
        hint: Its type: a `TypedDict`, `list[...]`, `dict[...]`, a union or a plain class.
        where: What to call the value.

    Returns:
        One line for each difference; empty when there is none.
    """
    if typing.is_typeddict(hint):
        return _keys(value, hint, where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        found = [mismatches(value, each, where) for each in arguments]
        return [] if [] in found else found[0]
    if origin is list and isinstance(value, list):
        return [
            line for at, each in enumerate(value) for line in mismatches(each, arguments[0], f"{where}[{at}]")
        ]
    if origin is dict and isinstance(value, dict):
        return [
            line for key, each in value.items() for line in mismatches(each, arguments[1], f"{where}.{key}")
        ]
    # A bool is an int to Python, and never to the reader of a JSON document.
    return [] if type(value) is (origin or hint) else [f"{where} is a {type(value).__name__}, not {hint}"]


def _keys(value: Any, hint: Any, where: str) -> list[str]:
    if type(value) is not dict:
        return [f"{where} is a {type(value).__name__}, not a dict"]
    known = typing.get_type_hints(hint)
    lines = [f"{where} lacks {key}" for key in sorted(hint.__required_keys__ - set(value))]
    lines += [f"{where} has {key}" for key in sorted(set(value) - set(known))]
    for key in value.keys() & known.keys():
        lines += mismatches(value[key], known[key], f"{where}.{key}")
    return lines
