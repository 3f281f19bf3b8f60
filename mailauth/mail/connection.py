"""
What the three mail protocols have in common as connections: whether they are private, which
mechanisms they offer, how they wait for a login, and how they end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IHandshakeListener, ISSLTransport
from zope.interface import implementer

from ..credentials import LoginContext
from ..interfaces import IConnection, IMechanism
from .flow import Flow
from .login import Login
from .waiting import Waiting, WaitingRoom

if TYPE_CHECKING:
    from twisted.cred.portal import Portal


@implementer(IConnection, IHandshakeListener)
class MailConnection:
    """
    A mixin, to stand before a protocol of L{twisted.mail}.

    @cvar service: the name of the service in a L{LoginContext}.
    @cvar avatarInterface: what the portal is asked for.
    @cvar silence: for how many seconds a connection that has not logged in may say nothing, or
        C{None} for what the L{WaitingRoom} allows.
    @ivar portal: whom to log in with; C{None} makes every login an outage.
    @ivar insecureLoopback: take secrets without TLS from clients on this machine. For measuring
        and for tests.
    @ivar waitingRoom: where connections wait until they have logged in. Share one among
        listeners to bound their number; C{None} gives every connection one of its own.
    @ivar mailClient: what the mail client calls itself.
    """

    service: ClassVar[str]
    avatarInterface: ClassVar[Any]
    silence: ClassVar[float | None] = None

    portal: Portal | None = None
    insecureLoopback = False
    waitingRoom: WaitingRoom | None = None
    mailClient: str | None = None
    waiting: Waiting | None = None

    flow: Flow
    login: Login

    if TYPE_CHECKING:
        transport: Any

        def callLater(self, seconds: float, call: Callable[[], object]) -> IDelayedCall: ...

        paused: bool

        def unfinished(self) -> bool:
            """
            Whether a line or literal has begun that has not ended.
            """

        def sendChallenge(self, challenge: bytes) -> None: ...

        def loginSucceeded(self, avatar: Any) -> None: ...

        def loginFailed(self, error: Any) -> None: ...

    def offer(self, mechanisms: Iterable[IMechanism]) -> None:
        """
        Set the mechanisms, the preferred one first.
        """
        self._mechanisms = {mechanism.name: mechanism for mechanism in mechanisms}

    def mechanism(self, name: bytes) -> IMechanism | None:
        """
        The mechanism of that name, if there is one.
        """
        return self._mechanisms.get(name)

    def offered(self) -> list[bytes]:
        """
        The names of the mechanisms that would be accepted here and now.
        """
        if self.isPrivate():
            return list(self._mechanisms)
        return [name for name, mechanism in self._mechanisms.items() if not mechanism.revealing]

    def isPrivate(self) -> bool:
        """
        Whether nobody on the way can read along.
        """
        return self._isTLS() or (self.insecureLoopback and _isLoopback(self._peer()))

    def loginContext(self) -> LoginContext:
        """
        Where an attempt that starts now comes from. The peer is not asked for earlier: behind a
        proxy it is the proxy's until its header has been read.
        """
        return LoginContext(self.service, self._peer(), self.isPrivate(), self.mailClient)

    def opened(self) -> None:
        """
        To be called first in C{connectionMade}.
        """
        self.flow = Flow(self, self.callLater)
        self.login = Login(self)
        if self.waitingRoom is None:
            self.waitingRoom = WaitingRoom(self.callLater)
        self.waiting = self.waitingRoom.enter(self, self._peer(), self.silence)
        if self._isTLS():
            self.waiting.handshakeBegins()

    def dataReceived(self, octets: bytes) -> None:
        """
        Read commands, until the connection is closing.
        """
        if self.flow.closing:
            return
        super().dataReceived(octets)  # type: ignore[misc]  # that of the protocol behind
        unfinished = self.unfinished()
        if unfinished:
            self.flow.arrived()
        if self.waiting is not None:
            self.waiting.hear(unfinished)

    def settled(self) -> None:
        """
        Somebody is in: the deadlines of those who wait are not his.
        """
        if self.waiting is not None:
            self.waiting.leave()
            self.waiting = None

    def closed(self) -> None:
        """
        To be called in C{connectionLost}.
        """
        self.settled()
        self.flow.lost()
        self.login.connectionLost()

    def startTLS(self, tlsContext: Any) -> None:
        """
        Begin TLS on this connection.
        """
        self.transport.startTLS(tlsContext)
        assert self.waiting is not None
        self.waiting.handshakeBegins()

    def handshakeCompleted(self) -> None:
        """
        See L{IHandshakeListener}.
        """
        assert self.waiting is not None
        self.waiting.handshakeEnds()

    def end(self, reason: str) -> None:
        """
        See L{IConnection.end}.
        """
        if self.flow.closing:
            return
        if self.waiting is not None and self.waiting.handshake is not None:
            # TLS can say nothing yet, and would wait for the handshake to end before it closes.
            self.transport.abortConnection()
            return
        self.sayGoodbye(reason.encode("ascii", "replace"))
        self.flow.close()

    def retire(self, reason: str) -> Deferred[None]:
        """
        End as soon as the client has been told what becomes of what it sent.

        @return: fires when it has ended.
        """
        self.end(reason)
        return succeed(None)

    def sayGoodbye(self, reason: bytes) -> None:
        """
        Tell the client why the connection ends, if the protocol has a way to.
        """

    def _isTLS(self) -> bool:
        return bool(ISSLTransport.providedBy(self.transport))

    def _peer(self) -> str | None:
        return getattr(self.transport.getPeer(), "host", None)


def _isLoopback(peer: str | None) -> bool:
    return peer is not None and (peer.startswith("127.") or peer == "::1")


def looksLikeHTTP(line: bytes) -> bool:
    """
    Whether a browser was led to a mail port: it would send what somebody else wrote as commands
    behind its headers (W6).
    """
    return line.partition(b" ")[0] in _HTTP_METHODS


_HTTP_METHODS = frozenset(
    {
        b"GET",
        b"HEAD",
        b"POST",
        b"PUT",
        b"DELETE",
        b"CONNECT",
        b"OPTIONS",
        b"TRACE",
        b"PATCH",
        b"PRI",
    }
)
