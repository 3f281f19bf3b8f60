"""
The token endpoint, without HTTP (RFC 6749 section 3.2). Owns the steps that every grant takes, and
their order: who asks, whether he may ask in this way, what there is to be redeemed, whether it is
still good, what it yields, only then the one transaction that consumes it, and at last whether it
still is good.

A grant type is the one step between; it cannot forget another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import time
from typing import Any, ClassVar

import attrs

from ...oauth.records import Client, Grant, OpaqueToken
from ...oauth.requests import Form, narrowedScope
from ...oauth.responses import OAuthError
from ...scopes import formatScope
from ..clientauthentication import ClientAuthenticator
from ..issuer import AccessTokenIssuer, IDTokenIssuer, IssuedToken
from ..liveness import Liveness, clientSubject
from ..offer import Offer
from ..proofs import Proofs


@attrs.frozen
class TokenRequest:
    """
    What a grant type is told.

    @ivar client: who asks. It has proved that, unless it is a public one.
    @ivar keyThumbprint: of the key that it proved to have (RFC 9449), or C{None}.
    @ivar address: from where, if that is known.
    @ivar now: when.
    """

    form: Form
    client: Client
    keyThumbprint: str | None
    address: str | None
    now: float


@attrs.frozen
class Redemption:
    """
    What a grant type found. Nothing is consumed yet.

    @ivar grant: what somebody granted, as it will be; C{None} for the client's own.
    @ivar scope: what the access token may be good for.
    @ivar redeem: consumes it, and keeps what it is given, in one transaction: whether nobody else
        did before.
    @ivar refreshToken: which one will be current, C{None} if there is none.
    @ivar nonce: for the ID token.
    """

    grant: Grant | None
    scope: frozenset[str]
    redeem: Callable[[OpaqueToken | None], Awaitable[bool]]
    refreshToken: str | None = attrs.field(default=None, repr=False)
    nonce: str | None = attrs.field(default=None, repr=False)


class GrantType(ABC):
    """
    One way of getting a token.

    @cvar name: its C{grant_type}.
    @cvar narrows: the client may ask for less than there is.
    """

    name: ClassVar[str]
    narrows: ClassVar[bool] = False

    @abstractmethod
    async def find(self, request: TokenRequest) -> Redemption:
        """
        Find what there is to be redeemed.

        @raise OAuthError: nothing, for this client.
        @raise Outage: nobody can tell.
        """


def _byName(grantTypes: Iterable[GrantType]) -> dict[str, GrantType]:
    return {each.name: each for each in grantTypes}


def invalidGrant(reason: str) -> OAuthError:
    """
    The one answer about every code and refresh token that is good for nothing: which of the
    reasons it is would tell a thief what he has.

    @param reason: for our log alone.
    """
    return OAuthError("invalid_grant", "It is unknown, used, expired or revoked.", reason)


@attrs.frozen(eq=False)
class TokenEndpoint:
    """
    Gives tokens.

    @ivar address: its own, which a proof of a key has to name (RFC 9449 section 4.2).
    @ivar grantTypes: by name.
    @ivar lifetime: of an access token that comes with a refresh token, in seconds.
    @ivar loneLifetime: of one that comes without.
    @ivar opaqueTokens: access tokens are opaque, whoever the client is.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    address: str
    authenticator: ClientAuthenticator
    proofs: Proofs
    grantTypes: Mapping[str, GrantType] = attrs.field(converter=_byName)
    liveness: Liveness
    offer: Offer
    accessTokens: AccessTokenIssuer
    idTokens: IDTokenIssuer
    lifetime: float = 900.0
    loneLifetime: float = 3600.0
    opaqueTokens: bool = False
    now: Callable[[], float] = time

    async def answer(
        self, form: Form, authorization: bytes | None, proof: bytes | None, address: str | None
    ) -> Mapping[str, Any]:
        """
        @param authorization: the header of this name.
        @param proof: the header C{DPoP} (RFC 9449 section 5).
        @param address: from where.
        @return: the members of the answer (RFC 6749 section 5.1).
        @raise OAuthError: there is no token.
        @raise Outage: nobody can tell, or what was issued could not be kept.
        """
        client = await self.authenticator.check(form, authorization)
        grantType = self._grantType(form, client)
        keyThumbprint = None
        if proof is not None:
            keyThumbprint = await self.proofs.check(proof, "POST", self.address)
        request = TokenRequest(form, client, keyThumbprint, address, self.now())
        found = await grantType.find(request)
        await self._check(found, request)
        scope = found.scope
        if grantType.narrows:
            scope = narrowedScope(form.get("scope"), scope)
        access = await self._issue(found, scope, request)
        members = self._members(access, found, request)
        if found.grant is not None and "openid" in scope:
            members["id_token"] = await self.idTokens.issue(found.grant, found.nonce, access.token)
        if not await found.redeem(access.opaque):
            raise invalidGrant("somebody else was faster, or it was used before")
        # A revocation may be dated before what was issued and written after that, which would
        # outlive it. Whatever was written before it was consumed is known now.
        await self._checkLive(found.grant)
        return members

    def _grantType(self, form: Form, client: Client) -> GrantType:
        name = form.required("grant_type")
        grantType = self.grantTypes.get(name)
        if grantType is None:
            raise OAuthError("unsupported_grant_type", "There is no such grant_type here.")
        if name not in client.grantTypes:
            raise OAuthError("unauthorized_client", "The client may not use this grant_type.")
        return grantType

    async def _check(self, found: Redemption, request: TokenRequest) -> None:
        """
        What has to hold whatever is redeemed.
        """
        resources = self.offer.resources(request.form.resources)
        grant = found.grant
        if grant is None:
            return
        if grant.resources and not resources <= grant.resources:
            raise OAuthError("invalid_target", "This resource was not granted.")
        if grant.keyThumbprint not in (None, request.keyThumbprint):
            raise OAuthError("invalid_dpop_proof", "It is bound to another key.")
        await self._checkLive(grant)

    async def _checkLive(self, grant: Grant | None) -> None:
        if grant is not None and not await self.liveness.isLive(grant):
            raise invalidGrant("the grant, its client or its account is no longer good")

    async def _issue(
        self, found: Redemption, scope: frozenset[str], request: TokenRequest
    ) -> IssuedToken:
        grant, client = found.grant, request.client
        lifetime = self.loneLifetime if found.refreshToken is None else self.lifetime
        if grant is not None and grant.expires is not None:
            lifetime = min(lifetime, grant.expires - request.now)
        return await self.accessTokens.issue(
            clientSubject(client.clientId) if grant is None else grant.account,
            scope,
            client.clientId,
            lifetime,
            grant=grant,
            keyThumbprint=request.keyThumbprint,
            opaque=self.opaqueTokens or client.opaqueTokens,
        )

    def _members(
        self, access: IssuedToken, found: Redemption, request: TokenRequest
    ) -> dict[str, Any]:
        members: dict[str, Any] = {
            "access_token": access.token.decode("ascii"),
            "token_type": "Bearer" if request.keyThumbprint is None else "DPoP",
            "expires_in": access.expiresIn,
        }
        if access.scope:
            members["scope"] = formatScope(access.scope)
        if found.refreshToken is not None:
            members["refresh_token"] = found.refreshToken
            assert found.grant is not None and found.grant.refreshExpires is not None
            members["refresh_token_expires_in"] = int(found.grant.refreshExpires - request.now)
        return members
