"""
Tests for what L{mailauth.oauth.jwt} does with one key and one header, for tokens that bring their
own key.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.jwt import (
    MAX_TIME,
    MalformedToken,
    UnusableKey,
    VerifyingKey,
    algorithmOf,
    keyFromJWK,
    parseToken,
    thumbprint,
    timeOf,
)

from ..jose import compact, encode, makeJWK, makeSigner

# RFC 7638 section 3.1.
JWK = {
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE"
        "CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qv"
        "zqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6We"
        "Zu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ),
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

# RFC 8037 appendix A.3.
JWK_ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
THUMBPRINT_ED25519 = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


class ThumbprintTests(SynchronousTestCase):
    """
    RFC 7638.
    """

    def test_vectors(self) -> None:
        """
        The examples of RFC 7638 section 3.1 and RFC 8037 appendix A.3.
        """
        self.assertEqual(THUMBPRINT, thumbprint(keyFromJWK(JWK)))
        self.assertEqual(THUMBPRINT_ED25519, thumbprint(keyFromJWK(JWK_ED25519)))

    def test_keyItself(self) -> None:
        """
        Other members, another spelling of a number and the order make no difference; another key
        does.
        """
        spelled = {"e": "AAEAAQ", "use": "sig", "x5t": "x", "n": JWK["n"], "kty": "RSA"}

        self.assertEqual(THUMBPRINT, thumbprint(keyFromJWK(spelled)))
        self.assertNotEqual(THUMBPRINT, thumbprint(keyFromJWK(makeJWK("RS256"))))

    def test_leadingZero(self) -> None:
        """
        A coordinate that begins with a zero keeps it (RFC 7518 section 6.2.1.2).
        """
        for secret in range(1, 5000):
            key = ec.derive_private_key(secret, ec.SECP256R1()).public_key()
            point = key.public_numbers()
            if point.x < 1 << 248:
                break
        coordinates = {
            name: encode(number.to_bytes(32, "big")).decode()
            for name, number in (("x", point.x), ("y", point.y))
        }
        self.assertTrue(coordinates["x"].startswith("A"))

        jwk = {"kty": "EC", "crv": "P-256", **coordinates}

        self.assertEqual(
            thumbprint(VerifyingKey(None, frozenset({"ES256"}), key)), thumbprint(keyFromJWK(jwk))
        )


class KeyTests(SynchronousTestCase):
    """
    One key.
    """

    def test_private(self) -> None:
        """
        A private or secret key is never taken for a public one (OA17).
        """
        for name in ("d", "k", "p", "q", "dp", "dq", "qi", "oth"):
            self.assertRaises(UnusableKey, keyFromJWK, {**JWK, name: "AAAA"})

    @given(
        st.dictionaries(st.sampled_from(["kty", "crv", "n", "e", "x", "y", "alg"]), st.text())
        | st.text()
    )
    def test_anyMembers(self, jwk: Any) -> None:
        """
        Whatever is no key is refused.
        """
        self.assertRaises(UnusableKey, keyFromJWK, jwk)


class AlgorithmTests(SynchronousTestCase):
    """
    The header of a token of one type.
    """

    def read(self, **header: Any) -> str:
        """
        That of a token with these members in its header.
        """
        token = compact(makeSigner(), {"typ": "JWT", "alg": "ES256", **header}, {})
        return algorithmOf(parseToken(token), "JWT")

    def test_algorithm(self) -> None:
        """
        The algorithm is one that needs a private key.
        """
        self.assertEqual("ES256", self.read())
        self.assertEqual("EdDSA", self.read(alg="EdDSA"))
        for other in ("none", "HS256", "", None, 1, ["ES256"]):
            self.assertRaises(MalformedToken, self.read, alg=other)

    def test_type(self) -> None:
        """
        A token of another type is not that one (TK12).
        """
        for other in ("at+jwt", "jwt", "", None, 1):
            self.assertRaises(MalformedToken, self.read, typ=other)

    def test_headers(self) -> None:
        """
        What changes the meaning of the rest is refused (TK6).
        """
        for name in ("crit", "b64", "zip"):
            self.assertRaises(MalformedToken, self.read, **{name: ["x"]})


class TimeTests(SynchronousTestCase):
    """
    A NumericDate.
    """

    def test_times(self) -> None:
        """
        It is a number, whole or not, and may be missing.
        """
        self.assertEqual(5.0, timeOf({"exp": 5}, "exp"))
        self.assertEqual(-0.5, timeOf({"exp": -0.5}, "exp"))
        self.assertIs(None, timeOf({}, "exp"))
        self.assertIs(None, timeOf({"exp": None}, "exp"))

    def test_others(self) -> None:
        """
        Texts, truths and endless numbers are no times (TK8).
        """
        values: list[Any] = ["5", True, [5], {}, float("inf"), -float("inf"), 10**400, MAX_TIME + 1]
        for value in values:
            self.assertRaises(MalformedToken, timeOf, {"exp": value}, "exp")
