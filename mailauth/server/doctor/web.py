"""
What web servers answer to mail programs. Owns the difference between what is not there, and what
nobody can tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import attrs

from ...errors import Outage
from ...validators._http import BoundedFetcher, Fetched, FetchLimits, anywhere
from ...validators.answers import answerOf
from .certificates import judgeCertificate
from .connections import NO_ADDRESS, Unexpected, lookAt
from .findings import FAILS, Finding, together, unknown, wrong
from .network import Network, isHost
from .records import Records

_LIMITS = FetchLimits(octets=256 * 1024, seconds=10.0, atOnce=64)


class Absent(Exception):
    """
    A program finds nothing there. The message says why.
    """


@attrs.frozen
class WebHost:
    """
    A host that was looked at.

    @ivar certificate: what is to be said of its certificate, or that the host cannot be reached.
    @ivar absent: why no program finds anything there, or the empty string.
    @ivar outage: why nobody can tell, or the empty string.
    """

    certificate: Finding | None = None
    absent: str = ""
    outage: str = ""


class Web:
    """
    Fetches what programs would fetch. No redirect is followed: whom it would lead to is said.
    """

    def __init__(
        self, network: Network, trustRoot: Any, records: Records, now: Callable[[], float]
    ) -> None:
        """
        @param trustRoot: see L{CuriousTLS<mailauth.server.doctor.certificates.CuriousTLS>}.
        @param records: who knows whether there is a host.
        @param now: the wall clock, in seconds since the epoch.
        """
        # The domain's owner names the hosts, as he does to every mail program.
        self._fetcher = BoundedFetcher(network, _LIMITS, trustRoot, anywhere)
        self._network = network
        self._trustRoot = trustRoot
        self._records = records
        self._now = now
        self._hosts: dict[tuple[str, int], WebHost] = {}

    async def look(self, addresses: Iterable[str]) -> list[WebHost]:
        """
        Look at the hosts of https addresses, once at each.
        """
        places = dict.fromkeys(_placeOf(address) for address in addresses)
        missing = [place for place in places if place not in self._hosts]
        found = await together(self._look(*place) for place in missing)
        self._hosts.update(zip(missing, found, strict=True))
        return [self._hosts[place] for place in places]

    async def get(self, address: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """
        Ask for what is there, whatever the answer is.

        @raise Absent: no program would get that far.
        @raise Outage: nobody can tell.
        """
        return await self._reach(address, lambda: self._fetcher.get(address, headers))

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Fetched:
        """
        Send something there. See L{get}.
        """
        return await self._reach(address, lambda: self._fetcher.post(address, body, headers))

    async def delete(self, address: str, headers: Mapping[str, str]) -> Fetched:
        """
        Have it removed. See L{get}.
        """
        return await self._reach(address, lambda: self._fetcher.delete(address, headers))

    async def read(self, address: str) -> bytes:
        """
        What is there.

        @raise Absent: nothing.
        @raise Outage: nobody can tell.
        """
        return contentOf(await self.get(address))

    async def _reach(self, address: str, fetch: Callable[[], Awaitable[Fetched]]) -> Fetched:
        if not isWebAddress(address):
            raise Absent("there can be no such address")
        (host,) = await self.look([address])
        if host.absent:
            raise Absent(host.absent)
        if host.outage:
            raise Outage(host.outage)
        return await answerOf(fetch())

    async def _look(self, host: str, port: int) -> WebHost:
        where = host if port == 443 else f"{host}:{port}"
        try:
            seen = await lookAt(self._network, self._trustRoot, host, port)
        except Outage as error:
            reason = error.reason or ""
            if reason == NO_ADDRESS and await self._isNowhere(host):
                return WebHost(absent="there is no such host")
            told = unknown("https", f"{where}, HTTPS: it could not be found out: {reason}.")
            return WebHost(told, outage=reason)
        except Unexpected as error:
            told = wrong("https", f"{where}, HTTPS: {error}.", f"Have {where} speak HTTPS.")
            return WebHost(told, absent=str(error))
        now = datetime.fromtimestamp(self._now(), UTC)
        finding = judgeCertificate("https", host, f"{where}, HTTPS", seen, now)
        bad = "no program accepts its certificate" if finding.level == FAILS else ""
        return WebHost(finding, absent=bad)

    async def _isNowhere(self, host: str) -> bool:
        try:
            return not any(
                await together(self._records.find(host, type) for type in ("CNAME", "A", "AAAA"))
            )
        except Outage:
            return False


def contentOf(fetched: Fetched) -> bytes:
    """
    What an answer has brought.

    @raise Absent: there is nothing.
    @raise Outage: the server cannot tell.
    """
    if fetched.status == 200:
        return fetched.content
    if fetched.status == 429 or fetched.status >= 500:
        raise Outage(f"it answers {fetched.status}")
    onwards = fetched.headers.getRawHeaders(b"location", [])
    where = f" and sends programs on to {onwards[0].decode('latin-1')[:200]}" if onwards else ""
    raise Absent(f"it answers {fetched.status}{where}")


def isWebAddress(address: Any) -> bool:
    """
    Whether somebody can go there, by HTTPS.
    """
    if not isinstance(address, str) or not address.startswith("https://"):
        return False
    try:
        host, _ = _placeOf(address)
    except ValueError:
        return False
    return address.isascii() and address.isprintable() and isHost(host)


def _placeOf(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return parts.hostname or "", parts.port or 443
