"""
The keys of an issuer: those that a file has, and those that it publishes (RFC 7517). Owns what a
key id that nobody knows may cost.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..errors import InvalidToken, Outage
from ..interfaces import IKeySource
from ..oauth.jwt import UnusableKey, VerifyingKey, keysFromJWKS
from ..throttle import RateLimit
from ._http import Get
from .answers import answerOf, checkStatus
from .discovery import Locate
from .refreshing import Kept, Refreshing

UNKNOWN = 2
"""
How many fetches a minute are made for key ids that are in no set: one in 30 s, or two at once.
"""

MISSING = 30.0
"""
For how many seconds a set speaks for the key ids that it does not have.
"""

MAX_MISSING = 1000
"""
How many of these are remembered, and C{MAX_NAME} how long they may be.
"""

MAX_NAME = 128

_ACCEPTED = "application/jwk-set+json, application/json"


@implementer(IKeySource)
class StaticKeys:
    """
    Keys that do not change while we run.

    @ivar names: their key ids.
    """

    def __init__(self, keys: Iterable[VerifyingKey]) -> None:
        """
        @param keys: as L{keysFromJWKS<mailauth.oauth.jwt.keysFromJWKS>} reads them.
        """
        self._keys = tuple(keys)
        self._named = {key.kid: key for key in self._keys if key.kid is not None}
        self.names = frozenset(self._named)

    def named(self, kid: str | None) -> VerifyingKey | None:
        """
        The key of that name, or C{None}.

        @param kid: may be C{None}, if there is only one key.
        """
        if kid is not None and kid in self._named:
            return self._named[kid]
        if len(self._keys) == 1 and (kid is None or self._keys[0].kid is None):
            return self._keys[0]
        return None

    def find(self, kid: str | None) -> Deferred[VerifyingKey]:
        """
        See L{IKeySource.find}.
        """
        key = self.named(kid)
        return fail(_unknown()) if key is None else succeed(key)


@implementer(IKeySource)
class FetchedKeys:
    """
    The keys that an issuer publishes. A new one is found at once, one that is no longer published
    is refused as soon as we hear of it, and what we heard last is used while the issuer is down.
    """

    def __init__(self, issuer: str, locate: Locate, get: Get, seconds: Callable[[], float]) -> None:
        """
        @param issuer: whose they are, for the log.
        @param locate: says where the set is.
        @param get: fetches it.
        @param seconds: a clock that only runs forward.
        """
        self._locate = locate
        self._get = get
        self._seconds = seconds
        self._published = Refreshing(f"the key set of {issuer}", self._fetch, seconds)
        self._unknown = RateLimit(seconds, UNKNOWN)
        self._names: frozenset[str] = frozenset()
        # Key ids that the last set does not have, although it was looked for them there, or they
        # were in one before. They are compared, and nothing else (TK13).
        self._missing: OrderedDict[str, None] = OrderedDict()

    def find(self, kid: str | None) -> Deferred[VerifyingKey]:
        """
        See L{IKeySource.find}.
        """
        current = self._published.current()
        key = None if current is None else current.named(kid)
        return Deferred.fromCoroutine(self._find(kid)) if key is None else succeed(key)

    async def _find(self, kid: str | None) -> VerifyingKey:
        asked = self._seconds()
        while True:
            kept = await self._published.get()
            key = kept.value.named(kid)
            if key is not None:
                return key
            if kid is None or self._lacks(kid, kept, asked):
                raise _unknown()
            # It may be so new that the set is older. That too many ask says nothing about the key.
            await self._published.refresh(lambda: self._unknown.allows("unknown"))

    def _lacks(self, kid: str, kept: Kept[StaticKeys], asked: float) -> bool:
        """
        Whether there is no key of that name: the set was asked for after it was, or not long before
        and for its sake.
        """
        if kept.began >= asked:
            self._remember(kid)
            return True
        return kid in self._missing and self._seconds() < kept.began + MISSING

    def _remember(self, kid: str) -> None:
        if len(kid) <= MAX_NAME:
            self._missing[kid] = None
            self._missing.move_to_end(kid)
            if len(self._missing) > MAX_MISSING:
                self._missing.popitem(last=False)

    async def _fetch(self) -> tuple[StaticKeys, float | None]:
        address = await self._locate()
        fetched = await answerOf(self._get(address, {"Accept": _ACCEPTED}))
        checkStatus(fetched)
        try:
            keys = StaticKeys(keysFromJWKS(fetched.content))
        except UnusableKey as error:
            raise Outage(str(error)) from None
        for kid in self._names - keys.names:
            self._remember(kid)
        self._names = keys.names
        return keys, fetched.maxAge()


def _unknown() -> InvalidToken:
    return InvalidToken("no key of that name")
