"""What a source's user may do, read from SHOW GRANTS and judged: SELECT on the database, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import attrs

from etlkit.doctor.accounts import Account, grant_select, mysql_name, own_user, revoke
from etlkit.doctor.checks import GRANTS
from etlkit.doctor.findings import Finding

EVERYTHING = "ALL PRIVILEGES"
"""What stands for all rights at once."""
READING = frozenset({"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES"})
"""Rights that change nothing and show nothing but the data and its definition."""

_COLUMN_LIST = re.compile(r"(?<=[A-Z]) \((?:`(?:[^`]|``)*`|[^`)])*\)")
_NAME = r"(?:\*|`(?:[^`]|``)*`)"
_RIGHTS = re.compile(
    rf"(?P<verb>GRANT|REVOKE) (?P<privileges>[A-Z_, *]+?) ON (?:TABLE )?(?P<database>{_NAME})\.(?P<table>{_NAME})"
    r" (?:TO|FROM) (?P<to>\S.*)"
)
_ROLE = re.compile(r"GRANT (?P<roles>.+?) TO ")
_COLUMNS_ONLY = "*"


@attrs.frozen(kw_only=True)
class Grant:
    """Rights on one thing."""

    privileges: tuple[str, ...]
    """Such as `SELECT`, in the server's order."""
    on_columns: frozenset[str] = frozenset()
    """Those of them that hold for some columns only."""
    database: str | None = None
    """The database's name or a pattern of names, as it was granted; None for every database."""
    table: str | None = None
    """The table; None for every table."""
    grantable: bool = False
    """Whether the user may give the rights to others."""
    revoked: bool = False
    """Whether these rights are taken out of wider ones (MySQL 8's partial revokes)."""
    by_role: bool = False
    """Whether the user has them by a role."""

    @property
    def excess(self) -> tuple[str, ...]:
        """The rights that etlkit has no use for."""
        if self.revoked:
            return ()
        return tuple(each for each in self.privileges if each not in READING)

    @property
    def on(self) -> str:
        """What the rights are on, quoted."""
        if self.database is None:
            return "*.*"
        return f"{mysql_name(self.database)}.{'*' if self.table is None else mysql_name(self.table)}"

    def holds_for(self, database: str) -> bool:
        """Tell whether the grant concerns a database, wholly or in part.

        Args:
            database: its name.
        """
        return self.database is None or bool(re.fullmatch(_pattern(self.database), database, re.DOTALL))

    def lets_select(self) -> bool:
        """Tell whether SELECT is among the rights."""
        return "SELECT" in self.privileges or EVERYTHING in self.privileges


@attrs.frozen(kw_only=True)
class Grants:
    """All that a user was granted."""

    items: tuple[Grant, ...] = ()
    """Rights on databases and tables."""
    roles: tuple[str, ...] = ()
    """Roles, as the server prints them; their own rights may not be among the items."""


def parse_grants(lines: Iterable[str]) -> Grants:
    """Read the lines of SHOW GRANTS.

    Args:
        lines: as the server prints them; older servers print the digest of the password, which is not kept.

    Returns:
        What they say; rights on routines and proxies, which give no access to tables, are left out.
    """
    items: list[Grant] = []
    roles: list[str] = []
    for line in lines:
        # The names of columns are not needed, and could look like anything.
        plain = _COLUMN_LIST.sub(f" {_COLUMNS_ONLY}", line)
        found = _RIGHTS.match(plain)
        if found is not None:
            items.append(_grant(found))
        elif " ON " not in plain and (role := _ROLE.match(plain)):
            roles.append(role["roles"].replace("`", "").replace("'", ""))
    return Grants(items=tuple(items), roles=tuple(roles))


