"""
The beginning of a family of refresh tokens. Owns what becomes of a grant when it is redeemed for
the first time, the same for a code and for a device.
"""

from __future__ import annotations

import attrs

from ...oauth.records import Grant
from ..offer import wantsRefreshToken
from ..refreshtokens import RefreshTokens, digestOfToken
from .pipeline import TokenRequest

IDLE = 90 * 86400.0
"""
After how many seconds a refresh token expires that nobody used.
"""


@attrs.frozen
class Families:
    """
    Begins families, and says how long a refresh token lives.

    @ivar tokens: makes refresh tokens.
    @ivar idle: after how many seconds one expires that nobody used.
    """

    tokens: RefreshTokens
    idle: float = IDLE

    def begin(self, grant: Grant, request: TokenRequest) -> tuple[Grant, str | None]:
        """
        @param grant: as somebody granted it.
        @return: what is to be kept, and the first refresh token, if the client gets one.
        """
        grant = attrs.evolve(grant, lastUse=request.now, address=request.address)
        if request.client.public and grant.keyThumbprint is None:
            # Whoever has no secret may have a key instead (RFC 9449 section 5).
            grant = attrs.evolve(grant, keyThumbprint=request.keyThumbprint)
        if not wantsRefreshToken(request.client, grant.scope):
            return grant, None
        token = self.tokens.first(grant.grantId)
        return (
            attrs.evolve(
                grant,
                refreshDigest=digestOfToken(token),
                rotated=request.now,
                refreshExpires=self.expiresAt(grant, request.now),
            ),
            token,
        )

    def expiresAt(self, grant: Grant, now: float) -> float:
        """
        When a refresh token expires that is issued now: never after its grant.
        """
        expires = now + self.idle
        return expires if grant.expires is None else min(expires, grant.expires)
