"""
Tests for L{mailauth.server.audit}.
"""

from __future__ import annotations

import json
import resource
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.credentials import (
    BearerToken,
    DelegatedPassword,
    LoginContext,
    UsernamePassword,
)
from mailauth.errors import InvalidCredentials, InvalidToken, Outage
from mailauth.interfaces import IAudit
from mailauth.server.audit import DELAY, MAX_LINES, MAX_VALUE, LoginLog

SECRET = "planted-secret-48151623"
CONTEXT = LoginContext("imap", "192.0.2.1", True, "Mail 1.0")


class LoginLogTests(SynchronousTestCase):
    """
    The file in which every login is a line.
    """

    def setUp(self) -> None:
        """
        A log that is not there yet.
        """
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name) / "logins.jsonl"
        self.clock = Clock()
        self.log = LoginLog(self.path, self.clock.callLater, lambda: 1_000_000_000.25)

    def lines(self) -> list[dict[str, Any]]:
        """
        What is in the file, once everything is written.
        """
        self.log.close()
        return [json.loads(line) for line in self.path.read_text("ascii").splitlines()]

    def test_interface(self) -> None:
        """
        It is an L{IAudit}.
        """
        verifyObject(IAudit, self.log)

    def test_accepted(self) -> None:
        """
        A login that is accepted is a line that says who, where from and by what.
        """
        credentials = BearerToken(SECRET.encode(), b"Alice@example.test", CONTEXT)

        self.log.record(credentials, "alice@example.test", None, 0.00123)

        self.assertEqual(
            [
                {
                    "time": "2001-09-09T01:46:40.250+00:00",
                    "login": "accepted",
                    "service": "imap",
                    "account": "alice@example.test",
                    "name": "Alice@example.test",
                    "peer": "192.0.2.1",
                    "secure": True,
                    "mailClient": "Mail 1.0",
                    "by": "BearerToken",
                    "ms": 1.2,
                }
            ],
            self.lines(),
        )

    def test_verdicts(self) -> None:
        """
        A refusal, an outage and a failure nobody expected are told apart, with their reasons.
        """
        credentials = UsernamePassword(b"alice", SECRET.encode(), CONTEXT)

        for error in (InvalidCredentials("wrong"), Outage("no store"), KeyError(SECRET)):
            self.log.record(credentials, None, error, 0)

        said = [(line["login"], line["error"], line.get("reason")) for line in self.lines()]
        self.assertEqual(
            [
                ("refused", "InvalidCredentials", "wrong"),
                ("undecided", "Outage", "no store"),
                ("undecided", "KeyError", None),
            ],
            said,
        )

    def test_noSecret(self) -> None:
        """
        No secret that was presented is written (LG1).
        """
        for credentials in (
            BearerToken(SECRET.encode(), None, CONTEXT),
            UsernamePassword(b"alice", SECRET.encode(), CONTEXT),
            DelegatedPassword(b"alice", SECRET.encode(), b"bob", CONTEXT),
        ):
            self.log.record(credentials, None, InvalidToken(), 0)
            self.log.record(credentials, None, ValueError(SECRET), 0)
            self.log.record(credentials, "alice", None, 0)

        self.assertEqual(9, len(self.lines()))
        self.assertNotIn(SECRET, self.path.read_text())

    def test_unprintable(self) -> None:
        """
        Line ends, escapes and characters that turn the text around stay escaped, and none is lost
        (LG2).
        """
        name = "a\r\n\x1b[2J\x00\u2028\u202e\u0085{line}"
        context = LoginContext("imap", None, True, name)

        self.log.record(UsernamePassword(name.encode(), b"", context), None, None, 0)

        [line] = self.lines()
        self.assertEqual([name, name], [line["name"], line["mailClient"]])
        self.assertTrue(self.path.read_text("ascii").removesuffix("\n").isprintable())

    def test_megabyte(self) -> None:
        """
        Of a megabyte of name 256 octets are written (LG2).
        """
        for name in ("x" * 2**20, "é" * 2**19):
            context = LoginContext("imap", None, True, name)
            credentials = UsernamePassword(name.encode(), b"", context)

            self.log.record(credentials, None, InvalidCredentials(name), 0)

            line = self.lines()[-1]
            cut = name.encode()[:MAX_VALUE].decode()
            self.assertEqual({cut}, {line[field] for field in ("name", "mailClient", "reason")})

    @given(st.binary(max_size=2000), st.text(max_size=2000))
    def test_anyName(self, name: bytes, mailClient: str) -> None:
        """
        Whatever a name holds, it is one line of ASCII, and not a long one (LG2).
        """
        self.path.unlink(missing_ok=True)
        context = LoginContext("imap", None, True, mailClient)

        self.log.record(UsernamePassword(name, b"", context), None, None, 0)
        lines = self.lines()

        self.assertEqual(1, len(lines))
        self.assertLess(self.path.stat().st_size, 2 * 6 * MAX_VALUE + 500)

    def test_writtenTogether(self) -> None:
        """
        Lines wait for each other for a moment, and no timer is left when nothing waits.
        """
        credentials = UsernamePassword(b"alice", b"", CONTEXT)
        self.log.record(credentials, None, None, 0)
        self.log.record(credentials, None, None, 0)
        self.assertFalse(self.path.exists())

        self.clock.advance(DELAY)

        self.assertEqual(2, len(self.path.read_text().splitlines()))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_ownersAlone(self) -> None:
        """
        The file is for its owner alone, and a symbolic link is not followed (CS13).
        """
        self.log.record(UsernamePassword(b"alice", b"", CONTEXT), None, None, 0)
        self.log.close()
        self.assertEqual(0o600, stat.S_IMODE(self.path.stat().st_mode))
        target = self.path.with_name("elsewhere")
        self.path.unlink()
        self.path.symlink_to(target)

        with capturedLogs():
            self.log.record(UsernamePassword(b"alice", b"", CONTEXT), None, None, 0)
            self.log.close()

        self.assertFalse(target.exists())

    def test_rotated(self) -> None:
        """
        Whoever rotates the log only has to rename it.
        """
        credentials = UsernamePassword(b"alice", b"", CONTEXT)
        self.log.record(credentials, None, None, 0)
        self.log.close()
        old = self.path.rename(self.path.with_suffix(".1"))

        self.log.record(credentials, None, None, 0)

        self.assertEqual(1, len(self.lines()))
        self.assertEqual(1, len(old.read_text().splitlines()))

    def test_unwritable(self) -> None:
        """
        What cannot be written is lost, counted, and said in the server's log once; the count is
        written as soon as there is room (LG4).
        """
        credentials = UsernamePassword(b"alice", b"", CONTEXT)
        self.path.mkdir()

        with capturedLogs() as events:
            for _ in range(3):
                self.log.record(credentials, None, None, 0)
                self.log.record(credentials, None, None, 0)
                self.clock.advance(DELAY)
        self.path.rmdir()
        self.log.record(credentials, None, None, 0)

        self.assertEqual([LogLevel.error], [event["log_level"] for event in events])
        self.assertEqual([None, 6], [line.get("lost") for line in self.lines()])

    def test_tooMany(self) -> None:
        """
        No more lines wait than there may; those beyond are counted (LG4).
        """
        credentials = UsernamePassword(b"alice", b"", CONTEXT)

        for _ in range(MAX_LINES + 5):
            self.log.record(credentials, None, None, 0)

        lines = self.lines()
        self.assertEqual(MAX_LINES + 1, len(lines))
        self.assertEqual(5, lines[-1]["lost"])

    def test_halfALine(self) -> None:
        """
        A disk that is full in the middle of a line leaves no half of one behind (B6).
        """
        credentials = UsernamePassword(b"alice", b"", CONTEXT)
        # The limit is on every file of the process, and trial writes one, too.
        self.path.write_bytes(b" " * 2**26)
        self.log.record(credentials, None, None, 0)
        self.log.close()
        size = self.path.stat().st_size
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)

        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limits[1]))
        try:
            with capturedLogs():
                self.log.record(credentials, None, None, 0)
                self.log.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

        self.assertEqual(size, self.path.stat().st_size)
        self.log.record(credentials, None, None, 0)
        self.assertEqual([None, None, 1], [line.get("lost") for line in self.lines()])