def judge_grants(account: Account, grants: Grants, database: str) -> Finding:
    """Judge what the user may do.

    Args:
        account: the user.
        grants: what it was granted.
        database: the database to read.

    Returns:
        A problem when the database cannot be read, a warning when it can be read only in part, or when the user
        may do more than read.
    """
    here = [grant for grant in grants.items if grant.holds_for(database) and grant.lets_select()]
    whole = [grant for grant in here if grant.table is None and not grant.revoked]
    if not here and not grants.roles:
        return GRANTS.problem(
            f"The user {account} may not SELECT from the database `{database}`.",
            f"Let an administrator run: {grant_select(account, database)}",
        )
    excessive = [grant for grant in grants.items if grant.excess]
    if excessive:
        everything = any(EVERYTHING in grant.excess and grant.holds_for(database) for grant in excessive)
        return GRANTS.warning(
            f"The user {account} may do more than SELECT: {told(excessive)}.",
            taking_away(
                account,
                excessive,
                setting="source.url",
                own=own_user(account, database),
                again=grant_select(account, database) if everything else "",
            ),
        )
    if any(grant.revoked for grant in here) or (here and not whole):
        return GRANTS.warning(
            f"The user {account} may SELECT from some tables or columns of the database `{database}` only; the "
            "others stay unseen.",
            f"If that is not meant, let an administrator run: {grant_select(account, database)}",
        )
    if not whole:
        return GRANTS.warning(
            f"The user {account} has its rights by {listed(grants.roles)}, and SHOW GRANTS does not say which "
            "these are.",
            f"Give the right directly, so that it can be checked: {grant_select(account, database)}",
        )
    return GRANTS.ok(f"The user {account} may SELECT from the database `{database}`, and change nothing.")


def _grant(found: re.Match[str]) -> Grant:
    names = [each.strip() for each in found["privileges"].split(",")]
    privileges = [each.removesuffix(f" {_COLUMNS_ONLY}") for each in names]
    return Grant(
        privileges=tuple(privileges),
        on_columns=frozenset(
            plain for plain, each in zip(privileges, names, strict=True) if each.endswith(_COLUMNS_ONLY)
        ),
        database=_name(found["database"]),
        table=_name(found["table"]),
        grantable=found["to"].endswith("WITH GRANT OPTION"),
        revoked=found["verb"] == "REVOKE",
        by_role="@" not in found["to"],
    )


def _name(printed: str) -> str | None:
    return None if printed == "*" else printed[1:-1].replace("``", "`")


def _pattern(name: str) -> str:
    """Turn a pattern of databases (`%` any text, `_` any character, a backslash before themselves) into ours."""
    parts = re.findall(r"\\.|.", name, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(each) or re.escape(each[-1]) for each in parts)


def told(excessive: Iterable[Grant]) -> str:
    """Say which rights are too many.

    Args:
        excessive: grants with such rights.

    Returns:
        The rights and what they are on.
    """
    return "; ".join(
        f"{', '.join(grant.excess)} on {grant.on}{' with GRANT OPTION' if grant.grantable else ''}"
        for grant in excessive
    )


def taking_away(account: Account, excessive: Sequence[Grant], *, setting: str, own: str, again: str) -> str:
    """Say how a user comes to fewer rights: an account that serves others too is left as it is.

    Args:
        account: the user.
        excessive: grants with rights that are too many.
        setting: which of `etlkit.yml` names the user.
        own: statements that make a user for etlkit alone.
        again: the statement that gives what is needed and was taken away with the rest; empty when nothing was.

    Returns:
        What to do.
    """
    if any(grant.database is None or grant.by_role or grant.on_columns for grant in excessive):
        return f"Give etlkit a user of its own, and name it with its password in `{setting}`: {own}"
    statements: list[str] = []
    for grant in excessive:
        option = ["GRANT OPTION"] if grant.grantable and EVERYTHING not in grant.excess else []
        statements.append(revoke([*grant.excess, *option], grant.on, account))
        if grant.grantable and not option:
            statements.append(revoke(["GRANT OPTION"], grant.on, account))
    return f"Let an administrator run: {' '.join([*statements, *filter(None, [again])])}"


def listed(roles: Sequence[str]) -> str:
    """List roles.

    Args:
        roles: their names.
    """
    return ", ".join(f"the role `{role}`" for role in roles)
