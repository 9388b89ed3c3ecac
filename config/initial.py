"""The first files of a deployment, as `etlkit init` writes them."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from etlkit.config.environment import read_dotenv
from etlkit.config.settings import SETTINGS_FILE
from etlkit.config.tables import replace_file
from etlkit.config.urls import DatabaseUrl, MySQLUrl, NotAnAddress, PostgresUrl
from etlkit.errors import ConfigurationError

SOURCE_VARIABLE = "ETLKIT_SOURCE_URL"
"""The variable that names the source."""
WAREHOUSE_VARIABLE = "ETLKIT_WAREHOUSE_URL"
"""The variable that names the warehouse."""

_TEMPLATE = """\
# The deployment's configuration. Every key and its default: `defaults.yml` in the package etlkit.config.
# ${NAME} is read from the environment, then from the file .env beside this one.
deployment: %s

source:
  # mysql://user:password@host:3306/opendental; in a password, @ is %%40, / is %%2F, : is %%3A, %% is %%25
  url: "${ETLKIT_SOURCE_URL}"
  # A connection to another machine must be encrypted and its certificate valid, unless:
  # insecure: true
  # ca_file: clinic-ca.pem
  # When the source may be read, by this machine's clock (always, when left out):
  # allowed_hours: 20:00-06:00

# A MySQL or MariaDB copy of the source, which the warehouse is loaded from then (a database for etlkit alone):
# replica:
#   url: "${ETLKIT_REPLICA_URL}"

warehouse:
  # postgresql://user:password@host:5432/warehouse
  url: "${ETLKIT_WAREHOUSE_URL}"
  schema: raw

run:
  # Tables in work at the same time.
  threads: 2

# Your choices by table; they win over tables.yml, which `etlkit analyze` writes.
# tables:
#   patient:
#     extraction_strategy: incremental
#     incremental_column: DateTStamp
"""


@attrs.frozen(kw_only=True)
class Initial:
    """What `write_initial` did."""

    config: Path
    """The configuration file."""
    written: tuple[Path, ...]
    """The files that were written."""
    kept: tuple[Path, ...]
    """The files that were there already and were left alone."""


def write_initial(
    folder: Path,
    *,
    deployment: str | None = None,
    source_url: str | None = None,
    warehouse_url: str | None = None,
) -> Initial:
    """Write a commented `etlkit.yml`, and `.env` for addresses that a person typed; nothing is overwritten.

    Args:
        folder: the deployment's folder; made when it is not there.
        deployment: the deployment's name; by default made from the folder's name.
        source_url: the source's address for `.env`; None when the environment holds it.
        warehouse_url: the warehouse's address for `.env`; None when the environment holds it.

    Returns:
        What was written and what was kept.

    Raises:
        ConfigurationError: an address is none, `.env` sets another one, or the folder cannot be written.
    """
    config, dotenv = folder / SETTINGS_FILE, folder / ".env"
    name = deployment or re.sub(r"[^A-Za-z0-9_.-]+|^[^A-Za-z0-9]+", "-", folder.resolve().name).strip("-.")
    variables = {}
    for variable, url, cls in (
        (SOURCE_VARIABLE, source_url, MySQLUrl),
        (WAREHOUSE_VARIABLE, warehouse_url, PostgresUrl),
    ):
        if url is not None:
            _check(variable, url, cls)
            variables[variable] = url.strip()
    there = read_dotenv(dotenv)
    changed = sorted(each for each, url in variables.items() if there.get(each, url) != url)
    if changed:
        raise ConfigurationError(
            f"{dotenv}: already sets {' and '.join(changed)} to another address; edit it there"
        )
    missing = {each: url for each, url in variables.items() if each not in there}
    texts = {} if config.exists() else {config: _TEMPLATE % (name[:63] or "clinic")}
    if missing:
        texts[dotenv] = _appended(dotenv, missing)
    failure: str
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            _write(path, text)
    except OSError as error:
        failure = error.strerror or "no reason given"
    else:
        kept = tuple(path for path in (config, dotenv) if path.exists() and path not in texts)
        return Initial(config=config, written=tuple(texts), kept=kept)
    raise ConfigurationError(f"{folder}: cannot be written ({failure})")


def _check(variable: str, url: str, cls: type[DatabaseUrl]) -> None:
    try:
        cls.parse(url)
    except NotAnAddress as error:
        sentence = str(error)
    else:
        return
    raise ConfigurationError(f"`{variable}` {sentence}")


def _appended(path: Path, variables: dict[str, str]) -> str:
    before = (
        path.read_text(encoding="utf-8-sig")
        if path.exists()
        else "# Addresses with passwords: not for others.\n"
    )
    if before and not before.endswith("\n"):
        before += "\n"
    # Single quotes: only \\ and ' have a meaning between them.
    quoted = {each: url.replace("\\", "\\\\").replace("'", "\\'") for each, url in variables.items()}
    return before + "".join(f"{each}='{url}'\n" for each, url in quoted.items())


def _write(path: Path, text: str) -> None:
    if path.name == ".env":
        replace_file(path.resolve(), text, mode=0o600)  # it may be a link to a place for secrets
    else:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
