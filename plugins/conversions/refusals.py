"""What conversions refuse, each in one sentence that says what to do: columns of other types, and options."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from etlkit import Column, PlanRefused, TableAnalysis

ANOTHER = "choose another one in the table's `column_overrides` in etlkit.yml, such as `drop` or `null`"
"""What to do about a column that must not be loaded as it is."""
OUT = "take it out of the table's `column_overrides` in etlkit.yml"
"""What to do about a column that may be loaded as it is."""


def need(of: Column, types: Collection[str], conversion: str, wanted: str, remedy: str = ANOTHER) -> None:
    """Refuse a column of another type.

    Args:
        of: the column.
        types: those that the conversion takes, as in `Column.data_type`.
        conversion: its name.
        wanted: these types in words.
        remedy: what to do.

    Raises:
        PlanRefused: the column has none of these types.
    """
    if of.data_type not in types:
        raise PlanRefused(
            f"conversion {conversion} needs {wanted}, and column {of.name} is a {of.column_type}; {remedy}"
        )


def known_options(
    options: Mapping[str, str], table: TableAnalysis, conversion: str, known: Collection[str]
) -> Mapping[str, str]:
    """Refuse options that a conversion does not know.

    Args:
        options: a person's, by name.
        table: the table.
        conversion: the conversion's name.
        known: the names that it knows.

    Returns:
        The options.

    Raises:
        PlanRefused: it does not know one.
    """
    for given in options:
        if given not in known:
            raise PlanRefused(
                f"table `{table.name}`: conversion {conversion} has no option `{given}` "
                f"(there are: {', '.join(sorted(known))})"
            )
    return options


def whole_number(
    text: str, table: TableAnalysis, conversion: str, option: str, *, least: int, most: int
) -> int:
    """Read an option that is a whole number.

    Args:
        text: what a person wrote.
        table: the table.
        conversion: the conversion's name.
        option: the option's name.
        least: the smallest number.
        most: the largest.

    Returns:
        The number.

    Raises:
        PlanRefused: it is none, or lies outside.
    """
    if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
        raise PlanRefused(
            f"table `{table.name}`: the option `{option}` of conversion {conversion} must be a whole number from "
            f"{least} to {most} (got `{text}`)"
        )
    return int(text)
