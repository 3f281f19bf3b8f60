"""
Userinfo (OpenID Connect Core 1.0 section 5.3). Owns what is said about somebody, and how a token
has to be presented to hear it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ..errors import InvalidToken
from ..oauth.responses import OAuthError
from ..oauth.tokens import AccessToken
from ..scopes import SERVICE_SCOPES
from .liveness import Liveness, isClientSubject
from .proofs import Proofs

_MAIL = frozenset().union(*SERVICE_SCOPES.values())


class TokenMissing(OAuthError):
    """
    Nobody presented a token: what one has to look like is all that there is to say (RFC 6750
    section 3.1).
    """

    def __init__(self) -> None:
        super().__init__("invalid_token", "An access token is needed, in the Authorization header.")


@attrs.frozen(eq=False)
class UserInfo:
    """
    Says whose a token is.

    @ivar address: its own, which a proof of a key has to name (RFC 9449 section 4.2).
    """

    address: str
    liveness: Liveness
    proofs: Proofs

    async def answer(
        self, authorization: bytes | None, proof: bytes | None, method: str
    ) -> Mapping[str, Any]:
        """
        @param authorization: the header of this name.
        @param proof: the header C{DPoP}.
        @param method: of the request.
        @return: the claims.
        @raise OAuthError: the token is not good for this.
        @raise Outage: nobody can tell.
        """
        scheme, _, secret = (authorization or b"").partition(b" ")
        secret = secret.strip(b" ")
        kind = scheme.lower()
        if kind not in (b"bearer", b"dpop") or not secret:
            raise TokenMissing
        try:
            token = await self.liveness.validate(secret)
        except InvalidToken as error:
            raise _refused(error.reason) from None
        if kind == b"dpop":
            await self._checkKey(token, secret, proof, method)
        elif token.bound:
            # Whoever stole it has no key (RFC 9449 section 7.2).
            raise _refused("a token that is bound to a key, presented without it")
        return _claimsOf(token)

    async def _checkKey(
        self, token: AccessToken, secret: bytes, proof: bytes | None, method: str
    ) -> None:
        if proof is None:
            raise OAuthError("invalid_dpop_proof", "The DPoP header is missing.")
        thumbprint = await self.proofs.check(proof, method, self.address, secret)
        if token.keyThumbprint != thumbprint:
            raise _refused("a token that is not bound to this key")


def _refused(reason: str) -> OAuthError:
    return OAuthError(
        "invalid_token", "The access token is unknown, expired, revoked or bound.", reason
    )


def _claimsOf(token: AccessToken) -> dict[str, Any]:
    """
    Whoever may read somebody's mail knows his address.
    """
    mail = bool(token.scope & _MAIL)
    if isClientSubject(token.subject) or not (mail or "openid" in token.scope):
        raise OAuthError("insufficient_scope", "The access token is not for this.")
    claims: dict[str, Any] = {"sub": token.subject}
    if "@" in token.subject and (mail or "email" in token.scope):
        claims["email"] = token.subject
        claims["email_verified"] = True
    if "profile" in token.scope:
        claims["preferred_username"] = token.subject
    return claims
