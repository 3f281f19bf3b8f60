"""
What is asked of other people's web servers. Owns whom we connect to, how long that may take, and
how much of an answer is read.

Addresses come from configuration, and some from strangers, so none of them may lead into the
private network (TK16, OA11). What is checked is the very address that is connected to, after the
name was looked up: it does not matter what a name server says at another time.

It is Twisted's own agent and not treq's, which asks for compressed answers (DS16), follows
redirects and keeps cookies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NoReturn

import attrs
from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IConnector,
    IHostnameResolver,
    IReactorPluggableNameResolver,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Cooperator
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    BrowserLikePolicyForHTTPS,
    FileBodyProducer,
    HTTPConnectionPool,
    ResponseDone,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from ..errors import Outage

_AROUND = 32 * 1024
"""
How many octets may come around the body: the handshake with its certificates, and the headers.
"""

_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")


class NotFetchable(Exception):
    """
    There is nothing that we would fetch: no connection may go there, or it is too large. Trying
    again does not help. The message says why.
    """


@attrs.frozen
class FetchLimits:
    """
    @ivar octets: how large an answer may be.
    @ivar seconds: how long everything may take, from looking up the name to the last octet.
    @ivar atOnce: how many fetches may be under way. More are an outage.
    """

    octets: int = 64 * 1024
    seconds: float = 5.0
    atOnce: int = 16


@attrs.frozen
class Fetched:
    """
    An answer, whatever its status. A redirect is one, too: it is not followed.
    """

    status: int
    headers: Headers
    content: bytes = attrs.field(repr=False)

    def maxAge(self) -> float | None:
        """
        For how many seconds its sender lets it be kept (RFC 9111 section 5.2.2), or C{None} if he
        does not say.
        """
        directives: dict[bytes, bytes] = {}
        for line in self.headers.getRawHeaders(b"cache-control", ()):
            for directive in line.lower().split(b","):
                name, _, value = directive.partition(b"=")
                directives[name.strip()] = value.strip(b' "')
        if not directives.keys().isdisjoint((b"no-store", b"no-cache")):
            return 0.0
        age = directives.get(b"max-age", b"")
        return float(age) if age.isdigit() else None


Get = Callable[[str, Mapping[str, str]], Deferred[Fetched]]
"""
See L{BoundedFetcher.get}.
"""

Post = Callable[[str, bytes, Mapping[str, str]], Deferred[Fetched]]
"""
See L{BoundedFetcher.post}.
"""

ISSUER_LIMITS = FetchLimits(octets=256 * 1024, atOnce=100)
"""
For the answers of issuers. Each issuer has a fetcher of its own, so that one that is slow takes
nobody else's turn.
"""


class BoundedFetcher:
    """
    Fetches, within limits.
    """

    def __init__(
        self,
        reactor: Any,
        limits: FetchLimits = FetchLimits(),
        trustRoot: Any = None,
        allowed: Callable[[str], bool] | None = None,
    ) -> None:
        """
        @param reactor: for the network and time.
        @param trustRoot: which certificates are good, as
            L{optionsForClientTLS<twisted.internet.ssl.optionsForClientTLS>} takes it; C{None} for
            those of the platform.
        @param allowed: whether an IP address may be connected to; C{None} for L{isPublic}. An
            address that the administrator named may lead L{anywhere}.
        """
        self._limits = limits
        self._clock = reactor
        self._cooperator = Cooperator(scheduler=lambda step: reactor.callLater(0, step))
        self._underWay = 0
        network = _PublicNetwork(reactor, limits, allowed or isPublic)
        self._agent = Agent(
            network,
            BrowserLikePolicyForHTTPS(trustRoot),
            connectTimeout=limits.seconds,
            pool=HTTPConnectionPool(reactor, persistent=False),
        )

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> Deferred[Fetched]:
        """
        Ask for what is there.

        @raise NotFetchable: see there.
        @raise Outage: it cannot be reached now, or takes too long.
        """
        return self._bounded(b"GET", address, headers or {}, None)

    def post(
        self, address: str, form: bytes, headers: Mapping[str, str] | None = None
    ) -> Deferred[Fetched]:
        """
        Send a form there. See L{get}.
        """
        return self._bounded(
            b"POST",
            address,
            {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})},
            FileBodyProducer(BytesIO(form), self._cooperator),
        )

    def delete(self, address: str, headers: Mapping[str, str]) -> Deferred[Fetched]:
        """
        Have what is there removed. See L{get}.
        """
        return self._bounded(b"DELETE", address, headers, None)

    def _bounded(
        self, method: bytes, address: str, headers: Mapping[str, str], body: IBodyProducer | None
    ) -> Deferred[Fetched]:
        fetched = Deferred.fromCoroutine(self._fetch(method, address, headers, body))
        return fetched.addTimeout(self._limits.seconds, self._clock, _tooSlow)

    async def _fetch(
        self, method: bytes, address: str, headers: Mapping[str, str], body: IBodyProducer | None
    ) -> Fetched:
        if not address.startswith("https://") or not address.isascii():
            raise NotFetchable("the address is not one of https")
        if self._underWay >= self._limits.atOnce:
            raise Outage("too many documents are being fetched")
        sent = {"User-Agent": ["mailauth"], **{name: [value] for name, value in headers.items()}}
        self._underWay += 1
        try:
            response = await self._agent.request(
                method, address.encode("ascii"), Headers(sent), body
            )
            answer = _Body()
            response.deliverBody(answer)
            content = await answer.finished
        except Exception as error:
            raise _explained(error) from None
        finally:
            self._underWay -= 1
        if len(content) > self._limits.octets:
            raise _tooLarge()
        return Fetched(response.code, response.headers, content)


class _Body(Protocol):
    """
    The body of an answer.

    @ivar finished: fires with it.
    """

    def __init__(self) -> None:
        # readBody's cannot be cancelled without leaving a mess.
        self.finished: Deferred[bytes] = Deferred()
        self._octets: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        """
        There is more of it. How much there can be, the connection knows.
        """
        self._octets.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        That was all.
        """
        if reason.check(ResponseDone, PotentialDataLoss):
            self.finished.callback(b"".join(self._octets))
        else:
            self.finished.errback(reason)


