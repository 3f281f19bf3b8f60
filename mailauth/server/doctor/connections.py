"""
A connection to a server that may be anything. Owns how long it may take, how much is heard, and
why it failed, in plain words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import (
    ConnectError,
    ConnectionClosed,
    ConnectionRefusedError,
    DNSLookupError,
    TimeoutError,
)
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from ...errors import Outage
from .certificates import CuriousTLS, SeenCertificate
from .network import Network, isHost

T = TypeVar("T")

SECONDS = 20.0
"""
How long a conversation may take.
"""

MAX_LINES = 500

NO_ADDRESS = "its name has no address"
"""
The reason of an outage that may be none.
"""


class Unexpected(Exception):
    """
    Whatever answers there, it is not what programs talk to. The message says why.
    """


async def within(network: Network, work: Coroutine[Any, Any, T]) -> T:
    """
    Do something that may take L{SECONDS}.

    @raise Outage: it takes longer.
    """
    return await Deferred.fromCoroutine(work).addTimeout(SECONDS, network.clock, _tooSlow)


async def lookAt(network: Network, trustRoot: Any, host: str, port: int) -> SeenCertificate:
    """
    What a server shows where TLS begins at once.

    @raise Outage: it cannot be reached.
    @raise Unexpected: nobody speaks TLS there.
    """

    async def look() -> SeenCertificate:
        line = await connect(network, trustRoot, host, port, implicitTLS=True)
        try:
            return await line.secured()
        finally:
            line.abort()

    return await within(network, look())


async def connect(
    network: Network, trustRoot: Any, host: str, port: int, implicitTLS: bool
) -> Line:
    """
    Connect to a server.

    @raise Outage: that cannot be done.
    @raise Unexpected: there can be no such server.
    """
    if not isHost(host):
        raise Unexpected("there can be no such host")
    endpoint: Any = HostnameEndpoint(network, host, port, timeout=SECONDS)
    creator = CuriousTLS(host, trustRoot)
    if implicitTLS:
        endpoint = wrapClientTLS(creator, endpoint)
    try:
        line: Line = await endpoint.connect(Factory.forProtocol(Line))
    except (ConnectError, DNSLookupError, ConnectionClosed) as error:
        raise Outage(_whyNot(error)) from None
    line.creator = creator
    return line


@implementer(IHandshakeListener)
class Line(LineReceiver):
    """
    A connection that is read line by line, as far as somebody wants to hear.
    """

    MAX_LENGTH = 16 * 1024
    transport: Any
    creator: CuriousTLS

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._left = MAX_LINES
        self._waiting: Deferred[None] | None = None
        self._private = False
        self._ended: BaseException | None = None

    def say(self, line: bytes) -> None:
        """
        Say a line.
        """
        self.sendLine(line)

    async def hear(self) -> bytes:
        """
        The next line.

        @raise Outage: there is none.
        @raise Unexpected: nor will there be one.
        """
        while not self._lines:
            await self._wait()
        return self._lines.popleft()

    def startTLS(self, creator: CuriousTLS) -> None:
        """
        Begin TLS. What was said in clear behind the answer is not believed.
        """
        self.creator = creator
        self._lines.clear()
        self.clearLineBuffer()
        self.transport.startTLS(creator)

    async def secured(self) -> SeenCertificate:
        """
        Wait for TLS.

        @return: the certificate that was shown.
        @raise Outage: it does not come about.
        @raise Unexpected: nobody speaks TLS there.
        """
        while not self._private:
            await self._wait()
        return self.creator.seen()

    def abort(self) -> None:
        """
        Leave.
        """
        self.transport.abortConnection()

    def handshakeCompleted(self) -> None:
        """
        See L{IHandshakeListener}.
        """
        self._private = True
        self._wake()

    def lineReceived(self, line: bytes) -> None:
        """
        There is a line.
        """
        self._left -= 1
        if self._left < 0:
            self.abort()
            return
        self._lines.append(line)
        self._wake()

    def lineLengthExceeded(self, line: bytes) -> None:
        """
        That is no line of a mail server.
        """
        self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        It is over.
        """
        self._ended = reason.value
        self._wake()

    async def _wait(self) -> None:
        """
        Wait until something happens.
        """
        if isinstance(self._ended, SSL.Error):
            raise Unexpected("TLS does not begin there")
        if self._ended is not None:
            raise Outage(_whyNot(self._ended))
        self._waiting = Deferred()
        await self._waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)


def _whyNot(error: BaseException) -> str:
    """
    Why a connection failed, in plain words.
    """
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    return f"the connection failed ({type(error).__name__})"


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (DNSLookupError, NO_ADDRESS),
    (ConnectionRefusedError, "the connection is refused"),
    (TimeoutError, "nobody answers"),
    (ConnectionClosed, "it closed the connection"),
    (ConnectError, "there is no way there"),
)


def _tooSlow(result: object, seconds: float) -> NoReturn:
    raise Outage(f"it took longer than {seconds:g} s")
