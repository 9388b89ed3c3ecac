"""A practice whose patients must not be known in the warehouse, and what its masked values are."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import make_url

from etlkit.config import ColumnOverride, Secret, TableChoice
from etlkit.config.masking import MaskingSettings
from support.databases import SourceDatabase, WarehouseDatabase
from support.overheard import OverheardWire
from support.running import Running, running_of

KEY = "the key of a test, which is long enough to be one"
MASKING = MaskingSettings(key=Secret(KEY))
PATIENTS = 7
VISITS = 40
FIRST_PATIENT = 70_430_001

STAMP = "timestamp not null default current_timestamp on update current_timestamp"
PATIENT = (
    "create table patient (PatNum bigint primary key, LName varchar(100) character set latin1 not null, "
    "SSN varchar(100), Birthdate date not null, Photo blob, Gender tinyint not null, Zip varchar(20) not null, "
    f"DateTStamp {STAMP}, key (DateTStamp))"
)
VISIT = (
    "create table visit (VisitNum int primary key, PatNum bigint not null, VisitTime datetime, Note text, "
    f"Fee decimal(9,2) not null, DateTStamp {STAMP}, key (DateTStamp))"
)
ROWS_OF_PATIENT = [
    f"({FIRST_PATIENT + each}, 'Kanarienvögel{each}', '078-05-11{each}9', '{1950 + 3 * each}-01-01', "
    f"'canary{each}', {each % 3}, 'canary zip', '2024-03-0{each + 1} 10:00:00')"
    for each in range(PATIENTS)
]
ROWS_OF_VISIT = [
    f"({each}, {FIRST_PATIENT + each % PATIENTS}, '2031-01-01 11:22:{each:02}', 'canary of visit {each}', "
    f"{each}.25, '2024-03-01 10:00:{each:02}')"
    for each in range(VISITS)
]
TABLES = (
    PATIENT,
    VISIT,
    f"insert into patient values {', '.join(ROWS_OF_PATIENT)}",
    f"insert into visit values {', '.join(ROWS_OF_VISIT)}",
)
"""A table whose key is masked, and one that points to it."""

MASKED: Mapping[str, Mapping[str, ColumnOverride]] = {
    "patient": {
        "PatNum": ColumnOverride(conversion="hmac", options={"domain": "patient"}),
        "LName": ColumnOverride(conversion="hmac"),
        "SSN": ColumnOverride(conversion="mask", options={"visible": "2"}),
        "Birthdate": ColumnOverride(conversion="date_shift"),
        "Photo": ColumnOverride(conversion="drop"),
        "Zip": ColumnOverride(conversion="null"),
    },
    "visit": {
        "PatNum": ColumnOverride(conversion="hmac", options={"domain": "patient"}),
        "VisitTime": ColumnOverride(conversion="date_shift", options={"days": "100"}),
        "Note": ColumnOverride(conversion="drop"),
    },
}

PLAIN = (
    *(text.encode(charset) for text in ("Kanarien", "vögel", "vogel") for charset in ("latin1", "utf8")),
    *(b"canary", b"078-05", b"704300", b"2031-01-01"),
    *(b"%d-01-01" % (1950 + 3 * each) for each in range(PATIENTS)),
)
"""What must be neither heard nor kept. Dates are moved back from the first day of a year into the year before."""


def hashed(value: bytes | str | int, key: str = KEY) -> str:
    """The HMAC of a value, by Python."""
    message = value if isinstance(value, bytes) else str(value).encode()
    return hmac.new(key.encode(), message, "sha256").hexdigest()


def shift(patient: object, days: int) -> int:
    """How many days the dates of a patient are moved back."""
    return 1 + int(hashed(f"date_shift:{patient}")[:8], 16) % days


def choose(running: Running, **overrides: Mapping[str, ColumnOverride]) -> None:
    """Analyse, and choose what becomes of columns, by table; the strategy is `full_table`."""
    running.analyse()
    running.change(
        tables={
            name: TableChoice(extraction_strategy="full_table", column_overrides=each)
            for name, each in overrides.items()
        }
    )


@contextmanager
def masked_practice(
    source: SourceDatabase, warehouse: WarehouseDatabase, strategy: str = "full_table", **choices: Any
) -> Iterator[tuple[Running, OverheardWire]]:
    """Open a deployment of it that is read through a wire; gives the wire as well."""
    source.execute(*TABLES)
    port = make_url(source.reader_url).port or 3306
    with (
        OverheardWire(port) as wire,
        running_of(source, warehouse, source_url=wire.through(source.reader_url), masking=MASKING) as running,
    ):
        running.analyse()
        running.change(
            tables={
                name: TableChoice(
                    extraction_strategy=strategy, batch_size=3, column_overrides=MASKED[name], **choices
                )
                for name in MASKED
            }
        )
        yield running, wire
