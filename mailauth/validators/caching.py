"""
A validator that remembers what another one said. Owns who is being asked right now.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from time import time

import attrs
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import InvalidToken
from ..interfaces import ITokenCache, ITokenValidator
from ..oauth.tokens import AccessToken

POSITIVE = 240.0
"""
For how many seconds a good token is remembered, if it is good for so long. Together with how long
L{Remembered<mailauth.checkers.Remembered>} knows whom it let in, no issuer is believed for more
than 300 after it was asked.
"""

NEGATIVE = 30.0
"""
For how many seconds a bad one is.
"""


@attrs.frozen
class _Invalid:
    """
    A token that was refused, and how.
    """

    kind: type[InvalidToken]
    reason: str
    openidConfiguration: str | None

    @classmethod
    def of(cls, error: InvalidToken) -> _Invalid:
        """
        What is to be remembered.
        """
        return cls(type(error), error.reason, error.openidConfiguration)

    def again(self) -> InvalidToken:
        """
        The same refusal.
        """
        return self.kind(self.reason, openidConfiguration=self.openidConfiguration)


@implementer(ITokenValidator)
class CachingValidator:
    """
    Asks the other validator once for each token, also when many ask at the same time, and
    remembers the answer. An outage is no answer.
    """

    def __init__(
        self,
        validator: ITokenValidator,
        cache: ITokenCache,
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param now: the wall clock, in seconds since the epoch.
        """
        self._validator = validator
        self._cache = cache
        self._now = now
        self._asking: dict[bytes, list[Deferred[AccessToken]]] = {}

    def validate(self, token: bytes) -> Deferred[AccessToken]:
        """
        See L{ITokenValidator.validate}.
        """
        digest = sha256(token).digest()
        known = self._cache.get(digest)
        if isinstance(known, AccessToken):
            return succeed(known)
        if isinstance(known, _Invalid):
            return fail(known.again())
        waiter: Deferred[AccessToken] = Deferred()
        if digest in self._asking:
            self._asking[digest].append(waiter)
            return waiter
        asked = maybeDeferred(self._validator.validate, token)
        if asked.called and not asked.paused:
            self._remember(digest, asked.result)  # type: ignore[arg-type]  # the answer
            return asked
        self._asking[digest] = [waiter]
        asked.addBoth(self._answered, digest, self._cache.generation)
        return waiter

    def _answered(self, answer: AccessToken | Failure, digest: bytes, generation: int) -> None:
        """
        Whoever gave up waiting has cancelled his own Deferred, and does not hear it.
        """
        if generation == self._cache.generation:
            self._remember(digest, answer)
        for waiter in self._asking.pop(digest):
            if isinstance(answer, Failure):
                waiter.errback(answer)
            else:
                waiter.callback(answer)

    def _remember(self, digest: bytes, answer: AccessToken | Failure) -> None:
        now = self._now()
        if isinstance(answer, AccessToken):
            expires = min(answer.expires, now + POSITIVE)
            if expires > now:
                self._cache.put(digest, answer, answer.tags, expires)
        elif isinstance(answer.value, InvalidToken):
            self._cache.put(digest, _Invalid.of(answer.value), (), now + NEGATIVE)
