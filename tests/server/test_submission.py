"""
L{mailauth.server.submission}, with the server that speaks to the client.
"""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv6Address
from twisted.internet.defer import Deferred, execute, fail
from twisted.internet.interfaces import ISSLTransport
from twisted.mail.interfaces import IMessageDelivery, IMessageSMTP
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides
from zope.interface.verify import verifyObject

from mailauth.errors import Outage
from mailauth.mail.smtp import ESMTP
from mailauth.server.mailbox.mailboxes import Mailboxes
from mailauth.server.submission import LocalMessage, Submission, SubmissionService
from mailauth.stores.memory import MemoryAccounts
from mailauth.stores.memoryaliases import MemoryAliases
from mailauth.stores.records import Account, Alias

from .mailbox.parlour import NOW, Connection, makeDirectory

ALICE = "alice@example.test"
BOB = "bob@example.test"

LINES = st.lists(
    st.binary(max_size=30).map(lambda line: re.sub(rb"[\r\n\x00]", b"", line))
    | st.sampled_from([b".", b"..", b".x", b""]),
    max_size=15,
)


def descriptors() -> int:
    """
    How many files this process has open.
    """
    return len(list(Path("/proc/self/fd").iterdir()))


class FailingAccounts(MemoryAccounts):
    """
    A store that can be out of reach.
    """

    reachable = True

    def get(self, name: str) -> Deferred[Account | None]:
        """
        See L{IAccounts.get<mailauth.interfaces.IAccounts.get>}.
        """
        return super().get(name) if self.reachable else fail(Outage("no store"))


class SubmissionTestCase(SynchronousTestCase):
    """
    A test with alice, who sends.
    """

    def setUp(self) -> None:
        self.root = makeDirectory(self)
        self.diskError: OSError | None = None
        self.accounts = FailingAccounts()
        for name in (ALICE, BOB):
            self.successResultOf(self.accounts.add(Account(name)))
        self.aliases = MemoryAliases(self.accounts)
        self.service = SubmissionService(
            self.accounts,
            self.aliases,
            Mailboxes(self.root, self.inThread, lambda: NOW, "host.test"),
            "mail.example.test",
            lambda: NOW,
        )

    def inThread(self, call: Any, *arguments: Any) -> Deferred[Any]:
        """
        Use the disk, if it works.
        """
        if self.diskError is not None:
            return fail(self.diskError)
        return execute(call, *arguments)

    def addAlias(self, address: str, account: str) -> None:
        """
        Give an account another address.
        """
        self.successResultOf(self.aliases.add(Alias(address, account)))

    def connect(self, readOnly: bool = False) -> Connection:
        """
        Alice's mail client, logged in.
        """
        connection = Connection(ESMTP(), Submission(self.service, ALICE, readOnly))
        connection.say(b"EHLO laptop\r\n")
        return connection

    def send(self, connection: Connection, *lines: bytes, to: str = BOB) -> bytes:
        """
        Send a message.

        @return: the answer to its end.
        """
        connection.say(b"MAIL FROM:<alice@example.test>\r\n")
        connection.say(b"RCPT TO:<%b>\r\n" % to.encode("ascii"))
        self.assertEqual(b"354", connection.say(b"DATA\r\n")[:3])
        stuffed = (b"." + line if line.startswith(b".") else line for line in lines)
        return connection.say(b"".join(line + b"\r\n" for line in (*stuffed, b".")))

    def inbox(self, name: str = BOB) -> list[bytes]:
        """
        What was delivered.
        """
        new = self.root / name / "new"
        return [path.read_bytes() for path in sorted(new.iterdir())] if new.exists() else []


