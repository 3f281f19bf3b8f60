"""
Mailboxes on a real file system, and connections to them without sockets or threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.mail.pop3 import POP3
from mailauth.server.mailbox.imap4 import MailboxIMAP4Server
from mailauth.server.mailbox.mailboxes import Mailboxes
from mailauth.server.mailbox.pop3 import openPOP3Mailbox

from ...mail.wires import TLSCapableTransport

ALICE = "alice@example.test"
NOW = 1_800_000_000.25


def makeDirectory(test: SynchronousTestCase) -> Path:
    """
    A directory that lasts as long as the test.
    """
    directory = TemporaryDirectory()
    test.addCleanup(directory.cleanup)
    return Path(directory.name)


def makeMailboxes(root: Path, inThread: Callable[..., Any] = execute) -> Mailboxes:
    """
    Mailboxes in a directory, used in the thread of the test.
    """
    return Mailboxes(root, inThread, lambda: NOW, "host.test")


class Connection:
    """
    Somebody who is logged in, and types.
    """

    def __init__(self, server: Any, avatar: Any) -> None:
        self.server = server
        self.clock = Clock()
        self.transport = TLSCapableTransport()
        server.callLater = self.clock.callLater
        server.makeConnection(self.transport)
        server.login.succeeded = True
        server.loginSucceeded(avatar)
        self.transport.clear()

    def say(self, octets: bytes) -> bytes:
        """
        Send octets, and return what comes.
        """
        self.transport.clear()
        self.server.dataReceived(octets)
        return bytes(self.transport.value())

    def heard(self) -> bytes:
        """
        What came since, unasked.
        """
        octets = bytes(self.transport.value())
        self.transport.clear()
        return octets

    def readSlowly(self, seconds: int) -> Iterator[bytes]:
        """
        Read what comes, each time only after so many seconds.
        """
        while self.transport.unsent:
            self.clock.pump([1] * seconds)
            yield self.heard()
            self.transport.drain()
        yield self.heard()

    def do(self, command: bytes) -> bytes:
        """
        A command of one line.
        """
        return self.say(b"a " + command + b"\r\n")


class ParlourTestCase(SynchronousTestCase):
    """
    A test with alice's mail.
    """

    def setUp(self) -> None:
        self.root = makeDirectory(self)
        self.mailboxes = makeMailboxes(self.root)
        self.inbox = self.root / ALICE

    def deliver(self, content: bytes, name: str = ALICE) -> None:
        """
        Deliver to the inbox.
        """
        self.successResultOf(self.mailboxes.deliver(name, content))

    def imap(self, readOnly: bool = False, select: str | None = "INBOX") -> Connection:
        """
        Open an IMAP connection.
        """
        connection = Connection(MailboxIMAP4Server(), self.mailboxes.account(ALICE, readOnly))
        if select:
            connection.do(b"SELECT " + select.encode("ascii"))
        return connection

    def pop3(self, readOnly: bool = False) -> Connection:
        """
        Open a POP3 connection.
        """
        account = self.mailboxes.account(ALICE, readOnly)
        return Connection(
            POP3(), self.successResultOf(Deferred.fromCoroutine(openPOP3Mailbox(account)))
        )
