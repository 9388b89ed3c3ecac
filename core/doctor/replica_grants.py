"""What a replica's user may do, judged: everything that a run does in the replica's database, and nothing elsewhere."""

from __future__ import annotations

import re

from etlkit.doctor.accounts import Account, grant, own_user
from etlkit.doctor.checks import REPLICA_GRANTS
from etlkit.doctor.findings import Finding
from etlkit.doctor.grants import EVERYTHING, Grant, Grants, listed, taking_away, told
from etlkit.server_access import REPLICA_RIGHTS

_OWN_USER = "etlkit_replica"
_MANY_NAMES = re.compile(r"(?<!\\)(?:\\\\)*%")


def judge_replica_grants(account: Account, grants: Grants, database: str) -> Finding:
    """Judge what the user may do.

    Args:
        account: the user.
        grants: what it was granted.
        database: the replica's.

    Returns:
        A problem when a right is missing in the database, a warning when the user may change others, or when it is
        not said what it may do.
    """
    missing = _missing(grants, database)
    to_grant = grant(missing, account, database)
    if missing and not grants.roles:
        return REPLICA_GRANTS.problem(
            f"The user {account} may not {', '.join(missing)} in the database `{database}`.",
            f"Let an administrator run: {to_grant}",
        )
    elsewhere = [each for each in grants.items if each.excess and _is_for_others(each, database)]
    if elsewhere:
        shared = any(each.holds_for(database) for each in elsewhere)
        return REPLICA_GRANTS.warning(
            f"The user {account} may do more than write the database `{database}`: {told(elsewhere)}.",
            taking_away(
                account,
                elsewhere,
                setting="replica.url",
                own=own_user(account, database, name=_OWN_USER, privileges=REPLICA_RIGHTS),
                again=grant(REPLICA_RIGHTS, account, database) if shared else "",
            ),
        )
    if missing:
        return REPLICA_GRANTS.warning(
            f"The user {account} has its rights by {listed(grants.roles)}, and SHOW GRANTS does not say which these "
            "are.",
            f"Give the rights directly, so that they can be checked: {to_grant}",
        )
    return REPLICA_GRANTS.ok(
        f"The user {account} may write the database `{database}`, and change nothing elsewhere."
    )


def _missing(grants: Grants, database: str) -> list[str]:
    whole = [each for each in grants.items if each.table is None and each.holds_for(database)]
    given = {name for each in whole if not each.revoked for name in each.privileges}
    taken = {name for each in whole if each.revoked for name in each.privileges}
    return [name for name in REPLICA_RIGHTS if {name, EVERYTHING} & taken or not {name, EVERYTHING} & given]


def _is_for_others(each: Grant, database: str) -> bool:
    """Tell whether a grant concerns other databases; `_` stands for one character, and is hardly ever meant so."""
    if each.database is None or _MANY_NAMES.search(each.database):
        return True
    return not each.holds_for(database)
