"""A new user writes a plugin as docs/writing-a-plugin.md says, and a run uses all of it."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import yaml

from support.clinic import Clinic
from support.databases import SourceDatabase, WarehouseDatabase
from support.new_user import ROOT, NewUser

PAGE = (ROOT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```.*?^```\n", re.MULTILINE | re.DOTALL)
OTHER_CHOICES = """
sed -i 's/threads: 2/executor: acme_rules_one_by_one/; s/slow_minutes: "5"/slow_minutes: "0"/' "$CLINIC/etlkit.yml"
grep -c 'acme_rules_one_by_one\\|slow_minutes: "0"' "$CLINIC/etlkit.yml" | grep -qx 2
"""
TABLES = (
    "create table patient (PatNum bigint not null auto_increment primary key, SSN varchar(255) not null)",
    "insert into patient (SSN) values ('123456789'), ('')",
    (
        "create table appointment (AptNum bigint not null auto_increment primary key, "
        "AptDateTime datetime not null, Note varchar(100) not null)"
    ),
    "insert into appointment (AptDateTime, Note) values ('2020-01-01', 'long ago'), (now(), 'today')",
    "create table kiosklog (KioskLogNum bigint not null auto_increment primary key)",
    "create table doorlog (DoorLogNum bigint not null auto_increment primary key, Opened varchar(20) not null)",
    "insert into doorlog (Opened) values ('in the morning')",
    "create table userod (UserNum bigint not null auto_increment primary key)",
    "create table discount (DiscountNum bigint not null auto_increment primary key, ApprovedBy bigint not null)",
    "create table scratchfees (FeeNum bigint not null auto_increment primary key)",
)


def blocks() -> list[str]:
    """The page's commands, block by block: shell code is indented, other code is fenced."""
    found = re.findall(r"(?:^(?:    .*)?\n)+", FENCED.sub("", PAGE), re.MULTILINE)
    return [textwrap.dedent(each).strip() + "\n" for each in found if each.strip()]


def prepared(folder: Path, source: SourceDatabase, warehouse: WarehouseDatabase) -> Clinic:
    """A practice that was loaded once, as the quickstart leaves it behind."""
    source.execute(*TABLES)
    clinic = Clinic(folder=folder, source=source, warehouse=warehouse)
    clinic.prepared()
    clinic.loaded()
    return clinic


def test_a_plugin_is_written_tested_used_and_pinned(
    user: NewUser,
    make_source: Callable[[str], SourceDatabase],
    make_warehouse: Callable[[], WarehouseDatabase],
    tmp_path: Path,
) -> None:
    """Each command of the page works, and each hook of the new plugin has its effect."""
    source, warehouse = make_source("mariadb-innodb"), make_warehouse()
    clinic = prepared(tmp_path / "clinic", source, warehouse)
    env = {
        **clinic.env,
        "CLINIC": str(clinic.folder),
        # No further server is started for the plugin's own tests.
        "ETLKIT_TEST_SOURCE_URL": source.server.url,
        "ETLKIT_TEST_WAREHOUSE_URL": warehouse.server.url,
    }
    setting_up, writing, *commands = blocks()
    assert setting_up.startswith("bash examples/quickstart/run.sh\n")
    user.done(writing, tmp_path)
    folder = tmp_path / "acme_rules"
    printed = {block: user.done(block, folder, env) for block in commands}
    module = (folder / "acme_rules.py").read_text(encoding="utf-8")
    assert [] == [code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if code not in module]

    [tested] = [text for block, text in printed.items() if "pytest\n" in block]
    assert re.search(r"\d+ passed", tested)
    assert not re.search(r"failed|skipped|error|warning", tested)

    analysed = yaml.safe_load((clinic.folder / "tables.yml").read_text(encoding="utf-8"))["tables"]
    assert "scratchfees" not in analysed
    assert "important" == analysed["kiosklog"]["table_importance"]
    assert ["userod"] == analysed["discount"]["dependencies"]
    assert {"SSN": {"conversion": "acme_rules_last_digits"}} == analysed["patient"]["column_overrides"]
    habit = "append_only: the front door only adds to it; so says the habit acme_rules_door_log of plugin acme_rules."
    assert habit == analysed["doorlog"]["reasons"]["changes"]
    assert [("***-**-6789",), (None,)] == warehouse.rows('select "SSN" from raw.patient order by "PatNum"')

    [planned] = [text for block, text in printed.items() if "etlkit plan" in block and "etlkit run" in block]
    assert re.search(r"^appointment +critical +acme_rules_recent ", planned, re.MULTILINE)
    assert " INFO clinic: 6 tables will be loaded\n" in planned
    assert re.search(r" INFO clinic: \d+ rows are new, changed or gone\n", planned)

    source.execute("update appointment set Note = 'edited'")
    user.done(OTHER_CHOICES, folder, env)
    ended = user.shell('etlkit run -C "$CLINIC" --locked --json', folder, env)
    assert 0 == ended.returncode, ended.stderr
    last = json.loads(ended.stdout.splitlines()[-1])
    [appointment] = [each for each in last["tables"] if each["table"] == "appointment"]
    # What changed further back is found by the digests, which small tables are proven by in every run.
    assert ("acme_rules_recent", 2) == (appointment["strategy"], appointment["updated"])
    assert " WARNING appointment: took longer than 0 minutes\n" in ended.stderr
