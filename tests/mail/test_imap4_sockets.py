"""
L{IMAP4Server} over real sockets and real TLS, with imaplib.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
from collections.abc import Callable
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.mail import imap4
from zope.interface import implementer

from mailauth.mail.imap4 import IMAP4Server
from mailauth.mail.waiting import WaitingLimits, WaitingRoom

from .test_imap4 import Account
from .test_sockets import SocketTestCase, reactor
from .wires import MECHANISMS

MESSAGE = b"Subject: hello\r\n\r\n" + b"some text\r\n" * 100_000
OAUTHBEARER = b"n,a=alice,\x01host=localhost\x01port=143\x01auth=Bearer %b\x01\x01"
XOAUTH2 = b"user=alice\x01auth=Bearer %b\x01\x01"


@implementer(imap4.IMessageFile)
class Message:
    """
    A long one.
    """

    def getSize(self) -> int:
        """
        See L{imap4.IMessagePart}.
        """
        return len(MESSAGE)

    def open(self) -> BytesIO:
        """
        See L{imap4.IMessageFile}.
        """
        return BytesIO(MESSAGE)

    def getBodyFile(self) -> BytesIO:
        """
        See L{imap4.IMessagePart}.
        """
        return BytesIO(MESSAGE.partition(b"\r\n\r\n")[2])


class IMAPSocketTests(SocketTestCase):
    """
    L{IMAP4Server} and imaplib.
    """

    def talk(self, client: Callable[[int], Any], tls: bool = False) -> Deferred[Any]:
        """
        Let a client talk to a server.
        """
        return Deferred.fromCoroutine(
            self.converse(
                lambda: IMAP4Server(MECHANISMS, None if tls else self.tlsContext),
                self.account,
                client,
                tls,
            )
        )

    def setUp(self) -> None:
        """
        An account with one message.
        """
        super().setUp()
        self.account = Account()
        self.account.mailbox.messages = [(1, Message())]

    def overTLS(self, port: int) -> imaplib.IMAP4:
        """
        Connect over TLS.
        """
        return imaplib.IMAP4_SSL("localhost", port, ssl_context=self.trust, timeout=10)

    def overSTARTTLS(self, port: int) -> imaplib.IMAP4:
        """
        Connect, and begin TLS.
        """
        client = imaplib.IMAP4("localhost", port, timeout=10)
        assert "LOGINDISABLED" in client.capabilities
        assert not any(name.startswith("AUTH=") for name in client.capabilities)
        client.starttls(self.trust)
        return client

    def logIn(self, connect: Callable[[int], imaplib.IMAP4], tls: bool) -> Deferred[Any]:
        """
        Log in by every mechanism and the LOGIN command, each on its own connection.
        """
        ways: tuple[Callable[[imaplib.IMAP4], Any], ...] = (
            lambda c: c.authenticate("OAUTHBEARER", lambda _: OAUTHBEARER % b"good-token"),
            lambda c: c.authenticate("XOAUTH2", lambda _: XOAUTH2 % b"good-token"),
            lambda c: c.authenticate("PLAIN", lambda _: b"\0alice\0correct horse"),
            lambda c: c.login("alice", "correct horse"),
        )

        def client(port: int) -> list[str]:
            outcomes = []
            for way in ways:
                with connect(port) as connection:
                    assert "SASL-IR" in connection.capabilities
                    assert "STARTTLS" not in connection.capabilities
                    outcomes.append(way(connection)[0])
                    outcomes.append(connection.noop()[0])
            return outcomes

        return self.talk(client, tls).addCallback(self.assertEqual, ["OK"] * 8)

    def test_implicitTLS(self) -> Deferred[None]:
        """
        Everything works over TLS from the start.
        """
        return self.logIn(self.overTLS, tls=True)

    def test_startTLS(self) -> Deferred[None]:
        """
        Everything works after STARTTLS.
        """
        return self.logIn(self.overSTARTTLS, tls=False)

    def test_refused(self) -> Deferred[None]:
        """
        A refused token reaches imaplib's caller as the document and then as NO, and the same
        connection logs in afterwards.
        """

        def client(port: int) -> tuple[list[bytes], str, str]:
            challenges: list[bytes] = []

            def answer(challenge: bytes) -> bytes:
                challenges.append(challenge)
                return b"\x01" if challenge else OAUTHBEARER % b"bad-token"

            with self.overTLS(port) as connection:
                try:
                    connection.authenticate("OAUTHBEARER", answer)
                except imaplib.IMAP4.error as error:
                    reply = str(error)
                outcome, _ = connection.authenticate(
                    "OAUTHBEARER", lambda _: OAUTHBEARER % b"good-token"
                )
            return challenges, reply, outcome

        def check(answer: tuple[list[bytes], str, str]) -> None:
            (empty, document), reply, outcome = answer
            self.assertEqual(b"", empty)
            self.assertIn(b'"status":"invalid_token"', document)
            self.assertIn("AUTHENTICATIONFAILED", reply)
            self.assertEqual("OK", outcome)

        return self.talk(client, tls=True).addCallback(check)

    def test_injection(self) -> Deferred[None]:
        """
        A command that comes with STARTTLS is never answered, in clear or under TLS (W1, S1).
        """

        def client(port: int) -> list[bytes]:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                stream = connection.makefile("rb")
                stream.readline()
                connection.sendall(b"1 STARTTLS\r\n2 CAPABILITY\r\n")
                return stream.read().splitlines()

        def check(replies: list[bytes]) -> None:
            self.assertEqual([b"1 BAD", b"* BYE"], [line[:5] for line in replies])

        return self.talk(client).addCallback(check)

    def test_injectionInTwoSegments(self) -> Deferred[None]:
        """
        One that comes after the reply and before the handshake is no handshake (S1, W1).
        """

        def client(port: int) -> bytes:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                stream = connection.makefile("rb")
                stream.readline()
                connection.sendall(b"1 STARTTLS\r\n")
                stream.readline()
                connection.sendall(b"2 CAPABILITY\r\n")
                try:
                    return stream.read()
                except ConnectionError:
                    return b""

        def check(reply: bytes) -> None:
            self.assertNotIn(b"CAPABILITY", reply)

        return self.talk(client).addCallback(check)

    def test_stalledHandshake(self) -> Deferred[None]:
        """
        A TLS handshake that does not come is cut off when its time is over, and not half a
        minute later (DS7).
        """
        room = WaitingRoom(reactor.callLater, WaitingLimits(handshake=0))

        def server() -> IMAP4Server:
            protocol = IMAP4Server(MECHANISMS)
            protocol.waitingRoom = room
            return protocol

        def client(port: int) -> bytes:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                try:
                    return connection.recv(1)
                except ConnectionError:
                    return b""

        return Deferred.fromCoroutine(
            self.converse(server, self.account, client, tls=True)
        ).addCallback(self.assertEqual, b"")

    def test_fetch(self) -> Deferred[None]:
        """
        A long message arrives whole, however it is asked for, and the connection goes on.
        """

        def client(port: int) -> list[bytes]:
            answers = []
            with self.overTLS(port) as connection:
                connection.login("alice", "correct horse")
                connection.select("INBOX")
                for part in ("BODY[]", "RFC822", "RFC822.TEXT"):
                    _, parts = connection.fetch("1", f"({part})")
                    assert connection.noop()[0] == "OK"
                    assert isinstance(parts[0], tuple)
                    answers.append(parts[0][1])
            return answers

        return self.talk(client, tls=True).addCallback(
            self.assertEqual, [MESSAGE, MESSAGE, MESSAGE.partition(b"\r\n\r\n")[2]]
        )

    def test_wrongProtocol(self) -> Deferred[None]:
        """
        A TLS client hello in clear is no command, and nothing raises (W6, W13).
        """

        def client(port: int) -> str:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                    self.trust.wrap_socket(connection, server_hostname="localhost")
            except (ssl.SSLError, ConnectionError) as error:
                return type(error).__name__
            return "a handshake"

        return self.talk(client).addCallback(self.assertNotEqual, "a handshake")
