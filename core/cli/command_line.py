"""`etlkit`: all commands under one name."""

from __future__ import annotations

import signal

import click

from etlkit.cli import logs
from etlkit.cli.analyze import analyze
from etlkit.cli.doctor import doctor
from etlkit.cli.init import init
from etlkit.cli.loss_report import report
from etlkit.cli.plan import plan
from etlkit.cli.plugins import plugins
from etlkit.cli.reconcile import reconcile
from etlkit.cli.run import run
from etlkit.cli.shell import CommandLine
from etlkit.cli.status import status
from etlkit.cli.verify import verify


@click.group("etlkit", cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="etlkit-core", prog_name="etlkit", message="%(prog)s %(version)s")
def main() -> None:
    """Keep a PostgreSQL warehouse equal to a dental practice's Open Dental database.

    The way through: init, doctor, analyze, plan, run. Exit codes: 0 done, 1 failed, 2 usage or configuration,
    3 some tables failed, 4 verification found differences, 5 drift refused, 6 plugins do not match the lock,
    7 another run holds the lock.
    """


for _command in (init, doctor, analyze, plan, run, status, verify, reconcile, report, plugins):
    main.add_command(_command)


def program() -> None:
    """Run the command line as a program: once its work is over, no signal changes the exit code any more."""
    try:
        main(prog_name="etlkit")
    finally:
        logs.settle()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
