"""
Which client has which id. Owns the four kinds of clients.

Those of the administrator are records, which decide whatever an id looks like: a client can also be
denied by one. A few mail programs are built in (L{mailauth.server.builtinclients}). A client that
registered itself is written nowhere: its id is what it said about itself, sealed, so that it costs
nothing how many do (OA11). And an id may be the address of a document about the client
(draft-ietf-oauth-client-id-metadata-document), if that is switched on.
"""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from time import time
from typing import Any

import attrs

from ..credentials import clientTag
from ..interfaces import IRevocations
from ..oauth.interfaces import IClients
from ..oauth.records import Client
from ..oauth.registration import readClient
from ..oauth.responses import OAuthError
from ..stores.documents import fromDocument, toDocument
from .builtinclients import BUILT_IN
from .clientdocuments import GRANT_TYPES, ClientDocuments, isDocumentAddress
from .sealing import CannotUnseal, Sealer

LIFETIME = 5 * 365 * 86400.0
"""
For how many seconds the id of a client that registered itself is good. As long as a mail program
lives on one computer: nobody tells a public client that its id ends (RFC 7591 section 3.2.1), and
to a person at the sign-in page it says nothing. Nothing is kept that would have to be cleaned up.
"""

MAX_ID = 600
"""
How long such an id may be. Every access token has it inside, and has to fit into a mail client's
command line.
"""

REMEMBERED = 1000
"""
How many clients that registered themselves are kept at hand.
"""

# What the records of such clients have in common: an id is a third as long if it need not hold it.
# It must never change, or the ids that were given out cannot be read any more.
_USUAL = (
    b'"address":"https://www."softwareId":"https://localhost/oauth2redirect"/oauth/callback'
    b'"http://[::1]/"http://localhost/"com.example.org."scope":["calendars"contacts"email","imap",'
    b'"jmap","offline_access","openid","pop3","profile","smtp",'
    b'"urn:ietf:params:oauth:scope:calendars","urn:ietf:params:oauth:scope:contacts",'
    b'"urn:ietf:params:oauth:scope:mail"]:[],{"name":"Mail","redirectURIs":["http://127.0.0.1/'
    b'callback"],"grantTypes":["authorization_code","refresh_token"],"scope":["offline_access",'
    b'"urn:ietf:params:oauth:scope:mail"],"authMethod":"none","secretDigest":null,"jwks":null,'
    b'"verified":false,"opaqueTokens":false,"resourceServer":false,"insecureWithoutPKCE":false,'
    b'"created":1790000000,"softwareId":null,"address":null,"postLogoutRedirectURIs":[],'
    b'"backchannelLogoutURI":null}'
)


class Clients:
    """
    Finds clients, and registers those that come by themselves.
    """

    def __init__(
        self,
        store: IClients,
        revocations: IRevocations,
        issuer: str,
        sealer: Sealer,
        documents: ClientDocuments | None = None,
        openRegistration: bool = True,
        now: Callable[[], float] = time,
        ours: Iterable[Client] = (),
    ) -> None:
        """
        @param store: the administrator's.
        @param revocations: which tells when it changed.
        @param issuer: whose clients they are, as their tags name it.
        @param sealer: that for C{"client-ids"}.
        @param documents: C{None} if no id is the address of a document.
        @param openRegistration: clients may register themselves. If not, those that did before
            are unknown, too.
        @param now: the wall clock, in seconds since the epoch.
        @param ours: the sites of this server, which no record takes the place of.
        """
        self._ours = {client.clientId: client for client in ours}
        revocations.subscribe(self._changed)
        self._store = store
        self._revocations = revocations
        self._tags = clientTag(issuer, "")
        self._sealer = sealer
        self._documents = documents
        self._openRegistration = openRegistration
        self._now = now
        self._records: Mapping[str, Client] | None = None
        self._changes = 0
        self._unsealed = lru_cache(REMEMBERED)(self._unseal)

    async def find(self, clientId: str) -> Client:
        """
        The client of an id.

        @raise OAuthError: C{invalid_client}: there is none.
        @raise Outage: nobody can tell.
        """
        if clientId in self._ours:
            return self._ours[clientId]
        records = await self._read()
        client = records.get(clientId) or BUILT_IN.get(clientId) or self._registered(clientId)
        if client is None and self._documents is not None and isDocumentAddress(clientId):
            return await self._documents.find(clientId)
        if client is None or isDenied(client):
            raise OAuthError("invalid_client", "There is no such client.")
        return client

    def isOurs(self, clientId: str) -> bool:
        """
        Whether it is a site of this server: nobody has to be asked what it may do.
        """
        return clientId in self._ours

    def register(self, metadata: Mapping[str, Any]) -> Client:
        """
        Give a client that comes by itself an id (RFC 7591).

        @raise OAuthError: it cannot have what it wants.
        """
        client = readClient(metadata, int(self._now()), GRANT_TYPES)
        clientId = self._seal(client)
        if len(clientId) > MAX_ID:
            raise OAuthError("invalid_client_metadata", "The client metadata is too large.")
        return attrs.evolve(client, clientId=clientId)

    async def _read(self) -> Mapping[str, Client]:
        """
        The administrator's clients. All of them are at hand, so that to ask for one that is not
        there takes as long as for one that is, and costs the store nothing (O 64).
        """
        self._revocations.catchUp()
        if self._records is not None:
            return self._records
        began = self._changes
        records = {client.clientId: client for client in await self._store.list()}
        if began == self._changes:
            self._records = records
        return records

    def _changed(self, tags: frozenset[str], reason: str | None) -> None:
        if any(tag.startswith(self._tags) for tag in tags):
            self._records = None
            self._changes += 1

    def _registered(self, clientId: str) -> Client | None:
        """
        The client that registered itself and was given this id, if that was not too long ago.
        """
        if not self._openRegistration or len(clientId) > MAX_ID:
            return None
        client = self._unsealed(clientId)
        if client is None or self._now() >= client.created + LIFETIME:
            return None
        return client

    def _seal(self, client: Client) -> str:
        document = toDocument(client, without=("clientId",)).encode("utf-8")
        deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=_USUAL)
        sealed = self._sealer.seal(deflate.compress(document) + deflate.flush())
        clientId = urlsafe_b64encode(sealed).decode("ascii").rstrip("=")
        # No command takes it for an option. It is another each time.
        return self._seal(client) if clientId.startswith("-") else clientId

    def _unseal(self, clientId: str) -> Client | None:
        """
        @return: C{None} if it was not sealed here, or is not written as it was given out: there
            must be one id only for each client (TK7).
        """
        try:
            sealed = urlsafe_b64decode(clientId.encode("ascii") + b"=" * (-len(clientId) % 4))
            if urlsafe_b64encode(sealed).decode("ascii").rstrip("=") != clientId:
                return None
            deflated = self._sealer.unseal(sealed)
        except (ValueError, CannotUnseal):
            return None
        document = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_USUAL).decompress(deflated)
        return fromDocument(Client, document.decode("utf-8"), clientId=clientId)


def isDenied(client: Client) -> bool:
    """
    Whether an administrator's record is there to deny a client: a public client that may do
    nothing.
    """
    return client.public and not client.grantTypes


def deniedClient(clientId: str, now: float) -> Client:
    """
    A record that denies a client that registered itself, or is named by a document.
    """
    return Client(clientId, grantTypes=frozenset(), created=now)
