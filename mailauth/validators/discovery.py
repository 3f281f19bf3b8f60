"""
What an issuer says about itself (OpenID Connect Discovery 1.0, RFC 8414). Owns which of its
addresses are called.

The administrator named the issuer, so that may be anywhere. What a document names has to be at the
issuer's own origin, or it is not called: no answer leads us into the private network (TK16).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs

from ..errors import Outage
from ..oauth.jwt import ALGORITHMS
from ..oauth.metadata import AUTHORIZATION_SERVER, OPENID_CONFIGURATION, wellKnownPath
from ._http import Fetched, Get
from .answers import answerOf, readObject
from .claims import stringsOf
from .refreshing import Refreshing

ADDRESSES = (
    "authorization_endpoint",
    "token_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
    "end_session_endpoint",
    "jwks_uri",
)
"""
The members that are addresses which we may call, or send a browser to.
"""

Locate = Callable[[], Awaitable[str]]
"""
Says where something is: C{partial(discovery.locate, "jwks_uri")}.
"""

_VISIBLE = re.compile(r"[!-~]+")


@attrs.frozen
class IssuerMetadata:
    """
    What an issuer says about itself.

    @ivar addresses: by the names of L{ADDRESSES}: those of the configuration, and of its document
        those at its own origin.
    @ivar elsewhere: the names of those at another, which nobody calls.
    @ivar algorithms: what it signs ID tokens with.
    @ivar namesItself: its authorization responses say C{iss} (RFC 9207 section 3).
    """

    addresses: Mapping[str, str]
    elsewhere: frozenset[str]
    algorithms: frozenset[str]
    namesItself: bool


class Discovery:
    """
    Knows where the endpoints of one issuer are.
    """

    def __init__(
        self,
        issuer: str,
        get: Get,
        seconds: Callable[[], float],
        document: str | None = None,
        addresses: Mapping[str, str] | None = None,
    ) -> None:
        """
        @param issuer: its C{iss}, octet for octet.
        @param get: fetches a document.
        @param seconds: a clock that only runs forward.
        @param document: the address of its metadata, if that is not where OpenID Connect has it.
        @param addresses: those that the configuration names, by the names of L{ADDRESSES}, or more
            of them. They may be anywhere, and are taken from no document.
        """
        origin = originOf(issuer)
        self._issuer = issuer
        self._get = get
        self._documents = (
            document or origin + wellKnownPath(issuer, OPENID_CONFIGURATION),
            origin + wellKnownPath(issuer, AUTHORIZATION_SERVER),
        )
        self._addresses = dict(addresses or {})
        self._metadata = Refreshing(f"the metadata of {issuer}", self._fetch, seconds)

    async def metadata(self) -> IssuerMetadata:
        """
        What it says about itself.

        @raise Outage: it cannot be found out.
        """
        current = self._metadata.current()
        return (await self._metadata.get()).value if current is None else current

    def age(self) -> float | None:
        """
        How many seconds ago that was asked for; C{None} if it never was answered.
        """
        return self._metadata.age()

    async def locate(self, name: str) -> str:
        """
        Where an endpoint is.

        @param name: one of L{ADDRESSES}.
        @raise Outage: it cannot be found out, or it is where we do not go.
        """
        if name in self._addresses:
            return self._addresses[name]
        metadata = await self.metadata()
        if name in metadata.elsewhere:
            raise Outage(
                f"the {name} of {self._issuer} is not at its own origin: only if the configuration"
                " names it, it is called"
            )
        if name not in metadata.addresses:
            raise Outage(f"{self._issuer} says of no {name}")
        return metadata.addresses[name]

    async def _fetch(self) -> tuple[IssuerMetadata, float | None]:
        openID, oauth = self._documents
        fetched = await self._fetchDocument(openID)
        if 400 <= fetched.status < 500 and fetched.status != 429:
            fetched = await self._fetchDocument(oauth)
        members = readObject(fetched)
        if members.get("issuer") != self._issuer:
            raise Outage("it is of another issuer")
        return self._read(members), fetched.maxAge()

    async def _fetchDocument(self, address: str) -> Fetched:
        return await answerOf(self._get(address, {"Accept": "application/json"}))

    def _read(self, members: Mapping[str, Any]) -> IssuerMetadata:
        said = {name: members[name] for name in ADDRESSES if name in members}
        own = {name: address for name, address in said.items() if self._isOwn(address)}
        algorithms = stringsOf(members.get("id_token_signing_alg_values_supported"))
        return IssuerMetadata(
            {**own, **self._addresses},
            frozenset(said) - frozenset(own) - frozenset(self._addresses),
            (algorithms or frozenset()) & ALGORITHMS,
            members.get("authorization_response_iss_parameter_supported") is True,
        )

    def _isOwn(self, address: Any) -> bool:
        # What follows the authority begins with a slash: nothing can make it another's.
        return (
            isinstance(address, str)
            and address.startswith(originOf(self._issuer) + "/")
            and _VISIBLE.fullmatch(address) is not None
        )


def originOf(issuer: str) -> str:
    """
    Its scheme, host and port, as it writes them.
    """
    scheme, authority, *_ = urlsplit(issuer)
    return f"{scheme}://{authority}"
