"""
What the three mail protocols have in common as connections: whether they are private, which
mechanisms they offer, how they wait for a login, and how they end.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IHandshakeListener, ISSLTransport
from twisted.internet.tcp import Connection
from zope.interface import implementer

from ..credentials import LoginContext
from ..interfaces import IConnection, IMechanism
from .flow import Flow
from .login import Login
from .waiting import NEVER, Deadlines, WaitingRoom

if TYPE_CHECKING:
    from twisted.cred.portal import Portal


class Offer:
    """
    What connections offer that were made with the same mechanisms.

    @ivar mechanisms: by their names, the preferred one first.
    @ivar capabilities: lines that say what can be done, by what they depend on: building one for
        each connection would cost as much as reading a token.
    """

    __slots__ = ("capabilities", "mechanisms")

    def __init__(self, mechanisms: Iterable[IMechanism]) -> None:
        self.mechanisms = {mechanism.name: mechanism for mechanism in mechanisms}
        self.capabilities: dict[Hashable, bytes] = {}


_offerOf = lru_cache(maxsize=256)(Offer)


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
    timeOut: Any = None
    _peer: str | None = None
    _encrypted = False
    _exempt = False
    _peerMayChange: bool

    deadlines: Deadlines
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
        self._offer = _offerOf(tuple(mechanisms))

    def mechanism(self, name: bytes) -> IMechanism | None:
        """
        The mechanism of that name, if there is one.
        """
        return self._offer.mechanisms.get(name)

    def offered(self) -> list[bytes]:
        """
        The names of the mechanisms that would be accepted here and now.
        """
        if self.isPrivate():
            return list(self._offer.mechanisms)
        return [
            name for name, mechanism in self._offer.mechanisms.items() if not mechanism.revealing
        ]

    def isPrivate(self) -> bool:
        """
        Whether nobody on the way can read along.
        """
        return self._encrypted or self._exempt

    def loginContext(self) -> LoginContext:
        """
        Where an attempt that starts now comes from.
        """
        return LoginContext(self.service, self._peer, self.isPrivate(), self.mailClient)

    def opened(self) -> None:
        """
        To be called first in C{connectionMade}.
        """
        if self.waitingRoom is None:
            self.waitingRoom = WaitingRoom(self.callLater)
        self._findPeer()
        self._peerMayChange = not isinstance(self.transport, Connection)
        self._encrypted = ISSLTransport.providedBy(self.transport)
        self.deadlines = self.waitingRoom.enter(self, self._peer, self.silence)
        self.flow = Flow(self, self.deadlines)
        self.login = Login(self)
        if self._encrypted:
            self.deadlines.handshakeBegins()

    def dataReceived(self, octets: bytes) -> None:
        """
        Read commands, until the connection is closing.
        """
        if self.flow.closing:
            return
        if self._peerMayChange:
            # Behind a proxy the peer is the proxy until now, when its header has been read.
            self._peerMayChange = False
            self._findPeer()
        super().dataReceived(octets)  # type: ignore[misc]  # that of the protocol behind
        unfinished = self.unfinished()
        if unfinished:
            self.flow.arrived()
        self.deadlines.hear(unfinished)

    def admitted(self, silence: float) -> None:
        """
        Somebody is in: the deadlines of those who wait are not his.

        @param silence: for how many seconds he may say nothing.
        """
        self.timeOut = silence
        self.deadlines.admit(silence)

    def setTimeout(self, period: float | None) -> float | None:
        """
        See L{TimeoutMixin<twisted.protocols.policies.TimeoutMixin>}, whose timer for each
        connection is not needed: the room has one for all.
        """
        previous: float | None = self.timeOut
        self.timeOut = period
        self.deadlines.silence = NEVER if period is None else period
        return previous

    def resetTimeout(self) -> None:
        """
        Something happens here, though the client says nothing.
        """
        self.deadlines.touch()

    def closed(self) -> None:
        """
        To be called in C{connectionLost}.
        """
        self.deadlines.leave()
        self.flow.lost()
        self.login.connectionLost()

    def startTLS(self, tlsContext: Any) -> None:
        """
        Begin TLS on this connection.
        """
        self.transport.startTLS(tlsContext)
        self._encrypted = True
        self.deadlines.handshakeBegins()

    def handshakeCompleted(self) -> None:
        """
        See L{IHandshakeListener}.
        """
        self.deadlines.handshakeEnds()

    def end(self, reason: str) -> None:
        """
        See L{IConnection.end}.
        """
        if self.flow.closing:
            return
        if self.deadlines.handshake is not None:
            # TLS can say nothing yet, and would wait for the handshake to end before it closes.
            self.abort()
            return
        self.sayGoodbye(reason.encode("ascii", "replace"))
        self.flow.close()

    def abort(self) -> None:
        """
        Cut off a peer that does not let the connection end.
        """
        self.transport.abortConnection()

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

    def _findPeer(self) -> None:
        self._peer = getattr(self.transport.getPeer(), "host", None)
        self._exempt = self.insecureLoopback and _isLoopback(self._peer)


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
