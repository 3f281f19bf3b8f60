"""
Every protocol with every mechanism over both kinds of TLS, with an initial response and without,
with tokens of every size that is met, good, expired and wrong.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import attrs
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from mailauth.interfaces import IMechanism
from mailauth.sasl.oauthbearer import OAuthBearer, XOAuth2
from mailauth.sasl.plain import PLAIN
from mailauth.scopes import MAIL_SCOPE

from . import ALICE
from .attempts import Attempt, Outcome, curl, python
from .opaque import OpaqueServer
from .programs import need

if TYPE_CHECKING:
    Protocol = TestCase
else:
    # What the protocols share is no test by itself: runners collect what a module holds.
    Protocol = object

SIZES = (140, 700, 2_800, 16_500)
"""
An opaque token, a small JWT, a large one, and one beyond the 12,288 octets of RFC 4954 in base64.
"""

AT_ONCE = 4

DISCOVERY = "https://issuer.example/.well-known/openid-configuration"
TELLS = {"scope": MAIL_SCOPE, "openid-configuration": DISCOVERY}
OAUTHBEARER = OAuthBearer(openidConfiguration=DISCOVERY)
XOAUTH2 = XOAuth2(openidConfiguration=DISCOVERY)

MESSAGE = (
    b"From: Carol <carol@example.test>\r\nSubject: Hello\r\n\r\nHello Alice.\r\n.\r\n..\r\nBye.\r\n"
)


@attrs.frozen
class Refused:
    """
    How a login is refused.

    @ivar reply: how the server's last word begins, behind IMAP's tag.
    """

    reply: bytes
    documents: list[dict[str, str]] = attrs.field(factory=list)


class MatrixTests(Protocol):
    """
    What holds on every protocol.
    """

    protocol: str
    refusal: bytes
    expiredPassword: bytes
    xoauth2Documents: list[dict[str, str]]

    def setUp(self) -> None:
        """
        A directory, which is gone afterwards.
        """
        need("curl")
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    async def test_oauthbearerStartTLS(self) -> None:
        """
        OAUTHBEARER behind STARTTLS: a good token opens, another gets the error document.
        """
        await self.tryTokens(OAUTHBEARER, False)

    async def test_oauthbearerTLS(self) -> None:
        """
        OAUTHBEARER over TLS: a good token opens, another gets the error document.
        """
        await self.tryTokens(OAUTHBEARER, True)

    async def test_xoauth2StartTLS(self) -> None:
        """
        XOAUTH2 behind STARTTLS: a good token opens, another is refused as clients can bear it.
        """
        await self.tryTokens(XOAUTH2, False)

    async def test_xoauth2TLS(self) -> None:
        """
        XOAUTH2 over TLS: a good token opens, another is refused as clients can bear it.
        """
        await self.tryTokens(XOAUTH2, True)

    async def test_plainStartTLS(self) -> None:
        """
        PLAIN behind STARTTLS: a good app password opens, another does not.
        """
        await self.tryPasswords(False)

    async def test_plainTLS(self) -> None:
        """
        PLAIN over TLS: a good app password opens, another does not.
        """
        await self.tryPasswords(True)

    async def tryTokens(self, mechanism: IMechanism, implicitTLS: bool) -> None:
        """
        Try tokens of every size that are good, expired and wrong.
        """
        oauthbearer = mechanism is OAUTHBEARER
        refused = Refused(
            self.refusal,
            [{"status": "invalid_token", **TELLS}] if oauthbearer else self.xoauth2Documents,
        )
        server = await self.startServer(mechanism)
        for initialResponse in (False, True):
            tries: list[tuple[str, Refused | None]] = []
            for size in SIZES:
                issue = server.tokens.issue
                tries += [
                    (issue(ALICE, length=size).decode(), None),
                    (issue(ALICE, length=size, lifetime=-60).decode(), refused),
                    ("x" * size, refused),
                ]
            await self.tryAll(server, implicitTLS, initialResponse, tries)

    async def tryPasswords(self, implicitTLS: bool) -> None:
        """
        Try app passwords that are good, expired and wrong.
        """
        server = await self.startServer(PLAIN)
        for initialResponse in (False, True):
            await self.tryAll(
                server,
                implicitTLS,
                initialResponse,
                [
                    (await server.makeAppPassword(), None),
                    (await server.makeAppPassword(-60), Refused(self.expiredPassword)),
                    ("wrong", Refused(self.refusal)),
                ],
            )

    async def startServer(self, mechanism: IMechanism) -> OpaqueServer:
        """
        A server with that mechanism alone.
        """
        server = OpaqueServer(reactor, self.directory, mechanism)
        self.addCleanup(lambda: Deferred.fromCoroutine(server.close()))
        await server.open(MESSAGE)
        return server

    async def tryAll(
        self,
        server: OpaqueServer,
        implicitTLS: bool,
        initialResponse: bool,
        tries: list[tuple[str, Refused | None]],
    ) -> None:
        """
        Try secrets, a few at once, and compare what comes of them.

        @param tries: each secret with how it is refused, or C{None} if it is good.
        """
        mechanism = server.mechanism
        prompts, responses = mechanism.prompts, mechanism.responses
        semaphore = DeferredSemaphore(AT_ONCE)
        attempts = [
            Attempt(
                self.protocol,
                server.ports[self.protocol, implicitTLS],
                implicitTLS,
                server.authority,
                mechanism.name.decode("ascii"),
                secret,
                self.makeMessage(f"{number}, initial response: {initialResponse}"),
                initialResponse,
            )
            for number, (secret, _) in enumerate(tries)
        ]

        outcomes = await gatherResults(
            [semaphore.run(deferToThread, login, attempt) for attempt in attempts]
        )

        for attempt, outcome, (_, refused) in zip(attempts, outcomes, tries, strict=True):
            self.compare(server, attempt, outcome, refused)
        self.assertEqual(len(tries), mechanism.responses - responses)
        self.assertEqual(0 if initialResponse else len(tries), mechanism.prompts - prompts)

    def makeMessage(self, subject: str) -> Path:
        """
        A file with a message like no other.
        """
        path = self.directory / f"{subject}.eml"
        path.write_bytes(MESSAGE.replace(b"Hello\r\n", subject.encode() + b"\r\n"))
        return path

    def compare(
        self, server: OpaqueServer, attempt: Attempt, outcome: Outcome, refused: Refused | None
    ) -> None:
        """
        Whether the outcome is the right one.
        """
        cell = f"{attempt}, {len(attempt.secret)} octets: {outcome}"
        if refused is None:
            self.assertIsNone(outcome.refusal, cell)
        else:
            self.assertEqual(refused.documents, outcome.documents, cell)
            self.compareReply(attempt, refused.reply, outcome.refusal or b"", cell)
        self.compareMail(server, attempt, outcome, refused is None, cell)

    def compareReply(self, attempt: Attempt, expected: bytes, actual: bytes, cell: str) -> None:
        """
        Whether the server's last word is the right one.
        """
        self.assertIn(expected, actual, cell)

    def compareMail(
        self, server: OpaqueServer, attempt: Attempt, outcome: Outcome, good: bool, cell: str
    ) -> None:
        """
        Whether the message was read by whoever was let in, and by nobody else.
        """
        self.assertEqual(MESSAGE if good else b"", outcome.content, cell)


def login(attempt: Attempt) -> Outcome:
    """
    Let curl try wherever curl can; Python's own clients fill the rest of the table.

    On IMAP our server offers SASL-IR, so curl never waits to be asked. On SMTP and POP3 it sends an
    initial response only while the command fits into 512 and 255 octets.
    """
    if attempt.protocol == "imap":
        return curl(attempt) if attempt.initialResponse else python(attempt)
    if not attempt.initialResponse or attempt.mechanism == "PLAIN":
        return curl(attempt)
    fits = attempt.protocol == "smtp" and len(attempt.secret) == SIZES[0]
    return curl(attempt) if fits else python(attempt)


class IMAPTests(MatrixTests, TestCase):
    """
    IMAP reads.
    """

    protocol = "imap"
    refusal = b"[AUTHENTICATIONFAILED]"
    expiredPassword = b"[EXPIRED]"
    xoauth2Documents: list[dict[str, str]] = []


class POP3Tests(MatrixTests, TestCase):
    """
    POP3 reads.
    """

    protocol = "pop3"
    refusal = b"-ERR [AUTH]"
    expiredPassword = b"-ERR [AUTH] This password has expired."
    xoauth2Documents: list[dict[str, str]] = []


class SMTPTests(MatrixTests, TestCase):
    """
    SMTP sends.
    """

    protocol = "smtp"
    refusal = b"535 5.7.8"
    expiredPassword = b"535 5.7.8 This password has expired."
    xoauth2Documents = [{"status": "400", "schemes": "bearer", **TELLS}]

    def compareReply(self, attempt: Attempt, expected: bytes, actual: bytes, cell: str) -> None:
        """
        The same, unless it is the document of XOAUTH2: curl reads it and hangs up.
        """
        if not (attempt.mechanism == "XOAUTH2" and actual.startswith(b"334 ")):
            super().compareReply(attempt, expected, actual, cell)

    def compareMail(
        self, server: OpaqueServer, attempt: Attempt, outcome: Outcome, good: bool, cell: str
    ) -> None:
        """
        Whether bob got the message of whoever was let in, and of nobody else.
        """
        message = attempt.message.read_bytes()
        copies = [each for each in server.delivered() if each.endswith(message)]
        self.assertEqual(1 if good else 0, len(copies), cell)
