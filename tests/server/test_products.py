"""
Tests of the service with issuers that give their tokens the shapes of well-known products.
"""

from __future__ import annotations

from time import time
from typing import Any

import jwt as pyjwt
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from mailauth.testing.issuer import EntraIssuer, KeycloakIssuer, MemoryIssuer

from ..jose import compact
from .deployment import bearer
from .otherissuer import OtherIssuer
from .test_service import ACCEPTED, ALICE, AUTH, BOB, LoginCase


class ProductCase(LoginCase):
    """
    A service that one such issuer is named to.
    """

    preset: str
    issuer: Any

    async def serve(self, more: str = "") -> None:
        """
        Start it, with two people.

        @param more: what else the configuration says of the issuer.
        """
        await self.start(
            f"""
            [external_issuers.company]
            preset = "{self.preset}"
            url = "{self.issuer.issuer}"
            audience = "{self.issuer.audience}"
            domains = ["example.test"]
            keys = "company.jwks"
            {more}
            """,
            files={"company.jwks": self.issuer.jwks()},
        )
        await self.addAccount(ALICE)
        await self.addAccount(BOB)

    async def accepted(self, token: bytes, name: str = ALICE) -> None:
        """
        A token opens all three protocols.
        """
        await self.opens(b"OAUTHBEARER", bearer(name, token.decode()))

    async def refused(self, token: bytes, name: str = ALICE) -> None:
        """
        A token opens none.
        """
        await self.refuses(b"OAUTHBEARER", bearer(name, token.decode()))


class KeycloakTests(ProductCase):
    """
    Keycloak.
    """

    preset = "keycloak"

    async def _opens(self) -> None:
        self.issuer = KeycloakIssuer()
        await self.serve()
        await self.accepted(self.issuer.issueTo(ALICE))

    def test_opens(self) -> Deferred[None]:
        """
        Its access tokens open IMAP, submission and POP3.
        """
        return Deferred.fromCoroutine(self._opens())

    async def _traps(self) -> None:
        self.issuer = KeycloakIssuer()
        await self.serve()
        for trap in (
            # The same header and key, and not an access token (TK12).
            self.issuer.issueTo(ALICE, "ID"),
            self.issuer.issueTo(ALICE, "Refresh"),
            # What it gives without an audience mapper.
            self.issuer.issueTo(ALICE, aud="account"),
            self.issuer.issueTo(ALICE, aud=None),
            # Another realm of the same server.
            self.issuer.issueTo(ALICE, iss="https://idp.example/realms/other"),
            self.issuer.issueTo(ALICE, preferred_username=None),
        ):
            await self.refused(trap)

    def test_traps(self) -> Deferred[None]:
        """
        Its ID and refresh tokens, tokens for nobody or for itself, and those of another realm open
        nothing (TK12, O 14).
        """
        return Deferred.fromCoroutine(self._traps())

    async def _renamed(self) -> None:
        self.issuer = KeycloakIssuer()
        await self.serve()
        await self.accepted(self.issuer.issueTo(ALICE))

        # Bob takes Alice's name there: by his own subject he is nobody here yet, and never her.
        bob = self.issuer.issueTo(BOB, preferred_username=ALICE)

        await self.refused(bob)
        await self.accepted(self.issuer.issueTo(BOB), BOB)

    def test_renamed(self) -> Deferred[None]:
        """
        Whoever takes the name of somebody else there does not get his mail here (TK14).
        """
        return Deferred.fromCoroutine(self._renamed())


class EntraTests(ProductCase):
    """
    Microsoft Entra ID.
    """

    preset = "entra"

    async def _opens(self) -> None:
        self.issuer = EntraIssuer()
        await self.serve()
        await self.accepted(self.issuer.issueTo(ALICE))

    def test_opens(self) -> Deferred[None]:
        """
        Its access tokens open IMAP, submission and POP3, by the scopes that it has for them.
        """
        return Deferred.fromCoroutine(self._opens())

    async def _traps(self) -> None:
        self.issuer = EntraIssuer()
        await self.serve()
        other = "https://login.microsoftonline.com/00000000-other-tenant/v2.0"
        for trap in (
            self.issuer.issueTo(ALICE, "ID"),
            # For Microsoft Graph.
            self.issuer.issueTo(ALICE, aud="00000003-0000-0000-c000-000000000000"),
            self.issuer.issueTo(ALICE, iss=other, tid="00000000-other-tenant"),
            self.issuer.issueTo(ALICE, iss=f"https://sts.windows.net/{EntraIssuer.TENANT}/"),
            self.issuer.issueTo(ALICE, oid=None),
            self.issuer.issueTo(ALICE, scp="Mail.Read User.Read"),
        ):
            await self.refused(trap)

    def test_traps(self) -> Deferred[None]:
        """
        Its ID tokens, tokens for Graph, of another tenant, in the name of its other version, and
        with scopes of something else open nothing (TK12, O 14).
        """
        return Deferred.fromCoroutine(self._traps())

    async def _renamed(self) -> None:
        self.issuer = EntraIssuer()
        await self.serve()
        await self.accepted(self.issuer.issueTo(ALICE))

        await self.refused(self.issuer.issueTo(BOB, preferred_username=ALICE))
        # For another client her subject is another, and she is the same.
        await self.accepted(self.issuer.issueTo(ALICE, sub="another-for-another-client"))

    def test_renamed(self) -> Deferred[None]:
        """
        A name that changes hands opens nothing; a subject that differs by client is no obstacle
        (TK14, nOAuth).
        """
        return Deferred.fromCoroutine(self._renamed())

    async def _scopes(self) -> None:
        self.issuer = EntraIssuer()
        await self.serve()
        token = self.issuer.issueTo(ALICE, scp="IMAP.AccessAsUser.All")

        attempts = await self.attempt(b"OAUTHBEARER", bearer(ALICE, token.decode()))

        opened = {name for name in AUTH if attempts[name][1].startswith(ACCEPTED[name])}
        self.assertEqual(opened, {"imaps"})

    def test_scopes(self) -> Deferred[None]:
        """
        Each of its scopes opens its own protocol, and no other.
        """
        return Deferred.fromCoroutine(self._scopes())


