"""
Tests of the service with issuers that give their tokens the shapes of well-known products.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from mailauth.testing.issuer import EntraIssuer, KeycloakIssuer

from .deployment import bearer
from .test_service import ACCEPTED, ALICE, AUTH, BOB, LoginCase


class ProductCase(LoginCase):
    """
    A service that one such issuer is named to.
    """

    preset: str
    issuer: KeycloakIssuer

    async def serve(self) -> None:
        """
        Start it, with two people.
        """
        await self.start(
            f"""
            [external_issuers.company]
            preset = "{self.preset}"
            url = "{self.issuer.issuer}"
            audience = "{self.issuer.audience}"
            domains = ["example.test"]
            keys = "company.jwks"
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
