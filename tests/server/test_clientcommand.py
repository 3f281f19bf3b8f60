"""
Tests of C{mailauth client}.
"""

from __future__ import annotations

import json
from typing import Any

from mailauth.oauth.records import Client
from mailauth.oauth.registration import DEVICE_GRANT
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.clients import Clients
from mailauth.server.commands.client import client
from mailauth.server.commands.newclient import newClient
from mailauth.server.config import readConfiguration
from mailauth.server.sealing import digestOf, readKeyFile
from mailauth.stores.memory import MemoryStores

from ..jose import makeJWK
from .test_cli import ISO_TIME, CommandCase

WEBMAIL = "https://webmail.example/index.php/login/oauth"


class ClientTests(CommandCase):
    """
    The administrator's clients.
    """

    any = ("--redirect", WEBMAIL)
    usual: dict[str, Any] = {
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "",
        "token_endpoint_auth_method": "none",
        "verified": True,
        "denied": False,
        "opaque_tokens": False,
        "resource_server": False,
        "insecure_without_pkce": False,
        "post_logout_redirect_uris": [],
        "backchannel_logout_uri": None,
        "created": ISO_TIME,
    }

    def test_life(self) -> None:
        """
        A public client is added, shown, listed and removed; no secret is made for it.
        """
        expected: dict[str, Any] = {
            **self.usual,
            "client_id": "mailproxy",
            "client_name": "Email OAuth 2.0 Proxy",
            "redirect_uris": ["http://localhost:8765"],
        }
        self.shapes(
            self.answered(
                *("client", "add", "--id", "mailproxy", "--name", "Email OAuth 2.0 Proxy"),
                *("--redirect", "http://localhost:8765"),
            ),
            **expected,
        )
        self.shapes(self.answered("client", "show", "mailproxy"), **expected)
        [listed] = self.answered("client", "list")
        self.shapes(listed, **expected)
        self.assertIn("already", self.refused("client", "add", "--id", "mailproxy", *self.any))
        self.assertEqual(self.answered("client", "remove", "mailproxy"), {"client_id": "mailproxy"})
        self.assertEqual(self.answered("client", "list"), [])
        for verb in ("show", "remove", "deny"):
            self.assertIn("no client mailproxy", self.refused("client", verb, "mailproxy"))

    def test_builtIn(self) -> None:
        """
        A mail program that is known without registration is shown, is in no list, and can be denied
        until that is taken back.
        """
        shown = self.answered("client", "show", "thunderbird")
        self.assertEqual(("Thunderbird", False), (shown["client_name"], shown["verified"]))
        self.assertEqual(self.answered("client", "list"), [])

        self.answered("client", "deny", "thunderbird")
        self.assertTrue(self.answered("client", "show", "thunderbird")["denied"])
        self.answered("client", "remove", "thunderbird")
        self.assertFalse(self.answered("client", "show", "thunderbird")["denied"])

    def test_confidential(self) -> None:
        """
        A secret is shown once, to a person too, and nowhere again.
        """
        made = self.answered(
            *("client", "add", "--id", "roundcube", "--confidential", "--redirect", WEBMAIL),
            *("--insecure-without-pkce", "--opaque-tokens", "--scope", f"openid {MAIL_SCOPE}"),
            *("--post-logout-redirect", "https://webmail.example/"),
            *("--backchannel-logout", "https://webmail.example/logout"),
        )
        secret = made.pop("client_secret")
        self.assertRegex(secret, r"\A[A-Za-z0-9_-]{43}\Z")
        self.shapes(
            made,
            **{
                **self.usual,
                "client_id": "roundcube",
                "client_name": "roundcube",
                "redirect_uris": [WEBMAIL],
                "scope": f"openid {MAIL_SCOPE}",
                "token_endpoint_auth_method": "client_secret_basic",
                "opaque_tokens": True,
                "insecure_without_pkce": True,
                "post_logout_redirect_uris": ["https://webmail.example/"],
                "backchannel_logout_uri": "https://webmail.example/logout",
            },
        )
        shown = self.told("client", "show", "roundcube") + self.told("client", "list")
        self.assertNotIn(secret, shown)
        self.assertNotIn(digestOf(secret).hex(), shown)

        first, second = self.told("client", "add", "--secret-in-body", *self.any).splitlines()

        self.assertRegex(first, r"\Aclient_id: [0-9a-f]{16}\Z")
        self.assertRegex(second, r"\Aclient_secret: [A-Za-z0-9_-]{43}\Z")
        found = self.answered("client", "show", first.removeprefix("client_id: "))
        self.assertEqual(found["token_endpoint_auth_method"], "client_secret_post")

    def test_registeredItself(self) -> None:
        """
        A client that registered itself is in no list, but can be shown, and denied until that is
        taken back.
        """
        self.told("client", "list")
        configuration = readConfiguration(self.directory / "mailauth.toml")
        stores = MemoryStores()
        sealer = readKeyFile(configuration.keyFile).sealer("client-ids")
        clients = Clients(stores.clients, stores.revocations, configuration.issuer, sealer)
        registered = clients.register(
            {"client_name": "Itself", "redirect_uris": ["http://127.0.0.1/"]}
        )
        clientId = registered.clientId
        self.assertEqual(self.answered("client", "list"), [])
        shown = self.answered("client", "show", clientId)
        self.assertEqual((shown["client_name"], shown["verified"]), ("Itself", False))

        self.assertEqual(self.answered("client", "deny", clientId), {"client_id": clientId})

        self.assertTrue(self.answered("client", "show", clientId)["denied"])
        self.told("client", "deny", clientId)
        self.told("client", "remove", clientId)
        self.assertFalse(self.answered("client", "show", clientId)["denied"])
        self.told("client", "deny", "https://app.example/client.json")


