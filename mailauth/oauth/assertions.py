"""
Clients that prove who they are with a private key: C{private_key_jwt} (RFC 7523 section 2.2 as
updated by RFC 7523bis, OpenID Connect Core 1.0 section 9). Owns what such an assertion has to say;
that none is used twice, whoever asks has to see to (L{mailauth.oauth.interfaces.ISpent}).
"""

from __future__ import annotations

from typing import Any

import attrs

from .jwt import (
    MalformedToken,
    UnusableKey,
    UnverifiedToken,
    VerifyingKey,
    algorithmOf,
    keysFromJWKS,
    parseToken,
    timeOf,
    verifySignature,
)
from .records import Client
from .responses import invalidClient
from .tokens import LEEWAY

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""
What C{client_assertion_type} has to say.
"""

MAX_LIFETIME = 300.0

LIFETIME = 60
"""
For how many seconds one of ours is good.
"""

MAX_JTI = 200

# The first is RFC 7523bis section 4's, the others are what clients of RFC 7523 write. An assertion
# for anything else, and every token of ours, has a type of its own.
_TYPES = ("client-authentication+jwt", "JWT", None)

SENT_TYPE = "JWT"
"""
The type of one of ours: there are servers that know no other.
"""


@attrs.frozen
class Assertion:
    """
    That a client proved who it is.

    @ivar jti: the id of the assertion, which is its client's alone.
    @ivar expires: from when on it would be refused anyway.
    """

    jti: str
    expires: float


def claimedClient(assertion: str) -> str:
    """
    Which client an assertion says it is from. Nobody verified that.

    @return: a client id.
    @raise OAuthError: it does not say.
    """
    subject = _parse(assertion).claims.get("sub")
    if not isinstance(subject, str):
        raise invalidClient("the assertion has no sub")
    return subject


def verifyAssertion(assertion: str, client: Client, issuer: str, now: float) -> Assertion:
    """
    Verify an assertion.

    @param client: the one that L{claimedClient} named.
    @param issuer: this authorization server.
    @param now: in seconds since the epoch.
    @raise OAuthError: it does not prove that it is this client.
    """
    token = _parse(assertion)
    claims = token.claims
    try:
        algorithm = algorithmOf(token, *_TYPES)
        verifySignature(token, _findKey(token, algorithm, client), algorithm)
        expires = timeOf(claims, "exp")
        earliest = max(timeOf(claims, "nbf") or 0, timeOf(claims, "iat") or 0)
    except (MalformedToken, UnusableKey) as error:
        raise invalidClient(f"the assertion: {error}") from None
    if claims.get("iss") != client.clientId or claims.get("sub") != client.clientId:
        raise invalidClient("the assertion is not the client's own")
    # No list, not even of one: whoever else is in it could use it here (RFC 7523bis section 3).
    if claims.get("aud") != issuer:
        raise invalidClient("the assertion is not for this issuer alone")
    if expires is None or expires <= now - LEEWAY or earliest > now + LEEWAY:
        raise invalidClient("the assertion is not valid now")
    if expires > now + MAX_LIFETIME + LEEWAY:
        raise invalidClient("the assertion is good for too long")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti.isprintable() or not 1 <= len(jti) <= MAX_JTI:
        raise invalidClient("the assertion has no jti")
    return Assertion(jti, expires + LEEWAY)


def assertionClaims(clientId: str, audience: str, jti: str, now: float) -> dict[str, Any]:
    """
    What an assertion of ours says.

    @param clientId: who we are.
    @param audience: the issuer that it is for, alone.
    @param jti: a new id.
    @param now: in seconds since the epoch.
    """
    issued = int(now)
    return {
        "iss": clientId,
        "sub": clientId,
        "aud": audience,
        "iat": issued,
        "exp": issued + LIFETIME,
        "jti": jti,
    }


def _parse(assertion: str) -> UnverifiedToken:
    try:
        return parseToken(assertion.encode("ascii", "replace"))
    except MalformedToken as error:
        raise invalidClient(f"the assertion: {error}") from None


def _findKey(token: UnverifiedToken, algorithm: str, client: Client) -> VerifyingKey:
    kid = token.header.get("kid")
    keys = [
        key
        for key in keysFromJWKS((client.jwks or "").encode("utf-8"))
        if kid in (None, key.kid) and algorithm in key.algorithms
    ]
    if len(keys) != 1:
        raise UnusableKey("it names none of the client's keys")
    return keys[0]
