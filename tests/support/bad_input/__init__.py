"""Everything that a person can get wrong, kind by kind, with the answer to it."""

from support.bad_input import (
    addresses,
    hostile_names,
    options,
    passwords,
    references,
    tables_file,
    texts,
    values,
)

CASES = (
    *texts.CASES,
    *values.CASES,
    *references.CASES,
    *addresses.CASES,
    *passwords.CASES,
    *tables_file.CASES,
    *hostile_names.CASES,
    *options.CASES,
)

__all__ = ["CASES"]
