"""
Tests for L{mailauth.oauth.assertions}.
"""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.assertions import (
    MAX_JTI,
    MAX_LIFETIME,
    Assertion,
    claimedClient,
    verifyAssertion,
)
from mailauth.oauth.jwt import makeJWKS
from mailauth.oauth.records import Client
from mailauth.oauth.responses import OAuthError, invalidClient
from mailauth.oauth.tokens import LEEWAY

from ..jose import compact, makeSigner

NOW = 1000.0
ISSUER = "https://login.example"

KEYS = [makeSigner("ES256", "1"), makeSigner("RS256", "2"), makeSigner("EdDSA", "3")]
CLIENT = Client(
    "webmail",
    authMethod="private_key_jwt",
    jwks=makeJWKS([signer.verifyingKey for signer in KEYS]).decode(),
)


def makeAssertion(
    header: dict[str, Any] | None = None, algorithm: str = "ES256", kid: str = "1", **claims: Any
) -> str:
    """
    The usual assertion, but for these members of the header and these claims; what is C{None} is
    left out.
    """
    members = {"alg": algorithm, "kid": kid, **(header or {})}
    payload = {
        "iss": "webmail",
        "sub": "webmail",
        "aud": ISSUER,
        "exp": NOW + 60,
        "iat": NOW,
        "jti": "1",
        **claims,
    }
    octets = compact(
        makeSigner(algorithm, kid),
        {name: value for name, value in members.items() if value is not None},
        {name: value for name, value in payload.items() if value is not None},
    )
    return octets.decode("ascii")


