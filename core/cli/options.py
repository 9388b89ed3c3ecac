"""Options that several commands share. Each is also read from a variable: `--full-refresh` from ETLKIT_FULL_REFRESH."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from etlkit.cli import logs, output
from etlkit.cli.values import Folder, OneOf, WholeNumber, YesOrNo

Function = TypeVar("Function", bound=Callable[..., Any])

FOLDER_VARIABLE = "ETLKIT_DIR"
"""What `-C` is read from."""

MOST_ROWS = 10**12
"""The most rows that an option can ask for."""


def option(name: str, *more: str, **attributes: Any) -> Callable[[Function], Function]:
    """Declare an option that is also read from the variable of its name.

    Args:
        name: such as `--full-refresh`.
        *more: click's other declarations.
        **attributes: click's.

    Returns:
        A decorator.
    """
    variable = "ETLKIT_" + name.removeprefix("--").replace("-", "_").upper()
    if attributes.get("is_flag"):
        attributes = {"type": YesOrNo(), **attributes}
    return click.option(name, *more, **{"envvar": variable, "show_envvar": True, **attributes})


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what every command takes: `-C`, which is given to the function as `folder`, and how to log.

    Args:
        function: the command's.

    Returns:
        The function, which sets up the log before it begins.
    """

    @functools.wraps(function)
    def with_log(*args: Any, log_format: str, verbose: bool, **others: Any) -> Any:
        logs.set_up(as_json=log_format == "json", verbose=verbose)
        return function(*args, **others)

    for each in (
        option("--verbose", "-v", is_flag=True, help="Log what helps to find a cause."),
        option(
            "--log-format",
            type=OneOf(["text", "json"]),
            default="text",
            show_default=True,
            help="Log lines for people, or one JSON object a line.",
        ),
        click.option(
            "-C",
            "folder",
            type=Folder(),
            default=Path(),
            show_default="the current folder",
            envvar=FOLDER_VARIABLE,
            show_envvar=True,
            metavar="DIR",
            help="The deployment's folder.",
        ),
    ):
        with_log = each(with_log)
    return with_log


def _only_json(context: click.Context, _: click.Parameter, value: bool) -> bool:
    # A plugin that prints must not get between the documents.
    if value:
        context.with_resource(output.reserved())
    return value


as_json = option("--json", "as_json", is_flag=True, callback=_only_json, help="Print JSON for programs.")
"""Adds `--json`, given to the function as `as_json`."""


threads = option(
    "--threads", type=WholeNumber(1, 64), help="Tables in work at the same time, instead of `run.threads`."
)
"""Adds `--threads`."""

no_plugin = option(
    "--no-plugin",
    multiple=True,
    metavar="NAME",
    help="Leave out a plugin, as `plugins.disable` does; may be given several times.",
)
"""Adds `--no-plugin`."""

locked = option(
    "--locked",
    is_flag=True,
    help="Refuse to work without plugins.lock.yml, or with an editable installation.",
)
"""Adds `--locked`."""

allow_deletes = option(
    "--allow-deletes", is_flag=True, help="Let loads remove any share of a table's rows, for this run."
)
"""Adds `--allow-deletes`."""

allow_drift = option(
    "--allow-drift",
    is_flag=True,
    help="Let tables change their shape in every way that loses nothing, for this run.",
)
"""Adds `--allow-drift`."""


def tables(function: Function) -> Function:
    """Add the options that say which tables are meant.

    Args:
        function: takes `select` and `exclude`.

    Returns:
        The function.
    """
    for each in (
        option(
            "--exclude",
            multiple=True,
            metavar="PATTERN",
            help="Leave out these tables; may be given several times.",
        ),
        option(
            "--select",
            multiple=True,
            metavar="PATTERN",
            help="Only these tables, such as `pat*` or `importance:critical`; may be given several times.",
        ),
    ):
        function = each(function)
    return function


def selection(function: Function) -> Function:
    """Add the options that say which tables are loaded, and how much of them.

    Args:
        function: takes `select`, `exclude`, `full_refresh` and `limit`.

    Returns:
        The function.
    """
    for each in (
        option(
            "--limit",
            type=WholeNumber(1, MOST_ROWS),
            metavar="ROWS",
            help="Read at most so many rows of each table; removes nothing, remembers nothing.",
        ),
        option("--full-refresh", is_flag=True, help="Read every row, whatever was loaded before."),
        tables,
    ):
        function = each(function)
    return function
