"""
Tests of the tokens of the built-in issuer.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.jwt import Signer, makePrivateKey, parseToken
from mailauth.oauth.records import Authentication, Grant, OpaqueToken
from mailauth.oauth.tokens import AccessToken
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.issuer import AccessTokenIssuer, IssuedToken
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.jwt import JWTValidator
from mailauth.validators.keys import StaticKeys

NOW = 1_800_000_000.75
ALICE = "alice@example.test"
GRANT = Grant(
    "g" * 22,
    Authentication(ALICE, NOW - 60, frozenset({"pwd", "otp"}), "browser"),
    "mutt",
    frozenset({"smtp", "imap"}),
)


class AccessTokenIssuerTests(SynchronousTestCase):
    """
    Access tokens (RFC 9068).
    """

    def setUp(self) -> None:
        """
        An issuer and its key.
        """
        self.key = Signer.fromPEM("one", "ES256", makePrivateKey("ES256"))
        self.issuer = AccessTokenIssuer("https://id.example", "mail", self.signer, lambda: NOW)

    async def signer(self) -> Signer:
        """
        What signs now.
        """
        return self.key

    def issue(self, lifetime: float = 900.0, **limits: Any) -> IssuedToken:
        """
        A token for alice.
        """
        scope = frozenset({"smtp", "imap"})
        issuing = self.issuer.issue(ALICE, scope, "mutt", lifetime, **limits)
        return self.successResultOf(Deferred.fromCoroutine(issuing))

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
                "sub": ALICE,
                "client_id": "mutt",
                "scope": "imap smtp",
                "iat": 1_800_000_000,
                "exp": 1_800_000_900,
                "jti": issued.tokenId,
            },
        )
        self.assertEqual((issued.expiresIn, issued.scope), (900, {"imap", "smtp"}))

    def test_grant(self) -> None:
        """
        One that comes from a grant carries the limits of the sign-in that made it: which grant,
        when and how somebody signed in (RFC 9068 section 2.2.1).
        """
        claims = parseToken(self.issue(grant=GRANT).token).claims

        self.assertEqual(claims["sid"], GRANT.grantId)
        self.assertEqual(claims["auth_time"], 1_799_999_940)
        self.assertEqual(claims["amr"], ["otp", "pwd"])
        unknown = attrs.evolve(GRANT, authentication=Authentication(ALICE, NOW))
        self.assertNotIn("amr", parseToken(self.issue(grant=unknown).token).claims)
        self.assertNotIn("cnf", claims)

    def test_bound(self) -> None:
        """
        One that is bound to a key says to which (RFC 9449 section 6.1).
        """
        claims = parseToken(self.issue(keyThumbprint="thumb").token).claims

        self.assertEqual(claims["cnf"], {"jkt": "thumb"})

    def test_size(self) -> None:
        """
        It is below 1,500 octets, also with a long name and the long id of a client that registered
        itself, so that it fits into the lines of mail clients.
        """
        scope = frozenset({MAIL_SCOPE, "openid", "email", "profile", "offline_access"})
        issuing = self.issuer.issue(
            f"{'a' * 64}@{'b' * 63}.example",
            scope,
            "c" * 400,
            900,
            grant=GRANT,
            keyThumbprint="k" * 43,
        )
        issued = self.successResultOf(Deferred.fromCoroutine(issuing))

        self.assertLess(len(self.issue(grant=GRANT, keyThumbprint="k" * 43).token), 700)
        self.assertLess(len(issued.token), 1500)

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

    def test_opaque(self) -> None:
        """
        An opaque one is of 43 characters. The store keeps what it means, and not itself.
        """
        issued = self.issue(grant=GRANT, keyThumbprint="thumb", opaque=True)

        self.assertRegex(issued.token, rb"\A[A-Za-z0-9_-]{43}\Z")
        token = AccessToken(
            issuer="https://id.example",
            subject=ALICE,
            owner=ALICE,
            scope=frozenset({"smtp", "imap"}),
            audience=frozenset({"mail"}),
            expires=1_800_000_900,
            issued=1_800_000_000,
            clientId="mutt",
            tokenId=issued.tokenId,
            grantId=GRANT.grantId,
            bound=True,
            keyThumbprint="thumb",
        )
        digest = sha256(issued.token).digest()
        self.assertEqual(issued.opaque, OpaqueToken(digest, token, NOW - 60))

    def test_secret(self) -> None:
        """
        The token is not in its repr (LG1).
        """
        for opaque in (False, True):
            issued = self.issue(opaque=opaque)
            self.assertNotIn(issued.token.decode(), repr(issued))

    def test_valid(self) -> None:
        """
        Our own validator takes it.
        """
        trusted = TrustedIssuer(
            "https://id.example", StaticKeys([self.key.verifyingKey]), frozenset({"mail"})
        )
        validator = JWTValidator([trusted], lambda: NOW)

        token = self.successResultOf(validator.validate(self.issue().token))

        self.assertEqual(token.owner, ALICE)
        self.assertEqual(token.scope, {"imap", "smtp"})
