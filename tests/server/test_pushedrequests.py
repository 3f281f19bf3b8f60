"""
Tests of authorization requests that are pushed before.
"""

from __future__ import annotations

from typing import Any

import attrs

from mailauth.errors import Outage
from mailauth.oauth.jwt import keyFromJWK, thumbprint
from mailauth.oauth.records import Client
from mailauth.server.authorizationrequests import PUSHED
from mailauth.server.pushedrequests import LIFETIME

from ..jose import makeJWK
from .issuance import (
    CHALLENGE,
    ISSUER,
    PHONE,
    REDIRECT,
    SECRET,
    WEBMAIL,
    IssuanceCase,
    Unreachable,
    basic,
)


class PushedRequestsTests(IssuanceCase):
    """
    L{PushedRequests<mailauth.server.pushedrequests.PushedRequests>} (RFC 9126).
    """

    def asking(self, client: Client = PHONE, *resources: str, **changes: str | bytes | None) -> Any:
        """
        What a client pushes.
        """
        form: dict[str, Any] = {
            "client_id": client.clientId,
            "response_type": "code",
            "redirect_uri": REDIRECT if client.public else client.redirectURIs[0],
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "s",
            **changes,
        }
        authorization = form.pop("authorization", None if client.public else basic(client))
        proof = form.pop("proof", None)
        kept = {name: value for name, value in form.items() if value is not None}
        return self.pushedRequests.answer(self.formOf(*resources, **kept), authorization, proof)

    def push(self, client: Client = PHONE, *resources: str, **changes: str | bytes | None) -> str:
        """
        @return: the C{request_uri}.
        """
        uri: str = self.wait(self.asking(client, *resources, **changes))["request_uri"]
        return uri

    def test_answer(self) -> None:
        """
        What is pushed is a reference that is good for a minute (O 45).
        """
        answer = self.wait(self.asking())

        self.assertTrue(answer["request_uri"].startswith(PUSHED))
        self.assertEqual(answer["expires_in"], 60)
        self.assertEqual(LIFETIME, 60)

    def test_take(self) -> None:
        """
        What comes back is what was pushed, its resources too, and without the client's secret.
        """
        post = attrs.evolve(WEBMAIL, clientId="post", authMethod="client_secret_post")
        self.wait(self.stores.clients.add(post))
        uri = self.push(
            post,
            "imap://mail.example.test",
            "smtp://mail.example.test",
            authorization=None,
            client_secret=SECRET,
        )

        form = self.wait(self.pushedRequests.take(uri, "post"))

        self.assertEqual(
            dict(form),
            {
                "client_id": "post",
                "response_type": "code",
                "redirect_uri": post.redirectURIs[0],
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
                "state": "s",
            },
        )
        self.assertEqual(form.resources, ("imap://mail.example.test", "smtp://mail.example.test"))

    def test_once(self) -> None:
        """
        It is used once, however it is written (O 45).
        """
        uri = self.push()
        self.wait(self.pushedRequests.take(uri, "phone"))

        for again in (uri, f"{uri}=", f"{uri[:60]}\n{uri[60:]}", f"{uri}!"):
            self.refused(self.pushedRequests.take(again, "phone"), "invalid_request_uri")

    def test_expired(self) -> None:
        """
        It is used within a minute (O 45).
        """
        early, late = self.push(), self.push()
        self.clock.advance(59)
        self.wait(self.pushedRequests.take(early, "phone"))

        self.clock.advance(1)

        self.refused(self.pushedRequests.take(late, "phone"), "invalid_request_uri")

    def test_otherClient(self) -> None:
        """
        It is used by who pushed it, and another who tries does not spend it (O 45).
        """
        uri = self.push()
        self.refused(self.pushedRequests.take(uri, "laptop"), "invalid_request_uri")

        self.wait(self.pushedRequests.take(uri, "phone"))

    def test_madeUp(self) -> None:
        """
        What was not pushed is nothing (O 44, O 45).
        """
        uri = self.push()
        changed = uri[:-5] + ("A" if uri[-5] != "A" else "B") + uri[-4:]
        for made in (PUSHED, f"{PUSHED}x", f"{PUSHED}{'x' * 100}", "https://evil.example", changed):
            self.refused(self.pushedRequests.take(made, "phone"), "invalid_request_uri")

    def test_checkedWhenPushed(self) -> None:
        """
        A request that could not be answered is refused before anybody is sent anywhere: PKCE, the
        redirect URI, the scope, the response type, a request within the request (O 45, O 44).
        """
        for code, changes in (
            ("invalid_request", {"code_challenge": None}),
            ("invalid_request", {"code_challenge_method": "plain"}),
            ("invalid_request", {"redirect_uri": "https://evil.example/"}),
            ("invalid_scope", {"scope": "admin"}),
            ("unsupported_response_type", {"response_type": "token"}),
            ("request_uri_not_supported", {"request_uri": f"{PUSHED}x"}),
            ("request_not_supported", {"request": "e30.e30."}),
        ):
            self.refused(self.asking(**changes), code)
        self.refused(self.asking(PHONE, "https://evil.example"), "invalid_target")

    def test_client(self) -> None:
        """
        Whoever pushes says who he is, and proves it if he can (O 45).
        """
        self.refused(self.asking(client_id=None), "invalid_client")
        self.refused(self.asking(client_id="nobody"), "invalid_client")
        self.refused(self.asking(WEBMAIL, authorization=None), "invalid_client")
        self.refused(self.asking(WEBMAIL, client_id="phone"), "invalid_request")

        self.assertTrue(self.push(WEBMAIL))

    def test_clientOfTheHeader(self) -> None:
        """
        A client that says who it is in the header alone is the one whose request it is.
        """
        uri = self.push(WEBMAIL, client_id=None)

        self.assertEqual(
            self.wait(self.pushedRequests.take(uri, "webmail"))["client_id"], "webmail"
        )

    def test_key(self) -> None:
        """
        Who proves that he has a key asks for tokens that are bound to it, as if he had named it
        (RFC 9449 section 10.1; O 69).
        """
        key = thumbprint(keyFromJWK(makeJWK("ES256", "phone")))
        for named in (None, key):
            proof = self.proof("phone", htu=f"{ISSUER}/par")
            uri = self.push(proof=proof, dpop_jkt=named)

            self.assertEqual(self.wait(self.pushedRequests.take(uri, "phone"))["dpop_jkt"], key)

    def test_anotherKey(self) -> None:
        """
        Who names another key than he proves to have, or proves it to another endpoint or not at
        all, is refused (O 69).
        """
        for proof, named in (
            (self.proof("phone", htu=f"{ISSUER}/par"), "x" * 43),
            (self.proof("phone"), None),
            (b"none", None),
        ):
            self.refused(self.asking(proof=proof, dpop_jkt=named), "invalid_dpop_proof")

    def test_large(self) -> None:
        """
        What would not fit into an address is refused.
        """
        self.refused(self.asking(unknown="x" * 8000), "invalid_request")

    def test_secret(self) -> None:
        """
        Nobody who sees the reference reads the request.
        """
        self.assertNotIn(CHALLENGE, self.push())

    def test_outage(self) -> None:
        """
        That nobody can tell whether it was used is not that it was.
        """
        uri = self.push()
        spent: Any = Unreachable(self.stores.spent, "spend")
        failing = attrs.evolve(self.pushedRequests, spent=spent)
        self.failureResultOf(self.waiting(failing.take(uri, "phone")), Outage)

        self.wait(self.pushedRequests.take(uri, "phone"))
