"""Database addresses as people write them, `mysql://user:password@host:port/database`: taken apart."""

from __future__ import annotations

import ipaddress
import re
from typing import ClassVar, Self
from urllib.parse import quote

import attrs
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from etlkit.config.secrets import Secret
from etlkit.suggestions import suggestion

_HOST = re.compile(r"[^\s@/?#%\\'\"]+")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*)://")
_NOTHING = "\0"
_PORTS = range(1, 65536)
_ENCRYPTION = re.compile(r"ssl|tls|.*verify|.*cert|gssencmode", re.IGNORECASE)


class NotAnAddress(ValueError):
    """A text is no usable address; the message completes a sentence and repeats no secret."""


@attrs.frozen(kw_only=True)
class DatabaseUrl:
    """Where a database is and who asks; the password shows itself nowhere."""

    schemes: ClassVar[tuple[str, ...]] = ()
    driver: ClassVar[str] = ""
    default_port: ClassVar[int] = 0
    options: ClassVar[tuple[str, ...]] = ("host",)
    longest_name: ClassVar[tuple[int, str]] = (0, "bytes")
    system_databases: ClassVar[tuple[str, ...]] = ()

    database: str
    """The database's name."""
    user: str | None = None
    """The user, or None for the driver's default."""
    password: Secret | None = None
    """The password, when the address holds one."""
    host: str | None = None
    """The host name or address; None when a socket is used."""
    port: int | None = None
    """The port, or None for the default."""
    socket: str | None = None
    """The unix socket: a file for MySQL, a folder for PostgreSQL."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take an address apart.

        Args:
            text: such as `mysql://user:password@host:3306/database`; what has a meaning in an address
                (`@ / : % #` and blanks) is written as `%` and two hexadecimal digits.

        Returns:
            The parts.

        Raises:
            NotAnAddress: the scheme is another one, the database is missing, an option is unknown, or a part cannot
                be meant.
        """
        expected = f"`{cls.schemes[0]}://user:password@host:{cls.default_port}/database`"
        if not text.strip():
            raise NotAnAddress(f"must be an address such as {expected} (it is empty)")
        scheme = _SCHEME.match(text)
        if scheme is None:
            lacks = "it begins with something else" if "://" in text else "there is no `://` in it"
            raise NotAnAddress(f"must be an address such as {expected} ({lacks})")
        if scheme[1] not in cls.schemes:
            raise NotAnAddress(f"must begin with {_either(cls.schemes)} (got `{scheme[1]}://`)")
        if "://" in text[scheme.end() :]:
            raise NotAnAddress("holds `://` twice; write `:` in a password as `%3A`, `/` as `%2F`")
        url = _parsed(text.strip())
        if url is None:
            raise NotAnAddress(f"must be an address such as {expected} (host or port cannot be told)")
        return cls._checked(url, text)

    @classmethod
    def _checked(cls, url: URL, text: str) -> Self:
        query = cls._query(url)
        given = query.get("host", url.host)
        socket = query.get("unix_socket")
        if given is not None and given.startswith(("/", "@")):
            given, socket = None, given
        if given is not None and not _is_host(given):
            raise NotAnAddress(
                "has an impossible host; write `@` in a password as `%40`, `/` as `%2F`, `:` as `%3A`"
            )
        if socket is not None and not socket.startswith(("/", "@")):
            raise NotAnAddress("has a socket that is no absolute path; write it from `/` on")
        beside = [
            each for each in (url.host, query.get("host"), query.get("unix_socket")) if each is not None
        ]
        if beside[1:] and not (socket is not None and url.host == "localhost"):
            raise NotAnAddress(
                "says twice where the server is; keep one of host, `?host=` and `?unix_socket=`"
            )
        if url.port is not None and url.port not in _PORTS:
            raise NotAnAddress("has an impossible port; ports go from 1 to 65535")
        if not url.database:
            raise NotAnAddress("names no database; put `/database` behind the host")
        cls._check_database(url.database, text)
        for part in (url.username, url.password, url.database, socket):
            if part is not None and "�" in part:
                raise NotAnAddress("holds percent codes that are not UTF-8")
            if part is not None and "\0" in part:
                raise NotAnAddress("holds a NUL, which no server takes")
        return cls(
            database=url.database,
            user=url.username or None,
            password=Secret(url.password) if url.password else None,
            host=None if socket else given or cls._default_host(),
            port=url.port,
            socket=socket,
        )

    @classmethod
    def _query(cls, url: URL) -> dict[str, str]:
        query: dict[str, str] = {}
        for option, value in url.query.items():
            shown = option if re.fullmatch(r"[A-Za-z_]{1,30}", option) else "..."
            if option not in cls.options:
                hint = suggestion(option, cls.options, otherwise="known options")
                if _ENCRYPTION.match(option):
                    hint = "encryption is chosen by `ca_file` and `insecure` beside `url`"
                raise NotAnAddress(f"has an unknown option `?{shown}=` ({hint})")
            if not isinstance(value, str):
                raise NotAnAddress(f"has the option `?{shown}=` twice; keep one")
            if value == _NOTHING:
                raise NotAnAddress(f"has nothing behind `?{shown}=`; write the value, or take the option out")
            query[option] = value
        return query

    @classmethod
    def _check_database(cls, name: str, text: str) -> None:
        for character, code in (("/", "%2f"), ("#", "%23")):
            if character in name and code not in text.lower():
                raise NotAnAddress(
                    f"has a `{character}` in the database's name; write it as `{code.upper()}` if it is meant"
                )
        most, unit = cls.longest_name
        if len(name.encode() if unit == "bytes" else name) > most:
            raise NotAnAddress(f"names a database of more than {most} {unit}, which the server cannot have")
        if name.lower() in cls.system_databases:
            raise NotAnAddress(f"names `{name}`, which is the server's own database; name yours")

    @classmethod
    def _default_host(cls) -> str | None:
        return "localhost"

    @property
    def is_local(self) -> bool:
        """Whether the way to the server cannot leave this machine: a unix socket or a loopback address."""
        if self.socket is not None or self.host is None or self.host.lower() in ("localhost", "localhost."):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def place(self) -> str:
        """The server in words for messages: `host:port`, or the socket."""
        if self.socket is not None:
            return self.socket
        host = self.host or "the local socket"
        return f"{f'[{host}]' if ':' in host else host}:{self.port or self.default_port}"

    def sqlalchemy(self) -> URL:
        """Give SQLAlchemy's form, driver named in full and without the password.

        Returns:
            The address for `create_engine`; the connection itself is opened by `etlkit.connections`.
        """
        return URL.create(
            self.driver, username=self.user, host=self.host, port=self.port, database=self.database
        )

    def __str__(self) -> str:
        return f"{self.schemes[0]}://{f'{self.user}@' if self.user else ''}{self.place}/{self.database}"