class EnvelopeTests(SubmissionTestCase):
    """
    Who may send as whom, and to whom.
    """

    def test_interfaces(self) -> None:
        """
        The interfaces of twisted.mail are kept.
        """
        message = LocalMessage(self.service.mailboxes)
        self.addCleanup(message.connectionLost)

        self.assertTrue(verifyObject(IMessageDelivery, Submission(self.service, ALICE)))
        self.assertTrue(verifyObject(IMessageSMTP, message))

    def test_sender(self) -> None:
        """
        Everybody sends as himself, whatever the spelling, and as nobody else.
        """
        for sender, code in (
            (b"<alice@example.test>", b"250 "),
            (b"<Alice@EXAMPLE.test>", b"250 "),
            (b"<bob@example.test>", b"550 5.7.1 "),
            (b"<alice@other.test>", b"550 5.7.1 "),
            (b"<alice@example.test.>", b"550 5.7.1 "),
            (b"<>", b"550 5.7.1 "),
        ):
            answer = self.connect().say(b"MAIL FROM:" + sender + b"\r\n")
            self.assertEqual(code, answer[: len(code)], sender)

    def test_readOnly(self) -> None:
        """
        A credential that may only read sends nothing (PW12).
        """
        answer = self.connect(readOnly=True).say(b"MAIL FROM:<alice@example.test>\r\n")

        self.assertEqual(b"550 5.7.1 This password may read mail and not send it\r\n", answer)

    def test_recipients(self) -> None:
        """
        Accounts that are here get mail; nobody else does, here or elsewhere.
        """
        connection = self.connect()
        connection.say(b"MAIL FROM:<alice@example.test>\r\n")

        for recipient, code in (
            (b"<bob@example.test>", b"250 "),
            (b"<BOB@Example.Test>", b"250 "),
            (b"<carol@example.test>", b"550 5.1.1 "),
            (b"<bob@elsewhere.test>", b"550 5.1.1 "),
            (b"<bob@example.test@elsewhere.test>", b"553 5.1.3 "),
        ):
            answer = connection.say(b"RCPT TO:" + recipient + b"\r\n")
            self.assertEqual(code, answer[: len(code)], recipient)

    def test_aliases(self) -> None:
        """
        Everybody sends as any of his aliases, and as nobody else's; they receive, too.
        """
        self.addAlias("info@example.test", ALICE)
        self.addAlias("sales@example.test", BOB)
        connection = self.connect()

        for line, code in (
            (b"MAIL FROM:<sales@example.test>", b"550 5.7.1 "),
            (b"MAIL FROM:<Info@Example.test>", b"250 "),
            (b"RCPT TO:<SALES@example.test>", b"250 "),
            (b"RCPT TO:<info@example.test>", b"250 "),
            (b"RCPT TO:<infos@example.test>", b"550 5.1.1 "),
        ):
            answer = connection.say(line + b"\r\n")
            self.assertEqual(code, answer[: len(code)], line)

    def test_aliasOutage(self) -> None:
        """
        A store that cannot be reached refuses nobody an alias.
        """
        self.addAlias("info@example.test", ALICE)
        self.accounts.reachable = False

        answer = self.connect().say(b"MAIL FROM:<info@example.test>\r\n")

        self.assertEqual(b"451 4.3.0 ", answer[:10])

    def test_outage(self) -> None:
        """
        A store that cannot be reached is no unknown account.
        """
        self.accounts.reachable = False
        connection = self.connect()
        connection.say(b"MAIL FROM:<alice@example.test>\r\n")

        answer = connection.say(b"RCPT TO:<bob@example.test>\r\n")

        self.assertEqual(b"451 4.3.0 ", answer[:10])