class AssertionTests(SynchronousTestCase):
    """
    C{private_key_jwt}.
    """

    def verify(self, assertion: str, client: Client = CLIENT, now: float = NOW) -> Assertion:
        """
        Verify an assertion of the usual client.
        """
        return verifyAssertion(assertion, client, ISSUER, now)

    def assertRefused(self, assertion: str, client: Client = CLIENT) -> None:
        """
        It proves nothing, and the answer is that to everybody who proves nothing.
        """
        error = self.assertRaises(OAuthError, self.verify, assertion, client)
        self.assertEqual(invalidClient("").members(), error.members())
        self.assertNotEqual(error.description, error.reason)

    def test_accepted(self) -> None:
        """
        Each of the client's keys will do, with or without the type of RFC 7523bis (O 68).
        """
        for signer in KEYS:
            assertion = makeAssertion(algorithm=signer.algorithm, kid=signer.kid)
            self.assertEqual(Assertion("1", NOW + 60 + LEEWAY), self.verify(assertion))
        for type in ("JWT", "client-authentication+jwt", None):
            self.verify(makeAssertion({"typ": type}))

    def test_claimedClient(self) -> None:
        """
        Before anything is verified, it says whom to look for.
        """
        self.assertEqual("other", claimedClient(makeAssertion(sub="other")))
        for subject in (None, 1, ["webmail"]):
            self.assertRaises(OAuthError, claimedClient, makeAssertion(sub=subject))
        self.assertRaises(OAuthError, claimedClient, "x")

    def test_client(self) -> None:
        """
        It is the client's own word about itself (O 68).
        """
        for name in ("iss", "sub"):
            for other in ("other", "webmail ", "WEBMAIL", "", None, 1, ["webmail"]):
                claims: dict[str, Any] = {name: other}
                self.assertRefused(makeAssertion(**claims))
        self.assertRefused(makeAssertion(), attrs.evolve(CLIENT, clientId="other"))

    def test_audience(self) -> None:
        """
        It is for this issuer alone: neither for one of its endpoints nor for a list, be it of one
        (O 68).
        """
        for audience in (
            [ISSUER],
            [ISSUER, "https://other.example"],
            f"{ISSUER}/",
            f"{ISSUER}/token",
            "https://other.example",
            "HTTPS://login.example",
            "",
            None,
            1,
        ):
            self.assertRefused(makeAssertion(aud=audience))

    def test_window(self) -> None:
        """
        It is good now, and for five minutes at most (O 68).
        """
        good: list[dict[str, Any]] = [
            {"exp": NOW - LEEWAY + 1},
            {"exp": NOW + MAX_LIFETIME + LEEWAY},
            {"iat": None},
            {"iat": NOW + LEEWAY},
            {"nbf": NOW + LEEWAY},
            {"iat": NOW - 86400},
        ]
        for claims in good:
            self.verify(makeAssertion(**claims))
        refused: list[dict[str, Any]] = [
            {"exp": NOW - LEEWAY},
            {"exp": NOW + MAX_LIFETIME + LEEWAY + 1},
            {"exp": 10**400},
            {"exp": str(NOW)},
            {"exp": True},
            {"exp": None},
            {"iat": NOW + LEEWAY + 1},
            {"iat": "now"},
            {"nbf": NOW + LEEWAY + 1},
            {"nbf": float("inf")},
        ]
        for claims in refused:
            self.assertRefused(makeAssertion(**claims))

    def test_expires(self) -> None:
        """
        Whoever remembers it until it expires has seen every replay (OA5; O 68).
        """
        assertion = makeAssertion(exp=NOW + MAX_LIFETIME)

        expires = self.verify(assertion).expires

        self.verify(assertion, now=expires - 1)
        self.assertRaises(OAuthError, self.verify, assertion, now=expires)

    def test_jti(self) -> None:
        """
        It has an id, by which it is known when it comes again (OA5; O 68).
        """
        self.assertEqual("x" * MAX_JTI, self.verify(makeAssertion(jti="x" * MAX_JTI)).jti)
        for other in (None, "", "x" * (MAX_JTI + 1), "a\nb", "\ud800", 1, ["1"]):
            self.assertRefused(makeAssertion(jti=other))

    def test_algorithm(self) -> None:
        """
        Its algorithm is one of the key that it names, and never one with a secret (TK1, TK2, TK4;
        O 68).
        """
        for algorithm in ("none", "HS256", "RS256", "EdDSA", "ES384", "es256", "", None, 1):
            self.assertRefused(makeAssertion({"alg": algorithm}))

    def test_key(self) -> None:
        """
        Its key is one that the client registered, and the one that it names (TK3; O 68).
        """
        self.assertRefused(makeAssertion({"kid": "2"}))
        self.assertRefused(makeAssertion({"kid": "4"}))
        self.assertRefused(makeAssertion({"kid": 1}))
        self.assertRefused(makeAssertion(kid="4"))
        self.assertRefused(makeAssertion(), attrs.evolve(CLIENT, jwks=None))
        self.assertRefused(makeAssertion(), attrs.evolve(CLIENT, jwks='{"keys": []}'))
        self.assertRefused(makeAssertion(), attrs.evolve(CLIENT, jwks="{}"))

    def test_unnamedKey(self) -> None:
        """
        It need not name the key where there is one only for the algorithm.
        """
        self.verify(makeAssertion({"kid": None}))
        two = makeJWKS([makeSigner("ES256", kid).verifyingKey for kid in ("1", "4")]).decode()
        self.assertRefused(makeAssertion({"kid": None}), attrs.evolve(CLIENT, jwks=two))

    def test_type(self) -> None:
        """
        No other token of the client's, and none of ours, is an assertion (TK12).
        """
        for type in ("at+jwt", "dpop+jwt", "logout+jwt", "jwt", "", 1, ["JWT"]):
            self.assertRefused(makeAssertion({"typ": type}))

    def test_headers(self) -> None:
        """
        What would change its meaning is refused (TK6).
        """
        for name in ("crit", "b64", "zip"):
            self.assertRefused(makeAssertion({name: ["x"]}))

    def test_tampered(self) -> None:
        """
        What was signed is what is read.
        """
        header, _, signature = makeAssertion().split(".")
        _, claims, _ = makeAssertion(jti="2").split(".")

        self.assertRefused(f"{header}.{claims}.{signature}")

    @given(st.text() | st.text().map(lambda text: makeAssertion() + text + "x"))
    def test_anyText(self, text: str) -> None:
        """
        Whatever comes proves nothing.
        """
        self.assertRefused(text)
