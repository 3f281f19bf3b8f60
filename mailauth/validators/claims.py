"""
What the claims of an access token have to be, wherever they were read: in a token that is signed,
or in what its issuer says of it (RFC 7519, 7662, 9068). Owns who is believed, and how much.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import attrs

from ..errors import ExpiredToken, InvalidToken
from ..interfaces import IKeySource
from ..oauth.jwt import ALGORITHMS
from ..oauth.tokens import LEEWAY, AccessToken
from ..scopes import parseScope

MAX_LIFETIME = 31 * 24 * 3600.0
"""
For how many seconds a token may be good at all. Revocations are kept for longer
(L{mailauth.stores.revocations.KEEP}), so that a dead token stays dead (TK17).
"""


@attrs.frozen
class TrustedIssuer:
    """
    An authorization server whose tokens are believed, and how they are to be read.

    @ivar issuer: its C{iss}, octet for octet (RFC 8414 section 2).
    @ivar keys: what it signs with; L{StaticKeys<mailauth.validators.keys.StaticKeys>} without any,
        if nothing that it signs is read.
    @ivar audience: for whom a token has to be; it must name one of these. There is no way to
        leave it out: a token for anybody is good for everybody.
    @ivar external: it is somebody else's, so that its subjects are linked with accounts here.
    @ivar defaultScope: what its tokens are good for that do not say.
    @ivar subjectClaim: the claim that says who somebody is to it, and never changes.
    @ivar usernameClaim: the claim that holds the login name. C{email} counts only where the token
        says that it was verified.
    @ivar types: the C{typ} of its access tokens, in lower case and without C{application/}; the
        empty string for those without one.
    @ivar algorithms: what it may sign with, out of L{ALGORITHMS}.
    @ivar clients: the OAuth clients that may have got the token, or C{None} for any.
    @ivar maxLifetime: for how many seconds a token of it may be good, L{MAX_LIFETIME} at most.
    @ivar discovery: the address of its discovery document, for a client whose token is refused;
        C{None} for the mechanism's own.
    """

    issuer: str
    keys: IKeySource
    audience: frozenset[str] = attrs.field()
    usernameClaim: str = "sub"
    types: frozenset[str] = frozenset({"at+jwt"})
    algorithms: frozenset[str] = attrs.field(default=ALGORITHMS)
    clients: frozenset[str] | None = None
    maxLifetime: float = attrs.field(default=MAX_LIFETIME)
    discovery: str | None = None
    external: bool = False
    subjectClaim: str = "sub"
    defaultScope: frozenset[str] = frozenset()

    @audience.validator
    def _needsAudience(self, attribute: object, audience: frozenset[str]) -> None:
        if not audience:
            raise ValueError("an issuer without an audience would let every token of it in")

    @algorithms.validator
    def _needsPublicKeys(self, attribute: object, algorithms: frozenset[str]) -> None:
        if not algorithms <= ALGORITHMS:
            raise ValueError("an issuer with an algorithm that needs no private key")

    @maxLifetime.validator
    def _needsAnEnd(self, attribute: object, maxLifetime: float) -> None:
        if not maxLifetime <= MAX_LIFETIME:
            raise ValueError("an issuer whose tokens outlive their revocations")


def readClaims(
    claims: Mapping[str, Any], issuer: TrustedIssuer, now: float, kid: str | None
) -> AccessToken:
    """
    What a token is, by its claims (RFC 9068 section 4). They are the issuer's own: what is wrong
    with them is wrong on its side, and what has expired did so by itself.

    @param now: in seconds since the epoch.
    @param kid: the name of the key that signed it, or C{None}.
    @raise InvalidToken: it is not one that we accept.
    """
    # Keycloak gives all its tokens one header, and says here which of them it is (TK12).
    if claims.get("typ", "Bearer") != "Bearer":
        raise InvalidToken("not an access token, by its typ claim")
    expires = _time(claims, "exp")
    # One that does not say when it was issued counts as old as it can be: no revocation spares it.
    issued = _time(claims, "iat", expires - issuer.maxLifetime)
    audience = stringsOf(claims.get("aud"))
    if audience is None or not audience & issuer.audience:
        raise InvalidToken("the token is for somebody else")
    if max(issued, _time(claims, "nbf", issued)) > now + LEEWAY:
        raise InvalidToken("the token is not valid yet")
    if expires - issued > issuer.maxLifetime + LEEWAY:
        raise InvalidToken("the token is good for too long")
    clientId = optionalString(claims, "client_id") or optionalString(claims, "azp")
    if issuer.clients is not None and clientId not in issuer.clients:
        raise InvalidToken("the client is not one of those allowed")
    token = AccessToken(
        issuer=issuer.issuer,
        subject=requiredString(claims, issuer.subjectClaim),
        owner=ownerOf(claims, issuer.usernameClaim),
        scope=_scope(claims, issuer.defaultScope),
        audience=audience,
        expires=expires,
        issued=issued,
        clientId=clientId,
        tokenId=optionalString(claims, "jti"),
        grantId=optionalString(claims, "sid"),
        keyId=kid,
        bound="cnf" in claims,
        keyThumbprint=_thumbprint(claims["cnf"]) if "cnf" in claims else None,
        discovery=issuer.discovery,
        external=issuer.external,
    )
    if expires <= now - LEEWAY:
        raise ExpiredToken("expired")
    return token


def _time(claims: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """
    A NumericDate (RFC 7519 section 2).
    """
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidToken(f"{name} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        raise InvalidToken(f"{name} is no time")
    return number


def optionalString(claims: Mapping[str, Any], name: str) -> str | None:
    """
    A claim that is text, C{None} if it is missing or empty. These become tags and lines of a log:
    no control characters, and no halves of surrogate pairs, which no encoding can write (LG2).

    @raise InvalidToken: it is something else.
    """
    value = claims.get(name)
    if value is not None and not (isinstance(value, str) and value.isprintable()):
        raise InvalidToken(f"{name} is no printable string")
    return value or None


def _thumbprint(confirmation: Any) -> str | None:
    """
    RFC 9449 section 6.1.
    """
    return optionalString(confirmation, "jkt") if isinstance(confirmation, dict) else None


def requiredString(claims: Mapping[str, Any], name: str) -> str:
    """
    See L{optionalString}.

    @raise InvalidToken: it is missing, too.
    """
    value = optionalString(claims, name)
    if value is None:
        raise InvalidToken(f"no {name}")
    return value


def stringsOf(value: Any) -> frozenset[str] | None:
    """
    A string, or a list of strings, as C{aud} may be either (RFC 7519 section 4.1.3); C{None} for
    what is neither.
    """
    if isinstance(value, str):
        return frozenset({value})
    if isinstance(value, list) and all(isinstance(member, str) for member in value):
        return frozenset(value)
    return None


def ownerOf(claims: Mapping[str, Any], usernameClaim: str) -> str:
    """
    What the issuer calls whoever it speaks of.

    @param usernameClaim: see L{TrustedIssuer}.
    @raise InvalidToken: it does not say, or says what nobody verified.
    """
    if usernameClaim == "email" and claims.get("email_verified") is not True:
        raise InvalidToken("an email address that nobody verified")
    return requiredString(claims, usernameClaim)


def _scope(claims: Mapping[str, Any], default: frozenset[str]) -> frozenset[str]:
    """
    RFC 9068 section 2.2.3, and where others put it.
    """
    for name in ("scope", "scp", "roles"):
        if name in claims:
            value = claims[name]
            if isinstance(value, str):
                try:
                    return parseScope(value)
                except ValueError:
                    raise InvalidToken(f"{name} is malformed") from None
            words = stringsOf(value)
            if words is None:
                raise InvalidToken(f"{name} is malformed")
            return words
    return default
