"""
SMTP and POP3 over real sockets and real TLS, with the standard library's clients.
"""

from __future__ import annotations

import poplib
import smtplib
import socket
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.cred.portal import Portal
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.protocol import Factory
from twisted.internet.ssl import PrivateCertificate
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from mailauth.mail.pop3 import POP3
from mailauth.mail.smtp import ESMTP

from .test_pop3 import Maildrop
from .test_smtp import Delivery
from .wires import BEARER, MECHANISMS, CountingRealm, Verdicts

reactor: Any = _reactor
Result = TypeVar("Result")


def makeCertificate() -> bytes:
    """
    A key on P-256 and a certificate for C{localhost} that it signs itself, in PEM.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now().astimezone()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ) + certificate.public_bytes(Encoding.PEM)


PEM = makeCertificate()


class Server(Factory):
    """
    A factory that knows when its connections are gone.
    """

    noisy = False

    def __init__(self, makeProtocol: Callable[[], Any]) -> None:
        self.makeProtocol = makeProtocol
        self.gone: list[Deferred[None]] = []

    def buildProtocol(self, addr: Any) -> Any:
        """
        See L{Factory.buildProtocol}.
        """
        protocol = self.makeProtocol()
        gone: Deferred[None] = Deferred()
        self.gone.append(gone)
        connectionLost = protocol.connectionLost

        def lost(reason: Failure) -> None:
            connectionLost(reason)
            gone.callback(None)

        protocol.connectionLost = lost
        return protocol


class SocketTestCase(TestCase):
    """
    A listener on loopback, and a client in a thread. Afterwards nobody is in.
    """

    def setUp(self) -> None:
        """
        The servers' certificate, and clients that trust it.
        """
        self.tlsContext = PrivateCertificate.loadPEM(PEM).options()
        self.trust = ssl.create_default_context(cadata=PEM.decode())

    async def converse(
        self,
        makeProtocol: Callable[[], Any],
        avatar: object,
        client: Callable[[int], Result],
        tls: bool = False,
    ) -> Result:
        """
        Let a client talk to a server.

        @param client: called in a thread with the number of the port.
        """
        realm = CountingRealm(avatar)
        portal = Portal(realm, [Verdicts()])

        def protocol() -> Any:
            server = makeProtocol()
            server.portal = portal
            return server

        server = Server(protocol)
        if tls:
            port = reactor.listenSSL(0, server, self.tlsContext, interface="127.0.0.1")
        else:
            port = reactor.listenTCP(0, server, interface="127.0.0.1")
        try:
            result = await deferToThread(client, port.getHost().port)
            await DeferredList(server.gone)
        finally:
            await port.stopListening()
        self.assertEqual(realm.logins, realm.logouts)
        return result


class SMTPSocketTests(SocketTestCase):
    """
    L{ESMTP} and smtplib.
    """

    message = b"Subject: hello\r\n\r\n" + b".dots and text\r\n" * 100000

    async def submit(self, connect: Callable[[int], smtplib.SMTP], tls: bool = False) -> None:
        """
        A message that is long, with dots that have to be stuffed, arrives whole.
        """
        delivery = Delivery()

        def client(port: int) -> Any:
            with connect(port) as smtp:
                smtp.auth("OAUTHBEARER", _bearer)
                return smtp.sendmail("alice@a.test", ["bob@b.test", "carol@c.test"], self.message)

        refused = await self.converse(
            lambda: ESMTP(MECHANISMS, contextFactory=self.tlsContext), delivery, client, tls
        )

        self.assertEqual({}, refused)
        for message in delivery.messages:
            self.assertEqual(self.message, b"".join(line + b"\r\n" for line in message.lines[1:]))
        self.assertEqual(2, len(delivery.messages))

    def test_startTLS(self) -> Deferred[None]:
        """
        smtplib logs in after STARTTLS and submits a message.
        """

        def connect(port: int) -> smtplib.SMTP:
            smtp = smtplib.SMTP("localhost", port)
            smtp.ehlo()
            assert not smtp.has_extn("auth")
            smtp.starttls(context=self.trust)
            smtp.ehlo()
            assert not smtp.has_extn("starttls")
            return smtp

        return Deferred.fromCoroutine(self.submit(connect))

    def test_implicitTLS(self) -> Deferred[None]:
        """
        smtplib does the same over TLS from the start.
        """

        def connect(port: int) -> smtplib.SMTP:
            smtp = smtplib.SMTP_SSL("localhost", port, context=self.trust)
            smtp.ehlo()
            return smtp

        return Deferred.fromCoroutine(self.submit(connect, tls=True))

    def test_password(self) -> Deferred[None]:
        """
        smtplib's own login works, and a wrong password is 535.
        """

        def client(port: int) -> tuple[int, int]:
            with smtplib.SMTP_SSL("localhost", port, context=self.trust) as smtp:
                try:
                    smtp.login("alice", "wrong")
                except smtplib.SMTPAuthenticationError as error:
                    return error.smtp_code, smtp.login("alice", "correct horse")[0]
            raise AssertionError("a wrong password was accepted")

        async def test() -> None:
            codes = await self.converse(lambda: ESMTP(MECHANISMS[2:]), Delivery(), client, True)
            self.assertEqual((535, 235), codes)

        return Deferred.fromCoroutine(test())

    def test_injection(self) -> Deferred[None]:
        """
        A command that comes with STARTTLS is never answered, in clear or under TLS (W1, S1).
        """

        async def test() -> None:
            replies = await self.converse(
                lambda: ESMTP(MECHANISMS, contextFactory=self.tlsContext),
                Delivery(),
                lambda port: _exchange(port, b"EHLO x\r\n", b"STARTTLS\r\nEHLO injected\r\n"),
            )
            self.assertEqual([b"501", b"421"], [line[:3] for line in replies])

        return Deferred.fromCoroutine(test())


class POP3SocketTests(SocketTestCase):
    """
    L{POP3} and poplib.
    """

    message = b"Subject: hello\r\n\r\n" + b".dots and text\r\n" * 100000

    async def fetch(self, connect: Callable[[int], poplib.POP3], tls: bool = False) -> None:
        """
        A message that is long, with dots that have to be stuffed, arrives whole.
        """
        maildrop = Maildrop()
        maildrop.messages.append(self.message)

        def client(port: int) -> Any:
            pop = connect(port)
            assert "OAUTHBEARER" in pop.capa()["SASL"]
            pop._shortcmd("AUTH OAUTHBEARER " + BEARER.decode())  # type: ignore[attr-defined]
            lines = pop.retr(3)[1]
            pop.dele(1)
            pop.quit()
            return lines

        lines = await self.converse(
            lambda: POP3(MECHANISMS, contextFactory=self.tlsContext), maildrop, client, tls
        )

        self.assertEqual(self.message, b"".join(line + b"\r\n" for line in lines))
        self.assertEqual(1, maildrop.removed)

    def test_stls(self) -> Deferred[None]:
        """
        poplib logs in after STLS and fetches a message.
        """

        def connect(port: int) -> poplib.POP3:
            pop = poplib.POP3("localhost", port)
            assert "SASL" not in pop.capa()
            pop.stls(self.trust)
            return pop

        return Deferred.fromCoroutine(self.fetch(connect))

    def test_implicitTLS(self) -> Deferred[None]:
        """
        poplib does the same over TLS from the start.
        """
        return Deferred.fromCoroutine(
            self.fetch(
                lambda port: poplib.POP3_SSL("localhost", port, context=self.trust), tls=True
            )
        )

    def test_password(self) -> Deferred[None]:
        """
        poplib's own login works, and a wrong password is C{[AUTH]}.
        """

        def client(port: int) -> tuple[bytes, Any]:
            pop = poplib.POP3_SSL("localhost", port, context=self.trust)
            pop.user("alice")
            try:
                pop.pass_("wrong")
            except poplib.error_proto as error:
                pop.user("alice")
                pop.pass_("correct horse")
                count = pop.stat()[0]
                pop.quit()
                return error.args[0], count
            raise AssertionError("a wrong password was accepted")

        async def test() -> None:
            reply, count = await self.converse(lambda: POP3(MECHANISMS), Maildrop(), client, True)
            self.assertEqual((b"-ERR [AUTH]", 2), (reply[:11], count))

        return Deferred.fromCoroutine(test())

    def test_injection(self) -> Deferred[None]:
        """
        A command that comes with STLS is never answered, in clear or under TLS (W1, S1).
        """

        async def test() -> None:
            replies = await self.converse(
                lambda: POP3(MECHANISMS, contextFactory=self.tlsContext),
                Maildrop(),
                lambda port: _exchange(port, b"NOOP\r\n", b"STLS\r\nCAPA\r\n"),
            )
            self.assertEqual([b"-ERR"], [line[:4] for line in replies])

        return Deferred.fromCoroutine(test())

    def test_vanished(self) -> Deferred[None]:
        """
        A client that vanishes in the middle of a long answer leaves nobody in and no file open
        (S13).
        """
        maildrop = Maildrop()
        maildrop.messages.append(self.message)

        def client(port: int) -> None:
            pop = poplib.POP3_SSL("localhost", port, context=self.trust)
            pop.user("alice")
            pop.pass_("correct horse")
            pop._putcmd("RETR 3")  # type: ignore[attr-defined]
            pop.sock.recv(1000)
            pop.sock.close()
            pop.file.close()

        async def test() -> None:
            await self.converse(lambda: POP3(MECHANISMS), maildrop, client, True)
            self.assertTrue(maildrop.files[0].closed)

        return Deferred.fromCoroutine(test())


def _bearer(challenge: bytes | None = None) -> str:
    return "" if challenge else "n,,\x01auth=Bearer good-token\x01\x01"


def _exchange(port: int, first: bytes, second: bytes) -> list[bytes]:
    """
    Say one thing, read the answer, say another in one segment.

    @return: the lines that answer the second, up to the end of the connection.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        stream = connection.makefile("rb")
        stream.readline()
        connection.sendall(first)
        while stream.readline()[3:4] == b"-":
            pass
        connection.sendall(second)
        return stream.read().splitlines()
