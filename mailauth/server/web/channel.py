"""
HTTP as the site speaks it. Owns the limits of a connection and of a request, and the one write
with which an answer leaves.

The parents look for a resource in a tree, parse queries and bodies that nobody asked them to, and
write headers and content apart: three quarters of what an answer costs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request, datetimeToString
from twisted.web.iweb import INonQueuedRequestFactory
from twisted.web.resource import IResource, Resource
from twisted.web.server import Site
from zope.interface import provider

from ...mail.unexpected import logUnexpected
from ...mail.waiting import Deadlines, WaitingRoom

MAX_BODY = 16 * 1024

MAX_SECONDS = 15.0
"""
For how many seconds a connection may be without a complete request, or not end.
"""

_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def formatHeaders(headers: Collection[tuple[bytes, bytes]]) -> bytes:
    """
    Write headers, each with its line end.

    @raise ValueError: one would end its line before its time.
    """
    lines = b"".join([b"%s: %s\r\n" % header for header in headers])
    if not lines.count(b"\r") == lines.count(b"\n") == len(headers):
        raise ValueError("a header with a line end in it")
    return lines


class BoundedChannel(HTTPChannel):
    """
    A connection with the deadlines of a L{WaitingRoom}: it waits for the next request, and only a
    complete one counts as something heard, not the octets that drip in (DS7). Nothing here takes
    its time to answer.
    """

    factory: QuietSite
    transport: Any
    deadlines: Deadlines
    _peer: Any = None
    _host: Any = None

    def connectionMade(self) -> None:
        """
        Wait for a request, and for the TLS handshake before it.
        """
        super().connectionMade()
        self._peer, self._host = self.transport.getPeer(), self.transport.getHost()
        peer = getattr(self._peer, "host", None)
        self.deadlines = self.factory.waitingRoom.enter(self, peer, MAX_SECONDS)

    def getPeer(self) -> Any:
        """
        Both ends stay the same for every request.
        """
        return self._peer

    def getHost(self) -> Any:
        """
        See L{getPeer}.
        """
        return self._host

    def requestDone(self, request: Request) -> None:
        """
        Wait for the next one.
        """
        self.deadlines.hear(False)
        super().requestDone(request)

    def loseConnection(self) -> None:
        """
        Close, whether the client does its part or not.
        """
        self.deadlines.cutOffIn(MAX_SECONDS)
        super().loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        It is gone.
        """
        self.deadlines.leave()
        super().connectionLost(reason)

    def end(self, reason: str) -> None:
        """
        See L{IConnection.end<mailauth.interfaces.IConnection.end>}. HTTP has no words for it.
        """
        self.abort()

    def retire(self, reason: str) -> Deferred[None]:
        """
        End when the request is answered, which is now.
        """
        self.end(reason)
        return succeed(None)

    def abort(self) -> None:
        """
        Cut it off.
        """
        self.transport.abortConnection()


@provider(INonQueuedRequestFactory)
class BoundedRequest(Request):
    """
    A request whose body is small: nothing here takes a large one, and the parent would spool any
    size to a file (DS10).
    """

    channel: BoundedChannel
    content: BytesIO | None = None

    def __init__(self, channel: BoundedChannel) -> None:
        super().__init__(channel)

    def gotLength(self, length: int | None) -> None:
        """
        The headers are there, and say how large the body is; C{None} if they do not.
        """
        if length is None or length > MAX_BODY:
            self.channel.transport.write(_TOO_LARGE)
            self.channel.loseConnection()
        else:
            self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """
        A part of the body. What is left of one that was refused is dropped.
        """
        if self.content is not None:
            self.content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """
        All of it is there. Have the resource of the address answer.
        """
        if self.content is None:
            return
        self.content.seek(0)
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        site = self.channel.factory
        try:
            site.resources.get(self.path, site.missing).render(self)
        except Exception:
            logUnexpected(Failure(), "HTTP")
            self.channel.abort()

    def answer(self, status: int, headers: bytes, content: bytes) -> None:
        """
        Answer, in one write. Do nothing if whoever asked has gone.

        @param headers: as L{formatHeaders} writes them, but for those about the connection and
            the length.
        @param content: the body. HEAD gets its length alone.
        """
        if self._disconnected:
            return
        self.startedWriting = 1
        self.setResponseCode(status)
        length = b"" if status in (204, 304) else b"Content-Length: %d\r\n" % len(content)
        closing = b"" if self.channel.persistent else b"Connection: close\r\n"
        said = b"" if self.method == b"HEAD" else content
        self.channel.transport.write(
            b"%s %d %s\r\nDate: %s\r\n%s%s%s\r\n%s"
            % (
                self.clientproto,
                status,
                self.code_message,
                datetimeToString(),
                length,
                closing,
                headers,
                said,
            )
        )
        self.sentLength = len(said)
        self.finish()


class QuietSite(Site):
    """
    A site that logs no requests: an address may hold a token (LG1).

    @ivar resources: which address is which resource. There is no other way to one: no part of an
        address is ever looked up by itself.
    @ivar missing: what answers at all other addresses.
    """

    noisy = False
    protocol: Any = BoundedChannel

    def __init__(
        self,
        resources: Mapping[bytes, IResource],
        missing: IResource,
        waitingRoom: WaitingRoom,
    ) -> None:
        """
        @param waitingRoom: where its connections are.
        """
        super().__init__(
            Resource(),
            requestFactory=BoundedRequest,
            timeout=None,
            parsePOSTFormSubmission=False,
        )
        self.resources = resources
        self.missing = missing
        self.waitingRoom = waitingRoom

    def acceptableProtocols(self) -> list[bytes]:
        """
        See L{IProtocolNegotiationFactory}. The parent would speak HTTP/2 where that is installed.
        """
        return [b"http/1.1"]

    def log(self, request: Request) -> None:
        """
        Write nothing.
        """
