"""
The tokens of Project Wycheproof, made anew with keys and claims of ours: what each of its JOSE
cases tries is tried here. Its key sets are with L{mailauth.oauth.jwt.keysFromJWKS}.
"""

from __future__ import annotations

import json
from typing import Any

import attrs
import jwt as pyjwt

from mailauth.oauth.jwt import Signer, keysFromJWKS
from mailauth.validators.keys import StaticKeys

from ..jose import compact, decode, encode, encodePart, makeJWK, makeSigner
from .test_jwt import CLAIMS, HEADER, NOW, ValidatorTestCase


class TokensTests(ValidatorTestCase):
    """
    Tokens near a good one.
    """

    def trust(self, signer: Signer, **members: Any) -> None:
        """
        Trust that key alone.
        """
        self.signer = signer
        document = {"keys": [makeJWK(signer.algorithm, **members)]}
        keys = StaticKeys(keysFromJWKS(json.dumps(document).encode("ascii")))
        self.trusted = attrs.evolve(self.trusted, keys=keys)

    def test_parts(self) -> None:
        """
        Each part is needed, as it was signed, and there is no other one (O 18).
        """
        for algorithm in ("ES256", "RS256", "EdDSA"):
            self.trust(makeSigner(algorithm))
            good = self.sign({**HEADER, "alg": algorithm})
            header, claims, signature = good.split(b".")
            other = encodePart({**HEADER, "alg": algorithm, "x": 1})
            later = encodePart({**CLAIMS, "exp": NOW + 901})
            changed = encode(bytes([decode(signature)[0] ^ 1]) + decode(signature)[1:])
            self.accept(good)
            for parts in (
                (header, claims, changed),
                (header, claims, b""),
                (header, claims),
                (header, later, signature),
                (header, b"", signature),
                (header, signature),
                (other, claims, signature),
                (b"", claims, signature),
                (claims, signature),
                (b"", claims, b""),
                (claims,),
                (b"",),
                (b"", b"", b""),
                (header, claims, signature, b""),
                (header, claims, signature, signature),
                (b"", header, claims, signature),
            ):
                self.refuse(b".".join(parts))

    def test_serialization(self) -> None:
        """
        JSON is not read, though all that it holds be right (O 15, O 18).
        """
        header, claims, signature = self.sign().decode("ascii").split(".")
        flat = {"protected": header, "signature": signature}

        self.refuse(json.dumps({"payload": claims, **flat}).encode("ascii"))
        self.refuse(json.dumps({"payload": claims, "signatures": [flat]}).encode("ascii"))

    def test_algorithmOfTheKey(self) -> None:
        """
        A key that is for PS512 verifies no other padding and no other hash, whatever the header
        says (O 3, O 18).
        """
        signer = makeSigner("RS256")
        self.trust(signer, alg="PS512")
        for algorithm in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
            signing = pyjwt.get_algorithm_by_name(algorithm)
            for claimed in {algorithm, "PS512"}:
                signed = encodePart({**HEADER, "alg": claimed}) + b"." + encodePart(CLAIMS)
                token = signed + b"." + encode(signing.sign(signed, signer.key))
                if algorithm == "PS512":
                    self.accept(token)
                else:
                    self.refuse(token)

    def test_base64(self) -> None:
        """
        Spaces, other characters, padding and unused bits are no base64url, in no part, whether
        they were signed or not (O 15, O 18).
        """
        header, claims, signature = self.sign().split(b".")
        for odd in (
            b" ",
            b"\t",
            b"\n",
            b"\r\n",
            b"!",
            b"=",
            b"\xc0",
            b"\xff",
            b"\0",
            b"%",
            b"+",
            b"/",
        ):
            for at in (0, 5, -1):
                for place in range(3):
                    parts = [header, claims, signature]
                    part = parts[place]
                    parts[place] = part[:at] + odd + part[at:]
                    self.refuse(b".".join(parts))
                    parts[place] = part[:at] + odd + part[at:][1:]
                    self.refuse(b".".join(parts))
        for text in (claims + b"=", claims[:5] + b" " + claims[5:], claims + b"\n"):
            signed = header + b"." + text
            made = pyjwt.get_algorithm_by_name("ES256").sign(signed, self.signer.key)
            self.refuse(signed + b"." + encode(made))
        self.assertEqual(len(signature) % 4, 2)  # its last character has four unused bits
        unused = bytes([signature[-1] + 1])
        self.refuse(b".".join((header, claims, signature[:-1] + unused)))

    def test_whitespaceInJSON(self) -> None:
        """
        What base64url holds may have white space as any JSON may (O 18).
        """
        for space in ("\t", " ", ""):
            header, claims = (
                f"\r\n{json.dumps(part, indent=space)}\n ".encode("ascii")
                for part in (HEADER, CLAIMS)
            )
            self.accept(self.sign(header, claims))

    def test_mixedSet(self) -> None:
        """
        In a set of secrets and public keys the secrets are none, and each token needs the key that
        it names (O 17, O 18).
        """
        secret = {"kty": "oct", "kid": "secret", "alg": "HS256", "k": encode(b"s" * 32).decode()}
        document = {"keys": [secret, makeJWK("ES256", "1"), makeJWK("RS256", "2")]}
        keys = StaticKeys(keysFromJWKS(json.dumps(document).encode("ascii")))
        self.trusted = attrs.evolve(self.trusted, keys=keys)
        rsa = makeSigner("RS256", "2")

        self.accept(self.sign())
        self.accept(compact(rsa, {**HEADER, "alg": "RS256", "kid": "2"}, CLAIMS))
        self.refuse(compact(rsa, {**HEADER, "alg": "RS256", "kid": "1"}, CLAIMS))
        self.refuse(self.sign({**HEADER, "kid": "2"}))
        signed = encodePart({**HEADER, "alg": "HS256", "kid": "secret"}) + b"." + encodePart(CLAIMS)
        mac = pyjwt.get_algorithm_by_name("HS256").sign(signed, b"s" * 32)
        self.refuse(signed + b"." + encode(mac))
