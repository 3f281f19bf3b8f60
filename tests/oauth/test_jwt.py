"""
Tests for L{mailauth.oauth.jwt}.
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import attrs
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.jwt import (
    ALGORITHMS,
    MAX_BRACKETS,
    MAX_KEYS,
    MAX_OCTETS,
    MalformedToken,
    Signer,
    UnusableKey,
    UnverifiedToken,
    VerifyingKey,
    keysFromJWKS,
    makeJWKS,
    makePrivateKey,
    parseToken,
    publicKeyFromPEM,
    publicKeyToPEM,
    verifySignature,
)

from ..jose import compact, decode, encode, encodePart, makeJWK, makeSigner

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "jws.json").read_text())

ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ORDER_ED25519 = 2**252 + 27742317777372353535851937790883648493

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


def publicPEM(key: Any) -> bytes:
    """
    A public key in PEM.
    """
    octets = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert isinstance(octets, bytes)
    return octets


def keySet(*members: Any) -> bytes:
    """
    A JWK set.
    """
    return json.dumps({"keys": members}).encode("ascii")


class ParseTokenTests(SynchronousTestCase):
    """
    Taking a token apart.
    """

    def assertMalformed(self, *tokens: bytes) -> None:
        """
        None of the tokens is read.
        """
        for token in tokens:
            with self.assertRaises(MalformedToken, msg=token[:80]):
                parseToken(token)

    def assertMalformedPart(self, *parts: bytes) -> None:
        """
        None of the texts is taken for a header, or for claims.
        """
        for part in parts:
            self.assertMalformed(encode(part) + b".e30.", b"e30." + encode(part) + b".")

    def test_parts(self) -> None:
        """
        A token comes apart into its header, its claims, its signature and what that covers.
        """
        token = parseToken(compact(makeSigner(), {"alg": "ES256"}, {"sub": "alice"}))

        self.assertEqual(token.header, {"alg": "ES256"})
        self.assertEqual(token.claims, {"sub": "alice"})
        self.assertEqual(
            token.signed, encodePart({"alg": "ES256"}) + b"." + encodePart(token.claims)
        )
        self.assertEqual(len(token.signature), 64)

    def test_reprShowsNoClaims(self) -> None:
        """
        What is shown of a token is its header (LG1).
        """
        token = parseToken(compact(makeSigner(), {"alg": "ES256"}, {"sub": "alice"}))

        self.assertEqual(repr(token), "UnverifiedToken(header={'alg': 'ES256'})")

    def test_threeParts(self) -> None:
        """
        Two, four or five parts are no JWS, and what is encrypted is no JWS either (TK11; O 15).
        """
        self.assertMalformed(
            b"", b"e30", b"e30.e30", b"e30.e30..", b"e30.e30.e30.e30", b"e30.e30.e30.e30.e30", b".."
        )

    def test_jsonSerialization(self) -> None:
        """
        The JSON serializations (RFC 7515 section 7.2) are not read, and so there is no header,
        C{crit} least of all, that the signature does not cover (O 7, O 15).
        """
        self.assertMalformed(
            b'{"payload":"e30","signatures":[{"protected":"e30","signature":""}]}',
            b'{"payload":"e30","protected":"e30","signature":""}',
            b'{"payload":"e30","protected":"e30","header":{"crit":["exp"]},"signature":""}',
            b'{"payload":"e30","protected":"e.3.0","signature":""}',
        )

    def test_size(self) -> None:
        """
        A token may have as many octets as the limit says, and not one more (TK9; O 15).
        """
        token = b"e30." + encode(b'{"pad":"' + b"x" * 11_990 + b'"}') + b"."
        longest = token.ljust(MAX_OCTETS, b"A")

        self.assertEqual(len(parseToken(longest).signature), (MAX_OCTETS - len(token)) * 3 // 4)
        self.assertMalformed(longest + b"A", longest + b"AAAA", b"e30.e30." + b"A" * 2**20)

    def test_canonicalBase64(self) -> None:
        """
        There is one spelling for each part: no padding, no white space, no other alphabet and no
        bits behind the last octet (TK7; O 15).
        """
        good = encodePart(b'{"a":"\xc3\xbf\xc3\xbe??>>"}')
        self.assertIn(b"_", good)
        parseToken(b"e30." + good + b".")

        for part in (
            good.replace(b"_", b"/"),
            good + b"=",
            good + b"==",
            b" " + good,
            good + b"\n",
            good[:4] + b"\r\n" + good[4:],
            b"e31",  # as e30, with a bit where there is none
            b"e",
            b"e3",
            b"e30!",
            b"\xc3\xa930",
        ):
            self.assertMalformed(b"e30." + part + b".", part + b".e30.", b"e30.e30." + part + b"=")

    def test_duplicateMembers(self) -> None:
        """
        Two members of one name are refused, however deep and however they are spelled (TK8; O 10).
        """
        self.assertMalformedPart(
            b'{"a":1,"a":1}',
            b'{"alg":"ES256","alg":"none"}',
            b'{"x":{"a":1,"a":2}}',
            b'{"x":[{"a":1,"a":2}]}',
            b'{"a":1,"\\u0061":2}',
        )

    def test_numbers(self) -> None:
        """
        What JSON does not know as a number is refused, and so is one that costs too much (TK8).
        """
        self.assertMalformedPart(
            b'{"exp":NaN}',
            b'{"exp":Infinity}',
            b'{"exp":-Infinity}',
            b'{"exp":' + b"9" * 5000 + b"}",
        )

    def test_depth(self) -> None:
        """
        Brackets are counted before anything is parsed (TK9; O 15).
        """
        deepest = MAX_BRACKETS - 1
        parseToken(b"e30." + encode(b'{"a":' + b"[" * deepest + b"]" * deepest + b"}") + b".")

        self.assertMalformedPart(
            b'{"a":' + b"[" * MAX_BRACKETS + b"]" * MAX_BRACKETS + b"}",
            b'{"a":' * 2000 + b"1" + b"}" * 2000,
            b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
            b"[" * 10_000,
        )

    def test_manyClients(self) -> None:
        """
        A token of Keycloak's names the roles at every client, and is read.
        """
        roles = {f"client-{number}": {"roles": ["user"]} for number in range(100)}

        token = parseToken(compact(makeSigner(), {"alg": "ES256"}, {"resource_access": roles}))

        self.assertEqual(token.claims["resource_access"], roles)

    def test_objects(self) -> None:
        """
        A header and a payload are JSON objects in UTF-8, and nothing else.
        """
        self.assertMalformedPart(
            b"",
            b"[]",
            b"null",
            b"1",
            b'"{}"',
            b"{",
            b"{}{}",
            b"{'a':1}",
            b'{"a":"\xff"}',
            b"\xef\xbb\xbf{}",
            '{"a":1}'.encode("utf-16"),
        )

    @given(st.binary() | st.lists(st.binary(), min_size=3, max_size=3).map(b".".join))
    def test_anyOctets(self, octets: bytes) -> None:
        """
        Octets are a token, or they are malformed: nothing else happens.
        """
        try:
            parseToken(octets)
        except MalformedToken:
            pass

    @given(JSON, JSON, st.binary())
    def test_anyJSON(self, header: Any, claims: Any, signature: bytes) -> None:
        """
        Whatever is read of any JSON says what was written.
        """
        octets = b".".join((encodePart(header), encodePart(claims), encode(signature)))
        try:
            token = parseToken(octets)
        except MalformedToken:
            return

        self.assertEqual((token.header, token.claims), (header, claims))
        self.assertEqual(token.signature, signature)


class VerifySignatureTests(SynchronousTestCase):
    """
    Verifying a signature.
    """

    def assertWrong(self, token: UnverifiedToken, *signatures: bytes) -> None:
        """
        None of these is the signature of the token.
        """
        signer = makeSigner({64: "ES256", 256: "RS256"}.get(len(token.signature), "ES256"))
        for signature in signatures:
            changed = attrs.evolve(token, signature=signature)
            with self.assertRaises(MalformedToken, msg=signature.hex()):
                verifySignature(changed, signer.verifyingKey, signer.algorithm)

    def test_vectors(self) -> None:
        """
        The examples of RFC 7515 and RFC 8037 verify, and with one bit changed they do not.
        """
        for vector in VECTORS:
            signed, _, signature = vector["token"].encode("ascii").rpartition(b".")
            token = UnverifiedToken({}, {}, signed, decode(signature))
            (key,) = keysFromJWKS(keySet(vector["jwk"]))

            verifySignature(token, key, vector["algorithm"])

            changed = bytes([token.signature[0] ^ 1]) + token.signature[1:]
            with self.assertRaises(MalformedToken, msg=vector["source"]):
                verifySignature(attrs.evolve(token, signature=changed), key, vector["algorithm"])
            with self.assertRaises(MalformedToken, msg=vector["source"]):
                verifySignature(attrs.evolve(token, signed=signed + b"A"), key, vector["algorithm"])

    def test_twoNamesOfOneAlgorithm(self) -> None:
        """
        RFC 9864 calls Ed25519 what RFC 8037 calls EdDSA.
        """
        signer = makeSigner("EdDSA")
        token = parseToken(compact(signer, {"alg": "Ed25519"}, {}))
        key = publicKeyFromPEM(publicPEM(signer.key.public_key()))

        verifySignature(token, key, "Ed25519")
        verifySignature(token, key, "EdDSA")

    def test_algorithmOfTheKey(self) -> None:
        """
        A key verifies with its own algorithms and with no other, whatever that is (TK1, TK2, TK4;
        O 3).
        """
        for algorithm in ("ES256", "RS256", "EdDSA"):
            signer = makeSigner(algorithm)
            token = parseToken(compact(signer, {"alg": algorithm}, {}))
            verifySignature(token, signer.verifyingKey, algorithm)
            others = ALGORITHMS - {algorithm} | {"none", "None", "", "HS256", "HS384", "HS512"}
            for other in others:
                with self.assertRaises(MalformedToken, msg=f"{algorithm} key, {other}"):
                    verifySignature(token, signer.verifyingKey, other)

    def test_oddSignaturesES256(self) -> None:
        """
        Zeros, numbers out of range, DER and other lengths are no signatures of P-256 (TK10; O 16,
        O 18).
        """
        token = parseToken(compact(makeSigner(), {"alg": "ES256"}, {}))
        r, s = (
            int.from_bytes(half, "big") for half in (token.signature[:32], token.signature[32:])
        )

        def raw(first: int, second: int) -> bytes:
            return first.to_bytes(32, "big") + second.to_bytes(32, "big")

        self.assertEqual(token.signature, raw(r, s))
        self.assertWrong(
            token,
            b"",
            raw(0, 0),
            raw(0, s),
            raw(r, 0),
            raw(1, 0),
            raw(ORDER_P256, s),
            raw(r, ORDER_P256),
            raw(ORDER_P256, ORDER_P256),
            raw(ORDER_P256 - 1, ORDER_P256 - 1),
            raw(2**256 - 1, 2**256 - 1),
            raw(s, r),
            encode_dss_signature(r, s),
            token.signature[:-1],
            token.signature[1:],  # a short r
            token.signature[:32] + token.signature[33:],  # a short s
            token.signature[:32],
            token.signature + b"\0",
            b"\0" + token.signature,
            b"\0" * 32 + token.signature + b"\0" * 32,
            token.signature * 2,
        )

    def test_oddSignaturesRS256(self) -> None:
        """
        An empty signature, a longer or shorter one, and zeros are none of RSA's (TK10; O 1).
        """
        token = parseToken(compact(makeSigner("RS256"), {"alg": "RS256"}, {}))

        self.assertWrong(
            token, token.signature[1:], token.signature + b"\0", bytes(256), b"\xff" * 256, b""
        )

    def test_oddSignaturesEd25519(self) -> None:
        """
        One of Ed25519's numbers has one encoding (RFC 8032 section 5.1.7; TK10; O 16).
        """
        signer = makeSigner("EdDSA")
        token = parseToken(compact(signer, {"alg": "EdDSA"}, {}))
        s = int.from_bytes(token.signature[32:], "little")
        numbers = (s + ORDER_ED25519, ORDER_ED25519, 2**256 - 1, 0)
        others = [token.signature[:32] + number.to_bytes(32, "little") for number in numbers]

        for signature in (*others, b"", bytes(64), token.signature[:-1], token.signature + b"\0"):
            with self.assertRaises(MalformedToken, msg=signature.hex()):
                verifySignature(
                    attrs.evolve(token, signature=signature), signer.verifyingKey, "EdDSA"
                )


class KeySetTests(SynchronousTestCase):
    """
    Reading a JWK set.
    """

    def assertLeftOut(self, *members: Any) -> None:
        """
        None of these is a key of ours, and none spoils the one beside it (TK15).
        """
        for member in members:
            keys = keysFromJWKS(keySet(member, makeJWK(kid="good")))
            self.assertEqual([key.kid for key in keys], ["good"], msg=str(member))

    def test_algorithmsByType(self) -> None:
        """
        What a key is for follows from its type and its curve (RFC 7518 section 3.1).
        """
        rsaFamily = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
        cases: list[tuple[Any, set[str]]] = [
            (rsa.generate_private_key(65537, 2048), rsaFamily),
            (ec.generate_private_key(ec.SECP256R1()), {"ES256"}),
            (ec.generate_private_key(ec.SECP384R1()), {"ES384"}),
            (ec.generate_private_key(ec.SECP521R1()), {"ES512"}),
            (ed25519.Ed25519PrivateKey.generate(), {"EdDSA", "Ed25519"}),
        ]
        for private, algorithms in cases:
            key = publicKeyFromPEM(publicPEM(private.public_key()), "1")
            self.assertEqual(key.algorithms, algorithms)
            self.assertEqual(keysFromJWKS(makeJWKS([key])), (key,))

    def test_algorithmNarrows(self) -> None:
        """
        The C{alg} of a JWK leaves it that one, if it is one of the key's at all (TK4; O 17,
        O 18).
        """
        (key,) = keysFromJWKS(keySet(makeJWK("RS256", alg="PS384")))

        self.assertEqual(key.algorithms, {"PS384"})
        self.assertLeftOut(
            makeJWK("RS256", alg="ES256"),
            makeJWK("RS256", alg="RSA-OAEP"),
            makeJWK("ES256", alg="ES384"),
            makeJWK("ES256", alg="HS256"),
            makeJWK("ES256", alg="none"),
            makeJWK("ES256", alg=None),
            makeJWK("ES256", alg=["ES256"]),
        )

    def test_secrets(self) -> None:
        """
        A shared secret is no key, and a private key was published by mistake (TK1; O 17,
        O 18).
        """
        self.assertLeftOut(
            {"kty": "oct", "k": "c2VjcmV0", "kid": "1", "alg": "HS256"},
            makeJWK(k="c2VjcmV0"),
            makeJWK("ES256", d="jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
            makeJWK("EdDSA", d="nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"),
            makeJWK("RS256", d="AQAB"),
        )

    def test_use(self) -> None:
        """
        A key for encrypting, or for anything but verifying, is left out (O 17, O 18).
        """
        self.assertLeftOut(
            makeJWK(use="enc"),
            makeJWK(use=None),
            makeJWK(use=["sig"]),
            makeJWK(key_ops=["encrypt"]),
            makeJWK(key_ops=["sign"]),
            makeJWK(key_ops=[]),
            makeJWK(key_ops="verify"),
            makeJWK(key_ops=None),
        )
        self.assertEqual(len(keysFromJWKS(keySet(makeJWK(key_ops=["sign", "verify"])))), 1)

    def test_weakKeys(self) -> None:
        """
        Keys that are too short, too simple or no points of their curve are left out (TK10; O 17,
        O 18).
        """
        weak = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
        self.assertLeftOut(
            makeJWK("RS256", n=encode(weak.n.to_bytes(128, "big")).decode("ascii")),
            makeJWK("RS256", e="AQ"),
            makeJWK("RS256", e="Ag"),
            makeJWK("RS256", e=""),
            makeJWK("RS256", n=""),
            makeJWK("RS256", n=5),
            makeJWK("ES256", x=makeJWK("ES256")["y"]),
            makeJWK("ES256", x="AA", y="AA"),
            makeJWK("ES256", x=encode(bytes(32)).decode(), y=encode(bytes(32)).decode()),
            makeJWK("ES256", y=None),
            makeJWK("EdDSA", x="AA"),
        )

    def test_ROCA(self) -> None:
        """
        A modulus as certain chips made them is left out, because it can be factored
        (CVE-2017-15361; TK10; O 17, O 18).
        """
        primes = [
            number for number in range(3, 702, 2) if all(number % d for d in range(3, number))
        ]
        modulo = prod([2, *primes])
        # Two factors, each k * M + (65537**a mod M). That they be prime is not needed here.
        factors = [(2**60 + a) * modulo + pow(65537, a, modulo) for a in (1000, 1001)]
        modulus = prod(factors)
        octets = modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")

        self.assertGreaterEqual(modulus.bit_length(), 2048)
        self.assertLeftOut(makeJWK("RS256", n=encode(octets).decode("ascii")))
        with self.assertRaises(UnusableKey):
            publicKeyFromPEM(publicPEM(rsa.RSAPublicNumbers(65537, modulus).public_key()))
        other = rsa.RSAPublicNumbers(65537, modulus + 2).public_key()
        self.assertEqual(publicKeyFromPEM(publicPEM(other)).key, other)

    def test_smallOrder(self) -> None:
        """
        A key of Ed25519 under which anybody can sign is left out, in all its spellings (TK10;
        O 16).
        """
        prime = 2**255 - 19
        order8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
        heights = (0, 1, prime - 1, prime, prime + 1, order8, prime - order8)
        for height in (*heights, *(height | 2**255 for height in heights)):
            octets = height.to_bytes(32, "little")
            self.assertLeftOut(makeJWK("EdDSA", x=encode(octets).decode("ascii")))
            with self.assertRaises(UnusableKey):
                publicKeyFromPEM(publicPEM(ed25519.Ed25519PublicKey.from_public_bytes(octets)), "1")

    def test_otherKinds(self) -> None:
        """
        Types and curves that sign no token of ours are left out (O 17, O 18).
        """
        agree = x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()
        edwards448 = ed448.Ed448PrivateKey.generate().public_key().public_bytes_raw()
        koblitz = ec.generate_private_key(ec.SECP256K1()).public_key().public_numbers()
        self.assertLeftOut(
            makeJWK(kty="AKP"),
            makeJWK(kty="rsa"),
            makeJWK(kty=["EC"]),
            makeJWK(kty=None),
            makeJWK("ES256", kty="RSA"),
            makeJWK("ES256", crv="P-384"),
            makeJWK("ES256", crv="P-192"),
            makeJWK("ES256", crv=None),
            {"kty": "OKP", "crv": "X25519", "x": encode(agree).decode()},
            {"kty": "OKP", "crv": "Ed448", "x": encode(edwards448).decode()},
            {
                "kty": "EC",
                "crv": "secp256k1",
                "x": encode(koblitz.x.to_bytes(32, "big")).decode(),
                "y": encode(koblitz.y.to_bytes(32, "big")).decode(),
            },
        )

    def test_noKeysAtAll(self) -> None:
        """
        Members of the list that are no objects, or whose name is no string, are left out.
        """
        self.assertLeftOut(
            None, 1, "key", [], {}, *(makeJWK() | {"kid": kid} for kid in (1, ["1"], {"a": "b"}))
        )

    def test_twoOfOneName(self) -> None:
        """
        Of two keys with one name neither is used; keys without a name do not disturb each other
        (O 17, O 18).
        """
        first, second = makeJWK("ES256", "same"), makeJWK("EdDSA", "same")
        nameless = [{**jwk, "kid": None} for jwk in (first, second)]

        self.assertLeftOut(first | {"kid": "good", "use": "enc"})
        keys = keysFromJWKS(keySet(first, makeJWK(kid="other"), second, *nameless))
        self.assertEqual([key.kid for key in keys], ["other", None, None])

    def test_limit(self) -> None:
        """
        Whatever comes after the 64th is not looked at, also where those before are no keys.
        """
        good = [makeJWK(kid=str(number)) for number in range(MAX_KEYS + 1)]

        self.assertEqual(len(keysFromJWKS(keySet(*good))), MAX_KEYS)
        self.assertEqual(keysFromJWKS(keySet(*[None] * MAX_KEYS, good[0])), ())

    def test_noSet(self) -> None:
        """
        What is no JWK set at all is said to be none, rather than taken for one without keys.
        """
        for document in (
            b"",
            b"<html>",
            b"null",
            b"[]",
            b"{}",
            b'{"keys":{}}',
            b'{"keys":null}',
            b'{"keys":"x"}',
            b'{"Keys":[]}',
            b'{"keys":[\xff]}',
            b'{"keys":[' + b"9" * 5000 + b"]}",
            b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        ):
            with self.assertRaises(UnusableKey, msg=document[:40]):
                keysFromJWKS(document)
        self.assertEqual(keysFromJWKS(b'{"keys":[]}'), ())

    @given(
        st.lists(
            st.dictionaries(
                st.sampled_from(["kty", "crv", "n", "e", "x", "y", "kid", "alg", "use", "key_ops"]),
                st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "AQAB", "ES256"]) | JSON,
            ),
            max_size=3,
        )
    )
    def test_anyMembers(self, members: list[Any]) -> None:
        """
        No members of a set raise anything.
        """
        for key in keysFromJWKS(keySet(*members)):
            self.assertTrue(key.algorithms <= ALGORITHMS)


class PEMTests(SynchronousTestCase):
    """
    Public keys in PEM.
    """

    def test_written(self) -> None:
        """
        What is written is read again as the same key.
        """
        for algorithm in ("ES256", "RS256", "EdDSA"):
            key = makeSigner(algorithm).verifyingKey

            read = publicKeyFromPEM(publicKeyToPEM(key), "1")

            self.assertEqual((read.kid, read.key), (key.kid, key.key))
            self.assertTrue(key.algorithms <= read.algorithms)

    def test_unusable(self) -> None:
        """
        What is no public key, or none that we would verify with, is refused with a reason.
        """
        ecKey = ec.generate_private_key(ec.SECP256R1())
        # Its algorithm is one of Microsoft's, which the library does not know.
        unknown = (
            b"-----BEGIN PUBLIC KEY-----\n"
            b"MBowDQYJKoZIhvcNAQE/BQADCQAAAAAAAAAAAA==\n"
            b"-----END PUBLIC KEY-----\n"
        )
        for pem in (
            b"",
            b"garbage",
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            unknown,
            ecKey.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            publicPEM(rsa.generate_private_key(65537, 1024).public_key()),
            publicPEM(ec.generate_private_key(ec.SECP256K1()).public_key()),
            publicPEM(x25519.X25519PrivateKey.generate().public_key()),
            publicPEM(ed448.Ed448PrivateKey.generate().public_key()),
        ):
            with self.assertRaises(UnusableKey, msg=pem) as caught:
                publicKeyFromPEM(pem)
            self.assertTrue(str(caught.exception))

    def test_reprShowsNoKey(self) -> None:
        """
        A key is shown by its name and what it is for.
        """
        self.assertEqual(
            repr(makeSigner().verifyingKey),
            "VerifyingKey(kid='1', algorithms=frozenset({'ES256'}))",
        )


class SignerTests(SynchronousTestCase):
    """
    Signing tokens.
    """

    def test_sign(self) -> None:
        """
        What is signed verifies with the other half, and says what it is (RFC 9068 section 2.1).
        """
        for algorithm in ("ES256", "RS256", "EdDSA"):
            signer = makeSigner(algorithm, "7")
            token = parseToken(signer.sign({"sub": "alice"}))

            verifySignature(token, signer.verifyingKey, algorithm)
            self.assertEqual(token.claims, {"sub": "alice"})
            self.assertEqual(token.header, {"alg": algorithm, "typ": "at+jwt", "kid": "7"})

    def test_otherType(self) -> None:
        """
        Other kinds of tokens say what they are.
        """
        token = parseToken(makeSigner().sign({}, type="logout+jwt"))

        self.assertEqual(token.header["typ"], "logout+jwt")

    def test_wrongKeys(self) -> None:
        """
        A key that is none, that is public, locked, or for another algorithm cannot sign.
        """
        private = ec.generate_private_key(ec.SECP256R1())
        locked = private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
        for algorithm, pem in (
            ("ES256", b""),
            ("ES256", publicPEM(private.public_key())),
            ("ES256", locked),
            ("ES256", makePrivateKey("RS256")),
            ("ES384", makePrivateKey("ES256")),
            ("HS256", makePrivateKey("ES256")),
            ("none", makePrivateKey("ES256")),
            (
                "ES256",
                ed448.Ed448PrivateKey.generate().private_bytes(
                    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
                ),
            ),
        ):
            with self.assertRaises(UnusableKey, msg=(algorithm, pem[:60])):
                Signer.fromPEM("1", algorithm, pem)

    def test_makePrivateKey(self) -> None:
        """
        Keys are made for what the server signs with, and for nothing else.
        """
        for algorithm in ("ES384", "HS256", "none", ""):
            with self.assertRaises(UnusableKey, msg=algorithm):
                makePrivateKey(algorithm)

    def test_reprShowsNoKey(self) -> None:
        """
        A signer is shown without its key (LG1).
        """
        self.assertEqual(repr(makeSigner()), "Signer(kid='1', algorithm='ES256')")

    def test_publishedMembers(self) -> None:
        """
        A published key has its public members, what it is for, and nothing else.
        """
        names = {
            "ES256": {"kty", "crv", "x", "y"},
            "RS256": {"kty", "n", "e"},
            "EdDSA": {"kty", "crv", "x"},
        }
        for algorithm, members in names.items():
            jwk = makeJWK(algorithm)

            self.assertEqual(set(jwk), members | {"use", "alg", "kid"})
            self.assertEqual((jwk["use"], jwk["alg"], jwk["kid"]), ("sig", algorithm, "1"))

    def test_publishedWithoutChoice(self) -> None:
        """
        A key that several algorithms may use names none of them, and one without a name has none.
        """
        key = VerifyingKey(
            None, frozenset({"RS256", "PS256"}), makeSigner("RS256").key.public_key()
        )
        (jwk,) = json.loads(makeJWKS([key]))["keys"]

        self.assertEqual(set(jwk), {"kty", "n", "e", "use"})
