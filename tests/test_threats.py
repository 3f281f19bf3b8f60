"""
The list of threats and what names them.
"""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

TESTS = Path(__file__).parent
ROOT = TESTS.parent

# As the list has them in its first column.
ROW = re.compile(r"^\| ([A-Z]{1,2}[0-9]{1,2}) \|", re.MULTILINE)
NAMED = re.compile(r"\b(?:W|SA|PW|TK|CS|LG|DS|WB|OA|S)[0-9]{1,2}\b")


def namedIn(directory: Path) -> set[str]:
    """
    The ids that the modules below a directory name.
    """
    modules = (path for path in directory.rglob("*.py") if path != Path(__file__))
    return {name for path in modules for name in NAMED.findall(path.read_text("utf-8"))}


class ThreatsTests(SynchronousTestCase):
    """
    C{docs/threats.md}.
    """

    def setUp(self) -> None:
        """
        Read it.
        """
        rows = ROW.findall((ROOT / "docs" / "threats.md").read_text("utf-8"))
        self.listed = set(rows)
        self.assertEqual(len(rows), len(self.listed))

    def test_everyIdIsListed(self) -> None:
        """
        Whoever reads an id in the code finds it in the list.
        """
        self.assertEqual(set(), (namedIn(TESTS) | namedIn(ROOT / "mailauth")) - self.listed)

    def test_everyThreatHasATest(self) -> None:
        """
        No row is a mere promise.
        """
        suites = namedIn(TESTS) | namedIn(ROOT / "mailauth" / "testing")
        self.assertEqual(set(), self.listed - suites)
