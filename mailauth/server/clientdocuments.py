"""
Clients that are named by the address of a document about them
(draft-ietf-oauth-client-id-metadata-document). Owns what such a document may say, and how long it
is believed.

Nobody vouches for them but the owner of the address, so a browser is sent to no other domain than
that. How it is fetched is L{mailauth.validators._http}'s business.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ..errors import Outage
from ..oauth.jwt import UnusableKey, keysFromJWKS
from ..oauth.records import Client
from ..oauth.redirects import isClaimedHTTPS, registrable
from ..oauth.registration import parseMetadata, readClient
from ..oauth.responses import OAuthError
from ..throttle import RateLimit
from ..validators._http import Fetched, Get, NotFetchable

GRANT_TYPES = frozenset({"authorization_code", "refresh_token"})
"""
What a client may do that no administrator registered. Not to act as a device: that is what phishing
uses (RFC 10027).
"""

MIN_AGE, USUAL_AGE, MAX_AGE = 60.0, 600.0, 86400.0
"""
For how many seconds a document is believed: at least, if its server does not say, and at most.
"""

STALE = 86400.0
"""
For how many seconds longer it is while its server is down: the people who use the client are not
signed out by that.
"""

REMEMBERED = 1000
"""
How many clients are kept.
"""

MAX_KEYS = 8192
"""
How many octets the keys of one may have.
"""

FETCHES = 20
"""
How many documents of one host are fetched a minute: strangers can make us call any.
"""


@attrs.frozen
class _Kept:
    """
    A client as its document had it.

    @ivar fresh: until when it is believed, and C{stale} until when if there is no newer one, by a
        clock that only runs forward.
    """

    client: Client
    fresh: float
    stale: float


class ClientDocuments:
    """
    Finds clients by the addresses of their documents.
    """

    def __init__(self, get: Get, seconds: Callable[[], float]) -> None:
        """
        @param get: fetches a document.
        @param seconds: a clock that only runs forward.
        """
        self._get = get
        self._seconds = seconds
        self._limit = RateLimit(seconds, FETCHES)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._fetching: dict[str, list[Deferred[Client]]] = {}

    async def find(self, clientId: str) -> Client:
        """
        The client that is described there.

        @param clientId: the address, of which L{isDocumentAddress} holds.
        @raise OAuthError: C{invalid_client}: there is none, or not such a one as may be.
        @raise Outage: nobody can tell.
        """
        kept = self._kept.get(clientId)
        if kept is not None and self._seconds() < kept.fresh:
            self._kept.move_to_end(clientId)
            return kept.client
        try:
            return await self._fetchOnce(clientId)
        except Outage:
            if kept is not None and self._seconds() < kept.stale:
                return kept.client
            raise

    def _fetchOnce(self, clientId: str) -> Deferred[Client]:
        """
        Fetch a document, or wait for whoever fetches it already.
        """
        waiter: Deferred[Client] = Deferred()
        waiters = self._fetching.setdefault(clientId, [])
        waiters.append(waiter)
        if len(waiters) == 1:
            fetched = Deferred.fromCoroutine(self._fetch(clientId))
            fetched.addBoth(self._fetched, clientId)
        return waiter

    def _fetched(self, answer: Client | Failure, clientId: str) -> None:
        for waiter in self._fetching.pop(clientId):
            if isinstance(answer, Failure):
                waiter.errback(answer)
            else:
                waiter.callback(answer)

    async def _fetch(self, clientId: str) -> Client:
        if not self._limit.allows(urlsplit(clientId).netloc):
            raise Outage("too many client documents of that host are asked for")
        try:
            fetched = await self._get(clientId, {"Accept": "application/json"})
            if fetched.status >= 500 or fetched.status == 429:
                raise Outage(f"the client's server answered {fetched.status}")
            client = readDocument(clientId, fetched)
        except (NotFetchable, OAuthError) as error:
            self._kept.pop(clientId, None)
            reason = error.reason if isinstance(error, OAuthError) else str(error)
            raise _refused(f"The client metadata document cannot be used: {reason}") from None
        self._keep(client, fetched.maxAge())
        return client

    def _keep(self, client: Client, age: float | None) -> None:
        fresh = self._seconds() + min(max(USUAL_AGE if age is None else age, MIN_AGE), MAX_AGE)
        self._kept[client.clientId] = _Kept(client, fresh, fresh + STALE)
        self._kept.move_to_end(client.clientId)
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)


def isDocumentAddress(clientId: str) -> bool:
    """
    Whether a client id is the address of a document: https on a domain, with a path, and written in
    the plainest way, so that there is one id only for each document.
    """
    try:
        registrable(clientId)
    except OAuthError:
        return False
    return isClaimedHTTPS(clientId) and "?" not in clientId and urlsplit(clientId).path != ""


def readDocument(clientId: str, fetched: Fetched) -> Client:
    """
    The client that a document describes.

    @raise OAuthError: it is none, or not one of this client.
    """
    if fetched.status != 200:
        raise _refused(f"it has the status {fetched.status}")
    if not _isJSON(fetched):
        raise _refused("it is not sent as JSON")
    metadata = parseMetadata(fetched.content)
    if metadata.get("client_id") != clientId:
        raise _refused("it is of another client_id than its address")
    if not metadata.keys().isdisjoint(("client_secret", "client_secret_expires_at")):
        raise _refused("it has a secret, which everybody can read")
    method, keys = _readMethod(metadata)
    client = attrs.evolve(
        readClient({**metadata, "token_endpoint_auth_method": "none"}, 0, GRANT_TYPES),
        clientId=clientId,
        authMethod=method,
        jwks=keys,
    )
    _checkOrigins(client)
    return client


def _refused(reason: str) -> OAuthError:
    return OAuthError("invalid_client", "There is no such client.", reason)


def _isJSON(fetched: Fetched) -> bool:
    types = fetched.headers.getRawHeaders(b"content-type", ())
    type = types[0].partition(b";")[0].strip().lower() if len(types) == 1 else b""
    return type == b"application/json" or type.endswith(b"+json")


def _readMethod(metadata: Mapping[str, Any]) -> tuple[str, str | None]:
    """
    How a client authenticates, and with which keys. These stand in the document: nobody's address
    in it is called.
    """
    method = metadata.get("token_endpoint_auth_method", "none")
    if method == "none":
        return method, None
    if method != "private_key_jwt":
        raise _refused("its authentication method is neither none nor private_key_jwt")
    document = json.dumps(metadata.get("jwks"))
    try:
        keys = keysFromJWKS(document.encode("ascii"))
    except UnusableKey:
        keys = ()
    if not keys or len(document) > MAX_KEYS or "jwks_uri" in metadata:
        raise _refused("its keys are not in the member jwks, or they are too large")
    return method, document


def _checkOrigins(client: Client) -> None:
    """
    A browser is sent to the domain that the document is on, or to a program on its own machine.
    """
    origin = urlsplit(client.clientId)[:2]
    called = [] if client.backchannelLogoutURI is None else [client.backchannelLogoutURI]
    for uri in (*client.redirectURIs, *client.postLogoutRedirectURIs, *called):
        if isClaimedHTTPS(uri) and urlsplit(uri)[:2] != origin:
            raise _refused("it names an address of another origin")
