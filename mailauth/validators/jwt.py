"""
Access tokens that are signed (RFC 9068 and its relatives). Owns the order in which a token is
doubted: what costs nothing first, and nothing in the token chooses an address or a key that the
configuration did not name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import time
from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ..coroutines import promptly
from ..errors import InvalidToken
from ..interfaces import ITokenValidator
from ..oauth.jwt import (
    REFUSED_HEADERS,
    MalformedToken,
    UnverifiedToken,
    parseToken,
    verifySignature,
)
from ..oauth.tokens import AccessToken
from .claims import TrustedIssuer, readClaims


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
        return readClaims(token.claims, issuer, self._now(), key.kid)

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
    type = header.get("typ", "")
    if not isinstance(type, str) or _bareType(type) not in issuer.types:
        raise InvalidToken("not an access token, by its type")
    return algorithm


def _bareType(type: str) -> str:
    return type.lower().removeprefix("application/")
