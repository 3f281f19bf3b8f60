"""
Tests for L{mailauth.server.web.register}.
"""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.networks import networkOf
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.clients import Clients
from mailauth.server.sealing import KEY_OCTETS, ServerSecret
from mailauth.server.web.channel import MAX_BODY
from mailauth.server.web.register import REGISTRATIONS, RegistrationResource
from mailauth.stores.memory import MemoryStores

from .requests import FORM, Exchange, Response, ask

ISSUER = "https://id.example.test"
NOW = 1_800_000_000
JSON = "Content-Type: application/json"

MAIL_CLIENT: dict[str, Any] = {
    "client_name": "Example Mail",
    "redirect_uris": ["http://127.0.0.1/callback", "http://localhost:8765", "com.example.mail:/cb"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": f"{MAIL_SCOPE} offline_access",
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
}


class RegistrationTests(SynchronousTestCase):
    """
    C{/register}.
    """

    def setUp(self) -> None:
        """
        Open it.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        self.stores = MemoryStores(self.clock.seconds, ISSUER)
        self.clients = Clients(
            self.stores.clients,
            self.stores.revocations,
            ISSUER,
            ServerSecret(bytes(KEY_OCTETS)).sealer("client-ids"),
            now=self.clock.seconds,
        )
        self.resource = RegistrationResource(self.clients, self.clock.seconds)

    def register(self, metadata: Any, *headers: str, peer: str = "192.0.2.7") -> Response:
        """
        Register.

        @param metadata: or the octets of the body.
        """
        exchange = Exchange(self.resource, peer=peer)
        body = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
        exchange.send("POST", "", *(headers or (JSON,)), body=body)
        return exchange.response()

    def test_registered(self) -> None:
        """
        Anybody gets an id, and is told what became of what he said (RFC 7591 section 3.2.1); the
        answer is kept nowhere (O 71, O 80).
        """
        response = self.register(MAIL_CLIENT)

        self.assertEqual(response.status, 201)
        self.assertEqual(response.headers["content-type"], "application/json")
        self.assertEqual(response.headers["cache-control"], "no-store")
        members = response.members
        clientId = members.pop("client_id")
        self.assertEqual(members.pop("client_id_issued_at"), NOW)
        self.assertEqual(members.pop("scope"), f"offline_access {MAIL_SCOPE}")
        self.assertEqual(
            members, {name: value for name, value in MAIL_CLIENT.items() if name != "scope"}
        )
        found = self.successResultOf(Deferred.fromCoroutine(self.clients.find(clientId)))
        self.assertEqual(found.name, "Example Mail")

    def test_leavesNothing(self) -> None:
        """
        However many register, nothing is kept of them (OA11; O 80).
        """
        ids = {
            self.register(MAIL_CLIENT, peer=f"198.51.{number}.1").members["client_id"]
            for number in range(100)
        }

        self.assertEqual(len(ids), 100)
        self.assertEqual(self.successResultOf(self.stores.clients.list()), ())

    def test_nothingToManage(self) -> None:
        """
        There is no registration access token that could be stolen, and nothing to change or to
        remove: so no authentication method can be changed either (O 82, O 83).
        """
        metadata = {
            **MAIL_CLIENT,
            "registration_access_token": "mine",
            "registration_client_uri": "https://mine.example/",
        }
        members = self.register(metadata).members

        self.assertNotIn("registration_access_token", members)
        self.assertNotIn("registration_client_uri", members)
        self.assertNotIn("client_secret", members)
        client = json.dumps({**MAIL_CLIENT, "client_id": members["client_id"]}).encode()
        for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD"):
            for query in ("", f"?client_id={members['client_id']}"):
                body = client if method == "PUT" else b""
                response = ask(self.resource, method, query, JSON, body=body)
                self.assertEqual(response.status, 405, method)
                self.assertEqual(response.headers["allow"], "POST")

    def test_refused(self) -> None:
        """
        What cannot be registered is refused with the code of the standard (RFC 7591 section 3.2.2;
        O 81).
        """
        for metadata, code in (
            ({**MAIL_CLIENT, "grant_types": ["password"]}, "invalid_client_metadata"),
            ({**MAIL_CLIENT, "grant_types": ["client_credentials"]}, "invalid_client_metadata"),
            (
                {**MAIL_CLIENT, "jwks": {"keys": []}, "jwks_uri": "https://a.example/"},
                "invalid_client_metadata",
            ),
            ({**MAIL_CLIENT, "scope": "root"}, "invalid_client_metadata"),
            ({**MAIL_CLIENT, "redirect_uris": ["http://a.example/"]}, "invalid_redirect_uri"),
            ({**MAIL_CLIENT, "redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
            ({"client_name": "Example Mail"}, "invalid_redirect_uri"),
            ([MAIL_CLIENT], "invalid_client_metadata"),
            (b"", "invalid_client_metadata"),
            (b"{", "invalid_client_metadata"),
            (b'{"client_name": "\xff"}', "invalid_client_metadata"),
            (b"[" * 10_000, "invalid_client_metadata"),
        ):
            response = self.register(metadata)
            self.assertEqual(response.status, 400, metadata)
            self.assertEqual(response.members["error"], code, metadata)
            self.assertEqual(response.headers["cache-control"], "no-store")

    def test_onlyJSON(self) -> None:
        """
        The body is JSON and says so, and nothing stands in the query (O 65).
        """
        for header in (FORM, "Content-Type: text/plain", "Accept: application/json"):
            response = self.register(MAIL_CLIENT, header)
            self.assertEqual((response.status, response.members["error"]), (400, "invalid_request"))
        response = ask(self.resource, "POST", "?a=1", JSON, body=json.dumps(MAIL_CLIENT).encode())
        self.assertEqual(response.status, 400)
        response = self.register(MAIL_CLIENT, "Content-Type: application/json; charset=utf-8")
        self.assertEqual(response.status, 201)

    def test_size(self) -> None:
        """
        A body of more than 16 KiB is not read (DS10; O 80).
        """
        padded = {**MAIL_CLIENT, "unknown": ""}
        padded["unknown"] = "x" * (MAX_BODY - len(json.dumps(padded)))
        self.assertEqual(self.register(padded).status, 201)

        padded["unknown"] += "x"

        self.assertEqual(self.register(padded).status, 413)

    def test_rate(self) -> None:
        """
        A network may try so often a minute, whatever it says; others need not wait for it (OA11;
        O 80).
        """
        for number in range(REGISTRATIONS):
            metadata = MAIL_CLIENT if number % 2 else b"{"
            self.assertIn(self.register(metadata).status, (201, 400))
        response = self.register(MAIL_CLIENT)
        self.assertEqual(response.status, 429)
        self.assertEqual(response.members["error"], "temporarily_unavailable")
        self.assertEqual(response.headers["retry-after"], "60")

        self.assertEqual(self.register(MAIL_CLIENT, peer="192.0.2.8").status, 201)
        self.clock.advance(60)
        self.assertEqual(self.register(MAIL_CLIENT).status, 201)

    def test_network(self) -> None:
        """
        The addresses that one customer has are one network.
        """
        one, other = (f"2001:db8:0:1::{number}" for number in (1, 2))
        self.assertEqual(networkOf(one), networkOf(other))
        for _ in range(REGISTRATIONS):
            self.register(MAIL_CLIENT, peer=one)

        self.assertEqual(self.register(MAIL_CLIENT, peer=other).status, 429)

    def test_otherOrigins(self) -> None:
        """
        A script of any origin may register its client: no cookie means anything here (O 71).
        """
        response = self.register(MAIL_CLIENT, JSON, "Origin: https://webmail.example")

        self.assertEqual(response.headers["access-control-allow-origin"], "*")
