"""
Tests of the tokens of the built-in issuer.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.jwt import Signer, makePrivateKey, parseToken
from mailauth.server.issuer import AccessTokenIssuer, IssuedToken
from mailauth.validators.jwt import JWTValidator, StaticKeys, TrustedIssuer

NOW = 1_800_000_000.75


class AccessTokenIssuerTests(SynchronousTestCase):
    """
    Access tokens (RFC 9068).
    """

    def setUp(self) -> None:
        """
        An issuer and its key.
        """
        self.signer = Signer.fromPEM("one", "ES256", makePrivateKey("ES256"))
        self.issuer = AccessTokenIssuer("https://id.example", "mail", lambda: NOW)

    def issue(self, lifetime: float = 900.0) -> IssuedToken:
        """
        A token for alice.
        """
        return self.issuer.issue(
            self.signer, "alice@example.test", frozenset({"smtp", "imap"}), "mutt", lifetime
        )

    def test_claims(self) -> None:
        """
        It has the header and the claims of RFC 9068 section 2, all of them, and no others.
        """
        issued = self.issue()
        parsed = parseToken(issued.token)

        self.assertEqual(parsed.header, {"typ": "at+jwt", "alg": "ES256", "kid": "one"})
        self.assertEqual(
            parsed.claims,
            {
                "iss": "https://id.example",
                "aud": "mail",
                "sub": "alice@example.test",
                "client_id": "mutt",
                "scope": "imap smtp",
                "iat": 1_800_000_000,
                "exp": 1_800_000_900,
                "jti": issued.tokenId,
            },
        )
        self.assertEqual((issued.expiresIn, issued.scope), (900, {"imap", "smtp"}))

    def test_seconds(self) -> None:
        """
        Times are whole seconds, which is all that Dovecot reads; a life is never none.
        """
        for lifetime, seconds in ((0.5, 1), (60.9, 60)):
            issued = self.issue(lifetime)
            claims = parseToken(issued.token).claims
            self.assertEqual(claims["exp"] - claims["iat"], seconds)
            self.assertEqual(issued.expiresIn, seconds)

    def test_unique(self) -> None:
        """
        Each token has a name of its own, of at least 96 random bits, to be revoked by.
        """
        names = {self.issue().tokenId for _ in range(100)}

        self.assertEqual(len(names), 100)
        self.assertGreaterEqual(min(map(len, names)), 16)

    def test_secret(self) -> None:
        """
        The token is not in its repr (LG1).
        """
        issued = self.issue()

        self.assertNotIn(issued.token.decode(), repr(issued))

    def test_valid(self) -> None:
        """
        Our own validator takes it.
        """
        trusted = TrustedIssuer(
            "https://id.example", StaticKeys([self.signer.verifyingKey]), frozenset({"mail"})
        )
        validator = JWTValidator([trusted], lambda: NOW)

        token = self.successResultOf(validator.validate(self.issue().token))

        self.assertEqual(token.owner, "alice@example.test")
        self.assertEqual(token.scope, {"imap", "smtp"})
