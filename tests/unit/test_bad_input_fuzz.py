"""Whatever stands in a file or in a variable: it is settings, or it is told with a sentence; never anything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etlkit.config import MySQLUrl, PostgresUrl, Settings, read_tables_file
from etlkit.config.environment import read_dotenv
from etlkit.config.problems import ProblemsFound
from etlkit.config.structure import fields_of
from etlkit.config.tables import TablesFile
from etlkit.config.urls import DatabaseUrl, NotAnAddress
from etlkit.config.yaml_reader import Block, parse_yaml
from etlkit.errors import ConfigurationError

# The folder is the same for all examples of a test: each overwrites the file of the one before.
few = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

ENV = {"S": "mysql://u:hunter2@localhost/od", "W": "postgresql://u:hunter2@localhost/wh"}
SERVERS = 'deployment: north\nsource: {url: "${S}"}\nwarehouse: {url: "${W}"}\n'

# What has a meaning in YAML comes more often than by chance.
SYNTAX = st.sampled_from(
    [*"\n\n\n  \t:-[]{},&*!|>'\"%@`#?~\\", ": ", "- ", "<<", "---", "...", "${", "}", "null"]
)
TEXTS = st.lists(
    st.one_of(SYNTAX, st.sampled_from(["run", "tables", "a", "22:00"]), st.text(max_size=3))
).map("".join)


def keys_of(kind: Any) -> set[str]:
    """All keys of a section and of those in it."""
    if not attrs.has(kind):
        return {key for inner in getattr(kind, "__args__", ()) for key in keys_of(inner)}
    fields = fields_of(kind)
    return {*fields, *(key for field in fields.values() for key in keys_of(field.type))}


def trees(*kinds: type) -> st.SearchStrategy[Any]:
    """Trees of known keys, and of values of every kind in every place."""
    names = st.one_of(st.sampled_from(sorted(set().union(*map(keys_of, kinds)))), st.text(max_size=4))
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(
            ["${S}", "${", "${NONE}", "20:00-06:00", "mysql://u:hunter2@h/d", "never", "evolve", "a.pem"]
        ),
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=20,
    )


def loaded(folder: Path, env: Mapping[str, str] = ENV) -> None:
    """Read a deployment's folder; nothing but a configuration's error may come of it, and no secret with it."""
    try:
        assert isinstance(Settings.load(folder, env), Settings)
    except ConfigurationError as error:
        assert str(error)  # noqa: PT017 -- that there is no error is as good
        assert "hunter2" not in str(error)  # noqa: PT017


@given(text=TEXTS)
@few
def test_any_text_as_yaml(text: str) -> None:
    """The reader gives a mapping or problems, each with a sentence."""
    try:
        assert isinstance(parse_yaml(text), Block)
    except ProblemsFound as found:
        assert all(each.text for each in found.problems)  # noqa: PT017
        assert found.problems  # noqa: PT017


@given(
    content=st.one_of(st.binary(), TEXTS.map(str.encode), TEXTS.map(lambda text: f"{SERVERS}{text}".encode()))
)
@few
def test_any_bytes_as_settings(tmp_path: Path, content: bytes) -> None:
    """Bytes of any kind as etlkit.yml."""
    (tmp_path / "etlkit.yml").write_bytes(content)
    loaded(tmp_path)


@given(tree=trees(Settings))
@few
def test_any_tree_as_settings(tmp_path: Path, tree: Any) -> None:
    """Known keys with values of any kind in any place as etlkit.yml; JSON is YAML."""
    sections = {"deployment": "north", "source": {"url": "${S}"}, "warehouse": {"url": "${W}"}}
    document = {**sections, **tree} if isinstance(tree, dict) else {**sections, "tables": {"patient": tree}}
    (tmp_path / "etlkit.yml").write_text(json.dumps(document))
    loaded(tmp_path)


@given(tree=trees(TablesFile))
@few
def test_any_tree_as_tables(tmp_path: Path, tree: Any) -> None:
    """Known keys with values of any kind in any place as tables.yml."""
    path = tmp_path / "tables.yml"
    path.write_text(json.dumps(tree if isinstance(tree, dict) else {"tables": {"patient": tree}}))
    try:
        assert isinstance(read_tables_file(path), TablesFile)
    except ConfigurationError as error:
        assert str(error)  # noqa: PT017


@given(
    content=st.one_of(
        st.binary(),
        st.lists(st.sampled_from(["A", "=", "'", '"', "\n", "#", "\\", " ", "ä"])).map(
            lambda parts: "".join(parts).encode()
        ),
    )
)
@few
def test_any_bytes_as_variables(tmp_path: Path, content: bytes) -> None:
    """Bytes of any kind as .env."""
    (tmp_path / ".env").write_bytes(content)
    try:
        values = read_dotenv(tmp_path / ".env")
    except ConfigurationError as error:
        assert str(error)  # noqa: PT017
    else:
        assert all(name.isascii() and "\0" not in value for name, value in values.items())


@given(value=st.text(st.characters(exclude_categories=())), name=st.sampled_from(["S", "W", "X"]))
@few
def test_any_variable(tmp_path: Path, name: str, value: str) -> None:
    """Values of any kind in the environment, lone surrogates included, which stand for bytes that are no UTF-8."""
    (tmp_path / "etlkit.yml").write_text(f'{SERVERS}run: {{executor: "${{X}}"}}\n')
    loaded(tmp_path, {**ENV, "X": "threads", name: value})


@pytest.mark.parametrize("cls", [MySQLUrl, PostgresUrl])
@given(
    parts=st.lists(
        st.one_of(
            st.sampled_from([*"@:/?#[]%&=,. ", "://", "%00", "%ff", "host", "unix_socket", "3306", "::1"]),
            st.text(max_size=4),
        )
    )
)
@few
def test_any_address(cls: type[DatabaseUrl], parts: list[str]) -> None:
    """An address has a database, and a host that can be looked up; or a sentence says what is wrong with it."""
    try:
        url = cls.parse(f"{cls.schemes[0]}://{''.join(parts)}")
    except NotAnAddress as error:
        assert str(error)  # noqa: PT017
        return
    assert url.database
    assert url.port is None or 0 < url.port < 65536
    assert url.socket is None or url.socket[0] in "/@"
    if url.host is not None and ":" not in url.host:
        assert all(len(each.encode("idna")) < 256 for each in url.host.split(","))