class MessageTests(SubmissionTestCase):
    """
    The message itself.
    """

    def test_delivered(self) -> None:
        """
        The message is in the recipient's inbox, behind its trace headers (RFC 5321 section 4.4,
        RFC 3848).
        """
        answer = self.send(self.connect(), b"Subject: x", b"", b"body")

        self.assertEqual(b"250 ", answer[:4])
        self.assertEqual(
            [
                b"Return-Path: <alice@example.test>\r\n"
                b"Received: from laptop ([192.168.1.1])\r\n"
                b"\t(authenticated as alice@example.test)\r\n"
                b"\tby mail.example.test with ESMTPA\r\n"
                b"\tfor <bob@example.test>;\r\n"
                b"\tFri, 15 Jan 2027 08:00:00 -0000\r\n"
                b"Subject: x\r\n\r\nbody\r\n"
            ],
            self.inbox(),
        )

    def test_overTLS(self) -> None:
        """
        A private connection is named as one.
        """
        connection = self.connect()
        directlyProvides(connection.transport, ISSLTransport)

        self.send(connection, b"Subject: x")

        self.assertIn(b" with ESMTPSA\r\n", self.inbox()[0])

    def test_overIPv6(self) -> None:
        """
        An IPv6 address is written as RFC 5321 section 4.1.3 has it.
        """
        connection = Connection(ESMTP(), Submission(self.service, ALICE))
        connection.transport.peerAddr = IPv6Address("TCP", "2001:db8::1", 49152)
        connection.say(b"EHLO laptop\r\n")

        self.send(connection, b"Subject: x")

        self.assertIn(b"\r\nReceived: from laptop ([IPv6:2001:db8::1])\r\n", self.inbox()[0])

    def test_trickyName(self) -> None:
        """
        What the client calls itself writes no header (W9).
        """
        connection = self.connect()
        connection.say(b"EHLO a)(;x\x0bBcc:y\r\n")
        connection.say(b"EHLO a)(;x<>\r\n")

        self.send(connection, b"Subject: x")

        self.assertIn(b"from a???x?? ([", self.inbox()[0])

    @given(LINES)
    def test_unchanged(self, lines: list[bytes]) -> None:
        """
        The lines of the message are stored as they were sent, whatever dots they begin with (W8).
        """
        before = len(self.inbox())
        sent = [b"Subject: x", *lines]

        self.assertEqual(b"250 ", self.send(self.connect(), *sent)[:4])

        stored = self.inbox()[before:]
        self.assertEqual(1, len(stored))
        self.assertTrue(stored[0].endswith(b"\r\n".join([b" -0000", *sent, b""])))

    def test_severalRecipients(self) -> None:
        """
        Each recipient has a copy that names him alone.
        """
        connection = self.connect()
        connection.say(b"MAIL FROM:<alice@example.test>\r\n")
        for recipient in (b"alice", b"bob"):
            connection.say(b"RCPT TO:<%b@example.test>\r\n" % recipient)

        connection.say(b"DATA\r\n")
        answer = connection.say(b"Subject: x\r\n\r\n.\r\n")

        self.assertEqual(b"250 ", answer[:4])
        [alices], [bobs] = self.inbox(ALICE), self.inbox(BOB)
        self.assertIn(b"for <alice@", alices)
        self.assertNotIn(b"for <alice@", bobs)

    def begin(self, *recipients: str) -> Connection:
        """
        As far as DATA.
        """
        connection = self.connect()
        connection.say(b"MAIL FROM:<alice@example.test>\r\n")
        for recipient in recipients:
            connection.say(b"RCPT TO:<%b>\r\n" % recipient.encode("ascii"))
        self.assertEqual(b"354", connection.say(b"DATA\r\n")[:3])
        return connection

    def test_twice(self) -> None:
        """
        A recipient who is named twice, in whatever spelling or by an alias, gets one copy.
        """
        self.addAlias("sales@example.test", BOB)
        connection = self.begin(BOB, "Bob@EXAMPLE.test", ALICE, BOB, "sales@example.test")

        connection.say(b"Subject: x\r\n\r\n.\r\n")

        self.assertEqual((1, 1), (len(self.inbox(ALICE)), len(self.inbox(BOB))))

    def test_manyRecipients(self) -> None:
        """
        However many recipients a message has, it is kept once while it comes in, and takes one
        descriptor.
        """
        names = [f"r{number}@example.test" for number in range(100)]
        for name in names:
            self.successResultOf(self.accounts.add(Account(name)))
        connection = self.begin(*names)
        before = descriptors()
        line = b"x" * 10_000 + b"\r\n"

        connection.say(b"Subject: x\r\n\r\n" + line * 30)

        self.assertLessEqual(descriptors(), before + 1)
        self.assertEqual(b"250 ", connection.say(b".\r\n")[:4])
        self.assertLessEqual(descriptors(), before)
        for name in names:
            [copy] = self.inbox(name)
            trace, _, content = copy.partition(b"Subject: x\r\n\r\n")
            self.assertIn(b"\tfor <%b>;\r\n" % name.encode("ascii"), trace)
            self.assertEqual(line * 30, content)

    def test_someFail(self) -> None:
        """
        If one copy cannot be stored, the client is told to send the message again; those who come
        behind the failure get their copy only then.
        """
        names = [f"r{number}@example.test" for number in range(4)]
        for name in names:
            self.successResultOf(self.accounts.add(Account(name)))
        (self.root / names[1]).write_bytes(b"in the way")

        answer = self.begin(*names).say(b"Subject: x\r\n\r\n.\r\n")

        self.assertEqual(b"451 4.3.0 ", answer[:10])
        (self.root / names[1]).unlink()
        answer = self.begin(*names).say(b"Subject: x\r\n\r\n.\r\n")
        self.assertEqual(b"250 ", answer[:4])
        self.assertEqual([2, 1, 1, 1], [len(self.inbox(name)) for name in names])

    def test_notText(self) -> None:
        """
        A bare CR or LF, or a NUL, is refused at the end of the message, and nothing is stored
        (W7, W8).
        """
        for line in (b"a\rb", b"a\nb", b"a\x00b", b"\n.\n", b"\r.\r"):
            self.assertRegex(self.send(self.connect(), b"Subject: x", line), rb"^5\d\d 5\.6\.0 ")
        self.assertEqual([], self.inbox())

    def test_tooLarge(self) -> None:
        """
        More octets than are allowed are refused, and nothing is stored.
        """
        connection = self.connect()
        connection.server.MAX_MESSAGE = 1000

        self.assertEqual(b"552 5.3.4 ", self.send(connection, *[b"x" * 90] * 12)[:10])

        self.assertEqual([], self.inbox())

    def test_diskFails(self) -> None:
        """
        What is not on disk is not acknowledged: the client keeps it.
        """
        connection = self.connect()
        for code, answer in ((errno.EIO, b"451 4.3.0 "), (errno.ENOSPC, b"452 4.3.1 ")):
            self.diskError = OSError(code, "failed")
            self.assertEqual(answer, self.send(connection, b"Subject: x")[:10])

        self.diskError = None
        self.assertEqual(b"250 ", self.send(connection, b"Subject: x")[:4])
        self.assertEqual(1, len(self.inbox()))

    def test_lost(self) -> None:
        """
        A message whose end never came is nowhere.
        """
        connection = self.connect()
        connection.say(b"MAIL FROM:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n")
        connection.say(b"Subject: x\r\n\r\n")

        connection.server.connectionLost()

        self.assertEqual([], self.inbox())
        self.assertEqual([], list(Path(self.root).iterdir()))