@attrs.frozen(kw_only=True)
class MySQLUrl(DatabaseUrl):
    """The address of a MySQL or MariaDB database."""

    schemes: ClassVar[tuple[str, ...]] = ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql")
    driver: ClassVar[str] = "mysql+pymysql"
    default_port: ClassVar[int] = 3306
    options: ClassVar[tuple[str, ...]] = ("host", "unix_socket")
    longest_name: ClassVar[tuple[int, str]] = (64, "characters")
    system_databases: ClassVar[tuple[str, ...]] = ("information_schema", "mysql", "performance_schema", "sys")


@attrs.frozen(kw_only=True)
class PostgresUrl(DatabaseUrl):
    """The address of a PostgreSQL database."""

    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres", "postgresql+psycopg2")
    driver: ClassVar[str] = "postgresql+psycopg2"
    default_port: ClassVar[int] = 5432
    longest_name: ClassVar[tuple[int, str]] = (63, "bytes")
    system_databases: ClassVar[tuple[str, ...]] = ("template0", "template1")

    @classmethod
    def _default_host(cls) -> str | None:
        return None  # libpq looks for the server's socket in its own folder then


def _parsed(text: str) -> URL | None:
    # These errors quote parts of the address; None takes their place, so that nothing chains to them.
    try:
        # SQLAlchemy leaves an option without a value out, as if nobody had meant to write one.
        before, at, place = text.rpartition("@")
        return make_url(before + at + re.sub(r"([?&][A-Za-z_]+=)(?=&|$)", rf"\g<1>{quote(_NOTHING)}", place))
    except (ArgumentError, ValueError):
        return None


def _is_host(host: str) -> bool:
    if not _HOST.fullmatch(host) or not host.isprintable():
        return False
    try:
        if ":" in host:
            return bool(ipaddress.IPv6Address(host))
        # PostgreSQL takes several hosts, with a comma between them.
        return all(each.encode("idna") for each in host.removesuffix(".").split(","))
    except ValueError:
        return False


def _either(schemes: tuple[str, ...]) -> str:
    names = [f"`{each}://`" for each in schemes if "+" not in each]
    return " or ".join(names)
