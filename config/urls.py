"""Database addresses as people write them, `mysql://user:password@host:port/database`: taken apart."""

from __future__ import annotations

import ipaddress
import re
from typing import ClassVar, Self

import attrs
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from etlkit.config.secrets import Secret
from etlkit.suggestions import suggestion

_HOST = re.compile(r"[A-Za-z0-9._:-]+|[^\s@/?#%\\'\"]+\Z")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*)://")


class NotAnAddress(ValueError):
    """A text is no usable address; the message completes a sentence and repeats no secret."""


@attrs.frozen(kw_only=True)
class DatabaseUrl:
    """Where a database is and who asks; the password shows itself nowhere."""

    schemes: ClassVar[tuple[str, ...]] = ()
    driver: ClassVar[str] = ""
    default_port: ClassVar[int] = 0
    options: ClassVar[tuple[str, ...]] = ("host",)

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
            NotAnAddress: the scheme is another one, the database is missing, or an option is unknown.
        """
        expected = f"`{cls.schemes[0]}://user:password@host:{cls.default_port}/database`"
        if not text.strip():
            raise NotAnAddress(f"must be an address such as {expected} (it is empty)")
        scheme = _SCHEME.match(text)
        if scheme is None:
            raise NotAnAddress(f"must be an address such as {expected} (there is no `://` in it)")
        if scheme[1] not in cls.schemes:
            raise NotAnAddress(f"must begin with {_either(cls.schemes)} (got `{scheme[1]}://`)")
        url = _parsed(text.strip())
        if url is None:
            raise NotAnAddress(f"must be an address such as {expected} (host or port cannot be told)")
        return cls._checked(url)

    @classmethod
    def _checked(cls, url: URL) -> Self:
        for option in url.query:
            if option not in cls.options:
                hint = suggestion(option, cls.options, otherwise="known options")
                shown = option if re.fullmatch(r"[A-Za-z_]{1,30}", option) else "..."
                raise NotAnAddress(f"has an unknown option `?{shown}=` ({hint})")
        query = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
        given = query.get("host") or url.host
        socket = query.get("unix_socket")
        if given is not None and given.startswith(("/", "@")):
            given, socket = None, given
        if given is not None and not _HOST.fullmatch(given):
            raise NotAnAddress(
                "has an impossible host; write `@` in a password as `%40`, `/` as `%2F`, `:` as `%3A`"
            )
        if not url.database:
            raise NotAnAddress("names no database; put `/database` behind the host")
        for part in (url.username, url.password, url.database):
            if part is not None and "�" in part:
                raise NotAnAddress("holds percent codes that are not UTF-8")
        return cls(
            database=url.database,
            user=url.username or None,
            password=Secret(url.password) if url.password else None,
            host=None if socket else given or cls._default_host(),
            port=url.port,
            socket=socket,
        )

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


@attrs.frozen(kw_only=True)
class PostgresUrl(DatabaseUrl):
    """The address of a PostgreSQL database."""

    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres", "postgresql+psycopg2")
    driver: ClassVar[str] = "postgresql+psycopg2"
    default_port: ClassVar[int] = 5432

    @classmethod
    def _default_host(cls) -> str | None:
        return None  # libpq looks for the server's socket in its own folder then


def _parsed(text: str) -> URL | None:
    # These errors quote parts of the address; None takes their place, so that nothing chains to them.
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        return None


def _either(schemes: tuple[str, ...]) -> str:
    names = [f"`{each}://`" for each in schemes if "+" not in each]
    return " or ".join(names)
