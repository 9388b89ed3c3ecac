"""The masking conversions become exactly this SQL, and refuse what they cannot mean."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

import pytest
from sqlalchemy import ColumnElement, column
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from etlkit import Column, Conversion, Effect, PlanRefused
from etlkit.config.secrets import Secret
from etlkit.keyed_hash import fingerprint, key_statement
from etlkit.plugins.conversions import masking
from etlkit.registry import Registry
from etlkit.testing import column as described
from etlkit.testing import table

REGISTRY = Registry.of(masking)
PATIENT = table("patient", "PatNum bigint auto_increment", "SSN varchar(100)", "Birthdate date")
HMAC = "sha2(concat(@etlkit_key_outer, unhex(sha2(concat(@etlkit_key_inner, %s), 256))), 256)"
KEY = "a masking key of a test, long enough"


def configured(name: str, **options: str) -> Conversion:
    """A conversion with options, for `PATIENT`."""
    conversion = REGISTRY.conversion(name).item
    return conversion if conversion.configure is None else conversion.configure(options, PATIENT)


def sql(expression: ColumnElement[Any]) -> str:
    """The text that the source gets; it holds no parameters."""
    done = expression.compile(dialect=MySQLDialect_pymysql(), compile_kwargs={"render_postcompile": True})
    assert not done.params
    return str(done)


@pytest.mark.parametrize(
    ("name", "options", "of", "target", "expected"),
    [
        ("keep", {}, "SSN varchar(100)", "character varying(100)", "`SSN`"),
        ("drop", {}, "SSN varchar(100)", "character varying(100)", "NULL"),
        ("null", {}, "Birthdate date", "date", "NULL"),
        (
            "mask",
            {"visible": "4"},
            "SSN varchar(100)",
            "text",
            (
                "CASE WHEN (`SSN` IS NULL) THEN NULL WHEN (char_length(`SSN`) = 0) THEN '' WHEN "
                "(char_length(`SSN`) < 8) "
                "THEN 'XXXX' ELSE concat('XXXX', right(`SSN`, 4)) END"
            ),
        ),
        (
            "hmac",
            {},
            "SSN varchar(100)",
            "character varying(64)",
            HMAC % "CAST(convert(`SSN` USING utf8mb4) AS BINARY)",
        ),
        (
            "hmac",
            {"domain": "patient"},
            "PatNum bigint",
            "character varying(64)",
            HMAC % "concat(0x70617469656E743A, CAST(CAST(`PatNum` AS CHAR) AS BINARY))",
        ),
        ("hmac", {}, "Photo blob", "character varying(64)", HMAC % "`Photo`"),
        (
            "date_shift",
            {"days": "30"},
            "Birthdate date",
            "date",
            "if(year(`Birthdate`) > 1, subdate(`Birthdate`, 1 + mod(CAST(conv(left("
            + HMAC % "concat(0x646174655F73686966743A, ifnull(CAST(CAST(`PatNum` AS CHAR) AS BINARY), 0x3A))"
            + ", 8), 16, 10) AS UNSIGNED INTEGER), 30)), `Birthdate`)",
        ),
        (
            "year",
            {},
            "Birthdate date",
            "date",
            (
                "concat(lpad(if(year(`Birthdate`) > 1, greatest(year(`Birthdate`), year(curdate()) - 90), "
                "year(`Birthdate`)), 4, '0'), '-01-01')"
            ),
        ),
    ],
)
def test_a_conversion_is_this_sql(
    name: str, options: dict[str, str], of: str, target: str, expected: str
) -> None:
    """The expressions stay what they are, so that stored values and digests do; the key is in none of them."""
    conversion, made = configured(name, **options), described(of)
    assert target == conversion.target_type(made)
    said = sql(conversion.source_sql(column(made.name), made))
    assert expected.replace(f"`{made.name}`", "?") == re.sub(rf"`?\b{made.name}\b`?", "?", said)


def test_what_hides_and_what_needs_the_key() -> None:
    """All but `keep` hide the values of their columns; two need the key; only a hash keeps keys apart."""
    said = {
        each.item.name: (each.item.effect, each.item.hides, each.item.keyed, each.item.lossless)
        for each in REGISTRY.conversions
    }
    computed = Effect.COMPUTED
    assert {
        "keep": (Effect.PLAIN, False, False, True),
        "drop": (Effect.ABSENT, True, False, False),
        "null": (computed, True, False, False),
        "mask": (computed, True, False, False),
        "hmac": (computed, True, True, True),
        "date_shift": (computed, True, True, False),
        "year": (computed, True, False, False),
        "zip3": (computed, True, False, False),
    } == said


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "mask",
            {"visible": "11"},
            "table `patient`: the option `visible` of conversion mask must be a whole number from 0 to 10 (got `11`)",
        ),
        (
            "mask",
            {"visibel": "1"},
            "table `patient`: conversion mask has no option `visibel` (there are: visible)",
        ),
        (
            "hmac",
            {"domain": "date_shift"},
            (
                "table `patient`: the option `domain` of conversion hmac must not be `date_shift`, which "
                "would tell the "
                "days of `date_shift`; choose another one"
            ),
        ),
        (
            "date_shift",
            {"days": "0"},
            (
                "table `patient`: the option `days` of conversion date_shift must be a whole number from 1 to "
                "3650 (got `0`)"
            ),
        ),
        (
            "date_shift",
            {"patient": "Patient"},
            (
                "table `patient` has no column `Patient`, which tells conversion date_shift whose dates "
                "they are; name the "
                "column by `options: {patient: ...}`, or choose another conversion, such as `year`"
            ),
        ),
    ],
)
def test_options_that_are_refused(name: str, options: dict[str, str], message: str) -> None:
    """An option that cannot be meant is told with its table."""
    with pytest.raises(PlanRefused) as caught:
        configured(name, **options)
    assert message == str(caught.value)


@pytest.mark.parametrize(
    ("name", "of", "wanted"),
    [
        ("mask", "PatNum bigint", "a text"),
        ("hmac", "Place point", "a text, a number, a time or bytes"),
        ("date_shift", "SSN varchar(100)", "a date, datetime or timestamp"),
        ("year", "Started time", "a date, datetime or timestamp"),
        ("zip3", "Zip int", "a text"),
    ],
)
def test_columns_that_are_refused(name: str, of: str, wanted: str) -> None:
    """A column of another type is refused by its name and type."""
    made: Column = described(of)
    with pytest.raises(PlanRefused) as caught:
        configured(name).target_type(made)
    assert str(caught.value) == (
        f"conversion {name} needs {wanted}, and column {made.name} is a {made.column_type}; choose "
        f"another one in the "
        "table's `column_overrides` in etlkit.yml, such as `drop` or `null`"
    )


@pytest.mark.parametrize("key", [KEY, KEY * 2, "ü" * 40])
def test_the_key_statement(key: str) -> None:
    """What a session is told is what RFC 2104 makes of the key: not the key, but enough to compute with."""
    found = re.fullmatch(
        r"SET @etlkit_key_inner = 0x([0-9a-f]{128}), @etlkit_key_outer = 0x([0-9a-f]{128})",
        key_statement(Secret(key)),
    )
    assert found is not None
    inner, outer = (bytes.fromhex(each) for each in found.groups())
    once = hashlib.sha256(inner + b"message").digest()
    assert hmac.new(key.encode(), b"message", "sha256").digest() == hashlib.sha256(outer + once).digest()


def test_fingerprints() -> None:
    """Keys are told apart by a fingerprint that tells nothing of them."""
    first, second = fingerprint(Secret(KEY)), fingerprint(Secret(KEY + "!"))
    assert first != second
    assert re.fullmatch("[0-9a-f]{16}", first)
