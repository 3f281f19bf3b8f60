"""
Somebody else's authorization server, on this machine.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from mailauth.server.certificates import makeCertificates
from mailauth.testing.issuer import MemoryIssuer

from .deployment import makeDirectory

CLIENT, SECRET = "mailauth", "a secret"


class OtherIssuer:
    """
    Describes itself, publishes its keys, and says what opaque tokens are.

    @ivar url: its C{iss}.
    @ivar tokens: makes signed ones.
    @ivar opaque: what each opaque one means.
    @ivar asked: those that it was asked about.
    @ivar authority: the certificate of whoever vouches for it, in PEM.
    @ivar waiting: what it will answer, and to whom, once it L{speaks<speak>}; C{None} if it is not
        slow at all.
    """

    def __init__(self, test: TestCase, reactor: Any) -> None:
        directory = makeDirectory(test)
        makeCertificates(directory, ("localhost",))
        self.authority = (directory / "ca.pem").read_bytes()
        self.opaque: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.waiting: list[tuple[Request, bytes]] | None = None
        tls = DefaultOpenSSLContextFactory(
            str(directory / "server.key"), str(directory / "server.pem")
        )
        self._port = reactor.listenSSL(0, Site(_Root(self)), tls, interface="127.0.0.1")
        test.addCleanup(self.stop)
        self.tokens = MemoryIssuer(f"https://localhost:{self._port.getHost().port}", "mail")
        self.url = self.tokens.issuer

    async def stop(self) -> None:
        """
        Answer nobody any more.
        """
        await maybeDeferred(self._port.stopListening)

    def speak(self) -> None:
        """
        Answer whoever waits.
        """
        waiting, self.waiting = self.waiting or [], None
        for request, content in waiting:
            request.write(content)
            request.finish()

    def answer(self, path: str, request: Request) -> Any:
        """
        What is at a path; C{None} if nothing is.
        """
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/jwks",
                "introspection_endpoint": f"{self.url}/introspect",
            }
        if path == "/jwks":
            return json.loads(self.tokens.jwks())
        if path == "/introspect":
            proof = b64encode(f"{CLIENT}:{SECRET.replace(' ', '+')}".encode()).decode()
            if request.getHeader("authorization") != f"Basic {proof}":
                return None
            token = request.args[b"token"][0].decode()
            self.asked.append(token)
            return self.opaque.get(token, {"active": False})
        # Google's way.
        if path == "/tokeninfo":
            return self.opaque[request.args[b"access_token"][0].decode()]
        if path == "/userinfo":
            return self.opaque[(request.getHeader("authorization") or "").removeprefix("Bearer ")]
        return None


class _Root(Resource):
    isLeaf = True

    def __init__(self, issuer: OtherIssuer) -> None:
        super().__init__()
        self.issuer = issuer

    def render(self, request: Request) -> bytes | int:
        """
        Answer in JSON.
        """
        said = self.issuer.answer(request.path.decode(), request)
        if said is None:
            request.setResponseCode(401)
            return b""
        content = json.dumps(said).encode()
        if self.issuer.waiting is None:
            return content
        self.issuer.waiting.append((request, content))
        return NOT_DONE_YET
