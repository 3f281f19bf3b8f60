"""
The built-in authorization server's tokens. Owns what is written into them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from time import time

import attrs

from ..oauth.jwt import Signer
from ..scopes import formatScope


@attrs.frozen
class IssuedToken:
    """
    An access token that was just made.

    @ivar token: the secret.
    @ivar tokenId: its C{jti}.
    @ivar expiresIn: in seconds.
    """

    token: bytes = attrs.field(repr=False)
    tokenId: str
    expiresIn: int
    scope: frozenset[str]


@attrs.frozen
class AccessTokenIssuer:
    """
    Issues access tokens (RFC 9068 section 2).

    @ivar issuer: the C{iss}.
    @ivar audience: the C{aud}.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    issuer: str
    audience: str
    now: Callable[[], float] = time

    def issue(
        self,
        signer: Signer,
        account: str,
        scope: frozenset[str],
        clientId: str,
        lifetime: float,
    ) -> IssuedToken:
        """
        @param signer: the key that signs now.
        @param account: whose it will be, in canonical form.
        @param clientId: who gets it.
        @param lifetime: in seconds.
        """
        tokenId = secrets.token_urlsafe(12)
        # Whole seconds, because Dovecot reads nothing else. It is never rounded up: a token would
        # outlive a revocation of the same second.
        issued = int(self.now())
        expiresIn = max(1, int(lifetime))
        token = signer.sign(
            {
                "iss": self.issuer,
                "aud": self.audience,
                "sub": account,
                "client_id": clientId,
                "scope": formatScope(scope),
                "iat": issued,
                "exp": issued + expiresIn,
                "jti": tokenId,
            }
        )
        return IssuedToken(token, tokenId, expiresIn, scope)
