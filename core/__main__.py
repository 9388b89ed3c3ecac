"""`python -m etlkit` is the command `etlkit`."""

from etlkit.cli import main

if __name__ == "__main__":
    main(prog_name="etlkit")
