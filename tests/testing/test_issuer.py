"""
Tests for L{mailauth.testing.issuer}.
"""

from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import ExpiredToken, InvalidToken
from mailauth.oauth.jwt import keysFromJWKS, parseToken
from mailauth.scopes import MAIL_SCOPE
from mailauth.testing.issuer import MemoryIssuer
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.jwt import JWTValidator
from mailauth.validators.keys import StaticKeys


class MemoryIssuerTests(SynchronousTestCase):
    """
    An authorization server in memory.
    """

    def setUp(self) -> None:
        """
        Start it at some time.
        """
        self.clock = Clock()
        self.clock.advance(1_800_000_000)
        self.issuer = MemoryIssuer(now=self.clock.seconds)

    def test_believed(self) -> None:
        """
        What it issues its own resource server believes, with every algorithm.
        """
        for algorithm in ("ES256", "RS256", "EdDSA"):
            issuer = MemoryIssuer("https://other.example", "imap.example", algorithm)
            token = self.successResultOf(issuer.validator().validate(issuer.issue("alice")))

            self.assertEqual((token.owner, token.issuer), ("alice", "https://other.example"))
            self.assertEqual(token.audience, {"imap.example"})
            self.assertEqual(token.scope, {MAIL_SCOPE})

    def test_claims(self) -> None:
        """
        A token may say anything, and each has an id of its own.
        """
        issued = [
            self.issuer.issue("alice", scope="imap smtp", lifetime=60, sid="grant", aud="x")
            for _ in range(2)
        ]
        first, second = (parseToken(token).claims for token in issued)

        self.assertEqual(first["scope"], "imap smtp")
        self.assertEqual(first["exp"] - first["iat"], 60)
        self.assertEqual((first["sid"], first["aud"]), ("grant", "x"))
        self.assertNotEqual(first["jti"], second["jti"])

    def test_clocks(self) -> None:
        """
        A token ends by the clock of whoever validates it.
        """
        later = Clock()
        later.advance(1_800_001_000)
        token = self.issuer.issue("alice")

        self.successResultOf(self.issuer.validator().validate(token))
        self.failureResultOf(self.issuer.validator(later.seconds).validate(token), ExpiredToken)
        self.clock.advance(1000)
        self.failureResultOf(self.issuer.validator().validate(token), ExpiredToken)

    def test_others(self) -> None:
        """
        Two issuers of one name do not believe each other: each has a key of its own.
        """
        other = MemoryIssuer(now=self.clock.seconds)

        self.failureResultOf(self.issuer.validator().validate(other.issue("alice")), InvalidToken)

    def test_jwks(self) -> None:
        """
        Its key set is enough to verify its tokens, and holds nothing that signs.
        """
        keys = StaticKeys(keysFromJWKS(self.issuer.jwks()))
        trusted = TrustedIssuer(self.issuer.issuer, keys, frozenset({self.issuer.audience}))
        validator = JWTValidator([trusted], self.clock.seconds)

        self.successResultOf(validator.validate(self.issuer.issue("alice")))
        (jwk,) = json.loads(self.issuer.jwks())["keys"]
        self.assertNotIn("d", jwk)
