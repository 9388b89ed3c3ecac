"""SQL is built by SQLAlchemy, which quotes names and binds values; what is put together from texts has a reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_BEGINS = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT|REVOKE|SHOW|SET|LOCK|TRUNCATE|COPY|CHECKSUM|KILL|WITH"
    r"|EXPLAIN|COMMENT|ANALYZE|CALL|START|LOAD|REPLACE|DO|FROM|WHERE|JOIN|VALUES|ORDER BY|UNION)\s",
)
_TAKERS = ("text", "literal_column", "exec_driver_sql", "execute", "executemany", "copy_expert", "DDL", "SQL")
"""Functions to which SQL is given as a text."""

_PREPARED = "SQLAlchemy has no construct for it; every name goes through the dialect's identifier preparer"
_PRINTED = (
    "printed for an administrator, never executed; names are quoted by the dialect's identifier preparer"
)
_NUMBERS = "holds numbers and names of etlkit's own only"
ALLOWED = {
    "core/demo/mysql_server.py:_grant": "the demo's own database; the name is quoted there, values are bound",
    "core/demo/mysql_server.py:copier_url": "the demo's own database; the name is quoted there",
    "core/demo/practice/create.py:_make_database": "the demo's own database, named by the person who starts it",
    "core/discovery/ddl.py:create_statement": _PREPARED,
    "core/discovery/ddl.py:replicate": _PREPARED,
    "core/discovery/reading.py:_enter": _PREPARED,
    "core/discovery/rewriting.py:statement": "a statement as the source itself printed it, under another name, quoted",
    "core/doctor/accounts.py:create_database": _PRINTED,
    "core/doctor/accounts.py:grant": _PRINTED,
    "core/doctor/accounts.py:own_user": _PRINTED,
    "core/doctor/accounts.py:revoke": _PRINTED,
    "core/doctor/warehouse_server.py:judge_rights": _PRINTED,
    "core/doctor/warehouse_server.py:judge_server_log": _PRINTED,
    "core/keyed_hash.py:key_statement": "hexadecimal digits of the masking key, which no log of etlkit shows",
    "core/loading/alterations.py:_alter_columns": _PREPARED,
    "core/loading/alterations.py:_drop_key": _PREPARED,
    "core/loading/alterations.py:_lock_table": _PREPARED,
    "core/loading/alterations.py:_rename_column": _PREPARED,
    "core/loading/alterations.py:_rename_table": _PREPARED,
    "core/loading/ledger_tables.py:_compile": _PREPARED,
    "core/loading/warehouse_table.py:analyze": _PREPARED,
    "core/loading/warehouse_table.py:becomes": _PREPARED,
    "core/loading/warehouse_table.py:copy_into": _PREPARED,
    "core/orchestration/prediction.py:_explained": "EXPLAIN in front of a statement that SQLAlchemy compiled",
    "core/replication/statements.py:_create_alike": _PREPARED,
    "core/replication/statements.py:_drop": _PREPARED,
    "core/replication/writing.py:load_statement": _PREPARED,
    "core/source_session.py:session_statements": _NUMBERS,
    "core/testing/fixtures.py:_database": _PREPARED,
    "core/transfer/checksums.py:checksums": _PREPARED,
    "core/transfer/forms.py:literal": "bytes of a value as a literal, written by `sql_literal` only",
    "core/transfer/rendering.py:_rendered_once": _NUMBERS,
    "plugins/conversions/builtin.py:fits_rounded": _NUMBERS,
    "plugins/conversions/masking.py:_bytes": "hexadecimal digits of a text",
    "plugins/conversions/masking.py:first_three": "the three digits of constants",
    "plugins/opendental/times.py:counted": "`minutes` or `seconds`, a constant of the same module",
}
"""Where SQL is put together from texts all the same, `module:function`, and why that is safe."""


def put_together(node: ast.AST) -> str | None:
    """Give the literal beginning of a text that is put together at run time; None for anything else."""
    match node:
        case ast.JoinedStr(values=[first, *_]) as text if any(
            isinstance(each, ast.FormattedValue) for each in text.values
        ):
            return str(first.value) if isinstance(first, ast.Constant) else ""
        case ast.BinOp(left=left, op=ast.Mod() | ast.Add()):
            if isinstance(left, ast.Constant) and isinstance(left.value, str):
                return left.value
            return put_together(left)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format" | "join")):
            return text
    return None


def nodes(node: ast.AST, function: str = "") -> Iterator[tuple[ast.AST, str]]:
    """Walk a tree; each node comes with the innermost function that it stands in."""
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield child, inside
        yield from nodes(child, inside)


def suspicious(path: Path, root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Find texts that look like SQL put together by hand: the module and function, and the beginning."""
    module = str(path.relative_to(root))
    for node, function in nodes(ast.parse(path.read_text())):
        said = put_together(node)
        if said is not None and _BEGINS.match(said):
            yield f"{module}:{function}", said
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = put_together(node.args[0]) if name in _TAKERS else None
            if given is not None:
                yield f"{module}:{function}", given


def test_no_sql_is_put_together_by_hand() -> None:
    """SQL that is put together from texts stands in the list above, with its reason; the list has nothing else."""
    found: dict[str, set[str]] = {}
    for folder in ("core", "plugins", "config"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for where, said in suspicious(path):
                found.setdefault(where, set()).add(said)
    unexplained = {where: said for where, said in found.items() if where not in ALLOWED}
    assert {} == unexplained, (
        "build it with SQLAlchemy, or quote each name by the dialect and add it to ALLOWED"
    )
    there = {where for where in ALLOWED if (ROOT / where.partition(":")[0]).exists()}
    assert set() == there - found.keys()


@pytest.mark.parametrize(
    "code",
    [
        'connection.execute(f"select {name}")',
        "x = f'DELETE FROM {name}'",
        "x = 'SELECT * FROM %s' % name",
        "x = 'SELECT * FROM ' + name",
        "x = 'UPDATE {} SET a = 1'.format(name)",
        "literal_column(f'{name}')",
        "sa.text('a = ' + value + ' or b')",
    ],
)
def test_what_is_found(tmp_path: Path, code: str) -> None:
    """The scan sees each way to put a text together, and lets constants pass."""
    path = tmp_path / "module.py"
    path.write_text(f"def f(name, value):\n    {code}\n")
    assert ["module.py:f"] == [where for where, _ in {*suspicious(path, tmp_path)}]
    path.write_text("def f():\n    connection.execute('SELECT 1')\n    raise ValueError(f'Set {f} up')\n")
    assert [] == list(suspicious(path, tmp_path))
