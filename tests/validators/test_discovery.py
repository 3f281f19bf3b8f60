"""
Tests for L{mailauth.validators.discovery} and L{mailauth.validators.answers}.
"""

from __future__ import annotations

from typing import Any

from mailauth.errors import Outage
from mailauth.validators._http import NotFetchable
from mailauth.validators.discovery import ADDRESSES

from .web import CONFIGURATION, GARBAGE, ISSUER, METADATA, WebTestCase, answer

OAUTH = f"{ISSUER}/.well-known/oauth-authorization-server"


class DiscoveryTests(WebTestCase):
    """
    L{Discovery<mailauth.validators.discovery.Discovery>}.
    """

    def says(self, **members: Any) -> None:
        """
        The document has these members besides, or instead; those that are C{None} it has not.
        """
        document = {**METADATA, **members}
        self.web.says[CONFIGURATION] = answer(
            {name: value for name, value in document.items() if value is not None}
        )

    def test_metadata(self) -> None:
        """
        An issuer says where its endpoints are, and what it signs with: what cannot be verified is
        left out.
        """
        metadata = self.found(self.discovery.metadata())

        self.assertEqual(metadata.addresses, {name: METADATA[name] for name in ADDRESSES})
        self.assertEqual(metadata.algorithms, {"RS256", "ES256"})
        self.assertEqual(metadata.elsewhere, frozenset())
        self.assertFalse(metadata.namesItself)
        for name in ADDRESSES:
            self.assertEqual(self.found(self.discovery.locate(name)), METADATA[name])
        self.assertEqual(self.web.count(CONFIGURATION), 1)
        self.assertEqual(self.web.asked[0].headers, {"Accept": "application/json"})

    def test_age(self) -> None:
        """
        It is known how old the document is, once there is one.
        """
        self.says()
        discovery = self.discover()
        self.assertIsNone(discovery.age())

        self.found(discovery.metadata())
        self.clock.advance(30)

        self.assertEqual(discovery.age(), 30)

    def test_namesItself(self) -> None:
        """
        Whether it names itself in its answers is exactly C{true}, or it does not.
        """
        for value, expected in ((True, True), ("true", False), (1, False)):
            self.says(authorization_response_iss_parameter_supported=value)
            metadata = self.found(self.discover().metadata())
            self.assertIs(metadata.namesItself, expected)

    def test_algorithms(self) -> None:
        """
        Algorithms that are no list of names are none.
        """
        for value in (None, "ES256x", 7, ["ES256", 7], [["ES256"]]):
            self.says(id_token_signing_alg_values_supported=value)
            self.assertEqual(self.found(self.discover().metadata()).algorithms, frozenset())

    def test_otherIssuer(self) -> None:
        """
        A document is that of the issuer octet for octet, or it is none (TK5; O 32).
        """
        for issuer in (
            f"{ISSUER}/",
            ISSUER.upper(),
            "https://issuer.exampl",
            "https://evil.example",
            "http://issuer.example",
            [ISSUER],
            {"0": ISSUER},
            "",
            None,
        ):
            self.says(issuer=issuer)
            reason = self.outage(self.discover().locate("jwks_uri"))
            self.assertIn("of another issuer", reason)

    def test_otherOrigin(self) -> None:
        """
        What a document names at another origin, or in the private network, is not called; the rest
        of it is believed (TK16; O 32).
        """
        for address in (
            "https://evil.example/jwks",
            "https://169.254.169.254/latest/meta-data/",
            "https://[fe80::1]/jwks",
            "https://localhost/jwks",
            "https://127.0.0.1/jwks",
            "http://issuer.example/jwks",
            "https://issuer.example:8443/jwks",
            "https://issuer.example.evil.example/jwks",
            "https://issuer.example@evil.example/jwks",
            "https://issuer.example:x@evil.example/jwks",
            "https://issuer.example\\@evil.example/jwks",
            "https://ISSUER.example/jwks",
            "https://issuer.example?/jwks",
            "https://issuer.example#/jwks",
            "https://issuer.example/a b",
            "https://issuer.example/\r\nHost: evil.example",
            "https://issuer.example/\u00e4",
            "//issuer.example/jwks",
            "/jwks",
            "file:///etc/passwd",
            "gopher://issuer.example/jwks",
            " https://issuer.example/jwks",
            "",
            7,
            [f"{ISSUER}/jwks"],
        ):
            self.says(jwks_uri=address)
            discovery = self.discover()
            self.assertIn("configuration", self.outage(discovery.locate("jwks_uri")))
            token = self.found(discovery.locate("token_endpoint"))
            self.assertEqual(token, METADATA["token_endpoint"])
            self.assertEqual(self.found(discovery.metadata()).elsewhere, {"jwks_uri"})

        self.assertEqual({asked.address for asked in self.web.asked}, {CONFIGURATION})

    def test_configured(self) -> None:
        """
        What the configuration names is where it says, whatever the document says, which needs not
        even be there.
        """
        keys = "https://keys.example/jwks"
        discovery = self.discover(addresses={"jwks_uri": keys, "tokeninfo": "https://a.example/"})
        self.assertEqual(self.found(discovery.locate("jwks_uri")), keys)
        self.assertEqual(self.found(discovery.locate("tokeninfo")), "https://a.example/")
        self.assertEqual(self.web.asked, [])

        self.says(jwks_uri="https://evil.example/jwks")
        metadata = self.found(discovery.metadata())
        self.assertEqual(metadata.addresses["jwks_uri"], keys)
        self.assertEqual(metadata.elsewhere, frozenset())

    def test_missing(self) -> None:
        """
        An endpoint that the document does not name cannot be called.
        """
        self.says(introspection_endpoint=None)

        reason = self.outage(self.discovery.locate("introspection_endpoint"))
        self.assertEqual(reason, f"{ISSUER} says of no introspection_endpoint")
        self.outage(self.discovery.locate("tokeninfo"))

    def test_fallback(self) -> None:
        """
        An issuer without OpenID Connect has its document elsewhere (RFC 8414 section 3).
        """
        for status in (400, 403, 404, 410):
            self.web.says = {
                CONFIGURATION: answer(status=status),
                OAUTH: answer(METADATA),
            }
            self.assertEqual(self.found(self.discover().locate("jwks_uri")), METADATA["jwks_uri"])

    def test_noFallback(self) -> None:
        """
        One that fails, redirects or lies is not asked elsewhere.
        """
        for status in (204, 301, 302, 304, 307, 429, 500, 503):
            self.web.says[CONFIGURATION] = answer(METADATA, status, Location=OAUTH)
            self.outage(self.discover().locate("jwks_uri"))
        self.says(issuer="https://evil.example")
        self.outage(self.discover().locate("jwks_uri"))

        self.assertEqual(self.web.count(OAUTH), 0)

    def test_path(self) -> None:
        """
        An issuer with a path has the one document behind it and the other before it.
        """
        issuer = f"{ISSUER}/realms/mail"
        self.outage(self.discover(issuer).metadata())

        self.assertEqual(
            [asked.address for asked in self.web.asked],
            [f"{issuer}/.well-known/openid-configuration", f"{OAUTH}/realms/mail"],
        )

    def test_document(self) -> None:
        """
        The configuration may say where the document is. That makes nobody else's addresses good.
        """
        document = "https://elsewhere.example/configuration"
        self.web.says[document] = answer({**METADATA, "jwks_uri": "https://elsewhere.example/jwks"})
        discovery = self.discover(document=document)

        self.assertEqual(self.found(discovery.locate("token_endpoint")), f"{ISSUER}/token")
        self.outage(discovery.locate("jwks_uri"))
        self.assertEqual(self.web.count(CONFIGURATION), 0)

    def test_garbage(self) -> None:
        """
        Ten kinds of what is no document are an outage, and leave the last good one as it was
        (TK15).
        """
        good = self.web.says[CONFIGURATION]
        for kind, content in GARBAGE.items():
            self.web.says[CONFIGURATION] = answer(content)
            self.outage(self.discover().locate("jwks_uri"))

            self.web.says[CONFIGURATION] = good
            discovery = self.discover()
            self.found(discovery.metadata())
            self.web.says[CONFIGURATION] = answer(content)
            self.clock.advance(3600)
            located = self.found(discovery.locate("jwks_uri"))
            self.assertEqual(located, METADATA["jwks_uri"], kind)

    def test_notFetchable(self) -> None:
        """
        What is too large or cannot be reached is an outage.
        """
        for error in (NotFetchable("it is too large"), Outage("down")):
            self.web.says[CONFIGURATION] = error
            self.outage(self.discover().metadata())

    def test_anyType(self) -> None:
        """
        What a document is sent as does not matter (O 23).
        """
        for type in ("text/html", "application/octet-stream", ""):
            self.web.says[CONFIGURATION] = answer(METADATA, Content_Type=type)
            self.found(self.discover().metadata())

    def test_maxAge(self) -> None:
        """
        It is fetched again when its sender says.
        """
        self.web.says[CONFIGURATION] = answer(METADATA, Cache_Control="max-age=100")
        for advance, fetches in ((0, 1), (79, 1), (1, 2), (79, 2), (1, 3)):
            self.clock.advance(advance)
            self.found(self.discovery.metadata())
            self.assertEqual(self.web.count(CONFIGURATION), fetches)
