"""
ID tokens that come back as hints (OpenID Connect Core 1.0 section 3.1.2.1, RP-Initiated Logout 1.0
section 2). Owns that it is a key of ours which is asked.
"""

from __future__ import annotations

import attrs

from ..errors import InvalidToken
from ..interfaces import IKeySource
from ..oauth.idtokens import IDTokenHint, readHint, refusedHint
from ..oauth.jwt import MalformedToken, parseToken


@attrs.frozen(eq=False)
class IDTokenHints:
    """
    Reads hints.

    @ivar issuer: the one C{iss}.
    @ivar keys: its keys.
    """

    issuer: str
    keys: IKeySource

    async def read(self, hint: str) -> IDTokenHint:
        """
        A hint opens nothing, so it may have expired.

        @raise OAuthError: it is no ID token of ours.
        @raise Outage: nobody can tell.
        """
        try:
            token = parseToken(hint.encode("utf-8"))
            kid = token.header.get("kid")
            key = await self.keys.find(kid if isinstance(kid, str) else None)
        except (MalformedToken, InvalidToken) as error:
            raise refusedHint(str(error)) from None
        return readHint(token, key, self.issuer)
