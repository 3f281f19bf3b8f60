"""
openid-client, which the OpenID Foundation certified as a relying party, does with the demo all that
it knows; and what it is given opens the mailbox.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mailauth.scopes import MAIL_SCOPE

from . import ALICE
from .attempts import Outcome, curl
from .nodejs import NodeTestCase
from .person import Person
from .programs import need
from .relyingparty import Refused, RelyingParty

REDIRECT = "http://127.0.0.1:38465/callback"
GOODBYE = "http://127.0.0.1:38465/goodbye"
OPENID_SCOPE = f"openid email profile offline_access {MAIL_SCOPE}"


class RelyingPartyTests(NodeTestCase):
    """
    Each of them with a client and a person of its own.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("curl")
        super().setUp()
        self.client = self.startClient()
        self.person = Person(self.demo)

    def startClient(self) -> RelyingParty:
        """
        Start a client that knows nothing yet.
        """
        client = RelyingParty(self.demo.authority)
        self.addCleanup(client.end)
        return client

    def register(self, **metadata: Any) -> dict[str, Any]:
        """
        Let the client register itself, as a mail program does.
        """
        described = {
            "client_name": "Mail",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "post_logout_redirect_uris": [GOODBYE],
            "token_endpoint_auth_method": "none",
            **metadata,
        }
        registered: dict[str, Any] = self.client.take("register", self.demo.issuer, described)
        return registered

    def be(
        self, client: RelyingParty, *options: str, algorithm: str = "oidc", **metadata: str
    ) -> dict[str, Any]:
        """
        Let a relying party be one that an administrator adds.

        @param options: what he says about it.
        @param algorithm: how it finds out about the server.
        @return: what he is told.
        """
        added: dict[str, Any] = self.demo.command("client", "add", *options)
        described = {"client_id": added["client_id"], **metadata}
        proof, secret = added["token_endpoint_auth_method"], added.get("client_secret")
        client.take("discover", self.demo.issuer, algorithm, described, proof, secret)
        return added

    def authorize(
        self, scope: str = MAIL_SCOPE, pushed: bool = False, **parameters: str
    ) -> dict[str, Any]:
        """
        Let the client ask for access, and the person allow it.

        @return: what the client is given.
        """
        asked = {"redirect_uri": REDIRECT, "scope": scope, **parameters}
        address = self.client.take("begin", asked, pushed)
        tokens: dict[str, Any] = self.client.take("finish", self.person.answer(address))
        return tokens

    def assertOpens(self, token: str) -> None:
        """
        The token opens alice's mailbox.
        """
        [welcome] = self.inbox(ALICE)

        self.assertEqual(Outcome(welcome), curl(self.attempt("imaps", "OAUTHBEARER", token)))

    def assertOpensNothing(self, token: str) -> None:
        """
        It does not.
        """
        [document] = curl(self.attempt("imaps", "OAUTHBEARER", token)).documents

        self.assertEqual("invalid_token", document["status"])

    def assertRefuses(self, error: str, step: str, *arguments: Any) -> None:
        """
        The server refuses a step of the client's.
        """
        self.assertEqual(
            error, self.assertRaises(Refused, self.client.take, step, *arguments).error
        )

    def test_code(self) -> None:
        """
        A client registers itself, a person allows it what it asks for, and the token opens the
        mailbox. As a resource server, too, the client finds nothing wrong with it (RFC 9068
        section 4).
        """
        registered = self.register()
        tokens = self.authorize()

        [welcome] = self.inbox(ALICE)
        outcome = self.imapflow("imaps", accessToken=tokens["access_token"])

        self.assertEqual(welcome, b64decode(outcome["content"]))
        self.assertEqual(("bearer", MAIL_SCOPE), (tokens["token_type"], tokens["scope"]))
        claims = self.client.take("validate", tokens["access_token"], self.demo.issuer)
        self.assertEqual((ALICE, registered["client_id"]), (claims["sub"], claims["client_id"]))

    def test_pushed(self) -> None:
        """
        What the client asks for is pushed (RFC 9126), and the browser carries a reference to it,
        which is used up then.
        """
        self.register()
        asked = {"redirect_uri": REDIRECT, "scope": MAIL_SCOPE}
        address = self.client.take("begin", asked, True)
        location = self.person.answer(address)

        self.assertEqual({"client_id", "request_uri"}, set(parse_qs(urlsplit(address).query)))
        self.assertOpens(self.client.take("finish", location)["access_token"])
        self.assertEqual(400, self.person.visit(address).status)

    def test_denied(self) -> None:
        """
        A person says no, and the client hears that, from the issuer that it asked (RFC 9207).
        """
        self.register()
        address = self.client.take("begin", {"redirect_uri": REDIRECT, "scope": MAIL_SCOPE}, False)
        location = self.person.answer(address, "deny")

        self.assertRefuses("access_denied", "finish", location)

    def test_refresh(self) -> None:
        """
        Each refresh token is good for its successor (O 66). The first of them, used again, takes
        the whole family along, and the access tokens that came of it.
        """
        self.register()
        first = self.authorize()
        second = self.client.take("refresh", first["refresh_token"])
        third = self.client.take("refresh", second["refresh_token"])
        family = {each["refresh_token"] for each in (first, second, third)}

        self.assertEqual(3, len(family))
        self.assertOpens(third["access_token"])
        for token in (first, third):
            self.assertRefuses("invalid_grant", "refresh", token["refresh_token"])
        self.assertOpensNothing(third["access_token"])

    def test_openID(self) -> None:
        """
        An OpenID client learns who signed in: from an ID token that it verifies, and from the
        userinfo endpoint, which says the same.
        """
        self.register()
        tokens = self.authorize(OPENID_SCOPE, max_age="600")
        claims = tokens["claims"]
        about = self.client.take("userInfo", tokens["access_token"], claims["sub"])

        self.assertEqual((ALICE, True), (about["email"], about["email_verified"]))
        self.assertEqual(["pwd"], claims["amr"])
        self.assertOpens(tokens["access_token"])
        refreshed = self.client.take("refresh", tokens["refresh_token"])
        self.assertEqual(claims["sub"], refreshed["claims"]["sub"])

    def test_logOut(self) -> None:
        """
        The client sends the person away, who comes back to it signed out without being asked: the
        client was told who is signed in. What it was given for no more than that is over, too.
        """
        self.register()
        tokens = self.authorize("openid")
        leaving = {
            "id_token_hint": tokens["id_token"],
            "post_logout_redirect_uri": GOODBYE,
            "state": "over",
        }
        location = self.person.visit(self.client.take("logOut", leaving)).location
        asked = {"redirect_uri": REDIRECT, "scope": "openid", "prompt": "none"}
        address = self.client.take("begin", asked, False)

        self.assertEqual(f"{GOODBYE}?state=over", location)
        subject = tokens["claims"]["sub"]
        self.assertRaises(Refused, self.client.take, "userInfo", tokens["access_token"], subject)
        self.assertRefuses("login_required", "finish", self.person.answer(address))

    def test_device(self) -> None:
        """
        A device shows a code, and waits for its person (RFC 8628): first in vain, then not.
        """
        grants = ("--grant", "device_code", "--grant", "refresh_token")
        self.be(self.client, *grants, algorithm="oauth2")
        device = self.client.take("startDevice", {"scope": MAIL_SCOPE})
        self.assertRefuses("authorization_pending", "askForDevice")
        heading = self.person.connect(device["verification_uri_complete"])
        tokens = self.client.take("waitForDevice")

        self.assertEqual("Your device is connected", heading)
        self.assertOpens(tokens["access_token"])
        self.assertOpens(self.client.take("refresh", tokens["refresh_token"])["access_token"])

    def test_deviceDenied(self) -> None:
        """
        A person says no to a device, and that is what the device hears.
        """
        self.be(self.client, "--grant", "device_code")
        device = self.client.take("startDevice", {"scope": MAIL_SCOPE})
        self.person.connect(device["verification_uri_complete"], "deny")

        self.assertRefuses("access_denied", "askForDevice")

    def test_introspection(self) -> None:
        """
        A resource server learns what a token means (RFC 7662), and that it means nothing any more
        once its client revoked the refresh token of its family (RFC 7009). It gets signed answers
        where it asks for them (RFC 9701), and is told nothing of refresh tokens.
        """
        plain, signed = self.startClient(), self.startClient()
        self.be(plain, "--confidential", "--resource-server")
        self.be(
            signed,
            *("--secret-in-body", "--resource-server"),
            introspection_signed_response_alg="ES256",
        )
        clientId = self.register()["client_id"]
        tokens = self.authorize()
        for server in (plain, signed):
            meaning = server.take("introspect", tokens["access_token"])
            self.assertEqual(
                (True, ALICE, clientId, MAIL_SCOPE),
                tuple(meaning[each] for each in ("active", "username", "client_id", "scope")),
            )
            self.assertEqual({"active": False}, server.take("introspect", tokens["refresh_token"]))

        self.client.take("revoke", tokens["refresh_token"])

        for server in (plain, signed):
            self.assertEqual({"active": False}, server.take("introspect", tokens["access_token"]))
        self.assertRefuses("invalid_grant", "refresh", tokens["refresh_token"])
        self.assertOpensNothing(tokens["access_token"])

    def test_revokedAccessToken(self) -> None:
        """
        A client revokes an access token, and goes on with another.
        """
        self.register()
        tokens = self.authorize()
        self.client.take("revoke", tokens["access_token"])
        other = self.client.take("refresh", tokens["refresh_token"])

        self.assertOpensNothing(tokens["access_token"])
        self.assertOpens(other["access_token"])

    def test_bound(self) -> None:
        """
        Tokens that are bound to a key (RFC 9449) are good with that key alone: the refresh token of
        a public client, too. They open no mailbox, for mail has no way to show a proof.
        """
        self.register()
        self.client.take("bind")
        tokens = self.authorize(OPENID_SCOPE, pushed=True)
        access, subject = tokens["access_token"], tokens["claims"]["sub"]
        refreshed = self.client.take("refresh", tokens["refresh_token"])

        self.assertEqual(["dpop", "dpop"], [each["token_type"] for each in (tokens, refreshed)])
        self.assertEqual(ALICE, self.client.take("userInfo", access, subject)["email"])
        self.assertOpensNothing(access)

        self.client.take("bind")

        self.assertRefuses("invalid_dpop_proof", "refresh", refreshed["refresh_token"])
        refusal = self.assertRaises(Refused, self.client.take, "userInfo", access, subject)
        self.assertEqual(401, refusal.status)

    def test_boundCode(self) -> None:
        """
        A request that is pushed with a proof asks for a code that is bound to the key.
        """
        self.register()
        self.client.take("bind")
        asked = {"redirect_uri": REDIRECT, "scope": MAIL_SCOPE}
        location = self.person.answer(self.client.take("begin", asked, True))
        self.client.take("bind")

        self.assertRefuses("invalid_dpop_proof", "finish", location)

    def test_clientCredentials(self) -> None:
        """
        A client gets a token for itself, with a secret in the header or in the body, or with a key
        (RFC 7523). It is good for nobody's mail.
        """
        keys = self.fileOf("keys.json", json.dumps({"keys": [self.client.take("makeKey")]}))
        for proof in (["--confidential"], ["--secret-in-body"], ["--jwks", str(keys)]):
            added = self.be(self.client, "--grant", "client_credentials", *proof)
            token = self.client.take("askForItself", {})["access_token"]
            meaning = self.client.take("introspect", token)

            self.assertEqual(
                (True, added["client_id"]), (meaning["active"], meaning["client_id"]), proof
            )
            self.assertOpensNothing(token)
