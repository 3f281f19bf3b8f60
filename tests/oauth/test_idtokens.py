"""
Tests for L{mailauth.oauth.idtokens}.
"""

from __future__ import annotations

from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.idtokens import (
    LIFETIME,
    TYPE,
    IDTokenHint,
    idTokenClaims,
    readHint,
    refusedHint,
)
from mailauth.oauth.jwt import Signer, parseToken, verifySignature
from mailauth.oauth.records import Authentication, Grant
from mailauth.oauth.responses import OAuthError

from ..jose import makeSigner

NOW = 1000.5
ISSUER = "https://login.example"
SIGNER = makeSigner()

GRANT = Grant(
    "grant",
    Authentication("alice@example.test", 900.5, frozenset({"pwd", "otp"}), "session"),
    "webmail",
    frozenset({"openid"}),
)

# OpenID Connect Core 1.0 appendix A.3: an access token and its at_hash.
ACCESS_TOKEN = b"jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
AT_HASH = "77QmUPtjPfzWtF2AnpK9RQ"


class ClaimsTests(SynchronousTestCase):
    """
    What is written.
    """

    def test_claims(self) -> None:
        """
        It says who signed in, when, how and in which browser session, to one client, beside one
        access token.
        """
        self.assertEqual(
            {
                "iss": ISSUER,
                "sub": "alice@example.test",
                "aud": "webmail",
                "azp": "webmail",
                "exp": 1000 + LIFETIME,
                "iat": 1000,
                "auth_time": 900,
                "nonce": "n-0S6_WzA2Mj",
                "amr": ["otp", "pwd"],
                "at_hash": AT_HASH,
                "sid": "session",
            },
            idTokenClaims(ISSUER, GRANT, "n-0S6_WzA2Mj", ACCESS_TOKEN, "ES256", NOW),
        )

    def test_absent(self) -> None:
        """
        What there is not is left out.
        """
        grant = attrs.evolve(GRANT, authentication=Authentication("alice@example.test", 900.0))

        claims = idTokenClaims(ISSUER, grant, None, ACCESS_TOKEN, "ES256", NOW)

        self.assertFalse({"nonce", "amr", "sid"} & claims.keys())
        self.assertEqual(900, claims["auth_time"])

    def test_hashes(self) -> None:
        """
        The access token is hashed as the signature hashes (OpenID Connect Core 1.0 section
        3.1.3.6).
        """
        lengths = {"ES256": 22, "RS256": 22, "ES384": 32, "PS512": 43, "EdDSA": 43, "Ed25519": 43}
        for algorithm, length in lengths.items():
            claims = idTokenClaims(ISSUER, GRANT, None, ACCESS_TOKEN, algorithm, NOW)
            self.assertEqual(length, len(claims["at_hash"]), algorithm)


class HintTests(SynchronousTestCase):
    """
    What comes back.
    """

    def read(
        self,
        type: str = TYPE,
        signer: Signer = SIGNER,
        **claims: Any,
    ) -> IDTokenHint:
        """
        Read an ID token with other claims than usual.
        """
        usual = idTokenClaims(ISSUER, GRANT, "n", ACCESS_TOKEN, "ES256", NOW)
        token = signer.sign({**usual, **claims}, type)
        return readHint(parseToken(token), SIGNER.verifyingKey, ISSUER)

    def assertRefused(self, **arguments: Any) -> None:
        """
        It is no hint.
        """
        error = self.assertRaises(OAuthError, self.read, **arguments)
        self.assertEqual(refusedHint("").members(), error.members())
        self.assertNotEqual(error.description, error.reason)

    def test_ours(self) -> None:
        """
        An ID token of ours tells whose it is, which client got it and in which browser session;
        also one that has expired long ago (O 42, O 95).
        """
        session = GRANT.authentication.browserSession
        expected = IDTokenHint("alice@example.test", "webmail", session)

        self.assertEqual(expected, self.read())
        self.assertEqual(expected, self.read(exp=1, iat=0))

    def test_otherTokens(self) -> None:
        """
        An access token, a logout token or a proof is no hint (TK12; O 95).
        """
        for type in ("at+jwt", "logout+jwt", "dpop+jwt", "token-introspection+jwt", ""):
            self.assertRefused(type=type)

    def test_otherKeys(self) -> None:
        """
        What somebody else signed is no hint, whatever he calls his key (O 95).
        """
        self.assertRefused(signer=makeSigner("ES256", "2"))
        self.assertRefused(signer=makeSigner("RS256", "1"))
        self.assertRefused(signer=attrs.evolve(makeSigner("ES256", "2"), kid="1"))

    def test_claims(self) -> None:
        """
        One of another issuer, or with claims that we do not write, is no hint (O 95).
        """
        self.assertRefused(iss="https://login.example/")
        self.assertRefused(iss=None)
        self.assertRefused(sub=None)
        self.assertRefused(sub=1)
        self.assertRefused(aud=["webmail"])
        self.assertRefused(aud=None)
        self.assertRefused(sid=1)

    def test_reads(self) -> None:
        """
        What L{idTokenClaims} says can be signed, and is verified by the key.
        """
        token = SIGNER.sign(idTokenClaims(ISSUER, GRANT, "n", b"t", SIGNER.algorithm, NOW), TYPE)

        verifySignature(parseToken(token), SIGNER.verifyingKey, SIGNER.algorithm)
