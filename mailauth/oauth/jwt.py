"""
JSON Web Tokens (RFC 7519, 7515, 7517): the one place that speaks JOSE. Owns what a well-formed
token and a usable key are; whether a token is to be believed is a validator's question.

PyJWT does the signatures. Everything else it would do is done here, more strictly: it keeps the
last of two members of one name, warns about keys that are too short, and lets a token choose among
all algorithms that fit the type of a key.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from typing import Any

import attrs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt.algorithms import (
    Algorithm,
    ECAlgorithm,
    OKPAlgorithm,
    RSAAlgorithm,
    RSAPSSAlgorithm,
    get_default_algorithms,
)

MAX_OCTETS = 16 * 1024
MAX_BRACKETS = 256  # two for each client in a token of Keycloak's
MAX_KEYS = 64
MAX_TIME = 2**53  # every whole number up to it is exact in a float
MIN_RSA_BITS = 2048

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_EDWARDS = ("EdDSA", "Ed25519")  # the second is RFC 9864's name for what the first is here

_ALGORITHMS: dict[str, Algorithm] = {
    name: algorithm
    for name, algorithm in get_default_algorithms().items()
    if isinstance(algorithm, (RSAAlgorithm, RSAPSSAlgorithm, ECAlgorithm, OKPAlgorithm))
}
_ALGORITHMS["Ed25519"] = _ALGORITHMS["EdDSA"]

ALGORITHMS = frozenset((*_RSA, *_CURVES.values(), *_EDWARDS))
"""
What can be verified at all. No HMAC, and no C{none}: a key that anybody may read must never be a
secret (TK1, TK2).
"""

REFUSED_HEADERS = frozenset({"crit", "b64", "zip"})
"""
Headers that change what the rest of a token means (TK6).
"""

# The points of Ed25519 whose order divides 8, by their y: there are signatures that any message
# has under them, and OpenSSL takes them for keys (TK10).
_ED25519_PRIME = 2**255 - 19
_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset({0, 1, _ED25519_PRIME - 1, _OF_ORDER_8, _ED25519_PRIME - _OF_ORDER_8})

# What 65537 generates modulo small primes. Chips of Infineon's made RSA keys whose modulus is in
# each of these groups, and whose factors can be found (ROCA, CVE-2017-15361). Of the moduli of
# others, one in 240 million is.
_OF_INFINEON = {
    prime: frozenset(pow(65537, exponent, prime) for exponent in range(prime))
    for prime in (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
}

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class MalformedToken(Exception):
    """
    The octets are no JWT that we would read. The message quotes nothing of it.
    """


class UnusableKey(Exception):
    """
    A key, or a key set, that we would not verify with. The message says why.
    """


@attrs.frozen
class UnverifiedToken:
    """
    A token taken apart. Nothing in it may be believed before L{verifySignature}.

    @ivar header: the JOSE header.
    @ivar claims: the payload.
    @ivar signed: the octets that the signature covers.
    @ivar signature: its octets.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any] = attrs.field(repr=False)
    signed: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)


@attrs.frozen
class VerifyingKey:
    """
    A public key and the algorithms it may be used with: a token names one, but does not choose
    (TK4).

    @ivar kid: its name in its set, or C{None}.
    """

    kid: str | None
    algorithms: frozenset[str]
    key: PublicKey = attrs.field(repr=False)


def parseToken(token: bytes) -> UnverifiedToken:
    """
    Take a JWS in compact serialization apart (RFC 7515 section 7.1).

    @raise MalformedToken: it is too large, has not three parts, is not canonical base64url, or
        its header or payload is not one JSON object with distinct names.
    """
    if len(token) > MAX_OCTETS:
        raise MalformedToken("the token is too large")
    parts = token.split(b".")
    if len(parts) != 3:
        raise MalformedToken("the token does not have three parts")
    header, claims, signature = parts
    return UnverifiedToken(
        _parseHeader(header),
        parseObject(_decode(claims)),
        token[: len(header) + 1 + len(claims)],
        _decode(signature),
    )


@lru_cache(maxsize=64)
def _parseHeader(part: bytes) -> Mapping[str, Any]:
    """
    An issuer writes one header on all the tokens that it signs with one key.
    """
    return parseObject(_decode(part))


def _decode(part: bytes) -> bytes:
    """
    Undo base64url without padding (RFC 7515 section 2). Encoding the result again is the check:
    there must be one text only for each token (TK7).
    """
    text = part.translate(_BASE64) + b"=" * (-len(part) % 4)
    try:
        decoded = a2b_base64(text)
    except Error:
        raise MalformedToken("the token is not base64url") from None
    if b2a_base64(decoded, newline=False) != text:
        raise MalformedToken("the token is not canonical base64url")
    return decoded


# From base64url to base64; what is of base64 alone becomes what is of neither.
_BASE64 = bytes.maketrans(b"-_+/=", b"+/***")


