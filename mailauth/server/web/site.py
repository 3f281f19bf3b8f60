"""
Which address is which resource. Owns the limits of a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from ...mail.waiting import Deadlines, WaitingRoom
from ...oauth.jwt import VerifyingKey
from .documents import HealthResource, KeySetResource, Prepared, discoveryDocument
from .pages import accountPage

MAX_BODY = 16 * 1024

MAX_SECONDS = 15.0
"""
For how many seconds a connection may be without a complete request, or not end.
"""


class BoundedChannel(http.HTTPChannel):
    """
    A connection with the deadlines of a L{WaitingRoom}: it waits for the next request, and only a
    complete one counts as something heard, not the octets that drip in (DS7). Nothing here takes
    its time to answer.
    """

    factory: QuietSite
    transport: Any
    deadlines: Deadlines

    def connectionMade(self) -> None:
        """
        Wait for a request, and for the TLS handshake before it.
        """
        super().connectionMade()
        peer = getattr(self.transport.getPeer(), "host", None)
        self.deadlines = self.factory.waitingRoom.enter(self, peer, MAX_SECONDS)

    def requestDone(self, request: http.Request) -> None:
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


class BoundedRequest(Request):
    """
    A request whose body is small: nothing here takes a large one, and the parent would spool any
    size to a file (DS10).
    """

    channel: BoundedChannel

    def gotLength(self, length: int | None) -> None:
        """
        The headers are there, and say how large the body is; C{None} if they do not.
        """
        if length is None or length > MAX_BODY:
            self.channel.abort()
            return
        super().gotLength(length)

    def write(self, data: bytes) -> None:
        """
        Say nothing about the software.
        """
        self.responseHeaders.removeHeader(b"server")
        super().write(data)


class QuietSite(Site):
    """
    A site that logs no requests: an address may hold a token (LG1).
    """

    noisy = False
    protocol: Any = BoundedChannel

    def __init__(self, root: Resource, waitingRoom: WaitingRoom) -> None:
        """
        @param waitingRoom: where its connections are.
        """
        super().__init__(root, requestFactory=BoundedRequest, timeout=None)
        self.waitingRoom = waitingRoom

    def acceptableProtocols(self) -> list[bytes]:
        """
        See L{IProtocolNegotiationFactory}. The parent would speak HTTP/2 where that is installed.
        """
        return [b"http/1.1"]

    def log(self, request: http.Request) -> None:
        """
        Write nothing.
        """


def makeSite(
    issuer: str,
    hostname: str,
    scopes: Iterable[str],
    keys: Callable[[], Iterable[VerifyingKey]],
    ready: Callable[[], bool],
    waitingRoom: WaitingRoom,
) -> Site:
    """
    The site of the built-in issuer.

    @param keys: what verifies now.
    @param ready: whether logins can be decided now.
    @param waitingRoom: where its connections are.
    """
    root = Resource()
    # An issuer with a path has its documents behind that path (OpenID Connect Discovery 1.0
    # section 4) and, for RFC 8414, with the path behind the well-known part (section 3.1).
    path = [part.encode("ascii") for part in urlsplit(issuer).path.split("/") if part]
    document = Prepared(discoveryDocument(issuer, scopes), b"application/json")
    _put(root, [*path, b".well-known", b"openid-configuration"], document)
    _put(root, [b".well-known", b"oauth-authorization-server", *path], document)
    _put(root, [*path, b"jwks.json"], KeySetResource(keys))
    _put(root, [*path, b"account"], accountPage(hostname))
    _put(root, [b"healthz"], HealthResource(lambda: True))
    _put(root, [b"readyz"], HealthResource(ready))
    return QuietSite(root, waitingRoom)


def _put(root: Resource, path: list[bytes], leaf: Resource) -> None:
    *folders, name = path
    for folder in folders:
        child = root.children.get(folder)
        if child is None:
            child = Resource()
            root.putChild(folder, child)
        root = child
    root.putChild(name, leaf)
