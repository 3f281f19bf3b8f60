"""
Refresh tokens as text. Owns how one is known for ours without asking anybody, and what follows it.

A token is the id of its grant, a nonce and a MAC of both. The nonce of its successor is made of the
token itself, so that whoever lost the answer to a rotation and asks again is given the very same
successor: there are never two living tokens of one family, nor a secret in the store.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest

import attrs

from .sealing import Sealer

PURPOSE = "refresh-tokens"
"""
What the key file's key for them is for: see L{ServerSecret.sealer}.
"""

_OCTETS = 16
_TEXT = re.compile(r"[A-Za-z0-9\-_]{64}")


def newGrantId() -> str:
    """
    Make the id of a grant, which is no secret.
    """
    return secrets.token_urlsafe(_OCTETS)


def digestOfToken(token: str) -> bytes:
    """
    The SHA-256 under which a store knows a refresh token.
    """
    return sha256(token.encode("ascii")).digest()


@attrs.frozen
class RefreshTokens:
    """
    Makes and knows them.
    """

    _sealer: Sealer = attrs.field(repr=False)

    def first(self, grantId: str) -> str:
        """
        The first of a family.

        @param grantId: what L{newGrantId} made.
        """
        return self._make(urlsafe_b64decode(f"{grantId}=="), secrets.token_bytes(_OCTETS))

    def successor(self, token: str) -> str:
        """
        The one that follows a token, always the same one.

        @param token: one of ours.
        """
        octets = urlsafe_b64decode(token)
        # The MAC of a token is over fewer octets, so that neither is ever the other.
        return self._make(octets[:_OCTETS], self._sealer.mac(octets)[:_OCTETS])

    def grantIdOf(self, text: str) -> str | None:
        """
        Which grant a refresh token is of, C{None} if it is none of ours.
        """
        if _TEXT.fullmatch(text) is None:
            return None
        octets = urlsafe_b64decode(text)
        signed, mac = octets[: 2 * _OCTETS], octets[2 * _OCTETS :]
        if not compare_digest(mac, self._sealer.mac(signed)[:_OCTETS]):
            return None
        return urlsafe_b64encode(signed[:_OCTETS]).decode("ascii").rstrip("=")

    def _make(self, grantId: bytes, nonce: bytes) -> str:
        signed = grantId + nonce
        return urlsafe_b64encode(signed + self._sealer.mac(signed)[:_OCTETS]).decode("ascii")