def parseObject(text: bytes) -> Mapping[str, Any]:
    """
    Read a JSON object as strictly as a token is read: its names are distinct, its numbers are
    numbers, and it is not nested without end (TK8, TK9).

    @raise MalformedToken: it is none.
    """
    # Each level of nesting costs a bracket: no need to parse to find out that it is too deep.
    if text.count(b"[") + text.count(b"{") > MAX_BRACKETS:
        raise MalformedToken("the token's JSON is too complex")
    try:
        value = _JSON.decode(text.decode("utf-8"))
    except ValueError:
        raise MalformedToken("the token is not JSON") from None
    if not isinstance(value, dict):
        raise MalformedToken("a part of the token is no JSON object")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedToken("the token has two members of one name")
    return members


def _refuseConstant(name: str) -> Any:
    raise MalformedToken("the token has a number that JSON does not know")


_JSON = json.JSONDecoder(object_pairs_hook=_distinct, parse_constant=_refuseConstant)


def algorithmOf(token: UnverifiedToken, *types: str | None) -> str:
    """
    The algorithm that a token says it is signed with.

    @param types: the C{typ} that it has to have, so that none is taken for another (RFC 8725
        section 3.11); C{None} if it may have none.
    @raise MalformedToken: the algorithm is none of ours, or the header is not one of such a token.
    """
    header = token.header
    if header.get("typ") not in types:
        raise MalformedToken("a token of another type")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise MalformedToken("an algorithm that needs no private key, or an unknown one")
    if not header.keys().isdisjoint(REFUSED_HEADERS):
        raise MalformedToken("a header that changes what the signature means")
    return algorithm


def verifySignature(token: UnverifiedToken, key: VerifyingKey, algorithm: str) -> None:
    """
    Return if the signature is that of the key (RFC 7515 section 5.2).

    @raise MalformedToken: it is not, or the key is not for this algorithm.
    """
    if algorithm not in key.algorithms:
        raise MalformedToken("the algorithm is not one of the key's")
    if not _ALGORITHMS[algorithm].verify(token.signed, key.key, token.signature):
        raise MalformedToken("the signature is wrong")


def timeOf(claims: Mapping[str, Any], name: str) -> float | None:
    """
    A NumericDate of a token (RFC 7519 section 2).

    @return: in seconds since the epoch, C{None} if it is missing.
    @raise MalformedToken: it is no number, or so large that it is no time.
    """
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_TIME:
        raise MalformedToken(f"{name} is no time")
    return float(value)


