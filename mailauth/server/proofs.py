"""
Proofs of possession as they come in (RFC 9449). Owns that none counts twice, and the nonces.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

import attrs

from ..oauth.dpop import makeNonce, verifyNonce, verifyProof
from ..oauth.interfaces import ISpent
from ..oauth.responses import OAuthError
from .sealing import Sealer, digestOf

PURPOSE = "dpop-nonces"
"""
What the key file's key for nonces is for: see L{ServerSecret.sealer}.
"""


@attrs.frozen(eq=False)
class Proofs:
    """
    Checks proofs.

    @ivar sealer: that of L{PURPOSE}.
    @ivar needsNonce: every proof has to hold a nonce of ours, so that none can be made in advance.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    spent: ISpent
    sealer: Sealer
    needsNonce: bool = False
    now: Callable[[], float] = time

    async def check(
        self, proof: bytes, method: str, address: str, accessToken: bytes | None = None
    ) -> str:
        """
        @param method: of the request.
        @param address: of the request, as the configuration has it.
        @param accessToken: that came along.
        @return: the thumbprint of the key.
        @raise OAuthError: it proves nothing, was used before, or needs another nonce.
        @raise Outage: nobody can tell whether it was used before.
        """
        now = self.now()
        verified = verifyProof(proof, method, address, accessToken, now)
        if self.needsNonce or verified.nonce is not None:
            verifyNonce(self.sealer.mac, verified.nonce, now)
        digest = digestOf("dpop", verified.thumbprint, verified.jti)
        if not await self.spent.spend(digest, verified.expires, now):
            raise OAuthError("invalid_dpop_proof", "The DPoP proof was used before.")
        return verified.thumbprint

    def makeNonce(self) -> str:
        """
        A nonce for the next proof.
        """
        return makeNonce(self.sealer.mac, self.now())
