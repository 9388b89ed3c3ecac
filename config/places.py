"""Where a value stands in a file, for problems that are found after the file was read."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from etlkit.config.structure import quoted
from etlkit.config.yaml_reader import Block, Listing, Node, Scalar, read_yaml
from etlkit.errors import ConfigurationError


@attrs.frozen(kw_only=True)
class Place:
    """Where a value stands."""

    line: int | None = None
    """Its line, from 1; None when the file does not write it down."""
    reference: str | None = None
    """The name of the variable it comes from; None when the file itself holds it."""

    def shown(self, value: str) -> str:
        """Word the value, unless it comes from a variable or may be something else in the wrong place.

        Args:
            value: the value that a problem is about.

        Returns:
            Words for a message.
        """
        return quoted(value) if self.reference is None else f"the value of `${{{self.reference}}}`"


def place_of(file: Path, *keys: str | int) -> Place:
    """Find a value in a file that was read before.

    Args:
        file: the file; it is read once more.
        *keys: of mappings by name, of lists by number.

    Returns:
        The place; one that is not known where the file cannot be read any more or does not hold the value.
    """
    try:
        node: Node = read_yaml(file)
    except ConfigurationError:
        return Place()
    line = None
    for key in keys:
        if isinstance(node, Block) and key in node.entries:
            line = node.key_lines[str(key)]
            node = node.entries[str(key)]
        elif isinstance(node, Listing) and isinstance(key, int) and key < len(node.items):
            node = node.items[key]
            line = node.line
        else:
            return Place()
    reference = re.search(r"\$\{(\w+)\}", node.text) if isinstance(node, Scalar) else None
    return Place(line=line, reference=reference[1] if reference else None)
