"""
What the tests of SMTP and POP3 share: a connection without a network, a portal whose logins are
counted, and the promise that nothing is left over.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

import attrs
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.portal import IRealm, Portal
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport, ITLSTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides, implementer

from mailauth.credentials import AvatarId
from mailauth.errors import InvalidCredentials, InvalidToken
from mailauth.interfaces import IBearerToken
from mailauth.sasl.oauthbearer import OAUTHBEARER, XOAUTH2
from mailauth.sasl.plain import LOGIN, PLAIN

MECHANISMS = (OAUTHBEARER, XOAUTH2, PLAIN, LOGIN)

TOKEN = b"good-token"
BEARER = b64encode(b"n,,\x01auth=Bearer good-token\x01\x01")
BAD_BEARER = b64encode(b"n,,\x01auth=Bearer bad-token\x01\x01")
PASSWORD = b64encode(b"\x00alice\x00correct horse")
BAD_PASSWORD = b64encode(b"\x00alice\x00battery staple")


@implementer(ITLSTransport)
class TLSCapableTransport(StringTransport):  # type: ignore[misc]  # not all of it, as its parent
    """
    A transport in memory that can become a private one.

    @ivar slow: its peer takes nothing until C{drain} is called, so that it asks its producer to
        pause as a real transport does.
    """

    slow = False
    unsent = 0

    def write(self, data: bytes) -> None:
        """
        Send it, one day.
        """
        super().write(data)
        self.unsent += len(data)
        if self.slow and self.unsent > 65536 and self.producer is not None:
            self.producer.pauseProducing()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """
        The same.
        """
        self.write(b"".join(data))

    def drain(self) -> None:
        """
        The peer has taken everything.
        """
        self.unsent = 0
        if self.producer is not None:
            self.producer.resumeProducing()

    def startTLS(self, tlsContext: Any) -> None:
        """
        Be private from now on.
        """
        directlyProvides(self, ISSLTransport)


@implementer(ICredentialsChecker)
class Verdicts:
    """
    A checker of one account, which can be told to take its time.

    @ivar pending: the logins that wait, if C{waits}.
    @ivar contexts: where the attempts came from.
    """

    credentialInterfaces = (IUsernamePassword, IBearerToken)

    def __init__(self) -> None:
        self.passwords = {b"alice": b"correct horse"}
        self.tokens = {TOKEN: b"alice"}
        self.error: Exception | None = None
        self.waits = False
        self.pending: list[tuple[Deferred[bytes | tuple[()]], Any]] = []
        self.contexts: list[Any] = []

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """
        See L{ICredentialsChecker.requestAvatarId}.
        """
        self.contexts.append(credentials.context)
        if not self.waits:
            return self._verdict(credentials)
        waiting: Deferred[bytes | tuple[()]] = Deferred()
        self.pending.append((waiting, credentials))
        return waiting

    def answer(self) -> None:
        """
        Say the verdict on the oldest login that waits.
        """
        waiting, credentials = self.pending.pop(0)
        self._verdict(credentials).addBoth(waiting.callback)

    def _verdict(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        if self.error is not None:
            return fail(self.error)
        if IBearerToken.providedBy(credentials):
            owner = self.tokens.get(credentials.token)
            if owner is None or credentials.authzid not in (None, owner):
                return fail(InvalidToken())
            return succeed(AvatarId(owner.decode()))
        if self.passwords.get(credentials.username) == credentials.password:
            return succeed(AvatarId(credentials.username.decode()))
        return fail(InvalidCredentials())


@implementer(IRealm)
class CountingRealm:
    """
    A realm that counts who is in.
    """

    def __init__(self, avatar: object) -> None:
        self.avatar = avatar
        self.logins = 0
        self.logouts = 0
        self.minds: list[Any] = []

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        """
        See L{IRealm.requestAvatar}.
        """
        self.logins += 1
        self.minds.append(mind)
        return interfaces[0], self.avatar, self._logout

    def _logout(self) -> None:
        self.logouts += 1


@attrs.define(eq=False)
class Connection:
    """
    A server, and the client's end of it.

    @ivar replies: every line that was heard, from the greeting on.
    """

    protocol: Any
    transport: TLSCapableTransport
    replies: list[bytes] = attrs.field(factory=list)
    lost: bool = False

    def say(self, *lines: bytes) -> list[bytes]:
        """
        Send each line in a segment of its own.

        @return: the lines of all replies.
        """
        for line in lines:
            self.protocol.dataReceived(line + b"\r\n")
        return self.hear()

    def hear(self) -> list[bytes]:
        """
        The lines that came since.
        """
        text: bytes = self.transport.value()
        self.transport.clear()
        lines = text.split(b"\r\n")[:-1]
        self.replies += lines
        return lines

    def lose(self) -> None:
        """
        The connection is gone.
        """
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(ConnectionDone()))


@implementer(ILogObserver)
class Ear:
    """
    Hears what is worth an administrator's attention.
    """

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        """
        See L{ILogObserver}.
        """
        if event["log_level"] >= LogLevel.warn:
            self.events.append(event)


class WireTestCase(SynchronousTestCase):
    """
    Tests of one server. After each of them nobody is in, no timer runs and no error was logged
    that was not asked for.
    """

    avatar: object = object()

    def setUp(self) -> None:
        """
        A portal, a clock, and an ear for the log.
        """
        self.begin()
        self.addCleanup(self.finish)

    def begin(self) -> None:
        """
        Set up; also for each example of a property.
        """
        self.clock = Clock()
        self.verdicts = Verdicts()
        self.realm = CountingRealm(self.avatar)
        self.portal = Portal(self.realm, [self.verdicts])
        self.connections: list[Connection] = []
        self.ear = Ear()
        globalLogPublisher.addObserver(self.ear)

    def takeLogged(self) -> list[LogEvent]:
        """
        What was logged; from now on it is as if it had not been.
        """
        logged, self.ear.events = self.ear.events, []
        return logged

    def finish(self) -> None:
        """
        Hang up, and look whether anything is left.
        """
        globalLogPublisher.removeObserver(self.ear)
        for connection in self.connections:
            connection.lose()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertEqual(self.realm.logins, self.realm.logouts)
        self.assertEqual([], self.ear.events)

    def connect(self, protocol: Any, private: bool = True, peer: str = "192.0.2.1") -> Connection:
        """
        A connection, on which the greeting has been read.
        """
        transport = TLSCapableTransport(peerAddress=IPv4Address("TCP", peer, 4000))
        if private:
            directlyProvides(transport, ISSLTransport)
        protocol.portal = self.portal
        protocol.callLater = self.clock.callLater
        protocol.makeConnection(transport)
        if private:
            protocol.handshakeCompleted()
        connection = Connection(protocol, transport)
        self.connections.append(connection)
        connection.hear()
        return connection
