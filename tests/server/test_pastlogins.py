"""
Tests for L{mailauth.server.pastlogins}.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import execute
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.credentials import LoginContext, UsernamePassword
from mailauth.errors import InvalidCredentials
from mailauth.server.audit import LoginLog
from mailauth.server.pastlogins import BLOCK, LoginSearch, PastLogin, PastLogins

from .deployment import makeDirectory

NOW = 1_800_000_000.0
ANY = LoginSearch()


class PastLoginsTests(SynchronousTestCase):
    """
    The log, read from its end.
    """

    def setUp(self) -> None:
        """
        A file that is not there yet.
        """
        self.path = makeDirectory(self) / "logins.jsonl"
        self.past = PastLogins(self.path, execute)

    def write(self, *lines: Any) -> None:
        """
        Write a file of these lines: texts as they are, others as the log has them.
        """
        texts = [each if isinstance(each, str) else json.dumps(each) for each in lines]
        self.path.write_text("".join(f"{text}\n" for text in texts), "utf-8")

    def line(self, number: int, **fields: Any) -> dict[str, Any]:
        """
        A login, so many seconds after now.
        """
        time = datetime.fromtimestamp(NOW + number, UTC).isoformat(timespec="milliseconds")
        return {"time": time, "login": "accepted", "number": number, **fields}

    def find(
        self, search: LoginSearch = ANY, limit: int = 100, before: int | None = None
    ) -> tuple[PastLogin, ...]:
        """
        What is found.
        """
        return self.successResultOf(self.past.find(search, limit, before))

    def numbers(self, search: LoginSearch = ANY, limit: int = 100) -> list[int]:
        """
        The numbers of the logins that are found.
        """
        return [login.fields["number"] for login in self.find(search, limit)]

    def test_written(self) -> None:
        """
        What the log of the logins wrote is read, with its time.
        """
        clock = Clock()
        log = LoginLog(self.path, clock.callLater, lambda: NOW + 0.5)
        context = LoginContext("imap", "192.0.2.1", True)
        credentials = UsernamePassword("J\u00fcrgen".encode(), b"a guess", context)
        log.record(credentials, None, InvalidCredentials("wrong"), 0.1)
        log.record(credentials, "juergen", None, 0.1)
        log.close()

        accepted, refused = self.find()

        self.assertEqual(NOW + 0.5, refused.time)
        self.assertEqual(
            ("refused", "J\u00fcrgen", "imap"),
            tuple(refused.fields[name] for name in ("login", "name", "service")),
        )
        self.assertEqual("juergen", accepted.fields["account"])

    def test_nothing(self) -> None:
        """
        Where no file is, or an empty one, nobody has logged in.
        """
        self.assertEqual((), self.find())
        self.write()
        self.assertEqual((), self.find())

    def test_pages(self) -> None:
        """
        Each login is on one page, the last first, also if others log in meanwhile or the file is
        another by then.
        """
        self.write(*map(self.line, range(10)))
        first = self.find(limit=4)
        with self.path.open("a") as file:
            file.write(json.dumps(self.line(10)) + "\n")

        second = self.find(limit=4, before=first[-1].offset)
        third = self.find(limit=4, before=second[-1].offset)

        numbers = [login.fields["number"] for login in (*first, *second, *third)]
        self.assertEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], numbers)
        self.write(self.line(20))
        self.assertEqual(20, self.find(before=10**6)[0].fields["number"])

    def test_large(self) -> None:
        """
        A file of many blocks is read to its beginning, and no line is cut between two.
        """
        count = 3 * BLOCK // 100
        self.write(*(self.line(number, name="x" * (number % 50)) for number in range(count)))

        self.assertEqual([*range(count)][::-1], self.numbers(limit=count + 1))

    def test_foreignLines(self) -> None:
        """
        Lines that are no logins are left out, whatever they are; they hide no others.
        """
        self.write(
            self.line(0),
            "",
            "not JSON",
            "[]",
            "7",
            {"time": "2027-01-15T08:00:00+00:00", "lost": 3},
            {"time": "soon", "login": "accepted"},
            {"time": 7, "login": "accepted"},
            self.line(1, name="y" * 3 * BLOCK),
            self.line(2),
        )
        with self.path.open("ab") as file:
            file.write(b'{"time": "2027-01-15T08:00:09+00:00", "log\xff')

        self.assertEqual([2, 0], self.numbers())

    def test_search(self) -> None:
        """
        Logins are found by what is asked for, all of it.
        """
        alice = "alice@example.test"
        self.write(
            self.line(0, account=alice, peer="192.0.2.1"),
            self.line(1, name="Alice@Example.test", login="refused", reason="Wrong"),
            self.line(2, account="bob@example.test"),
            self.line(3),
        )

        for search, expected in (
            (LoginSearch(account=alice), [1, 0]),
            (LoginSearch(account=alice, outcome="refused"), [1]),
            (LoginSearch(outcome="accepted"), [3, 2, 0]),
            (LoginSearch(since=NOW + 2), [3, 2]),
            (LoginSearch(until=NOW + 2), [1, 0]),
            (LoginSearch(word="192.0.2"), [0]),
            (LoginSearch(word="WRONG"), [1]),
            (LoginSearch(word="none"), []),
        ):
            self.assertEqual(expected, self.numbers(search), search)

    @given(st.lists(st.integers(0, 2 * BLOCK), max_size=8))
    def test_anyLengths(self, lengths: list[int]) -> None:
        """
        However long the lines are, those that are ours are found, in order.
        """
        lines = [self.line(number, name="x" * length) for number, length in enumerate(lengths)]
        self.write(*lines)

        ours = [line["number"] for line in lines if len(json.dumps(line)) < BLOCK]
        found = self.numbers()
        self.assertEqual(sorted(found, reverse=True), found)
        self.assertLessEqual(frozenset(ours), frozenset(found))
