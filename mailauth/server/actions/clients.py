"""
The applications that people let act for them. Owns which properties of a client go together.
"""

from __future__ import annotations

import re
import secrets

import attrs

from ...credentials import clientTag
from ...interfaces import IRevocations
from ...oauth.interfaces import IClients
from ...oauth.jwt import UnusableKey, keysFromJWKS
from ...oauth.records import Client
from ...oauth.redirects import isClaimedHTTPS, registrable
from ...oauth.registration import DEVICE_GRANT
from ...oauth.responses import OAuthError
from ...scopes import KNOWN_SCOPES, formatScope
from ...stores.events import Actor, Kind
from ...stores.records import AlreadyExists, NotFound
from ..clientauthentication import makeClientSecret
from ..clientdocuments import isDocumentAddress
from ..clients import Clients, deniedClient, isDenied
from ..sites import SITES
from .recording import Recorder

DENIED = "This application was denied."

_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")


class UnusableClient(ValueError):
    """
    No client can be like this. The message says what to do about it.
    """


@attrs.frozen
class NewClient:
    """
    What an administrator says about a client.

    @ivar clientId: its C{client_id}, or C{None} to make one up.
    @ivar name: what people are told it is, or C{None} for its id.
    @ivar redirectURIs: where it may have answers.
    @ivar grantTypes: what it may do; empty for codes and refresh tokens if it has a redirect URI.
    @ivar scope: what it may ask for; empty for all that there is.
    @ivar authMethod: how it proves who it is: see L{Client.authMethod}.
    @ivar jwks: its public keys, for C{private_key_jwt}.
    """

    clientId: str | None = None
    name: str | None = None
    redirectURIs: tuple[str, ...] = ()
    grantTypes: frozenset[str] = frozenset()
    scope: frozenset[str] = frozenset()
    authMethod: str = "none"
    jwks: str | None = attrs.field(default=None, repr=False)
    opaqueTokens: bool = False
    resourceServer: bool = False
    insecureWithoutPKCE: bool = False
    postLogoutRedirectURIs: tuple[str, ...] = ()
    backchannelLogoutURI: str | None = None

    def made(self, now: float) -> tuple[Client, str | None]:
        """
        @return: the client, and its secret if it has one.
        @raise UnusableClient: there can be no such client.
        """
        identifier = self.clientId or secrets.token_hex(8)
        grants = self.grantTypes
        if not grants and self.redirectURIs:
            grants = frozenset({"authorization_code", "refresh_token"})
        secret = digest = None
        if self.authMethod in ("client_secret_basic", "client_secret_post"):
            secret, digest = makeClientSecret()
        client = Client(
            identifier,
            self.name or identifier,
            tuple(dict.fromkeys(self.redirectURIs)),
            grants,
            self.scope,
            self.authMethod,
            digest,
            self.jwks,
            verified=True,
            opaqueTokens=self.opaqueTokens,
            resourceServer=self.resourceServer,
            insecureWithoutPKCE=self.insecureWithoutPKCE,
            created=now,
            postLogoutRedirectURIs=tuple(dict.fromkeys(self.postLogoutRedirectURIs)),
            backchannelLogoutURI=self.backchannelLogoutURI,
        )
        _checkValues(client)
        _checkTogether(client)
        return client, secret


def checkClientId(value: str) -> str:
    """
    An id that needs no encoding anywhere, or the address of a metadata document. Those of our own
    sites are taken.

    @raise UnusableClient: it is neither.
    """
    if _ID.fullmatch(value) is None and not isDocumentAddress(value):
        raise UnusableClient(f"{value!r} is no id of letters, digits, '.', '_', '~' and '-'")
    if value in SITES:
        raise UnusableClient(f"{value!r} is this server's own site: choose another id")
    return value


def checkRedirectURI(value: str) -> str:
    """
    A redirect URI that a client may have.

    @raise UnusableClient: it may not.
    """
    try:
        registrable(value)
    except OAuthError as error:
        raise UnusableClient(f"{value!r}: {error.description}") from None
    return value


def checkCalledURI(value: str) -> str:
    """
    An address that the server calls.

    @raise UnusableClient: it does not.
    """
    if not isClaimedHTTPS(value):
        raise UnusableClient(f"{value!r} is not https on a domain")
    return value


def checkScope(scope: frozenset[str]) -> frozenset[str]:
    """
    Scopes that there are.

    @raise UnusableClient: one of them there is not.
    """
    if not scope <= KNOWN_SCOPES:
        raise UnusableClient(
            f"there is no scope {formatScope(scope - KNOWN_SCOPES)}; there are"
            f" {formatScope(KNOWN_SCOPES)}"
        )
    return scope


