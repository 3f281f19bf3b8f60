"""
Access tokens that say nothing by themselves: whoever issued them kept what they mean. Owns what one
of the built-in issuer's looks like, and who is asked about which token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from time import time

from twisted.internet.defer import Deferred, fail
from zope.interface import implementer

from ..coroutines import promptly
from ..errors import ExpiredToken, InvalidToken
from ..interfaces import ITokenValidator
from ..oauth.interfaces import IOpaqueTokens
from ..oauth.jwt import MalformedToken, parseToken
from ..oauth.records import OpaqueToken
from ..oauth.tokens import LEEWAY, AccessToken

_FORM = re.compile(rb"[A-Za-z0-9_-]{43}")


@implementer(ITokenValidator)
class OpaqueTokenValidator:
    """
    Looks a token up by its digest: one look-up for one guess.
    """

    def __init__(self, opaqueTokens: IOpaqueTokens, now: Callable[[], float] = time) -> None:
        """
        @param now: the wall clock, in seconds since the epoch.
        """
        self._opaqueTokens = opaqueTokens
        self._now = now

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        if _FORM.fullmatch(token) is None:
            return fail(InvalidToken("not an opaque token, by its form"))
        return self._opaqueTokens.find(sha256(token).digest()).addCallback(self._found)

    def _found(self, opaque: OpaqueToken | None) -> AccessToken:
        if opaque is None:
            raise InvalidToken("no such token")
        if opaque.token.expires <= self._now() - LEEWAY:
            raise ExpiredToken("expired")
        return opaque.token


@implementer(ITokenValidator)
class OursFirst:
    """
    Looks for an opaque token among our own, then asks the one issuer that such tokens can be of
    besides: nothing in them says whose they are.
    """

    def __init__(self, ours: ITokenValidator, elsewhere: ITokenValidator) -> None:
        self._ours = ours
        self._elsewhere = elsewhere

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        return promptly(self._validate(token))

    async def _validate(self, token: bytes) -> AccessToken:
        try:
            return await self._ours.validate(token)
        except ExpiredToken:
            raise
        except InvalidToken:
            return await self._elsewhere.validate(token)


@implementer(ITokenValidator)
class SignedOrOpaque:
    """
    Tells by its form who knows what a token is: one that is signed has three parts, with a dot
    between them, and says who its issuer is.
    """

    def __init__(
        self,
        signed: ITokenValidator,
        opaque: ITokenValidator,
        asked: Mapping[str, ITokenValidator] | None = None,
    ) -> None:
        """
        @param signed: validates tokens by their signatures.
        @param opaque: knows those that say nothing by themselves.
        @param asked: for an issuer who is asked about its tokens, although they may be signed, who
            asks it.
        """
        self._signed = signed
        self._opaque = opaque
        self._asked = asked or {}

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        return self._whoKnows(token).validate(token)

    def _whoKnows(self, token: bytes) -> ITokenValidator:
        if token.count(b".") != 2:
            return self._opaque
        if not self._asked:
            return self._signed
        try:
            issuer = parseToken(token).claims.get("iss")
        except MalformedToken:
            return self._opaque
        return self._asked.get(issuer, self._signed) if isinstance(issuer, str) else self._signed
