"""Encryption that is taken when a server offers it, and nothing is compared: one context serves all connections.

PyMySQL would read all certificate authorities of this machine anew for each connection, and then ask none of them.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING, Any

import pymysql

if TYPE_CHECKING:
    _Connection = pymysql.connections.Connection[Any]
else:  # only the type information calls it generic
    _Connection = pymysql.connections.Connection


class PreferringConnection(_Connection):
    """PyMySQL's connection; where its caller names no terms of encryption, it has none of its own to look up."""

    # PyMySQL keeps the method to itself; there is no other way to prefer encryption without asking for it.
    def _create_ssl_ctx(self, sslp: ssl.SSLContext | dict[str, Any]) -> ssl.SSLContext:
        if sslp:
            context: ssl.SSLContext = super()._create_ssl_ctx(sslp)  # type: ignore[misc]
            return context
        return _comparing_nothing()


@cache
def _comparing_nothing() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
