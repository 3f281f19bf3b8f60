"""
Tests of reading tables.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.toml import ConfigurationError, Mistake, Table, parseDuration, parseSize

from .deployment import makeDirectory


class TableTests(SynchronousTestCase):
    """
    What a key may hold.
    """

    def setUp(self) -> None:
        """
        No mistakes yet.
        """
        self.mistakes: list[Mistake] = []

    def read(self, text: str, directory: Path = Path("/etc/mailauth")) -> Table:
        """
        A document.
        """
        return Table(tomllib.loads(text), self.mistakes, "", directory)

    def said(self) -> list[str]:
        """
        The mistakes so far.
        """
        return [str(mistake) for mistake in self.mistakes]

    def refuses(
        self, method: Callable[[Table, str], Any], values: list[str], default: Any, says: str
    ) -> None:
        """
        Each of the values is a mistake that is named, says what may stand there, and leaves the
        default.
        """
        for value in values:
            self.mistakes.clear()

            answer = method(self.read(f"[outer]\nkey = {value}").table("outer"), "key")

            self.assertEqual(answer, default)
            [mistake] = self.mistakes
            self.assertEqual(mistake.key, "outer.key")
            held = repr(tomllib.loads(f"key = {value}")["key"])[:80]
            self.assertEqual(mistake.says, f"holds {held}; it may hold {says}")

    def test_text(self) -> None:
        """
        A text is a string that is not empty.
        """
        self.assertEqual(self.read("key = 'x'").text("key", "y"), "x")
        self.assertEqual(self.read("").text("key", "y"), "y")
        self.assertEqual(self.mistakes, [])
        values = ["''", "3", "true", "['x']", "{}"]
        self.refuses(
            lambda table, key: table.text(key, "y"), values, "y", "a text that is not empty"
        )

    def test_required(self) -> None:
        """
        A text that has to be there is named where it is missing.
        """
        self.assertEqual(self.read("key = 'x'").required("key"), "x")
        self.assertEqual(self.mistakes, [])

        self.assertEqual(self.read("").required("key"), "")

        self.assertEqual(self.said(), ["key: is missing"])

    def test_choice(self) -> None:
        """
        A choice is one of the strings that may stand there.
        """
        self.assertEqual(self.read("key = 'web'").choice("key", ["web", "all"], "all"), "web")
        self.assertEqual(self.read("").choice("key", ["web", "all"], None), None)
        self.refuses(
            lambda table, key: table.choice(key, ["web", "all"], "all"),
            ["'Web'", "''", "1", "['web']"],
            "all",
            'one of "web", "all"',
        )

    def test_texts(self) -> None:
        """
        Several texts may be a list, and one need not be.
        """
        self.assertEqual(self.read("key = 'x'").texts("key"), ("x",))
        self.assertEqual(self.read("key = ['x', 'y']").texts("key"), ("x", "y"))
        self.assertEqual(self.read("key = []").texts("key", ["z"]), ())
        self.assertEqual(self.read("").texts("key", ["z"]), ("z",))
        self.refuses(
            lambda table, key: table.texts(key, ["z"]),
            ["3", "''", "['x', 3]", "['']", "{}"],
            ("z",),
            "a text that is not empty, or a list of them",
        )

    def test_boolean(self) -> None:
        """
        A number is no truth value.
        """
        self.assertIs(self.read("key = true").boolean("key", False), True)
        self.assertIs(self.read("").boolean("key", False), False)
        self.refuses(
            lambda table, key: table.boolean(key, False), ["1", "'true'"], False, "true or false"
        )

    def test_integer(self) -> None:
        """
        A whole number has bounds, which are allowed themselves, and a truth value is none.
        """
        for number in (4, 9, 14):
            self.assertEqual(self.read(f"key = {number}").integer("key", 12, 4, 14), number)
        self.assertEqual(self.read("").integer("key", 12, 4, 14), 12)
        self.refuses(
            lambda table, key: table.integer(key, 12, 0, 14),
            ["-1", "15", "true", "4.0", "'4'", "1" + "0" * 400],
            12,
            "a whole number from 0 to 14",
        )

    def test_seconds(self) -> None:
        """
        A time is a number of seconds, or has a unit, and has bounds.
        """
        for text, seconds in (("60", 60.0), ("'60'", 60.0), ("'90 s'", 90.0), ("'1h'", 3600.0)):
            self.assertEqual(self.read(f"key = {text}").seconds("key", 5, 60, 3600), seconds)
        self.assertEqual(self.read("").seconds("key", 5, 60, 3600), 5)
        self.refuses(
            lambda table, key: table.seconds(key, 5, 60, 3600),
            ["59", "'2h'", "'1y'", "'h'", "''", "true", "[60]", "nan", "inf", "1" + "0" * 400],
            5.0,
            'a time such as "90s", "15m", "1h" or "30d", from 60 to 3600',
        )

    def test_octets(self) -> None:
        """
        A size is a number of octets, or has a unit, decimal or binary, and has bounds.
        """
        for text, octets in (("5000", 5000), ("'5kB'", 5000), ("'5KiB'", 5120)):
            size = self.read(f"key = {text}").octets("key", 1, 5000, 6000)
            self.assertEqual((size, type(size)), (octets, int))
        self.refuses(
            lambda table, key: table.octets(key, 1, 5000, 6000),
            ["4999", "'6001'", "'5kb'", "'-5kB'", "'5 000'", "false"],
            1,
            'a size such as "500kB", "50MB" or "1GiB", from 5000 to 6000',
        )

    def test_path(self) -> None:
        """
        A relative file name is relative to the directory of the configuration.
        """
        self.assertEqual(
            self.read("key = 'keys/a.pem'").path("key"), Path("/etc/mailauth/keys/a.pem")
        )
        self.assertEqual(self.read("key = '/srv/a.pem'").path("key"), Path("/srv/a.pem"))
        self.assertEqual(self.read("").path("key", Path("/x")), Path("/x"))
        self.refuses(
            lambda table, key: table.path(key),
            ["''", "1", '"a\\u0000b"'],
            None,
            "the name of a file",
        )

    def test_file(self) -> None:
        """
        A file has to be one that can be read, and if it is not the reason is said.
        """
        directory = makeDirectory(self)
        (directory / "there").touch()
        table = self.read("a = 'there'\nb = 'gone'\nc = '.'", directory)

        found = [table.file(key) for key in ("a", "b", "c", "d")]

        self.assertEqual(found, [directory / "there", None, None, None])
        self.assertEqual(
            self.said(),
            [
                f"b: cannot read {directory}/gone: No such file or directory",
                f"c: cannot read {directory}: Is a directory",
            ],
        )

    def test_tables(self) -> None:
        """
        A table that is missing is empty, and one that is no table is a mistake.
        """
        table = self.read("[a.b]\nkey = 'x'\n[a]\nc = 3")

        inner = table.tables("a")

        self.assertEqual(inner["b"].text("key"), "x")
        self.assertIsNone(inner["c"].text("key"))
        self.assertEqual(table.tables("z"), {})
        self.assertEqual(self.said(), ["a.c: holds 3; it may hold a table"])

    def test_finish(self) -> None:
        """
        A key that nobody asked for is a mistake, with the key that it looks like.
        """
        table = self.read("[outer]\nhostnam = 'x'\ndatabase = 3").table("outer")
        table.text("hostname")

        table.finish()

        self.assertEqual(
            self.said(),
            [
                "outer.hostnam: is not a key here; did you mean hostname?",
                "outer.database: is not a key here",
            ],
        )


class UnitTests(SynchronousTestCase):
    """
    Durations and sizes.
    """

    def test_durations(self) -> None:
        """
        Each unit is what people take it for.
        """
        said = {"7": 7, "7s": 7, "7m": 420, "7h": 25200, "7d": 604800}
        self.assertEqual({text: parseDuration(text) for text in said}, said)

    def test_sizes(self) -> None:
        """
        Each unit is what people take it for.
        """
        said = {
            "7": 7,
            "7kB": 7000,
            "7KiB": 7168,
            "7MB": 7_000_000,
            "7MiB": 7_340_032,
            "7GB": 7_000_000_000,
            "7GiB": 7_516_192_768,
        }
        self.assertEqual({text: parseSize(text) for text in said}, said)

    def test_units(self) -> None:
        """
        A unit that is none is answered with those there are.
        """
        error = self.assertRaises(ValueError, parseDuration, "3 weeks")
        self.assertEqual(str(error), "a number with one of the units s, m, h, d")

    @given(st.text())
    def test_anyText(self, text: str) -> None:
        """
        Any text is a duration or a ValueError.
        """
        try:
            self.assertGreaterEqual(parseDuration(text), 0)
        except ValueError:
            pass


class ConfigurationErrorTests(SynchronousTestCase):
    """
    All mistakes in one exception.
    """

    def test_text(self) -> None:
        """
        Each mistake is a line that begins with its key.
        """
        error = ConfigurationError([Mistake("a.b", "is missing"), Mistake("c", "is odd")])

        self.assertEqual(str(error), "a.b: is missing\nc: is odd")
        self.assertEqual([mistake.key for mistake in error.mistakes], ["a.b", "c"])
