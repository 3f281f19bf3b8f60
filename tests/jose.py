"""
Tokens and keys as no honest issuer makes them.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import Any

from jwt.algorithms import get_default_algorithms

from mailauth.oauth.jwt import Signer, makeJWKS, makePrivateKey


def encode(octets: bytes) -> bytes:
    """
    base64url without padding (RFC 7515 section 2).
    """
    return urlsafe_b64encode(octets).rstrip(b"=")


def decode(text: bytes) -> bytes:
    """
    Undo L{encode}.
    """
    return urlsafe_b64decode(text + b"==")


def encodePart(part: Any) -> bytes:
    """
    A header or a payload, given as its members or as its octets.
    """
    return encode(part if isinstance(part, bytes) else json.dumps(part).encode("ascii"))


def makeSigner(algorithm: str = "ES256", kid: str = "1") -> Signer:
    """
    A key, the same each time.
    """
    return _makeSigner(algorithm, kid)


@cache  # without defaults: it would take makeSigner() and makeSigner("ES256") for two
def _makeSigner(algorithm: str, kid: str) -> Signer:
    return Signer.fromPEM(kid, algorithm, makePrivateKey(algorithm))


def makeJWK(algorithm: str = "ES256", kid: str = "1", **members: Any) -> dict[str, Any]:
    """
    The other half of L{makeSigner}'s key as a JWK (RFC 7517), with other members than usual.
    """
    document = makeJWKS([makeSigner(algorithm, kid).verifyingKey])
    jwk: dict[str, Any] = json.loads(document)["keys"][0]
    return {**jwk, **members}


def compact(signer: Signer, header: Any, claims: Any) -> bytes:
    """
    Sign whatever it is.

    @param header: its members or its octets; so for the claims.
    """
    signed = encodePart(header) + b"." + encodePart(claims)
    algorithm = get_default_algorithms()[signer.algorithm]
    return signed + b"." + encode(algorithm.sign(signed, signer.key))
