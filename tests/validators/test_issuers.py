"""
Validators and somebody else's issuer, over TLS on this machine: what only a connection shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, time
from typing import Any

import attrs
from twisted.internet import reactor
from twisted.internet.ssl import (
    Certificate,
    DefaultOpenSSLContextFactory,
    trustRootFromCertificates,
)
from twisted.trial.unittest import TestCase
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from mailauth.errors import InvalidToken, Outage
from mailauth.interfaces import ITokenValidator
from mailauth.oauth.jwt import makeJWKS
from mailauth.oauth.tokens import AccessToken
from mailauth.server.certificates import makeCertificates
from mailauth.validators._http import ISSUER_LIMITS, BoundedFetcher, anywhere
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.clientauthentication import ClientSecret
from mailauth.validators.discovery import Discovery
from mailauth.validators.introspection import IntrospectionValidator
from mailauth.validators.jwt import JWTValidator
from mailauth.validators.keys import FetchedKeys, StaticKeys

from ..jose import makeSigner
from .web import AUDIENCE

Page = Callable[[Request], Any]


class _Pages(Resource):
    """
    What is said at each path.

    @ivar asked: the requests.
    """

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.says: dict[bytes, Page] = {}
        self.asked: list[Request] = []

    def render(self, request: Request) -> Any:
        """
        Say it.
        """
        self.asked.append(request)
        return self.says[request.path](request)


class IssuersTestCase(TestCase):
    """
    An issuer that listens.
    """

    reactor: Any = reactor

    def setUp(self) -> None:
        """
        It has everything.
        """
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        directory = Path(temporary.name)
        makeCertificates(directory, ("localhost",))
        self.authority = trustRootFromCertificates(
            [Certificate.loadPEM((directory / "ca.pem").read_bytes())]
        )
        tls = DefaultOpenSSLContextFactory(
            str(directory / "server.key"), str(directory / "server.pem")
        )
        self.pages = _Pages()
        site = Site(self.pages)
        site.noisy = False
        port = self.reactor.listenSSL(0, site, tls, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.issuer = f"https://localhost:{port.getHost().port}"
        self.signer = makeSigner()
        self.says("/.well-known/openid-configuration", self.metadata())
        self.says("/jwks", makeJWKS([self.signer.verifyingKey]))

    def metadata(self, **members: Any) -> bytes:
        """
        What it says about itself.
        """
        return json.dumps(
            {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/jwks",
                "introspection_endpoint": f"{self.issuer}/introspect",
                **members,
            }
        ).encode()

    def says(self, path: str, said: Page | bytes) -> None:
        """
        Say this there.
        """
        self.pages.says[path.encode()] = said if callable(said) else lambda request: said

    def fetcher(self, **limits: Any) -> BoundedFetcher:
        """
        Whoever asks it, as the server makes them, with limits for somebody who does not wait.
        """
        chosen = attrs.evolve(ISSUER_LIMITS, **limits)
        return BoundedFetcher(reactor, chosen, self.authority, anywhere)

    def validator(self, path: str | None = None, **limits: Any) -> ITokenValidator:
        """
        Whoever validates its signed tokens.

        @param path: where its keys are, if the configuration says so.
        """
        fetcher = self.fetcher(**limits)
        addresses = {} if path is None else {"jwks_uri": self.issuer + path}
        discovery = Discovery(self.issuer, fetcher.get, monotonic, addresses=addresses)
        locate = partial(discovery.locate, "jwks_uri")
        keys = FetchedKeys(self.issuer, locate, fetcher.get, monotonic)
        return JWTValidator([TrustedIssuer(self.issuer, keys, frozenset({AUDIENCE}))])

    def claims(self) -> dict[str, Any]:
        """
        Those of a good token.
        """
        now = int(time())
        return {
            "iss": self.issuer,
            "sub": "alice",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 900,
        }

    async def outage(self, **limits: Any) -> str:
        """
        Whether a good token is good cannot be found out.
        """
        validating = self.validator(**limits).validate(self.signer.sign(self.claims()))
        error: Any = await self.assertFailure(validating, Outage)
        reason: str = error.reason
        return reason

    def paths(self) -> list[bytes]:
        """
        What was asked for.
        """
        return [request.path for request in self.pages.asked]


class SignedTokenTests(IssuersTestCase):
    """
    Tokens that are signed.
    """

    async def test_validated(self) -> None:
        """
        The document and the set are fetched once, and a token is good or not.
        """
        validator = self.validator()
        token = await validator.validate(self.signer.sign(self.claims()))
        self.assertIsInstance(token, AccessToken)
        forged = makeSigner(kid="forger")
        forging = validator.validate(type(forged)("1", "ES256", forged.key).sign(self.claims()))
        await self.assertFailure(forging, InvalidToken)

        self.assertEqual(self.paths(), [b"/.well-known/openid-configuration", b"/jwks"])

    async def test_redirected(self) -> None:
        """
        A set that is somewhere else is not looked for there (TK15; O 23).
        """

        def redirect(request: Request) -> bytes:
            request.redirect(b"/elsewhere")
            return b""

        self.says("/jwks", redirect)
        self.says("/elsewhere", makeJWKS([self.signer.verifyingKey]))

        self.assertIn("answered 302", await self.outage())
        self.assertNotIn(b"/elsewhere", self.paths())

    async def test_huge(self) -> None:
        """
        A set may have 256 KiB, and not one octet more (TK15; O 23).
        """
        document = makeJWKS([self.signer.verifyingKey]).ljust(256 * 1024)
        self.says("/jwks", document)
        await self.validator().validate(self.signer.sign(self.claims()))

        self.says("/jwks", document + b" ")
        self.assertIn("too large", await self.outage())

    async def test_slow(self) -> None:
        """
        A set that comes octet by octet is given up on; so is one that never comes (TK15; O 23).
        """

        def drip(request: Request) -> int:
            def more() -> None:
                if not ended:
                    request.write(b" ")
                    self.reactor.callLater(0.02, more)

            ended: list[object] = []
            request.notifyFinish().addBoth(ended.append)
            more()
            return NOT_DONE_YET

        for page in (drip, lambda request: NOT_DONE_YET):
            self.says("/jwks", page)
            self.assertIn("longer than 0.3 s", await self.outage(seconds=0.3))

    async def test_privateNetwork(self) -> None:
        """
        An issuer may be on this machine, where the administrator says so. It leads to no other
        port or address of it (TK16; O 32).
        """
        for elsewhere in ("https://127.0.0.1:1/jwks", "https://169.254.169.254/", "http://[::1]/"):
            document = self.metadata(jwks_uri=elsewhere)
            self.says("/.well-known/openid-configuration", document)
            self.assertIn("not at its own origin", await self.outage())
        self.assertEqual(self.paths(), [b"/.well-known/openid-configuration"] * 3)

    async def test_slowIssuerDelaysNobodyElse(self) -> None:
        """
        While one issuer lets a hundred logins wait, the users of another come in: each has a
        fetcher of its own.
        """
        token = self.signer.sign(self.claims())
        self.says("/slow", lambda request: NOT_DONE_YET)
        slow = self.validator("/slow", seconds=0.3)
        waiting = [slow.validate(token) for _ in range(100)]

        self.assertIsInstance(await self.validator().validate(token), AccessToken)

        for each in waiting:
            await self.assertFailure(each, Outage)


class IntrospectionTests(IssuersTestCase):
    """
    Tokens that are asked about.
    """

    def asking(self) -> IntrospectionValidator:
        """
        Whoever asks.
        """
        fetcher = self.fetcher()
        discovery = Discovery(self.issuer, fetcher.get, monotonic)
        return IntrospectionValidator(
            TrustedIssuer(self.issuer, StaticKeys([]), frozenset({AUDIENCE})),
            partial(discovery.locate, "introspection_endpoint"),
            fetcher.post,
            ClientSecret("mail", "secret"),
        )

    async def test_asked(self) -> None:
        """
        The endpoint hears who asks about what, and its answer is believed.
        """

        def introspect(request: Request) -> bytes:
            token = (request.args or {})[b"token"][0]
            ours = (request.getUser(), request.getPassword()) == (b"mail", b"secret")
            return json.dumps({"active": ours and token == b"good", **self.claims()}).encode()

        self.says("/introspect", introspect)
        validator = self.asking()

        self.assertEqual((await validator.validate(b"good")).owner, "alice")
        await self.assertFailure(validator.validate(b"bad"), InvalidToken)
        self.assertEqual(self.pages.asked[-1].getHeader("accept"), "application/json")

    async def test_crowd(self) -> None:
        """
        When a crowd of mail clients comes back at once, each with a token of its own, every one of
        these is asked about.
        """
        self.says("/introspect", json.dumps({"active": True, **self.claims()}).encode())
        validator = self.asking()
        waiting = [validator.validate(b"token-%d" % number) for number in range(50)]

        for each in waiting:
            self.assertIsInstance(await each, AccessToken)
