"""
Tests of the rotation of refresh tokens.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailauth.coroutines import promptly
from mailauth.errors import Outage
from mailauth.oauth.jwt import parseToken
from mailauth.oauth.records import Client
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.grants.families import IDLE
from mailauth.server.grants.pipeline import GrantType
from mailauth.server.grants.refreshtoken import GRACE, RefreshTokenGrant
from mailauth.server.refreshtokens import newGrantId

from ..issuance import (
    ALICE,
    LAPTOP,
    NOW,
    PHONE,
    WEBMAIL,
    Held,
    Interrupted,
    IssuanceCase,
    Unreachable,
)

OFFLINE = f"{MAIL_SCOPE} openid email offline_access"


class RefreshCase(IssuanceCase):
    """
    Somebody granted something, and the client has its first tokens.
    """

    def setUp(self) -> None:
        """
        The first refresh token.
        """
        super().setUp()
        self.granted = self.grant(scope=OFFLINE)
        self.first = self.firstTokens()["refresh_token"]

    def firstTokens(self, **changes: Any) -> Any:
        """
        Redeem a code for the grant.
        """
        self.granted = attrs.evolve(self.granted, grantId=newGrantId())
        return self.wait(self.ask(**self.redeeming(self.code(self.granted), **changes)))

    def grantType(self, store: Any) -> GrantType:
        """
        What refreshes, over another store.
        """
        return RefreshTokenGrant(store, self.stores.opaqueTokens, self.families)

    def assertRefused(self, token: str, client: Client = PHONE, **changes: Any) -> None:
        """
        It is worth nothing.
        """
        self.refused(self.ask(**self.refreshing(token, client, **changes)), "invalid_grant")

    def assertLives(self, lives: bool = True) -> None:
        """
        Whether the family lives.
        """
        self.assertEqual(self.isKept(self.granted.grantId), lives)


class RotationTests(RefreshCase):
    """
    How a family goes on.
    """

    def test_rotation(self) -> None:
        """
        Each use gives a new refresh token beside the access token, for another ninety days (O 66).
        """
        self.clock.advance(800)

        answer = self.refresh(self.first)

        self.assertNotEqual(answer["refresh_token"], self.first)
        self.assertEqual(answer["token_type"], "Bearer")
        self.assertEqual((answer["expires_in"], answer["refresh_token_expires_in"]), (900, IDLE))
        self.assertEqual(answer["scope"], " ".join(sorted(OFFLINE.split())))
        claims = parseToken(answer["access_token"].encode()).claims
        self.assertEqual(claims["sid"], self.granted.grantId)
        self.assertEqual(claims["auth_time"], NOW - 60)
        kept = self.kept(self.granted.grantId)
        self.assertEqual((kept.lastUse, kept.address), (NOW + 800, "192.0.2.7"))

    def test_goesOn(self) -> None:
        """
        A family goes on for as long as somebody uses it.
        """
        token = self.first
        for _ in range(20):
            self.clock.advance(80 * 86400)
            token = self.refresh(token)["refresh_token"]

    def test_idToken(self) -> None:
        """
        An OpenID client gets a new ID token, about the sign-in of then, and without the nonce
        (OpenID Connect Core 1.0 section 12.2).
        """
        self.clock.advance(800)

        claims = parseToken(self.refresh(self.first)["id_token"].encode()).claims

        self.assertEqual((claims["auth_time"], claims["iat"]), (NOW - 60, NOW + 800))
        self.assertEqual((claims["sub"], claims["aud"]), (ALICE, "phone"))
        self.assertNotIn("nonce", claims)

    def test_scopeNarrowed(self) -> None:
        """
        The scope of one access token may be narrower; the grant stays what it was (O 66).
        """
        answer = self.refresh(self.first, scope="email")
        self.assertEqual(answer["scope"], "email")

        answer = self.refresh(answer["refresh_token"])
        self.assertEqual(answer["scope"], " ".join(sorted(OFFLINE.split())))

    def test_scopeWidened(self) -> None:
        """
        It is never wider, and never another (O 66, OA14).
        """
        for scope in ("profile", f"{OFFLINE} profile", "imap", " "):
            refreshing = self.refreshing(self.first, scope=scope)
            self.refused(self.ask(**refreshing), "invalid_scope")

        self.assertIn("access_token", self.refresh(self.first))

    def test_resources(self) -> None:
        """
        Of several resources that were granted one or more can be named, and no other (O 70).
        """
        granted = frozenset({"imap://mail.example.test", "smtp://mail.example.test"})
        self.granted = self.grant(scope=OFFLINE, resources=granted)
        token = self.firstTokens()["refresh_token"]
        for others in (
            ["pop://mail.example.test"],
            ["imap://mail.example.test", "https://id.example.test"],
            ["imap://evil.example"],
        ):
            asking = self.ask(**self.refreshing(token, resources=tuple(others)))
            self.refused(asking, "invalid_target")

        for some in (sorted(granted), ["smtp://mail.example.test"], []):
            token = self.refresh(token, resources=tuple(some))["refresh_token"]

    def test_confidential(self) -> None:
        """
        The refresh token of a client with a secret is worth nothing without it.
        """
        token = self.redeem(WEBMAIL)["refresh_token"]

        refreshing = self.refreshing(token, WEBMAIL, authorization=None)
        self.refused(self.ask(**refreshing), "invalid_client")

        self.assertIn("access_token", self.refresh(token, WEBMAIL))


class GraceTests(RefreshCase):
    """
    A client that did not hear the answer (O 66).
    """

    def test_lostAnswer(self) -> None:
        """
        Whoever sends the same token again, within ten seconds, gets the same successor with another
        access token, and goes on with it.
        """
        lost = self.refresh(self.first)
        self.clock.advance(GRACE)

        again = self.refresh(self.first)

        self.assertEqual(again["refresh_token"], lost["refresh_token"])
        self.assertNotEqual(again["access_token"], lost["access_token"])
        self.assertIn("access_token", self.refresh(again["refresh_token"]))

    def test_tooLate(self) -> None:
        """
        After that it is reuse.
        """
        self.refresh(self.first)
        self.clock.advance(GRACE + 1)

        self.assertRefused(self.first)

        self.assertLives(False)

    def test_graceDoesNotGrow(self) -> None:
        """
        Asking again is no rotation: the ten seconds are those of the first time.
        """
        self.refresh(self.first)
        for _ in range(2):
            self.clock.advance(4)
            self.refresh(self.first)
        self.clock.advance(4)

        self.assertRefused(self.first)

    def test_successorUsed(self) -> None:
        """
        Once somebody has used the successor, the one before it is reuse, however soon.
        """
        second = self.refresh(self.first)["refresh_token"]
        self.refresh(second)

        self.assertRefused(self.first)

        self.assertLives(False)

    def test_clockSetBack(self) -> None:
        """
        A clock that is set back makes no old token young.
        """
        self.refresh(self.first)
        self.clock.rightNow = NOW - 3600

        self.assertRefused(self.first)

    def test_opaque(self) -> None:
        """
        An opaque access token that is given again is kept, too.
        """
        pine = Client("pine", redirectURIs=PHONE.redirectURIs, opaqueTokens=True)
        self.wait(self.stores.clients.add(pine))
        token = self.redeem(pine)["refresh_token"]

        for _ in range(2):
            access = self.refresh(token, pine)["access_token"]
            self.assertEqual(self.wait(self.validator.validate(access.encode())).owner, ALICE)


class RaceTests(RefreshCase):
    """
    Several at once (O 66).
    """

    def test_race(self) -> None:
        """
        Of eight who use one token at once, one rotates it, and the others get what it got: there is
        one living token (OA3).
        """
        store = Held(self.stores.grants, "get")
        answers = self.race(self.grantType(store), store, 8, **self.refreshing(self.first))

        self.assertEqual(len(answers), 8)
        self.assertEqual(len({answer["refresh_token"] for answer in answers}), 1)
        self.assertEqual(len({answer["access_token"] for answer in answers}), 8)
        self.assertIn("access_token", self.refresh(answers[0]["refresh_token"]))

    def revoke(self) -> None:
        """
        The owner takes it back.
        """
        self.wait(self.stores.grants.revoke(self.granted.grantId, "Revoked."))

    def test_revokedMeanwhile(self) -> None:
        """
        A grant that is revoked in the middle of it yields nothing.
        """
        grants: Any = Interrupted(self.stores.grants, "rotate", self.revoke)
        self.tokens = attrs.evolve(self.tokens, grantTypes=(self.grantType(grants),))

        self.assertRefused(self.first)

    def test_revocationUnderWay(self) -> None:
        """
        Nor does one that was dated before the access token was, and written only after that: the
        token would outlive it (O 66, CS2).
        """
        self.clock.advance(60)

        def changePassword() -> None:
            self.clock.rightNow -= 1
            self.wait(self.stores.accounts.setPassword(ALICE, "hash"))
            self.clock.rightNow += 1

        grants: Any = Interrupted(self.stores.grants, "rotate", changePassword)
        self.tokens = attrs.evolve(self.tokens, grantTypes=(self.grantType(grants),))

        self.assertRefused(self.first)

    def test_revokedInGrace(self) -> None:
        """
        Not even an opaque token, which would have to be kept, to whoever lost an answer.
        """
        self.tokens = attrs.evolve(
            self.tokens, grantTypes=self.tokens.grantTypes.values(), opaqueTokens=True
        )
        self.refresh(self.first)
        opaqueTokens: Any = Interrupted(self.stores.opaqueTokens, "add", self.revoke)
        grantType = RefreshTokenGrant(self.stores.grants, opaqueTokens, self.families)
        self.tokens = attrs.evolve(self.tokens, grantTypes=(grantType,))

        self.assertRefused(self.first)


class ReuseTests(RefreshCase):
    """
    Stolen tokens (O 66, OA3).
    """

    def test_reuse(self) -> None:
        """
        An old token that comes again takes the whole family along, the current one and its access
        tokens.
        """
        second = self.refresh(self.first)
        third = self.refresh(second["refresh_token"])

        self.assertRefused(self.first)

        self.assertLives(False)
        self.assertRefused(third["refresh_token"])
        header = b"Bearer " + third["access_token"].encode()
        self.refused(self.userInfo.answer(header, None, "GET"), "invalid_token")

    def test_otherFamily(self) -> None:
        """
        Other grants of the same owner and client live on.
        """
        other = self.redeem()["refresh_token"]
        self.refresh(self.refresh(self.first)["refresh_token"])

        self.assertRefused(self.first)

        self.assertIn("access_token", self.refresh(other))

    def test_otherClient(self) -> None:
        """
        Another client's token is none, and costs nobody anything.
        """
        self.refresh(self.refresh(self.first)["refresh_token"])
        for client in (LAPTOP, WEBMAIL):
            self.assertRefused(self.first, client)

        self.assertLives()

    def test_garbage(self) -> None:
        """
        What was never a token costs nobody anything either.
        """
        for token in ("nonsense", "x" * 64, self.first[:-1], self.first + "A", self.first.upper()):
            self.assertRefused(token)

        self.assertLives()
        self.assertIn("access_token", self.refresh(self.first))

    def test_outage(self) -> None:
        """
        A family that could not be revoked is revoked the next time: nothing is claimed that does
        not hold (OA4).
        """
        self.refresh(self.refresh(self.first)["refresh_token"])
        usual = self.tokens
        failing = self.grantType(Unreachable(self.stores.grants, "revoke"))
        self.tokens = attrs.evolve(self.tokens, grantTypes=(failing,))
        self.failureResultOf(promptly(self.ask(**self.refreshing(self.first))), Outage)
        self.assertLives()

        self.tokens = usual
        self.assertRefused(self.first)

        self.assertLives(False)


class EndTests(RefreshCase):
    """
    What ends a family by itself.
    """

    def test_idle(self) -> None:
        """
        A token that nobody used for ninety days is dead (O 66).
        """
        self.clock.advance(IDLE)

        self.assertRefused(self.first)

    def test_idleForLess(self) -> None:
        """
        Where that is less than it was when the token was issued, it is dead as soon: no revocation
        is kept for longer (O 66, TK18).
        """
        families = attrs.evolve(self.families, idle=1000.0)
        shorter = RefreshTokenGrant(self.stores.grants, self.stores.opaqueTokens, families)
        self.tokens = attrs.evolve(self.tokens, grantTypes=(shorter,))

        self.clock.advance(1000)

        self.assertRefused(self.first)

    def test_absolute(self) -> None:
        """
        So is one of a grant that has ended, however often it was used (O 66).
        """
        self.granted = self.grant(scope=OFFLINE, expires=NOW + 1000)
        token = self.firstTokens()["refresh_token"]
        self.clock.advance(500)
        answer = self.refresh(token)
        self.assertEqual(answer["refresh_token_expires_in"], 500)
        self.assertEqual(answer["expires_in"], 500)

        self.clock.advance(500)

        self.assertRefused(answer["refresh_token"])

    def test_disabled(self) -> None:
        """
        A disabled account's are dead, also once it is enabled again (O 66, OA14).
        """
        self.wait(self.stores.accounts.disable(ALICE))
        self.assertRefused(self.first)

        self.clock.advance(1)
        self.wait(self.stores.accounts.enable(ALICE))
        self.assertRefused(self.first)

    def test_removed(self) -> None:
        """
        So are a removed account's.
        """
        self.wait(self.stores.accounts.remove(ALICE))

        self.assertRefused(self.first)

    def test_passwordChanged(self) -> None:
        """
        Those of before a password was changed are dead (O 66, OA14).
        """
        self.wait(self.stores.accounts.setPassword(ALICE, "hash"))

        self.assertRefused(self.first)

    def test_clientRemoved(self) -> None:
        """
        So are a removed client's.
        """
        self.wait(self.stores.clients.remove("phone"))

        self.refused(self.ask(**self.refreshing(self.first)), "invalid_client")
        self.wait(self.stores.clients.add(PHONE))
        self.assertRefused(self.first)

    def test_grantRevoked(self) -> None:
        """
        So are a revoked grant's.
        """
        self.wait(self.stores.grants.revoke(self.granted.grantId, "Revoked."))

        self.assertRefused(self.first)

    def test_grantTypeTakenAway(self) -> None:
        """
        A client that may not refresh any more cannot.
        """
        self.wait(self.stores.clients.remove("phone"))
        without = frozenset({"authorization_code"})
        self.wait(self.stores.clients.add(attrs.evolve(PHONE, grantTypes=without)))

        self.refused(self.ask(**self.refreshing(self.first)), "unauthorized_client")


class BoundTests(RefreshCase):
    """
    Refresh tokens that are bound to a key (O 69).
    """

    def setUp(self) -> None:
        """
        The first is bound to a key.
        """
        super().setUp()
        answer = self.firstTokens(proof=self.proof("phone"))
        self.assertEqual(answer["token_type"], "DPoP")
        self.bound = answer["refresh_token"]

    def refreshBound(self, token: str) -> str:
        """
        Refresh with the key.

        @return: the successor.
        """
        answer = self.refresh(token, proof=self.proof("phone"))
        self.assertEqual(answer["token_type"], "DPoP")
        successor: str = answer["refresh_token"]
        return successor

    def test_bound(self) -> None:
        """
        Whoever has the key goes on.
        """
        self.refreshBound(self.refreshBound(self.bound))

    def test_withoutKey(self) -> None:
        """
        Whoever has not gets nothing, and ends nothing either, not even with an old token.
        """
        current = self.refreshBound(self.bound)
        self.clock.advance(GRACE + 1)
        for token in (self.bound, current):
            for proof in (None, self.proof("thief")):
                refreshing = self.refreshing(token, proof=proof)
                self.refused(self.ask(**refreshing), "invalid_dpop_proof")

        self.assertLives()
        self.refreshBound(current)

    def test_confidential(self) -> None:
        """
        A client with a secret is bound by that, and may change its key.
        """
        token = self.redeem(WEBMAIL, proof=self.proof("one"))["refresh_token"]

        answer = self.refresh(token, WEBMAIL, proof=self.proof("two"))
        self.assertEqual(answer["token_type"], "DPoP")
        self.assertEqual(self.refresh(answer["refresh_token"], WEBMAIL)["token_type"], "Bearer")
