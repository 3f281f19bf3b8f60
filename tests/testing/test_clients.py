"""
Tests for L{mailauth.testing.clients}: with them people test their own servers, so they have to
tell the truth about ours.
"""

from __future__ import annotations

from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.mail.interfaces import IAccountIMAP, IMailboxPOP3, IMessageDelivery
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mailauth.checkers import BearerTokenChecker
from mailauth.credentials import AvatarId
from mailauth.errors import InvalidCredentials
from mailauth.mail.imap4 import IMAP4Server
from mailauth.mail.pop3 import POP3
from mailauth.mail.smtp import ESMTP
from mailauth.realm import MailRealm
from mailauth.sasl.oauthbearer import OAUTHBEARER, XOAUTH2
from mailauth.sasl.plain import LOGIN, PLAIN
from mailauth.testing.clients import (
    IMAPClient,
    NotAnswered,
    POP3Client,
    SMTPClient,
    oauthbearer,
    plain,
    xoauth2,
)
from mailauth.testing.issuer import MemoryIssuer

ALICE = "alice@mail.example"


@implementer(ICredentialsChecker)
class OnePassword:
    """
    A checker of one password, which can be told to wait.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self) -> None:
        self.waiting: Deferred[Any] | None = None

    def requestAvatarId(self, credentials: Any) -> Any:
        """
        See L{ICredentialsChecker.requestAvatarId}.
        """
        if self.waiting is not None:
            return self.waiting
        if credentials.password != b"secret":
            raise InvalidCredentials()
        return AvatarId(ALICE)


class ClientTests(SynchronousTestCase):
    """
    The three clients against the three servers.
    """

    def setUp(self) -> None:
        """
        A portal that takes tokens and a password.
        """
        self.left: list[object] = []
        self.issuer = MemoryIssuer()
        self.password = OnePassword()

        def make(avatarId: AvatarId) -> tuple[object, Any]:
            return object(), lambda: self.left.append(avatarId)

        self.portal = Portal(
            MailRealm({IAccountIMAP: make, IMailboxPOP3: make, IMessageDelivery: make}),
            [BearerTokenChecker(self.issuer.validator()), self.password],
        )

    def connect(self, kind: Any, **where: Any) -> Any:
        """
        A client of a new server.
        """
        makeServer = {IMAPClient: IMAP4Server, SMTPClient: ESMTP, POP3Client: POP3}[kind]
        server: Any = makeServer([OAUTHBEARER, XOAUTH2, PLAIN, LOGIN])
        server.portal = self.portal
        return kind(server, **where)

    def test_tokens(self) -> None:
        """
        A token logs in by both mechanisms, with and without an initial response.
        """
        token = self.issuer.issue(ALICE)
        for kind in (IMAPClient, SMTPClient, POP3Client):
            for name, build in ((b"OAUTHBEARER", oauthbearer), (b"XOAUTH2", xoauth2)):
                for initial in (True, False):
                    client = self.connect(kind)

                    verdict = client.authenticate(
                        name, build(ALICE, token), initialResponse=initial
                    )

                    self.assertTrue(verdict.accepted, (kind, name, initial))
                    client.leave()
                    self.assertEqual([], client.clock.getDelayedCalls())
        self.assertEqual(12, len(self.left))

    def test_refusedToken(self) -> None:
        """
        A refused token comes with its document, and the next attempt works.
        """
        for kind in (IMAPClient, SMTPClient, POP3Client):
            client = self.connect(kind)

            refused = client.authenticate(b"OAUTHBEARER", oauthbearer(ALICE, b"made-up"))
            accepted = client.authenticate(b"PLAIN", plain(ALICE, "secret"))

            self.assertFalse(refused.accepted)
            self.assertEqual("invalid_token", refused.document["status"])
            self.assertTrue(accepted.accepted)
            self.assertIsNone(accepted.document)

    def test_severalResponses(self) -> None:
        """
        Each challenge gets its response.
        """
        for kind in (IMAPClient, SMTPClient, POP3Client):
            for initial in (True, False):
                client = self.connect(kind)

                verdict = client.authenticate(
                    b"LOGIN", ALICE.encode(), b"secret", initialResponse=initial
                )

                self.assertTrue(verdict.accepted, (kind, initial))

    def test_passwords(self) -> None:
        """
        The commands with a name and a password say so too.
        """
        for kind in (IMAPClient, POP3Client):
            client = self.connect(kind)

            self.assertFalse(client.login(ALICE, "wrong").accepted)
            self.assertTrue(client.login(ALICE, "secret").accepted)

    def test_emptyResponse(self) -> None:
        """
        An empty initial response is there, and says so.
        """
        client = self.connect(IMAPClient)

        verdict = client.authenticate(b"PLAIN", b"")

        self.assertEqual(b"1 BAD", verdict.reply[:5])

    def test_notAnswered(self) -> None:
        """
        While a checker waits there is no verdict; afterwards there is.
        """
        waiting: Deferred[Any] = Deferred()
        self.password.waiting = waiting
        client = self.connect(IMAPClient)

        self.assertRaises(NotAnswered, client.login, ALICE, "secret")
        waiting.callback(AvatarId(ALICE))

        self.assertTrue(client.verdict().accepted)

    def test_where(self) -> None:
        """
        A client comes from where it is told to, with or without TLS, over IPv4 and IPv6.
        """
        client = self.connect(IMAPClient, private=False, peer="2001:db8::1")

        verdict = client.authenticate(b"PLAIN", plain(ALICE, "secret"))

        self.assertIn(b"PRIVACYREQUIRED", verdict.reply)
        self.assertEqual("2001:db8::1", client.server.loginContext().peer)
        client.server.startTLS(None)
        self.assertTrue(client.authenticate(b"PLAIN", plain(ALICE, "secret")).accepted)

    def test_ended(self) -> None:
        """
        A client notices that the connection ends.
        """
        client = self.connect(SMTPClient)
        self.assertIn(b"250 AUTH OAUTHBEARER XOAUTH2 PLAIN LOGIN", client.capabilities)
        self.assertFalse(client.ended)

        client.server.end("Enough")

        self.assertEqual([b"421 4.7.0 Enough"], client.hear())
        self.assertTrue(client.ended)
        client.clock.pump([1] * 60)
        self.assertTrue(client.transport.aborted)
