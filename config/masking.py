"""The section `masking`: which columns are masked without naming each, and the key of keyed conversions."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import attrs

from etlkit.config.passwords import secret_in_file, secret_of_command
from etlkit.config.secrets import Secret
from etlkit.errors import ConfigurationError

SHORTEST_KEY = 32
"""Characters that a masking key must have at least: who can guess it can guess what was masked."""


@attrs.frozen(kw_only=True)
class MaskingSettings:
    """How values that identify people are kept from leaving the source."""

    preset: Literal["hipaa_safe_harbor"] | None = None
    """Rules by which columns are masked that `tables` does not decide about; by default there are none."""
    key: Secret | None = None
    """The key of `hmac` and `date_shift`, as a reference to the environment such as `"${ETLKIT_MASKING_KEY}"`."""
    key_file: Path | None = None
    """A file with the key, readable by its owner only; beside `etlkit.yml` when the path is relative."""
    key_command: str | None = None
    """A command whose first line of output is the key; run without a shell."""


def masking_key(settings: MaskingSettings) -> Secret | None:
    """Find the masking key.

    Args:
        settings: the section.

    Returns:
        The key from the environment, the file or the command; None when none of them is given.

    Raises:
        ConfigurationError: the file cannot be read or is open to others, the command gave no key, or it is short.
    """
    key, where = settings.key, "`masking.key`"
    if settings.key_file is not None:
        where = "`masking.key_file`"
        key = secret_in_file(settings.key_file, where)
    elif settings.key_command is not None:
        where = "`masking.key_command`"
        key = secret_of_command(settings.key_command, where)
    if key is not None and len(key.reveal()) < SHORTEST_KEY:
        raise ConfigurationError(
            f"{where} gives a key of fewer than {SHORTEST_KEY} characters, which could be guessed; make one with "
            "`openssl rand -hex 32`"
        )
    return key