def _tooSlow(result: object, seconds: float) -> NoReturn:
    raise Outage(f"it took longer than {seconds:g} s")


def _tooLarge() -> NotFetchable:
    return NotFetchable("it is too large")


def _explained(error: Exception) -> Exception:
    """
    Why a fetch failed. The agent wraps reasons into others.
    """
    for reason in (error, *(failure.value for failure in getattr(error, "reasons", ()))):
        if isinstance(reason, NotFetchable):
            return reason
        if isinstance(reason, SSL.Error | VerificationError):
            return Outage("nobody who is trusted here vouches for its certificate")
    if isinstance(error, ValueError):
        return NotFetchable("the address is malformed")
    return Outage(f"it cannot be fetched: {type(error).__name__}")


def isPublic(host: str) -> bool:
    """
    Whether an IP address is one of the public Internet (RFC 6890), and no way around that.
    """
    address: IPv4Address | IPv6Address = ip_address(host)
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            # A gateway leads on to the IPv4 address in it (RFC 6052).
            address = IPv4Address(int(address) & 0xFFFFFFFF)
        elif address not in _GLOBAL_UNICAST or address.sixtofour is not None:
            return False
    return address.is_global and not address.is_multicast


def anywhere(host: str) -> bool:
    """
    Every IP address will do.
    """
    return True


@implementer(IReactorPluggableNameResolver)
class _PublicNetwork:
    """
    A reactor for whoever may connect to the public Internet alone: what an endpoint asks of one.
    """

    def __init__(self, reactor: Any, limits: FetchLimits, allowed: Callable[[str], bool]) -> None:
        """
        @param limits: of each connection.
        @param allowed: whether an IP address may be connected to.
        """
        self._reactor = reactor
        self._limits = limits
        self._allowed = allowed
        self.nameResolver: IHostnameResolver = reactor.nameResolver
        self.callLater = reactor.callLater
        self.seconds = reactor.seconds

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """
        See L{IReactorPluggableNameResolver}.
        """
        before: IHostnameResolver = self._reactor.installNameResolver(resolver)
        return before

    def connectTCP(
        self, host: str, port: int, factory: Any, *args: Any, **named: Any
    ) -> IConnector:
        """
        See L{IReactorTCP<twisted.internet.interfaces.IReactorTCP>}.

        @param host: an IP address: the name was looked up before.
        @raise NotFetchable: it is not allowed.
        """
        if not self._allowed(host):
            raise NotFetchable("it is not on the public Internet")
        bounded = _BoundedFactory(factory, self._limits, self.callLater)
        connector: IConnector = self._reactor.connectTCP(host, port, bounded, *args, **named)
        return connector


class _BoundedConnection(ProtocolWrapper):
    """
    A connection that hears so much and lives so long. The agent closes none that it has no more use
    for while an answer comes in.
    """

    factory: _BoundedFactory
    transport: Any

    def __init__(self, factory: _BoundedFactory, protocol: Any) -> None:
        super().__init__(factory, protocol)
        self._left = factory.limits.octets + _AROUND

    def makeConnection(self, transport: Any) -> None:
        """
        Begin to live.
        """
        super().makeConnection(transport)
        self._end = self.factory.callLater(self.factory.limits.seconds, transport.abortConnection)

    def dataReceived(self, data: bytes) -> None:
        """
        Pass it on, or cut the connection off.
        """
        self._left -= len(data)
        if self._left < 0:
            self.transport.abortConnection()
        else:
            super().dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Say why, if it was we who cut it off.
        """
        if self._end.active():
            self._end.cancel()
        super().connectionLost(Failure(_tooLarge()) if self._left < 0 else reason)


class _BoundedFactory(WrappingFactory[Any]):
    protocol = _BoundedConnection
    noisy = False

    def __init__(self, factory: Any, limits: FetchLimits, callLater: Any) -> None:
        super().__init__(factory)
        self.limits = limits
        self.callLater = callLater
