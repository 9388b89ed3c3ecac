"""Secrets: texts that a program may use, and that no log, error or debugger's listing may show."""

from __future__ import annotations

import hmac
from typing import Never


class Secret:
    """A text that shows itself only to who asks for it by `reveal()`.

    It is not an attrs class on purpose: `attrs.asdict` would hand the text out.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself; keep it out of names that live long.

        Returns:
            The secret.
        """
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> Never:
        raise TypeError("a secret is not written into pickles; resolve it where it is used")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self


class PluginOption(Secret):
    """A text that a person gives to a plugin: written plainly or as a reference, and a secret for all that is known."""

    __slots__ = ()


def scrubbed(text: str, *secrets: Secret | None) -> str:
    """Take secrets out of a text that another program wrote, such as a server's refusal.

    Args:
        text: what may hold a secret.
        secrets: what must not be in the result; None is passed over.

    Returns:
        The text with each secret replaced by `***`.
    """
    for secret in secrets:
        if secret is not None and secret.reveal():
            text = text.replace(secret.reveal(), "***")
    return text
