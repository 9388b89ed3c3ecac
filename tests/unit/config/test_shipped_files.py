"""The files beside the program say what the program does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

import etlkit.config
from etlkit.config import ReplicaSettings, Settings
from etlkit.config.environment import expand
from etlkit.config.initial import write_initial
from etlkit.config.schema import SCHEMA_FILE, json_schema
from etlkit.config.structure import fields_of, structure
from etlkit.config.yaml_reader import Block, Node, read_yaml
from etlkit.errors import ConfigurationError

DEFAULTS = Path(str(etlkit.config.__file__)).with_name("defaults.yml")
ENV = {"ETLKIT_SOURCE_URL": "mysql://u@localhost/od", "ETLKIT_WAREHOUSE_URL": "postgresql://u@localhost/wh"}


def test_schema_is_current() -> None:
    """The shipped JSON schema is the one that the types give."""
    assert json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n" == SCHEMA_FILE.read_text("utf-8")


def test_schema_says_what_the_types_say() -> None:
    """The schema has ranges, choices, defaults, meanings and required keys, of what is in the file."""
    schema = json_schema()
    properties = schema["properties"]
    assert ["deployment", "source", "warehouse"] == schema["required"]
    assert {"folder", "analyzed"}.isdisjoint(properties)
    threads = properties["run"]["properties"]["threads"]
    assert "Tables in work at the same time." == threads["description"]
    assert ({"type": "integer", "minimum": 1, "maximum": 64}, 2) == (threads["anyOf"][0], threads["default"])
    assert ["evolve", "ignore", "refuse"] == properties["drift"]["properties"]["add_column"]["enum"]
    assert properties["source"]["additionalProperties"] is False


def test_defaults_are_current() -> None:
    """`defaults.yml` means the same as leaving everything out, apart from what has no default."""
    root, problems = expand(read_yaml(DEFAULTS), ENV)
    settings = structure(root, Settings, DEFAULTS.parent)
    assert [] == problems
    least = Settings(deployment="north", source=settings.source, warehouse=settings.warehouse)
    assert least == attrs.evolve(settings, tables={})
    assert type(settings.source)(url=settings.source.url) == settings.source
    assert type(settings.warehouse)(url=settings.warehouse.url) == settings.warehouse
    (example,) = settings.tables.values()
    assert type(example)(column_overrides={"example": type(example.column_overrides["example"])()}) == example


def test_defaults_name_every_key() -> None:
    """No key is missing in `defaults.yml`."""
    missing: list[str] = []

    def look(node: Node, cls: Any) -> None:
        assert isinstance(node, Block)
        for name, field in fields_of(cls).items():
            if name not in node.entries:
                missing.append(f"{node.path}.{name}")
            elif attrs.has(field.type or object) and isinstance(node.entries[name], Block):
                look(node.entries[name], field.type)

    root = read_yaml(DEFAULTS)
    look(root, Settings)
    tables = root.entries["tables"]
    assert isinstance(tables, Block)
    look(tables.entries["example"], etlkit.config.TableChoice)
    assert [] == missing


def test_defaults_show_the_optional_section(tmp_path: Path) -> None:
    """The section `replica`, which `defaults.yml` shows as a comment, names every key with its default."""
    text = DEFAULTS.read_text("utf-8")
    _, marked, section = text.partition("# replica:\n")
    shown = [line.removeprefix("# ") for line in section.splitlines() if line.startswith("#   ")]
    path = tmp_path / "section.yml"
    path.write_text("\n".join([marked.removeprefix("# ").strip(), *shown]), encoding="utf-8")
    root, problems = expand(read_yaml(path), {"ETLKIT_REPLICA_URL": "mysql://u@localhost/copy"})
    node = root.entries["replica"]
    assert isinstance(node, Block)
    assert ([], list(node.entries)) == (problems, list(fields_of(ReplicaSettings)))
    settings = structure(node, ReplicaSettings, tmp_path)
    assert ReplicaSettings(url=settings.url) == settings


def test_initial(tmp_path: Path) -> None:
    """What `init` writes can be loaded, is named after the folder, and is not written twice."""
    folder = tmp_path / "St. Mary's (north)"
    first = write_initial(folder)
    assert ((folder / "etlkit.yml",), ()) == (first.written, first.kept)
    settings = Settings.load(folder, ENV)
    assert ("St.-Mary-s-north", "od") == (settings.deployment, settings.source.url.database)
    before = (folder / "etlkit.yml").read_text()
    second = write_initial(folder, deployment="other")
    assert ((), (folder / "etlkit.yml",)) == (second.written, second.kept)
    assert before == (folder / "etlkit.yml").read_text()


def test_initial_addresses(tmp_path: Path) -> None:
    """Addresses that a person typed go into `.env`, for its owner only, and are read back unchanged."""
    source = "mysql://u:%40'\\#$ä@localhost/od"
    (tmp_path / ".env").write_text("OTHER=1")
    made = write_initial(tmp_path, source_url=source, warehouse_url=ENV["ETLKIT_WAREHOUSE_URL"])
    assert (tmp_path / "etlkit.yml", tmp_path / ".env") == made.written
    assert 0o600 == (tmp_path / ".env").stat().st_mode & 0o777
    password = Settings.load(tmp_path, {}).source.url.password
    assert password is not None
    assert "@'\\#$ä" == password.reveal()
    assert (tmp_path / ".env").read_text().startswith("OTHER=1\n")
    again = write_initial(tmp_path, source_url=source)
    assert () == again.written


def test_initial_refuses(tmp_path: Path) -> None:
    """A typed address that is none, or another than `.env` has, is refused before anything is written."""
    with pytest.raises(ConfigurationError) as caught:
        write_initial(tmp_path, source_url="postgresql://u:hunter2@h/d")
    assert ("`ETLKIT_SOURCE_URL` must begin with `mysql://` or `mariadb://` (got `postgresql://`)") == str(
        caught.value
    )
    assert [] == list(tmp_path.iterdir())
    (tmp_path / ".env").write_text("ETLKIT_SOURCE_URL=mysql://u@h/d\n")
    with pytest.raises(ConfigurationError) as caught:
        write_initial(tmp_path, source_url="mysql://u:hunter2@other/d")
    assert (f"{tmp_path / '.env'}: already sets ETLKIT_SOURCE_URL to another address; edit it there") == str(
        caught.value
    )
    assert not (tmp_path / "etlkit.yml").exists()
