"""`etlkit init`: the first files of a deployment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from etlkit.cli import options, output
from etlkit.config import SETTINGS_FILE, MySQLUrl, PostgresUrl
from etlkit.config.environment import read_dotenv
from etlkit.config.initial import SOURCE_VARIABLE, WAREHOUSE_VARIABLE, write_initial
from etlkit.config.urls import DatabaseUrl, NotAnAddress
from etlkit.errors import ConfigurationError

_ADDRESSES: Mapping[str, tuple[type[DatabaseUrl], str]] = {
    SOURCE_VARIABLE: (MySQLUrl, "Open Dental's database, mysql://user:password@host:3306/opendental"),
    WAREHOUSE_VARIABLE: (PostgresUrl, "The warehouse, postgresql://user:password@host:5432/warehouse"),
}


@click.command()
@options.common
@options.as_json
def init(*, folder: Path, as_json: bool) -> None:
    """Write the first files of a deployment.

    They are etlkit.yml, and .env with the addresses of the two databases; what is there is not
    overwritten. Asks for the addresses on a terminal; asks nothing when ETLKIT_SOURCE_URL and
    ETLKIT_WAREHOUSE_URL are set.
    """
    missing = _missing(folder)
    if missing and not sys.stdin.isatty():
        raise ConfigurationError(
            f"{' and '.join(missing)} must be set, because there is no terminal to ask on; set "
            f"{'them' if len(missing) > 1 else 'it'} in the environment or in {folder / '.env'} and run again"
        )
    given = {variable: _asked(variable) for variable in missing}
    done = write_initial(
        folder, source_url=given.get(SOURCE_VARIABLE), warehouse_url=given.get(WAREHOUSE_VARIABLE)
    )
    if as_json:
        output.write_json(
            {
                "config": str(done.config),
                "written": [str(path) for path in done.written],
                "kept": [str(path) for path in done.kept],
            }
        )
        return
    output.say(
        *(f"Wrote {path}" for path in done.written),
        *(f"Kept {path} as it was" for path in done.kept),
        f"Next: etlkit doctor -C {folder}",
    )


def _missing(folder: Path) -> list[str]:
    """Name the variables that nothing sets; an etlkit.yml that is there may do without them."""
    text = _text(folder / SETTINGS_FILE)
    kept = read_dotenv(folder / ".env")
    missing = []
    for variable, (cls, _) in _ADDRESSES.items():
        url = os.environ.get(variable) or kept.get(variable)
        if url:
            _check(variable, url, cls)
        elif text is None or f"${{{variable}}}" in text:
            missing.append(variable)
    return missing


def _text(path: Path) -> str | None:
    if not os.path.lexists(path):
        return None
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # kept as it is; the next command says what is wrong with it


def _check(variable: str, url: str, cls: type[DatabaseUrl]) -> None:
    try:
        cls.parse(url)
    except NotAnAddress as error:
        sentence = str(error)
    else:
        return
    raise ConfigurationError(f"`{variable}` {sentence}")


def _asked(variable: str) -> str:
    cls, question = _ADDRESSES[variable]
    # The address holds a password, so it is not shown while it is typed.
    answer: str = click.prompt(
        f"{question} (not shown while you type)", hide_input=True, value_proc=_parsing(cls), err=True
    )
    return answer


def _parsing(cls: type[DatabaseUrl]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        try:
            cls.parse(text)
        except NotAnAddress as error:
            sentence = str(error)
        else:
            return text
        raise click.UsageError(f"The address {sentence}")

    return parse
