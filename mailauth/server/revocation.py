"""
Revocation (RFC 7009). Owns what goes with a token.
"""

from __future__ import annotations

import attrs

from ..credentials import tokenTag
from ..errors import InvalidToken
from ..interfaces import IRevocations
from ..oauth.interfaces import IGrants
from ..oauth.records import Client
from ..oauth.requests import Form
from .clientauthentication import ClientAuthenticator
from .liveness import Liveness
from .refreshtokens import RefreshTokens

REVOKED = "The application ended its access."


@attrs.frozen(eq=False)
class Revocation:
    """
    Ends a token that its client needs no more.
    """

    authenticator: ClientAuthenticator
    liveness: Liveness
    grants: IGrants
    revocations: IRevocations
    refreshTokens: RefreshTokens

    async def answer(self, form: Form, authorization: bytes | None) -> None:
        """
        Whatever the client sends, it is good for nothing afterwards; unless it is another client's,
        which this one is not told.

        @param authorization: the header of this name.
        @raise OAuthError: nobody knows who asks.
        @raise Outage: it is not revoked, and has to be sent again.
        """
        client = await self.authenticator.check(form, authorization)
        text = form.required("token")
        # The hint of which kind it is may be wrong, and each kind shows what it is.
        grantId = self.refreshTokens.grantIdOf(text)
        if grantId is not None:
            await self._revokeGrant(grantId, client)
        else:
            await self._revokeAccessToken(text, client)

    async def _revokeGrant(self, grantId: str, client: Client) -> None:
        """
        Any token of a family takes all of it along, and the access tokens that came of it.
        """
        grant = await self.grants.get(grantId)
        if grant is not None and grant.clientId == client.clientId:
            await self.grants.revoke(grantId, REVOKED)

    async def _revokeAccessToken(self, text: str, client: Client) -> None:
        try:
            token = await self.liveness.validate(text.encode("utf-8"))
        except InvalidToken:
            return
        if token.clientId == client.clientId and token.tokenId is not None:
            await self.revocations.revoke([tokenTag(token.issuer, token.tokenId)], REVOKED)
