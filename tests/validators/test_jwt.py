"""
Tests for L{mailauth.validators.jwt}.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

import attrs
import jwt as pyjwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailauth.errors import ExpiredToken, InvalidToken, Outage
from mailauth.interfaces import IKeySource, ITokenValidator
from mailauth.oauth.jwt import (
    ALGORITHMS,
    MAX_OCTETS,
    Signer,
    VerifyingKey,
    makeJWKS,
    makePrivateKey,
)
from mailauth.oauth.tokens import LEEWAY, AccessToken
from mailauth.validators.claims import MAX_LIFETIME, TrustedIssuer
from mailauth.validators.jwt import JWTValidator
from mailauth.validators.keys import StaticKeys

from ..jose import compact, decode, encode, encodePart, makeJWK, makeSigner

NOW = 1_800_000_000
ISSUER = "https://issuer.example"
AUDIENCE = "mail.example"

HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "1"}
CLAIMS = {
    "iss": ISSUER,
    "sub": "alice@example.test",
    "aud": AUDIENCE,
    "iat": NOW,
    "exp": NOW + 900,
    "jti": "7",
    "client_id": "mail-client",
    "scope": "imap smtp",
}


@implementer(IKeySource)
class CountingKeys:
    """
    A key source that says how often it was asked.

    @ivar asked: with what.
    """

    def __init__(self, keys: IKeySource) -> None:
        self._keys = keys
        self.asked: list[str | None] = []

    def find(self, kid: str | None) -> Deferred[VerifyingKey]:
        """
        Find a key, and count.
        """
        self.asked.append(kid)
        return self._keys.find(kid)


@implementer(IKeySource)
class BrokenKeys:
    """
    A key source that cannot be reached.
    """

    def find(self, kid: str | None) -> Deferred[VerifyingKey]:
        """
        Fail.
        """
        return fail(Outage("the issuer is down"))


def without(members: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """
    The members, but for these.
    """
    return {name: value for name, value in members.items() if name not in names}


class ValidatorTestCase(SynchronousTestCase):
    """
    One issuer, whose key look-ups are counted.
    """

    def setUp(self) -> None:
        """
        Trust the issuer.
        """
        self.now = float(NOW)
        self.signer = makeSigner()
        self.keys = CountingKeys(StaticKeys([self.signer.verifyingKey]))
        self.trusted = TrustedIssuer(ISSUER, self.keys, frozenset({AUDIENCE}))

    def validate(self, token: bytes, *issuers: TrustedIssuer) -> Deferred[AccessToken]:
        """
        Ask a validator that trusts these, or the one issuer.
        """
        return JWTValidator(issuers or [self.trusted], lambda: self.now).validate(token)

    def accept(self, token: bytes, *issuers: TrustedIssuer) -> AccessToken:
        """
        It is valid.
        """
        accepted: AccessToken = self.successResultOf(self.validate(token, *issuers))
        return accepted

    def refuse(self, token: bytes, *issuers: TrustedIssuer) -> InvalidToken:
        """
        It is not.
        """
        failure = self.failureResultOf(self.validate(token, *issuers), InvalidToken)
        error = failure.value
        assert isinstance(error, InvalidToken)
        return error

    def sign(self, header: Any = HEADER, claims: Any = CLAIMS) -> bytes:
        """
        Have the issuer's key sign anything.
        """
        return compact(self.signer, header, claims)

    def acceptClaims(self, *issuers: TrustedIssuer, **claims: Any) -> AccessToken:
        """
        The usual claims, but for these, are valid.
        """
        return self.accept(self.sign(claims={**CLAIMS, **claims}), *issuers)

    def refuseClaims(self, *issuers: TrustedIssuer, **claims: Any) -> InvalidToken:
        """
        The usual claims, but for these, are not.
        """
        return self.refuse(self.sign(claims={**CLAIMS, **claims}), *issuers)


class AcceptedTests(ValidatorTestCase):
    """
    What a good token says.
    """

    def test_interface(self) -> None:
        """
        The validator and the static keys are what they say.
        """
        verifyObject(ITokenValidator, JWTValidator([]))
        verifyObject(IKeySource, StaticKeys([]))

    def test_everything(self) -> None:
        """
        Each claim is found where RFC 9068 puts it.
        """
        token = self.acceptClaims(sid="grant", aud=[AUDIENCE, "https://other.example"])

        self.assertEqual(
            token,
            AccessToken(
                issuer=ISSUER,
                subject="alice@example.test",
                owner="alice@example.test",
                scope=frozenset({"imap", "smtp"}),
                audience=frozenset({AUDIENCE, "https://other.example"}),
                expires=float(NOW + 900),
                issued=float(NOW),
                clientId="mail-client",
                tokenId="7",
                grantId="grant",
                keyId="1",
                bound=False,
            ),
        )

    def test_least(self) -> None:
        """
        A token may leave out who got it, its ids and its scope.
        """
        claims = without(CLAIMS, "jti", "client_id", "scope")

        token = self.accept(self.sign(claims=claims))

        self.assertEqual(token.scope, frozenset())
        self.assertEqual((token.clientId, token.tokenId, token.grantId), (None, None, None))

    def test_algorithms(self) -> None:
        """
        RSA, elliptic curves and Edwards curves are all believed of whoever has such a key.
        """
        for algorithm in ("ES256", "RS256", "EdDSA"):
            self.signer = makeSigner(algorithm)
            self.keys = CountingKeys(StaticKeys([self.signer.verifyingKey]))
            self.trusted = attrs.evolve(self.trusted, keys=self.keys)

            self.accept(self.sign({**HEADER, "alg": algorithm}))

    def test_boundIsSaid(self) -> None:
        """
        A token that is bound to a key (RFC 7800) says so, and the policy decides (TK12).
        """
        self.assertTrue(self.acceptClaims(cnf={"jkt": "x"}).bound)
        self.assertTrue(self.acceptClaims(cnf=None).bound)

    def test_keyThumbprint(self) -> None:
        """
        It says to which key, where that is one that DPoP proves (RFC 9449 section 6.1).
        """
        self.assertEqual(self.acceptClaims(cnf={"jkt": "x"}).keyThumbprint, "x")
        for cnf in (None, "x", {}, {"x5t#S256": "x"}):
            self.assertIsNone(self.acceptClaims(cnf=cnf).keyThumbprint)

    def test_scopes(self) -> None:
        """
        The scope is taken from the first of C{scope}, C{scp} and C{roles} that is there.
        """
        claims = without(CLAIMS, "scope")
        for extra, scope in (
            ({"scope": ""}, set()),
            ({"scope": "imap"}, {"imap"}),
            ({"scope": ["imap", "smtp"]}, {"imap", "smtp"}),
            ({"scp": "IMAP.AccessAsUser.All SMTP.Send"}, {"IMAP.AccessAsUser.All", "SMTP.Send"}),
            ({"scp": ["a"], "roles": ["b"]}, {"a"}),
            ({"roles": ["b"]}, {"b"}),
            ({"scope": "", "scp": "a"}, set()),
        ):
            self.assertEqual(self.accept(self.sign(claims={**claims, **extra})).scope, scope)

    def test_clientOfOthers(self) -> None:
        """
        Where there is no C{client_id}, C{azp} says who got the token.
        """
        claims = {**without(CLAIMS, "client_id"), "azp": "thunderbird"}

        self.assertEqual(self.accept(self.sign(claims=claims)).clientId, "thunderbird")

    def test_usernameClaim(self) -> None:
        """
        The owner is what the configured claim says; the subject stays what it is (TK14).
        """
        issuer = attrs.evolve(self.trusted, usernameClaim="preferred_username")

        token = self.acceptClaims(issuer, sub="8f3e", preferred_username="alice")

        self.assertEqual((token.owner, token.subject), ("alice", "8f3e"))
        self.refuseClaims(issuer)
        self.refuseClaims(issuer, preferred_username="")
        self.refuseClaims(issuer, preferred_username=["alice"])

    def test_verifiedEmail(self) -> None:
        """
        C{email} counts only if the issuer says, with a true boolean, that it verified it (TK14).
        """
        issuer = attrs.evolve(self.trusted, usernameClaim="email")

        token = self.acceptClaims(issuer, email="alice@example.test", email_verified=True)

        self.assertEqual(token.owner, "alice@example.test")
        for verified in (False, None, "true", 1, "yes", [True]):
            self.refuseClaims(issuer, email="alice@example.test", email_verified=verified)
        self.refuseClaims(issuer, email="alice@example.test")
        self.refuseClaims(issuer, email_verified=True)


class HeaderTests(ValidatorTestCase):
    """
    What a header may say, and what is refused before any key is looked for.
    """

    def refuseUnasked(self, *tokens: bytes) -> None:
        """
        They are refused, and nobody looks for a key: it may cost a question over the network.
        """
        for token in tokens:
            self.refuse(token)
        self.assertEqual(self.keys.asked, [])

    def refuseHeaders(self, *headers: Mapping[str, Any]) -> None:
        """
        The usual header, but for these, is refused without looking for a key.
        """
        self.refuseUnasked(*(self.sign({**HEADER, **header}) for header in headers))

    def test_discovery(self) -> None:
        """
        Whatever is wrong with a token of a known issuer, its client learns where that issuer's
        discovery document is; of an issuer who has none, and of nobody's, it learns nothing.
        """
        discovery = "https://id.test/discovery"
        known = attrs.evolve(self.trusted, discovery=discovery)
        tokens = [
            self.sign(claims={**CLAIMS, "exp": NOW - 300}),
            self.sign({**HEADER, "alg": "none"}),
            self.sign(claims={**CLAIMS, "aud": "somebody else"}),
            self.sign()[:-8] + b"AAAAAAAA",
        ]

        for token in tokens:
            self.assertEqual(self.refuse(token, known).openidConfiguration, discovery)
            self.assertIsNone(self.refuse(token).openidConfiguration)
        foreign = self.sign(claims={**CLAIMS, "iss": "https://foreign.example"})
        for token in (foreign, b"no token"):
            self.assertIsNone(self.refuse(token, known).openidConfiguration)

    def test_malformed(self) -> None:
        """
        What is no token costs no look-up (TK7, TK8, TK9, TK11).
        """
        good = self.sign()
        header, claims, signature = good.split(b".")
        self.refuseUnasked(
            b"",
            b"ya29.opaque",
            good + b".",
            good + b"=",
            good + b"A" * MAX_OCTETS,
            b".".join((header, claims, signature, b"", b"")),
            b".".join((header, encode(b"[" * 10_000), signature)),
            self.sign(claims=json.dumps(CLAIMS)[:-1].encode() + b',"iss":"%b"}' % ISSUER.encode()),
        )

    def test_none(self) -> None:
        """
        No spelling of C{none} is an algorithm, with or without a signature (TK2; O 1, O 18).
        """
        spellings: tuple[Any, ...] = ("none", "None", "NONE", "nOnE", " none", "none\0", "", 0, [])
        for none in (*spellings, None, False):
            token = self.sign({**HEADER, "alg": none})
            self.refuseUnasked(token, token.rpartition(b".")[0] + b".")
        self.refuseUnasked(self.sign(without(HEADER, "alg")))

    def test_unsigned(self) -> None:
        """
        A token without a signature is refused, whatever its algorithm would be (O 1).
        """
        for algorithm in ALGORITHMS:
            signed = self.sign({**HEADER, "alg": algorithm}).rpartition(b".")[0]
            self.refuse(signed + b".")
            self.refuse(signed)

    def test_publicKeyAsSecret(self) -> None:
        """
        What anybody may read never is a shared secret, in whatever encoding (TK1; O 2, O 18).
        """
        point = self.signer.key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        secrets = [point, decode(makeJWK()["x"].encode()), b""]
        for name in ("ES256", "RS256", "EdDSA"):
            public = makeSigner(name).key.public_key()
            pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            secrets += [
                pem,
                pem.strip(),
                public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
                public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
                json.dumps(makeJWK(name)).encode(),
                makeJWKS([makeSigner(name).verifyingKey]),
            ]
        for secret in secrets:
            for algorithm in ("HS256", "HS384", "HS512"):
                signed = encodePart({**HEADER, "alg": algorithm}) + b"." + encodePart(CLAIMS)
                hmac = pyjwt.get_algorithm_by_name(algorithm)
                self.refuseUnasked(signed + b"." + encode(hmac.sign(signed, secret)))

    def test_algorithmOfTheIssuer(self) -> None:
        """
        Only what the issuer is said to sign with is looked at, by its exact name (O 3).
        """
        self.refuseHeaders(
            *({"alg": name} for name in ("ES256K", "RS1", "Ed448", "RSA-OAEP", "dir", "es256"))
        )
        self.trusted = attrs.evolve(self.trusted, algorithms=frozenset({"ES256", "RS256"}))

        self.refuseHeaders(*({"alg": name} for name in ("EdDSA", "PS256", "es256", "ES256 ")))
        self.accept(self.sign())

    def test_algorithmOfTheKey(self) -> None:
        """
        A token names its algorithm and does not choose it: it must be one of its key's (TK4; O 3).
        """
        for own in ("ES256", "RS256", "EdDSA"):
            self.signer = makeSigner(own)
            issuer = attrs.evolve(self.trusted, keys=StaticKeys([self.signer.verifyingKey]))
            self.accept(self.sign({**HEADER, "alg": own}), issuer)
            for other in ALGORITHMS - {own}:
                self.refuse(self.sign({**HEADER, "alg": other}), issuer)

    def test_twoPaddingsOfRSA(self) -> None:
        """
        An RSA key verifies both paddings unless its set, or its issuer, says which (TK4; O 3).
        """
        signer = makeSigner("RS256")
        key = attrs.evolve(signer.verifyingKey, algorithms=frozenset({"RS256", "PS256"}))
        both = attrs.evolve(self.trusted, keys=StaticKeys([key]))
        old = compact(signer, {**HEADER, "alg": "RS256"}, CLAIMS)
        new = compact(attrs.evolve(signer, algorithm="PS256"), {**HEADER, "alg": "PS256"}, CLAIMS)
        posing = compact(signer, {**HEADER, "alg": "PS256"}, CLAIMS)

        self.accept(old, both)
        self.accept(new, both)
        self.refuse(posing, both)
        self.refuse(new, attrs.evolve(both, keys=StaticKeys([signer.verifyingKey])))
        self.refuse(new, attrs.evolve(both, algorithms=frozenset({"RS256"})))

    def test_otherCurve(self) -> None:
        """
        ES256 is of P-256 alone: a key of another curve is refused, whatever it signed (O 3).
        """
        private = ec.generate_private_key(ec.SECP384R1())
        key = VerifyingKey("1", frozenset({"ES384"}), private.public_key())
        issuer = attrs.evolve(self.trusted, keys=StaticKeys([key]))
        signed = encodePart(HEADER) + b"." + encodePart(CLAIMS)
        r, s = decode_dss_signature(private.sign(signed, ec.ECDSA(hashes.SHA256())))
        signatures = [
            r.to_bytes(48, "big") + s.to_bytes(48, "big"),
            pyjwt.get_algorithm_by_name("ES384").sign(signed, private),
        ]

        self.accept(
            compact(Signer("1", "ES384", private), {**HEADER, "alg": "ES384"}, CLAIMS), issuer
        )
        for signature in signatures:
            self.refuse(signed + b"." + encode(signature), issuer)

    def test_extensions(self) -> None:
        """
        What changes the meaning of the signature is refused, whatever it says (TK6; O 7, O 8).
        """
        self.refuseHeaders(
            {"crit": ["exp"], "exp": 1},
            {"crit": ["https://example.test/unknown"], "https://example.test/unknown": True},
            {"crit": ["absent"]},
            {"crit": ["b64"], "b64": False},
            {"crit": []},
            {"crit": None},
            {"crit": ["x", "x"]},
            {"b64": False},
            {"b64": True},
            {"zip": "DEF"},
        )

    def test_type(self) -> None:
        """
        Only C{at+jwt} says that it is an access token: everything else is some other kind (TK12;
        O 9).
        """
        for name in ("at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"):
            self.accept(self.sign({**HEADER, "typ": name}))
        self.keys.asked.clear()

        self.refuseHeaders(
            *(
                {"typ": name}
                for name in (
                    "JWT",
                    "id_token",
                    "logout+jwt",
                    "dpop+jwt",
                    "secevent+jwt",
                    "token-introspection+jwt",
                    "rt+jwt",
                    "application/application/at+jwt",
                    "at+jwt ",
                    "",
                    None,
                    1,
                    ["at+jwt"],
                )
            )
        )
        self.refuseUnasked(self.sign(without(HEADER, "typ")))

    def test_withoutType(self) -> None:
        """
        Where an issuer gives its tokens no type, one that has another is none of them (TK12).
        """
        issuer = attrs.evolve(self.trusted, types=frozenset({""}))

        self.accept(self.sign(without(HEADER, "typ")), issuer)
        for name in ("JWT", "at+jwt", "logout+jwt", None, 1):
            self.refuse(self.sign({**HEADER, "typ": name}), issuer)

    def test_defaultScope(self) -> None:
        """
        A token that says nothing of a scope is good for what its issuer's are then; one that says
        that it has none is good for nothing.
        """
        issuer = attrs.evolve(self.trusted, defaultScope=frozenset({"imap"}))

        self.assertEqual(
            self.accept(self.sign(HEADER, without(CLAIMS, "scope"))).scope, frozenset()
        )
        for claims, scope in (
            (without(CLAIMS, "scope"), {"imap"}),
            ({**CLAIMS, "scope": ""}, set()),
            ({**without(CLAIMS, "scope"), "scp": "smtp"}, {"smtp"}),
        ):
            self.assertEqual(self.accept(self.sign(HEADER, claims), issuer).scope, scope)

    def test_subjectClaim(self) -> None:
        """
        Who somebody is to an issuer is in the claim that never changes there, which has to be in
        each token (TK14).
        """
        issuer = attrs.evolve(self.trusted, subjectClaim="oid", external=True)

        token = self.accept(self.sign(HEADER, {**CLAIMS, "oid": "8c5b"}), issuer)

        self.assertEqual((token.subject, token.external), ("8c5b", True))
        for value in ("", None, 1, ["8c5b"], "a\nb"):
            self.refuse(self.sign(HEADER, {**CLAIMS, "oid": value}), issuer)
        self.refuse(self.sign(HEADER, CLAIMS), issuer)

    def test_keycloak(self) -> None:
        """
        Where access tokens have the type of all others, the claim of Keycloak's keeps its refresh
        tokens and its ID tokens out (TK12; O 14).
        """
        issuer = attrs.evolve(self.trusted, types=frozenset({"jwt"}))
        header = {**HEADER, "typ": "JWT"}

        for kind in ("Refresh", "Offline", "ID", "Logout", "Initial", "bearer", "", None, 1):
            self.refuse(self.sign(header, {**CLAIMS, "typ": kind}), issuer)
        self.accept(self.sign(header, {**CLAIMS, "typ": "Bearer"}), issuer)
        self.accept(self.sign(header, CLAIMS), issuer)

    def test_keyId(self) -> None:
        """
        A key id is a string that is compared, and nothing else is ever done with it (TK13; O 6).
        """
        self.refuseHeaders(*({"kid": kid} for kid in (None, 1, ["1"], {"a": "1"}, True)))
        for kid in (
            "",
            "2",
            "1 ",
            "../../../../dev/null",
            "/etc/passwd",
            "1' OR '1'='1",
            "1\0",
            "https://evil.example/jwks.json",
            "x" * 10_000,
        ):
            self.refuse(self.sign({**HEADER, "kid": kid}))
            self.assertEqual(self.keys.asked.pop(), kid)

    def test_keyInTheToken(self) -> None:
        """
        A key that a token brings along is not looked at (TK3; O 4, O 18).
        """
        mallory = Signer.fromPEM("1", "ES256", makePrivateKey())
        (jwk,) = json.loads(makeJWKS([mallory.verifyingKey]))["keys"]
        for brought in (
            {"jwk": jwk},
            {"jwk": {**jwk, "kid": "mallory"}, "kid": "mallory"},
            {"jwk": json.dumps(jwk)},
        ):
            self.refuse(compact(mallory, {**HEADER, **brought}, CLAIMS))
            self.accept(self.sign({**HEADER, **brought, "kid": "1"}))
        self.assertEqual(set(self.keys.asked), {"1", "mallory"})

    def test_addressInTheToken(self) -> None:
        """
        Nobody connects to an address that a token brings along (TK3; O 5).
        """
        mallory = Signer.fromPEM("1", "ES256", makePrivateKey())
        with socket.create_server(("127.0.0.1", 0)) as lurking:
            lurking.setblocking(False)
            address = f"http://127.0.0.1:{lurking.getsockname()[1]}/"
            for brought in (
                {"jku": address + "jwks.json"},
                {"x5u": address + "chain.pem"},
                {"x5c": ["MIIB"], "x5t": "MIIB"},
                {"kid": address + "jwks.json"},
            ):
                self.refuse(compact(mallory, {**HEADER, **brought}, CLAIMS))
                self.accept(self.sign({**HEADER, **brought, "kid": "1"}))
            self.refuseClaims(iss=address, jku=address)
            with self.assertRaises(BlockingIOError):
                lurking.accept()
        self.assertEqual(set(self.keys.asked), {"1", address + "jwks.json"})


class IssuerTests(ValidatorTestCase):
    """
    Whose tokens are believed.
    """

    def test_exactly(self) -> None:
        """
        An issuer is one string, octet for octet, and nobody looks for keys of another (TK5; O 13).
        """
        for name in (
            ISSUER + "/",
            ISSUER.upper(),
            "HTTPS://issuer.example",
            ISSUER[:-1],
            ISSUER + ".evil.example",
            "https://issuer.example:443",
            "issuer.example",
            "",
            None,
            1,
            [ISSUER],
            {ISSUER: 1},
        ):
            self.refuseClaims(iss=name)
        self.refuse(self.sign(claims=without(CLAIMS, "iss")))
        self.assertEqual(self.keys.asked, [])

    def test_oneKeyName(self) -> None:
        """
        Two issuers may give their keys one name: each is verified with its own (TK14; O 13).
        """
        other = makeSigner("ES256", "other")
        theirs = StaticKeys([attrs.evolve(other.verifyingKey, kid="1")])
        issuers = (
            self.trusted,
            TrustedIssuer("https://other.example", theirs, frozenset({AUDIENCE})),
        )

        self.acceptClaims(*issuers)
        self.refuseClaims(*issuers, iss="https://other.example")
        self.refuse(compact(other, HEADER, CLAIMS), *issuers)
        self.accept(compact(other, HEADER, {**CLAIMS, "iss": "https://other.example"}), *issuers)

    def test_outage(self) -> None:
        """
        Keys that cannot be had say nothing about the token.
        """
        for discovery in (None, "https://id.test/discovery"):
            issuer = attrs.evolve(self.trusted, keys=BrokenKeys(), discovery=discovery)

            self.failureResultOf(self.validate(self.sign(), issuer), Outage)

    def test_audienceIsNeeded(self) -> None:
        """
        An issuer without an audience is a mistake in the configuration.
        """
        with self.assertRaises(ValueError):
            TrustedIssuer(ISSUER, self.keys, frozenset())

    def test_secretsCannotBeEnabled(self) -> None:
        """
        No configuration brings back HMAC or C{none} (TK1, TK2).
        """
        for algorithm in ("HS256", "none", "ES256K"):
            with self.assertRaises(ValueError):
                TrustedIssuer(
                    ISSUER, self.keys, frozenset({AUDIENCE}), algorithms=frozenset({algorithm})
                )

    def test_endlessTokensCannotBeEnabled(self) -> None:
        """
        No issuer's tokens may live for longer than a revocation of them is kept (TK17).
        """
        for lifetime in (MAX_LIFETIME + 1, float("inf"), float("nan")):
            with self.assertRaises(ValueError):
                TrustedIssuer(ISSUER, self.keys, frozenset({AUDIENCE}), maxLifetime=lifetime)


class ClaimsTests(ValidatorTestCase):
    """
    What a signed token must say.
    """

    def test_expiry(self) -> None:
        """
        A token ends a leeway after its C{exp}, and then it has expired rather than been wrong
        (O 11).
        """
        self.acceptClaims(exp=NOW - LEEWAY + 1)

        for exp in (NOW - LEEWAY, NOW - LEEWAY - 1, NOW - 100, 0, -5):
            self.assertIsInstance(self.refuseClaims(iat=exp - 10, exp=exp), ExpiredToken)

    def test_expiredAndWrong(self) -> None:
        """
        A token that would be refused anyway is not one that was good once.
        """
        error = self.refuseClaims(exp=NOW - 100, iat=NOW - 200, aud="other")

        self.assertNotIsInstance(error, ExpiredToken)

    def test_notYet(self) -> None:
        """
        Neither C{iat} nor C{nbf} may be further in the future than clocks differ (O 11).
        """
        for name in ("iat", "nbf"):
            self.acceptClaims(**{name: NOW + LEEWAY})
            self.refuseClaims(**{name: NOW + LEEWAY + 1})
        self.refuseClaims(exp=NOW + 9000, nbf=NOW + 3600)

    def test_times(self) -> None:
        """
        A time is a number that exists: no text, no boolean, nothing endless (TK8; O 11).
        """
        values: tuple[Any, ...] = (True, False, None, str(NOW), "", [NOW], {}, 10**400, -(10**400))
        for name in ("exp", "iat", "nbf"):
            for value in values:
                self.refuseClaims(**{name: value})
            for number in (b"1e400", b"-1e400", b"NaN", b"9" * 5000):
                claims = json.dumps(without(CLAIMS, name)).encode()[:-1]
                self.refuse(self.sign(claims=claims + b', "%b": %b}' % (name.encode(), number)))
        self.refuse(self.sign(claims=without(CLAIMS, "exp")))
        self.assertEqual(self.acceptClaims(exp=NOW + 60.5).expires, NOW + 60.5)

    def test_lifetime(self) -> None:
        """
        A token that is good for longer than its issuer's may be is refused (TK17).
        """
        issuer = attrs.evolve(self.trusted, maxLifetime=900.0)

        self.acceptClaims(issuer, exp=NOW + 900)
        self.refuseClaims(issuer, exp=NOW + 900 + LEEWAY + 1)
        self.refuseClaims(issuer, iat=NOW - 900, exp=NOW + 900)
        self.refuseClaims(issuer, iat=0, exp=NOW + 900)
        self.refuseClaims(exp=NOW + MAX_LIFETIME + LEEWAY + 1)
        self.refuseClaims(exp=10**15)

    def test_issuedUnknown(self) -> None:
        """
        A token that does not say when it was issued counts as old as it can be, so that no
        revocation spares it.
        """
        issuer = attrs.evolve(self.trusted, maxLifetime=3600.0)
        claims = without(CLAIMS, "iat")

        token = self.accept(self.sign(claims={**claims, "exp": NOW + 900}), issuer)

        self.assertEqual(token.issued, NOW + 900 - 3600)
        self.refuse(self.sign(claims={**claims, "exp": NOW + 3600 + LEEWAY + 1}), issuer)
        self.accept(self.sign(claims={**claims, "exp": NOW + 0.1 + 0.2}))

    def test_clockSetBack(self) -> None:
        """
        A token from what has become the future is refused, not trusted for longer (TK17; O 30).
        """
        token = self.sign()
        self.accept(token)

        self.now -= 3600

        self.refuse(token)

    def test_audience(self) -> None:
        """
        A token names one of our audiences in full, or it is for somebody else (TK12; O 12).
        """
        for ours in (AUDIENCE, [AUDIENCE], ["https://graph.microsoft.com", AUDIENCE]):
            self.acceptClaims(aud=ours)
        others: tuple[Any, ...] = (
            "mail.example.evil",
            "mail",
            "MAIL.example",
            "mail.example/",
            " mail.example",
            "mail.example other",
            "https://graph.microsoft.com",
            "",
            [],
            None,
            1,
            [AUDIENCE, 1],
            [[AUDIENCE]],
            {AUDIENCE: 1},
        )
        for audience in others:
            self.refuseClaims(aud=audience)
        self.refuse(self.sign(claims=without(CLAIMS, "aud")))

    def test_otherPurposes(self) -> None:
        """
        ID tokens and tokens for Microsoft's Graph are signed by the same key, and are for others:
        their type says so, or their audience does (TK12; O 14).
        """
        idToken = {**without(CLAIMS, "scope"), "aud": "mail-client", "nonce": "n", "at_hash": "h"}
        graph = {**CLAIMS, "aud": "00000003-0000-0000-c000-000000000000", "scp": "Mail.Read"}
        generous = attrs.evolve(self.trusted, types=frozenset({"at+jwt", "jwt"}))

        for claims in (idToken, graph):
            header = {**HEADER, "typ": "JWT", "nonce": "n"}
            self.refuse(self.sign(header, {**claims, "aud": AUDIENCE}))
            self.refuse(self.sign(without(header, "typ"), {**claims, "aud": AUDIENCE}), generous)
            self.refuse(self.sign(header, claims), generous)
            self.accept(self.sign(header, {**claims, "aud": AUDIENCE}), generous)

    def test_clients(self) -> None:
        """
        Where the configuration names the clients, no other one's tokens are good (TK12).
        """
        issuer = attrs.evolve(self.trusted, clients=frozenset({"mail-client"}))

        self.acceptClaims(issuer)
        self.refuseClaims(issuer, client_id="other")
        self.refuse(self.sign(claims=without(CLAIMS, "client_id")), issuer)
        self.refuseClaims(issuer, client_id="other", azp="mail-client")

    def test_strings(self) -> None:
        """
        What becomes a tag, and a line of a log, is printable text (TK8, LG2).
        """
        values: tuple[Any, ...] = (1, True, ["x"], {}, "a\nb", "\0", "\x1b[2J", "\u202eb", "\ud800")
        for name in ("sub", "client_id", "jti", "sid"):
            for value in values:
                self.refuseClaims(**{name: value})
        for nothing in ("", None):
            self.refuseClaims(sub=nothing)
            self.assertIsNone(self.acceptClaims(jti=nothing).tokenId)
        self.refuse(self.sign(claims=without(CLAIMS, "sub")))

    def test_scope(self) -> None:
        """
        A scope that does not follow its grammar opens nothing (RFC 6749 section 3.3).
        """
        scopes: tuple[Any, ...] = (
            "imap  smtp",
            " imap",
            "imap\n",
            'im"ap',
            1,
            None,
            {},
            ["imap", 1],
        )
        for scope in scopes:
            self.refuseClaims(scope=scope)

    def test_reasonsShowNothing(self) -> None:
        """
        No reason quotes the token (LG1).
        """
        secret = "s3cr3t"
        for error in (
            self.refuse(self.sign({**HEADER, "kid": secret})),
            self.refuse(self.sign({**HEADER, "typ": secret})),
            self.refuse(self.sign({**HEADER, "alg": secret})),
            self.refuseClaims(iss=secret),
            self.refuseClaims(aud=secret),
            self.refuseClaims(exp=secret),
            self.refuseClaims(scope=secret + "\n"),
            self.refuseClaims(jti=secret + "\n"),
        ):
            self.assertNotIn(secret, f"{error!r} {error} {error.reason} {error.text!r}")


class StaticKeysTests(SynchronousTestCase):
    """
    A key set that does not change.
    """

    def find(self, keys: list[VerifyingKey], kid: str | None) -> VerifyingKey | None:
        """
        @return: the key, or C{None} if it was refused.
        """
        found = StaticKeys(keys).find(kid)
        if isinstance(found.result, VerifyingKey):
            key: VerifyingKey = self.successResultOf(found)
            return key
        self.failureResultOf(found, InvalidToken)
        return None

    def test_byName(self) -> None:
        """
        A key is found by its name, and one that nobody has is a refusal.
        """
        one, two = makeSigner("ES256", "1").verifyingKey, makeSigner("ES256", "2").verifyingKey

        self.assertIs(self.find([one, two], "2"), two)
        self.assertIsNone(self.find([one, two], "3"))
        self.assertIsNone(self.find([one], "2"))
        self.assertIsNone(self.find([], "1"))

    def test_nameless(self) -> None:
        """
        A token that names no key is taken only where there is nothing to choose (O 17).
        """
        one, two = makeSigner("ES256", "1").verifyingKey, makeSigner("ES256", "2").verifyingKey

        self.assertIs(self.find([one], None), one)
        self.assertIsNone(self.find([one, two], None))
        self.assertIsNone(self.find([], None))

    def test_namelessKey(self) -> None:
        """
        The one key of a PEM file has no name, and is the one that every token names (O 17).
        """
        key = VerifyingKey(None, frozenset({"ES256"}), makeSigner().key.public_key())

        self.assertIs(self.find([key], "whatever"), key)
        self.assertIs(self.find([key], None), key)
        self.assertIsNone(self.find([key, attrs.evolve(key, kid="1")], "whatever"))
