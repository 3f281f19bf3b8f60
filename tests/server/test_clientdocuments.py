"""
Tests for L{mailauth.server.clientdocuments}.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from mailauth.errors import Outage
from mailauth.oauth.records import Client
from mailauth.oauth.registration import DEVICE_GRANT
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.clientdocuments import (
    FETCHES,
    MAX_AGE,
    MAX_KEYS,
    MIN_AGE,
    REMEMBERED,
    STALE,
    USUAL_AGE,
    ClientDocuments,
    isDocumentAddress,
)
from mailauth.validators._http import Fetched, NotFetchable

from ..jose import makeJWK

ADDRESS = "https://app.example/oauth/client.json"

# What the draft shows, for a mail client.
DOCUMENT: dict[str, Any] = {
    "client_id": ADDRESS,
    "client_name": "Example App",
    "client_uri": "https://app.example/",
    "logo_uri": "http://169.254.169.254/logo.png",
    "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb", "example.app.mail:/cb"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": f"{MAIL_SCOPE} offline_access",
    "token_endpoint_auth_method": "none",
}


def answer(document: Any = DOCUMENT, status: int = 200, **headers: Any) -> Fetched:
    """
    What a web server says.

    @param document: or the octets of the body.
    """
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return Fetched(status, Headers({"Content-Type": ["application/json"], **named}), content)


class DocumentsCase(SynchronousTestCase):
    """
    A web server that answers when it is told to.
    """

    def setUp(self) -> None:
        """
        Nobody asked yet.
        """
        self.clock = Clock()
        self.documents = ClientDocuments(self.get, self.clock.seconds)
        self.asked: list[tuple[str, Deferred[Fetched]]] = []

    def get(self, address: str, headers: Any) -> Deferred[Fetched]:
        """
        See L{BoundedFetcher<mailauth.validators._http.BoundedFetcher>}.
        """
        self.assertEqual(headers, {"Accept": "application/json"})
        fetched: Deferred[Fetched] = Deferred()
        self.asked.append((address, fetched))
        return fetched

    def finding(self, address: str = ADDRESS) -> Deferred[Client]:
        """
        Ask for a client.
        """
        return Deferred.fromCoroutine(self.documents.find(address))

    def says(self, fetched: Fetched | Exception) -> None:
        """
        The server answers the oldest question.
        """
        _, waiting = self.asked.pop(0)
        if isinstance(fetched, Fetched):
            waiting.callback(fetched)
        else:
            waiting.errback(fetched)

    def found(self, fetched: Fetched | Exception | None = None, address: str = ADDRESS) -> Client:
        """
        A client that there is.

        @param fetched: what the server says, or C{None} if it is not asked.
        """
        finding = self.finding(address)
        if fetched is not None:
            self.says(fetched)
        self.assertEqual(self.asked, [])
        return self.successResultOf(finding)

    def refused(self, fetched: Fetched | Exception, address: str = ADDRESS) -> str:
        """
        There is no client, because of what the server says.

        @return: why, as the log has it.
        """
        finding = self.finding(address)
        self.says(fetched)
        error = self.failureResultOf(finding, OAuthError).value
        self.assertEqual(
            (error.code, error.description), ("invalid_client", "There is no such client.")
        )
        reason: str = error.reason
        return reason


class ReadingTests(DocumentsCase):
    """
    What a document may say.
    """

    def without(self, *names: str, **members: Any) -> Fetched:
        """
        The document without some members, and with others.
        """
        kept = {name: value for name, value in DOCUMENT.items() if name not in names}
        return answer({**kept, **members})

    def test_client(self) -> None:
        """
        A client is what its document says, named by the address, and verified by nobody; what else
        would have to be fetched is not (O 81, O 85, O 86).
        """
        self.assertEqual(
            self.found(self.without(verified=True, resourceServer=True)),
            Client(
                ADDRESS,
                "Example App",
                ("https://app.example/cb", "http://127.0.0.1/cb", "example.app.mail:/cb"),
                scope=frozenset({MAIL_SCOPE, "offline_access"}),
                address="https://app.example/",
            ),
        )

    def test_least(self) -> None:
        """
        Its id and where to go back to are enough: it is a public client.
        """
        client = self.found(answer({"client_id": ADDRESS, "redirect_uris": ["http://127.0.0.1/"]}))

        self.assertTrue(client.public)
        self.assertEqual(client.grantTypes, {"authorization_code", "refresh_token"})

    def test_clientId(self) -> None:
        """
        A document is about the client whose address it has, letter for letter (O 86).
        """
        for other in (
            ADDRESS.upper(),
            f"{ADDRESS}/",
            f"{ADDRESS}#",
            "https://other.example/",
            "",
            7,
        ):
            self.refused(self.without(client_id=other))
        self.refused(self.without("client_id"))

    def test_status(self) -> None:
        """
        Nothing but 200 is a document: a redirect is not followed (O 86).
        """
        for status in (201, 204, 206, 301, 302, 303, 304, 307, 308, 400, 403, 404, 410):
            reason = self.refused(answer(status=status, Location="https://app.example/other"))
            self.assertIn(str(status), reason)
            self.clock.advance(60)

    def test_type(self) -> None:
        """
        It is sent as JSON.
        """
        for type in ("application/json; charset=utf-8", "Application/OAuth-Client+JSON"):
            self.documents = ClientDocuments(self.get, self.clock.seconds)
            self.found(answer(Content_Type=type))
        self.documents = ClientDocuments(self.get, self.clock.seconds)
        for type in ("text/html", "text/plain", "application/javascript", "json", ""):
            self.refused(answer(Content_Type=type))

    def test_notJSON(self) -> None:
        """
        It is an object.
        """
        for content in (b"", b"{", b"[]", b"<html>", b"\xff", b"[" * 60_000, b'"text"'):
            self.refused(answer(content))

    def test_notFetchable(self) -> None:
        """
        What is too large, or not on the public Internet, is no document (O 86).
        """
        reason = self.refused(NotFetchable("it is too large"))

        self.assertIn("it is too large", reason)

    def test_origin(self) -> None:
        """
        A browser is sent to the origin of the document or to a program on its own machine, and to
        nobody else (O 86).
        """
        for uri in (
            "https://other.example/cb",
            "https://www.app.example/cb",
            "https://example/cb",
            "https://app.example:8443/cb",
            "https://app.example.other.example/cb",
        ):
            reason = self.refused(self.without(redirect_uris=["https://app.example/", uri]))
            self.assertIn("another origin", reason)
            self.refused(self.without(post_logout_redirect_uris=[uri]))
            self.refused(self.without(backchannel_logout_uri=uri))
            self.clock.advance(60)
        for uri in (
            *("https://app.example/", "http://127.0.0.1/cb", "http://[::1]/", "org.example.x:/"),
            "http://localhost:8765",
        ):
            self.clock.advance(MAX_AGE)
            self.assertEqual(self.found(self.without(redirect_uris=[uri])).redirectURIs, (uri,))

    def test_redirectURIs(self) -> None:
        """
        They follow the rules of any other (O 81).
        """
        for uri in ("http://app.example/", "https://app.example/#x", "javascript:alert(1)", "x:/"):
            self.refused(self.without(redirect_uris=[uri]))
        self.refused(self.without("redirect_uris"))

    def test_grantTypes(self) -> None:
        """
        Codes and refresh tokens, and nothing else (O 67, O 78, O 81).
        """
        for grantType in ("client_credentials", DEVICE_GRANT, "implicit", "password"):
            self.refused(self.without(grant_types=["authorization_code", grantType]))

    def test_secrets(self) -> None:
        """
        There is no secret in what everybody can read.
        """
        methods: list[Any] = ["client_secret_basic", "client_secret_post", "client_secret_jwt"]
        for method in (*methods, 7, [], None):
            self.refused(self.without(token_endpoint_auth_method=method))
        self.refused(self.without(client_secret="x"))
        self.refused(self.without(client_secret_expires_at=0))

    def test_keys(self) -> None:
        """
        A client may have keys, which stand in its document (O 81).
        """
        method = {"token_endpoint_auth_method": "private_key_jwt"}
        keys = {"keys": [makeJWK()]}
        client = self.found(self.without(**method, jwks=keys))
        self.assertEqual(client.authMethod, "private_key_jwt")
        self.assertEqual(json.loads(client.jwks or ""), keys)

        self.clock.advance(MAX_AGE)
        bad: tuple[dict[str, Any], ...] = (
            {},
            {"jwks": {"keys": []}},
            {"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}},
            {"jwks": "https://app.example/jwks.json"},
            {"jwks": {"keys": [makeJWK(x5t="x" * MAX_KEYS)]}},
            {"jwks_uri": "https://app.example/jwks.json"},
            {"jwks": keys, "jwks_uri": "https://app.example/jwks.json"},
        )
        for members in bad:
            self.refused(self.without(**method, **members))

    @given(st.recursive(st.none() | st.booleans() | st.text(), lambda each: st.lists(each)))
    def test_anything(self, value: Any) -> None:
        """
        Whatever stands in a document, it is one or it is none (W13).
        """
        for name in (*DOCUMENT, "jwks", "jwks_uri", "backchannel_logout_uri"):
            documents = ClientDocuments(self.get, self.clock.seconds)
            finding = Deferred.fromCoroutine(documents.find(ADDRESS))
            self.says(self.without(**{name: value}))
            finding.addErrback(lambda failure: failure.trap(OAuthError))
            self.successResultOf(finding)


class KeepingTests(DocumentsCase):
    """
    How long a document is believed.
    """

    def named(self, name: str, **headers: Any) -> Fetched:
        """
        The document with another name in it.
        """
        return answer({**DOCUMENT, "client_name": name}, **headers)

    def lasts(self, **headers: str) -> float:
        """
        How many seconds a document with these headers is believed.
        """
        self.documents = ClientDocuments(self.get, self.clock.seconds)
        self.found(self.named("old", **headers))
        seconds = 0.0
        while True:
            finding = self.finding()
            if self.asked:
                self.says(self.named("new"))
                self.assertEqual(self.successResultOf(finding).name, "new")
                return seconds
            self.assertEqual(self.successResultOf(finding).name, "old")
            self.clock.advance(30)
            seconds += 30

    def test_lifetime(self) -> None:
        """
        As long as its server says, within bounds (O 86).
        """
        self.assertEqual(self.lasts(), USUAL_AGE)
        self.assertEqual(self.lasts(Cache_Control="max-age=300"), 300)
        self.assertEqual(self.lasts(Cache_Control="max-age=1"), MIN_AGE)
        self.assertEqual(self.lasts(Cache_Control="no-store"), MIN_AGE)
        self.assertEqual(self.lasts(Cache_Control="max-age=99999999"), MAX_AGE)

    def test_outage(self) -> None:
        """
        While its server is down, a client that is known goes on for a day; one that is not is an
        outage, and no refusal (O 86).
        """
        finding = self.finding()
        self.says(Outage("down"))
        self.failureResultOf(finding, Outage)
        self.found(answer())
        self.clock.advance(USUAL_AGE)
        for failure in (Outage("down"), answer(status=500), answer(status=503), answer(status=429)):
            self.assertEqual(self.found(failure).name, "Example App")

        self.clock.advance(STALE)

        for failure in (Outage("down"), answer(status=502)):
            finding = self.finding()
            self.says(failure)
            self.failureResultOf(finding, Outage)

    def test_withdrawn(self) -> None:
        """
        A document that is no longer there, or no longer good, ends the client: what was kept is
        forgotten.
        """
        for gone in (answer(status=404), answer(b"{}"), NotFetchable("it is too large")):
            self.found(answer())
            self.clock.advance(USUAL_AGE)
            self.refused(gone)
            finding = self.finding()
            self.says(Outage("down"))
            self.failureResultOf(finding, Outage)
            self.clock.advance(60)

    def test_refusalIsNotKept(self) -> None:
        """
        What was no document is asked for again: its owner may have mended it.
        """
        self.refused(answer(status=404))
        self.assertEqual(self.found(answer()).name, "Example App")

    def test_single(self) -> None:
        """
        Many who ask at once are answered by one fetch, of which nobody's leaving deprives the
        others (O 86).
        """
        waiting = [self.finding() for _ in range(100)]
        self.assertEqual(len(self.asked), 1)
        waiting[0].addErrback(lambda failure: None)
        waiting[0].cancel()

        self.says(answer())

        names = {self.successResultOf(each).name for each in waiting[1:]}
        self.assertEqual(names, {"Example App"})

    def test_singleFailure(self) -> None:
        """
        So are those who are refused.
        """
        waiting = [self.finding() for _ in range(3)]
        self.says(answer(status=404))
        for each in waiting:
            self.failureResultOf(each, OAuthError)

    def test_hosts(self) -> None:
        """
        Nobody can make us ask one host more than so often a minute, however many addresses are
        made up on it (OA11; O 86).
        """
        findings = [self.finding(f"https://app.example/{number}") for number in range(100)]
        self.assertEqual(len(self.asked), FETCHES)
        for finding in findings[FETCHES:]:
            self.failureResultOf(finding, Outage)
        self.finding("https://other.example/")
        self.assertEqual(len(self.asked), FETCHES + 1)
        self.clock.advance(60)
        self.finding("https://app.example/another")
        self.assertEqual(len(self.asked), FETCHES + 2)

    def test_bounded(self) -> None:
        """
        The clients asked for last are kept, and no others (DS14; O 86).
        """
        addresses = [f"https://a{number}.example/" for number in range(REMEMBERED + 1)]
        for address in addresses:
            document = {"client_id": address, "redirect_uris": ["http://127.0.0.1/"]}
            self.found(answer(document), address)
            self.found(None, addresses[0])

        self.finding(addresses[1])
        self.assertEqual([address for address, _ in self.asked], [addresses[1]])


class AddressTests(SynchronousTestCase):
    """
    Which ids are addresses.
    """

    def test_isDocumentAddress(self) -> None:
        """
        Those of https on a domain with a path, in one spelling (O 86).
        """
        for address in (
            *(
                ADDRESS,
                "https://app.example/",
                "https://app.example:8443/a",
                "https://a.example/~b",
            ),
        ):
            self.assertTrue(isDocumentAddress(address), address)
        for address in (
            *(
                "http://app.example/",
                "https://app.example",
                "HTTPS://app.example/",
                "ftp://a.example/",
            ),
            *("https://App.example/", "https://user@app.example/", "https://app.example/?a=b"),
            *("https://app.example/#a", "https://app.example/./a", "https://app.example/a/../b"),
            *("https://app.example/%2e%2e/", "https://localhost/a", "https://127.0.0.1/a"),
            *("https://[::1]/a", "https:///a", "https://\u00e4.example/", "https://app.example/ a"),
            *("com.example.app:/a", "emailproxy", "", "https://app.example/" + "a" * 600),
        ):
            self.assertFalse(isDocumentAddress(address), address)
