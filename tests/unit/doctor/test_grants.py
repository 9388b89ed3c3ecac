"""What SHOW GRANTS says is read on every server's spelling of it, and judged: SELECT, and nothing else."""

from __future__ import annotations

import pytest

from etlkit.doctor import Finding
from etlkit.doctor.accounts import Account, grant_select, own_user, postgres_name
from etlkit.doctor.grants import Grant, Grants, judge_grants, parse_grants

READER = Account(user="reader", host="10.0.0.%")
DIGEST = "*667F407DE7C6AD07358FA38DAED7828A72014B4E"
OWN_USER = (
    "Give etlkit a user of its own, and name it with its password in `source.url`: "
    "CREATE USER 'etlkit_reader'@'10.0.0.%' IDENTIFIED BY 'a long password'; "
    "GRANT SELECT ON `clinic\\_1`.* TO 'etlkit_reader'@'10.0.0.%';"
)
GRANT = "GRANT SELECT ON `clinic\\_1`.* TO 'reader'@'10.0.0.%';"


def judged(*lines: str) -> Finding:
    """Judge the reader's grants for the database `clinic_1`."""
    return judge_grants(READER, parse_grants(lines), "clinic_1")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            f"GRANT USAGE ON *.* TO 'reader'@'%' IDENTIFIED BY PASSWORD '{DIGEST}'",
            Grant(privileges=("USAGE",)),
        ),
        (
            f"GRANT ALL PRIVILEGES ON *.* TO `root`@`%` IDENTIFIED BY PASSWORD '{DIGEST}' WITH GRANT OPTION",
            Grant(privileges=("ALL PRIVILEGES",), grantable=True),
        ),
        (
            "GRANT SELECT (`b on *.*`, `a)`), INSERT ON `a``b`.`t.t` TO `reader`@`%`",
            Grant(
                privileges=("SELECT", "INSERT"), on_columns=frozenset({"SELECT"}), database="a`b", table="t.t"
            ),
        ),
        (
            "GRANT INSERT (b on *.*, a) ON `clinic`.`t` TO 'reader'@'%' WITH GRANT OPTION",
            Grant(
                privileges=("INSERT",),
                on_columns=frozenset({"INSERT"}),
                database="clinic",
                table="t",
                grantable=True,
            ),
        ),
        (
            "GRANT BACKUP_ADMIN,REPLICATION CLIENT ON *.* TO `reader`@`%`",
            Grant(privileges=("BACKUP_ADMIN", "REPLICATION CLIENT")),
        ),
        (
            "REVOKE SELECT ON `mysql`.* FROM `reader`@`%`",
            Grant(privileges=("SELECT",), database="mysql", revoked=True),
        ),
        (
            "GRANT SELECT ON `clinic`.* TO `readers`",
            Grant(privileges=("SELECT",), database="clinic", by_role=True),
        ),
    ],
)
def test_a_line_of_show_grants(line: str, expected: Grant) -> None:
    """Rights, columns and names are told apart whatever the names look like; the password's digest is not kept."""
    assert Grants(items=(expected,)) == parse_grants([line])


def test_roles_are_noted_and_what_concerns_no_table_is_left_out() -> None:
    """A role is no right by itself; routines and proxies give no access to tables."""
    lines = [
        "GRANT `readers`@`%` TO `reader`@`%`",
        "GRANT others TO 'reader'@'%'",
        "GRANT PROXY ON ''@'%' TO 'reader'@'%' WITH GRANT OPTION",
        "GRANT EXECUTE ON PROCEDURE `clinic`.`p` TO `reader`@`%`",
        "SET DEFAULT ROLE `readers` FOR `reader`@`%`",
    ]
    assert Grants(roles=("readers@%", "others")) == parse_grants(lines)


@pytest.mark.parametrize(
    "line",
    [
        "GRANT SELECT ON `clinic\\_1`.* TO `reader`@`10.0.0.%`",
        "GRANT SELECT ON `clinic_1`.* TO `reader`@`10.0.0.%`",
        "GRANT SELECT, SHOW VIEW ON `clin%`.* TO `reader`@`10.0.0.%`",
        "GRANT SELECT ON *.* TO `reader`@`10.0.0.%`",
    ],
)
def test_select_on_the_database_is_all_that_is_needed(line: str) -> None:
    """The right may be given on a pattern of names or on every database."""
    expected = Finding(
        section="source",
        check="grants",
        level="ok",
        message="The user `reader`@`10.0.0.%` may SELECT from the database `clinic_1`, and change nothing.",
    )
    assert expected == judged("GRANT USAGE ON *.* TO `reader`@`10.0.0.%`", line)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("GRANT USAGE ON *.* TO `reader`@`10.0.0.%`",),
        ("GRANT SELECT ON `clinic\\_2`.* TO `reader`@`10.0.0.%`",),
        ("GRANT SELECT ON `clinic\\%`.* TO `reader`@`10.0.0.%`",),
        ("GRANT INSERT ON `clinic_1`.* TO `reader`@`10.0.0.%`",),
    ],
)
def test_no_select_is_a_problem(lines: tuple[str, ...]) -> None:
    """Without SELECT on the database, the statement that gives it is told."""
    expected = Finding(
        section="source",
        check="grants",
        level="problem",
        message="The user `reader`@`10.0.0.%` may not SELECT from the database `clinic_1`.",
        remedy=f"Let an administrator run: {GRANT}",
    )
    assert expected == judged(*lines)


