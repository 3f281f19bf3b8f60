"""
Introspection (RFC 7662). Owns who may ask about which token.

A resource server asks about the tokens that people bring it. It is never told that a refresh token
is good: to whoever looks at nothing else, every token that is active opens a mailbox (TK12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time
from typing import Any

import attrs

from ..errors import InvalidToken
from ..oauth.interfaces import IGrants
from ..oauth.records import Client
from ..oauth.requests import Form
from ..oauth.responses import OAuthError
from ..oauth.tokens import AccessToken
from ..scopes import formatScope
from .clientauthentication import ClientAuthenticator
from .issuer import SignerSource
from .liveness import Liveness, isClientSubject
from .refreshtokens import RefreshTokens, digestOfToken

INACTIVE: Mapping[str, Any] = {"active": False}
"""
All that is said of a token that is not good, or not the asking client's business: which of the two
would be an oracle (RFC 7662 section 2.2).
"""


@attrs.frozen(eq=False)
class Introspection:
    """
    Says what a token means.

    @ivar now: the wall clock, in seconds since the epoch.
    """

    authenticator: ClientAuthenticator
    liveness: Liveness
    grants: IGrants
    refreshTokens: RefreshTokens
    signer: SignerSource
    now: Callable[[], float] = time

    async def answer(
        self, form: Form, authorization: bytes | None
    ) -> tuple[Client, Mapping[str, Any]]:
        """
        @param authorization: the header of this name.
        @return: who asks, and the members of the answer.
        @raise OAuthError: nobody who may ask.
        @raise Outage: nobody can tell.
        """
        client = await self.authenticator.check(form, authorization)
        if client.public:
            raise OAuthError("invalid_client", "Only a client with a secret or a key may ask.")
        return client, await self._describe(form.required("token"), client)

    async def sign(self, client: Client, members: Mapping[str, Any]) -> bytes:
        """
        An answer that can be shown to others (RFC 9701 section 5): for this client, and nothing
        that anybody takes for an access token.

        @raise Outage: there is no key to sign with.
        """
        signer = await self.signer()
        claims = {
            "iss": self.liveness.issuer,
            "aud": client.clientId,
            "iat": int(self.now()),
            "token_introspection": dict(members),
        }
        return signer.sign(claims, type="token-introspection+jwt")

    async def _describe(self, text: str, client: Client) -> Mapping[str, Any]:
        # The hint of which kind it is may be wrong, and each kind shows what it is.
        grantId = self.refreshTokens.grantIdOf(text)
        if grantId is not None:
            return await self._describeRefreshToken(text, grantId, client)
        try:
            token = await self.liveness.validate(text.encode("utf-8"))
        except InvalidToken:
            return INACTIVE
        if not client.resourceServer and token.clientId != client.clientId:
            return INACTIVE
        return _membersOf(token)

    async def _describeRefreshToken(
        self, text: str, grantId: str, client: Client
    ) -> Mapping[str, Any]:
        grant = await self.grants.get(grantId)
        if (
            grant is None
            or client.resourceServer
            or grant.clientId != client.clientId
            or grant.refreshDigest != digestOfToken(text)
            or grant.refreshExpires is None
            or grant.refreshExpires <= self.now()
            or not await self.liveness.isLive(grant)
        ):
            return INACTIVE
        return {
            "active": True,
            "iss": self.liveness.issuer,
            "client_id": grant.clientId,
            "sub": grant.account,
            "scope": formatScope(grant.scope),
            "exp": int(grant.refreshExpires),
        }


def _membersOf(token: AccessToken) -> dict[str, Any]:
    """
    RFC 7662 section 2.2. Mail servers look for the account in C{username} or C{email}.
    """
    (audience,) = token.audience
    members: dict[str, Any] = {
        "active": True,
        "token_type": "DPoP" if token.bound else "Bearer",
        "iss": token.issuer,
        "aud": audience,
        "sub": token.subject,
        "client_id": token.clientId,
        "scope": formatScope(token.scope),
        "iat": int(token.issued),
        "exp": int(token.expires),
        "jti": token.tokenId,
    }
    if not isClientSubject(token.subject):
        members["username"] = token.subject
        if "@" in token.subject:
            members["email"] = token.subject
    if token.keyThumbprint is not None:
        members["cnf"] = {"jkt": token.keyThumbprint}
    return members
