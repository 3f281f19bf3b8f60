"""
Tests for L{mailauth.oauth.dpop}.
"""

from __future__ import annotations

import hmac
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.dpop import (
    MAX_JTI,
    NONCE_LIFETIME,
    PROOF_LIFETIME,
    Proof,
    makeNonce,
    verifyNonce,
    verifyProof,
)
from mailauth.oauth.responses import OAuthError

from ..jose import compact, encodePart, makeJWK, makeSigner

# RFC 9449 sections 4.1, 5 and 7.1.
_KEY = (
    b"eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNo"
    b"UklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERW"
    b"clUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
EXAMPLE = _KEY + (
    b".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUu"
    b"Y29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLX"
    b"iOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
EXAMPLE_WITH_TOKEN = _KEY + (
    b".eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxl"
    b"Lm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0Ji"
    b"MHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVn"
    b"mcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
ACCESS_TOKEN = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

NOW = 1562262616.0
ADDRESS = "https://server.example.com/token"


def makeProof(
    header: dict[str, Any] | None = None, algorithm: str = "ES256", **claims: Any
) -> bytes:
    """
    The usual proof, but for these members of the header and these claims; what is C{None} is left
    out.
    """
    members = {
        "typ": "dpop+jwt",
        "alg": algorithm,
        "jwk": makeJWK(algorithm),
        **(header or {}),
    }
    payload = {"jti": "1", "htm": "POST", "htu": ADDRESS, "iat": NOW, **claims}
    return compact(
        makeSigner(algorithm),
        {name: value for name, value in members.items() if value is not None},
        {name: value for name, value in payload.items() if value is not None},
    )


class ProofTests(SynchronousTestCase):
    """
    What a proof proves.
    """

    def verify(self, proof: bytes, accessToken: bytes | None = None, now: float = NOW) -> Proof:
        """
        Verify a proof for the token endpoint.
        """
        return verifyProof(proof, "POST", ADDRESS, accessToken, now)

    def assertRefused(self, proof: bytes, accessToken: bytes | None = None) -> None:
        """
        It proves nothing.
        """
        error = self.assertRaises(OAuthError, self.verify, proof, accessToken)
        self.assertEqual("invalid_dpop_proof", error.code)

    def test_examples(self) -> None:
        """
        The examples of RFC 9449 sections 5 and 7.1 (O 69).
        """
        self.assertEqual(
            Proof(THUMBPRINT, "-BwC3ESc6acc2lTc", 1562262616),
            verifyProof(EXAMPLE, "POST", "https://server.example.com/token", None, NOW),
        )
        self.assertEqual(
            Proof(THUMBPRINT, "e1j3V_bKic8-LAEB", 1562262618),
            verifyProof(
                EXAMPLE_WITH_TOKEN,
                "GET",
                "https://resource.example.org/protectedresource",
                ACCESS_TOKEN,
                NOW,
            ),
        )

    def test_algorithms(self) -> None:
        """
        Whatever the issuer would take from others it takes here: it names no key of its own.
        """
        for algorithm in ("ES256", "RS256", "EdDSA"):
            self.assertEqual("1", self.verify(makeProof(algorithm=algorithm)).jti)

    def test_method(self) -> None:
        """
        It is for one method (O 69).
        """
        for method in ("GET", "post", "POST ", "", None, 1, ["POST"]):
            self.assertRefused(makeProof(htm=method))

    def test_address(self) -> None:
        """
        It is for one address, without query and fragment, however its host is spelled (O 69).
        """
        for address in (
            ADDRESS,
            ADDRESS + "?x=1",
            ADDRESS + "#x",
            "https://SERVER.example.com/token",
            "HTTPS://server.example.com:443/token",
        ):
            self.verify(makeProof(htu=address))
        for other in (
            "http://server.example.com/token",
            "http://server.example.com:443/token",
            "https://server.example.com:8443/token",
            "https://server.example.com/token/",
            "https://server.example.com/Token",
            "https://server.example.com",
            "https://server.example.com.evil.example/token",
            "https://evil.example/token",
            "https://me@server.example.com/token",
            "https://server.example.com:x/token",
            "https://server.example.com:99999/token",
            "https://[server/token",
            "//server.example.com/token",
            "https:/token",
            "/token",
            "",
            None,
            1,
            [ADDRESS],
        ):
            self.assertRefused(makeProof(htu=other))

    def test_rootAddress(self) -> None:
        """
        An address without a path is that with a slash.
        """
        proof = makeProof(htu="https://server.example.com")

        verifyProof(proof, "POST", "https://server.example.com/", None, NOW)

    def test_time(self) -> None:
        """
        It was made now, give or take what clocks differ by (O 69).
        """
        for issued in (NOW - PROOF_LIFETIME, NOW + PROOF_LIFETIME, NOW + 0.5):
            proof = self.verify(makeProof(iat=issued))
            self.assertEqual((issued, issued + PROOF_LIFETIME), (proof.issued, proof.expires))
        for other in (
            NOW - PROOF_LIFETIME - 1,
            NOW + PROOF_LIFETIME + 1,
            0,
            -NOW,
            10**400,
            float("inf"),
            float("nan"),
            str(NOW),
            True,
            None,
            [NOW],
        ):
            self.assertRefused(makeProof(iat=other))

    def test_expires(self) -> None:
        """
        Whoever remembers a proof until it expires has seen every replay (O 69).
        """
        proof = makeProof(iat=NOW + PROOF_LIFETIME)

        expires = self.verify(proof).expires

        self.verify(proof, now=expires)
        self.assertRaises(OAuthError, self.verify, proof, now=expires + 1)

    def test_accessToken(self) -> None:
        """
        It is for one access token, if there is one (O 69).
        """
        ath = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
        self.verify(makeProof(ath=ath), ACCESS_TOKEN)
        self.verify(makeProof(ath=ath))

        self.assertRefused(makeProof(), ACCESS_TOKEN)
        self.assertRefused(makeProof(ath=ath), ACCESS_TOKEN + b"x")
        for other in (ath + "=", ath[:-1], "", 1, [ath], "\u00e4", "\ud800"):
            self.assertRefused(makeProof(ath=other), ACCESS_TOKEN)

    def test_jti(self) -> None:
        """
        It has an id, by which it is known when it comes again (O 69).
        """
        self.assertEqual("x" * MAX_JTI, self.verify(makeProof(jti="x" * MAX_JTI)).jti)
        for other in (None, "", "x" * (MAX_JTI + 1), "a\nb", "\ud800", 1, ["1"]):
            self.assertRefused(makeProof(jti=other))

    def test_nonce(self) -> None:
        """
        The server's nonce comes along, for whoever wants one (O 69).
        """
        self.assertIs(None, self.verify(makeProof()).nonce)
        self.assertEqual("n", self.verify(makeProof(nonce="n")).nonce)
        for other in ("", 1, ["n"], "x" * (MAX_JTI + 1)):
            self.assertRefused(makeProof(nonce=other))

    def test_type(self) -> None:
        """
        It is a proof, and no other token that happens to have the same claims (TK12; O 69).
        """
        for type in ("JWT", "at+jwt", "DPoP+JWT", "application/dpop+jwt", "", None, 1):
            self.assertRefused(makeProof({"typ": type}))

    def test_key(self) -> None:
        """
        Its key is a public one that can sign, and the one that signed (O 69).
        """
        for jwk in (
            None,
            "x",
            {},
            {"kty": "oct", "k": "AAAA"},
            makeJWK(d="AAAA"),
            makeJWK("RS256", p="AAAA"),
            makeJWK("RS256"),
            makeJWK("EdDSA"),
            makeJWK(kid="2"),
            makeJWK(alg="ES384"),
            makeJWK(use="enc"),
            makeJWK(crv="P-384"),
        ):
            self.assertRefused(makeProof({"jwk": jwk}))

    def test_algorithm(self) -> None:
        """
        Its algorithm needs a private key, and is one of the key's (TK1, TK2, TK4; O 69).
        """
        for algorithm in ("none", "HS256", "RS256", "ES384", "EdDSA", "es256", "", None, 1):
            self.assertRefused(makeProof({"alg": algorithm}))

    def test_headers(self) -> None:
        """
        What would change its meaning is refused (TK6).
        """
        for header in ({"crit": ["x"], "x": 1}, {"b64": False}, {"zip": "DEF"}):
            self.assertRefused(makeProof(header))

    def test_tampered(self) -> None:
        """
        What was signed is what is read.
        """
        header, _, signature = makeProof().split(b".")
        claims = encodePart({"jti": "2", "htm": "POST", "htu": ADDRESS, "iat": NOW})

        self.assertRefused(b".".join((header, claims, signature)))
        self.assertRefused(b".".join((header, claims, b"")))

    @given(st.binary())
    def test_anyOctets(self, octets: bytes) -> None:
        """
        Whatever comes is refused.
        """
        self.assertRefused(octets)
        self.assertRefused(EXAMPLE + octets if octets else b"")


class NonceTests(SynchronousTestCase):
    """
    The server's nonce.
    """

    def mac(self, octets: bytes) -> bytes:
        """
        A keyed digest.
        """
        return hmac.digest(b"key", octets, "sha256")

    def assertRefused(self, nonce: str | None, now: float = NOW) -> None:
        """
        The client has to take another.
        """
        error = self.assertRaises(OAuthError, verifyNonce, self.mac, nonce, now)
        self.assertEqual("use_dpop_nonce", error.code)

    def test_lifetime(self) -> None:
        """
        It is good for a while, which nobody had to write down (O 69).
        """
        nonce = makeNonce(self.mac, NOW)

        verifyNonce(self.mac, nonce, NOW)
        verifyNonce(self.mac, nonce, NOW + NONCE_LIFETIME)
        self.assertRefused(nonce, NOW + NONCE_LIFETIME + 1)

    def test_refused(self) -> None:
        """
        One that is missing, changed or another server's is refused (O 69).
        """
        nonce = makeNonce(self.mac, NOW)

        for other in (
            None,
            "",
            nonce[:-1],
            nonce + "A",
            nonce + "\n",
            "A" * 32,
            "\u00e4" * 32,
            ("B" if nonce[0] == "A" else "A") + nonce[1:],
            nonce[:-1] + ("B" if nonce[-1] == "A" else "A"),
            makeNonce(lambda octets: hmac.digest(b"other", octets, "sha256"), NOW),
        ):
            self.assertRefused(other)

    @given(st.text(alphabet="AQg-_", min_size=32, max_size=32))
    def test_anyText(self, text: str) -> None:
        """
        Whatever looks like one is refused.
        """
        self.assertRefused(text)
