"""
Tests of what all OAuth endpoints have in common.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import Request

from mailauth.errors import Outage
from mailauth.oauth.requests import Form
from mailauth.oauth.responses import OAuthError
from mailauth.server.web.endpoint import Answer, FormEndpoint, inJSON, onlyHeader, peerOf

from .requests import FORM, Exchange, ask, post


class Echo(FormEndpoint):
    """
    Says what it was sent, or fails as it is told.
    """

    methods = (b"GET", b"POST")
    crossOrigin = True
    failure: BaseException | None = None
    waiting: Deferred[Any] | None = None

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}.
        """
        onlyHeader(request, b"authorization")
        if self.waiting is not None:
            await self.waiting
        if self.failure is not None:
            raise self.failure
        return inJSON({**form, "resources": form.resources, "peer": peerOf(request)})


class Closed(FormEndpoint):
    """
    One that takes POST alone, and from scripts of its own origin.
    """

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}.
        """
        return inJSON({})


class Unwritable(FormEndpoint):
    """
    One that answers with what is no octets.
    """

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}.
        """
        return Answer(b"x", type="text")  # type: ignore[arg-type]  # that is the point


class EndpointTests(SynchronousTestCase):
    """
    L{FormEndpoint}.
    """

    def setUp(self) -> None:
        """
        An endpoint.
        """
        self.echo = Echo()

    def log(self) -> EventLoggingObserver:
        """
        What is logged from now on.
        """
        observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)  # type: ignore[arg-type]  # any case will do
        assert isinstance(observer, EventLoggingObserver)
        return observer

    def test_form(self) -> None:
        """
        A form is read once, and the answer is JSON that nobody keeps (O 71).
        """
        response = post(self.echo, {"scope": "a b", "resource": "imap://x"})

        self.assertEqual(
            response.members, {"scope": "a b", "resources": ["imap://x"], "peer": "192.0.2.7"}
        )
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-type"], "application/json")
        self.assertEqual(response.headers["cache-control"], "no-store")
        self.assertEqual(response.headers["pragma"], "no-cache")
        self.assertEqual(response.headers["x-content-type-options"], "nosniff")
        self.assertNotIn("server", response.headers)

    def test_method(self) -> None:
        """
        Every other method is refused, with those that there are (O 65).
        """
        for method in ("GET", "PUT", "DELETE", "OPTIONS", "PROPFIND"):
            response = ask(Closed(), method)
            self.assertEqual(response.status, 405)
            self.assertEqual(response.headers["allow"], "POST")
            self.assertEqual(response.members["error"], "invalid_request")

    def test_query(self) -> None:
        """
        What is sent by POST has no query, where it would end up in logs (O 65, WB10).
        """
        for query in ("?scope=a", "?x", "?a=b&c=d"):
            response = ask(self.echo, "POST", query, FORM, body=b"scope=a")
            self.assertEqual((response.status, response.members["error"]), (400, "invalid_request"))

    def test_get(self) -> None:
        """
        What is asked by GET is in the query.
        """
        self.assertEqual(ask(self.echo, "GET", "?scope=a").members["scope"], "a")

    def test_contentType(self) -> None:
        """
        A body is a form and says so; JSON, multipart and what says nothing are refused (O 65).
        """
        multipart = b'--x\r\nContent-Disposition: form-data; name="scope"\r\n\r\na\r\n--x--\r\n'
        for header, body in (
            ("Content-Type: application/json", b'{"scope":"a"}'),
            ("Content-Type: multipart/form-data; boundary=x", multipart),
            ("Content-Type: text/plain", b"scope=a"),
            ("Content-Type: application/x-www-form-urlencodedx", b"scope=a"),
            ("X-Nothing: 1", b"scope=a"),
        ):
            response = ask(self.echo, "POST", "", header, body=body)
            self.assertEqual((response.status, response.members["error"]), (400, "invalid_request"))
        for type in ("APPLICATION/x-www-form-urlencoded", "application/x-www-form-urlencoded;x=y"):
            response = ask(self.echo, "POST", "", f"Content-Type: {type}", body=b"scope=a")
            self.assertEqual(response.members["scope"], "a")

    def test_strange(self) -> None:
        """
        Repeats, a NUL, Latin-1 and too many parameters are refused (O 65, OA15).
        """
        for body in (
            b"scope=a&scope=a",
            b"scope=a%00b",
            b"scope=\xe4",
            b"scope=%E4",
            b"&".join(b"p%d=1" % number for number in range(51)),
        ):
            response = ask(self.echo, "POST", "", FORM, body=body)
            self.assertEqual((response.status, response.members["error"]), (400, "invalid_request"))

    def test_large(self) -> None:
        """
        A body of a megabyte is not read (O 65, DS10).
        """
        self.assertEqual(ask(self.echo, "POST", "", FORM, body=b"a" * 2**20).status, 413)

    def test_headerTwice(self) -> None:
        """
        A header that means nothing twice is refused twice (O 63).
        """
        response = post(self.echo, {}, "Authorization: Basic YTo=", "Authorization: Basic YTo=")

        self.assertEqual((response.status, response.members["error"]), (400, "invalid_request"))

    def test_refusal(self) -> None:
        """
        The client gets the code and the sentence, the log the reason.
        """
        log = self.log()
        self.echo.failure = OAuthError("invalid_grant", "It is used.", "why, for the log")

        response = post(self.echo, {})

        self.assertEqual(response.status, 400)
        self.assertEqual(
            response.members, {"error": "invalid_grant", "error_description": "It is used."}
        )
        self.assertEqual(response.headers["cache-control"], "no-store")
        self.assertNotIn("www-authenticate", response.headers)
        self.assertIn("why, for the log", [event.get("reason") for event in log])

    def test_challenge(self) -> None:
        """
        Who did not prove who it is is told how it could (RFC 6749 section 5.2).
        """
        self.echo.failure = OAuthError("invalid_client", "Unknown or wrong.")

        response = post(self.echo, {})

        self.assertEqual(response.status, 401)
        self.assertEqual(response.headers["www-authenticate"], 'Basic realm="mailauth"')

    def test_outage(self) -> None:
        """
        An outage is a 503 that is not JSON, and names a time (OA4).
        """
        log = self.log()
        self.echo.failure = Outage("the store is gone")

        response = post(self.echo, {})

        self.assertEqual(response.status, 503)
        self.assertEqual(response.headers["retry-after"], "5")
        self.assertEqual(response.headers["content-type"], "text/plain; charset=utf-8")
        self.assertRaises(ValueError, lambda: response.members)
        self.assertIn("the store is gone", [event.get("reason") for event in log])

    def test_unexpected(self) -> None:
        """
        What nobody expected is a 500; the log has its kind and its place, and not its words, which
        may hold a secret (LG1).
        """
        log = self.log()
        self.echo.failure = KeyError("secret-a1b2c3")

        response = post(self.echo, {"code": "secret-a1b2c3"})

        self.assertEqual((response.status, response.members["error"]), (500, "server_error"))
        self.assertEqual([event["kind"] for event in log if "kind" in event], ["builtins.KeyError"])
        self.assertNotIn("secret-a1b2c3", repr(list(log)))

    def test_later(self) -> None:
        """
        An answer that takes its time comes when it is there.
        """
        self.echo.waiting = Deferred()
        exchange = Exchange(self.echo)
        exchange.send("POST", "", FORM, body=b"scope=a")
        self.assertEqual(exchange.transport.value(), b"")

        self.echo.waiting.callback(None)

        self.assertEqual(exchange.response().members["scope"], "a")

    def test_gone(self) -> None:
        """
        If whoever asked has gone, the answer is for nobody.
        """
        self.echo.waiting = Deferred()
        exchange = Exchange(self.echo)
        exchange.send("POST", "", FORM, body=b"scope=a")
        exchange.channel.connectionLost(Failure(ConnectionDone()))

        self.echo.waiting.callback(None)

        self.assertEqual(exchange.transport.value(), b"")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_unwritable(self) -> None:
        """
        An answer that cannot be written is on record, by its kind and place, and nobody waits for
        it.
        """
        log = self.log()
        exchange = Exchange(Unwritable())

        exchange.send("POST", "", FORM)

        self.assertEqual((exchange.transport.value(), exchange.transport.disconnected), (b"", True))
        self.assertEqual(
            [event["kind"] for event in log if "kind" in event], ["builtins.TypeError"]
        )