class NewClientTests(CommandCase):
    """
    What can be added.
    """

    def make(self, *arguments: str) -> Client:
        """
        What is made of arguments.
        """
        context = client.commands["add"].make_context("add", [*arguments])
        return newClient(context.params).made(0.0)[0]

    def wrong(self, *arguments: str) -> str:
        """
        Arguments that are wrong usage.

        @return: what is said.
        """
        return self.misused("client", "add", *arguments)

    def test_grants(self) -> None:
        """
        Who has a redirect URI gets codes and refresh tokens, unless told otherwise.
        """
        for arguments, grants in (
            (("--redirect", WEBMAIL), {"authorization_code", "refresh_token"}),
            (("--redirect", WEBMAIL, "--grant", "authorization_code"), {"authorization_code"}),
            (("--grant", "device_code"), {DEVICE_GRANT}),
            (
                ("--grant", "device_code", "--grant", "refresh_token"),
                {DEVICE_GRANT, "refresh_token"},
            ),
            (("--grant", "client_credentials", "--confidential"), {"client_credentials"}),
            (("--resource-server", "--confidential"), frozenset()),
        ):
            self.assertEqual(self.make(*arguments).grantTypes, grants)

    def test_public(self) -> None:
        """
        A public client gets no client credentials, and introspects nothing (O 67, O 87).
        """
        self.assertIn("client_credentials", self.wrong("--grant", "client_credentials"))
        self.assertIn("resource server", self.wrong("--resource-server"))
        self.assertTrue(self.make("--redirect", "com.example.app:/").public)

    def test_withoutPKCE(self) -> None:
        """
        Without PKCE needs a secret or keys, and one https redirect URI (O 38).
        """
        bare = ("--insecure-without-pkce", "--redirect", WEBMAIL)
        self.assertTrue(self.make(*bare, "--confidential").insecureWithoutPKCE)
        self.wrong(*bare)
        self.wrong(*bare, "--confidential", "--redirect", "https://webmail.example/other")
        for uri in ("http://localhost:8765", "com.example.app:/", "https://localhost/"):
            self.wrong("--insecure-without-pkce", "--confidential", "--redirect", uri)

    def test_redirects(self) -> None:
        """
        Redirect URIs follow the rules of any other client, and go with codes (O 33, O 35, O 81).
        """
        for uri in ("http://a.example/", "https://a.example/#x", "javascript:alert(1)", "x:/", ""):
            self.assertIn("redirect URI", self.wrong("--redirect", uri))
        self.wrong("--grant", "authorization_code")
        self.wrong("--grant", "device_code", "--redirect", WEBMAIL)
        self.wrong("--grant", "refresh_token", "--grant", "client_credentials", "--confidential")
        self.wrong("--redirect", WEBMAIL, "--post-logout-redirect", "http://a.example/")
        self.wrong("--redirect", WEBMAIL, "--backchannel-logout", "http://a.example/")
        self.wrong()

    def test_keys(self) -> None:
        """
        A client may have public keys, from a file, and no secret then.
        """
        file = self.directory / "keys.json"
        file.write_text(json.dumps({"keys": [makeJWK()]}))
        keys = ("--jwks", str(file))
        made = self.make("--redirect", WEBMAIL, *keys)
        self.assertEqual(
            (made.authMethod, made.jwks, made.secretDigest),
            ("private_key_jwt", file.read_text(), None),
        )
        self.wrong("--redirect", WEBMAIL, "--confidential", *keys)
        for content in ("", "{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}'):
            file.write_text(content)
            self.assertIn("keys.json", self.wrong("--redirect", WEBMAIL, *keys))
        file.unlink()
        self.assertIn("keys.json", self.wrong("--redirect", WEBMAIL, *keys))

    def test_ids(self) -> None:
        """
        An id needs no encoding, or is the address of a document, whose client is known then.
        """
        for clientId in ("a", "mail.example~1_2-3", "https://app.example/client.json"):
            made = self.make("--id", clientId, "--redirect", WEBMAIL)
            self.assertEqual((made.clientId, made.verified), (clientId, True))
        for clientId in (
            "",
            "a b",
            "a:b",
            "\u00e4",
            "a/b",
            "http://app.example/",
            "x" * 101,
            "a\n",
        ):
            self.wrong("--id", clientId, "--redirect", WEBMAIL)

    def test_scopes(self) -> None:
        """
        Only scopes that there are can be asked for.
        """
        self.assertIn("root", self.wrong("--redirect", WEBMAIL, "--scope", "imap root"))
        self.assertEqual(
            self.make("--redirect", WEBMAIL, "--scope", "smtp imap").scope, {"imap", "smtp"}
        )
