"""docs/schema-discovery.md names everything that there is, and its example runs."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest
import sqlalchemy

from etlkit import SchemaDiscovery
from etlkit.discovery import documents
from support.databases import SourceDatabase
from support.dental_schema import TABLES

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "schema-discovery.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`\"?(\w+)[^`]*`", TEXT))
DOCUMENTS = [each for _, each in inspect.getmembers(documents, typing.is_typeddict)]


def test_every_method_is_documented() -> None:
    """Each public method has a heading with its arguments as the code has them."""
    headings = re.findall(r"^### (.*)$", TEXT, re.MULTILINE)
    written = {each for heading in headings for each in re.findall(r"`(\w+\([^`]*\))`", heading)}
    actual = set()
    for name, method in inspect.getmembers(SchemaDiscovery, inspect.isfunction):
        if not name.startswith("_"):
            parameters = list(inspect.signature(method).parameters.values())[1:]
            plain = inspect.Signature([each.replace(annotation=each.empty) for each in parameters])
            actual.add(f"{name}{plain}")
    assert actual == written


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each.__name__))
def test_every_key_is_documented(document: type) -> None:
    """Each key of each document is named."""
    assert set() == set(typing.get_type_hints(document)) - NAMED


def test_example_runs(dental: SourceDatabase) -> None:
    """The example works as it stands, for a user who may only read."""
    (example,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    url = sqlalchemy.make_url(dental.reader_url).set(drivername="mysql+pymysql")
    result = subprocess.run(
        [sys.executable, "-c", example],
        env={"ETLKIT_SOURCE_URL": url.render_as_string(hide_password=False)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("", 0) == (result.stderr, result.returncode)
    lines = result.stdout.splitlines()
    assert [f"{table}:" for table in sorted(TABLES) if table != "tempConv_patient1"] == [
        line.split()[0] for line in lines[:12]
    ]
    assert "patient: 3 rows, critical, full_table" in lines
    assert "Guarantor -> patient (role_name)" in lines


def test_example_in_the_docstring() -> None:
    """The example in the class's docstring is Python."""
    docstring = inspect.cleandoc(SchemaDiscovery.__doc__ or "")
    example = docstring.partition("Example:\n")[2]
    compile(inspect.cleandoc(example), "docstring", "exec")
