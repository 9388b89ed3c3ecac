"""Whatever a person gets wrong is answered by a sentence and exit code 2, before any server is asked."""

from __future__ import annotations

import json
import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from etlkit.cli import main
from support.bad_input import CASES
from support.bad_input.case import ENV, SECRET, Bad, lay_out, servers, state_of, without_lists

LEAST = 150
KINDS = 8

# What must not reach a terminal: escape sequences, marks that turn the direction, what nobody can see.
HARMFUL = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), "\u200b", "\u202e"} - {"\n"}


@pytest.fixture(scope="module")
def listening() -> Iterator[dict[str, socket.socket]]:
    """Two ports that nobody may connect to, by the names of the variables with their addresses."""
    with ExitStack() as stack:
        sockets = {
            name: stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for name in ("ETLKIT_SOURCE_URL", "ETLKIT_WAREHOUSE_URL")
        }
        for each in sockets.values():
            each.setblocking(False)
        yield sockets


@pytest.fixture
def env(listening: dict[str, socket.socket], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Variables with the addresses of the two ports; when the test is over, nobody has connected to them."""
    for name in os.environ:
        if name.startswith("ETLKIT_"):
            monkeypatch.delenv(name)
    source, warehouse = (each.getsockname()[1] for each in listening.values())
    yield {
        "ETLKIT_SOURCE_URL": f"mysql://reader:{SECRET}@127.0.0.1:{source}/od",
        "ETLKIT_WAREHOUSE_URL": f"postgresql://etl:{SECRET}@127.0.0.1:{warehouse}/dental",
        **ENV,
    }
    for each in listening.values():
        with pytest.raises(BlockingIOError):
            each.accept()


def answered(folder: Path, env: dict[str, str], *args: str) -> Result:
    """Run a command on a folder; nothing in the folder changes, and no secret is told."""
    before = state_of(folder)
    env = {name: value.replace("{folder}", str(folder)) for name, value in env.items()}
    result = CliRunner().invoke(
        main, [each.replace("{folder}", str(folder)) for each in args], env={"ETLKIT_DIR": str(folder), **env}
    )
    assert before == state_of(folder)
    assert SECRET not in result.output
    return result


@pytest.mark.parametrize("case", CASES, ids=str)
def test_bad_input(case: Bad, tmp_path: Path, env: dict[str, str]) -> None:
    """The answer is what is wrong, where, and what to do; nothing is written and no server is asked."""
    lay_out(tmp_path, case.files, case.mode)
    result = answered(tmp_path, {**env, **case.env}, *case.args)
    assert (2, "", case.answer) == (
        result.exit_code,
        result.stdout,
        without_lists(result.stderr.replace(str(tmp_path), "{folder}")),
    )
    assert set() == HARMFUL & {*result.output}


def test_enough_of_every_kind() -> None:
    """There are bad inputs of every kind, each once."""
    assert len(CASES) >= LEAST
    kinds = Counter(case.kind for case in CASES)
    assert len(kinds) >= KINDS
    assert min(kinds.values()) >= 10
    assert [] == [name for name, times in Counter(map(str, CASES)).items() if times > 1]


@pytest.mark.parametrize("verb", ["analyze", "plan", "run", "reconcile", "status", "verify", "report"])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("run: {threads: 0}", "4: `run.threads` must be a whole number from 1 to 64 (got `0`)"),
        (
            "run: {executor: thraeds}",
            "4: `run.executor` is `thraeds`, which no plugin provides; did you mean `threads`?",
        ),
        (
            "plugins: {disable: [thraeds]}",
            "4: `plugins.disable` names `thraeds`, but no such plugin is there; did you mean `threads`?",
        ),
        (
            "replica: {url: 'mysql://u@h/d', ca_file: .}",
            "4: `replica.ca_file`: {folder} cannot be read (Is a directory)",
        ),
    ],
)
def test_every_command(verb: str, wrong: str, says: str, tmp_path: Path, env: dict[str, str]) -> None:
    """Whichever command meets a mistake in etlkit.yml answers in the same way."""
    lay_out(tmp_path, {"etlkit.yml": f"{servers()}{wrong}\n"})
    result = answered(tmp_path, env, verb)
    expected = f"Error: {tmp_path}/etlkit.yml:{says.replace('{folder}', str(tmp_path))}\n"
    assert (2, "", expected) == (result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize("verb", ["run", "reconcile"])
def test_last_event(verb: str, tmp_path: Path, env: dict[str, str]) -> None:
    """With `--json`, the only event is the last one, and it has the answer."""
    lay_out(tmp_path, {"etlkit.yml": f"{servers()}run: {{threads: 0}}\n"})
    result = answered(tmp_path, env, verb, "--json")
    event = json.loads(result.stdout)
    says = f"{tmp_path}/etlkit.yml:4: `run.threads` must be a whole number from 1 to 64 (got `0`)"
    assert ("run_finished", 2, says) == (event["event"], event["exit_code"], event["error"])
    assert (2, f"Error: {says}\n") == (result.exit_code, result.stderr)


def test_doctor(tmp_path: Path, env: dict[str, str]) -> None:
    """The doctor's finding has the answer, and its exit code is the same."""
    lay_out(tmp_path, {"etlkit.yml": f"{servers()}run: {{threads: 0}}\n"})
    result = answered(tmp_path, env, "doctor", "--json")
    (finding,) = (each for each in json.loads(result.stdout)["findings"] if each["check"] == "settings")
    says = f"{tmp_path}/etlkit.yml:4: `run.threads` must be a whole number from 1 to 64 (got `0`)."
    assert (2, "problem", says) == (result.exit_code, finding["level"], finding["message"])


def test_answers_as_json(tmp_path: Path, env: dict[str, str]) -> None:
    """A log of JSON has the answer as a text of one line, harmless as well."""
    lay_out(tmp_path, {"etlkit.yml": f'{servers()}run: {{"thr\\e[31m\\u202eeads": 2}}\n'})
    result = answered(tmp_path, env, "plan", "--log-format", "json")
    record = json.loads(result.stderr)
    says = f"{tmp_path}/etlkit.yml:4: `run` has no key `thr\x1b[31m\u202eeads` (did you mean `threads`?)"
    assert ("error", says) == (record["level"], record["message"])
    assert set() == HARMFUL & {*result.output}


def test_init_writes_all_or_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    """`init` writes nothing at all when one of two addresses is wrong."""
    result = answered(tmp_path, {**env, "ETLKIT_WAREHOUSE_URL": env["ETLKIT_SOURCE_URL"]}, "init")
    assert (2, []) == (result.exit_code, list(tmp_path.iterdir()))
