"""The kernel knows no schema: what tables and columns are called is the knowledge of plugins."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
TABLES = yaml.safe_load((ROOT / "tests/data/open_dental_truth.yml").read_text(encoding="utf-8"))["tables"]
GENERIC = {
    # Words of any program, which are tables or columns there by chance.
    *(
        "account",
        "address",
        "computer",
        "county",
        "employee",
        "equipment",
        "fee",
        "image",
        "language",
        "letter",
    ),
    *(
        "operatory",
        "payment",
        "phone",
        "printer",
        "program",
        "preference",
        "question",
        "schedule",
        "school",
        "screen",
    ),
    *(
        "sheet",
        "site",
        "statement",
        "supply",
        "task",
        "transaction",
        "medication",
        "provider",
        "document",
        "disease",
    ),
    *(
        "Answer",
        "ForeignKey",
        "Relationship",
        "TimeZone",
        "definition",
        "reconcile",
        "Type",
        "Value",
        "Name",
        "Source",
        "Status",
        "Message",
        "Title",
        "Note",
        "Year",
        "Version",
        "State",
        "Code",
    ),
}
"""Names that say nothing of dentistry."""
OF_SAMPLES = {"core/demo", "core/scaffold", "core/testing", "core/sample_tables.py"}
"""Where tables are made up to show or try something."""


def constants(path: Path) -> Iterator[tuple[int, str]]:
    """Texts in a file's code, docstrings and the sentences of messages left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value.strip():
            yield node.lineno, node.value


def test_the_kernel_names_no_table_and_no_column_of_open_dental() -> None:
    """A fact about one program's schema in the kernel could not be left out, corrected or replaced by a plugin."""
    columns = {column for table in TABLES.values() for column in table["columns"]}
    known = ({*TABLES, *columns} - GENERIC) - {each for each in columns if each.islower()}
    found = [
        f"{path.relative_to(ROOT)}:{line} {text}"
        for path in sorted((ROOT / "core").rglob("*.py"))
        if not any(str(path.relative_to(ROOT)).startswith(each) for each in OF_SAMPLES)
        for line, text in constants(path)
        if text in known
    ]
    assert [] == found
