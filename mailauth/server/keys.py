"""
The keys of the built-in authorization server, as they are in the store. Owns which of them signs
and which still verify.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from ..errors import InvalidToken, Outage
from ..interfaces import IKeySource, IRevocations, ISigningKeys
from ..oauth.jwt import Signer, VerifyingKey, makePrivateKey
from ..stores.records import SIGNING_KEYS_TAG, SigningKey

MAX_TOKEN_LIFETIME = 86400.0
"""
For how many seconds a retired key still verifies: as long as the last token that it signed lives.
"""

UNKNOWN_INTERVAL = 1.0
"""
How many seconds lie between two looks into the store for a key that nobody knows.
"""


def newSigningKey(now: float, algorithm: str = "ES256") -> SigningKey:
    """
    Make a key whose name says when it was made.

    @param now: in seconds since the epoch.
    @raise UnusableKey: no key is made for that algorithm.
    """
    return SigningKey(
        f"{algorithm.lower()}-{int(now * 1000):x}", algorithm, makePrivateKey(algorithm), now
    )


@implementer(IKeySource)
class StoredKeys:
    """
    Reads the store again when another process changed it. A key that nobody knows is looked for
    there too, but at most once in L{UNKNOWN_INTERVAL}, however many are made up.
    """

    def __init__(
        self,
        store: ISigningKeys,
        revocations: IRevocations,
        seconds: Callable[[], float],
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param revocations: which tells that the store changed.
        @param seconds: a clock that only runs forward.
        @param now: the wall clock, in seconds since the epoch.
        """
        revocations.subscribe(self._changed)
        self._store = store
        self._seconds = seconds
        self._now = now
        self._keys: dict[str, tuple[SigningKey, Signer]] = {}
        self._read: float | None = None

    def find(self, kid: str | None) -> Deferred[VerifyingKey]:
        """
        See L{IKeySource.find}.
        """
        known = self._keys.get(kid or "")
        if self._read is not None and known is not None and self._verifies(known[0]):
            return succeed(known[1].verifyingKey)
        return Deferred.fromCoroutine(self._find(kid))

    async def _find(self, kid: str | None) -> VerifyingKey:
        if self._read is None or self._seconds() - self._read >= UNKNOWN_INTERVAL:
            await self.load()
        known = self._keys.get(kid or "")
        if known is None or not self._verifies(known[0]):
            raise InvalidToken("no key of that name")
        return known[1].verifyingKey

    async def load(self) -> None:
        """
        Read the store.

        @raise Outage: it cannot be read; the keys that are known stay.
        """
        keys = await self._store.list()
        self._keys = {
            key.kid: (key, Signer.fromPEM(key.kid, key.algorithm, key.privatePEM)) for key in keys
        }
        self._read = self._seconds()

    async def signer(self) -> Signer:
        """
        The key that signs now, always from the store: another process may have retired it.

        @raise Outage: there is none, or the store cannot be read.
        """
        await self.load()
        signing = [(key.created, signer) for key, signer in self._keys.values() if not key.retired]
        if not signing:
            raise Outage("there is no key to sign with: make one with 'mailauth key rotate'")
        return max(signing, key=lambda pair: pair[0])[1]

    def verifyingKeys(self) -> tuple[VerifyingKey, ...]:
        """
        What the key set publishes, newest first.
        """
        return tuple(
            signer.verifyingKey for key, signer in self._keys.values() if self._verifies(key)
        )

    def _changed(self, tags: frozenset[str], reason: str | None) -> None:
        if SIGNING_KEYS_TAG in tags:
            self._read = None
            # The key set has to have a new key before anybody sees a token of it.
            Deferred.fromCoroutine(self.load()).addErrback(lambda failure: failure.trap(Outage))

    def _verifies(self, key: SigningKey) -> bool:
        return key.retired is None or self._now() < key.retired + MAX_TOKEN_LIFETIME
