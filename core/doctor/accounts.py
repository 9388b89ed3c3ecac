"""Statements that a person can give to an administrator, every name quoted by the server's own rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import attrs
from sqlalchemy import literal
from sqlalchemy.dialects import mysql, postgresql

# With this style of parameters nothing doubles a percent sign.
_MYSQL = mysql.dialect(paramstyle="named")
_POSTGRES = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


@attrs.frozen(kw_only=True)
class Account:
    """A user of a MySQL or MariaDB server, as the server tells users apart."""

    user: str
    """The user's name; empty for the anonymous one."""
    host: str
    """From where the user may connect; may hold wildcards."""

    @classmethod
    def parse(cls, current_user: str) -> Self:
        """Take apart what `CURRENT_USER()` gives.

        Args:
            current_user: such as `reader@127.0.0.1`.

        Returns:
            The account.
        """
        user, _, host = current_user.rpartition("@")
        return cls(user=user, host=host)

    @property
    def sql(self) -> str:
        """The account as statements name it."""
        return f"{_mysql_text(self.user)}@{_mysql_text(self.host)}"

    def __str__(self) -> str:
        return f"`{self.user}`@`{self.host}`"


def mysql_name(name: str) -> str:
    """Quote a name for MySQL.

    Args:
        name: of a database, a table or a column.

    Returns:
        The name between backticks.
    """
    return _MYSQL.identifier_preparer.quote_identifier(name)


def postgres_name(name: str) -> str:
    """Quote a name for PostgreSQL.

    Args:
        name: of a database, a schema, a table or a role.

    Returns:
        The name between double quotes.
    """
    return _POSTGRES.identifier_preparer.quote_identifier(name)


def grant(privileges: Iterable[str], account: Account, database: str) -> str:
    """Give the statement that lets a user do something in a database.

    Args:
        privileges: such as `SELECT`.
        account: the user.
        database: its name.

    Returns:
        The statement.
    """
    # In this one place `_` and `%` in a database's name stand for other characters.
    exact = database.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    return f"GRANT {', '.join(privileges)} ON {mysql_name(exact)}.* TO {account.sql};"


def grant_select(account: Account, database: str) -> str:
    """Give the statement that lets a user read a database.

    Args:
        account: the user.
        database: its name.

    Returns:
        The statement.
    """
    return grant(["SELECT"], account, database)


def create_database(database: str) -> str:
    """Give the statement that makes a database.

    Args:
        database: its name.

    Returns:
        The statement.
    """
    return f"CREATE DATABASE {mysql_name(database)};"


def revoke(privileges: Iterable[str], on: str, account: Account) -> str:
    """Give the statement that takes rights away.

    Args:
        privileges: such as `INSERT`.
        on: on what, quoted.
        account: the user.

    Returns:
        The statement.
    """
    return f"REVOKE {', '.join(privileges)} ON {on} FROM {account.sql};"


def own_user(
    account: Account, database: str, *, name: str = "etlkit_reader", privileges: Iterable[str] = ("SELECT",)
) -> str:
    """Give the statements that make a user for etlkit alone.

    Args:
        account: the user that is used now; the new one connects from the same host.
        database: where the user may do something.
        name: the user's name.
        privileges: what the user may do.

    Returns:
        The statements.
    """
    new = attrs.evolve(account, user=name if account.user != name else f"{name}2")
    return f"CREATE USER {new.sql} IDENTIFIED BY 'a long password'; {grant(privileges, new, database)}"


def _mysql_text(text: str) -> str:
    return str(literal(text).compile(dialect=_MYSQL, compile_kwargs={"literal_binds": True}))
