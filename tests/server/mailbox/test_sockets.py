"""
The mailbox over real sockets, with real threads and somebody else's clients.
"""

from __future__ import annotations

import imaplib
import poplib
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor as anyReactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThreadPool
from twisted.mail.interfaces import IAccountIMAP
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from mailauth.mail.pop3 import POP3
from mailauth.sasl.plain import PLAIN
from mailauth.server.mailbox.imap4 import MailboxIMAP4Server
from mailauth.server.mailbox.mailboxes import Mailboxes
from mailauth.server.mailbox.pop3 import openPOP3Mailbox

from .parlour import ALICE, makeDirectory
from .test_imap4 import MULTIPART, SIMPLE

reactor: Any = anyReactor


@implementer(IRealm)
class MailboxRealm:
    """
    Everybody has a mailbox.
    """

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        """
        See L{IRealm.requestAvatar}.
        """
        account = self._mailboxes.account(avatarId.decode("utf-8"))
        if IAccountIMAP in interfaces:
            return IAccountIMAP, account, lambda: None
        opening = Deferred.fromCoroutine(openPOP3Mailbox(account))
        return opening.addCallback(lambda mailbox: (interfaces[0], mailbox, lambda: None))


class SocketTests(TestCase):
    """
    imaplib and poplib.
    """

    timeout = 30

    def setUp(self) -> None:
        self.pool = ThreadPool(1, 8)
        self.pool.start()
        self.addCleanup(self.pool.stop)
        self.mailboxes = Mailboxes(makeDirectory(self), self.inThread)
        self.portal = Portal(
            MailboxRealm(self.mailboxes),
            [InMemoryUsernamePasswordDatabaseDontUse(**{ALICE: b"secret"})],
        )
        self.imapPort = self.listen(partial(MailboxIMAP4Server, [PLAIN]))
        self.popPort = self.listen(partial(POP3, [PLAIN]))

    def inThread(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """
        Call it in a thread of the pool.
        """
        return deferToThreadPool(reactor, self.pool, call, *arguments)

    def listen(self, make: Callable[[], Any]) -> int:
        """
        Listen until the test is over.
        """

        def build() -> Any:
            protocol = make()
            protocol.portal = self.portal
            protocol.insecureLoopback = True
            return protocol

        port = reactor.listenTCP(0, Factory.forProtocol(build), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port
        return number

    def imap(self) -> imaplib.IMAP4:
        """
        An imaplib connection; to be called in a thread.
        """
        client = imaplib.IMAP4("127.0.0.1", self.imapPort)
        client.login(ALICE, "secret")
        return client

    async def test_imaplib(self) -> None:
        """
        imaplib lists, reads, searches, marks, copies, appends and expunges.
        """
        for content in (SIMPLE, MULTIPART):
            await self.mailboxes.deliver(ALICE, content)

        def session() -> list[Any]:
            with self.imap() as client:
                client.create('"A b"')
                return [
                    client.list()[1],
                    client.select()[1],
                    client.fetch("1:2", "(RFC822.SIZE BODY.PEEK[])")[1],
                    client.uid("SEARCH", "SUBJECT", '"parts"')[1],
                    client.store("1", "+FLAGS", r"(\Deleted)")[1],
                    client.copy("2", '"A b"')[0],
                    client.append('"A b"', r"(\Flagged)", "", SIMPLE)[0],
                    client.status('"A b"', "(MESSAGES UNSEEN)")[1],
                    client.expunge()[1],
                    client.noop()[0],
                    client.close()[0],
                ]

        listed, count, fetched, found, stored, *others = await self.inThread(session)

        self.assertEqual([b'(\\HasNoChildren) "/" "A b"', b'(\\HasNoChildren) "/" "INBOX"'], listed)
        self.assertEqual([b"2"], count)
        self.assertEqual([SIMPLE, MULTIPART], [part[1] for part in fetched if len(part) == 2])
        self.assertEqual([b"2"], found)
        self.assertEqual([rb"1 (FLAGS (\Deleted \Recent))"], stored)
        self.assertEqual(["OK", "OK", [b'"A b" (MESSAGES 2 UNSEEN 2)'], [b"1"], "OK", "OK"], others)

    async def test_poplib(self) -> None:
        """
        poplib lists, reads and deletes.
        """
        for content in (SIMPLE, MULTIPART):
            await self.mailboxes.deliver(ALICE, content)

        def session() -> tuple[Any, ...]:
            client = poplib.POP3("127.0.0.1", self.popPort)
            client.user(ALICE)
            client.pass_("secret")
            _, lines, _ = client.retr(1)
            answer = client.stat(), lines, client.dele(1), client.quit()
            again = poplib.POP3("127.0.0.1", self.popPort)
            again.user(ALICE)
            again.pass_("secret")
            left = again.stat()
            again.quit()
            return (*answer, left)

        before, lines, _, _, after = await self.inThread(session)

        self.assertEqual((2, len(SIMPLE) + len(MULTIPART)), before)
        self.assertEqual(SIMPLE, b"".join(line + b"\r\n" for line in lines))
        self.assertEqual((1, len(MULTIPART)), after)

    async def test_together(self) -> None:
        """
        Deliveries and several connections at once: every message has one UID, the same for
        everybody, and none is lost.
        """
        deliveries = [self.mailboxes.deliver(ALICE, b"%d" % number) for number in range(60)]

        def poll() -> dict[bytes, bytes]:
            seen: dict[bytes, bytes] = {}
            with self.imap() as client:
                client.select()
                while len(seen) < 60:
                    client.noop()
                    for part in client.fetch("1:*", "(UID BODY.PEEK[])")[1]:
                        if isinstance(part, tuple):
                            [uid] = re.findall(rb"UID (\d+)", part[0])
                            self.assertEqual(part[1], seen.setdefault(uid, part[1]))
                client.store("1:*", "+FLAGS", r"(\Seen)")
            return seen

        first, second = await gatherResults([self.inThread(poll), self.inThread(poll)])

        await gatherResults(deliveries)
        self.assertEqual(first, second)
        self.assertEqual({b"%d" % number for number in range(60)}, set(first.values()))
