"""
A browser with an authenticator in it (W3C Web Authentication Level 3), in software.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import attrs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encode(octets: bytes) -> str:
    """
    base64url without padding.
    """
    return urlsafe_b64encode(octets).decode("ascii").rstrip("=")


def decode(text: str) -> bytes:
    """
    Undo L{encode}.
    """
    return urlsafe_b64decode(text + "==")


@attrs.define
class Authenticator:
    """
    Holds one passkey. Whatever an honest one does right can be set to something else.

    @ivar origin: of the page.
    @ivar rpId: whose passkey it is, C{None} for whose the page says.
    @ivar verifies: whether it makes sure who holds it.
    @ivar counter: how often it signed, or 0 if it does not count.
    @ivar attestation: C{"none"}, or C{"packed"} by the key itself.
    @ivar userHandle: whom it takes the account for.
    """

    origin: str
    rpId: str | None = None
    verifies: bool = True
    counter: int = 0
    attestation: str = "none"
    userHandle: str | None = None
    credentialId: bytes = attrs.field(factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = attrs.field(
        factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def create(self, options: str) -> str:
        """
        What C{navigator.credentials.create()} answers.
        """
        wanted = json.loads(options)
        self.userHandle = wanted["user"]["id"]
        clientData = self._clientData("webauthn.create", wanted["challenge"])
        credential = len(self.credentialId).to_bytes(2, "big") + self.credentialId
        authenticated = self._authenticated(
            self.rpId or wanted["rp"]["id"], ATTESTED, bytes(16) + credential + self._coseKey()
        )
        statement: dict[str, Any] = {}
        if self.attestation == "packed":
            statement = {"alg": -7, "sig": self._sign(authenticated, clientData)}
        made = {"fmt": self.attestation, "attStmt": statement, "authData": authenticated}
        return self._credential(
            clientDataJSON=encode(clientData), attestationObject=encode(encode_cbor(made))
        )

    def get(self, options: str) -> str:
        """
        What C{navigator.credentials.get()} answers.
        """
        wanted = json.loads(options)
        clientData = self._clientData("webauthn.get", wanted["challenge"])
        authenticated = self._authenticated(self.rpId or wanted["rpId"])
        response = {
            "clientDataJSON": encode(clientData),
            "authenticatorData": encode(authenticated),
            "signature": encode(self._sign(authenticated, clientData)),
        }
        if self.userHandle is not None:
            response["userHandle"] = self.userHandle
        return self._credential(**response)

    def _credential(self, **response: str) -> str:
        identifier = encode(self.credentialId)
        return json.dumps(
            {
                "id": identifier,
                "rawId": identifier,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
            }
        )

    def _clientData(self, type: str, challenge: str) -> bytes:
        members = {
            "type": type,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps(members).encode("utf-8")

    def _authenticated(self, rpId: str, flags: int = 0, credential: bytes = b"") -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return (
            sha256(rpId.encode("utf-8")).digest()
            + bytes([flags])
            + self.counter.to_bytes(4, "big")
            + credential
        )

    def _coseKey(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _sign(self, authenticated: bytes, clientData: bytes) -> bytes:
        return self.key.sign(authenticated + sha256(clientData).digest(), ec.ECDSA(SHA256()))
