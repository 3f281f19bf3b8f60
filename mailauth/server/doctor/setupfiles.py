"""
The files that people take from the set-up page, as far as their programs would use them.
"""

from __future__ import annotations

import plistlib
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import quote
from xml.parsers.expat import ExpatError
from zipfile import ZipFile

from ...errors import Outage
from ...oauth.jwt import parseObject
from .conversations import Place
from .documents import Unreadable
from .findings import Finding, good, together, unknown, wrong
from .web import Absent, Web

_MANIFEST = "manifest.json"

MAX_MANIFEST = 64 * 1024

_SETUP = "See whether the set-up page is at {}: mailauth has it."


class SetupFiles:
    """
    Looks at them.
    """

    def __init__(
        self, web: Web, issuer: str, address: str, places: Mapping[str, Place], metadata: Any
    ) -> None:
        """
        @param places: for each protocol where programs go.
        @param metadata: what the issuer says of itself.
        """
        self._web = web
        self._issuer = issuer
        self._base = f"{issuer.rstrip('/')}/setup/"
        self._address = address
        self._places = places
        self._metadata = metadata

    async def look(self) -> list[Finding]:
        """
        Look at each.
        """
        query = f"?emailaddress={quote(self._address)}"
        imap = self._places.get("imap")
        looks = [
            self._look("profile", "apple.mobileconfig" + query, "Apple's profile", self._profile),
            self._look("fairemail", "fairemail.xml" + query, "FairEmail's file", self._mentions),
            self._look(
                "emailproxy",
                "email-oauth2-proxy.ini" + query,
                "email-oauth2-proxy's configuration",
                self._mentions,
            ),
        ]
        if imap is not None:
            path = f"thunderbird/{imap.host}.xpi"
            looks.insert(0, self._look("addon", path, "Thunderbird's add-on", self._addOn))
        return await together(looks)

    async def _look(
        self, topic: str, path: str, name: str, check: Callable[[bytes], None]
    ) -> Finding:
        address = self._base + path
        shown = address.partition("?")[0]
        try:
            check(await self._web.read(address))
        except Outage as error:
            return unknown(topic, f"{shown}: it could not be found out: {error.reason}.")
        except (Absent, Unreadable) as error:
            return wrong(topic, f"{name}: {shown}: {error}.", _SETUP.format(self._base))
        return good(topic, f"{name} is at {shown}.")

    def _mentions(self, octets: bytes) -> None:
        for place in self._places.values():
            if place.protocol != "pop3" and place.host.encode("ascii") not in octets:
                raise Unreadable(f"it does not name {place.host}")

    def _addOn(self, octets: bytes) -> None:
        manifest = _readManifest(octets)
        said = manifest.get("oauth_provider")
        if not isinstance(said, dict):
            raise Unreadable("it names no issuer")
        hosts = said.get("hostnames")
        wanted = {place.host for place in self._places.values()}
        if not isinstance(hosts, list) or not wanted <= {str(host) for host in hosts}:
            raise Unreadable(f"it is not for {', '.join(sorted(wanted))}")
        for name, expected in (
            ("issuerIdentifier", self._issuer),
            ("authorizationEndpoint", self._metadata.get("authorization_endpoint")),
            ("tokenEndpoint", self._metadata.get("token_endpoint")),
        ):
            if said.get(name) != expected:
                raise Unreadable(f"its {name} is {said.get(name)!r}, and the issuer's {expected!r}")

    def _profile(self, octets: bytes) -> None:
        # A signature stands around it.
        begin, end = octets.find(b"<?xml"), octets.rfind(b"</plist>")
        try:
            profile = plistlib.loads(octets[begin : end + len(b"</plist>")])
            account = dict(profile["PayloadContent"][0])
        except (ExpatError, ValueError, LookupError, TypeError, AttributeError):
            raise Unreadable("it is no profile") from None
        for protocol, direction in (("imap", "Incoming"), ("smtp", "Outgoing")):
            place = self._places.get(protocol)
            said = (
                account.get(f"{direction}MailServerHostName"),
                account.get(f"{direction}MailServerPortNumber"),
            )
            if place is not None and said != (place.host, place.port):
                raise Unreadable(f"it leads to {said[0]}:{said[1]} for {place}")


def _readManifest(octets: bytes) -> Mapping[str, Any]:
    try:
        with ZipFile(BytesIO(octets)) as archive:
            if archive.getinfo(_MANIFEST).file_size > MAX_MANIFEST:
                raise Unreadable("it is too large")
            return parseObject(archive.read(_MANIFEST))
    except Unreadable:
        raise
    # What cannot be unpacked raises many things, each way to pack its own.
    except Exception:
        raise Unreadable("it is no add-on") from None
