"""
Access tokens that are signed (RFC 9068 and its relatives). Owns the order in which a token is
doubted: what costs nothing first, and nothing in the token chooses an address or a key that the
configuration did not name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from time import time
from typing import Any

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..coroutines import promptly
from ..errors import ExpiredToken, InvalidToken
from ..interfaces import IKeySource, ITokenValidator
from ..oauth.jwt import (
    ALGORITHMS,
    REFUSED_HEADERS,
    MalformedToken,
    UnverifiedToken,
    VerifyingKey,
    parseToken,
    verifySignature,
)
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
    @ivar keys: what it signs with.
    @ivar audience: for whom a token has to be; it must name one of these. There is no way to
        leave it out: a token for anybody is good for everybody.
    @ivar usernameClaim: the claim that holds the login name. C{email} counts only where the token
        says that it was verified.
    @ivar types: the C{typ} of its access tokens, in lower case and without C{application/}.
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


@implementer(IKeySource)
class StaticKeys:
    """
    Keys that do not change while we run.
    """

    def __init__(self, keys: Iterable[VerifyingKey]) -> None:
        """
        @param keys: as L{keysFromJWKS<mailauth.oauth.jwt.keysFromJWKS>} reads them.
        """
        self._keys = tuple(keys)
        self._named = {key.kid: key for key in self._keys if key.kid is not None}

    def find(self, kid: str | None) -> Deferred[VerifyingKey]:
        """
        See L{IKeySource.find}.
        """
        if kid is not None and kid in self._named:
            return succeed(self._named[kid])
        if len(self._keys) == 1 and (kid is None or self._keys[0].kid is None):
            return succeed(self._keys[0])
        return fail(InvalidToken("no key of that name"))


@implementer(ITokenValidator)
class JWTValidator:
    """
    Validates signed access tokens of the issuers that it is given.
    """

    def __init__(self, issuers: Iterable[TrustedIssuer], now: Callable[[], float] = time) -> None:
        """
        @param now: the wall clock, in seconds since the epoch.
        """
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._now = now

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        return promptly(self._validate(token))

    async def _validate(self, token: bytes) -> AccessToken:
        try:
            unverified = parseToken(token)
        except MalformedToken as error:
            raise InvalidToken(str(error)) from None
        issuer = self._issuerOf(unverified)
        try:
            return await self._verify(unverified, issuer)
        except InvalidToken as error:
            # Whoever is refused learns where his tokens come from.
            error.openidConfiguration = issuer.discovery
            raise

    async def _verify(self, token: UnverifiedToken, issuer: TrustedIssuer) -> AccessToken:
        algorithm = _checkHeader(token.header, issuer)
        key = await issuer.keys.find(token.header.get("kid"))
        try:
            verifySignature(token, key, algorithm)
        except MalformedToken as error:
            raise InvalidToken(str(error)) from None
        return _readClaims(token.claims, issuer, self._now(), key.kid)

    def _issuerOf(self, token: UnverifiedToken) -> TrustedIssuer:
        """
        What the token says about its issuer, nobody verified: it only chooses among those that
        the configuration names (RFC 8725 section 3.8).
        """
        name = token.claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise InvalidToken("the issuer is not one of ours")
        return issuer


def _checkHeader(header: Mapping[str, Any], issuer: TrustedIssuer) -> str:
    """
    @return: the algorithm.
    """
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
        raise InvalidToken("the algorithm is not one of the issuer's")
    if not isinstance(header.get("kid", ""), str):
        raise InvalidToken("the key id is no string")
    if not header.keys().isdisjoint(REFUSED_HEADERS):
        raise InvalidToken("a header that changes what the signature means")
    type = header.get("typ")
    if not isinstance(type, str) or _bareType(type) not in issuer.types:
        raise InvalidToken("not an access token, by its type")
    return algorithm


def _bareType(type: str) -> str:
    return type.lower().removeprefix("application/")


def _readClaims(
    claims: Mapping[str, Any], issuer: TrustedIssuer, now: float, kid: str | None
) -> AccessToken:
    """
    RFC 9068 section 4. The signature was verified, so what is wrong now is wrong on the
    issuer's side, and what has expired did so by itself.
    """
    # Keycloak gives all its tokens one header, and says here which of them it is (TK12).
    if claims.get("typ", "Bearer") != "Bearer":
        raise InvalidToken("not an access token, by its typ claim")
    expires = _time(claims, "exp")
    # One that does not say when it was issued counts as old as it can be: no revocation spares it.
    issued = _time(claims, "iat", expires - issuer.maxLifetime)
    audience = _strings(claims.get("aud"))
    if audience is None or not audience & issuer.audience:
        raise InvalidToken("the token is for somebody else")
    if max(issued, _time(claims, "nbf", issued)) > now + LEEWAY:
        raise InvalidToken("the token is not valid yet")
    if expires - issued > issuer.maxLifetime + LEEWAY:
        raise InvalidToken("the token is good for too long")
    clientId = _string(claims, "client_id") or _string(claims, "azp")
    if issuer.clients is not None and clientId not in issuer.clients:
        raise InvalidToken("the client is not one of those allowed")
    token = AccessToken(
        issuer=issuer.issuer,
        subject=_required(claims, "sub"),
        owner=_owner(claims, issuer.usernameClaim),
        scope=_scope(claims),
        audience=audience,
        expires=expires,
        issued=issued,
        clientId=clientId,
        tokenId=_string(claims, "jti"),
        grantId=_string(claims, "sid"),
        keyId=kid,
        bound="cnf" in claims,
        keyThumbprint=_thumbprint(claims["cnf"]) if "cnf" in claims else None,
        discovery=issuer.discovery,
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


def _string(claims: Mapping[str, Any], name: str) -> str | None:
    """
    These become tags and lines of a log: no control characters, and no halves of surrogate pairs,
    which no encoding can write (LG2).
    """
    value = claims.get(name)
    if value is not None and not (isinstance(value, str) and value.isprintable()):
        raise InvalidToken(f"{name} is no printable string")
    return value or None


def _thumbprint(confirmation: Any) -> str | None:
    """
    RFC 9449 section 6.1.
    """
    return _string(confirmation, "jkt") if isinstance(confirmation, dict) else None


def _required(claims: Mapping[str, Any], name: str) -> str:
    value = _string(claims, name)
    if value is None:
        raise InvalidToken(f"no {name}")
    return value


def _strings(value: Any) -> frozenset[str] | None:
    """
    A string, or a list of strings.
    """
    if isinstance(value, str):
        return frozenset({value})
    if isinstance(value, list) and all(isinstance(member, str) for member in value):
        return frozenset(value)
    return None


def _owner(claims: Mapping[str, Any], usernameClaim: str) -> str:
    if usernameClaim == "email" and claims.get("email_verified") is not True:
        raise InvalidToken("an email address that nobody verified")
    return _required(claims, usernameClaim)


def _scope(claims: Mapping[str, Any]) -> frozenset[str]:
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
            words = _strings(value)
            if words is None:
                raise InvalidToken(f"{name} is malformed")
            return words
    return frozenset()
