"""Whether somebody on the way to a server could read along."""

from __future__ import annotations

from etlkit.config.urls import DatabaseUrl
from etlkit.doctor.findings import Check, Finding


def judge_encryption(check: Check, url: DatabaseUrl, cipher: str, *, insecure: bool) -> Finding:
    """Judge a connection that was made.

    A connection that leaves this machine without encryption is only made when `insecure: true` allows it.

    Args:
        check: the source's or the warehouse's.
        url: where the server is.
        cipher: how the connection is encrypted; empty when it is not.
        insecure: whether the configuration asks for no encryption, or for none that is verified.

    Returns:
        A warning when somebody could read along, or pose as the server.
    """
    if url.socket is not None:
        return check.ok("The connection is a unix socket, which nobody can overhear.")
    if url.is_local:
        how = f"encrypted ({cipher})" if cipher else "not encrypted"
        return check.ok(f"The connection does not leave this machine; it is {how}.")
    remedy = (
        f"Set up TLS on the server and remove `insecure` below `{check.section}` in etlkit.yml (`ca_file` names who "
        "signed the server's certificate); leave it only if the network between is yours."
    )
    if not cipher:
        return check.warning(f"The connection to {url.place} is not encrypted.", remedy)
    if insecure:
        return check.warning(
            f"The connection to {url.place} is encrypted ({cipher}), but nobody checks whether it is that server.",
            remedy,
        )
    return check.ok(f"The connection is encrypted ({cipher}), and the server's certificate is valid.")
