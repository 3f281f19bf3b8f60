"""
Tests for L{mailauth.validators._http}.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import (
    Certificate,
    DefaultOpenSSLContextFactory,
    trustRootFromCertificates,
)
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.http_headers import Headers
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailauth.errors import Outage
from mailauth.server.certificates import makeCertificates
from mailauth.validators._http import (
    BoundedFetcher,
    Fetched,
    FetchLimits,
    NotFetchable,
    _PublicNetwork,
    anywhere,
    isPublic,
)

OK = b"HTTP/1.1 200 OK\r\n"


class WebServer(Protocol):
    """
    Answers every request with the same octets, and goes on with more as long as somebody listens.
    """

    factory: WebServerFactory
    transport: Any

    def connectionMade(self) -> None:
        """
        Count.
        """
        self.factory.connections += 1

    def dataReceived(self, data: bytes) -> None:
        """
        Answer.
        """
        self.factory.asked += data
        if not self.factory.asked.endswith(self.factory.last):
            return
        self.transport.write(self.factory.answer)
        if self.factory.more:
            self.transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """
        Go on.
        """
        self.factory.said += len(self.factory.more)
        self.transport.write(self.factory.more)

    def stopProducing(self) -> None:
        """
        Nobody listens.
        """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        It is over.
        """
        self.factory.lost += 1


class WebServerFactory(Factory):
    """
    @ivar last: with what a request ends.
    @ivar answer: what is said first.
    @ivar more: what is said then, again and again.
    @ivar connections: how many there were, and C{lost} how many ended.
    @ivar asked: what was heard.
    @ivar said: how many octets of C{more}.
    """

    protocol: Any = WebServer
    noisy = False

    def __init__(self) -> None:
        self.last = self.answer = self.more = self.asked = b""
        self.connections = self.lost = self.said = 0


