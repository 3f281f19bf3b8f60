"""
The three mail servers over opaque tokens of any length, which no authorization server makes on
demand. Owns their sockets, and what arrived at them.

They are put together as an embedder would put them together, with mailboxes that really deliver.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import time
from typing import Any

from twisted.cred.credentials import ICredentials
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.threads import deferToThread
from twisted.mail.interfaces import IAccountIMAP, IMailboxPOP3, IMessageDelivery
from zope.interface import implementer

from mailauth.checkers import AppPasswordChecker, BearerTokenChecker
from mailauth.credentials import AvatarId
from mailauth.errors import Refusal
from mailauth.interfaces import IMechanism
from mailauth.mail.connection import MailConnection
from mailauth.mail.pop3 import POP3
from mailauth.mail.smtp import ESMTP
from mailauth.mail.waiting import WaitingRoom
from mailauth.passwords import digestAppPassword, makeAppPassword
from mailauth.realm import MailRealm
from mailauth.sasl.mechanism import Challenge
from mailauth.server.certificates import makeCertificates
from mailauth.server.listeners import MailFactory, overTLS
from mailauth.server.mailbox.imap4 import MailboxIMAP4Server
from mailauth.server.mailbox.mailboxes import Mailboxes
from mailauth.server.mailbox.names import accountDirectory
from mailauth.server.mailbox.pop3 import openPOP3Mailbox
from mailauth.server.submission import Submission, SubmissionService
from mailauth.server.tls import ReloadableContext
from mailauth.stores.memory import MemoryStores
from mailauth.stores.records import Account, AppPassword
from mailauth.testing.tokens import MemoryTokens

from . import ALICE, BOB, HOST


@implementer(IMechanism)
class OverheardMechanism:
    """
    A mechanism that counts what arrives: what a client says that it sent is another thing.

    @ivar prompts: how many exchanges began without an initial response.
    @ivar responses: how many responses came, initial ones and others.
    """

    def __init__(self, mechanism: IMechanism) -> None:
        self._mechanism = mechanism
        self.name = mechanism.name
        self.revealing = mechanism.revealing
        self.prompts = 0
        self.responses = 0

    def step(self, transcript: tuple[bytes, ...]) -> Challenge | ICredentials:
        """
        See L{IMechanism.step}.
        """
        if transcript:
            self.responses += 1
        else:
            self.prompts += 1
        return self._mechanism.step(transcript)

    def refusal(self, error: Refusal, service: str) -> bytes | None:
        """
        See L{IMechanism.refusal}.
        """
        return self._mechanism.refusal(error, service)


class _Tracked(MailConnection):
    """
    A connection that says when it is gone.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.gone: Deferred[None] = Deferred()

    def closed(self) -> None:
        super().closed()
        self.gone.callback(None)


class _TrackedIMAP4(_Tracked, MailboxIMAP4Server):
    pass


class _TrackedESMTP(_Tracked, ESMTP):
    pass


class _TrackedPOP3(_Tracked, POP3):
    pass


_PROTOCOLS: dict[str, Any] = {
    "imap": _TrackedIMAP4,
    "smtp": _TrackedESMTP,
    "pop3": _TrackedPOP3,
}


class OpaqueServer:
    """
    IMAP, SMTP and POP3 with one mechanism, so that a client which could choose has no choice.

    @ivar mechanism: it, and what was heard of it.
    @ivar tokens: who makes the tokens.
    @ivar authority: the file with the certificate to trust.
    @ivar ports: by protocol, and whether TLS is implicit.
    """

    def __init__(self, reactor: Any, directory: Path, mechanism: IMechanism) -> None:
        """
        @param directory: for certificates and mail.
        """
        self.mechanism = OverheardMechanism(mechanism)
        self.tokens = MemoryTokens()
        self.authority = str(directory / "ca.pem")
        self._stores = MemoryStores()
        self._mail = directory / "mail"
        self._mailboxes = Mailboxes(self._mail, deferToThread)
        self._mailboxes.create()
        makeCertificates(directory, [HOST])
        self._tls = ReloadableContext(directory / "server.pem", directory / "server.key")
        self._gone: list[Deferred[None]] = []
        self._listening: list[IListeningPort] = []
        self.ports: dict[tuple[str, bool], int] = {}
        room = WaitingRoom(reactor.callLater)
        portal = self._makePortal()
        for protocol in _PROTOCOLS:
            plain = MailFactory(self._maker(protocol), portal, room, False)
            for implicit in (False, True):
                factory = overTLS(plain, self._tls) if implicit else plain
                port = reactor.listenTCP(0, factory, interface=HOST)
                self._listening.append(port)
                self.ports[protocol, implicit] = port.getHost().port

    async def open(self, message: bytes) -> None:
        """
        Make the accounts.

        @param message: what alice has in her inbox.
        """
        for name in (ALICE, BOB):
            await self._stores.accounts.add(Account(name))
        await self._mailboxes.deliver(ALICE, message)

    async def close(self) -> None:
        """
        Hang up, and wait until everybody has.
        """
        for port in self._listening:
            await maybeDeferred(port.stopListening)
        await gatherResults(self._gone)

    async def makeAppPassword(self, lifetime: float = 900.0) -> str:
        """
        Make an app password of alice's.

        @param lifetime: in seconds; negative for one that has expired.
        """
        secret = makeAppPassword()
        digest = digestAppPassword(secret.encode("ascii"))
        await self._stores.appPasswords.add(
            AppPassword(secret, ALICE, "client", digest, expires=time() + lifetime)
        )
        return secret

    def delivered(self) -> list[bytes]:
        """
        The messages that bob got.
        """
        inbox = self._mail / accountDirectory(BOB) / "new"
        return [path.read_bytes() for path in inbox.glob("*")]

    def _makePortal(self) -> Portal:
        accounts = self._stores.accounts
        submissions = SubmissionService(
            accounts, self._stores.aliases, self._mailboxes, "mail.example.test", time
        )

        def openIMAP(avatarId: AvatarId) -> Any:
            return self._mailboxes.account(avatarId.account), _nothing

        def openPOP3(avatarId: AvatarId) -> Any:
            account = self._mailboxes.account(avatarId.account)
            opened = Deferred.fromCoroutine(openPOP3Mailbox(account))
            return opened.addCallback(lambda mailbox: (mailbox, _nothing))

        def openSMTP(avatarId: AvatarId) -> Any:
            return Submission(submissions, avatarId.account), _nothing

        realm = MailRealm(
            {IAccountIMAP: openIMAP, IMailboxPOP3: openPOP3, IMessageDelivery: openSMTP}
        )
        return Portal(
            realm,
            [
                BearerTokenChecker(self.tokens, accounts),
                AppPasswordChecker(self._stores.appPasswords, accounts),
            ],
        )

    def _maker(self, protocol: str) -> Callable[[], Any]:
        def make() -> Any:
            made = _PROTOCOLS[protocol]([self.mechanism], self._tls)
            self._gone.append(made.gone)
            return made

        return make


def _nothing() -> None:
    pass
