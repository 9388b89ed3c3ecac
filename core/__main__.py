"""`python -m etlkit` is the command `etlkit`."""

from etlkit.cli import program

if __name__ == "__main__":
    program()
