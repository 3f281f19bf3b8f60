"""
Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.4). Owns what is written into them.
"""

from __future__ import annotations

from typing import Any

from .records import Authentication

LIFETIME = 120
"""
For how many seconds a client may take it for news.
"""

TYPE = "logout+jwt"

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logoutTokenClaims(
    issuer: str, clientId: str, authentication: Authentication, jti: str, now: float
) -> dict[str, Any]:
    """
    The claims of the token that tells a client that a browser session ended.

    There is no nonce, so that nobody takes it for an ID token.

    @param authentication: of the browser session.
    @param jti: a new id.
    @param now: in seconds since the epoch.
    """
    issued = int(now)
    claims = {
        "iss": issuer,
        "sub": authentication.account,
        "aud": clientId,
        "iat": issued,
        "exp": issued + LIFETIME,
        "jti": jti,
        "events": {EVENT: {}},
        "sid": authentication.browserSession,
    }
    return {name: value for name, value in claims.items() if value is not None}