@pytest.mark.parametrize(
    ("lines", "excess", "remedy"),
    [
        (("GRANT ALL PRIVILEGES ON *.* TO `reader`@`10.0.0.%`",), "ALL PRIVILEGES on *.*", OWN_USER),
        (("GRANT SELECT, SUPER ON *.* TO `reader`@`10.0.0.%`",), "SUPER on *.*", OWN_USER),
        (
            (
                "GRANT SELECT ON `clinic_1`.* TO `reader`@`10.0.0.%`",
                "GRANT DROP ON `clinic_1`.* TO `writers`",
            ),
            "DROP on `clinic_1`.*",
            OWN_USER,
        ),
        (
            ("GRANT SELECT, INSERT, DELETE ON `clinic_1`.* TO `reader`@`10.0.0.%`",),
            "INSERT, DELETE on `clinic_1`.*",
            "Let an administrator run: REVOKE INSERT, DELETE ON `clinic_1`.* FROM 'reader'@'10.0.0.%';",
        ),
        (
            ("GRANT ALL PRIVILEGES ON `clinic_1`.* TO `reader`@`10.0.0.%` WITH GRANT OPTION",),
            "ALL PRIVILEGES on `clinic_1`.* with GRANT OPTION",
            (
                "Let an administrator run: REVOKE ALL PRIVILEGES ON `clinic_1`.* FROM 'reader'@'10.0.0.%'; "
                f"REVOKE GRANT OPTION ON `clinic_1`.* FROM 'reader'@'10.0.0.%'; {GRANT}"
            ),
        ),
        (
            (
                "GRANT SELECT ON `clinic_1`.* TO `reader`@`10.0.0.%`",
                "GRANT UPDATE ON `other`.`a``b` TO `reader`@`10.0.0.%` WITH GRANT OPTION",
            ),
            "UPDATE on `other`.`a``b` with GRANT OPTION",
            "Let an administrator run: REVOKE UPDATE, GRANT OPTION ON `other`.`a``b` FROM 'reader'@'10.0.0.%';",
        ),
    ],
)
def test_more_than_select_is_a_warning(lines: tuple[str, ...], excess: str, remedy: str) -> None:
    """What is too much is told, and the statements that end it; an account for others too is left as it is."""
    expected = Finding(
        section="source",
        check="grants",
        level="warning",
        message=f"The user `reader`@`10.0.0.%` may do more than SELECT: {excess}.",
        remedy=remedy,
    )
    assert expected == judged(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        ("GRANT SELECT ON `clinic_1`.`patient` TO `reader`@`10.0.0.%`",),
        ("GRANT SELECT (`a`) ON `clinic_1`.`patient` TO `reader`@`10.0.0.%`",),
        (
            "GRANT SELECT ON *.* TO `reader`@`10.0.0.%`",
            "REVOKE SELECT ON `clinic_1`.* FROM `reader`@`10.0.0.%`",
        ),
    ],
)
def test_select_on_a_part_is_a_warning(lines: tuple[str, ...]) -> None:
    """Tables that are not granted are not even seen, which may be meant."""
    expected = Finding(
        section="source",
        check="grants",
        level="warning",
        message="The user `reader`@`10.0.0.%` may SELECT from some tables or columns of the database `clinic_1` "
        "only; the others stay unseen.",
        remedy=f"If that is not meant, let an administrator run: {GRANT}",
    )
    assert expected == judged(*lines)


def test_rights_by_a_role_cannot_be_checked() -> None:
    """A role whose rights the server does not print is a warning, no problem."""
    expected = Finding(
        section="source",
        check="grants",
        level="warning",
        message="The user `reader`@`10.0.0.%` has its rights by the role `readers@%`, and SHOW GRANTS does not say "
        "which these are.",
        remedy=f"Give the right directly, so that it can be checked: {GRANT}",
    )
    assert expected == judged("GRANT `readers`@`%` TO `reader`@`10.0.0.%`")


def test_names_are_quoted() -> None:
    """Users, hosts and names are quoted by the rules of the server that gets the statement."""
    odd = Account.parse("o'b\\r@ien@10.%")
    assert Account(user="o'b\\r@ien", host="10.%") == odd
    assert "GRANT SELECT ON `a``\\%b`.* TO 'o''b\\\\r@ien'@'10.%';" == grant_select(odd, "a`%b")
    assert '"a""b%c"' == postgres_name('a"b%c')


def test_the_new_user_has_another_name() -> None:
    """A user of the proposed name gets a second one proposed."""
    expected = (
        "CREATE USER 'etlkit_reader2'@'%' IDENTIFIED BY 'a long password'; "
        "GRANT SELECT ON `clinic`.* TO 'etlkit_reader2'@'%';"
    )
    assert expected == own_user(Account(user="etlkit_reader", host="%"), "clinic")