def publicKeyFromPEM(pem: bytes, kid: str | None = None) -> VerifyingKey:
    """
    Read a public key in PEM (RFC 7468 section 13).

    @raise UnusableKey: it is none, or too weak.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey(f"not a public key in PEM: {error}") from None
    return VerifyingKey(kid, _algorithmsOf(key), key)  # type: ignore[arg-type]  # checked there


def publicKeyToPEM(key: VerifyingKey) -> bytes:
    """
    Write a public key in PEM (RFC 7468 section 13).
    """
    return key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def keysFromJWKS(document: bytes) -> tuple[VerifyingKey, ...]:
    """
    Read a JWK set (RFC 7517 section 5). A key that we cannot use never spoils the set: it is left
    out, as are both of two keys with one name, and whatever comes after the 64th.

    @raise UnusableKey: it is not a JWK set at all.
    """
    try:
        members = json.loads(document)["keys"]
        if not isinstance(members, list):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnusableKey("not a JWK set: a JSON object with a list named 'keys'") from None
    keys = []
    for member in members[:MAX_KEYS]:
        with suppress(UnusableKey):
            keys.append(keyFromJWK(member))
    names = [key.kid for key in keys]
    return tuple(key for key in keys if key.kid is None or names.count(key.kid) == 1)


def keyFromJWK(jwk: Any) -> VerifyingKey:
    """
    Read a public key (RFC 7517 section 4).

    @param jwk: as parsed from JSON.
    @raise UnusableKey: it is none, or private, or too weak, or for something else.
    """
    if not isinstance(jwk, dict) or not jwk.keys().isdisjoint(_PRIVATE_MEMBERS):
        raise UnusableKey("not a public key")
    kid = jwk.get("kid")
    operations = jwk.get("key_ops", ["verify"])
    if (
        not isinstance(kid, str | None)
        or jwk.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
    ):
        raise UnusableKey("a key that is not for verifying signatures")
    algorithm = _KEY_TYPES.get(str(jwk.get("kty")))
    if algorithm is None:
        raise UnusableKey("a key of an unknown type")
    try:
        key = algorithm.from_jwk(jwk)
    except Exception:
        # PyJWT and cryptography raise many things here; whatever it was, the key is no key.
        raise UnusableKey("not a key") from None
    algorithms = _algorithmsOf(key)
    if "alg" in jwk:
        algorithms &= {jwk["alg"]} if isinstance(jwk["alg"], str) else frozenset()
        if not algorithms:
            raise UnusableKey("a key for an algorithm that is not one of its type")
    return VerifyingKey(kid, algorithms, key)


_KEY_TYPES: dict[str, Any] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}

# RFC 7518 section 6.2.2, 6.3.2 and 6.4.1.
_PRIVATE_MEMBERS = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth"})


def thumbprint(key: VerifyingKey) -> str:
    """
    What a key is known by, whoever names it (RFC 7638 section 3): it is made of the key itself, and
    not of how somebody wrote it.
    """
    members = _publicMembers(key)
    required = {name: members[name] for name in _REQUIRED_MEMBERS if name in members}
    text = json.dumps(required, separators=(",", ":"))
    return _encode(sha256(text.encode("ascii")).digest()).decode("ascii")


# Of all types of keys, in the order of their names.
_REQUIRED_MEMBERS = ("crv", "e", "kty", "n", "x", "y")


def _publicMembers(key: VerifyingKey) -> dict[str, Any]:
    members: dict[str, Any] = _ALGORITHMS[min(key.algorithms)].to_jwk(key.key, as_dict=True)
    return members


def _algorithmsOf(key: Any) -> frozenset[str]:
    """
    What a key may be used with, by its type and curve (RFC 7518 section 3.1, RFC 8037, RFC 9864).
    """
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            raise UnusableKey(f"an RSA key of {key.key_size} bits; {MIN_RSA_BITS} are needed")
        modulus = key.public_numbers().n
        if all(modulus % prime in powers for prime, powers in _OF_INFINEON.items()):
            raise UnusableKey("an RSA key whose factors can be found (ROCA)")
        return frozenset(_RSA)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return frozenset({_CURVES[key.curve.name]})
    if isinstance(key, ed25519.Ed25519PublicKey):
        encoded = int.from_bytes(key.public_bytes(Encoding.Raw, PublicFormat.Raw), "little")
        if encoded % 2**255 % _ED25519_PRIME in _SMALL_ORDER:
            raise UnusableKey("an Ed25519 key that verifies what nobody signed")
        return frozenset(_EDWARDS)
    raise UnusableKey("a kind of key that is not for signing tokens")


# Signing


def makePrivateKey(algorithm: str = "ES256") -> bytes:
    """
    Make a key to sign with.

    @param algorithm: C{"ES256"}, C{"RS256"} or C{"EdDSA"}.
    @return: the private key in PKCS #8, PEM.
    @raise UnusableKey: no key is made for that algorithm.
    """
    key: PrivateKey
    if algorithm == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
    elif algorithm == "RS256":
        key = rsa.generate_private_key(65537, MIN_RSA_BITS)
    elif algorithm == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        raise UnusableKey(f"no key can be made for {algorithm}: use ES256, RS256 or EdDSA")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@attrs.frozen
class Signer:
    """
    A private key that signs with one algorithm.
    """

    kid: str
    algorithm: str
    key: Any = attrs.field(repr=False)

    @classmethod
    def fromPEM(cls, kid: str, algorithm: str, pem: bytes) -> Signer:
        """
        @param pem: the private key in PKCS #8, PEM.
        @raise UnusableKey: it is none, or not for this algorithm.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UnusableKey("not a private key in PEM without a pass phrase") from None
        if algorithm not in _algorithmsOf(key.public_key()):
            raise UnusableKey(f"the key is not one for {algorithm}")
        return cls(kid, algorithm, key)

    @property
    def verifyingKey(self) -> VerifyingKey:
        """
        The other half.
        """
        return VerifyingKey(self.kid, frozenset({self.algorithm}), self.key.public_key())

    def sign(self, claims: Mapping[str, Any], type: str = "at+jwt") -> bytes:
        """
        Make a token (RFC 7515 section 5.1).

        @param type: its C{typ} (RFC 9068 section 2.1).
        """
        signed = b".".join((_encodeHeader(self.algorithm, type, self.kid), _encodeObject(claims)))
        signature = _ALGORITHMS[self.algorithm].sign(signed, self.key)
        return signed + b"." + _encode(signature)


def makeJWKS(keys: Iterable[VerifyingKey]) -> bytes:
    """
    Write a JWK set (RFC 7517 section 5), public members only.
    """
    members = []
    for key in keys:
        algorithm, *others = sorted(key.algorithms)
        member = {**_publicMembers(key), "use": "sig"}
        member.pop("key_ops", None)
        if not others:
            member["alg"] = algorithm
        if key.kid is not None:
            member["kid"] = key.kid
        members.append(member)
    return json.dumps({"keys": members}).encode("ascii")


def _encode(octets: bytes) -> bytes:
    return urlsafe_b64encode(octets).rstrip(b"=")


@lru_cache(maxsize=64)
def _encodeHeader(algorithm: str, type: str, kid: str) -> bytes:
    """
    A key writes one header on all the tokens of one type.
    """
    return _encodeObject({"alg": algorithm, "typ": type, "kid": kid})


def _encodeObject(members: Mapping[str, Any]) -> bytes:
    return _encode(_writeText(members).encode("utf-8"))


_writeText = json.JSONEncoder(separators=(",", ":")).encode