class CrossOriginTests(SynchronousTestCase):
    """
    Scripts of other origins (O 71).
    """

    def test_allowed(self) -> None:
        """
        Where it is safe they may ask, and read the answer; never with credentials.
        """
        response = post(Echo(), {}, "Origin: https://webmail.example")

        self.assertEqual(response.headers["access-control-allow-origin"], "*")
        self.assertNotIn("access-control-allow-credentials", response.headers)

    def test_preflight(self) -> None:
        """
        They may ask first.
        """
        response = ask(
            Echo(),
            "OPTIONS",
            "",
            "Origin: https://webmail.example",
            "Access-Control-Request-Method: POST",
        )

        self.assertEqual((response.status, response.body), (204, b""))
        self.assertEqual(response.headers["access-control-allow-origin"], "*")
        self.assertEqual(response.headers["access-control-allow-methods"], "GET, POST")
        self.assertEqual(
            response.headers["access-control-allow-headers"], "Authorization, Content-Type, DPoP"
        )

    def test_refused(self) -> None:
        """
        Elsewhere they are told nothing.
        """
        response = post(Closed(), {}, "Origin: https://webmail.example")

        self.assertEqual(
            [], [name for name in response.headers if name.startswith("access-control")]
        )

    def test_nobodyAsked(self) -> None:
        """
        Programs that are no browsers are spared the headers.
        """
        self.assertNotIn("access-control-allow-origin", post(Echo(), {}).headers)