class AuthentikTests(ProductCase):
    """
    authentik.
    """

    preset = "authentik"

    def claims(self, **claims: Any) -> dict[str, Any]:
        """
        What its access tokens say.
        """
        now = int(time())
        return {
            "iss": self.issuer.issuer,
            "sub": "3a1b5d7f9e" * 6 + "0123",
            "aud": self.issuer.audience,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "acr": "goauthentik.io/providers/oauth2/default",
            "azp": self.issuer.audience,
            "uid": "Zb4Cq1",
            "scope": "openid profile imap smtp pop3",
            "preferred_username": ALICE,
            **claims,
        }

    async def test_traps(self) -> None:
        """
        Its access tokens open all three. Those of a provider that has no signing key, which are
        signed with the client's secret, open nothing, and neither do those of another provider of
        the same server, or in a name without the slash (TK1, TK5).
        """
        self.issuer = MemoryIssuer("https://auth.example/application/o/mail/", "mail", "RS256")
        await self.serve()
        await self.accepted(self.issuer.signer.sign(self.claims(), "JWT"))

        secret = "of the client, which has a hundred and twenty-eight letters"
        await self.refused(pyjwt.encode(self.claims(), secret, "HS256").encode())
        for iss in ("https://auth.example/application/o/mail", "https://auth.example/"):
            await self.refused(self.issuer.signer.sign(self.claims(iss=iss), "JWT"))


class ZitadelTests(ProductCase):
    """
    Zitadel.
    """

    preset = "zitadel"

    async def test_traps(self) -> None:
        """
        A token of a program that did not ask for the project is for others, and one without an
        action that adds the name says who somebody is, and not what he is called: neither opens
        anything.
        """
        self.issuer = MemoryIssuer("https://company.zitadel.example", "123456789012345678", "RS256")
        await self.serve()
        scope = "openid imap smtp pop3"
        audience = ["345678901234567890", self.issuer.audience]
        claims = {"aud": audience, "preferred_username": ALICE}
        await self.accepted(self.issuer.issue("234567890123456789", scope, **claims))

        await self.refused(
            self.issuer.issue("234567890123456789", scope, **{**claims, "aud": audience[:1]})
        )
        await self.refused(self.issuer.issue("234567890123456789", scope, aud=audience))


class DexTests(ProductCase):
    """
    Dex.
    """

    preset = "dex"

    def token(self, **claims: Any) -> bytes:
        """
        An access token of its, which is no other than an ID token.
        """
        now = int(time())
        said = {
            "iss": self.issuer.issuer,
            "sub": "CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs",
            "aud": self.issuer.audience,
            "exp": now + 300,
            "iat": now,
            "at_hash": "MTIzNDU2Nzg5MGFiY2RlZg",
            "email": ALICE,
            "email_verified": True,
            **claims,
        }
        header = {"alg": self.issuer.signer.algorithm, "kid": self.issuer.signer.kid}
        return compact(self.issuer.signer, header, said)

    async def test_traps(self) -> None:
        """
        The tokens that one mail program has open all three; those of another program of the same
        people, and of somebody whose address nobody verified, do not (TK12, TK14).
        """
        self.issuer = MemoryIssuer("https://dex.example", "thunderbird", "RS256")
        await self.serve('default_scope = ["imap", "smtp", "pop3"]')
        await self.accepted(self.token())

        await self.refused(self.token(aud="wiki"))
        await self.refused(self.token(email_verified=False))
        await self.refused(self.token(email_verified="true"))

    async def test_scope(self) -> None:
        """
        As long as nobody says what they are good for, they are good for nothing.
        """
        self.issuer = MemoryIssuer("https://dex.example", "thunderbird", "RS256")
        await self.serve()

        await self.refused(self.token())


class GoogleTests(LoginCase):
    """
    Google, as far as it can be elsewhere.
    """

    async def test_traps(self) -> None:
        """
        A token of a client that may come opens all three; one that another website got from its
        visitor does not, though it says whose it is just as well (TK12, TK19).
        """
        issuer = OtherIssuer(self, reactor)
        await self.start(
            f"""
            [external_issuers.company]
            preset = "google"
            url = "{issuer.url}"
            audience = ["mutt.apps.example"]
            domains = ["example.test"]
            certificate_authority = "company-ca.pem"
            [external_issuers.company.endpoints]
            tokeninfo_endpoint = "{issuer.url}/tokeninfo"
            userinfo_endpoint = "{issuer.url}/userinfo"
            """,
            files={"company-ca.pem": issuer.authority},
        )
        await self.addAccount(ALICE)
        about = {
            "azp": "mutt.apps.example",
            "aud": "mutt.apps.example",
            "sub": "110169484474386276334",
            "scope": "https://mail.google.com/ openid email",
            "exp": str(int(time()) + 900),
            "email": ALICE,
            "email_verified": True,
        }
        others = {"azp": "quiz.apps.example", "aud": "quiz.apps.example"}
        issuer.opaque = {"ya29.of-mutt": about, "ya29.of-a-website": {**about, **others}}

        await self.opens(b"OAUTHBEARER", bearer(ALICE, "ya29.of-mutt"))

        await self.refuses(b"OAUTHBEARER", bearer(ALICE, "ya29.of-a-website"))
