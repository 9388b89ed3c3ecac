"""`etlkit init` writes a deployment's first files, asks only a person, and overwrites nothing."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from etlkit.cli import main

SOURCE = "mysql://reader:canary%40-77@clinic:3306/opendental"
WAREHOUSE = "postgresql://etl:canary%40-77@warehouse:5432/dental"
BOTH = {"ETLKIT_SOURCE_URL": SOURCE, "ETLKIT_WAREHOUSE_URL": WAREHOUSE}
NEITHER = {"ETLKIT_SOURCE_URL": None, "ETLKIT_WAREHOUSE_URL": None}


def init(folder: Path, *arguments: str, env: dict[str, str | None] | dict[str, str] = NEITHER) -> Result:
    """Run the command without a terminal."""
    result = CliRunner().invoke(main, ["init", "-C", str(folder), *arguments], env=NEITHER | env)
    assert "canary" not in result.output
    return result


def test_from_the_environment(tmp_path: Path) -> None:
    """With both variables set nothing is asked, and the addresses are written nowhere."""
    folder = tmp_path / "north"
    result = init(folder, env=BOTH)
    assert (0, "") == (result.exit_code, result.stderr)
    assert f"Wrote {folder / 'etlkit.yml'}\nNext: etlkit doctor -C {folder}\n" == result.stdout
    assert ["etlkit.yml"] == [path.name for path in folder.iterdir()]
    assert "canary" not in (folder / "etlkit.yml").read_text()


def test_again(tmp_path: Path) -> None:
    """What is there is kept as it is."""
    config = tmp_path / "etlkit.yml"
    config.write_text("deployment: mine\n")
    result = init(tmp_path, env=BOTH)
    assert (0, f"Kept {config} as it was\nNext: etlkit doctor -C {tmp_path}\n") == (
        result.exit_code,
        result.stdout,
    )
    assert "deployment: mine\n" == config.read_text()


def test_json(tmp_path: Path) -> None:
    """`--json` prints the paths."""
    first = json.loads(init(tmp_path, "--json", env=BOTH).stdout)
    second = json.loads(init(tmp_path, "--json", env=BOTH).stdout)
    config = str(tmp_path / "etlkit.yml")
    assert {"config": config, "written": [config], "kept": []} == first
    assert {"config": config, "written": [], "kept": [config]} == second


def test_without_a_terminal(tmp_path: Path) -> None:
    """Without a terminal and without the variables, a sentence says what to set."""
    result = init(tmp_path)
    assert (2, "") == (result.exit_code, result.stdout)
    assert (
        "Error: ETLKIT_SOURCE_URL and ETLKIT_WAREHOUSE_URL must be set, because there is no terminal to ask on; set "
        f"them in the environment or in {tmp_path / '.env'} and run again\n"
    ) == result.stderr
    assert [] == list(tmp_path.iterdir())


def test_one_in_dotenv(tmp_path: Path) -> None:
    """An address that `.env` holds is not asked for."""
    (tmp_path / ".env").write_text(f"ETLKIT_SOURCE_URL='{SOURCE}'\n")
    result = init(tmp_path)
    assert (
        "Error: ETLKIT_WAREHOUSE_URL must be set, because there is no terminal to ask on; set it in the environment "
        f"or in {tmp_path / '.env'} and run again\n"
    ) == result.stderr


def test_kept_file_without_variables(tmp_path: Path) -> None:
    """An etlkit.yml that names its servers in another way needs no variables."""
    (tmp_path / "etlkit.yml").write_text('source: {url: "${CLINIC}"}\n')
    assert 0 == init(tmp_path).exit_code


def test_wrong_address(tmp_path: Path) -> None:
    """An address that is none is refused before anything is written, and is not repeated."""
    result = init(tmp_path, env=BOTH | {"ETLKIT_SOURCE_URL": WAREHOUSE})
    assert (
        2,
        "Error: `ETLKIT_SOURCE_URL` must begin with `mysql://` or `mariadb://` (got `postgresql://`)\n",
    ) == (result.exit_code, result.stderr)
    assert [] == list(tmp_path.iterdir())


def test_asked(tmp_path: Path, terminal: type) -> None:
    """On a terminal the addresses are asked for without showing them, again when one is none; `.env` is private."""
    with terminal("init", "-C", str(tmp_path), env=NEITHER) as screen:
        screen.expect("opendental (not shown while you type): ")
        screen.type("sqlite://canary")
        screen.expect("Error: The address must begin with `mysql://` or `mariadb://` (got `sqlite://`)\r\n")
        screen.expect("opendental (not shown while you type): ")
        screen.type(SOURCE)
        screen.expect("warehouse (not shown while you type): ")
        screen.type(WAREHOUSE)
        assert 0 == screen.ended()
    assert "canary" not in screen.text
    assert (
        f"Wrote {tmp_path / 'etlkit.yml'}\r\nWrote {tmp_path / '.env'}\r\nNext: etlkit doctor -C {tmp_path}"
    ) in screen.text
    dotenv = tmp_path / ".env"
    assert f"ETLKIT_SOURCE_URL='{SOURCE}'" in dotenv.read_text()
    assert 0o600 == stat.S_IMODE(dotenv.stat().st_mode)


def test_interrupted_question(tmp_path: Path, terminal: type) -> None:
    """Ctrl-C at the question ends the command without a file."""
    with terminal("init", "-C", str(tmp_path), env=NEITHER) as screen:
        screen.expect("opendental (not shown while you type): ")
        screen.type("\x03", end="")
        assert 1 == screen.ended()
    assert screen.text.endswith("interrupted\r\n")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["analyze", "plan", "run", "status"])
def test_folder_without_a_file(tmp_path: Path, verb: str) -> None:
    """A folder without etlkit.yml is a mistake of configuration, told in a sentence."""
    result = CliRunner().invoke(main, [verb, "-C", str(tmp_path)])
    assert (
        2,
        "",
        f"Error: {tmp_path / 'etlkit.yml'}: is not there; `etlkit init -C {tmp_path}` writes one\n",
    ) == (result.exit_code, result.stdout, result.stderr)


def test_run_that_cannot_start(tmp_path: Path) -> None:
    """`run --json` that cannot start still prints one last event, with the exit code and why."""
    result = CliRunner().invoke(main, ["run", "--json", "-C", str(tmp_path)])
    message = f"{tmp_path / 'etlkit.yml'}: is not there; `etlkit init -C {tmp_path}` writes one"
    expected = {
        "event": "run_finished",
        "run_id": None,
        "deployment": None,
        "exit_code": 2,
        "error": message,
        "seconds": None,
        "tables": [],
    }
    assert (2, f"Error: {message}\n") == (result.exit_code, result.stderr)
    assert expected == json.loads(result.stdout)
