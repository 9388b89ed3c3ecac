"""How every command ends: one sentence and an exit code, whatever happened; a traceback never."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

import click

from etlkit.cli import logs
from etlkit.cli.values import told
from etlkit.ending import listening
from etlkit.errors import EtlkitError
from etlkit.suggestions import suggestion
from etlkit.wording import one_line

INTERRUPTED = 1
"""The exit code of a command that was asked to end."""


class Commands(click.Group):
    """Commands under one name, listed in the order they are added; a misspelt one is answered with the nearest."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands as `--help` shows them.

        Args:
            ctx: of this group.

        Returns:
            Their names.
        """
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names.

        Args:
            ctx: of this group.
            args: what is on the command line after the group.

        Returns:
            The command's name, the command, and the arguments that are left.

        Raises:
            click.UsageError: there is no such command.
        """
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"There is no command `{one_line(name)}`; {suggestion(name, self.commands)}")
        return super().resolve_command(ctx, args)


class CommandLine(Commands):
    """The whole command line; calling it runs a command and leaves the program with its exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command.

        Args:
            args: the arguments; by default the process's own.
            prog_name: the program's name in messages.
            complete_var: click's variable for completion.
            standalone_mode: False to have failures raised and the result returned, as click does it.
            **extra: passed to click.

        Returns:
            Nothing in standalone mode, which leaves the program; else what click returns.
        """
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            with listening(INTERRUPTED) as asked:
                asked.last_words = partial(logs.tell, "interrupted", prefix="")
                code = super().main(args, prog_name or "etlkit", complete_var, standalone_mode=False, **extra)
        except BaseException as failure:  # noqa: BLE001 - the one place where every failure becomes an exit code
            _leave(failure, interrupted=asked.is_set())
        finally:
            logs.tear_down()
        sys.exit(code or 0)


def explained(failure: BaseException) -> tuple[str, int]:
    """Say in words why a command failed.

    Args:
        failure: what was raised.

    Returns:
        The sentence, and the exit code.
    """
    if isinstance(failure, EtlkitError):
        return failure.message, failure.exit_code
    if isinstance(failure, (KeyboardInterrupt, click.Abort)):
        return "interrupted", INTERRUPTED
    places = traceback.extract_tb(failure.__traceback__)
    where = f"{places[-1].filename.rpartition('/')[2]}:{places[-1].lineno}" if places else "an unknown place"
    # The message may hold a row's value, so only the kind of error and its place are told.
    sentence = f"{type(failure).__name__} at {where}; this is a defect of etlkit or of a plugin"
    return f"{sentence}, please report it with this line", EtlkitError.exit_code


def _leave(failure: BaseException, *, interrupted: bool) -> NoReturn:
    if isinstance(failure, SystemExit):
        raise failure
    if isinstance(failure, click.ClickException):
        sys.stderr.write(told(failure))
        sys.exit(failure.exit_code)
    # A statement that was cancelled because the process was asked to end fails for no reason of its own.
    interrupted = interrupted or isinstance(failure, (KeyboardInterrupt, click.Abort))
    message, code = explained(KeyboardInterrupt() if interrupted else failure)
    if interrupted:
        logs.tell(message, prefix="")
    else:
        logs.tell(message)
    handler = logs.current()
    if handler is not None and handler.verbose:
        logs.tell("\n".join(logs.frames(failure)), prefix="")
    sys.exit(code)
