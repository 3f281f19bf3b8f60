"""
L{mailauth.validators.jwt} beside three implementations of other people's.
"""

from __future__ import annotations

import json
from typing import Any
from warnings import catch_warnings, simplefilter

import attrs
import joserfc.jwk
import joserfc.jwt
import jwcrypto.jwk  # type: ignore[import-untyped]  # it has no annotations
import jwcrypto.jwt  # type: ignore[import-untyped]
import jwt as pyjwt
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import InvalidToken
from mailauth.oauth.jwt import Signer
from mailauth.oauth.tokens import LEEWAY, AccessToken
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.jwt import JWTValidator
from mailauth.validators.keys import StaticKeys

from ..jose import compact, decode, encode, makeJWK, makeSigner
from .test_jwt import AUDIENCE, CLAIMS, HEADER, ISSUER, NOW

# One token after the other is quickly asked for: five times as many as usual, in the soak, too.
EXAMPLES = settings(max_examples=5 * settings().max_examples)

SIGNERS = [makeSigner(algorithm) for algorithm in ("ES256", "RS256", "EdDSA")]
NAMES = ["ES256", "RS256", "PS256", "EdDSA", "Ed25519", "none", "HS256", "es256"]
TEXTS = [ISSUER, AUDIENCE, "at+jwt", "application/at+jwt", "JWT", "1", "", ISSUER + "/", "imap"]
NUMBERS = [NOW, NOW - 29, NOW - 31, NOW + 29, NOW + 31, NOW + 900, NOW + 0.5, 0, -1, 2**64, 1e300]
SNIPPETS = [b'"', b",", b":", b"{", b"}", b"[", b"]", b" ", b"\\u0061", b"1", b"e9", b".", b"null"]

scalars = st.sampled_from([*NAMES, *TEXTS, *NUMBERS, None, True, False])
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from(TEXTS), scalars)
otherHeaders = st.dictionaries(
    st.sampled_from(["alg", "typ", "kid", "crit", "b64", "zip", "jwk", "jku", "x5c", "cty"]), values
)
otherClaims = st.dictionaries(
    st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "typ", "cnf"]),
    values,
)


def mutate(draw: st.DrawFn, octets: bytes) -> bytes:
    """
    Change a few octets.
    """
    changed = bytearray(octets)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(changed)))
        width = draw(st.integers(0, 2))
        changed[at : at + width] = draw(st.sampled_from(SNIPPETS) | st.binary(max_size=2))
    return bytes(changed)


def spoil(draw: st.DrawFn, signature: bytes) -> bytes:
    """
    Make another signature out of one.
    """
    half = len(signature) // 2
    first, second = signature[:half], signature[half:]
    return draw(
        st.sampled_from([signature, second + first, first + bytes(half), bytes(half) + second])
        | st.just(signature).map(lambda octets: octets.lstrip(b"\0")[1:])
        | st.just(mutate(draw, signature))
    )


@st.composite
def tokens(draw: st.DrawFn) -> tuple[Signer, bytes]:
    """
    A signer, and a token near a good one of its: with other members, with other octets before it
    was signed, or after.
    """
    signer = draw(st.sampled_from(SIGNERS))
    header: dict[str, Any] = {**HEADER, "alg": signer.algorithm}
    claims: dict[str, Any] = dict(CLAIMS)
    if draw(st.booleans()):
        header |= draw(otherHeaders)
    if draw(st.booleans()):
        claims |= draw(otherClaims)
    parts = [json.dumps(part).encode("ascii") for part in (header, claims)]
    if draw(st.booleans()):
        parts = [mutate(draw, part) for part in parts]
    token = compact(signer, *parts)
    match draw(st.sampled_from(["as signed", "octets", "signature"])):
        case "octets":
            token = mutate(draw, token)
        case "signature":
            signed, _, signature = token.rpartition(b".")
            token = signed + b"." + encode(spoil(draw, decode(signature)))
    return signer, token


