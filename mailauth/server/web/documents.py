"""
The documents that describe the built-in issuer: discovery, its key set, and whether it is up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from twisted.web.http import Request
from twisted.web.resource import Resource

from ...oauth.jwt import VerifyingKey, makeJWKS


class ReadOnly(Resource):
    """
    Something to get, and nothing to do.
    """

    isLeaf = True

    def render(self, request: Request) -> Any:
        """
        Answer to GET and HEAD. The parent calls every other method but POST a lack of the server's.
        """
        if request.method in (b"GET", b"HEAD"):
            return super().render(request)
        request.setResponseCode(405)
        request.setHeader(b"Allow", b"GET, HEAD")
        return b""


class Prepared(ReadOnly):
    """
    Octets that were made when the service started.
    """

    def __init__(self, content: bytes, type: bytes, maxAge: int = 300) -> None:
        """
        @param type: the media type.
        @param maxAge: for how many seconds it may be kept.
        """
        super().__init__()
        self._content = content
        self._type = type
        self._maxAge = maxAge

    def render_GET(self, request: Request) -> bytes:
        """
        Answer with it.
        """
        request.setHeader(b"Content-Type", self._type)
        request.setHeader(b"Cache-Control", b"max-age=%d" % self._maxAge)
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        return self._content


class KeySetResource(ReadOnly):
    """
    The public halves of the issuer's keys (RFC 7517 section 5).
    """

    def __init__(self, keys: Callable[[], Iterable[VerifyingKey]]) -> None:
        super().__init__()
        self._keys = keys

    def render_GET(self, request: Request) -> bytes:
        """
        Answer with what verifies now.
        """
        request.setHeader(b"Content-Type", b"application/json")
        request.setHeader(b"Cache-Control", b"max-age=300")
        return makeJWKS(self._keys())


class HealthResource(ReadOnly):
    """
    Whether something holds: 200, or 503.
    """

    def __init__(self, holds: Callable[[], bool]) -> None:
        super().__init__()
        self._holds = holds

    def render_GET(self, request: Request) -> bytes:
        """
        Answer in one word.
        """
        request.setHeader(b"Content-Type", b"text/plain")
        request.setHeader(b"Cache-Control", b"no-store")
        if self._holds():
            return b"ok\n"
        request.setResponseCode(503)
        return b"unavailable\n"


def discoveryDocument(issuer: str, scopes: Iterable[str]) -> bytes:
    """
    The metadata of an issuer whose tokens are handed out by an administrator: there is a key set to
    verify them with, and no endpoint to ask for one (RFC 8414 section 2).
    """
    base = issuer.rstrip("/")
    return json.dumps(
        {
            "issuer": issuer,
            "jwks_uri": f"{base}/jwks.json",
            "scopes_supported": sorted(scopes),
            "response_types_supported": [],
            "grant_types_supported": [],
        }
    ).encode("ascii")
