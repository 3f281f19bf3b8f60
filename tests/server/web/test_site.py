"""
Tests of what is served over HTTPS.
"""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionAborted
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import globalLogPublisher, textFileLogObserver
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.pages import notFound
from twisted.web.resource import Resource

from mailauth.mail.waiting import WaitingLimits, WaitingRoom
from mailauth.oauth.jwt import Signer, keysFromJWKS, makePrivateKey
from mailauth.server.issuersettings import IssuerSettings
from mailauth.server.web.channel import MAX_BODY, MAX_SECONDS, QuietSite, formatHeaders
from mailauth.server.web.documents import HealthResource, Prepared, documentsByAddress
from mailauth.server.web.site import makeSite

DISCOVERY = "/.well-known/openid-configuration"
METADATA = "/.well-known/oauth-authorization-server"


@attrs.frozen
class Response:
    """
    What came back.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class Cut(Exception):
    """
    The connection was cut instead of an answer.
    """


class Broken(Resource):
    """
    What fails in a way that nobody expected.
    """

    def render(self, request: Any) -> int:
        """
        See the parent.
        """
        raise ValueError(request.uri)


class SiteCase(SynchronousTestCase):
    """
    A site, and browsers without a network.
    """

    issuer = "https://id.example.test"

    def setUp(self) -> None:
        """
        The site.
        """
        self.keys = tuple(
            Signer.fromPEM(algorithm.lower(), algorithm, makePrivateKey(algorithm)).verifyingKey
            for algorithm in ("ES256", "RS256", "EdDSA")
        )
        self.ready = True
        self.site = makeSite(
            self.issuer,
            documentsByAddress(
                self.issuer, IssuerSettings(), lambda: self.keys, lambda: self.ready
            ),
            {"here": Prepared(b"words", b"text/plain"), "broken": Broken()},
            notFound(),
            WaitingRoom(Clock().callLater),
        )

    def send(self, octets: bytes) -> bytes:
        """
        Send octets on a connection of their own.

        @return: what comes back.
        @raise Cut: the connection is aborted.
        """
        channel = self.site.buildProtocol(None)
        transport = StringTransport()
        aborted: list[None] = []
        transport.abortConnection = lambda: aborted.append(None)  # type: ignore[method-assign]
        channel.makeConnection(transport)
        for at in range(0, len(octets), 1000):
            if not transport.disconnecting and not aborted:
                channel.dataReceived(octets[at : at + 1000])
        if aborted:
            raise Cut
        answer: bytes = transport.value()
        return answer

    def request(self, method: str, path: str, *headers: str, body: bytes = b"") -> Response:
        """
        Send a request.
        """
        lines = [f"{method} {path} HTTP/1.1", "Host: id.example.test", *headers, "", ""]
        answer = self.send("\r\n".join(lines).encode("latin-1") + body)
        head, _, content = answer.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        named = dict(field.split(": ", 1) for field in fields)
        return Response(
            int(status.split()[1]), {name.lower(): each for name, each in named.items()}, content
        )

    def get(self, path: str, *headers: str) -> Response:
        """
        Get something.
        """
        return self.request("GET", path, *headers)


class DocumentTests(SiteCase):
    """
    What describes the issuer.
    """

    def test_discovery(self) -> None:
        """
        The discovery document names the issuer, letter for letter, its key set and what that
        signs with; it is the same at both of its addresses (OpenID Connect Discovery 1.0 section
        4, RFC 8414 section 3) (O 92).
        """
        for path in (DISCOVERY, METADATA):
            response = self.get(path)
            self.assertEqual(response.status, 200)
            self.assertEqual(response.headers["content-type"], "application/json")
            self.assertEqual(response.headers["x-content-type-options"], "nosniff")
            members = json.loads(response.body)
            self.assertEqual(members["issuer"], "https://id.example.test")
            self.assertEqual(members["jwks_uri"], "https://id.example.test/jwks.json")
            self.assertEqual(
                members["id_token_signing_alg_values_supported"], ["ES256", "EdDSA", "RS256"]
            )

    def test_resource(self) -> None:
        """
        Whoever finds the server first learns which issuer's tokens it takes (RFC 9728 section 3)
        (O 92).
        """
        members = json.loads(self.get("/.well-known/oauth-protected-resource").body)

        self.assertEqual(members["authorization_servers"], ["https://id.example.test"])
        self.assertEqual(members["resource"], "https://id.example.test")

    def test_unchanged(self) -> None:
        """
        Whoever has a document is not sent it again, unless it changed (RFC 9110 section 13.1.2).
        """
        for path in (DISCOVERY, "/jwks.json"):
            tag = self.get(path).headers["etag"]
            for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
                response = self.get(path, f"If-None-Match: {held}")
                self.assertEqual((response.status, response.body), (304, b""))
                self.assertEqual(response.headers["etag"], tag)
            self.assertEqual(self.get(path, 'If-None-Match: "other"').status, 200)
            self.keys = self.keys[1:]
            self.assertEqual(self.get(path, f"If-None-Match: {tag}").status, 200)

    def test_crossOrigin(self) -> None:
        """
        What is for everybody may be read by the scripts of any site (O 71).
        """
        for path in (DISCOVERY, "/jwks.json", "/.well-known/oauth-protected-resource"):
            self.assertEqual(self.get(path).headers["access-control-allow-origin"], "*")
        self.assertNotIn("access-control-allow-origin", self.get("/here").headers)

    def test_keySet(self) -> None:
        """
        The key set has every key, and of each the public members alone (OA17, O 92).
        """
        response = self.get("/jwks.json")

        self.assertEqual(response.headers["content-type"], "application/json")
        self.assertEqual(
            [key.kid for key in keysFromJWKS(response.body)], ["es256", "rs256", "eddsa"]
        )
        members = {member for key in json.loads(response.body)["keys"] for member in key}
        self.assertEqual(members & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}, set())

    def test_keySetNow(self) -> None:
        """
        The key set is the one of this moment.
        """
        self.keys = self.keys[:2]

        self.assertEqual(len(keysFromJWKS(self.get("/jwks.json").body)), 2)

    def test_health(self) -> None:
        """
        Whoever watches learns whether the process lives, and whether logins can be decided.
        """
        for ready, status in ((True, 200), (False, 503)):
            self.ready = ready
            self.assertEqual(self.get("/healthz").status, 200)
            response = self.get("/readyz")
            self.assertEqual(response.status, status)
            self.assertEqual(response.headers["cache-control"], "no-store")


class IssuerWithPathTests(SiteCase):
    """
    An issuer that is not at the root.
    """

    issuer = "https://id.example.test/tenants/mail/"

    def test_addresses(self) -> None:
        """
        The documents are where both specifications look for them: behind the path, and with the
        path behind the well-known part.
        """
        for path in (f"/tenants/mail{DISCOVERY}", f"{METADATA}/tenants/mail"):
            document = json.loads(self.get(path).body)
            self.assertEqual(document["issuer"], self.issuer)
            self.assertEqual(document["jwks_uri"], "https://id.example.test/tenants/mail/jwks.json")
        self.assertEqual(self.get("/tenants/mail/jwks.json").status, 200)
        self.assertEqual(self.get("/tenants/mail/here").status, 200)
        self.assertEqual(self.get(DISCOVERY).status, 404)


class HeaderTests(SynchronousTestCase):
    """
    Headers of an answer.
    """

    def test_lineEnds(self) -> None:
        """
        No value ends its line, and begins another.
        """
        for value in (b"a\r\nSet-Cookie: b", b"a\n", b"\ra"):
            self.assertRaises(ValueError, formatHeaders, [(b"Location", value)])
        self.assertEqual(formatHeaders([(b"A", b"b"), (b"C", b"d")]), b"A: b\r\nC: d\r\n")


class RequestTests(SiteCase):
    """
    Whatever is asked.
    """

    def test_unknown(self) -> None:
        """
        Nothing else is there.
        """
        for path in (
            "/",
            "/nothing",
            "/.well-known/",
            "/.well-known/jwks.json",
            "/..",
            "//",
            "/%00",
        ):
            self.assertEqual(self.get(path).status, 404, path)

    def test_methods(self) -> None:
        """
        There is something to get, and nothing to do; no method makes a server error.
        """
        for path, known in (
            ("/", False),
            (DISCOVERY, True),
            ("/healthz", True),
            ("/here", True),
        ):
            for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE", "X"):
                status = self.request(method, path).status
                self.assertEqual(status, 405 if known else 404, (method, path))
            head = self.request("HEAD", path)
            self.assertEqual((head.status, head.body), (200 if known else 404, b""))
        self.assertEqual(self.request("PUT", DISCOVERY).headers["allow"], "GET, HEAD")

    def test_star(self) -> None:
        """
        C{OPTIONS *}, which is about no address.
        """
        self.assertLess(self.request("OPTIONS", "*").status, 500)

    def test_largeBody(self) -> None:
        """
        A body that says that it is large, or does not say how large it is, ends the connection
        before any of it is kept (DS10).
        """
        for headers in ((f"Content-Length: {MAX_BODY + 1}",), ("Transfer-Encoding: chunked",)):
            response = self.request("POST", DISCOVERY, *headers, body=b"1\r\nx\r\n0\r\n\r\n")
            self.assertEqual(response.status, 413)
            self.assertEqual(response.headers["connection"], "close")

        body = b"x" * MAX_BODY
        response = self.request("POST", DISCOVERY, f"Content-Length: {MAX_BODY}", body=body)
        self.assertEqual(response.status, 405)

    def test_silent(self) -> None:
        """
        No answer names the software.
        """
        for method, path in (
            ("GET", DISCOVERY),
            ("GET", "/nothing"),
            ("PUT", "/"),
            ("OPTIONS", "*"),
        ):
            response = self.request(method, path)
            self.assertNotIn("server", response.headers)
            self.assertNotIn(b"wisted", response.body)

    def test_log(self) -> None:
        """
        An address may hold a token, and a header does: no request is logged, and of a failure that
        nobody expected only where it happened (LG1).
        """
        log = StringIO()
        observer = textFileLogObserver(log)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.site.startFactory()
        self.addCleanup(self.site.stopFactory)

        self.assertRaises(Cut, self.get, "/broken?access_token=planted")
        self.assertIn("unexpected builtins.ValueError in HTTP", log.getvalue())
        for path in (DISCOVERY, "/nothing"):
            self.get(
                f"{path}?access_token=planted",
                "Authorization: Bearer planted",
                "Referer: https://x/planted",
                "User-Agent: planted",
            )

        self.assertNotIn("planted", log.getvalue())

    def test_mailClient(self) -> None:
        """
        A mail client that was led here is told, in HTTP's own words, that it is wrong, and no
        command of it is answered (W6).
        """
        for line in (b"EHLO x", b"a LOGIN alice x", b"USER alice"):
            answer = self.send(line + b"\r\nQUIT\r\n\r\n")
            self.assertTrue(answer.startswith(b"HTTP/1.1 400"), answer)
            self.assertEqual(answer.count(b"HTTP/1.1"), 1)

    @given(st.binary(max_size=300))
    def test_anything(self, octets: bytes) -> None:
        """
        No octets make a server error.
        """
        for request in (octets, b"GET /" + octets + b" HTTP/1.1\r\nHost: x\r\n\r\n"):
            try:
                answer = self.send(request)
            except Cut:
                continue
            self.assertNotIn(b"HTTP/1.1 5", answer)


class Visit:
    """
    A browser that takes its time.
    """

    def __init__(self, site: QuietSite) -> None:
        self.cut = False
        self.transport = StringTransport()
        self.transport.abortConnection = self._lose  # type: ignore[method-assign]
        self.channel = site.buildProtocol(None)
        self.channel.makeConnection(self.transport)

    def say(self, octets: bytes) -> bytes:
        """
        Send octets, and return what comes.
        """
        self.transport.clear()
        self.channel.dataReceived(octets)
        answer: bytes = self.transport.value()
        return answer

    def _lose(self) -> None:
        self.cut = True
        self.channel.connectionLost(Failure(ConnectionAborted()))


class DeadlineTests(SynchronousTestCase):
    """
    How long a connection may take, and how many there may be.
    """

    REQUEST = b"GET /healthz HTTP/1.1\r\nHost: id.example.test\r\n"

    def setUp(self) -> None:
        """
        A site with room for three.
        """
        self.clock = Clock()
        self.room = WaitingRoom(self.clock.callLater, WaitingLimits(3, None))
        self.site = QuietSite({b"/healthz": HealthResource(lambda: True)}, notFound(), self.room)

    def wait(self, seconds: float) -> None:
        """
        Let time pass.
        """
        self.clock.pump([1] * int(seconds))

    def test_silent(self) -> None:
        """
        A connection that says nothing is cut off, TLS handshake or not (DS7).
        """
        visit = Visit(self.site)

        self.wait(MAX_SECONDS)
        self.assertFalse(visit.cut)
        self.wait(1)

        self.assertTrue(visit.cut)
        self.assertEqual(self.room.connections(), ())

    def test_drip(self) -> None:
        """
        A request that never ends is cut off, however often another piece of it comes, in its
        header and in its body (DS7).
        """
        for start, piece in (
            (self.REQUEST, b"X: y\r\n"),
            (self.REQUEST + b"Content-Length: 1000\r\n\r\n", b"x"),
        ):
            visit = Visit(self.site)
            visit.say(start)
            for _ in range(int(MAX_SECONDS)):
                self.wait(1)
                self.assertFalse(visit.cut)
                visit.say(piece)
            self.wait(1)
            self.assertTrue(visit.cut)

    def test_again(self) -> None:
        """
        Each request of a connection has time of its own.
        """
        visit = Visit(self.site)
        for _ in range(4):
            self.wait(MAX_SECONDS - 1)
            self.assertTrue(visit.say(self.REQUEST + b"\r\n").startswith(b"HTTP/1.1 200 "))

        self.wait(MAX_SECONDS + 1)

        self.assertTrue(visit.cut)

    def test_close(self) -> None:
        """
        A connection that is being closed is cut off if the client does not do its part.
        """
        visit = Visit(self.site)
        visit.say(self.REQUEST + b"Connection: close\r\n\r\n")
        self.assertTrue(visit.transport.disconnecting)

        self.wait(MAX_SECONDS + 1)

        self.assertTrue(visit.cut)

    def test_tooMany(self) -> None:
        """
        If there are too many, the one that has gone longest without a request is cut off (DS8).
        """
        busy, silent, other = (Visit(self.site) for _ in range(3))
        self.wait(1)
        busy.say(self.REQUEST + b"\r\n")
        other.say(self.REQUEST + b"\r\n")

        newcomer = Visit(self.site)

        cut = [visit.cut for visit in (busy, silent, other, newcomer)]
        self.assertEqual(cut, [False, True, False, False])
