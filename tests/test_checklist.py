"""
The acceptance list and what names it.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from .checklist import BEGIN, END, STANDARDS, findTests, readSections, writeTables

# Those that have to have a test. The authorization server's, 33 to 95, join when it is there.
REQUIRED = frozenset(range(1, 96))

MODULE = '''
class ThingTests:
    """
    Not the docstring of a test (O 1).
    """

    def test_one(self):
        """
        A behaviour (TK1; O 2, O
        3).
        """
        # Nor is this (O 4).

    async def test_other(self):
        """
        Another (O 2).
        """

    def setUp(self):
        """
        No test (O 5).
        """
'''


class ChecklistTests(SynchronousTestCase):
    """
    C{tests/checklist.toml} and C{docs/standards.md}.
    """

    def setUp(self) -> None:
        """
        Read them, and the tests.
        """
        sections = readSections().values()
        self.listed = [number for cases in sections for number in cases]
        self.tests = findTests()

    def test_numbers(self) -> None:
        """
        The cases are counted without a gap.
        """
        self.assertEqual(list(range(1, 111)), self.listed)

    def test_everyCaseHasATest(self) -> None:
        """
        Whatever is claimed is shown.
        """
        self.assertEqual(set(), REQUIRED - self.tests.keys())

    def test_everyNumberIsACase(self) -> None:
        """
        Whoever reads a number in a test finds it in the list.
        """
        self.assertEqual(set(), self.tests.keys() - set(self.listed))

    def test_tablesAreFresh(self) -> None:
        """
        The document says what the tests say: else C{make standards} was forgotten.
        """
        text = STANDARDS.read_text("utf-8")

        self.assertIn(BEGIN, text)
        self.assertIn(END, text)
        self.assertTrue(writeTables(text, self.tests) == text, "run 'make standards'")

    def test_docstrings(self) -> None:
        """
        A test names its cases in its docstring, wherever the line breaks, and nothing else does.
        """
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        package = Path(directory.name) / "tests" / "oauth"
        package.mkdir(parents=True)
        (package / "test_thing.py").write_text(MODULE, "utf-8")

        one, other = (f"oauth.test_thing.ThingTests.test_{name}" for name in ("one", "other"))
        self.assertEqual({2: [one, other], 3: [one]}, findTests(Path(directory.name)))
