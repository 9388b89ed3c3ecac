"""What a source's refusal of a read means, in words; its own message is left out, since it may hold values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pymysql

from etlkit.errors import ExtractionError
from etlkit.raising import NO_MEMORY, raise_alone

_CRASHED = "it is marked as crashed; repair it on the source with REPAIR TABLE"
_DAMAGED = "the source cannot open it; repair it there with REPAIR TABLE, or restore it from a backup"

_MEANING = {
    # Numbers of MyISAM and of the file system, which MariaDB gives as they are.
    29: _DAMAGED,
    126: _DAMAGED,
    127: _DAMAGED,
    130: _DAMAGED,
    134: _DAMAGED,
    144: _CRASHED,
    145: _CRASHED,
    1016: _DAMAGED,
    1017: _DAMAGED,
    1033: _DAMAGED,
    1034: _DAMAGED,
    1035: _DAMAGED,
    1044: "the user may not use this database; grant it SELECT",
    1054: "a column is gone; run `etlkit analyze`, the table was altered",
    1142: "the user may not read it; grant SELECT on it",
    1143: "the user may not read one of its columns; grant SELECT on the table",
    1146: "it is gone; run `etlkit analyze`, the table was dropped or renamed",
    1153: "a row is larger than max_allowed_packet; raise it on the source",
    1194: _CRASHED,
    1195: _CRASHED,
    1205: "it stayed locked by somebody else; run again",
    1213: "the source chose it as victim of a deadlock; run again",
    1317: "the query was killed on the source; run again",
    1412: "it was altered during the read; run again",
    1927: "the connection was killed on the source; run again",
    1969: "a statement took longer than the source's limit for it; run again at a quieter hour",
    2006: "the connection to the source was lost; run again",
    2013: "the connection to the source was lost; run again",
    3024: "a statement took longer than the source's limit for it; run again at a quieter hour",
}


_PASSING = frozenset({1040, 1053, 1205, 1213, 1317, 1927, 2006, 2013})
"""What may succeed a moment later. Not what took too long: the clinic's server would be kept busy for as long again."""


@contextmanager
def read_trouble(table: str) -> Iterator[None]:
    """Turn what PyMySQL raises in the block into an `ExtractionError` without values and without a chain.

    Args:
        table: the table that is read.

    Yields:
        Nothing.

    Raises:
        ExtractionError: the source refused a statement, the connection broke, or this machine has no memory left.
    """
    try:
        yield
    except pymysql.err.Error as error:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        meaning = _MEANING.get(code, "the source refused to read it; run `etlkit doctor`")
        raise_alone(
            ExtractionError(f"table `{table}`: {meaning} (source error {code})", transient=code in _PASSING)
        )
    except MemoryError:
        raise_alone(ExtractionError(f"table `{table}`: {NO_MEMORY}"))
    except (OSError, EOFError) as error:
        raise_alone(
            ExtractionError(
                f"table `{table}`: the connection to the source broke ({type(error).__name__}); run again",
                transient=True,
            )
        )
