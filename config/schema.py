"""A JSON schema of `etlkit.yml` for editors, made from the types that read it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import attrs

from etlkit.config.secrets import PluginOption, Secret
from etlkit.config.settings import Settings
from etlkit.config.structure import fields_of, is_optional
from etlkit.config.types import AllowedHours, Between
from etlkit.config.urls import MySQLUrl, PostgresUrl

SCHEMA_FILE = Path(__file__).with_name("etlkit.schema.json")
"""The generated schema, as it is shipped."""

_REFERENCE = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"}
_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    Path: {"type": "string"},
    Secret: {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"},
    PluginOption: {"type": ["string", "boolean", "number"]},
    MySQLUrl: {"type": "string", "pattern": r"^(mysql|mariadb)(\+pymysql)?://|\$\{"},
    PostgresUrl: {"type": "string", "pattern": r"^(postgresql|postgres)(\+psycopg2)?://|\$\{"},
    AllowedHours: {"type": "string", "pattern": r"^[0-9]{1,2}:[0-9]{2} *- *[0-9]{1,2}:[0-9]{2}$|\$\{"},
    bool: {"anyOf": [{"type": "boolean"}, _REFERENCE]},
    int: {"anyOf": [{"type": "integer"}, _REFERENCE]},
    float: {"anyOf": [{"type": "number"}, _REFERENCE]},
}


def json_schema() -> dict[str, Any]:
    """Describe `etlkit.yml`.

    Returns:
        A JSON schema (draft 2020-12) with every key, its meaning, its type and its default.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "etlkit.yml",
        **_section(Settings),
    }


def _section(cls: type) -> dict[str, Any]:
    fields = fields_of(cls)
    words = _field_docstrings(cls)
    properties = {}
    for name, field in fields.items():
        properties[name] = {"description": words[name], **_kind(field.type)}
        default = field.default
        if isinstance(default, (str, bool, int, float)):
            properties[name]["default"] = default
    section: dict[str, Any] = {
        "type": "object",
        "description": inspect.cleandoc(cls.__doc__ or ""),
        "additionalProperties": False,
        "properties": properties,
    }
    required = [name for name, field in fields.items() if field.default is attrs.NOTHING]
    return section | ({"required": required} if required else {})


def _kind(kind: Any) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_optional(kind):
        (inner,) = (each for each in arguments if each is not type(None))
        return {"anyOf": [_kind(inner), {"type": "null"}]}
    if origin is Annotated:
        return _ranged(_kind(arguments[0]), arguments[1:])
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": ["array", "null"], "items": _kind(arguments[0])}
    if origin is Mapping:
        return {"type": ["object", "null"], "additionalProperties": _kind(arguments[1])}
    return _section(kind) if attrs.has(kind) and kind not in _SIMPLE else dict(_SIMPLE[kind])


def _ranged(kind: dict[str, Any], checks: tuple[Any, ...]) -> dict[str, Any]:
    for check in checks:
        if isinstance(check, Between):
            number, reference = kind["anyOf"]
            number = number | {"minimum": check.least}
            if check.most is not None:
                number |= {"maximum": check.most}
            kind = {"anyOf": [number, reference]}
    return kind


def _field_docstrings(cls: type) -> dict[str, str]:
    # The docstring under a field is for readers of the source; Python keeps none of it.
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    words: dict[str, str] = {}
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for field, following in pairwise(statements):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            words[field.target.id] = " ".join(str(following.value.value).split())
    return words
