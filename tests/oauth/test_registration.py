"""
Tests for L{mailauth.oauth.registration}.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.records import Client
from mailauth.oauth.registration import (
    DEVICE_GRANT,
    GRANT_TYPES,
    MAX_ADDRESS,
    MAX_KEPT,
    MAX_NAME,
    MAX_URIS,
    describeClient,
    parseMetadata,
    readClient,
)
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import MAIL_SCOPE

NOW = 1000.0

# What a mail client of the profile sends (draft-ietf-mailmaint-oauth-public).
MAIL_CLIENT: dict[str, Any] = {
    "redirect_uris": ["http://127.0.0.1/callback", "com.example.mail:/cb"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "client_name": "Example Mail",
    "client_uri": "https://example.com/~mail?x#about",
    "scope": f"offline_access {MAIL_SCOPE}",
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
}

URIS = ["https://app.example/cb"]

MEMBERS = st.sampled_from(
    [
        "redirect_uris",
        "post_logout_redirect_uris",
        "grant_types",
        "response_types",
        "token_endpoint_auth_method",
        "scope",
        "client_name",
        "client_uri",
        "software_id",
        "backchannel_logout_uri",
        "jwks",
        "jwks_uri",
        "logo_uri",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([*URIS, "imap"]),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=6,
)


class ReadClientTests(SynchronousTestCase):
    """
    What becomes of what a client says.
    """

    def assertRefused(self, code: str = "invalid_client_metadata", **members: Any) -> None:
        """
        With these members, no client can be registered.
        """
        with self.subTest(members):
            metadata = {"redirect_uris": URIS, **members}
            error = self.assertRaises(OAuthError, readClient, metadata, NOW)
            self.assertEqual(code, error.code)

    def read(self, **members: Any) -> Client:
        """
        The usual client, but for these members.
        """
        return readClient({"redirect_uris": URIS, **members}, NOW)

    def test_mailClient(self) -> None:
        """
        A mail client is what it says, public, and has no id yet.
        """
        self.assertEqual(
            Client(
                clientId="",
                name="Example Mail",
                redirectURIs=("http://127.0.0.1/callback", "com.example.mail:/cb"),
                grantTypes=frozenset({"authorization_code", "refresh_token"}),
                scope=frozenset({MAIL_SCOPE, "offline_access"}),
                authMethod="none",
                created=NOW,
                softwareId="4NRB1-0XZABZI9E6-5SM3R",
                address="https://example.com/~mail?x#about",
            ),
            readClient(MAIL_CLIENT, NOW),
        )

    def test_least(self) -> None:
        """
        A redirect URI is enough. Who does not say gets codes and refresh tokens, and may ask for
        any scope.
        """
        client = readClient({"redirect_uris": URIS}, NOW)

        self.assertEqual(("https://app.example/cb",), client.redirectURIs)
        self.assertEqual({"authorization_code", "refresh_token"}, client.grantTypes)
        self.assertEqual((frozenset(), "", True), (client.scope, client.name, client.public))

    def test_absent(self) -> None:
        """
        C{null} and what is empty is absent, and a redirect URI counts once.
        """
        client = self.read(
            redirect_uris=[*URIS, *URIS],
            post_logout_redirect_uris=None,
            client_name=" ",
            client_uri="",
            scope=None,
            grant_types=[],
            software_id=None,
            backchannel_logout_uri=None,
            token_endpoint_auth_method=None,
        )

        self.assertEqual(readClient({"redirect_uris": URIS}, NOW), client)

    def test_secrets(self) -> None:
        """
        Nobody gets a secret: whoever asks for one is a public client all the same, and is told.
        """
        for method in ("client_secret_basic", "client_secret_post", "none"):
            client = self.read(token_endpoint_auth_method=method)
            self.assertTrue(client.public)
            self.assertIs(None, client.secretDigest)
            self.assertEqual("none", describeClient(client)["token_endpoint_auth_method"])
        for unknown in ("private_key_jwt", "client_secret_jwt", "tls_client_auth", 1, ["none"]):
            self.assertRefused(token_endpoint_auth_method=unknown)

    def test_keys(self) -> None:
        """
        Keys may stand in two places, but not in both; neither is kept or fetched (O 81).
        """
        self.assertEqual(self.read(), self.read(jwks={"keys": []}))
        self.assertEqual(self.read(), self.read(jwks_uri="http://169.254.169.254/"))
        self.assertRefused(jwks={"keys": []}, jwks_uri="https://app.example/jwks.json")

    def test_grantTypes(self) -> None:
        """
        Codes, refresh tokens, device codes for whoever names them; nothing that needs a secret or
        a password, and nothing unknown (OA8; O 67, O 81).
        """
        for asked in (
            ["authorization_code"],
            ["authorization_code", "refresh_token"],
            ["authorization_code", "refresh_token", DEVICE_GRANT],
            [DEVICE_GRANT],
            [DEVICE_GRANT, "refresh_token"],
        ):
            self.assertEqual(set(asked), self.read(grant_types=asked).grantTypes)
        for unknown in (
            "implicit",
            "password",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "device_code",
            "",
        ):
            self.assertRefused(grant_types=["authorization_code", unknown])
        self.assertRefused(grant_types=["refresh_token"])
        for malformed in ("authorization_code", {"authorization_code": 1}, [1], [None], 1):
            self.assertRefused(grant_types=malformed)

    def test_grantTypesAllowed(self) -> None:
        """
        A server that gives no device codes to strangers refuses whoever wants one (O 78).
        """
        metadata = {"grant_types": [DEVICE_GRANT]}

        readClient(metadata, NOW)
        error = self.assertRaises(
            OAuthError, readClient, metadata, NOW, GRANT_TYPES - {DEVICE_GRANT}
        )

        self.assertEqual("invalid_client_metadata", error.code)

    def test_responseTypes(self) -> None:
        """
        There is the code alone, and only with its grant type (OA8; O 39, O 81).
        """
        self.read(response_types=["code"])
        self.read(response_types=[], grant_types=[DEVICE_GRANT])
        for types in (
            ["token"],
            ["code", "token"],
            ["code id_token"],
            ["id_token"],
            ["none"],
            "code",
        ):
            self.assertRefused(response_types=types)
        self.assertRefused(response_types=["code"], grant_types=[DEVICE_GRANT])

    def test_redirectURIs(self) -> None:
        """
        The rules for redirect URIs hold for each of them, and for where to go after logging out
        (O 33, O 34, O 35, O 81).
        """
        good = ["https://app.example/cb", "http://127.0.0.1/cb", "eu.faircode.email:/"]
        client = self.read(redirect_uris=good, post_logout_redirect_uris=good)
        self.assertEqual(tuple(good), client.redirectURIs)
        self.assertEqual(tuple(good), client.postLogoutRedirectURIs)

        for uri in (
            "http://app.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "https://app.example/cb#x",
            "https://*.app.example/cb",
            "https://app.example/../cb",
            "javascript:alert(1)",
            "myapp:/cb",
            "",
            "https://j\u00fcrgen.example/",
            "\ud800",
        ):
            self.assertRefused("invalid_redirect_uri", redirect_uris=[*URIS, uri])
            self.assertRefused("invalid_redirect_uri", post_logout_redirect_uris=[uri])
        self.assertRefused(redirect_uris="https://app.example/cb")
        self.assertRefused(redirect_uris=[["https://app.example/cb"]])

    def test_noRedirectURI(self) -> None:
        """
        Without one there is nowhere to send a code to; a device needs none.
        """
        self.assertRefused("invalid_redirect_uri", redirect_uris=None)
        self.assertRefused("invalid_redirect_uri", redirect_uris=[])
        self.assertEqual((), readClient({"grant_types": [DEVICE_GRANT]}, NOW).redirectURIs)

    def test_scope(self) -> None:
        """
        It may limit itself to scopes that there are.
        """
        self.assertEqual({"imap", "smtp"}, self.read(scope="smtp imap imap").scope)
        for scope in ("imap unknown", "imap  smtp", "im\u00e4p", ["imap"], 1, {"imap": 1}):
            self.assertRefused(scope=scope)

    def test_name(self) -> None:
        """
        Its name is what people can see: no controls, no marks that turn the text around, nothing
        invisible; and short (WB4; O 55).
        """
        for name in (
            "Example Mail",
            'J\u00fcrgens <Post> & "Co"',
            "\u05d3\u05d5\u05d0\u05e8",
            "\u90f5\u4ef6",
        ):
            self.assertEqual(name, self.read(client_name=name).name)
        self.assertEqual("Mail", self.read(client_name="  Mail ").name)
        for (
            character
        ) in "\n\r\t\0\x1b\x7f\u0085\u200b\u200e\u202e\u2028\u2066\ufeff\u00ad\ue000\ud800":
            self.assertRefused(client_name=f"Mail{character}client")
        self.assertRefused(client_name="x" * (MAX_NAME + 1))
        self.assertRefused(client_name=["Mail"])

    def test_address(self) -> None:
        """
        Its home page is an address of the web, in which nothing passes for the host.
        """
        for address in (
            "https://example.com",
            "http://example.com:8080/a",
            "https://social.example/@x",
        ):
            self.assertEqual(address, self.read(client_uri=address).address)
        for address in (
            "javascript:alert(1)",
            "data:text/html,x",
            "example.com",
            "//example.com",
            "https://",
            "https://thunderbird.net@evil.example/",
            "https://evil.example\\@thunderbird.net/",
            "https://exa mple.com",
            "https://example.com/\u202e",
            "https://example.com/\n",
            "https://example.com/" + "x" * MAX_ADDRESS,
        ):
            self.assertRefused(client_uri=address)
        self.assertRefused(client_uri=1)

    def test_backchannel(self) -> None:
        """
        What the server will call is https on a domain, not a machine near by (OA11; O 81).
        """
        uri = "https://app.example/logout?x=1"
        self.assertEqual(uri, self.read(backchannel_logout_uri=uri).backchannelLogoutURI)
        for uri in (
            "http://app.example/logout",
            "http://127.0.0.1/logout",
            "https://127.0.0.1/logout",
            "https://169.254.169.254/latest",
            "https://[::1]/logout",
            "https://localhost/logout",
            "https://mail.localhost/logout",
            "https://me@app.example/logout",
            "https://app.example/logout#x",
            "com.example.app:/logout",
            "file:///etc/passwd",
        ):
            self.assertRefused(backchannel_logout_uri=uri)

    def test_ignored(self) -> None:
        """
        What the server does not know, or does not do for strangers, changes nothing: no logo is
        kept, let alone fetched, and nobody vouches for himself (OA11; O 55, O 81, O 85).
        """
        self.assertEqual(
            self.read(),
            self.read(
                logo_uri="http://169.254.169.254/latest/meta-data/",
                policy_uri="file:///etc/passwd",
                tos_uri=1,
                sector_identifier_uri="http://127.0.0.1:9/",
                request_uris=["http://127.0.0.1:9/"],
                initiate_login_uri="http://127.0.0.1:9/",
                software_statement="eyJhbGciOiJub25lIn0.e30.",
                client_id="thunderbird",
                client_secret="hunter2",
                verified=True,
                resource_server=True,
                insecure_without_pkce=True,
                require_pushed_authorization_requests="maybe",
                contacts=["me@example.com"],
            ),
        )

    def test_softwareId(self) -> None:
        """
        A software id is kept, but it proves nothing: whoever borrows one is as unverified as before
        (O 85).
        """
        client = self.read(software_id="org.mozilla.thunderbird", client_name="Thunderbird")

        self.assertEqual("org.mozilla.thunderbird", client.softwareId)
        self.assertFalse(client.verified)
        self.assertRefused(software_id={"a": 1})
        self.assertRefused(software_id="x" * (MAX_ADDRESS + 1))

    def test_size(self) -> None:
        """
        A client cannot say much: neither many redirect URIs nor long ones (DS14; O 80).
        """
        self.read(redirect_uris=[f"https://a.example/{n}" for n in range(MAX_URIS)])
        self.assertRefused(
            "invalid_redirect_uri",
            redirect_uris=[f"https://a.example/{n}" for n in range(MAX_URIS + 1)],
        )
        self.assertRefused(redirect_uris=[f"https://a.example/{n:0200}" for n in range(MAX_URIS)])
        self.assertRefused(client_name="\u90f5" * MAX_NAME, software_id="\u90f5" * MAX_ADDRESS)

    @given(st.dictionaries(MEMBERS, JSON))
    def test_anyMetadata(self, members: dict[str, Any]) -> None:
        """
        Whatever comes makes a small client that is public and unverified, or is refused.
        """
        try:
            client = self.read(**members)
        except OAuthError as error:
            self.assertIn(error.code, ("invalid_client_metadata", "invalid_redirect_uri"))
            return
        self.assertTrue(client.public and not client.verified and not client.resourceServer)
        self.assertLessEqual(len(json.dumps(describeClient(client))), MAX_KEPT)


class DescribeClientTests(SynchronousTestCase):
    """
    What the client is told.
    """

    def test_everything(self) -> None:
        """
        All that was registered, as it was registered (RFC 7591 section 3.2.1).
        """
        metadata = {
            **MAIL_CLIENT,
            "post_logout_redirect_uris": ["com.example.mail:/bye"],
            "backchannel_logout_uri": "https://example.com/logout",
        }

        answer = describeClient(readClient(metadata, NOW))

        self.assertEqual(
            {**metadata, "client_id_issued_at": 1000}, {**answer, "scope": metadata["scope"]}
        )
        self.assertEqual(set(str(metadata["scope"]).split()), set(answer["scope"].split()))

    def test_least(self) -> None:
        """
        What there is not is left out, but for what every client has.
        """
        self.assertEqual(
            {
                "client_id_issued_at": 1000,
                "redirect_uris": [],
                "grant_types": [DEVICE_GRANT],
                "response_types": [],
                "token_endpoint_auth_method": "none",
            },
            describeClient(readClient({"grant_types": [DEVICE_GRANT]}, NOW)),
        )

    def test_again(self) -> None:
        """
        A client that registers what it was told is the same client.
        """
        client = readClient(MAIL_CLIENT, NOW)

        self.assertEqual(client, readClient(describeClient(client), NOW))

    def test_noSecrets(self) -> None:
        """
        It names the client's id and never its secret.
        """
        client = Client("id", secretDigest=b"\1" * 32, authMethod="client_secret_basic", jwks="{}")

        answer = describeClient(client)

        self.assertEqual("id", answer["client_id"])
        self.assertFalse({"client_secret", "jwks"} & answer.keys())


class ParseTests(SynchronousTestCase):
    """
    The body of the request.
    """

    def test_object(self) -> None:
        """
        It is a JSON object.
        """
        self.assertEqual(MAIL_CLIENT, parseMetadata(json.dumps(MAIL_CLIENT).encode()))

    def test_malformed(self) -> None:
        """
        Anything else is refused, however deep or strange (TK9).
        """
        for octets in (
            b"",
            b"[]",
            b"null",
            b'"x"',
            b"redirect_uris=x",
            b"{",
            b'{"client_name": "\xfc"}',
            json.dumps(MAIL_CLIENT).encode("utf-16"),
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'{"a":' + b"9" * 10_000 + b"}",
        ):
            error = self.assertRaises(OAuthError, parseMetadata, octets)
            self.assertEqual("invalid_client_metadata", error.code)

    @given(st.binary())
    def test_anyOctets(self, octets: bytes) -> None:
        """
        Whatever comes is an object or refused.
        """
        try:
            self.assertIsInstance(parseMetadata(octets), dict)
        except OAuthError as error:
            self.assertEqual("invalid_client_metadata", error.code)
