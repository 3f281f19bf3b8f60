"""
Client credentials (RFC 6749 section 4.4): a client's token for itself. Owns what that is good for:
what its registration says, and nobody's mail.
"""

from __future__ import annotations

import attrs

from ...oauth.interfaces import IOpaqueTokens
from ...oauth.records import OpaqueToken
from ...oauth.responses import OAuthError
from .pipeline import GrantType, Redemption, TokenRequest


@attrs.frozen(eq=False)
class ClientCredentialsGrant(GrantType):
    """
    Gives a client a token of its own.
    """

    name = "client_credentials"
    narrows = True

    opaqueTokens: IOpaqueTokens

    async def find(self, request: TokenRequest) -> Redemption:
        """
        See L{GrantType.find}.
        """
        if request.client.public:
            raise OAuthError("unauthorized_client", "A public client has no credentials.")
        return Redemption(None, request.client.scope, self._keep)

    async def _keep(self, opaque: OpaqueToken | None) -> bool:
        if opaque is not None:
            await self.opaqueTokens.add(opaque)
        return True
