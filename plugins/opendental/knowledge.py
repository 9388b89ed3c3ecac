"""What the pack knows, read from the data files beside its modules."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml


def read(file: str) -> Mapping[str, Any]:
    """Read a data file of the pack.

    Args:
        file: its name, such as `role_names.yml`.

    Returns:
        What the file says.
    """
    text = resources.files("etlkit.plugins.opendental").joinpath(file).read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found