def checkKeys(document: str) -> str:
    """
    A JWK set with which a client can prove who it is.

    @raise UnusableClient: it cannot.
    """
    try:
        keys = keysFromJWKS(document.encode("utf-8"))
    except UnusableKey as error:
        raise UnusableClient(f"The keys cannot be used: {error}") from None
    if not keys:
        raise UnusableClient("There is no key that could be used")
    return document


def _checkValues(client: Client) -> None:
    checkClientId(client.clientId)
    for redirectURI in (*client.redirectURIs, *client.postLogoutRedirectURIs):
        checkRedirectURI(redirectURI)
    if client.backchannelLogoutURI is not None:
        checkCalledURI(client.backchannelLogoutURI)
    checkScope(client.scope)
    if client.jwks is not None:
        checkKeys(client.jwks)


def _checkTogether(client: Client) -> None:
    grants, redirects = client.grantTypes, client.redirectURIs
    mistake = None
    if not grants and not client.resourceServer:
        mistake = (
            "It could do nothing: it needs a redirect URI, a grant or to be a resource server."
        )
    elif ("authorization_code" in grants) != bool(redirects):
        mistake = "A redirect URI and the grant authorization_code go together."
    elif "refresh_token" in grants and grants.isdisjoint({"authorization_code", DEVICE_GRANT}):
        mistake = "Nothing would give it the first refresh token: it needs a redirect URI."
    elif client.public and "client_credentials" in grants:
        mistake = "The grant client_credentials is for a client with a secret or keys."
    elif client.public and client.resourceServer:
        mistake = "A resource server has a secret or keys."
    elif (client.authMethod == "private_key_jwt") != (client.jwks is not None):
        mistake = "A client has either a secret or keys."
    elif client.insecureWithoutPKCE and (
        client.public or len(redirects) != 1 or not isClaimedHTTPS(redirects[0])
    ):
        mistake = "Without PKCE, a client has a secret or keys, and one https redirect URI."
    if mistake is not None:
        raise UnusableClient(mistake)


@attrs.frozen(eq=False)
class ClientActions:
    """
    What can be done with clients.

    @ivar store: those of the administrator.
    @ivar clients: finds all of them.
    @ivar issuer: whose clients they are, as their tags name it.
    """

    store: IClients
    clients: Clients
    revocations: IRevocations
    issuer: str
    recorder: Recorder

    async def list(self) -> tuple[Client, ...]:
        """
        All that were added or denied, by id. Of those that register themselves there is no record.
        """
        return await self.store.list()

    async def get(self, clientId: str) -> Client:
        """
        One of them, or one that registered itself.

        @raise NotFound: there is none.
        """
        return await self.store.get(clientId) or await self._registered(clientId)

    async def add(self, actor: Actor, new: NewClient) -> tuple[Client, str | None]:
        """
        Register a client, and vouch for its name.

        @return: the client, and its secret if it has one, which is known to nobody else and never
            again.
        @raise UnusableClient: there can be no such client.
        @raise AlreadyExists: the id is taken.
        """
        client, secret = new.made(self.recorder.now())
        await self.store.add(client)
        await self.recorder.record(Kind.CLIENT_ADDED, actor, text=client.clientId)
        return client, secret

    async def remove(self, actor: Actor, clientId: str) -> None:
        """
        Remove one, and end all that it was granted. One that was denied may come again.

        @raise NotFound: there is no record of it.
        """
        await self.store.remove(clientId)
        await self.recorder.record(Kind.CLIENT_REMOVED, actor, text=clientId)

    async def deny(self, actor: Actor, clientId: str) -> None:
        """
        Deny one that registered itself, and end all that it was granted. If an outage comes in
        between, the rest ends when it is denied again.

        @raise AlreadyExists: there is a record of it, which can be removed.
        @raise NotFound: there is no such client.
        @raise UnusableClient: it is a site of ours, which nothing denies.
        """
        if clientId in SITES:
            raise UnusableClient(f"{clientId} is this server's own site, and cannot be denied.")
        known = await self.store.get(clientId)
        if known is None:
            if not isDocumentAddress(clientId):
                await self._registered(clientId)
            await self.store.add(deniedClient(clientId, self.recorder.now()))
        elif not isDenied(known):
            raise AlreadyExists(f"There is a record of {clientId}: remove it instead.")
        await self.revocations.revoke([clientTag(self.issuer, clientId)], DENIED)
        await self.recorder.record(Kind.CLIENT_DENIED, actor, text=clientId)

    async def _registered(self, clientId: str) -> Client:
        try:
            return await self.clients.find(clientId)
        except OAuthError:
            raise NotFound(f"There is no client {clientId}.") from None
