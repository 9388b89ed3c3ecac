"""`${NAME}` and `.env`."""

from __future__ import annotations

from pathlib import Path

import pytest

from etlkit.config.environment import expand, read_dotenv
from etlkit.config.yaml_reader import Scalar
from etlkit.errors import ConfigurationError


def expanded(text: str, **values: str) -> tuple[str, list[str]]:
    """Expand one text; give the result and the problems."""
    node, problems = expand(Scalar(path="key", line=7, text=text), values)
    assert isinstance(node, Scalar)
    assert all(each.line == 7 for each in problems)
    return node.text, [each.text for each in problems]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${A}", "1"),
        ("x${A}y${B}", "x1y2"),
        ("$${A}", "${A}"),
        ("$A", "$A"),
        ("100%", "100%"),
        ("${EMPTY}", ""),
        ("${NESTED}", "${A}"),
    ],
)
def test_references(text: str, result: str) -> None:
    """A reference is replaced once, an escaped one stays, a value's own references are plain text."""
    assert (result, []) == expanded(text, A="1", B="2", EMPTY="", NESTED="${A}")


def test_origin() -> None:
    """A text from the environment is marked, so that no message shows it."""
    node, _ = expand(Scalar(path="key", line=1, text="${A}"), {"A": "secret"})
    assert Scalar(path="key", line=1, text="secret", plain=False, origin="${A}") == node


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "${ETLKIT_SOURCE_ULR}",
            (
                "`key` needs `${ETLKIT_SOURCE_ULR}`, which neither the environment nor `.env` sets "
                "(did you mean `${ETLKIT_SOURCE_URL}`?)"
            ),
        ),
        ("${QQQ}", "`key` needs `${QQQ}`, which neither the environment nor `.env` sets"),
        ("${A", "`key` holds a `${` without name and `}`; write `$${` for the text itself"),
        ("${1}", "`key` holds a `${` without name and `}`; write `$${` for the text itself"),
    ],
)
def test_unresolved(text: str, sentence: str) -> None:
    """An unknown name and a reference without end are problems, with the nearest name."""
    assert [sentence] == expanded(text, ETLKIT_SOURCE_URL="x")[1]


def test_dotenv(tmp_path: Path) -> None:
    """Quotes, comments, blanks, `export`, `#` and `=` in values are read as in other programs."""
    path = tmp_path / ".env"
    path.write_text(
        "# comment\n\nA=1\nexport B='a # b'\nC=\"x\\ny\"\nD=p#w=1 # comment\nE=\nF='${A}'\n", encoding="utf-8"
    )
    expected = {"A": "1", "B": "a # b", "C": "x\ny", "D": "p#w=1", "E": "", "F": "${A}"}
    assert expected == read_dotenv(path)
    assert {} == read_dotenv(tmp_path / "none")


def test_bad_dotenv(tmp_path: Path) -> None:
    """Lines that are no assignments and names given twice are told with their lines, without values."""
    path = tmp_path / ".env"
    path.write_text("A=1\n\nhunter2\nA=hunter2\nB='hunter2\n")
    with pytest.raises(ConfigurationError) as caught:
        read_dotenv(path)
    assert (
        f"{path}:3: is not an assignment of the form NAME=value\n"
        f"{path}:4: `A` is given twice (first in line 1)\n"
        f"{path}:5: is not an assignment of the form NAME=value"
    ) == str(caught.value)


def test_dotenv_in_another_encoding(tmp_path: Path) -> None:
    """A file that is not UTF-8 answers with a sentence."""
    path = tmp_path / ".env"
    path.write_bytes(b"A=\xe4\n")
    with pytest.raises(ConfigurationError) as caught:
        read_dotenv(path)
    assert f"{path}: is not UTF-8; save the file in that encoding" == str(caught.value)
