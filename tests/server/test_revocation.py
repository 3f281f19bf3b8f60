"""
Tests of what clients give back.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailauth.errors import InvalidToken, Outage
from mailauth.oauth.records import Client

from .issuance import ALICE, LAPTOP, PHONE, WEBMAIL, IssuanceCase, Unreachable, basic


class RevocationTests(IssuanceCase):
    """
    L{Revocation<mailauth.server.revocation.Revocation>}.
    """

    def asking(self, token: str, client: Client = PHONE, **form: str) -> Any:
        """
        What a client sends.
        """
        if client.public:
            sent = self.formOf(token=token, client_id=client.clientId, **form)
            return self.revocation.answer(sent, None)
        return self.revocation.answer(self.formOf(token=token, **form), basic(client))

    def revoke(self, token: str, client: Client = PHONE, **form: str) -> None:
        """
        Send it, and be told that all is well.
        """
        self.wait(self.asking(token, client, **form))

    def assertGood(self, accessToken: str) -> None:
        """
        An access token opens what it opened.
        """
        self.assertEqual(self.wait(self.liveness.validate(accessToken.encode())).owner, ALICE)

    def assertDead(self, accessToken: str) -> None:
        """
        It opens nothing.
        """
        validating = self.waiting(self.liveness.validate(accessToken.encode()))
        self.failureResultOf(validating, InvalidToken)

    def test_accessToken(self) -> None:
        """
        An access token that is given back is dead, and what else came of its grant is not.
        """
        first = self.redeem()
        second = self.refresh(first["refresh_token"])

        self.revoke(first["access_token"])

        self.assertDead(first["access_token"])
        self.assertGood(second["access_token"])
        self.assertIn("access_token", self.refresh(second["refresh_token"]))

    def test_opaqueToken(self) -> None:
        """
        So is an opaque one.
        """
        pine = attrs.evolve(PHONE, clientId="pine", opaqueTokens=True)
        self.wait(self.stores.clients.add(pine))
        token = self.redeem(pine)["access_token"]

        self.revoke(token, pine)

        self.assertDead(token)

    def test_refreshToken(self) -> None:
        """
        A refresh token takes its family along, and all access tokens that came of it (O 90).
        """
        first = self.redeem()
        second = self.refresh(first["refresh_token"])

        self.revoke(second["refresh_token"])

        self.assertDead(first["access_token"])
        self.assertDead(second["access_token"])
        self.refused(self.ask(**self.refreshing(second["refresh_token"])), "invalid_grant")

    def test_oldRefreshToken(self) -> None:
        """
        So does one that was rotated: whoever gives it back wants no more (O 90).
        """
        first = self.redeem()
        second = self.refresh(first["refresh_token"])

        self.revoke(first["refresh_token"])

        self.refused(self.ask(**self.refreshing(second["refresh_token"])), "invalid_grant")

    def test_confidential(self) -> None:
        """
        A client with a secret has to show it.
        """
        answer = self.redeem(WEBMAIL)
        sent = self.formOf(token=answer["refresh_token"], client_id="webmail")
        self.refused(self.revocation.answer(sent, None), "invalid_client")
        self.assertGood(answer["access_token"])

        self.revoke(answer["refresh_token"], WEBMAIL)

        self.assertDead(answer["access_token"])

    def test_unknown(self) -> None:
        """
        What is unknown, malformed, expired or dead already is as well as revoked (O 90).
        """
        answer = self.redeem()
        self.revoke(answer["refresh_token"])
        late = self.redeem()["access_token"]
        self.clock.advance(3600)
        for token in ("nonsense", "x" * 43, "x" * 64, "a.b.c", "\u00fc", "x" * 2**16, late):
            self.revoke(token)
        self.revoke(answer["refresh_token"])
        self.revoke(answer["access_token"])

    def test_othersTokens(self) -> None:
        """
        Another client's token stays good, and whoever tries is told nothing (O 90, OA13).
        """
        answer = self.redeem()
        for client in (LAPTOP, WEBMAIL):
            self.revoke(answer["access_token"], client)
            self.revoke(answer["refresh_token"], client)

        self.assertGood(answer["access_token"])
        self.assertIn("access_token", self.refresh(answer["refresh_token"]))

    def test_hint(self) -> None:
        """
        The hint may be wrong or unknown (RFC 7009 section 2.1).
        """
        for hint in ("access_token", "refresh_token", "nonsense"):
            answer = self.redeem()
            self.revoke(answer["refresh_token"], token_type_hint=hint)
            self.assertDead(answer["access_token"])

    def test_nobody(self) -> None:
        """
        Whoever says no client hears that.
        """
        self.refused(self.revocation.answer(self.formOf(token="x"), None), "invalid_client")
        self.refused(
            self.revocation.answer(self.formOf(client_id="phone"), None), "invalid_request"
        )

    def test_outage(self) -> None:
        """
        What could not be revoked is not said to be (OA4).
        """
        answer = self.redeem()
        usual = self.revocation
        grants: Any = Unreachable(self.stores.grants, "revoke")
        revocations: Any = Unreachable(self.stores.revocations, "revoke")
        self.revocation = attrs.evolve(usual, grants=grants, revocations=revocations)
        for token in (answer["access_token"], answer["refresh_token"]):
            self.failureResultOf(self.waiting(self.asking(token)), Outage)
        self.assertGood(answer["access_token"])

        self.revocation = usual
        self.revoke(answer["refresh_token"])

        self.assertDead(answer["access_token"])
