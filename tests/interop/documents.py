"""
The configurations of other people's servers that the documentation prints. Owns how they are found
there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"

_BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocksOf(document: str, heading: str) -> list[str]:
    """
    What is in the code blocks of a section.

    @param document: the name of a file.
    @param heading: of the section, without its signs.
    """
    _, found, rest = (DOCS / document).read_text("utf-8").partition(f"## {heading}\n")
    assert found, heading
    # A single sign begins a comment in a block.
    section, *_ = re.split(r"^##+ ", rest, maxsplit=1, flags=re.MULTILINE)
    return _BLOCK.findall(section)


def filledIn(text: str, replacements: Mapping[str, str]) -> str:
    """
    A block with what is ours in the places of what the document made up.
    """
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text
