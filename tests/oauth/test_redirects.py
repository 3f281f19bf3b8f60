"""
Tests for L{mailauth.oauth.redirects}.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.redirects import (
    MAX_LENGTH,
    formActionOf,
    isClaimedHTTPS,
    matches,
    registrable,
)
from mailauth.oauth.responses import OAuthError

GOOD = [
    "https://app.example/cb",
    "https://app.example",
    "https://app.example/",
    "https://app.example:8443/cb",
    "https://app.example/a/b%20c?x=1&y=%2Fz",
    "https://app.example/cb?states=1&encode",
    "https://xn--jrgen-kva.example/cb",
    "https://webmail.example/index.php/login/oauth",
    "https://192.0.2.1/cb",
    "https://app.example/~me/(x)/...",
    "http://127.0.0.1/callback",
    "http://127.0.0.1:38465/callback",
    "http://127.0.0.1",
    "http://[::1]/callback",
    "http://[::1]:65535/",
    "http://localhost:8765",
    "http://localhost",
    "eu.faircode.email:/",
    "com.example.app:/cb",
    "com.example.App:/cb?x=1",
    "com.example.app://oauth/cb",
    "com.example.app://oauth",
    "com.example.app://oauth?x=1",
    "com.example.app:///cb",
]

UNSAFE_SCHEMES = [
    "javascript:alert(1)",
    "javascript://app.example/%0aalert(1)",
    "JavaScript:/cb",
    "data:text/html,x",
    "data:/x",
    "file:///etc/passwd",
    "blob:https://app.example/1",
    "vbscript:/x",
    "mailapp:/cb",
    "myapp://cb",
    "urn:ietf:wg:oauth:2.0:oob",
    ".app:/cb",
    "app.:/cb",
    "com..app:/cb",
    "1.app:/cb",
]

ODD = [
    "",
    "/cb",
    "app.example/cb",
    "//app.example/cb",
    "https:/app.example/cb",
    "https:app.example",
    "https://",
    "https:///cb",
    "https://app.example/cb#fragment",
    "https://app.example/cb#",
    "https://me@app.example/cb",
    "https://me:secret@app.example/cb",
    "https://app.example@evil.example/cb",
    "https://*.app.example/cb",
    "https://app.example/*",
    "https://app.example/cb?x=*",
    "https://app.example/../cb",
    "https://app.example/a/..",
    "https://app.example/./cb",
    "https://app.example/%2e%2e/cb",
    "https://app.example/%2E/cb",
    "https://app.example/a%2fb",
    "https://app.example/a%5cb",
    "https://app.example/a%00b",
    "https://app.example/a%7f",
    "https://app.example/a%2",
    "https://app.example\\cb",
    "https:\\\\app.example/cb",
    "https://app.example/a\\b",
    "https://j\u00fcrgen.example/cb",
    "https://\uff41pp.example/cb",
    "https://app.example/j\u00fcrgen",
    "https://app\u3002example/cb",
    "https://app.example./cb",
    "https://.example/cb",
    "https://-app.example/cb",
    "https://app_x.example/cb",
    "https://App.example/cb",
    "HTTPS://app.example/cb",
    "https://app.example:/cb",
    "https://app.example:0/cb",
    "https://app.example:080/cb",
    "https://app.example:65536/cb",
    "https://app.example:99999/cb",
    "https://app.example:8443x/cb",
    "https://[2001:db8::1]/cb",
    "https://2130706433/cb",
    "https://0x7f000001/cb",
    "https://127.1/cb",
    "https://app.example.1/cb",
    "https://app.example.0x7f/cb",
    "https://[::1/cb",
    "https://app.example/c b",
    " https://app.example/cb",
    "https://app.example/cb\n",
    "https://app.example/c\tb",
    "https://app.example/cb\0",
    "https://app.example/cb?code=1",
    "https://app.example/cb?x=1&state",
    "https://app.example/cb?iss=https://evil.example",
    "com.example.app:",
    "com.example.app:cb",
    "com.example.app:/cb#x",
    "com.example.app://me@oauth/cb",
    "com.example.app:/../cb",
    "com.example.app:/*",
]

NOT_LOOPBACK = [
    "http://app.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1.evil/cb",
    "http://127.0.0.2/cb",
    "http://127.1/cb",
    "http://0.0.0.0/cb",
    "http://2130706433/cb",
    "http://0x7f000001/cb",
    "http://localhost.evil.example/cb",
    "http://notlocalhost/cb",
    "http://localhost./cb",
    "http://[::ffff:127.0.0.1]/cb",
    "http://[::2]/cb",
]


class RegistrableTests(SynchronousTestCase):
    """
    What a client may register.
    """

    def assertRefused(self, uri: str) -> None:
        """
        It may not.
        """
        with self.subTest(uri):
            error = self.assertRaises(OAuthError, registrable, uri)
            self.assertEqual("invalid_redirect_uri", error.code)

    def test_good(self) -> None:
        """
        What mail clients register: https, a loopback address with or without a port, a scheme of
        their own.
        """
        for uri in GOOD:
            with self.subTest(uri):
                registrable(uri)

    def test_schemes(self) -> None:
        """
        A scheme of one's own has a dot, and none that a browser runs has one (O 35).
        """
        for uri in UNSAFE_SCHEMES:
            self.assertRefused(uri)

    def test_ambiguous(self) -> None:
        """
        What has a fragment, a user name, a wildcard, dot segments, disguised or foreign characters
        cannot be registered, nor what would be a response already (OA6; O 33).
        """
        for uri in ODD:
            self.assertRefused(uri)

    def test_onlyLoopbackInClear(self) -> None:
        """
        Without TLS only what stays on the machine, and nothing that merely looks so (O 34).
        """
        for uri in NOT_LOOPBACK:
            self.assertRefused(uri)

    def test_length(self) -> None:
        """
        It ends somewhere.
        """
        uri = "https://app.example/".ljust(MAX_LENGTH, "a")

        registrable(uri)
        self.assertRefused(uri + "a")

    @given(st.text(alphabet="ahtps:/.@[]1#?%2e\\*\u00e4 "))
    def test_anyText(self, text: str) -> None:
        """
        Whatever is registered, the standard library finds neither a user name nor a fragment in,
        and the same host.
        """
        try:
            registrable("https://app.example" + text)
        except OAuthError:
            return
        parts = urlsplit("https://app.example" + text)
        self.assertEqual((None, ""), (parts.username, parts.fragment))
        self.assertTrue((parts.hostname or "").startswith("app.example"), text)


class MatchesTests(SynchronousTestCase):
    """
    What an authorization request may name.
    """

    def test_exact(self) -> None:
        """
        Whatever can be registered is itself.
        """
        for uri in GOOD:
            self.assertTrue(matches(["https://other.example/", uri], uri))

    def test_otherwise(self) -> None:
        """
        Nothing else is, however near: neither another path, query, case, port, user name, encoding
        or fragment, nor a beginning of it or what it is the beginning of (OA2, OA6; O 33).
        """
        registered = ["https://app.example/cb", "com.example.app:/cb"]
        for uri in [
            "https://app.example/cb/",
            "https://app.example/cb/more",
            "https://app.example/cb/../cb",
            "https://app.example/x/../cb",
            "https://app.example/./cb",
            "https://app.example/cb?x=1",
            "https://app.example/cb?",
            "https://app.example/CB",
            "https://APP.example/cb",
            "HTTPS://app.example/cb",
            "https://app.example:443/cb",
            "https://app.example:8443/cb",
            "https://me@app.example/cb",
            "https://app.example/%63b",
            "https://app.example/%2e/cb",
            "https://app.example\\cb",
            "https://app.example/cb\\",
            "https://\uff41pp.example/cb",
            "https://app.example/cb#",
            "https://app.example/cb#x",
            "https://app.example/*",
            "https://*.example/cb",
            "https://app.example/c",
            "https://app.example",
            "https://app.example.evil.example/cb",
            "http://app.example/cb",
            "https://app.example/cb ",
            "https://app.example/cb\n",
            "com.example.app:/cb2",
            "com.example.app://cb",
            "com.example.APP:/cb",
            "",
        ]:
            with self.subTest(uri):
                self.assertFalse(matches(registered, uri))

    def test_nothingRegistered(self) -> None:
        """
        A client without redirect URIs is redirected nowhere.
        """
        self.assertFalse(matches([], "https://app.example/cb"))
        self.assertFalse(matches([], "http://127.0.0.1/cb"))

    def test_loopback(self) -> None:
        """
        A loopback address takes any port or none, whether it was registered with one or without
        (O 34).
        """
        for host in ("127.0.0.1", "[::1]"):
            for registered in (f"http://{host}/callback", f"http://{host}:8080/callback"):
                for presented in (
                    f"http://{host}/callback",
                    f"http://{host}:1/callback",
                    f"http://{host}:38465/callback",
                    f"http://{host}:65535/callback",
                ):
                    self.assertTrue(matches([registered], presented), presented)
            self.assertTrue(matches([f"http://{host}"], f"http://{host}:8080"))
            self.assertTrue(matches([f"http://{host}/?x=1"], f"http://{host}:8080/?x=1"))

    def test_onlyThePort(self) -> None:
        """
        Everything but the port is compared, and a port is a number (O 34).
        """
        registered = ["http://127.0.0.1/callback"]
        for uri in [
            "http://127.0.0.1:8080/callback/",
            "http://127.0.0.1:8080/",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:8080/callback?x",
            "http://127.0.0.1:8080/callback#",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:-1/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:\u0661/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1:80.evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1.evil:80/callback",
            "http://127.0.0.1evil/callback",
            "http://me@127.0.0.1/callback",
            "http://127.0.0.2/callback",
            "http://127.1/callback",
            "http://[::1]/callback",
            "http://localhost/callback",
            "https://127.0.0.1/callback",
            "https://127.0.0.1:8080/callback",
            "http://127.0.0.1:8080/callback\n",
        ]:
            with self.subTest(uri):
                self.assertFalse(matches(registered, uri))

    def test_localhost(self) -> None:
        """
        C{localhost} is a name: it is taken as it was registered (O 34).
        """
        registered = ["http://localhost:8765", "http://localhost/cb"]

        for uri in registered:
            self.assertTrue(matches(registered, uri))
        for uri in (
            "http://localhost",
            "http://localhost:8766",
            "http://localhost:8765/",
            "http://localhost:8765/cb",
            "http://127.0.0.1:8765",
            "http://127.0.0.1/cb",
        ):
            self.assertFalse(matches(registered, uri), uri)

    def test_httpsOnLoopback(self) -> None:
        """
        Who has a certificate for a loopback address has a port, too.
        """
        self.assertFalse(matches(["https://127.0.0.1/cb"], "https://127.0.0.1:8080/cb"))


class MeaningTests(SynchronousTestCase):
    """
    What a redirect URI tells.
    """

    def test_claimed(self) -> None:
        """
        Only https of a domain is anybody's own (RFC 8252 section 8.6).
        """
        for uri in ("https://app.example/cb", "https://app.example:8443/cb?x=1"):
            self.assertTrue(isClaimedHTTPS(uri))
        for uri in (
            "https://localhost/cb",
            "https://mail.localhost/cb",
            "https://127.0.0.1/cb",
            "https://192.0.2.1/cb",
            "https://[::1]/cb",
            "http://127.0.0.1/cb",
            "com.example.app:/cb",
            "https://me@app.example/cb",
            "https:app.example",
            "",
        ):
            self.assertFalse(isClaimedHTTPS(uri), uri)

    def test_formAction(self) -> None:
        """
        A page's policy names where its form may lead: an origin, or a scheme where there is none.
        """
        for expected, uri in [
            ("https://app.example", "https://app.example/cb?x=1"),
            ("https://app.example:8443", "https://app.example:8443"),
            ("http://127.0.0.1:38465", "http://127.0.0.1:38465/callback"),
            ("http://localhost", "http://localhost"),
            ("http:", "http://[::1]:38465/callback"),
            ("eu.faircode.email:", "eu.faircode.email:/"),
            ("com.example.App:", "com.example.App://oauth/cb"),
        ]:
            self.assertEqual(expected, formActionOf(uri))
