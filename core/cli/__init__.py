"""The command line: `etlkit` and `python -m etlkit`, one module per verb."""

from etlkit.cli.command_line import main, program

__all__ = ["main", "program"]
