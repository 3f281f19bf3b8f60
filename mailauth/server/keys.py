"""
The keys of the built-in authorization server, as they are in the store. Owns the life of a key: it
is published, signs once everybody can have seen it, retires, and verifies until the last token
that it signed has expired.

None of these steps needs anybody to be there at the time: they follow from when the key was made
and when it retires.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from time import time

import attrs
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from ..errors import InvalidToken, Outage
from ..interfaces import IKeySource, IRevocations, ISigningKeys
from ..oauth.jwt import Signer, VerifyingKey, makePrivateKey
from ..stores.records import SIGNING_KEYS_TAG, CannotOpen, SigningKey
from .sealing import CannotUnseal, Sealer

MAX_TOKEN_LIFETIME = 86400.0
"""
For how many seconds a retired key still verifies: as long as the last token that it signed lives.
"""

PUBLISHED_FIRST = 3600.0
"""
For how many seconds a new key is published before it signs, so that whoever keeps a copy of the key
set has it by then.
"""

UNKNOWN_INTERVAL = 1.0
"""
How many seconds lie between two looks into the store for a key that nobody knows.
"""

PURPOSE = "signing-keys"
"""
What the key file's key for private keys is for: see L{ServerSecret.sealer}.
"""

_PEM = b"-----BEGIN "


def newSigningKey(sealer: Sealer, now: float, algorithm: str = "ES256") -> SigningKey:
    """
    Make a key whose name says when it was made.

    @param now: in seconds since the epoch.
    @raise UnusableKey: no key is made for that algorithm.
    """
    kid = f"{algorithm.lower()}-{int(now * 1000):x}"
    return SigningKey(kid, algorithm, sealed(sealer, kid, makePrivateKey(algorithm)), now)


def sealed(sealer: Sealer, kid: str, pem: bytes) -> bytes:
    """
    A private key as the store has it: sealed for this name, so that none is taken for another.
    """
    return sealer.seal(pem, kid.encode("utf-8"))


def signingKey(keys: Iterable[SigningKey], now: float) -> SigningKey | None:
    """
    Which of the keys signs now: the newest that was published for long enough. If none was, it is
    the oldest: nobody gains by waiting for the first key.
    """
    signing = [key for key in keys if key.retired is None or now < key.retired]
    published = [key for key in signing if key.created + PUBLISHED_FIRST <= now]
    if published:
        return max(published, key=lambda key: key.created)
    return min(signing, key=lambda key: key.created, default=None)


async def sealPlainKeys(store: ISigningKeys, sealer: Sealer) -> None:
    """
    Seal what a version of mailauth without a key file left in the store.
    """
    for key in await store.list():
        if key.sealed.startswith(_PEM):
            await store.reseal(key.kid, sealed(sealer, key.kid, key.sealed))


async def rotate(store: ISigningKeys, new: SigningKey, atOnce: bool) -> None:
    """
    Add a key, and retire all others when it signs.

    @param atOnce: it signs now. Whoever keeps a copy of the key set refuses its tokens until he
        looks again.
    """
    old = [key for key in await store.list() if key.retired is None or new.created < key.retired]
    await store.add(new)
    for key in old:
        await store.retire(key.kid, new.created + (0.0 if atOnce else PUBLISHED_FIRST))


@attrs.frozen
class _Unsealed:
    """
    A key as it is used.
    """

    record: SigningKey
    signer: Signer
    verifyingKey: VerifyingKey

    @property
    def verifiesUntil(self) -> float:
        """
        When the last token that it signed has expired.
        """
        retired = self.record.retired
        return inf if retired is None else retired + MAX_TOKEN_LIFETIME


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
        sealer: Sealer,
        seconds: Callable[[], float],
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param revocations: which tells that the store changed.
        @param sealer: of L{PURPOSE}.
        @param seconds: a clock that only runs forward.
        @param now: the wall clock, in seconds since the epoch.
        """
        revocations.subscribe(self._changed)
        self._store = store
        self._revocations = revocations
        self._sealer = sealer
        self._seconds = seconds
        self._now = now
        self._keys: dict[str, _Unsealed] = {}
        self._published: tuple[VerifyingKey, ...] = ()
        self._publishedUntil = inf
        self._read: float | None = None
        self._changes = 0

    def find(self, kid: str | None) -> Deferred[VerifyingKey]:
        """
        See L{IKeySource.find}.
        """
        known = self._keys.get(kid or "")
        if self._read is not None and known is not None and self._now() < known.verifiesUntil:
            return succeed(known.verifyingKey)
        return Deferred.fromCoroutine(self._find(kid))

    async def _find(self, kid: str | None) -> VerifyingKey:
        if self._read is None or self._seconds() - self._read >= UNKNOWN_INTERVAL:
            await self.load()
        known = self._keys.get(kid or "")
        if known is None or self._now() >= known.verifiesUntil:
            raise InvalidToken("no key of that name")
        return known.verifyingKey

    async def load(self) -> None:
        """
        Read the store.

        @raise Outage: it cannot be read; the keys that are known stay.
        @raise CannotOpen: the key file is not the one that they were sealed with.
        """
        began = self._changes
        self._keys = {key.kid: self._unsealed(key) for key in await self._store.list()}
        self._publish()
        if began == self._changes:
            self._read = self._seconds()

    async def signer(self) -> Signer:
        """
        The key that signs now.

        @raise Outage: there is none, or the store cannot be read.
        """
        self._revocations.catchUp()
        if self._read is None:
            await self.load()
        signing = signingKey((key.record for key in self._keys.values()), self._now())
        if signing is None:
            raise Outage("there is no key to sign with: make one with 'mailauth key rotate'")
        return self._keys[signing.kid].signer

    def verifyingKeys(self) -> tuple[VerifyingKey, ...]:
        """
        What the key set publishes, newest first: the same tuple while it is the same.
        """
        if self._now() >= self._publishedUntil:
            self._publish()
        return self._published

    def _publish(self) -> None:
        now = self._now()
        published = [key for key in self._keys.values() if now < key.verifiesUntil]
        self._published = tuple(key.verifyingKey for key in published)
        self._publishedUntil = min((key.verifiesUntil for key in published), default=inf)

    def _unsealed(self, key: SigningKey) -> _Unsealed:
        pem = key.sealed
        if not pem.startswith(_PEM):
            try:
                pem = self._sealer.unseal(pem, key.kid.encode("utf-8"))
            except CannotUnseal:
                raise CannotOpen(
                    f"the signing key {key.kid} was sealed with another key file: restore that"
                    " file, or revoke the key with 'mailauth key revoke'"
                ) from None
        signer = Signer.fromPEM(key.kid, key.algorithm, pem)
        return _Unsealed(key, signer, signer.verifyingKey)

    def _changed(self, tags: frozenset[str], reason: str | None) -> None:
        if SIGNING_KEYS_TAG in tags:
            self._read = None
            self._changes += 1
            # The key set has to have a new key before anybody sees a token of it.
            loading = Deferred.fromCoroutine(self.load())
            loading.addErrback(lambda failure: failure.trap(Outage, CannotOpen))
