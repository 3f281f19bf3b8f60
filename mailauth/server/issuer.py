"""
The built-in authorization server's access tokens and ID tokens. Owns what is written into them.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from hashlib import sha256
from time import time
from typing import Any

import attrs

from ..oauth.idtokens import TYPE, idTokenClaims
from ..oauth.jwt import Signer
from ..oauth.records import Grant, OpaqueToken
from ..oauth.tokens import AccessToken
from ..scopes import formatScope

SignerSource = Callable[[], Awaitable[Signer]]
"""
Gives the key that signs now, or fails with an L{Outage<mailauth.errors.Outage>}.
"""


@attrs.frozen
class IssuedToken:
    """
    An access token that was just made.

    @ivar token: the secret.
    @ivar tokenId: its C{jti}.
    @ivar expiresIn: in seconds.
    @ivar opaque: what a store has to keep before anybody is given the token; C{None} if it says
        everything itself.
    """

    token: bytes = attrs.field(repr=False)
    tokenId: str
    expiresIn: int
    scope: frozenset[str]
    opaque: OpaqueToken | None = None


@attrs.frozen(eq=False)
class AccessTokenIssuer:
    """
    Issues access tokens, signed (RFC 9068 section 2) or opaque.

    @ivar issuer: the C{iss}.
    @ivar audience: the C{aud}.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    issuer: str
    audience: str
    signer: SignerSource
    now: Callable[[], float] = time

    async def issue(
        self,
        subject: str,
        scope: frozenset[str],
        clientId: str,
        lifetime: float,
        *,
        grant: Grant | None = None,
        keyThumbprint: str | None = None,
        opaque: bool = False,
    ) -> IssuedToken:
        """
        @param subject: whose it will be: an account in canonical form.
        @param clientId: who gets it.
        @param lifetime: in seconds.
        @param grant: what it comes from, C{None} if nobody granted anything.
        @param keyThumbprint: of the key that it is bound to (RFC 9449 section 6), or C{None}.
        @param opaque: it says nothing by itself.
        @raise Outage: there is no key to sign with.
        """
        # Whole seconds, because Dovecot reads nothing else. It is never rounded up: a token would
        # outlive a revocation of the same second.
        issued = int(self.now())
        expiresIn = max(1, int(lifetime))
        token = AccessToken(
            issuer=self.issuer,
            subject=subject,
            owner=subject,
            scope=scope,
            audience=frozenset({self.audience}),
            expires=issued + expiresIn,
            issued=issued,
            clientId=clientId,
            tokenId=secrets.token_urlsafe(12),
            grantId=None if grant is None else grant.grantId,
            bound=keyThumbprint is not None,
            keyThumbprint=keyThumbprint,
        )
        assert token.tokenId is not None
        if opaque:
            secret = secrets.token_urlsafe(32).encode("ascii")
            authenticated = None if grant is None else grant.authentication.authTime
            record = OpaqueToken(sha256(secret).digest(), token, authenticated)
            return IssuedToken(secret, token.tokenId, expiresIn, scope, record)
        signer = await self.signer()
        return IssuedToken(signer.sign(_claims(token, grant)), token.tokenId, expiresIn, scope)


def _claims(token: AccessToken, grant: Grant | None) -> dict[str, Any]:
    """
    RFC 9068 section 2.2.
    """
    (audience,) = token.audience
    claims: dict[str, Any] = {
        "iss": token.issuer,
        "aud": audience,
        "sub": token.subject,
        "client_id": token.clientId,
        "scope": formatScope(token.scope),
        "iat": token.issued,
        "exp": token.expires,
        "jti": token.tokenId,
    }
    if grant is not None:
        authentication = grant.authentication
        claims["sid"] = grant.grantId
        claims["auth_time"] = int(authentication.authTime)
        if authentication.methods:
            claims["amr"] = sorted(authentication.methods)
    if token.keyThumbprint is not None:
        claims["cnf"] = {"jkt": token.keyThumbprint}
    return claims


@attrs.frozen(eq=False)
class IDTokenIssuer:
    """
    Issues ID tokens (OpenID Connect Core 1.0 section 2).

    @ivar issuer: the C{iss}.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    issuer: str
    signer: SignerSource
    now: Callable[[], float] = time

    async def issue(self, grant: Grant, nonce: str | None, accessToken: bytes) -> str:
        """
        @param nonce: of the authorization request.
        @param accessToken: that goes with it.
        @raise Outage: there is no key to sign with.
        """
        signer = await self.signer()
        claims = idTokenClaims(self.issuer, grant, nonce, accessToken, signer.algorithm, self.now())
        return signer.sign(claims, type=TYPE).decode("ascii")
