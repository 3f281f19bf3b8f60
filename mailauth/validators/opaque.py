"""
Access tokens that say nothing by themselves: whoever issued them kept what they mean. Owns what one
of the built-in issuer's looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from time import time

from twisted.internet.defer import Deferred, fail
from zope.interface import implementer

from ..errors import ExpiredToken, InvalidToken
from ..interfaces import ITokenValidator
from ..oauth.interfaces import IOpaqueTokens
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
class SignedOrOpaque:
    """
    Tells by its form who knows what a token is: one that is signed has dots, and an opaque one has
    none.
    """

    def __init__(self, signed: ITokenValidator, opaque: ITokenValidator) -> None:
        self._signed = signed
        self._opaque = opaque

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        return (self._signed if b"." in token else self._opaque).validate(token)