def joserfcAccepts(signer: Signer, token: bytes) -> bool:
    """
    Ask joserfc.
    """
    registry = joserfc.jwt.JWTClaimsRegistry(
        now=NOW,
        leeway=int(LEEWAY),
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )
    key = joserfc.jwk.import_key(makeJWK(signer.algorithm))
    with catch_warnings():
        simplefilter("ignore")  # "EdDSA is deprecated via RFC 9864"
        try:
            registry.validate(joserfc.jwt.decode(token, key, [signer.algorithm]).claims)
        except Exception:  # whatever it raises, it does not accept
            return False
    return True


def jwcryptoAccepts(signer: Signer, token: bytes) -> bool:
    """
    Ask jwcrypto, which has no clock but the machine's: the limit for C{exp} is given.
    """
    theirs = jwcrypto.jwt.JWT(
        algs=[signer.algorithm],
        check_claims={"iss": ISSUER, "aud": AUDIENCE, "exp": NOW - LEEWAY},
        expected_type="JWS",
    )
    try:
        key = jwcrypto.jwk.JWK(**makeJWK(signer.algorithm))
        theirs.deserialize(token.decode("ascii"), key)
    except Exception:
        return False
    return True


class DifferentialTests(SynchronousTestCase):
    """
    What others refuse is not accepted here.
    """

    def validate(self, signer: Signer, token: bytes) -> AccessToken | None:
        """
        @return: what we make of the token, or C{None} if it is refused: nothing else may happen.
        """
        keys = StaticKeys([signer.verifyingKey])
        issuer = TrustedIssuer(ISSUER, keys, frozenset({AUDIENCE}))
        validated = JWTValidator([issuer], lambda: NOW).validate(token)
        if isinstance(validated.result, AccessToken):
            accepted: AccessToken = self.successResultOf(validated)
            return accepted
        self.failureResultOf(validated, InvalidToken)
        return None

    def test_examples(self) -> None:
        """
        All three accept a good token, and none a changed one, one for somebody else, one of
        somebody else, or one that has expired: asking them means something.
        """
        for signer in SIGNERS:
            header = {**HEADER, "alg": signer.algorithm}
            good = compact(signer, header, CLAIMS)
            bad = [
                good[:-8] + b"AAAAAAAA",
                compact(signer, header, {**CLAIMS, "aud": "other.example"}),
                compact(signer, header, {**CLAIMS, "iss": ISSUER + "/"}),
                compact(signer, header, {**CLAIMS, "exp": NOW - LEEWAY - 1, "iat": NOW - 900}),
                compact(
                    attrs.evolve(signer, key=makeSigner(signer.algorithm, "2").key), header, CLAIMS
                ),
            ]
            for accepts in (self.validate, joserfcAccepts, jwcryptoAccepts):
                self.assertTrue(accepts(signer, good), (accepts, signer))
                for token in bad:
                    self.assertFalse(accepts(signer, token), (accepts, signer, token))

    @EXAMPLES
    @given(tokens())
    def test_whatBothRefuse(self, signed: tuple[Signer, bytes]) -> None:
        """
        Nothing is accepted that joserfc and jwcrypto both refuse (O 19).
        """
        signer, token = signed
        if self.validate(signer, token) is None:
            return

        self.assertTrue(joserfcAccepts(signer, token) or jwcryptoAccepts(signer, token))

    @EXAMPLES
    @given(tokens())
    def test_neverMoreLenient(self, signed: tuple[Signer, bytes]) -> None:
        """
        Whatever we accept, PyJWT accepts with the same key and for the same audience, and reads
        as we do.
        """
        signer, token = signed
        ours = self.validate(signer, token)
        if ours is None:
            return

        theirs = pyjwt.decode(
            token,
            signer.key.public_key(),
            algorithms=[signer.algorithm],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
        self.assertEqual((ours.subject, ours.issuer), (theirs["sub"], theirs["iss"]))
        self.assertEqual(ours.expires, theirs["exp"])
