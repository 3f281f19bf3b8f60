"""
Tests of what all commands have in common.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.commands.invocation import cell


class CellTests(SynchronousTestCase):
    """
    L{cell}.
    """

    def test_values(self) -> None:
        """
        A value is written as a person reads it.
        """
        for value, text in (
            (None, "-"),
            (True, "yes"),
            (False, "no"),
            ([], "-"),
            (["imap", "smtp"], "imap,smtp"),
            (7, "7"),
            ("Mütt 2.2", "Mütt 2.2"),
        ):
            self.assertEqual(text, cell(value))

    def test_unprintable(self) -> None:
        """
        What a program calls itself moves no cursor of the administrator's, colours nothing, turns
        no text around and begins no line (LG2).
        """
        for sent in ("\x1b[2J", "\x9b2J", "\r", "\n", "\t", "\x07", "\u202e", "\u2028"):
            for value in (f"Fox{sent}", ["Fox", sent]):
                with self.subTest(repr(value)):
                    self.assertTrue(cell(value).isprintable())
                    self.assertIn("Fox", cell(value))
