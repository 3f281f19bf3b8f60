"""
ID tokens that come back as hints (OpenID Connect Core 1.0 section 3.1.2.1, RP-Initiated Logout 1.0
section 2). Owns which of them we gave somebody.
"""

from __future__ import annotations

import attrs

from ..errors import InvalidToken
from ..interfaces import IKeySource
from ..oauth.jwt import MalformedToken, parseToken, verifySignature
from ..oauth.responses import OAuthError


@attrs.frozen
class IDTokenHint:
    """
    What an ID token of ours says.

    @ivar subject: whose it is.
    @ivar clientId: to whom it was given.
    """

    subject: str
    clientId: str


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
            header, claims = token.header, token.claims
            # An access token or a logout token is no hint (RFC 8725 section 3.11).
            if str(header.get("typ", "JWT")).upper() != "JWT":
                raise MalformedToken("not an ID token")
            kid = header.get("kid")
            key = await self.keys.find(kid if isinstance(kid, str) else None)
            verifySignature(token, key, str(header.get("alg")))
        except (MalformedToken, InvalidToken) as error:
            raise _refused(str(error)) from None
        subject, audience = claims.get("sub"), claims.get("aud")
        if claims.get("iss") != self.issuer:
            raise _refused("of another issuer")
        if not isinstance(subject, str) or not isinstance(audience, str):
            raise _refused("without sub and aud")
        return IDTokenHint(subject, audience)


def _refused(reason: str) -> OAuthError:
    return OAuthError(
        "invalid_request", "The id_token_hint is not an ID token of this issuer.", reason
    )
