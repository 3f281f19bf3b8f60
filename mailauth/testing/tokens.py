"""
Opaque access tokens that live in memory: what a validator by introspection would say of them,
without an issuer to ask.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from time import time

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..errors import ExpiredToken, InvalidToken, Outage
from ..interfaces import ITokenValidator
from ..oauth.tokens import LEEWAY, AccessToken
from ..scopes import MAIL_SCOPE, parseScope


@implementer(ITokenValidator)
class MemoryTokens:
    """
    Makes tokens of any length, and knows which it made::

        tokens = MemoryTokens()
        portal = Portal(yourRealm, [BearerTokenChecker(tokens)])
        good = tokens.issue("alice@example.test")
        expired = tokens.issue("alice@example.test", lifetime=-60)

    @ivar reachable: set it to C{False}, and nobody can tell what a token is.
    """

    def __init__(
        self,
        issuer: str = "https://issuer.example",
        audience: str = "mail.example",
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param issuer: whose tokens they are.
        @param audience: for whom.
        @param now: the wall clock, in seconds since the epoch.
        """
        self.reachable = True
        self._issuer = issuer
        self._audience = audience
        self._now = now
        self._tokens: dict[bytes, AccessToken] = {}

    def issue(
        self, owner: str, scope: str = MAIL_SCOPE, lifetime: float = 900.0, length: int = 43
    ) -> bytes:
        """
        Make a token.

        @param owner: the login name of whom it is.
        @param lifetime: in seconds; below the negative of
            L{LEEWAY<mailauth.oauth.tokens.LEEWAY>} for a token that has expired.
        @param length: in octets.
        """
        now = self._now()
        token = secrets.token_urlsafe(length)[:length].encode("ascii")
        self._tokens[token] = AccessToken(
            issuer=self._issuer,
            subject=owner,
            owner=owner,
            scope=parseScope(scope),
            audience=frozenset({self._audience}),
            expires=now + lifetime,
            issued=min(now, now + lifetime),
            clientId="mail-client",
            tokenId=str(len(self._tokens)),
        )
        return token

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        if not self.reachable:
            return fail(Outage("the issuer is out of reach"))
        known = self._tokens.get(token)
        if known is None:
            return fail(InvalidToken("no such token"))
        if known.expires <= self._now() - LEEWAY:
            return fail(ExpiredToken("expired"))
        return succeed(known)
