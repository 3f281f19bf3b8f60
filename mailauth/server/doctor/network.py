"""
How a host is reached by its name. Owns what is different while nothing is live yet: another name
server, and other addresses than those that programs will use.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import attrs
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IConnector,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from zope.interface import implementer

from ...errors import Outage
from .records import Records

_LOOPBACK = ("127.0.0.1", "::1")

MAX_ALIASES = 8
"""
How many names a host may have one after the other.
"""

MAX_PORT = 65535

# As names of hosts are written (RFC 1123 section 2.1), and with the underscores that some have.
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")

_DIRECTION = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]=]*):(?P<port>[0-9]{0,5})"
    r"=(?P<toHost>\[[0-9A-Fa-f:.]+\]|[^:\[\]=]*):(?P<toPort>[0-9]{0,5})"
)


@attrs.frozen
class Direction:
    """
    Whoever wants to go to one place goes to another: curl's C{--connect-to}.

    @ivar host: that it is about, or the empty string for all.
    @ivar port: that it is about, or 0 for all.
    @ivar toHost: where to go instead, or the empty string for the same.
    @ivar toPort: where to go instead, or 0 for the same.
    """

    host: str
    port: int
    toHost: str
    toPort: int

    def follow(self, host: str, port: int) -> tuple[str, int] | None:
        """
        Where to go from there, or C{None} if it is not about that.
        """
        if self.host not in ("", host) or self.port not in (0, port):
            return None
        return self.toHost or host, self.toPort or port


def readDirection(text: str) -> Direction:
    """
    Read C{HOST:PORT=HOST:PORT}.

    @raise ValueError: it is something else.
    """
    match = _DIRECTION.fullmatch(text)
    if match is None:
        raise ValueError("it has to be HOST:PORT=HOST:PORT, where each of them may be missing")
    host, toHost = (match[name].strip("[]").lower() for name in ("host", "toHost"))
    port, toPort = (int(match[name] or 0) for name in ("port", "toPort"))
    if max(port, toPort) > MAX_PORT:
        raise ValueError("there is no such port")
    return Direction(host, port, toHost, toPort)


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class Network:
    """
    A reactor for whoever connects to hosts by their names.

    @ivar clock: for time.
    """

    def __init__(
        self,
        reactor: Any,
        directions: Sequence[Direction] = (),
        records: Records | None = None,
        aliases: Records | None = None,
    ) -> None:
        """
        @param directions: the first that fits is followed.
        @param records: who knows the addresses of hosts; C{None} if this machine looks them up.
        @param aliases: who knows other names of hosts, that nobody has published yet.
        """
        self._reactor = self.clock = reactor
        self._directions = directions
        self._records = records
        self._aliases = aliases
        self.nameResolver: IHostnameResolver = self
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
        """
        connector: IConnector = self._reactor.connectTCP(host, port, factory, *args, **named)
        return connector

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """
        See L{IHostnameResolver}. The port of an address is where to go.
        """
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        looking = Deferred.fromCoroutine(self._look(hostName.lower(), portNumber))
        resolution.looking = looking

        def found(addresses: list[IPv4Address | IPv6Address]) -> None:
            for address in addresses:
                resolutionReceiver.addressResolved(address)

        # To whom this is told there is no reason why a name has no addresses.
        looking.addCallbacks(found, lambda failure: failure.trap(Outage) and None)
        looking.addBoth(lambda _: resolutionReceiver.resolutionComplete())
        return resolution

    async def _look(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        for direction in self._directions:
            followed = direction.follow(host, port)
            if followed is not None:
                host, port = followed
                break
        for _ in range(MAX_ALIASES):
            if host == "localhost" or host.endswith(".localhost"):
                # RFC 6761 section 6.3: nobody is asked.
                return [_address(each, port) for each in _LOOPBACK]
            if isAddress(host):
                return [_address(host, port)]
            alias = await self._alias(host)
            if alias is None:
                break
            host = alias
        if self._records is None:
            return await _Receiver.ask(self._reactor.nameResolver, host, port)
        return [
            _address(each, port)
            for type in ("A", "AAAA")
            for each in await self._records.find(host, type)
        ]

    async def _alias(self, host: str) -> str | None:
        """
        What else a host is called, if somebody here knows.
        """
        for records in (self._aliases, self._records):
            for alias in await records.find(host, "CNAME") if records is not None else ():
                return alias.removesuffix(".") if isHost(alias.removesuffix(".")) else None
        return None


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name
        self.looking: Deferred[Any] | None = None

    def cancel(self) -> None:
        """
        See L{IHostResolution}.
        """
        if self.looking is not None:
            self.looking.cancel()


@implementer(IResolutionReceiver)
class _Receiver:
    """
    Hears what this machine says about a name.
    """

    def __init__(self) -> None:
        self.addresses: list[IPv4Address | IPv6Address] = []
        self.complete: Deferred[list[IPv4Address | IPv6Address]] = Deferred()

    @classmethod
    async def ask(
        cls, resolver: IHostnameResolver, host: str, port: int
    ) -> list[IPv4Address | IPv6Address]:
        """
        Ask for the addresses of a host.
        """
        receiver = cls()
        resolver.resolveHostName(receiver, host, portNumber=port)
        return await receiver.complete

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """
        See L{IResolutionReceiver}.
        """

    def addressResolved(self, address: Any) -> None:
        """
        See L{IResolutionReceiver}.
        """
        self.addresses.append(address)

    def resolutionComplete(self) -> None:
        """
        See L{IResolutionReceiver}.
        """
        self.complete.callback(self.addresses)


def isAddress(host: str) -> bool:
    """
    Whether a host is named by its IP address.
    """
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def isHost(host: str) -> bool:
    """
    Whether that can be a host.
    """
    # An address with a zone, which may be any text, is of use on its own machine alone (RFC 4007).
    return _HOST.fullmatch(host) is not None or (isAddress(host) and "%" not in host)


def _address(host: str, port: int) -> IPv4Address | IPv6Address:
    return (IPv6Address if ":" in host else IPv4Address)("TCP", host, port)
