"""Only `SchemaDiscovery` asks a MySQL or MariaDB about its schema: looked for in every other module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DISCOVERY = ROOT / "core" / "discovery"

OF_NO_SCHEMA = {
    "SHOW GRANTS": "what a user may do",
    "SHOW GLOBAL STATUS": "how busy a server is",
    "SHOW SESSION STATUS": "whether a connection is encrypted",
    "SHOW SESSION VARIABLES": "how a server is set up",
    "SHOW WARNINGS": "what became of the statement before",
}
"""What begins with SHOW and asks for no schema, with what it is; WHERE or LIKE may follow."""

EXCEPTIONS = {
    "core/doctor/grants.py: SHOW DATABASES": "the name of a privilege",
    "core/doctor/grants.py: SHOW VIEW": "the name of a privilege",
    "core/doctor/reaching.py: information_schema": "a database that everybody may connect to, to ask what is wrong",
    "core/loading/ledger.py: inspect": "etlkit's own tables, in the PostgreSQL warehouse",
    "core/loading/loss_report.py: inspect": "etlkit's own tables, in the PostgreSQL warehouse",
    "core/loading/run_records.py: inspect": "etlkit's own tables, in the PostgreSQL warehouse",
    "core/loading/source_identity.py: inspect": "etlkit's own tables, in the PostgreSQL warehouse",
    "core/testing/appointments.py: inspect": "the warehouse, in the kit for authors of plugins",
    "core/testing/conversion_trial.py: inspect": "the warehouse, in the kit for authors of plugins",
}
"""What is not schema analysis of a source or a replica, with the reason."""

CATALOG = re.compile(r"information_schema", re.IGNORECASE)
SHOW = re.compile(r"^\s*SHOW\s+(?:\w+[ ]?)+|\bSHOW [A-Z]+(?: [A-Z]+)*")
ASKS_NO_SCHEMA = re.compile(rf"(?:{'|'.join(OF_NO_SCHEMA)})(?: (?:WHERE|LIKE)\b.*)?")
SMALL = re.compile(
    r"^\s*(?:show\s+(?:full\s+|extended\s+)*(?:create|columns|fields|index|indexes|keys|table|tables|databases|schemas"
    r"|engines|triggers|collation|character)|desc|describe)\b",
    re.IGNORECASE,
)
"""Statements in whatever letters; a text that merely begins with "Show" goes on with other words."""
REFLECTING = frozenset({"inspect", "Inspector", "autoload_with", "reflect", "get_columns", "has_table"})


def remarks(tree: ast.Module) -> set[ast.expr]:
    """Docstrings and texts under fields, which ask nobody."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def questions(tree: ast.Module) -> Iterator[str]:
    """What a module's texts and names ask of a schema, in as few words as tell it apart."""
    ignored = remarks(tree)
    from_sqlalchemy = {"sa", "sqlalchemy"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in ignored:
            yield from in_text(node.value)
        elif isinstance(node, ast.Attribute) and node.attr in REFLECTING:
            if isinstance(node.value, ast.Name) and node.value.id in from_sqlalchemy:
                yield node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            yield from (each.name for each in node.names if each.name in REFLECTING)
        elif isinstance(node, ast.keyword) and node.arg in REFLECTING:
            yield node.arg
        elif isinstance(node, ast.ImportFrom) and node.module == "etlkit.discovery.statements":
            yield node.module


def in_text(text: str) -> Iterator[str]:
    """What a text asks of a schema, be it a part of a longer statement."""
    if CATALOG.search(text):
        yield "information_schema"
    if small := SMALL.match(text):
        yield " ".join(small.group().upper().split())
    else:
        found = (each.strip() for each in SHOW.findall(text))
        yield from (words for words in found if not ASKS_NO_SCHEMA.fullmatch(words))


def asked(path: Path) -> set[str]:
    """What a module asks of a schema, each with the module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {f"{path.relative_to(ROOT).as_posix()}: {each}" for each in questions(tree)}


def test_nothing_of_schema_analysis_exists_elsewhere() -> None:
    """Catalog queries, SHOW statements and reflection outside `etlkit.discovery` are those listed, with a reason."""
    modules = [path for folder in ("core", "plugins") for path in (ROOT / folder).rglob("*.py")]
    found = {each for path in modules if DISCOVERY not in path.parents for each in asked(path)}
    assert sorted(EXCEPTIONS) == sorted(found)


def test_what_is_looked_for_is_found() -> None:
    """Each way to ask for a schema is noticed, in capitals or not, whole or as the beginning of a statement."""
    module = '''
"""SHOW TABLES in a docstring."""
import sqlalchemy as sa
from sqlalchemy import inspect
from etlkit.discovery.statements import tables
A = "select table_name from INFORMATION_SCHEMA.tables"
B = f"SHOW CREATE TABLE {A}"
C = "show full columns from t"
D = sa.text("  SHOW INDEX FROM t")
E = "describe t"
F = sa.Table("t", sa.MetaData(), autoload_with=A)
G = sa.inspect(A)
H = "SHOW TABLE STATUS LIKE 't'"
I = "SHOW GRANTS", "SHOW SESSION STATUS LIKE 'Ssl_cipher'", "SHOW GLOBAL STATUS WHERE a", "Show the values."
J = "USE x; SHOW KEYS FROM t"
'''
    assert [
        *("DESCRIBE", "SHOW CREATE", "SHOW FULL COLUMNS", "SHOW INDEX", "SHOW KEYS FROM", "SHOW TABLE"),
        *("autoload_with", "etlkit.discovery.statements", "information_schema", "inspect", "inspect"),
    ] == sorted(questions(ast.parse(module)))
