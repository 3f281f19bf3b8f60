"""
ID tokens (OpenID Connect Core 1.0 section 2). Owns what is written into them, and what one that
comes back as a hint is good for.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256, sha384, sha512
from typing import Any

import attrs

from .jwt import MalformedToken, UnverifiedToken, VerifyingKey, algorithmOf, verifySignature
from .records import Grant
from .responses import OAuthError

LIFETIME = 3600
"""
For how many seconds a client may take it for news.
"""

TYPE = "JWT"


def idTokenClaims(
    issuer: str, grant: Grant, nonce: str | None, accessToken: bytes, algorithm: str, now: float
) -> dict[str, Any]:
    """
    The claims of the ID token that comes with an access token.

    @param nonce: of the authorization request.
    @param algorithm: what it will be signed with.
    @param now: in seconds since the epoch.
    """
    authentication = grant.authentication
    issued = int(now)
    claims = {
        "iss": issuer,
        "sub": grant.account,
        "aud": grant.clientId,
        "azp": grant.clientId,
        "exp": issued + LIFETIME,
        "iat": issued,
        "auth_time": int(authentication.authTime),
        "nonce": nonce,
        "amr": sorted(authentication.methods),
        "at_hash": _halfHash(accessToken, algorithm),
        # Back-channel logout names it, too.
        "sid": authentication.browserSession,
    }
    return {name: value for name, value in claims.items() if value}


def _halfHash(accessToken: bytes, algorithm: str) -> str:
    """
    OpenID Connect Core 1.0 section 3.1.3.6: with the hash of the signature. That of Ed25519 is
    SHA-512 (RFC 8032 section 5.1).
    """
    digest = _HASHES.get(algorithm[-3:], sha512)(accessToken).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


_HASHES = {"256": sha256, "384": sha384}


@attrs.frozen
class IDTokenHint:
    """
    What an ID token of ours says when it comes back.

    @ivar subject: whose it is.
    @ivar clientId: to whom it was given.
    @ivar browserSession: the id of the browser session in which it was asked for, or C{None}.
    """

    subject: str
    clientId: str
    browserSession: str | None


def readHint(token: UnverifiedToken, key: VerifyingKey, issuer: str) -> IDTokenHint:
    """
    Read a hint. It opens nothing, so it may have expired (OpenID Connect Core 1.0 section 3.1.2.1,
    RP-Initiated Logout 1.0 section 2).

    @param token: as it came.
    @param key: the one of ours that it names.
    @raise OAuthError: it is no ID token of ours.
    """
    claims = token.claims
    try:
        # Neither an access token nor a logout token is a hint (RFC 8725 section 3.11).
        verifySignature(token, key, algorithmOf(token, TYPE))
    except MalformedToken as error:
        raise refusedHint(str(error)) from None
    if claims.get("iss") != issuer:
        raise refusedHint("of another issuer")
    subject, clientId, session = (claims.get(name) for name in ("sub", "aud", "sid"))
    if (
        not isinstance(subject, str)
        or not isinstance(clientId, str)
        or not isinstance(session, str | None)
    ):
        raise refusedHint("not written by us")
    return IDTokenHint(subject, clientId, session)


def refusedHint(reason: str) -> OAuthError:
    """
    The answer to whatever is no hint.
    """
    return OAuthError(
        "invalid_request", "The id_token_hint is not an ID token of this issuer.", reason
    )
