"""
The documents that describe the built-in issuer: metadata, its key set, and whether it is up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from ...oauth.jwt import VerifyingKey, makeJWKS
from ...oauth.metadata import (
    AUTHORIZATION_SERVER,
    OPENID_CONFIGURATION,
    PROTECTED_RESOURCE,
    authorizationServerMetadata,
    protectedResourceMetadata,
    wellKnownPath,
)
from ...oauth.responses import writeJSON
from ...scopes import KNOWN_SCOPES
from ..issuersettings import IssuerSettings
from .channel import BoundedRequest, formatHeaders

JSON = b"application/json"

_READABLE = ((b"Access-Control-Allow-Origin", b"*"),)


class ReadOnly(Resource):
    """
    Something to get, and nothing to do.
    """

    isLeaf = True

    def render(self, request: Any) -> Any:
        """
        Answer to GET and HEAD. The parent calls every other method but POST a lack of the server's.
        """
        if request.method in (b"GET", b"HEAD"):
            self.get(request)
        else:
            request.answer(405, b"Allow: GET, HEAD\r\n", b"")
        return NOT_DONE_YET

    def get(self, request: BoundedRequest) -> None:
        """
        Answer with it.
        """
        raise NotImplementedError


class Prepared(ReadOnly):
    """
    Octets that were made before somebody asks for them.
    """

    def __init__(
        self,
        content: bytes,
        type: bytes,
        maxAge: int = 300,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        """
        @param type: the media type.
        @param maxAge: for how many seconds it may be kept.
        @param headers: others that it has.
        """
        super().__init__()
        self._headers = (
            (b"Content-Type", type),
            (b"Cache-Control", b"max-age=%d" % maxAge),
            (b"X-Content-Type-Options", b"nosniff"),
            *headers,
        )
        self.set(content)

    def set(self, content: bytes) -> None:
        """
        Answer with other octets from now on.
        """
        self._content = content
        self._tag = b'"%s"' % sha256(content).hexdigest()[:32].encode("ascii")
        self._head = formatHeaders((*self._headers, (b"ETag", self._tag)))

    def get(self, request: BoundedRequest) -> None:
        """
        Answer with them, unless whoever asks has them (RFC 9110 section 13.1.2).
        """
        held = request.requestHeaders.getRawHeaders(b"if-none-match")
        if held is not None and _holds(held, self._tag):
            request.answer(304, self._head, b"")
        else:
            request.answer(200, self._head, self._content)


def _holds(held: Iterable[bytes], tag: bytes) -> bool:
    tags = [each.strip().removeprefix(b"W/") for line in held for each in line.split(b",")]
    return tag in tags or b"*" in tags


class OfKeys(Prepared):
    """
    A document that is made of the keys there are.
    """

    def __init__(self, keys: Callable[[], tuple[VerifyingKey, ...]]) -> None:
        """
        @param keys: what verifies now; the same tuple while it is the same.
        """
        self._keys = keys
        self._made = keys()
        super().__init__(self.make(self._made), JSON, headers=_READABLE)

    def make(self, keys: tuple[VerifyingKey, ...]) -> bytes:
        """
        The document.
        """
        raise NotImplementedError

    def get(self, request: BoundedRequest) -> None:
        """
        Answer with what is true now.
        """
        keys = self._keys()
        if keys is not self._made:
            self._made = keys
            self.set(self.make(keys))
        super().get(request)


class KeySetResource(OfKeys):
    """
    The public halves of the issuer's keys (RFC 7517 section 5).
    """

    def make(self, keys: tuple[VerifyingKey, ...]) -> bytes:
        """
        The key set.
        """
        return makeJWKS(keys)


class MetadataResource(OfKeys):
    """
    What the issuer says about itself (RFC 8414 section 3, OpenID Connect Discovery 1.0 section 4).
    """

    def __init__(
        self,
        issuer: str,
        settings: IssuerSettings,
        keys: Callable[[], tuple[VerifyingKey, ...]],
    ) -> None:
        """
        @param keys: see L{OfKeys.__init__}.
        """
        self._issuer = issuer
        self._settings = settings
        super().__init__(keys)

    def make(self, keys: tuple[VerifyingKey, ...]) -> bytes:
        """
        The metadata.
        """
        return writeJSON(
            authorizationServerMetadata(
                self._issuer,
                KNOWN_SCOPES,
                {algorithm for key in keys for algorithm in key.algorithms},
                self._settings.openRegistration,
                self._settings.clientDocuments,
            )
        )


class HealthResource(ReadOnly):
    """
    Whether something holds: 200, or 503.
    """

    def __init__(self, holds: Callable[[], bool]) -> None:
        super().__init__()
        self._holds = holds

    def get(self, request: BoundedRequest) -> None:
        """
        Answer in one word.
        """
        headers = formatHeaders(((b"Content-Type", b"text/plain"), (b"Cache-Control", b"no-store")))
        if self._holds():
            request.answer(200, headers, b"ok\n")
        else:
            request.answer(503, headers, b"unavailable\n")


def documentsByAddress(
    issuer: str,
    settings: IssuerSettings,
    keys: Callable[[], tuple[VerifyingKey, ...]],
    ready: Callable[[], bool],
) -> dict[str, IResource]:
    """
    What describes the issuer and the server, by their paths.

    @param keys: what verifies now.
    @param ready: whether logins can be decided now.
    """
    server = MetadataResource(issuer, settings, keys)
    # Here and in the key set nothing is anybody's own, so that scripts of any site may read it.
    resource = Prepared(
        writeJSON(protectedResourceMetadata(issuer, issuer, KNOWN_SCOPES)), JSON, headers=_READABLE
    )
    return {
        wellKnownPath(issuer, OPENID_CONFIGURATION): server,
        wellKnownPath(issuer, AUTHORIZATION_SERVER): server,
        wellKnownPath(issuer, PROTECTED_RESOURCE): resource,
        f"{urlsplit(issuer).path.rstrip('/')}/jwks.json": KeySetResource(keys),
        "/healthz": HealthResource(lambda: True),
        "/readyz": HealthResource(ready),
    }
