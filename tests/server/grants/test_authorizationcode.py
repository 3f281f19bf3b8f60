"""
Tests of the redemption of authorization codes.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from mailauth.oauth.jwt import parseToken
from mailauth.oauth.records import Client
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.grants.authorizationcode import AuthorizationCodeGrant

from ..issuance import (
    ALICE,
    AUDIENCE,
    CHALLENGE,
    ISSUER,
    LAPTOP,
    NOW,
    PHONE,
    VERIFIER,
    WEBMAIL,
    Held,
    IssuanceCase,
    basic,
)

NINETY_DAYS = 90 * 86400


class RedemptionTests(IssuanceCase):
    """
    What a code is redeemed for.
    """

    def test_answer(self) -> None:
        """
        The answer says everything: the token, its type, how long it lives, its whole scope, the
        refresh token and how long that lives (O 73).
        """
        answer = self.redeem(scope=f"{MAIL_SCOPE} offline_access")

        self.assertEqual(
            {**answer, "access_token": "", "refresh_token": ""},
            {
                "access_token": "",
                "token_type": "Bearer",
                "expires_in": 900,
                "scope": f"offline_access {MAIL_SCOPE}",
                "refresh_token": "",
                "refresh_token_expires_in": NINETY_DAYS,
            },
        )

    def test_token(self) -> None:
        """
        The access token carries the limits of the sign-in that made it, and is for the one
        audience.
        """
        grant = self.grant()
        answer = self.wait(self.ask(**self.redeeming(self.code(grant))))

        claims = parseToken(answer["access_token"].encode()).claims
        self.assertEqual(
            {**claims, "jti": ""},
            {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": ALICE,
                "client_id": "phone",
                "scope": MAIL_SCOPE,
                "iat": NOW,
                "exp": NOW + 900,
                "jti": "",
                "sid": grant.grantId,
                "auth_time": NOW - 60,
                "amr": ["pwd"],
            },
        )

    def test_kept(self) -> None:
        """
        The grant is kept, with when and from where it was used, and the digest of the refresh
        token alone.
        """
        grant = self.grant()
        answer = self.wait(self.ask(**self.redeeming(self.code(grant))))

        kept = self.kept(grant.grantId)
        self.assertEqual((kept.lastUse, kept.address), (NOW, "192.0.2.7"))
        self.assertEqual(kept.refreshExpires, NOW + NINETY_DAYS)
        self.assertNotIn(answer["refresh_token"], repr(kept))
        self.assertEqual(kept.refreshDigest, sha256(answer["refresh_token"].encode()).digest())

    def test_withoutRefreshToken(self) -> None:
        """
        A client that gets no refresh token gets an access token that lives for an hour.
        """
        answer = self.redeem(scope=f"openid {MAIL_SCOPE}")

        self.assertNotIn("refresh_token", answer)
        self.assertEqual(answer["expires_in"], 3600)

    def test_neverLongerThanTheGrant(self) -> None:
        """
        No token outlives the grant that it came of.
        """
        code = self.code(self.grant(expires=NOW + 100))
        answer = self.wait(self.ask(**self.redeeming(code)))

        self.assertEqual((answer["expires_in"], answer["refresh_token_expires_in"]), (100, 100))

    def test_idToken(self) -> None:
        """
        An OpenID client hears who signed in, with its nonce.
        """
        code = self.code(self.grant(scope="openid"), nonce="n-0S6_WzA2Mj")
        answer = self.wait(self.ask(**self.redeeming(code)))

        token = parseToken(answer["id_token"].encode())
        self.assertEqual(token.header["typ"], "JWT")
        self.assertEqual(
            {name: token.claims[name] for name in ("iss", "sub", "aud", "nonce", "sid")},
            {
                "iss": ISSUER,
                "sub": ALICE,
                "aud": "phone",
                "nonce": "n-0S6_WzA2Mj",
                "sid": "browser",
            },
        )

    def test_noIdToken(self) -> None:
        """
        A mail client, which has not asked, does not.
        """
        self.assertNotIn("id_token", self.redeem())

    def test_confidential(self) -> None:
        """
        A client with a secret has to prove that it has it, PKCE or not.
        """
        self.assertIn("access_token", self.redeem(WEBMAIL))
        code = self.code(self.grant(WEBMAIL))
        for authorization in (None, basic(WEBMAIL, "another")):
            redeeming = self.redeeming(code, WEBMAIL, authorization=authorization)
            self.refused(self.ask(**redeeming), "invalid_client")

    def test_opaque(self) -> None:
        """
        A client whose tokens are opaque gets one that is kept with the grant.
        """
        pine = Client("pine", redirectURIs=PHONE.redirectURIs, opaqueTokens=True)
        self.wait(self.stores.clients.add(pine))

        answer = self.redeem(pine)

        self.assertEqual(len(answer["access_token"]), 43)
        token = self.wait(self.validator.validate(answer["access_token"].encode()))
        self.assertEqual((token.owner, token.expires), (ALICE, NOW + 900))


class RefusalTests(IssuanceCase):
    """
    Codes that are not redeemed.
    """

    def assertRefused(self, code: str, client: Client = PHONE, **changes: Any) -> None:
        """
        Nothing is redeemed, and afterwards the code is as good as before.
        """
        error = self.refused(self.ask(**self.redeeming(code, client, **changes)), "invalid_grant")
        self.assertNotIn(code, f"{error.description} {error.reason}")

    def test_otherClient(self) -> None:
        """
        Another client's code is none, and that client can still redeem it (O 62, OA2).
        """
        code = self.code(self.grant())

        self.assertRefused(code, LAPTOP)
        self.assertRefused(code, WEBMAIL)

        self.assertIn("access_token", self.wait(self.ask(**self.redeeming(code))))

    def test_expired(self) -> None:
        """
        A code is good for less than a minute (O 62).
        """
        code, late = self.code(self.grant()), self.code(self.grant())
        self.clock.advance(59)
        self.assertIn("access_token", self.wait(self.ask(**self.redeeming(code))))

        self.clock.advance(1)

        self.assertRefused(late)

    def test_unknown(self) -> None:
        """
        What is no code is refused, whatever it is made of.
        """
        for code in ("nonsense", "x" * 43, "ü" * 20, "a" * 10_000):
            self.assertRefused(code)
        self.refused(
            self.ask(grant_type="authorization_code", client_id="phone"), "invalid_request"
        )

    def test_redirectURI(self) -> None:
        """
        A redirect URI that is sent is the one of the authorization request, to the letter (O 62).
        """
        code = self.code(self.grant())
        for uri in (
            "http://127.0.0.1/callback",
            "http://127.0.0.1:38465/callback/",
            "http://127.0.0.1:38466/callback",
            "https://evil.example/",
        ):
            self.assertRefused(code, redirect_uri=uri)
        self.assertRefused(self.code(self.grant(), redirectURI=None))

    def test_redirectURILeftOut(self) -> None:
        """
        A client of OAuth 2.1 leaves it out, which a verifier makes up for; without PKCE it has to
        be there (O 62).
        """
        code = self.code(self.grant())
        redeeming = self.redeeming(code, redirect_uri=None)
        self.assertIn("access_token", self.wait(self.ask(**redeeming)))

        code = self.code(self.grant(WEBMAIL), codeChallenge=None)
        self.assertRefused(code, WEBMAIL, redirect_uri=None, code_verifier=None)

    def test_verifier(self) -> None:
        """
        Without the verifier, or with another, a code is worth nothing (O 38, O 62, OA2).
        """
        code = self.code(self.grant())
        for verifier in (None, "x" * 43, VERIFIER[:-1], VERIFIER + "\n", CHALLENGE):
            self.assertRefused(code, code_verifier=verifier)

        self.assertIn("access_token", self.wait(self.ask(**self.redeeming(code))))

    def test_verifierWithoutChallenge(self) -> None:
        """
        A verifier for a code that has no challenge tells that somebody took it out (O 38).
        """
        code = self.code(self.grant(WEBMAIL), codeChallenge=None)
        self.assertRefused(code, WEBMAIL)

        redeeming = self.redeeming(code, WEBMAIL, code_verifier=None)
        self.assertIn("access_token", self.wait(self.ask(**redeeming)))

    def test_accountGone(self) -> None:
        """
        An account that may not log in any more gets no token, though somebody consented before
        (OA14).
        """
        code = self.code(self.grant())
        self.wait(self.stores.accounts.disable(ALICE))

        self.assertRefused(code)

    def test_passwordChanged(self) -> None:
        """
        Nor does a sign-in with a password that was changed since (OA14).
        """
        code = self.code(self.grant())
        self.wait(self.stores.accounts.setPassword(ALICE, "hash"))

        self.assertRefused(code)

    def test_clientGone(self) -> None:
        """
        Nor does a client that was removed.
        """
        code = self.code(self.grant(WEBMAIL))
        self.wait(self.stores.clients.remove("webmail"))

        self.refused(self.ask(**self.redeeming(code, WEBMAIL)), "invalid_client")


class ReplayTests(IssuanceCase):
    """
    Codes that come twice.
    """

    def test_replay(self) -> None:
        """
        A code that comes again ends what it gave, at once and half a minute later (O 61, OA1).
        """
        for later in (0, 30):
            grant = self.grant()
            code = self.code(grant)
            answer = self.wait(self.ask(**self.redeeming(code)))
            self.clock.advance(later)

            self.refused(self.ask(**self.redeeming(code)), "invalid_grant")

            self.assertFalse(self.isKept(grant.grantId))
            self.refused(
                self.ask(**self.refreshing(answer["refresh_token"])),
                "invalid_grant",
            )
            self.refused(
                self.userInfo.answer(b"Bearer " + answer["access_token"].encode(), None, "GET"),
                "invalid_token",
            )

    def test_lateReplay(self) -> None:
        """
        Also when the code has expired meanwhile (O 61).
        """
        grant = self.grant()
        code = self.code(grant)
        self.wait(self.ask(**self.redeeming(code)))
        self.clock.advance(600)

        self.refused(self.ask(**self.redeeming(code)), "invalid_grant")

        self.assertFalse(self.isKept(grant.grantId))

    def test_strangersReplay(self) -> None:
        """
        Whoever found a code in a log, without its verifier or as another client, ends nothing.
        """
        grant = self.grant()
        code = self.code(grant)
        self.wait(self.ask(**self.redeeming(code)))

        for changes in ({"code_verifier": None}, {"code_verifier": "x" * 43}):
            self.refused(self.ask(**self.redeeming(code, **changes)), "invalid_grant")
        self.refused(self.ask(**self.redeeming(code, LAPTOP)), "invalid_grant")

        self.assertTrue(self.isKept(grant.grantId))

    def test_race(self) -> None:
        """
        Of eight who redeem a code at the same time one gets a token, and keeps it: a race is no
        replay (O 61, OA1).
        """
        grant = self.grant()
        store = Held(self.stores.grants, "findCode")
        grantType = AuthorizationCodeGrant(store, self.families)  # type: ignore[arg-type]  # it is

        answers = self.race(grantType, store, 8, **self.redeeming(self.code(grant)))

        self.assertEqual(len(answers), 1)
        self.assertTrue(self.isKept(grant.grantId))
        self.assertIn("access_token", self.refresh(answers[0]["refresh_token"]))
