"""Why a MySQL or MariaDB server could not be connected to, in the sentences of `etlkit.server_access`."""

from __future__ import annotations

import socket
import ssl

import pymysql
from pymysql.constants import CR, ER

from etlkit import server_access as access

_SENTENCES = {
    CR.CR_SSL_CONNECTION_ERROR: access.UNENCRYPTED,
    CR.CR_SERVER_GONE_ERROR: access.BROKEN_OFF,
    CR.CR_SERVER_LOST: access.BROKEN_OFF,
    ER.ACCESS_DENIED_ERROR: access.WRONG_USER,
    1698: access.WRONG_USER,  # ER_ACCESS_DENIED_NO_PASSWORD_ERROR, which PyMySQL does not name
    ER.DBACCESS_DENIED_ERROR: access.CLOSED_DATABASE,
    ER.BAD_DB_ERROR: access.NO_DATABASE,
    ER.CON_COUNT_ERROR: access.FULL,
    ER.TOO_MANY_USER_CONNECTIONS: access.FULL,
    ER.USER_LIMIT_REACHED: access.FULL,
    ER.HOST_NOT_PRIVILEGED: access.WRONG_MACHINE,
    ER.HOST_IS_BLOCKED: access.WRONG_MACHINE,
    3159: access.WANTS_TLS,  # ER_SECURE_TRANSPORT_REQUIRED
}


def sentence_for(error: Exception) -> tuple[str, str]:
    """Choose the sentence for a driver's error, and what of it may be repeated.

    Args:
        error: PyMySQL's, or Python's.

    Returns:
        One of the sentences of `etlkit.server_access`, and what it repeats.
    """
    original = getattr(error, "original_exception", None)
    if isinstance(original, OSError):
        return _network_sentence(original)
    if isinstance(error, RuntimeError):  # PyMySQL wants the package cryptography for a login without TLS
        return access.LOGIN_NEEDS_TLS, ""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if not code and isinstance(error, pymysql.InternalError):
        return access.ANOTHER_SERVER, ""
    if code in _SENTENCES:
        return _SENTENCES[code], ""
    return access.OTHER, f"{code}: {error.args[1]}" if code and error.args[1:] else type(error).__name__


def _network_sentence(error: OSError) -> tuple[str, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return access.BAD_CERTIFICATE, error.verify_message.rstrip(".")
    if isinstance(error, ssl.SSLError):
        return access.NO_COMMON_CIPHER, error.reason or "no reason given"
    if isinstance(error, socket.gaierror):
        return access.UNKNOWN_HOST, ""
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return access.BROKEN_OFF, ""  # who breaks a connection off was there to answer
    said = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or "no answer"
    return access.NO_ANSWER, said.lower()
