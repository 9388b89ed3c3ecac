"""Addresses of databases."""

from __future__ import annotations

import copy
import pickle
from urllib.parse import quote

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etlkit.config import MySQLUrl, PostgresUrl, Secret
from etlkit.config.secrets import scrubbed
from etlkit.config.urls import DatabaseUrl, NotAnAddress

ODD = """ '"@/:%#\\ü?&+="""


@pytest.mark.parametrize("cls", [MySQLUrl, PostgresUrl])
@given(password=st.text(min_size=1).filter(lambda text: not {"\ufffd", "\0"} & {*text}))
def test_any_password(cls: type[DatabaseUrl], password: str) -> None:
    """Whatever a password holds, percent-encoded it arrives unchanged."""
    url = cls.parse(f"{cls.schemes[0]}://u:{quote(password, safe='')}@h/d")
    assert url.password is not None
    assert password == url.password.reveal()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mysql://u:p@h:3307/d", MySQLUrl(user="u", password=Secret("p"), host="h", port=3307, database="d")),
        ("mariadb://u@h/d", MySQLUrl(user="u", host="h", database="d")),
        ("mysql+pymysql://h/d", MySQLUrl(host="h", database="d")),
        ("mysql:///d", MySQLUrl(host="localhost", database="d")),
        ("mysql://u@/d?unix_socket=/run/m.sock", MySQLUrl(user="u", socket="/run/m.sock", database="d")),
        ("mysql://u@/d?host=db", MySQLUrl(user="u", host="db", database="d")),
        ("mysql://u@[::1]:3306/d", MySQLUrl(user="u", host="::1", port=3306, database="d")),
        (f"mysql://{quote(ODD, safe='')}@h/d", MySQLUrl(user=ODD, host="h", database="d")),
    ],
)
def test_mysql(text: str, expected: MySQLUrl) -> None:
    """The parts of a MySQL or MariaDB address."""
    assert expected == MySQLUrl.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "postgresql://u:p@h:5433/d",
            PostgresUrl(user="u", password=Secret("p"), host="h", port=5433, database="d"),
        ),
        ("postgres://h/d", PostgresUrl(host="h", database="d")),
        ("postgresql:///d", PostgresUrl(database="d")),
        ("postgresql://u@/d?host=/run/pg", PostgresUrl(user="u", socket="/run/pg", database="d")),
        (
            "postgresql://u@:5433/d?host=/run/pg",
            PostgresUrl(user="u", socket="/run/pg", port=5433, database="d"),
        ),
    ],
)
def test_postgres(text: str, expected: PostgresUrl) -> None:
    """The parts of a PostgreSQL address."""
    assert expected == PostgresUrl.parse(text)


@pytest.mark.parametrize(
    ("cls", "text", "sentence"),
    [
        (MySQLUrl, "", "must be an address such as `mysql://user:password@host:3306/database` (it is empty)"),
        (
            PostgresUrl,
            "hunter2",
            (
                "must be an address such as `postgresql://user:password@host:5432/database` "
                "(there is no `://` in it)"
            ),
        ),
        (
            MySQLUrl,
            "postgresql://u:hunter2@h/d",
            "must begin with `mysql://` or `mariadb://` (got `postgresql://`)",
        ),
        (
            PostgresUrl,
            "mysql://u:hunter2@h/d",
            "must begin with `postgresql://` or `postgres://` (got `mysql://`)",
        ),
        (MySQLUrl, "mysql://u:hunter2@h", "names no database; put `/database` behind the host"),
        (MySQLUrl, "mysql://u:hunter2@h/", "names no database; put `/database` behind the host"),
        (
            MySQLUrl,
            "mysql://u:hunter2@h:hunter2/d",
            (
                "must be an address such as `mysql://user:password@host:3306/database` "
                "(host or port cannot be told)"
            ),
        ),
        (
            MySQLUrl,
            "mysql://u:p@hunter2@h/d",
            "has an impossible host; write `@` in a password as `%40`, `/` as `%2F`, `:` as `%3A`",
        ),
        (
            MySQLUrl,
            "mysql://h/d?unix_sockt=/x",
            "has an unknown option `?unix_sockt=` (did you mean `unix_socket`?)",
        ),
        (
            PostgresUrl,
            "postgresql://h/d?sslmode=require",
            "has an unknown option `?sslmode=` (encryption is chosen by `ca_file` and `insecure` beside `url`)",
        ),
        (MySQLUrl, "mysql://u:%FF@h/d", "holds percent codes that are not UTF-8"),
    ],
)
def test_refused(cls: type[DatabaseUrl], text: str, sentence: str) -> None:
    """What is no address is refused without a word of the password, chained errors included."""
    with pytest.raises(NotAnAddress) as caught:
        cls.parse(text)
    assert sentence == str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("mysql://localhost/d", True),
        ("mysql://127.0.0.1/d", True),
        ("mysql://127.8.8.8/d", True),
        ("mysql://[::1]/d", True),
        ("mysql:///d", True),
        ("mysql:///d?unix_socket=/x", True),
        ("mysql://10.0.0.1/d", False),
        ("mysql://db.example.com/d", False),
        ("mysql://localhost.example.com/d", False),
        ("mysql://127.0.0.1.example.com/d", False),
        ("postgresql:///d", True),
        ("postgresql:///d?host=/run", True),
        ("postgresql:///d?host=db", False),
    ],
)
def test_local(text: str, local: bool) -> None:
    """Only sockets and loopback addresses do not leave the machine."""
    cls = MySQLUrl if text.startswith("mysql") else PostgresUrl
    assert local == cls.parse(text).is_local


def test_hidden() -> None:
    """A password is in no text form of an address, nor in a copy, and cannot be pickled by accident."""
    url = MySQLUrl.parse("mysql://u:hunter2@h/d")
    shown = [
        repr(url),
        str(url),
        str(attrs.asdict(url)),
        url.sqlalchemy().render_as_string(hide_password=False),
    ]
    shown += [f"{url.password}", f"{url.password!r}", repr(copy.deepcopy(url))]
    assert "hunter2" not in " ".join(shown)
    assert "mysql://u@h:3306/d" == str(url)
    with pytest.raises(TypeError) as caught:
        pickle.dumps(url)
    assert "a secret is not written into pickles; resolve it where it is used" == str(caught.value)


def test_secrets_compare_by_text() -> None:
    """Two secrets are equal when their texts are."""
    assert Secret("ü") == Secret("ü")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert 1 == len({Secret("a"), Secret("a")})


def test_scrubbed() -> None:
    """A secret is taken out of another program's words."""
    assert "no *** here" == scrubbed("no hunter2 here", Secret("hunter2"), None, Secret(""))
