"""
Tests for L{mailauth.server.actions.clients}. What goes together in a client is tested with the
command that asks for it.
"""

from __future__ import annotations

import attrs

from mailauth.credentials import clientTag
from mailauth.errors import Outage
from mailauth.server.actions.clients import NewClient, UnusableClient
from mailauth.server.clients import isDenied
from mailauth.server.sealing import digestOf
from mailauth.server.sites import SITES
from mailauth.stores.records import AlreadyExists, NotFound
from mailauth.testing.stores import NOW

from .case import ADMINISTRATOR, ISSUER, AdministrationCase, Failing

WEBMAIL = NewClient("webmail", "Webmail", ("https://webmail.example/callback",))


class ClientActionsTests(AdministrationCase):
    """
    Clients.
    """

    def setUp(self) -> None:
        """
        The actions.
        """
        super().setUp()
        self.clients = self.administration.clients

    def test_added(self) -> None:
        """
        A client is added with what goes without saying, and its secret is told once.
        """
        new = attrs.evolve(WEBMAIL, authMethod="client_secret_basic")

        client, secret = self.got(self.clients.add(ADMINISTRATOR, new))

        self.assertEqual(client, self.got(self.clients.get("webmail")))
        self.assertEqual((client,), self.got(self.clients.list()))
        self.assertTrue(client.verified)
        self.assertEqual({"authorization_code", "refresh_token"}, client.grantTypes)
        self.assertEqual(NOW, client.created)
        self.assertEqual(digestOf(secret or ""), client.secretDigest)
        self.assertEqual([("client_added", ADMINISTRATOR, None, "webmail")], self.events())
        self.assertNotIn(secret or "", str(self.events()) + repr(client))

    def test_unusable(self) -> None:
        """
        A client that could not be is refused, whoever says what it is to be like.
        """
        for change in (
            {"clientId": "a b"},
            {"clientId": "account"},
            {"clientId": "admin"},
            {"redirectURIs": ("http://webmail.example/",)},
            {"redirectURIs": ()},
            {"scope": frozenset({"made-up"})},
            {"backchannelLogoutURI": "http://192.0.2.1/"},
            {"postLogoutRedirectURIs": ("javascript:alert(1)",)},
            {"authMethod": "private_key_jwt"},
            {"insecureWithoutPKCE": True},
        ):
            new = attrs.evolve(WEBMAIL, **change)
            self.refused(UnusableClient, self.clients.add(ADMINISTRATOR, new))

        self.assertEqual((), self.got(self.clients.list()))
        self.assertEqual([], self.events())

    def test_removed(self) -> None:
        """
        A client is removed with all that it was granted, once.
        """
        self.got(self.clients.add(ADMINISTRATOR, WEBMAIL))

        self.got(self.clients.remove(ADMINISTRATOR, "webmail"))
        self.refused(NotFound, self.clients.remove(ADMINISTRATOR, "webmail"))

        self.assertIn("webmail", self.refused(NotFound, self.clients.get("webmail")))
        self.assertTrue(self.stores.revocations.covers([clientTag(ISSUER, "webmail")], NOW))
        self.assertEqual(["client_added", "client_removed"], self.kinds())

    def test_denied(self) -> None:
        """
        One that registered itself is found and can be denied; one that is recorded is removed.
        """
        registered = self.clients.clients.register(
            {"redirect_uris": ["http://127.0.0.1/callback"], "token_endpoint_auth_method": "none"}
        )
        identifier = registered.clientId
        self.assertEqual(registered, self.got(self.clients.get(identifier)))

        self.got(self.clients.deny(ADMINISTRATOR, identifier))

        self.assertTrue(isDenied(self.got(self.clients.get(identifier))))
        self.assertTrue(self.stores.revocations.covers([clientTag(ISSUER, identifier)], NOW))
        added = self.got(self.clients.add(ADMINISTRATOR, WEBMAIL))[0].clientId
        self.refused(AlreadyExists, self.clients.deny(ADMINISTRATOR, added))
        self.refused(NotFound, self.clients.deny(ADMINISTRATOR, "made-up"))
        self.assertEqual(
            [
                ("client_denied", ADMINISTRATOR, None, identifier),
                ("client_added", ADMINISTRATOR, None, added),
            ],
            self.events(),
        )

    def test_ours(self) -> None:
        """
        Our own sites are no clients of an administrator's: nothing takes their place, or denies
        them.
        """
        for name in SITES:
            self.refused(UnusableClient, self.clients.deny(ADMINISTRATOR, name))

        self.assertEqual((), self.got(self.clients.list()))
        self.assertFalse(self.stores.revocations.covers([clientTag(ISSUER, "account")], 0.0))
        self.assertEqual([], self.events())

    def test_deniedOutage(self) -> None:
        """
        One that was denied when an outage came, before what it had was ended, is denied again.
        """
        revocations = Failing(self.stores.revocations, "revoke")
        clients = self.make(revocations=revocations).clients
        identifier = "https://client.example/document"

        self.refused(Outage, clients.deny(ADMINISTRATOR, identifier))
        revocations.down = False
        self.got(clients.deny(ADMINISTRATOR, identifier))

        self.assertTrue(isDenied(self.got(clients.get(identifier))))
        self.assertTrue(self.stores.revocations.covers([clientTag(ISSUER, identifier)], NOW))
