"""Strict YAML: texts stay texts, and every problem has its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from etlkit.config import yaml_reader
from etlkit.config.problems import ProblemsFound
from etlkit.config.yaml_reader import Block, Listing, Scalar, parse_yaml, read_yaml
from etlkit.errors import ConfigurationError


@pytest.fixture(autouse=True, params=["CSafeLoader", "SafeLoader"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs with the parser in C and with the one that is there without it."""
    monkeypatch.setattr(yaml_reader, "_PARSER", getattr(yaml, request.param))


def said(text: str) -> list[tuple[int | None, str]]:
    """Give the problems of a text as lines and sentences."""
    with pytest.raises(ProblemsFound) as caught:
        parse_yaml(text)
    return [(each.line, each.text) for each in caught.value.problems]


@pytest.mark.parametrize(
    "written",
    ["22:00", "3.10", "no", "0x1F", "010", "2024-01-31", "1_000", "1e3", ".inf", "0o17", "~x", "=="],
)
def test_no_value_is_resolved(written: str) -> None:
    """What YAML 1.1 would turn into a number, a date or a truth value stays the text that was written."""
    root = parse_yaml(f"key: {written}\n")
    assert Scalar(path="key", line=1, text=written) == root.entries["key"]


def test_lines_and_paths() -> None:
    """Every value knows its line and its place."""
    root = parse_yaml("a:\n  b:\n    - x\n    - {c: 'y'}\n")
    block = root.entries["a"]
    assert isinstance(block, Block)
    listing = block.entries["b"]
    assert isinstance(listing, Listing)
    first, second = listing.items
    assert Scalar(path="a.b[0]", line=3, text="x") == first
    assert isinstance(second, Block)
    assert Scalar(path="a.b[1].c", line=4, text="y", plain=False) == second.entries["c"]
    assert {"a": 1} == root.key_lines


@pytest.mark.parametrize(
    ("written", "absent"),
    [("", True), ("null", True), ("~", True), ("'null'", False), ("''", False), ("x", False)],
)
def test_nothing(written: str, absent: bool) -> None:
    """Only what is empty or null without quotes is no value."""
    value = parse_yaml(f"key: {written}\n").entries["key"]
    assert isinstance(value, Scalar)
    assert absent == value.absent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", [(3, "`a` is given twice (first in line 1)")]),
        ("s:\n  a: 1\n  'a': 3\n", [(3, "`s.a` is given twice (first in line 2)")]),
        ("a: &x 1\n", [(1, "`a` has an anchor (`&`); write values out, or put the text in quotes")]),
        ("a: *x\n", [(1, "`a` refers to an anchor (`*`); write the value out, or put it in quotes")]),
        ("a: !!int 1\n", [(1, "`a` has a tag (`!`); types follow from the key, put the text in quotes")]),
        ("<<: {a: 1}\n", [(1, "a merge key (`<<`) is not understood; write the keys out")]),
        ("? [a]\n: 1\n", [(1, "a key must be a single text")]),
        ("a: 1\n---\nb: 2\n", [(2, "begins a second document; one file holds one")]),
        ("- a\n", [(1, "the file must be a mapping of keys (got a list)")]),
        ("text\n", [(1, "the file must be a mapping of keys (got a single text)")]),
        ("", [(None, "is empty; a mapping of keys was expected")]),
        ("# only a comment\n", [(None, "is empty; a mapping of keys was expected")]),
        ("a:\n\tb: 1\n", [(2, "is indented with a tab; YAML wants spaces")]),
        ("a: b\0\n", [(1, "holds a character that YAML does not allow (`\\x00`); delete it")]),
        ("a: " + "[" * 30 + "]" * 30, [(1, "is nested deeper than 20 levels")]),
    ],
)
def test_refused(text: str, expected: list[tuple[int | None, str]]) -> None:
    """What does not say what it means is refused with its line."""
    assert expected == said(text)


def test_all_problems_at_once() -> None:
    """Several problems are reported together, those in front of broken YAML as well."""
    assert [1, 2, 3] == [line for line, _ in said("a: *x\nb: !t 1\nc: }\n")]


@pytest.mark.parametrize("text", ["a: !hunter2!x y\n", 'a: "\\hunter2"\n', "a: 'hunter2\n", "a: *hunter2\n"])
def test_values_are_not_repeated(text: str) -> None:
    """A message about broken YAML does not repeat what was written: it may be a password."""
    assert "hunter2" not in str(said(text))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfea\x00", "{path}:1: is not UTF-8; save the file in that encoding"),
        (b"a: 1\nb: \xe4\n", "{path}:2: is not UTF-8; save the file in that encoding"),
        (None, "{path}: is not there"),
    ],
)
def test_unreadable_file(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """A file that cannot be read as text answers with a sentence."""
    path = tmp_path / "a.yml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_yaml(path)
    assert sentence.format(path=path) == str(caught.value)


def test_folder_instead_of_file(tmp_path: Path) -> None:
    """A folder of the file's name answers with a sentence."""
    with pytest.raises(ConfigurationError) as caught:
        read_yaml(tmp_path)
    assert f"{tmp_path}: cannot be read (Is a directory)" == str(caught.value)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A mark that Windows editors put in front is passed over."""
    path = tmp_path / "a.yml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    assert Scalar(path="a", line=1, text="1") == read_yaml(path).entries["a"]
