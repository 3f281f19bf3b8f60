"""
Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14). Owns rotation, what a lost answer is
forgiven, and what a stolen token costs.
"""

from __future__ import annotations

import attrs
from twisted.logger import Logger

from ...oauth.interfaces import IGrants, IOpaqueTokens
from ...oauth.records import Grant, OpaqueToken
from ...stores.records import NotFound
from ..refreshtokens import digestOfToken
from .families import Families
from .pipeline import GrantType, Redemption, TokenRequest, invalidGrant

GRACE = 10.0
"""
For how many seconds the token before the current one is still answered, with the current one: a
mail client on a train did not hear the first answer, or is two programs that share one token.
"""

REUSED = "Access was revoked because a refresh token was used again."


@attrs.frozen(eq=False)
class RefreshTokenGrant(GrantType):
    """
    Redeems a refresh token for its successor.
    """

    name = "refresh_token"
    narrows = True
    _log = Logger()

    grants: IGrants
    opaqueTokens: IOpaqueTokens
    families: Families

    async def find(self, request: TokenRequest) -> Redemption:
        """
        See L{GrantType.find}.
        """
        tokens, now = self.families.tokens, request.now
        presented = request.form.required("refresh_token")
        grantId = tokens.grantIdOf(presented)
        grant = None if grantId is None else await self.grants.get(grantId)
        if grant is None or grant.clientId != request.client.clientId:
            raise invalidGrant("no such refresh token of this client")
        # Its idle time may have become less since it was issued, and with it the time for which
        # revocations are kept.
        idle = self.families.expiresAt(grant, grant.rotated)
        if grant.refreshExpires is None or min(grant.refreshExpires, idle) <= now:
            raise invalidGrant("nobody used it for too long")
        digest, successor = digestOfToken(presented), tokens.successor(presented)
        rotated = attrs.evolve(
            grant,
            refreshDigest=digestOfToken(successor),
            previousDigest=digest,
            rotated=now,
            refreshExpires=self.families.expiresAt(grant, now),
            lastUse=now,
            address=request.address,
        )

        async def redeem(opaque: OpaqueToken | None) -> bool:
            return await self._rotate(rotated, opaque)

        return Redemption(rotated, grant.scope, redeem, successor)

    async def _rotate(self, rotated: Grant, opaque: OpaqueToken | None) -> bool:
        """
        @param rotated: what the grant is to be.
        """
        presented, successor = rotated.previousDigest, rotated.refreshDigest
        assert presented is not None and successor is not None
        if await self.grants.rotate(
            rotated.grantId,
            presented,
            successor,
            rotated.refreshExpires,
            opaque,
            rotated.rotated,
            rotated.address,
        ):
            return True
        current = await self.grants.get(rotated.grantId)
        if current is None:
            return False
        if (
            current.previousDigest == presented
            and current.refreshDigest == successor
            # Either way: the clock may have been set back.
            and abs(rotated.rotated - current.rotated) <= GRACE
        ):
            return await self._keep(opaque)
        # Somebody has a token that he should not have, and there is no telling who.
        self._log.warn(
            "a refresh token of {client} came again", client=rotated.clientId, grant=rotated.grantId
        )
        await self.grants.revoke(rotated.grantId, REUSED)
        return False

    async def _keep(self, opaque: OpaqueToken | None) -> bool:
        """
        Whether an access token beside the one that the rotation yielded could be kept.
        """
        if opaque is not None:
            try:
                await self.opaqueTokens.add(opaque)
            except NotFound:
                return False
        return True
