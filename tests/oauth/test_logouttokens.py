"""
Tests for L{mailauth.oauth.logouttokens}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.idtokens import readHint
from mailauth.oauth.jwt import parseToken
from mailauth.oauth.logouttokens import LIFETIME, TYPE, logoutTokenClaims
from mailauth.oauth.records import Authentication
from mailauth.oauth.responses import OAuthError

from ..jose import makeSigner

NOW = 1000.5
ISSUER = "https://login.example"
AUTHENTICATION = Authentication("alice@example.test", 900.0, browserSession="session")


class LogoutTokenTests(SynchronousTestCase):
    """
    What a client is told.
    """

    def test_claims(self) -> None:
        """
        It names the event, whom and which browser session it is about, has an id and a short life,
        and no nonce (OA16; O 94).
        """
        self.assertEqual(
            {
                "iss": ISSUER,
                "sub": "alice@example.test",
                "aud": "webmail",
                "iat": 1000,
                "exp": 1000 + LIFETIME,
                "jti": "1",
                "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
                "sid": "session",
            },
            logoutTokenClaims(ISSUER, "webmail", AUTHENTICATION, "1", NOW),
        )
        self.assertLessEqual(LIFETIME, 120)

    def test_noBrowserSession(self) -> None:
        """
        Without one it is about the person.
        """
        authentication = Authentication("alice@example.test", 900.0)

        self.assertNotIn("sid", logoutTokenClaims(ISSUER, "webmail", authentication, "1", NOW))

    def test_noIDToken(self) -> None:
        """
        It has a type of its own, so that it is never taken for an ID token (OA16, TK12; O 94).
        """
        signer = makeSigner()
        token = signer.sign(logoutTokenClaims(ISSUER, "webmail", AUTHENTICATION, "1", NOW), TYPE)

        self.assertEqual("logout+jwt", parseToken(token).header["typ"])
        self.assertRaises(OAuthError, readHint, parseToken(token), signer.verifyingKey, ISSUER)
