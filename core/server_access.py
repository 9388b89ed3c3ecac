"""How a server is reached and on what terms, and what a person is told when it cannot be."""

from __future__ import annotations

from pathlib import Path

import attrs

from etlkit.config.secrets import Secret, scrubbed
from etlkit.config.urls import DatabaseUrl
from etlkit.errors import ConnectionFailed

CONNECT_SECONDS = 30
"""How long a server may take to answer at all; a login takes up to six answers."""

REPLICA_RIGHTS = (
    *("SELECT", "INSERT", "UPDATE", "DELETE"),
    *("CREATE", "DROP", "ALTER", "INDEX", "CREATE TEMPORARY TABLES"),
)
"""What etlkit's user must be allowed in the replica's database, and nowhere else."""


@attrs.frozen(kw_only=True)
class ServerAccess:
    """A server to connect to, and on what terms."""

    section: str
    """The section of `etlkit.yml`, for messages: `source`, `replica` or `warehouse`."""
    url: DatabaseUrl
    """Where it is."""
    password: Secret | None = None
    """The password."""
    insecure: bool = False
    """Whether a connection that leaves this machine may go unencrypted or unverified."""
    ca_file: Path | None = None
    """Who signed the server's certificate; None for whom this machine trusts."""
    statement_seconds: int = 300
    """After how many seconds a source server stops a statement."""
    silence_seconds: int = 60
    """After how many seconds without a sign of life a connection counts as broken."""
    read_only: bool = True
    """Whether a source server shall refuse to write for us."""
    masking_key: Secret | None = None
    """The key that a source's sessions are told; None for none."""

    @property
    def connect_seconds(self) -> int:
        """How long the server may take to answer while a connection is made."""
        return min(CONNECT_SECONDS, self.silence_seconds)

    @property
    def tls_required(self) -> bool:
        """Whether the connection must be encrypted and the certificate valid for the host."""
        if self.insecure or self.url.socket is not None:
            return False
        return self.ca_file is not None or not self.url.is_local

    def refused(self, sentence: str, said: object = "") -> ConnectionFailed:
        """Word why there is no connection.

        Args:
            sentence: one of the sentences of this module.
            said: what the server or the system said, for a sentence that repeats it.

        Returns:
            The error to raise; raise it outside of an `except`, so that nothing chains to the driver's own.
        """
        text = sentence.format(
            place=self.url.place,
            section=self.section,
            user=f"`{self.url.user}`" if self.url.user else "of this process",
            database=f"`{self.url.database}`",
            with_password="with this password" if self.password else "without a password",
            said=said,
        )
        return ConnectionFailed(
            scrubbed(f"{self.section}: {text}", self.password),
            transient=sentence in _PASSING,
            fatal=sentence not in _SOMETIMES,
        )


def keepalives(silence_seconds: int) -> dict[str, int]:
    """Choose when the system asks a silent peer whether it is there, so that it is given up in time.

    Args:
        silence_seconds: when a connection without a sign of life counts as broken.

    Returns:
        `idle` and `interval` in seconds, and `count`.
    """
    return {"idle": max(1, silence_seconds // 2), "interval": max(1, silence_seconds // 6), "count": 3}


UNKNOWN_HOST = "the host of {place} is not known; correct `{section}.url`"
NO_ANSWER = "no server answers at {place} ({said}); start it, or correct `{section}.url`"
BROKEN_OFF = (
    "{place} broke the connection while it was being set up, or is another kind of server; try again, or correct "
    "`{section}.url`"
)
ANOTHER_SERVER = "what answers at {place} is another kind of server; correct `{section}.url`"
BAD_CERTIFICATE = (
    "the certificate of {place} is not valid ({said}); name who signed it by `ca_file` below `{section}`, "
    "and the host as the certificate does"
)
NO_CA_FILE = "the file named by `ca_file` below `{section}` holds no certificates that can be read"
NO_COMMON_CIPHER = "{place} and this machine share no way to encrypt ({said}); update the server's TLS"
UNENCRYPTED = (
    "{place} does not encrypt; set up TLS on the server, or write `insecure: true` below `{section}` if the "
    "network between is yours"
)
LOGIN_NEEDS_TLS = (
    "{place} wants a login method that needs an encrypted connection; set up TLS on the server, or use its "
    "unix socket"
)
WANTS_TLS = "{place} accepts encrypted connections only, and offers none that this machine can use"
WRONG_USER = "{place} refuses the user {user} {with_password}; correct `{section}.url`"
WRONG_MACHINE = "{place} accepts no connection of the user {user} from this machine; allow it on the server"
NO_DATABASE = "{place} has no database {database}; correct `{section}.url`"
CLOSED_DATABASE = "{place} lets the user {user} not use the database {database}; grant the right to"
FULL = "{place} has no connection left; try again later"
BUSY = "{place} is starting or stopping; try again in a minute"
TOO_OLD = "{place} is version {said}; MySQL 5.6.5 and MariaDB 10.3 are the oldest that etlkit reads"
OTHER = "{place} refuses the connection ({said})"

_SOMETIMES = frozenset({BROKEN_OFF, FULL, BUSY})
# A server that restarts answers nothing for a while, and the name of a host may be asked for in vain meanwhile.
_PASSING = _SOMETIMES | {NO_ANSWER, UNKNOWN_HOST}
