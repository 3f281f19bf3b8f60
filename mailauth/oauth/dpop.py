"""
Proofs of possession (RFC 9449). Owns what a proof has to say; that none is used twice, whoever asks
has to see to (L{mailauth.oauth.interfaces.ISpent}).
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

import attrs

from .jwt import (
    MalformedToken,
    UnusableKey,
    algorithmOf,
    keyFromJWK,
    parseToken,
    thumbprint,
    timeOf,
    verifySignature,
)
from .responses import OAuthError

PROOF_LIFETIME = 300.0
"""
By how many seconds a proof may be older than now, or younger: clients have clocks of their own.
"""

NONCE_LIFETIME = 300.0

MAX_JTI = 200

_MAC_OCTETS = 16

_DEFAULT_PORTS = {"https": 443, "http": 80}


@attrs.frozen
class Proof:
    """
    That whoever sent a request has a key.

    @ivar thumbprint: of that key (RFC 7638).
    @ivar jti: the id of the proof, which is its client's alone.
    @ivar issued: when it was made, by the clock of the client.
    @ivar nonce: the nonce of the server that it holds, or C{None}. See L{verifyNonce}.
    """

    thumbprint: str
    jti: str
    issued: float
    nonce: str | None = None

    @property
    def expires(self) -> float:
        """
        From when on it would be refused anyway.
        """
        return self.issued + PROOF_LIFETIME


def verifyProof(
    proof: bytes, method: str, address: str, accessToken: bytes | None, now: float
) -> Proof:
    """
    Verify a proof (RFC 9449 section 4.3).

    @param proof: the value of the one C{DPoP} header.
    @param method: of the request.
    @param address: of the request, as the configuration has it.
    @param accessToken: that came along, or C{None} where none did.
    @param now: in seconds since the epoch.
    @raise OAuthError: it proves nothing.
    """
    try:
        token = parseToken(proof)
        algorithm = algorithmOf(token, "dpop+jwt")
        key = keyFromJWK(token.header.get("jwk"))
        verifySignature(token, key, algorithm)
        issued = timeOf(token.claims, "iat")
    except (MalformedToken, UnusableKey) as error:
        raise OAuthError(
            "invalid_dpop_proof", "The DPoP proof is not one, or not well signed.", str(error)
        ) from None
    claims = token.claims
    if claims.get("htm") != method:
        raise _refused("The DPoP proof is for another method.")
    htu = claims.get("htu")
    if not isinstance(htu, str) or _normal(htu) is None or _normal(htu) != _normal(address):
        raise _refused("The DPoP proof is for another address.")
    if issued is None or abs(issued - now) > PROOF_LIFETIME:
        raise _refused("The DPoP proof was not made now: is the clock right?")
    if accessToken is not None and not _isHashOf(claims.get("ath"), accessToken):
        raise _refused("The DPoP proof is for another access token.")
    jti = _text(claims, "jti")
    if jti is None:
        raise _refused("The DPoP proof has no jti.")
    return Proof(thumbprint(key), jti, issued, _text(claims, "nonce"))


def _refused(description: str) -> OAuthError:
    return OAuthError("invalid_dpop_proof", description)


def _normal(address: str) -> tuple[str, str, int, str] | None:
    """
    What has to be the same of two addresses (RFC 9449 section 4.3, RFC 3986 section 6.2).
    """
    try:
        parts = urlsplit(address)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if parts.hostname is None or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port, parts.path or "/"


def _isHashOf(ath: Any, accessToken: bytes) -> bool:
    made = urlsafe_b64encode(sha256(accessToken).digest()).rstrip(b"=")
    return isinstance(ath, str) and compare_digest(made, ath.encode("utf-8", "replace"))


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    """
    @return: C{None} if it is missing.
    """
    text = claims.get(name)
    if text is None:
        return None
    if not isinstance(text, str) or not text.isprintable() or not 1 <= len(text) <= MAX_JTI:
        raise _refused(f"The {name} of the DPoP proof is not a short printable text.")
    return text


def makeNonce(mac: Callable[[bytes], bytes], now: float) -> str:
    """
    Make a nonce for clients to put into their proofs (RFC 9449 section 8): the time, which proves
    later that the proof was not made before.

    @param mac: a keyed digest.
    """
    time = int(now).to_bytes(8, "big")
    return urlsafe_b64encode(time + mac(time)[:_MAC_OCTETS]).decode("ascii")


def verifyNonce(mac: Callable[[bytes], bytes], nonce: str | None, now: float) -> None:
    """
    Return if a nonce is one of ours, and not old.

    @raise OAuthError: it is not, and the answer has to have a C{DPoP-Nonce} header with another.
    """
    if nonce is not None and re.fullmatch(r"[A-Za-z0-9_\-]{32}", nonce):
        octets = urlsafe_b64decode(nonce)
        time = octets[:8]
        age = now - int.from_bytes(time, "big")
        if compare_digest(mac(time)[:_MAC_OCTETS], octets[8:]) and age <= NONCE_LIFETIME:
            return
    raise OAuthError("use_dpop_nonce", "The DPoP proof needs the nonce of this answer.")
