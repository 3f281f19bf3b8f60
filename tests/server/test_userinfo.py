"""
Tests of what is said about somebody.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailauth.checkers import BearerTokenChecker
from mailauth.credentials import BearerToken, LoginContext
from mailauth.errors import InvalidToken, Outage
from mailauth.oauth.jwt import parseToken
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.userinfo import TokenMissing

from .issuance import ALICE, DOVECOT, ISSUER, IssuanceCase, Unreachable, basic


class UserInfoCase(IssuanceCase):
    """
    Somebody's tokens.
    """

    def asking(self, authorization: bytes | str | None, proof: bytes | None = None) -> Any:
        """
        What a client sends.
        """
        if isinstance(authorization, str):
            authorization = authorization.encode()
        return self.userInfo.answer(authorization, proof, "GET")

    def claims(self, scope: str) -> Any:
        """
        What it hears with a token of that scope.
        """
        return self.wait(self.asking(f"Bearer {self.redeem(scope=scope)['access_token']}"))


class ClaimsTests(UserInfoCase):
    """
    Which scope opens what (OpenID Connect Core 1.0 section 5.4).
    """

    def test_subject(self) -> None:
        """
        The subject is that of the ID token (O 91).
        """
        answer = self.redeem(scope="openid")
        claims = self.wait(self.asking(f"Bearer {answer['access_token']}"))

        self.assertEqual(claims, {"sub": ALICE})
        self.assertEqual(claims["sub"], parseToken(answer["id_token"].encode()).claims["sub"])

    def test_claims(self) -> None:
        """
        Whoever asked for more hears more.
        """
        email = {"sub": ALICE, "email": ALICE, "email_verified": True}
        self.assertEqual(self.claims("openid email"), email)
        self.assertEqual(self.claims("openid profile"), {"sub": ALICE, "preferred_username": ALICE})

    def test_mail(self) -> None:
        """
        Whoever may read somebody's mail knows his address: Dovecot can ask here with the token that
        it was brought.
        """
        for scope in (MAIL_SCOPE, "imap"):
            self.assertEqual(self.claims(scope)["email"], ALICE)

    def test_insufficient(self) -> None:
        """
        A token that is for something else says nothing here.
        """
        token = self.redeem(scope="email offline_access")["access_token"]
        self.refused(self.asking(f"Bearer {token}"), "insufficient_scope")

    def test_clientsOwn(self) -> None:
        """
        A client's own token is about nobody.
        """
        asking = self.ask(grant_type="client_credentials", authorization=basic(DOVECOT))
        token = self.wait(asking)["access_token"]

        self.refused(self.asking(f"Bearer {token}"), "insufficient_scope")


class PresentationTests(UserInfoCase):
    """
    How a token is presented (RFC 6750 section 2.1).
    """

    def test_scheme(self) -> None:
        """
        The scheme may be written in any case (O 73).
        """
        token = self.redeem(scope="openid")["access_token"]
        for scheme in ("Bearer", "bearer", "BEARER", "Bearer "):
            self.assertEqual(self.wait(self.asking(f"{scheme} {token}"))["sub"], ALICE)

    def test_missing(self) -> None:
        """
        Without a token, or with something else, nobody hears anything (O 91).
        """
        for authorization in (None, "", "Bearer", "Bearer ", "Basic eDp5", "Token x"):
            error = self.refused(self.asking(authorization), "invalid_token")
            self.assertIsInstance(error, TokenMissing)

    def test_invalid(self) -> None:
        """
        What is no access token of ours is refused, a refresh token and an ID token too (O 91).
        """
        answer = self.redeem(scope="openid offline_access")
        for token in ("x", "x" * 43, answer["refresh_token"], answer["id_token"], "\xff"):
            error = self.refused(self.asking(b"Bearer " + token.encode("latin-1")), "invalid_token")
            self.assertNotIsInstance(error, TokenMissing)

    def test_dead(self) -> None:
        """
        So is one that has expired, or whose account may not log in (O 91, TK18).
        """
        token = self.redeem(scope="openid")["access_token"]
        self.clock.advance(3600)
        self.refused(self.asking(f"Bearer {token}"), "invalid_token")
        token = self.redeem(scope="openid")["access_token"]
        self.wait(self.stores.accounts.disable(ALICE))
        self.refused(self.asking(f"Bearer {token}"), "invalid_token")


class ProofTests(UserInfoCase):
    """
    Tokens that are bound to a key (RFC 9449 section 7; O 69).
    """

    def setUp(self) -> None:
        """
        A token that is, and one that is not.
        """
        super().setUp()
        self.bound: str = self.redeem(scope="openid", proof=self.proof("phone"))["access_token"]
        self.free: str = self.redeem(scope="openid")["access_token"]

    def proofOf(self, token: str, key: str = "phone", **changes: Any) -> bytes:
        """
        A proof for here.
        """
        return self.proof(key, token, **{"htm": "GET", "htu": f"{ISSUER}/userinfo", **changes})

    def test_bound(self) -> None:
        """
        Whoever has the key is heard.
        """
        asking = self.asking(f"DPoP {self.bound}", self.proofOf(self.bound))

        self.assertEqual(self.wait(asking), {"sub": ALICE})

    def test_downgrade(self) -> None:
        """
        Nobody bears a bound token, not even with a proof besides.
        """
        for proof in (None, self.proofOf(self.bound)):
            self.refused(self.asking(f"Bearer {self.bound}", proof), "invalid_token")

    def test_sasl(self) -> None:
        """
        A bound token opens no mailbox: no SASL mechanism proves a key (RFC 7800).
        """
        token = self.redeem(scope=MAIL_SCOPE, proof=self.proof("phone"))["access_token"]
        checker = BearerTokenChecker(self.validator, self.stores.accounts, self.stores.revocations)
        credentials = BearerToken(token.encode(), None, LoginContext("imap", None, True))

        self.failureResultOf(checker.requestAvatarId(credentials), InvalidToken)

    def test_otherKey(self) -> None:
        """
        Another key than the token's proves nothing, nor does any for a token that is free.
        """
        asking = self.asking(f"DPoP {self.bound}", self.proofOf(self.bound, "thief"))
        self.refused(asking, "invalid_token")
        asking = self.asking(f"DPoP {self.free}", self.proofOf(self.free))
        self.refused(asking, "invalid_token")

    def test_proof(self) -> None:
        """
        A proof is for this token, method and address, made now, and counts once.
        """
        once = self.proofOf(self.bound)
        self.wait(self.asking(f"DPoP {self.bound}", once))
        now = self.clock.seconds()
        for proof in (
            None,
            once,
            b"nonsense",
            self.proofOf(self.free),
            self.proofOf(self.bound, ath="x"),
            self.proofOf(self.bound, htm="POST"),
            self.proofOf(self.bound, htu=f"{ISSUER}/token"),
            self.proofOf(self.bound, iat=now - 301),
            self.proofOf(self.bound, iat=now + 301),
        ):
            self.refused(self.asking(f"DPoP {self.bound}", proof), "invalid_dpop_proof")

    def test_outage(self) -> None:
        """
        That nobody can tell whether a proof was used before is not that it was.
        """
        spent: Any = Unreachable(self.stores.spent, "spend")
        self.userInfo = attrs.evolve(self.userInfo, proofs=attrs.evolve(self.proofs, spent=spent))

        asking = self.asking(f"DPoP {self.bound}", self.proofOf(self.bound))

        self.failureResultOf(self.waiting(asking), Outage)
