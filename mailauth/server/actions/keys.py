"""
The keys that the built-in issuer signs with.
"""

from __future__ import annotations

import attrs

from ...credentials import keyTag
from ...interfaces import IRevocations, ISigningKeys
from ...stores.events import Actor, Kind
from ...stores.records import SigningKey
from ..keys import MAX_TOKEN_LIFETIME, PUBLISHED_FIRST, newSigningKey, rotate, signingKey
from ..sealing import Sealer
from .recording import Recorder

ALGORITHMS = ("ES256", "RS256", "EdDSA")
"""
Those of which keys are made, the usual one first.
"""

REVOKED = "The key of this token was revoked"


@attrs.frozen
class KeyState:
    """
    A key and what it does.

    @ivar signs: it is the one that signs now.
    @ivar signsFrom: from when on it can, in seconds since the epoch.
    """

    key: SigningKey
    signs: bool
    signsFrom: float


@attrs.frozen(eq=False)
class KeyActions:
    """
    What can be done with signing keys.

    @ivar sealer: of L{PURPOSE<mailauth.server.keys.PURPOSE>}.
    @ivar issuer: whose they are, as their tags name it.
    """

    store: ISigningKeys
    revocations: IRevocations
    sealer: Sealer
    issuer: str
    recorder: Recorder

    async def list(self) -> tuple[KeyState, ...]:
        """
        All of them, newest first, retired ones too.
        """
        keys = await self.store.list()
        signs = signingKey(keys, self.recorder.now())
        return tuple(KeyState(key, key == signs, key.created + PUBLISHED_FIRST) for key in keys)

    async def rotate(
        self, actor: Actor, algorithm: str = ALGORITHMS[0], atOnce: bool = False
    ) -> KeyState:
        """
        Publish a new key, which takes over in an hour. Tokens of the old ones stay good until they
        expire.

        @param algorithm: one of L{ALGORITHMS}.
        @param atOnce: sign with it now, and not when everybody can have seen it.
        @return: the new one.
        """
        new = newSigningKey(self.sealer, self.recorder.now(), algorithm)
        await rotate(self.store, new, atOnce)
        await self.recorder.record(Kind.KEY_ROTATED, actor, text=new.kid)
        return next(state for state in await self.list() if state.key.kid == new.kid)

    async def revoke(
        self, actor: Actor, kid: str, algorithm: str = ALGORITHMS[0]
    ) -> SigningKey | None:
        """
        Refuse every token that a key signed, for it is in wrong hands.

        @param algorithm: of the key that takes its place, if it was the one that signs.
        @return: that key.
        @raise NotFound: there is no such key.
        """
        now = self.recorder.now()
        new = None
        await self.store.retire(kid, now - MAX_TOKEN_LIFETIME)
        if signingKey(await self.store.list(), now) is None:
            new = newSigningKey(self.sealer, now, algorithm)
            await self.store.add(new)
        # Whatever was accepted because of the key is in the caches of the service.
        await self.revocations.revoke([keyTag(self.issuer, kid)], REVOKED)
        await self.recorder.record(Kind.KEY_REVOKED, actor, text=kid)
        return new
