"""
Tests of introspection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet.defer import Deferred

from mailauth.credentials import tokenTag
from mailauth.errors import Outage
from mailauth.oauth.jwt import parseToken, verifySignature
from mailauth.oauth.records import Client
from mailauth.oauth.requests import parseForm
from mailauth.scopes import MAIL_SCOPE
from mailauth.stores.records import Account
from mailauth.testing.issuer import MemoryIssuer

from .issuance import (
    ALICE,
    AUDIENCE,
    DIGEST,
    DOVECOT,
    ISSUER,
    NOW,
    PHONE,
    WEBMAIL,
    IssuanceCase,
    Unreachable,
    basic,
)

INACTIVE = {"active": False}
ROBOT = Client("robot", authMethod="client_secret_post", secretDigest=DIGEST)


class IntrospectionCase(IssuanceCase):
    """
    Clients that ask.
    """

    def asking(self, token: str, client: Client = DOVECOT, **form: str) -> Any:
        """
        What a client asks.
        """
        sent = self.formOf(token=token, **form)
        return self.introspection.answer(sent, basic(client))

    def introspect(self, token: str, client: Client = DOVECOT, **form: str) -> Any:
        """
        What it hears.
        """
        asked, members = self.wait(self.asking(token, client, **form))
        self.assertEqual(asked.clientId, client.clientId)
        return members


class AccessTokenTests(IntrospectionCase):
    """
    About access tokens.
    """

    def test_active(self) -> None:
        """
        A resource server hears all that it has to know about somebody's token: mail servers look
        for the account in one of three members.
        """
        token = self.redeem(scope=f"{MAIL_SCOPE} offline_access")["access_token"]

        members = self.introspect(token)

        self.assertEqual(
            {**members, "jti": ""},
            {
                "active": True,
                "token_type": "Bearer",
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": ALICE,
                "username": ALICE,
                "email": ALICE,
                "client_id": "phone",
                "scope": f"offline_access {MAIL_SCOPE}",
                "iat": NOW,
                "exp": NOW + 900,
                "jti": "",
            },
        )

    def test_opaque(self) -> None:
        """
        About an opaque one it hears the same.
        """
        pine = attrs.evolve(PHONE, clientId="pine", opaqueTokens=True)
        self.wait(self.stores.clients.add(pine))

        opaque = self.introspect(self.redeem(pine)["access_token"])
        signed = self.introspect(self.redeem()["access_token"])

        self.assertEqual(
            {**opaque, "jti": "", "client_id": ""}, {**signed, "jti": "", "client_id": ""}
        )

    def test_hint(self) -> None:
        """
        The hint may be wrong or unknown: it changes nothing (RFC 7662 section 2.1).
        """
        token = self.redeem()["access_token"]

        for hint in ("access_token", "refresh_token", "nonsense"):
            self.assertTrue(self.introspect(token, token_type_hint=hint)["active"])

    def test_bound(self) -> None:
        """
        Of one that is bound to a key it hears to which, and that bearing it is not enough
        (RFC 9449 section 6.2).
        """
        token = self.redeem(proof=self.proof("phone"))["access_token"]

        members = self.introspect(token)

        self.assertEqual(members["token_type"], "DPoP")
        self.assertEqual(members["cnf"], parseToken(token.encode()).claims["cnf"])

    def test_clientsOwn(self) -> None:
        """
        A client's own token belongs to no account, and says none.
        """
        asking = self.ask(grant_type="client_credentials", authorization=basic(DOVECOT))
        members = self.introspect(self.wait(asking)["access_token"])

        self.assertEqual((members["active"], members["sub"]), (True, "client:dovecot"))
        self.assertEqual({"username", "email"} & members.keys(), set())

    def test_noAddress(self) -> None:
        """
        An account whose name is no address has none.
        """
        self.wait(self.stores.accounts.add(Account("root")))
        grant = self.grant(authentication=self.authentication("root"))
        token = self.wait(self.ask(**self.redeeming(self.code(grant))))["access_token"]

        members = self.introspect(token)

        self.assertEqual(members["username"], "root")
        self.assertNotIn("email", members)

    def test_othersTokens(self) -> None:
        """
        A client that is no resource server hears of its own tokens alone (O 87, OA13).
        """
        own, other = (self.redeem(client)["access_token"] for client in (WEBMAIL, PHONE))

        self.assertTrue(self.introspect(own, WEBMAIL)["active"])
        self.assertEqual(self.introspect(other, WEBMAIL), INACTIVE)

    def test_inactive(self) -> None:
        """
        Whatever is not good, nothing is said but that (O 88).
        """
        external = MemoryIssuer("https://other.example", AUDIENCE, now=self.clock.seconds)
        idToken = self.redeem(scope="openid")["id_token"]
        forged = MemoryIssuer(ISSUER, AUDIENCE, now=self.clock.seconds).issue(ALICE)
        for token in (
            "nonsense",
            "x" * 43,
            "a.b.c",
            "ü",
            "x" * 2**20,
            idToken,
            external.issue(ALICE).decode(),
            forged.decode(),
            self.code(self.grant()),
        ):
            self.assertEqual(self.introspect(token), INACTIVE)

    def test_expired(self) -> None:
        """
        One that has expired is dead, to the second (O 88).
        """
        token = self.redeem()["access_token"]
        self.clock.advance(899)
        self.assertTrue(self.introspect(token)["active"])

        self.clock.advance(1)

        self.assertEqual(self.introspect(token), INACTIVE)

    def test_revoked(self) -> None:
        """
        So is one that was revoked, with its grant, its client or its account, and one of an account
        that was disabled, removed or has another password (O 88, TK18).
        """
        stores = self.stores
        revoking: Callable[[str, str], Deferred[None]]
        for revoking in (
            lambda tokenId, _: stores.revocations.revoke([tokenTag(ISSUER, tokenId)], "Revoked."),
            lambda _, grantId: stores.grants.revoke(grantId, "Revoked."),
            lambda *_: stores.accounts.setPassword(ALICE, "hash"),
            lambda *_: stores.accounts.disable(ALICE),
            lambda *_: stores.accounts.remove(ALICE),
            lambda *_: stores.clients.remove("phone"),
        ):
            # Past what was revoked before.
            self.clock.advance(120)
            grant = self.grant()
            token = self.wait(self.ask(**self.redeeming(self.code(grant))))["access_token"]
            members = self.introspect(token)
            self.assertTrue(members["active"])

            self.wait(revoking(members["jti"], grant.grantId))

            self.assertEqual(self.introspect(token), INACTIVE)
            if self.wait(stores.accounts.get(ALICE)) is None:
                self.wait(stores.accounts.add(Account(ALICE)))
            self.wait(stores.accounts.enable(ALICE))

    def test_missing(self) -> None:
        """
        Whoever names no token has forgotten something.
        """
        asking = self.introspection.answer(self.formOf(), basic(DOVECOT))
        self.refused(asking, "invalid_request")

    def test_outage(self) -> None:
        """
        That nobody can tell is not the same as that it is not good.
        """
        token = self.redeem()["access_token"]
        accounts: Any = Unreachable(self.stores.accounts, "get")
        liveness = attrs.evolve(self.liveness, accounts=accounts)
        self.introspection = attrs.evolve(self.introspection, liveness=liveness)

        self.failureResultOf(self.waiting(self.asking(token)), Outage)


class AuthenticationTests(IntrospectionCase):
    """
    Who may ask (O 87).
    """

    def test_nobody(self) -> None:
        """
        Whoever does not prove who he is hears nothing.
        """
        token = self.redeem()["access_token"]
        for authorization in (
            None,
            basic(DOVECOT, "wrong"),
            b"Bearer " + token.encode(),
            b"Basic x",
        ):
            asking = self.introspection.answer(self.formOf(token=token), authorization)
            self.refused(asking, "invalid_client")

    def test_public(self) -> None:
        """
        Nor does a client without a secret, not even about its own tokens.
        """
        token = self.redeem()["access_token"]
        sent = self.formOf(token=token, client_id="phone")

        self.refused(self.introspection.answer(sent, None), "invalid_client")

    def test_dovecot(self) -> None:
        """
        Dovecot puts the secret into the address, so into the header, and sends empty parameters
        besides; or puts it into the body.
        """
        self.wait(self.stores.clients.add(attrs.evolve(ROBOT, resourceServer=True)))
        token = self.redeem()["access_token"]
        for body, authorization in (
            (f"token={token}&client_id=&client_secret=", basic(DOVECOT)),
            (
                f"token={token}&client_id=robot&client_secret=a+secret+of+32+octets%2C+more+or+less",
                None,
            ),
        ):
            answering = self.introspection.answer(parseForm(body.encode()), authorization)
            self.assertEqual(self.wait(answering)[1]["username"], ALICE)


class RefreshTokenTests(IntrospectionCase):
    """
    About refresh tokens.
    """

    def test_own(self) -> None:
        """
        A client hears of its own.
        """
        token = self.redeem(WEBMAIL)["refresh_token"]

        self.assertEqual(
            self.introspect(token, WEBMAIL),
            {
                "active": True,
                "iss": ISSUER,
                "client_id": "webmail",
                "sub": ALICE,
                "scope": MAIL_SCOPE,
                "exp": NOW + 90 * 86400,
            },
        )

    def test_resourceServer(self) -> None:
        """
        A resource server, which would let whoever brings it in, never hears that one is good: not
        of somebody's, and not of its own (TK12).
        """
        both = attrs.evolve(WEBMAIL, clientId="both", resourceServer=True)
        self.wait(self.stores.clients.add(both))
        token, own = self.redeem()["refresh_token"], self.redeem(both)["refresh_token"]

        self.assertEqual(self.introspect(token), INACTIVE)
        self.assertEqual(self.introspect(own, both), INACTIVE)

    def test_inactive(self) -> None:
        """
        Nothing is said of another client's, of one that was rotated, made up, or that nobody used
        for too long (O 87, O 88).
        """
        first = self.redeem(WEBMAIL)["refresh_token"]
        second = self.refresh(first, WEBMAIL)["refresh_token"]
        other = self.redeem()["refresh_token"]

        self.assertEqual(self.introspect(first, WEBMAIL), INACTIVE)
        self.assertEqual(self.introspect(other, WEBMAIL), INACTIVE)
        self.assertEqual(self.introspect("x" * 64, WEBMAIL), INACTIVE)
        self.assertTrue(self.introspect(second, WEBMAIL)["active"])
        self.clock.advance(90 * 86400)
        self.assertEqual(self.introspect(second, WEBMAIL), INACTIVE)

    def test_revoked(self) -> None:
        """
        Nor of one whose grant was revoked, or whose owner has another password (O 88).
        """
        first, second = (self.redeem(WEBMAIL)["refresh_token"] for _ in range(2))
        grantId = self.refreshTokens.grantIdOf(first)
        assert grantId is not None
        self.wait(self.stores.grants.revoke(grantId, "Revoked."))
        self.assertEqual(self.introspect(first, WEBMAIL), INACTIVE)
        self.assertTrue(self.introspect(second, WEBMAIL)["active"])

        self.wait(self.stores.accounts.setPassword(ALICE, "hash"))

        self.assertEqual(self.introspect(second, WEBMAIL), INACTIVE)


class SignedTests(IntrospectionCase):
    """
    Answers that can be shown to others (RFC 9701; O 89).
    """

    def test_signed(self) -> None:
        """
        It is signed, for who asked, and is no access token.
        """
        client, members = self.wait(self.asking(self.redeem()["access_token"]))

        signed = parseToken(self.wait(self.introspection.sign(client, members)))

        verifySignature(signed, self.signer.verifyingKey, "ES256")
        self.assertEqual(signed.header["typ"], "token-introspection+jwt")
        self.assertEqual(
            signed.claims,
            {"iss": ISSUER, "aud": "dovecot", "iat": NOW, "token_introspection": members},
        )

    def test_inactive(self) -> None:
        """
        That a token is not good is signed in the same way, and says nothing else.
        """
        client, members = self.wait(self.asking("nonsense"))

        signed = parseToken(self.wait(self.introspection.sign(client, members)))

        self.assertEqual(signed.claims["token_introspection"], INACTIVE)
