"""
What an external issuer says to us as one of its clients: ID tokens (OpenID Connect Core 1.0 section
3.1.3.7) and logout tokens (Back-Channel Logout 1.0 section 2.6). Owns what has to be true of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidToken
from ..oauth.jwt import MalformedToken, UnverifiedToken, algorithmOf, timeOf, verifySignature
from ..oauth.tokens import LEEWAY
from ..validators.claims import stringsOf
from .reachedissuers import ReachedIssuer


async def readStatement(
    token: UnverifiedToken, issuer: ReachedIssuer, now: float, *types: str | None
) -> Mapping[str, Any]:
    """
    What the issuer says, to us and now.

    @param types: see L{algorithmOf}.
    @param now: in seconds since the epoch.
    @raise InvalidToken: it does not.
    @raise Outage: nobody can tell.
    """
    try:
        algorithm = algorithmOf(token, *types)
        if algorithm not in issuer.settings.algorithms:
            raise InvalidToken("the algorithm is not one of the issuer's")
        kid = token.header.get("kid")
        if not isinstance(kid, str | None):
            raise InvalidToken("the key id is no string")
        if token.claims.get("iss") != issuer.settings.url:
            raise InvalidToken("the token is another issuer's")
        verifySignature(token, await issuer.trusted.keys.find(kid), algorithm)
        issued, expires = timeOf(token.claims, "iat"), timeOf(token.claims, "exp")
    except MalformedToken as error:
        raise InvalidToken(str(error)) from None
    _checkAudience(token.claims, issuer.settings.clientId)
    if issued is None or expires is None or not issued - LEEWAY <= now < expires + LEEWAY:
        raise InvalidToken("the token is not valid now")
    return token.claims


def _checkAudience(claims: Mapping[str, Any], clientId: str | None) -> None:
    audience = stringsOf(claims.get("aud")) or frozenset()
    if clientId not in audience:
        raise InvalidToken("the token is for somebody else")
    # Of several it says which one it was given to (OpenID Connect Core 1.0 section 2).
    party = claims.get("azp", clientId if len(audience) == 1 else None)
    if party != clientId:
        raise InvalidToken("the token was given to another client")
