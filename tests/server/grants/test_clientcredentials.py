"""
Tests of a client's tokens for itself.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailauth.checkers import BearerTokenChecker
from mailauth.credentials import BearerToken, LoginContext
from mailauth.errors import InvalidToken
from mailauth.oauth.jwt import parseToken
from mailauth.oauth.records import Client
from mailauth.scopes import MAIL_SCOPE
from mailauth.stores.records import Account

from ..issuance import ALICE, DOVECOT, PHONE, WEBMAIL, IssuanceCase, basic


class ClientCredentialsTests(IssuanceCase):
    """
    C{client_credentials}.
    """

    def own(self, client: Client = DOVECOT, **changes: Any) -> Any:
        """
        A request of a client for itself.
        """
        form = {"authorization": basic(client), **changes}
        return self.ask(grant_type="client_credentials", **form)

    def test_token(self) -> None:
        """
        The token is about the client and nobody else, for an hour, and comes without a refresh
        token and an ID token.
        """
        answer = self.wait(self.own())

        claims = parseToken(answer.pop("access_token").encode()).claims
        self.assertEqual(answer, {"token_type": "Bearer", "expires_in": 3600, "scope": "openid"})
        self.assertEqual((claims["sub"], claims["client_id"]), ("client:dovecot", "dovecot"))
        self.assertEqual({"sid", "auth_time", "amr"} & claims.keys(), set())

    def test_scope(self) -> None:
        """
        It is good for what the registration of the client says, or less: a registration that says
        nothing gives nothing.
        """
        self.assertEqual(self.wait(self.own(scope="openid"))["scope"], "openid")
        self.refused(self.own(scope=MAIL_SCOPE), "invalid_scope")
        silent = attrs.evolve(DOVECOT, clientId="silent", scope=frozenset())
        self.wait(self.stores.clients.add(silent))

        self.assertNotIn("scope", self.wait(self.own(silent)))
        self.refused(self.own(silent, scope="openid"), "invalid_scope")

    def test_public(self) -> None:
        """
        A public client gets none, not even one whose registration says so (O 67).
        """
        self.refused(self.own(PHONE, authorization=None, client_id="phone"), "unauthorized_client")
        broken = attrs.evolve(
            PHONE, clientId="broken", grantTypes=frozenset({"client_credentials"})
        )
        self.wait(self.stores.clients.add(broken))

        self.refused(
            self.own(broken, authorization=None, client_id="broken"), "unauthorized_client"
        )

    def test_notRegistered(self) -> None:
        """
        Nor does a client that was not registered for it.
        """
        self.refused(self.own(WEBMAIL), "unauthorized_client")

    def test_noAccount(self) -> None:
        """
        A client with the name of somebody's account opens no mailbox (RFC 9068 section 5).
        """
        namesake = attrs.evolve(
            DOVECOT, clientId=ALICE, scope=frozenset({MAIL_SCOPE}), opaqueTokens=True
        )
        signed = attrs.evolve(namesake, clientId="bob@example.test", opaqueTokens=False)
        checker = BearerTokenChecker(self.validator, self.stores.accounts, self.stores.revocations)
        for client in (namesake, signed):
            self.wait(self.stores.clients.add(client))
            token = self.wait(self.own(client, authorization=basic(client)))["access_token"]
            credentials = BearerToken(token.encode(), None, LoginContext("imap", None, True))
            self.failureResultOf(checker.requestAvatarId(credentials), InvalidToken)
        self.assertIsInstance(self.wait(self.stores.accounts.get(ALICE)), Account)

    def test_opaque(self) -> None:
        """
        It may be opaque, too.
        """
        robot = attrs.evolve(DOVECOT, clientId="robot", opaqueTokens=True)
        self.wait(self.stores.clients.add(robot))

        token = self.wait(self.own(robot))["access_token"]

        self.assertEqual(self.wait(self.validator.validate(token.encode())).subject, "client:robot")

    def test_clientRemoved(self) -> None:
        """
        It dies with the client.
        """
        token = self.wait(self.own())["access_token"]
        self.assertEqual(self.wait(self.liveness.validate(token.encode())).clientId, "dovecot")

        self.wait(self.stores.clients.remove("dovecot"))

        self.failureResultOf(self.waiting(self.liveness.validate(token.encode())), InvalidToken)
