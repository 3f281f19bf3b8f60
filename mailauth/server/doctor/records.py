"""
What the DNS says: asked of a name server, or read from a zone file that nobody has published yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from socket import AF_INET6, inet_ntop
from typing import Any, Protocol

from twisted.internet.defer import TimeoutError
from twisted.names import dns
from twisted.names.client import Resolver
from twisted.names.error import (
    DNSNameError,
    DNSQueryRefusedError,
    DNSServerError,
    DomainError,
    ResolverError,
)

from ...errors import Outage
from ..setup.dns import DNSRecord

SYSTEM = "/etc/resolv.conf"

_PATIENCE = (2, 4)
"""
How many seconds a name server has, at the first and at the second try.
"""

_LINE = re.compile(r'(?P<name>\S+)\s+(?:[0-9]+\s+)?IN\s+(?P<type>[A-Z]+)\s+"?(?P<value>[^"]+)"?\s*')
"""
A line as L{writeZone<mailauth.server.setup.dns.writeZone>} writes it.
"""


class Records(Protocol):
    """
    Somebody who knows records.
    """

    async def find(self, name: str, type: str) -> tuple[str, ...]:
        """
        The values that a name has, as L{DNSRecord} writes them; none if there are none.

        @param type: C{"SRV"}, C{"CNAME"}, C{"TXT"}, C{"A"} or C{"AAAA"}.
        @raise Outage: nobody can tell.
        """
        ...


class ZoneError(Exception):
    """
    That is no zone file as C{mailauth dns} writes it.
    """


class PublishedRecords:
    """
    Asks a name server.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def find(self, name: str, type: str) -> tuple[str, ...]:
        """
        See L{Records.find}.
        """
        code, write = _TYPES[type]
        try:
            query = dns.Query(name.encode("ascii"), code, dns.IN)
            answers, _, _ = await self._resolver.query(query)
        except DNSNameError:
            return ()
        except (DomainError, ResolverError, TimeoutError, OSError) as error:
            raise Outage(f"the name server does not say: {_explain(error)}") from None
        return tuple(write(answer.payload) for answer in answers if answer.type == code)


def makeResolver(reactor: Any, server: tuple[str, int] | None) -> Resolver:
    """
    Somebody to ask.

    @param server: the IP address and the port of a name server; C{None} for those of this machine.
    """
    if server is None:
        return Resolver(resolv=SYSTEM, timeout=_PATIENCE, reactor=reactor)
    return Resolver(servers=[server], timeout=_PATIENCE, reactor=reactor)


class ZoneRecords:
    """
    Has them all.
    """

    def __init__(self, records: Iterable[DNSRecord]) -> None:
        self._records = tuple(records)

    async def find(self, name: str, type: str) -> tuple[str, ...]:
        """
        See L{Records.find}.
        """
        return tuple(
            each.value for each in self._records if (each.name, each.type) == (name.lower(), type)
        )


def readZone(text: str) -> ZoneRecords:
    """
    Read what C{mailauth dns} has written.

    @raise ZoneError: it is something else.
    """
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(";"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ZoneError(f"line {number} is none of 'mailauth dns'")
        name = match["name"].lower().removesuffix(".")
        records.append(DNSRecord(name, match["type"], match["value"].strip()))
    return ZoneRecords(records)


def _explain(error: Exception) -> str:
    for kind, words in (
        (TimeoutError, "it does not answer"),
        (DNSQueryRefusedError, "it refuses"),
        (DNSServerError, "it fails"),
    ):
        if isinstance(error, kind):
            return words
    return type(error).__name__


def _name(name: dns.Name) -> str:
    return f"{name.name.decode('latin-1').lower()}."


def _writeText(payload: Any) -> str:
    return b"".join(payload.data).decode("latin-1")


def _writeService(payload: Any) -> str:
    return f"{payload.priority} {payload.weight} {payload.port} {_name(payload.target)}"


_TYPES: dict[str, tuple[int, Callable[[Any], str]]] = {
    "SRV": (dns.SRV, _writeService),
    "CNAME": (dns.CNAME, lambda payload: _name(payload.name)),
    "TXT": (dns.TXT, _writeText),
    "A": (dns.A, lambda payload: str(payload.dottedQuad())),
    "AAAA": (dns.AAAA, lambda payload: inet_ntop(AF_INET6, payload.address)),
}
