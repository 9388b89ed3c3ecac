"""Keys of every type, with values that break orders, comparisons and formats."""

from __future__ import annotations

import random
import re

_random = random.Random(7)  # noqa: S311 - keys of a test

ANY_MODE = "SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'"


def text(value: str) -> str:
    """A literal of any text."""
    return f"_utf8mb4 0x{value.encode().hex()}" if value else "''"


def quoted(*values: str) -> list[str]:
    """Literals."""
    return [f"'{each}'" for each in values]


WORDS = ["", "a", "B", "c ", "d\t", "é", "ß", "zz", "_", "%", "\\", "'", '"', "日", "1", "10", "9"]
DATES = ("0001-01-01", "1999-12-31", "2024-02-29", "9999-12-31")

KEYS = {
    "negative": ("k INT", "k", ["-2147483648", "-1", "0", "1", "2147483647"]),
    "with gaps": ("k BIGINT", "k", [str(n**7) for n in range(-5, 6)]),
    "above 2^53": ("k BIGINT", "k", [str(2**53 + n) for n in range(6)] + [str(2**63 - 1), str(-(2**63))]),
    "19 random digits": ("k BIGINT", "k", [str(_random.randrange(10**18, 2**63)) for _ in range(12)]),
    "unsigned": ("k BIGINT UNSIGNED", "k", ["0", *(str(2**64 - n) for n in range(1, 6)), str(2**63)]),
    "zerofill": ("k INT(6) ZEROFILL", "k", ["0", "5", "123456", "4294967295"]),
    "decimal": (
        "k DECIMAL(65,30)",
        "k",
        [
            "0",
            "-1e-30",
            "1e-30",
            "2e-30",
            "0.000000123456789012345678901",
            "0.000000123456789012345678902",
            "0.1",
            "12345678901234567890123456789012345.1",
            "-7",
        ],
    ),
    "double": (
        "k DOUBLE",
        "k",
        ["0", "5e-324", "0.1", "0.30000000000000004", "0.3", "-1.7976931348623157e308"],
    ),
    "float": ("k FLOAT", "k", ["0", "1.234567", "1.2345678", "16777216", "3.4e38", "-0.1"]),
    "bit": ("k BIT(64)", "k", ["0", "1", "0xFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFE", "0x8000000000000000"]),
    "date": ("k DATE", "k", quoted(*DATES)),
    "date that does not exist": ("k DATE", "k", quoted("0000-00-00", "2024-02-31", "2024-00-00", *DATES)),
    "datetime": ("k DATETIME(6)", "k", quoted(*(f"{d} 23:59:59.99999{n}" for d in DATES for n in (8, 9)))),
    "datetime that does not exist": (
        "k DATETIME",
        "k",
        quoted("0000-00-00 00:00:00", "2024-02-31 10:00:00", "2024-02-30 10:00:00", "2024-03-01 00:00:00"),
    ),
    "timestamp": (
        "k TIMESTAMP(3) DEFAULT '2000-01-01 00:00:00'",  # else MySQL stamps each update
        "k",
        quoted("0000-00-00 00:00:00", *(f"2024-10-27 0{n}:30:00.001" for n in range(4))),
    ),
    "time": ("k TIME(6)", "k", quoted("-838:59:59", "-00:00:00.000001", "00:00:00", "9:00:00", "100:00:00")),
    "year": ("k YEAR", "k", ["0000", "1901", "1970", "2000", "2069", "2155"]),
    "enum": ("k ENUM('z', 'm', 'a', '10', '2')", "k", quoted("z", "m", "a", "10", "2", "none of them")),
    "set": (
        f"k SET({', '.join(repr(f'm{n}') for n in range(64))})",
        "k",
        [*quoted("", "m0", "m1", "m0,m1", "m63", "m0,m63", "m62,m63"), str(2**53), str(2**53 + 1)],
    ),
    "text": ("k VARCHAR(20) COLLATE utf8mb4_unicode_ci", "k", [text(each) for each in WORDS]),
    "text by bytes": (
        "k VARCHAR(20) COLLATE utf8mb4_bin",
        "k",
        [text(e) for e in (*WORDS, "A", "b", "\x01", "🦷", "🦶")],
    ),
    "char": ("k CHAR(20)", "k", [text(each) for each in WORDS]),
    "latin1 text": (
        "k VARCHAR(20) CHARACTER SET latin1",
        "k",
        [text(e) for e in ("", "é", "ß", "€", "\x81", "ÿ")],
    ),
    "gbk text": ("k VARCHAR(20) CHARACTER SET gbk", "k", [text(each) for each in ("", "牙", "医", "a")]),
    "utf16 text": ("k VARCHAR(20) CHARACTER SET utf16", "k", [text(each) for each in ("", "日", "é", "🦷")]),
    "latin1 text of another order": (
        "k VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci",
        "k",
        [text(each) for each in ("az", "ä", "af", "Ad")],
    ),
    "binary": ("k BINARY(3)", "k", ["0x00", "0x0001", "0x20", "0x2020", "0xFFFEFD", "0x5C2725"]),
    "varbinary": ("k VARBINARY(3)", "k", ["''", "0x00", "0x0000", "0x20", "0xFF", "0x5C2725"]),
    "composite": (
        "a INT, k VARCHAR(5), c DATE",
        "a, k, c",
        [f"{a}, '{k}', '{c}'" for a in (-1, 0, 7) for k in ("", "a", "B") for c in DATES[:2]],
    ),
    "composite of another order": (
        "a INT, k BIGINT UNSIGNED",
        "k, a",
        [f"{a}, {2**64 - k}" for a in (3, 1) for k in (2, 1)],
    ),
}
MARIADB_KEYS = {
    "uuid": (
        "k UUID",
        "k",
        quoted(
            *(
                f"{a}-7dec-{b}-a765-00a0c91e6bf6"
                for a in ("00000000", "f81d4fae")
                for b in ("11d0", "01d0", "41d0")
            )
        ),
    ),
    "inet6": ("k INET6", "k", quoted("::", "::1", "2001:db8::1", "::ffff:1.2.3.4", "ff::")),
}


def columns_of(columns: str) -> str:
    """The columns of a key, none of which can be NULL."""
    return re.sub(r"(, (?=[ack] )|$)", r" NOT NULL\1", columns)
