"""
IMAP, SMTP and POP3 clients for your own tests: the other end of a server protocol, in memory and
without a reactor. Owns what was heard.

Whatever your checkers answer at once is answered at once here::

    client = IMAPClient(server)
    verdict = client.authenticate(b"OAUTHBEARER", oauthbearer("alice@example.test", token))
    self.assertTrue(verdict.accepted)

They say what they are told to say, also what no mail program would.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import attrs
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport, ITLSTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer


def oauthbearer(account: str, token: bytes) -> bytes:
    """
    The message of OAUTHBEARER (RFC 7628 section 3.1), before base64.
    """
    name = account.replace("=", "=3D").replace(",", "=2C").encode("utf-8")
    return b"n,a=%b,\x01auth=Bearer %b\x01\x01" % (name, token)


def xoauth2(account: str, token: bytes) -> bytes:
    """
    The message of XOAUTH2, before base64.
    """
    return b"user=%b\x01auth=Bearer %b\x01\x01" % (account.encode("utf-8"), token)


def plain(account: str, password: str, authzid: str = "") -> bytes:
    """
    The message of PLAIN (RFC 4616 section 2), before base64.
    """
    return f"{authzid}\x00{account}\x00{password}".encode()


@attrs.frozen
class Verdict:
    """
    How a login ended.

    @ivar accepted: whether the client is in.
    @ivar reply: the last line of the server.
    @ivar document: the error document of RFC 7628, if there was one.
    """

    accepted: bool
    reply: bytes
    document: dict[str, str] | None = None


class NotAnswered(Exception):
    """
    The server has not answered yet, most likely because a checker waits. Let it answer, then call
    C{verdict()}.
    """


@implementer(ITLSTransport)
class MemoryTransport(StringTransport):  # type: ignore[misc]  # of ITCPTransport it has what we need
    """
    A transport that becomes private when TLS is started, and never really is.
    """

    aborted = False

    def startTLS(self, contextFactory: Any = None, normal: bool = True) -> None:
        """
        See L{ITLSTransport}.
        """
        directlyProvides(self, ISSLTransport)

    def abortConnection(self) -> None:
        """
        See L{ITCPTransport<twisted.internet.interfaces.ITCPTransport>}.
        """
        self.aborted = True
        self.loseConnection()


class _MailClient:
    """
    What the three have in common.

    @ivar server: the protocol at the other end.
    @ivar clock: its time.
    @ivar heard: every line that it said.
    """

    def __init__(
        self,
        server: Any,
        private: bool = True,
        peer: str = "192.0.2.1",
        clock: Clock | None = None,
    ) -> None:
        """
        @param server: a server protocol that nobody has connected yet.
        @param private: whether the connection is one over TLS.
        @param peer: the IP address that it comes from.
        @param clock: whose time it has; a new one if C{None}.
        """
        self.server = server
        self.clock = clock or Clock()
        self.heard: list[bytes] = []
        address = (IPv6Address if ":" in peer else IPv4Address)("TCP", peer, 49152)
        self.transport = MemoryTransport(peerAddress=address)
        if private:
            self.transport.startTLS()
        server.callLater = self.clock.callLater
        server.makeConnection(self.transport)
        if private:
            server.handshakeCompleted()
        self.hear()

    @property
    def ended(self) -> bool:
        """
        Whether the server has closed the connection.
        """
        return bool(self.transport.disconnecting)

    def say(self, line: bytes) -> list[bytes]:
        """
        Send a line.

        @param line: without its line end.
        @return: the lines that came upon it.
        """
        self.server.dataReceived(line + b"\r\n")
        return self.hear()

    def hear(self) -> list[bytes]:
        """
        The lines that have come since.
        """
        lines: list[bytes] = self.transport.value().split(b"\r\n")[:-1]
        self.transport.clear()
        self.heard += lines
        return lines

    def leave(self) -> None:
        """
        Be gone, without a word.
        """
        self.server.connectionLost(Failure(ConnectionDone()))

    def authenticate(
        self, mechanism: bytes, *responses: bytes, initialResponse: bool = True
    ) -> Verdict:
        """
        Log in by SASL, as a client does that answers an error document as it should.

        @param responses: before base64, one for each of the server's challenges.
        @param initialResponse: whether the first of them goes with the command.
        @raise NotAnswered: the login waits for somebody.
        """
        waiting = [b64encode(response) for response in responses]
        command = self._authenticate(mechanism)
        if initialResponse and waiting:
            command += b" " + (waiting.pop(0) or b"=")
        self.say(command)
        document = None
        while (challenge := self._challenge()) is not None:
            if waiting:
                self.say(waiting.pop(0))
            else:
                document = json.loads(b64decode(challenge))
                self.say(b64encode(b"\x01"))
        return self.verdict(document)

    def verdict(self, document: dict[str, str] | None = None) -> Verdict:
        """
        How the login ended.

        @param document: the error document that came with it.
        @raise NotAnswered: it has not.
        """
        self.hear()
        accepted = self._accepted(self.heard[-1])
        if accepted is None:
            raise NotAnswered(repr(self.heard[-1]))
        return Verdict(accepted, self.heard[-1], document)

    def _challenge(self) -> bytes | None:
        """
        The challenge, in base64, if that was the last that came.
        """
        prefix = self._challengePrefix
        return self.heard[-1].removeprefix(prefix) if self.heard[-1].startswith(prefix) else None

    _challengePrefix = b"+ "

    def _authenticate(self, mechanism: bytes) -> bytes:
        raise NotImplementedError

    def _accepted(self, line: bytes) -> bool | None:
        """
        What a line says of the last command; C{None} if it is not the answer.
        """
        raise NotImplementedError


class IMAPClient(_MailClient):
    """
    For an L{IMAP4Server<mailauth.mail.imap4.IMAP4Server>}.
    """

    _tag = 0

    def command(self, text: bytes) -> list[bytes]:
        """
        Send a command under a tag of its own.

        @return: all lines of the answer, the tagged one last.
        """
        return self.say(self._tagged(text))

    def login(self, name: str, password: str) -> Verdict:
        """
        Use the LOGIN command. Neither may hold a quote or a backslash.
        """
        self.command(f'LOGIN "{name}" "{password}"'.encode())
        return self.verdict()

    def _tagged(self, text: bytes) -> bytes:
        self._tag += 1
        return b"%d %b" % (self._tag, text)

    def _authenticate(self, mechanism: bytes) -> bytes:
        return self._tagged(b"AUTHENTICATE " + mechanism)

    def _accepted(self, line: bytes) -> bool | None:
        tag, _, rest = line.partition(b" ")
        return rest.startswith(b"OK") if tag == b"%d" % self._tag else None


class SMTPClient(_MailClient):
    """
    For an L{ESMTP<mailauth.mail.smtp.ESMTP>}. It says EHLO by itself.
    """

    _challengePrefix = b"334 "

    def __init__(self, server: Any, **where: Any) -> None:
        super().__init__(server, **where)
        self.capabilities = self.say(b"EHLO client.example")

    def _authenticate(self, mechanism: bytes) -> bytes:
        return b"AUTH " + mechanism

    def _accepted(self, line: bytes) -> bool | None:
        return line.startswith(b"235")


class POP3Client(_MailClient):
    """
    For a L{POP3<mailauth.mail.pop3.POP3>}.
    """

    def login(self, name: str, password: str) -> Verdict:
        """
        Use USER and PASS.
        """
        self.say(b"USER " + name.encode("utf-8"))
        self.say(b"PASS " + password.encode("utf-8"))
        return self.verdict()

    def _authenticate(self, mechanism: bytes) -> bytes:
        return b"AUTH " + mechanism

    def _accepted(self, line: bytes) -> bool | None:
        return line.startswith(b"+OK")