class FetchTests(TestCase):
    """
    L{BoundedFetcher}, and a web server on this machine.
    """

    reactor: Any = reactor

    def setUp(self) -> None:
        """
        The server.
        """
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        directory = Path(temporary.name)
        makeCertificates(directory, ("localhost", "127.0.0.1"))
        self.authority = trustRootFromCertificates(
            [Certificate.loadPEM((directory / "ca.pem").read_bytes())]
        )
        self.server = WebServerFactory()
        tls = DefaultOpenSSLContextFactory(
            str(directory / "server.key"), str(directory / "server.pem")
        )
        port = self.reactor.listenSSL(0, self.server, tls, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.port = port.getHost().port
        # Its certificate is not for this address.
        other = self.reactor.listenSSL(self.port, self.server, tls, interface="127.0.0.2")
        self.addCleanup(other.stopListening)
        self.origin = f"https://localhost:{self.port}"

        self.addCleanup(self.ended)

    async def ended(self) -> None:
        """
        Wait until the server's connections have ended.
        """
        while self.server.lost < self.server.connections:
            await self.turn()

    def turn(self) -> Deferred[None]:
        """
        Let the reactor go round once.
        """
        turned: Deferred[None] = Deferred()
        self.reactor.callLater(0.001, turned.callback, None)
        return turned

    def fetcher(self, **limits: Any) -> BoundedFetcher:
        """
        Somebody who may connect to this machine.
        """
        return BoundedFetcher(reactor, FetchLimits(**limits), self.authority, allowed=anywhere)

    async def failed(self, fetched: Deferred[Fetched], *kinds: type[Exception]) -> str:
        """
        @return: why a fetch failed.
        """
        error = await self.assertFailure(fetched, *kinds)
        return error.reason if isinstance(error, Outage) else str(error)

    async def test_answer(self) -> None:
        """
        What is there comes back, with the headers; the request says what we would like, and asks
        for no compression (DS16).
        """
        self.server.answer = OK + b"ETag: 7\r\nContent-Length: 2\r\n\r\n{}"

        fetched = await self.fetcher().get(
            f"{self.origin}/client?1", {"Accept": "application/json"}
        )

        self.assertEqual((fetched.status, fetched.content), (200, b"{}"))
        self.assertEqual(fetched.headers.getRawHeaders("etag"), ["7"])
        request, *headers = self.server.asked.decode().rstrip().split("\r\n")
        self.assertEqual(request, "GET /client?1 HTTP/1.1")
        self.assertEqual(
            sorted(headers),
            [
                "Accept: application/json",
                "Connection: close",
                f"Host: localhost:{self.port}",
                "User-Agent: mailauth",
            ],
        )

    async def test_post(self) -> None:
        """
        A form is sent, and the answer comes back.
        """
        self.server.last, self.server.answer = b"abc", b"HTTP/1.1 204 No Content\r\n\r\n"

        fetched = await self.fetcher().post(f"{self.origin}/logout", b"logout_token=abc")

        self.assertEqual((fetched.status, fetched.content), (204, b""))
        head, _, body = self.server.asked.decode().partition("\r\n\r\n")
        self.assertTrue(head.startswith("POST /logout HTTP/1.1\r\n"), head)
        self.assertIn("\r\nContent-Type: application/x-www-form-urlencoded", head)
        self.assertEqual(body, "logout_token=abc")

    async def test_delete(self) -> None:
        """
        What may be removed by whoever shows that it is his, is asked to be.
        """
        self.server.answer = b"HTTP/1.1 204 No Content\r\n\r\n"

        fetched = await self.fetcher().delete(
            f"{self.origin}/register/1", {"Authorization": "Bearer t"}
        )

        self.assertEqual(204, fetched.status)
        head = self.server.asked.decode()
        self.assertTrue(head.startswith("DELETE /register/1 HTTP/1.1\r\n"), head)
        self.assertIn("\r\nAuthorization: Bearer t", head)

    async def test_postHeaders(self) -> None:
        """
        Whoever has to prove who he is sends more headers with the form.
        """
        self.server.last, self.server.answer = b"a=b", OK + b"Content-Length: 0\r\n\r\n"

        await self.fetcher().post(self.origin, b"a=b", {"Authorization": "Basic YTpi"})

        head = self.server.asked.decode().partition("\r\n\r\n")[0]
        self.assertIn("\r\nAuthorization: Basic YTpi", head)
        self.assertIn("\r\nContent-Type: application/x-www-form-urlencoded", head)

    async def test_addressOfANumber(self) -> None:
        """
        A host may be an IP address, for which the certificate has to be good.
        """
        self.server.answer = OK + b"Content-Length: 0\r\n\r\n"

        fetched = await self.fetcher().get(f"https://127.0.0.1:{self.port}/")

        self.assertEqual(fetched.status, 200)

    async def test_redirect(self) -> None:
        """
        No redirect is followed (TK15; O 86).
        """
        for status in (301, 302, 303, 307, 308):
            self.server.answer = (
                b"HTTP/1.1 %d Elsewhere\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n" % status
            )
            fetched = await self.fetcher().get(f"{self.origin}/here")
            self.assertEqual(fetched.status, status)

        self.assertEqual(self.server.connections, 5)
        self.assertNotIn(b"GET /other", self.server.asked)

    async def test_size(self) -> None:
        """
        An answer may have so many octets, and not one more (O 86).
        """
        fetcher = self.fetcher(octets=100)
        self.server.answer = OK + b"Content-Length: 100\r\n\r\n" + b"x" * 100
        fetched = await fetcher.get(self.origin)
        self.assertEqual(len(fetched.content), 100)

        self.server.answer = OK + b"Content-Length: 101\r\n\r\n" + b"x" * 101
        reason = await self.failed(fetcher.get(self.origin), NotFetchable)
        self.assertEqual(reason, "it is too large")

    async def test_endless(self) -> None:
        """
        Neither an endless body nor endless headers are read: the connection is cut (TK15; O 86).
        """
        for answer, more in (
            (b"Content-Length: 1000000000000\r\n\r\n", b"x" * 10_000),
            (b"Transfer-Encoding: chunked\r\n\r\n", b"2000\r\n" + b"x" * 0x2000 + b"\r\n"),
            (b"", b"X-More: and more\r\n" * 1000),
            (b"X-Long: ", b"x" * 10_000),
        ):
            self.server.answer, self.server.more = OK + answer, more
            fetching = self.fetcher(octets=1000).get(self.origin)
            await self.failed(fetching, NotFetchable, Outage)

        # Not much more than what is on its way: buffers of sockets and of TLS.
        self.assertLess(self.server.said, 4 * 8_000_000)

    async def test_compressed(self) -> None:
        """
        What is compressed although nobody asked for it is not unpacked (DS16).
        """
        bomb = gzip.compress(bytes(1_000_000))
        self.server.answer = (
            OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
        )

        fetched = await self.fetcher().get(self.origin)

        self.assertEqual(fetched.content, bomb)

    async def test_slow(self) -> None:
        """
        Whoever does not answer in time, from the first octet to the last, is an outage (O 86).
        """
        for answer in (b"", OK, OK + b"Content-Length: 2\r\n\r\n{"):
            self.server.answer = answer
            reason = await self.failed(self.fetcher(seconds=0.2).get(self.origin), Outage)
            self.assertEqual(reason, "it took longer than 0.2 s")

    async def test_cutShort(self) -> None:
        """
        An answer that ends early is none.
        """
        self.server.answer = b"no HTTP\r\n\r\n"

        await self.failed(self.fetcher().get(self.origin), Outage)

    async def test_certificate(self) -> None:
        """
        A certificate of nobody that we know, or for another name, is an outage (O 86), and the
        administrator hears why.
        """
        unknown = BoundedFetcher(reactor, allowed=anywhere)
        for fetched in (
            unknown.get(self.origin),
            self.fetcher().get(f"https://127.0.0.2:{self.port}/"),
        ):
            self.assertIn("certificate", await self.failed(fetched, Outage))

        self.assertEqual(self.server.asked, b"")

    async def test_nobodyThere(self) -> None:
        """
        A port on which nobody listens is an outage, as is a name that nobody has.
        """
        await self.failed(self.fetcher().get("https://localhost:1/"), Outage)
        await self.failed(self.fetcher().get("https://nowhere.invalid/"), Outage)

    async def test_private(self) -> None:
        """
        A name or a number that leads to this machine is not connected to (TK16; O 86).
        """
        fetcher = BoundedFetcher(reactor, trustRoot=self.authority)
        for host in ("localhost", "127.0.0.1", "[::1]", "127.1", "2130706433", "[::ffff:7f00:1]"):
            await self.failed(fetcher.get(f"https://{host}:{self.port}/"), NotFetchable, Outage)
        reason = await self.failed(fetcher.get(self.origin), NotFetchable)

        self.assertEqual(reason, "it is not on the public Internet")
        self.assertEqual(self.server.connections, 0)

    async def test_onlyHTTPS(self) -> None:
        """
        Nothing but https is fetched (O 86).
        """
        for address in (
            f"http://localhost:{self.port}/",
            "HTTPS://localhost/",
            "ftp://localhost/",
            "file:///etc/passwd",
            "localhost",
            "",
            "https://ex\u00e4mple.test/",
            "https://",
            "https://localhost:x/",
            "https://local host/",
            "https://localhost/\r\nX-Injected: 1",
        ):
            await self.failed(self.fetcher().get(address), NotFetchable)

        self.assertEqual(self.server.connections, 0)

    async def test_atOnce(self) -> None:
        """
        No more than so many fetches are under way; one that is cancelled makes room.
        """
        fetcher = self.fetcher(atOnce=2)
        waiting = [fetcher.get(self.origin) for _ in range(2)]
        await self.failed(fetcher.get(self.origin), Outage)

        waiting[0].cancel()
        waiting.append(fetcher.get(self.origin))
        for each in waiting[1:]:
            self.assertNoResult(each)
            each.cancel()
        for each in waiting:
            await self.failed(each, Outage)


@implementer(IHostnameResolver)
class Resolver:
    """
    A name server, which may change its mind.

    @ivar answers: for each question the addresses, in turn.
    """

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[Any]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """
        Answer.
        """
        resolution: Any = None
        resolutionReceiver.resolutionBegan(resolution)
        for host in self.answers.pop(0):
            kind = IPv6Address if ":" in host else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", host, portNumber))
        resolutionReceiver.resolutionComplete()
        answer: IHostResolution = resolution
        return answer


class AddressTests(SynchronousTestCase):
    """
    Which addresses are connected to.
    """

    def connected(self, *answers: Sequence[str]) -> list[str]:
        """
        @param answers: what the name server says each time it is asked.
        @return: where connections are made to, if none of them succeeds.
        """
        memory = MemoryReactorClock()
        memory.installNameResolver(Resolver(*answers))
        fetched = BoundedFetcher(memory).get("https://client.example/")
        for _ in range(10):
            memory.advance(0.5)
        self.failureResultOf(fetched, NotFetchable, Outage)
        return [host for host, *_ in memory.tcpClients]

    def test_public(self) -> None:
        """
        Public addresses are, by both versions of IP.
        """
        hosts = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
        self.assertEqual(self.connected(hosts), hosts)

    def test_mixed(self) -> None:
        """
        Of the addresses of a name, those that are not public are left out (O 86).
        """
        hosts = ["10.0.0.1", "93.184.215.14", "::1", "169.254.169.254"]
        self.assertEqual(self.connected(hosts), ["93.184.215.14"])

    def test_rebinding(self) -> None:
        """
        What a name server says later changes nothing: what was checked is what is connected to
        (O 86).
        """
        self.assertEqual(self.connected(["93.184.215.14"], ["127.0.0.1"]), ["93.184.215.14"])
        self.assertEqual(self.connected(["127.0.0.1"], ["93.184.215.14"]), [])

    def test_isPublic(self) -> None:
        """
        No special-use address is public (RFC 6890), nor one that leads on to one (TK16; O 86).
        """
        for host in (
            *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254"),
            *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.170", "192.0.2.1"),
            *("192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
            *("239.1.2.3", "240.0.0.1", "255.255.255.255"),
            *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
            *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1"),
            *("2002:7f00:1::", "2002:a00:1::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0"),
            *("fec0::1", "ff02::1"),
        ):
            self.assertFalse(isPublic(host), host)
        for host in ("1.1.1.1", "93.184.215.14", "2606:4700::1111", "64:ff9b::101:101"):
            self.assertTrue(isPublic(host), host)

    def test_timeout(self) -> None:
        """
        Five seconds are enough for everything, the connection too.
        """
        memory = MemoryReactorClock()
        memory.installNameResolver(Resolver(["93.184.215.14"]))
        fetched = BoundedFetcher(memory).get("https://client.example/")
        memory.advance(4.9)
        self.assertNoResult(fetched)

        memory.advance(0.1)

        self.assertIn("5 s", self.failureResultOf(fetched, Outage).value.reason)

    def test_interface(self) -> None:
        """
        What an endpoint is given is what it takes for a reactor.
        """
        memory = MemoryReactorClock()
        network = _PublicNetwork(memory, FetchLimits(), isPublic)

        self.assertTrue(verifyObject(IReactorPluggableNameResolver, network))
        resolver = Resolver()
        network.installNameResolver(resolver)
        self.assertIs(memory.nameResolver, resolver)


class FetchedTests(SynchronousTestCase):
    """
    L{Fetched}.
    """

    def test_maxAge(self) -> None:
        """
        How long an answer may be kept is what its sender says (RFC 9111 section 5.2.2).
        """
        expected: list[tuple[list[str], float | None]] = [
            ([], None),
            (["public"], None),
            (["max-age=600"], 600.0),
            (["public, Max-Age = 60"], 60.0),
            (["public", 'max-age="5"'], 5.0),
            (["max-age=600, no-store"], 0.0),
            (["no-cache"], 0.0),
            (["max-age=-1"], None),
            (["max-age=1e9"], None),
            (["s-maxage=7"], None),
        ]
        for values, age in expected:
            fetched = Fetched(200, Headers({"Cache-Control": values}), b"")
            self.assertEqual(fetched.maxAge(), age, values)

    def test_repr(self) -> None:
        """
        The content is in no log.
        """
        self.assertNotIn("secret", repr(Fetched(200, Headers(), b"secret")))
