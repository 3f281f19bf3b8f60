"""
Which address is which resource. Owns the limits of a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from ...oauth.jwt import VerifyingKey
from .documents import HealthResource, KeySetResource, Prepared, discoveryDocument
from .pages import accountPage

MAX_BODY = 16 * 1024


class BoundedRequest(Request):
    """
    A request whose body is small: nothing here takes a large one, and the parent would spool any
    size to a file (DS10).
    """

    def gotLength(self, length: int | None) -> None:
        """
        The headers are there, and say how large the body is; C{None} if they do not.
        """
        if length is None or length > MAX_BODY:
            self.channel.forceAbortClient()
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

    def acceptableProtocols(self) -> list[bytes]:
        """
        See L{IProtocolNegotiationFactory}. The limits here are those of HTTP/1.1, also where the
        parent would speak HTTP/2.
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
) -> Site:
    """
    The site of the built-in issuer.

    @param keys: what verifies now.
    @param ready: whether logins can be decided now.
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
    return QuietSite(root, requestFactory=BoundedRequest, timeout=15)


def _put(root: Resource, path: list[bytes], leaf: Resource) -> None:
    *folders, name = path
    for folder in folders:
        child = root.children.get(folder)
        if child is None:
            child = Resource()
            root.putChild(folder, child)
        root = child
    root.putChild(name, leaf)
