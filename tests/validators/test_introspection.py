"""
Tests for L{mailauth.validators.introspection}.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import attrs
from twisted.internet.defer import succeed
from twisted.logger import capturedLogs, formatEvent
from zope.interface.verify import verifyObject

from mailauth.caches.memory import MemoryCache
from mailauth.errors import ExpiredToken, InvalidToken, Outage
from mailauth.interfaces import ITokenValidator
from mailauth.oauth.assertions import ASSERTION_TYPE, claimedClient, verifyAssertion
from mailauth.oauth.jwt import MAX_OCTETS, Signer, makeJWKS
from mailauth.oauth.records import Client
from mailauth.oauth.tokens import LEEWAY, AccessToken
from mailauth.validators._http import Fetched, NotFetchable
from mailauth.validators.caching import CachingValidator
from mailauth.validators.claims import TrustedIssuer
from mailauth.validators.clientauthentication import ClientKey, ClientSecret, Proof
from mailauth.validators.introspection import IntrospectionValidator
from mailauth.validators.keys import FetchedKeys, StaticKeys

from ..jose import compact, makeSigner
from .web import (
    AUDIENCE,
    CONFIGURATION,
    EPOCH,
    GARBAGE,
    ISSUER,
    JWKS,
    METADATA,
    WebTestCase,
    answer,
    jwks,
)

ENDPOINT = f"{ISSUER}/introspect"
TOKEN = b"opaque-token.of~somebody+else/s=="
SECRET = ClientSecret("mail server", "s3cret/ä%:")

ACTIVE: dict[str, Any] = {
    "active": True,
    "token_type": "Bearer",
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "alice@example.test",
    "client_id": "mail-client",
    "scope": "imap smtp",
    "iat": EPOCH,
    "exp": EPOCH + 900,
    "jti": "7",
}


class IntrospectionTestCase(WebTestCase):
    """
    An issuer with an introspection endpoint.
    """

    signed = False

    def setUp(self) -> None:
        """
        Every token is active.
        """
        super().setUp()
        self.locate = partial(self.discovery.locate, "introspection_endpoint")
        self.web.says[JWKS] = jwks(makeSigner())
        keys = FetchedKeys(
            ISSUER, partial(self.discovery.locate, "jwks_uri"), self.web.get, self.clock.seconds
        )
        self.issuer = TrustedIssuer(ISSUER, keys, frozenset({AUDIENCE}))
        self.validator = self.makeValidator()
        self.says(ACTIVE)

    def makeValidator(self, authentication: Any = SECRET, **changes: Any) -> IntrospectionValidator:
        """
        Whoever asks the issuer.
        """
        return IntrospectionValidator(
            attrs.evolve(self.issuer, **changes),
            self.locate,
            self.web.post,
            authentication,
            self.signed,
            self.now,
        )

    def says(self, document: Any, status: int = 200) -> None:
        """
        The endpoint answers so.
        """
        self.web.says[ENDPOINT] = answer(document, status)

    def accepted(self, document: Any = ACTIVE) -> AccessToken:
        """
        The token is what the endpoint says.
        """
        self.says(document)
        token = self.found(self.validator.validate(TOKEN))
        assert isinstance(token, AccessToken)
        return token

    def refused(self, document: Any) -> InvalidToken:
        """
        It is refused for what the endpoint says.
        """
        self.says(document)
        return self.invalid(self.validator.validate(TOKEN))


class IntrospectionTests(IntrospectionTestCase):
    """
    L{IntrospectionValidator}.
    """

    def test_interface(self) -> None:
        """
        It is a validator.
        """
        verifyObject(ITokenValidator, self.validator)

    def test_everything(self) -> None:
        """
        The answer says what a token of the same claims would say.
        """
        self.assertEqual(
            self.accepted(),
            AccessToken(
                issuer=ISSUER,
                subject="alice@example.test",
                owner="alice@example.test",
                scope=frozenset({"imap", "smtp"}),
                audience=frozenset({AUDIENCE}),
                expires=float(EPOCH + 900),
                issued=float(EPOCH),
                clientId="mail-client",
                tokenId="7",
            ),
        )

    def test_request(self) -> None:
        """
        The token is in the form, and we are in the header, encoded as RFC 6749 section 2.3.1 has
        it: it is in no address.
        """
        self.accepted()

        asked = self.web.asked[-1]
        self.assertEqual(asked.address, ENDPOINT)
        self.assertEqual(
            asked.form, {"token": [TOKEN.decode()], "token_type_hint": ["access_token"]}
        )
        # "mail+server:s3cret%2F%C3%A4%25%3A"
        self.assertEqual(
            asked.headers,
            {
                "Accept": "application/json",
                "Authorization": "Basic bWFpbCtzZXJ2ZXI6czNjcmV0JTJGJUMzJUE0JTI1JTNB",
            },
        )

    def test_privateKey(self) -> None:
        """
        Or we prove who we are with a key, each time anew (RFC 7523): for this issuer alone.
        """
        signer = makeSigner(kid="ours")

        async def find() -> Signer:
            return signer

        self.validator = self.makeValidator(ClientKey("mail", ISSUER, find, self.now))
        self.accepted()
        self.accepted()

        client = Client("mail", "", jwks=makeJWKS([signer.verifyingKey]).decode())
        ids = set()
        for asked in self.web.asked[-2:]:
            assert asked.form is not None
            self.assertEqual(asked.form["client_id"], ["mail"])
            self.assertEqual(asked.form["client_assertion_type"], [ASSERTION_TYPE])
            (assertion,) = asked.form["client_assertion"]
            self.assertEqual(claimedClient(assertion), "mail")
            ids.add(verifyAssertion(assertion, client, ISSUER, self.now()).jti)
            self.assertNotIn("Authorization", asked.headers)
        self.assertEqual(len(ids), 2)

    def test_noKey(self) -> None:
        """
        Whoever has nothing to prove with cannot ask.
        """

        async def find() -> Signer:
            raise Outage("no key")

        self.validator = self.makeValidator(ClientKey("mail", ISSUER, find))

        self.outage(self.validator.validate(TOKEN))
        self.assertEqual(self.web.count(ENDPOINT), 0)

    def test_inactive(self) -> None:
        """
        A token that is not active is refused, whatever else is said of it.
        """
        self.refused({"active": False})
        self.refused({**ACTIVE, "active": False})

    def test_exactlyTrue(self) -> None:
        """
        Active is exactly C{true}. Whoever says something else says nothing (TK19; O 28).
        """
        for active in ("true", "True", 1, 1.0, [True], {"active": True}, "false", 0, None, ""):
            self.says({**ACTIVE, "active": active})
            self.outage(self.validator.validate(TOKEN))
        self.says({name: value for name, value in ACTIVE.items() if name != "active"})
        self.outage(self.validator.validate(TOKEN))
        self.says(json.dumps(ACTIVE).encode()[:-1] + b', "active": true}')
        self.outage(self.validator.validate(TOKEN))

    def test_otherAudience(self) -> None:
        """
        A token that is active for somebody else is not for us, nor one that is for nobody (TK19).
        """
        for audience in ("other.example", [], ["other.example"], f"{AUDIENCE}.evil", None, 7):
            self.refused({**ACTIVE, "aud": audience})
        self.refused({name: value for name, value in ACTIVE.items() if name != "aud"})
        self.accepted({**ACTIVE, "aud": ["other.example", AUDIENCE]})

    def test_otherIssuer(self) -> None:
        """
        The answer may leave out the issuer, which we asked, but not name another (TK5, TK19).
        """
        self.accepted({name: value for name, value in ACTIVE.items() if name != "iss"})
        for issuer in (f"{ISSUER}/", "https://other.example", ISSUER.upper(), None, [ISSUER]):
            self.refused({**ACTIVE, "iss": issuer})

    def test_claims(self) -> None:
        """
        The claims have to be as those of a token: an end, a person, a client that is allowed (TK8,
        TK19).
        """
        for name, value in (
            ("exp", None),
            ("exp", True),
            ("exp", str(EPOCH + 900)),
            ("exp", EPOCH + 10**9),
            ("iat", EPOCH + LEEWAY + 1),
            ("nbf", EPOCH + LEEWAY + 1),
            ("sub", ""),
            ("sub", None),
            ("sub", "a\nb"),
            ("scope", 7),
            ("typ", "Refresh"),
            ("typ", "ID"),
        ):
            self.refused({**ACTIVE, name: value})
        self.validator = self.makeValidator(clients=frozenset({"other"}))
        self.refused(ACTIVE)
        self.validator = self.makeValidator(usernameClaim="username")
        self.refused(ACTIVE)
        self.assertEqual(self.accepted({**ACTIVE, "username": "alice"}).owner, "alice")

    def test_expired(self) -> None:
        """
        One that has expired although it is said to be active was good once.
        """
        error = self.refused({**ACTIVE, "iat": EPOCH - 900, "exp": EPOCH - LEEWAY})

        self.assertIsInstance(error, ExpiredToken)

    def test_tokenType(self) -> None:
        """
        A refresh token is active, too, and opens nothing; one that is bound to a key says to which
        (TK12).
        """
        for type in ("refresh_token", "urn:ietf:params:oauth:token-type:refresh_token", "N_A", 7):
            self.refused({**ACTIVE, "token_type": type})
        self.refused({**ACTIVE, "token_type": "DPoP"})
        self.accepted({**ACTIVE, "token_type": "bearer"})
        self.accepted({name: value for name, value in ACTIVE.items() if name != "token_type"})
        bound = self.accepted({**ACTIVE, "token_type": "DPoP", "cnf": {"jkt": "x"}})
        self.assertTrue(bound.bound)
        self.assertEqual(bound.keyThumbprint, "x")

    def test_form(self) -> None:
        """
        Nobody is asked about what cannot be a token (RFC 6750 section 2.1).
        """
        for token in (b"", b"a b", b"a\r\nb", b"\xff", b"=", b"a=b", b"a" * (MAX_OCTETS + 1)):
            self.invalid(self.validator.validate(token))

        self.assertEqual(self.web.asked, [])

    def test_discovery(self) -> None:
        """
        Whoever is refused learns where his tokens come from.
        """
        self.validator = self.makeValidator(discovery=CONFIGURATION)
        for error in (self.refused({"active": False}), self.invalid(self.validator.validate(b""))):
            self.assertEqual(error.openidConfiguration, CONFIGURATION)

    def test_turnedAway(self) -> None:
        """
        That we may not ask is our mistake, and not the token's: the log says once what to mend, and
        again when it happens anew (O 28).
        """
        with capturedLogs() as events:
            for status in (401, 403, 401):
                self.says({"error": "invalid_client"}, status)
                self.outage(self.validator.validate(TOKEN))
        (line,) = map(formatEvent, events)
        for word in (ISSUER, SECRET.clientId, "401", "client_id", "secret"):
            self.assertIn(word, line)
        self.assertNotIn(SECRET.secret, line)

        self.accepted()
        self.says({}, 403)
        with capturedLogs() as events:
            self.outage(self.validator.validate(TOKEN))
        self.assertEqual(len(events), 1)

    def test_outage(self) -> None:
        """
        Whatever is no answer leaves open what the token is (O 23, O 28).
        """
        document = json.dumps(ACTIVE).encode()
        lies: list[Fetched | Exception] = [
            *(answer(document, status) for status in (201, 204, 304, 400, 404, 429, 500, 503)),
            *(answer(document, status, Location=ENDPOINT) for status in (301, 302, 303, 307, 308)),
            *map(answer, GARBAGE.values()),
            answer({}),
            NotFetchable("it is too large"),
            Outage("down"),
        ]
        for lie in lies:
            self.web.says[ENDPOINT] = lie
            self.outage(self.validator.validate(TOKEN))

        self.web.says[CONFIGURATION] = answer({**METADATA, "issuer": "https://evil.example"})
        self.locate = partial(self.discover().locate, "introspection_endpoint")
        self.outage(self.makeValidator().validate(TOKEN))

    def test_cached(self) -> None:
        """
        Behind a cache each token is asked about once, also when a hundred come at the same time and
        some go; an answer is kept until the token expires, a refusal for a while, and an outage not
        at all (O 24, O 25, O 27, O 28).
        """
        cached = CachingValidator(self.validator, MemoryCache(self.now), self.now)
        self.web.says[ENDPOINT] = None
        waiting = [cached.validate(TOKEN) for _ in range(100)]
        waiting[0].cancel()
        self.failureResultOf(waiting[0])
        self.says({**ACTIVE, "exp": EPOCH + 100})
        self.web.answerWaiting()
        for each in waiting[1:]:
            self.found(each)
        self.clock.advance(99)
        self.found(cached.validate(TOKEN))
        self.assertEqual(self.web.count(ENDPOINT), 1)
        self.clock.advance(1)
        self.found(cached.validate(TOKEN))
        self.assertEqual(self.web.count(ENDPOINT), 2)

        self.says({}, 503)
        self.clock.advance(LEEWAY)
        self.outage(cached.validate(TOKEN))
        self.says({"active": False})
        self.invalid(cached.validate(TOKEN))
        self.says(ACTIVE)
        self.invalid(cached.validate(TOKEN))
        self.clock.advance(30)
        self.found(cached.validate(TOKEN))

    def test_revokedMeanwhile(self) -> None:
        """
        An answer that was on its way when something was revoked is not remembered (O 26).
        """
        cache = MemoryCache(self.now)
        self.web.says[ENDPOINT] = None
        waiting = CachingValidator(self.validator, cache, self.now).validate(TOKEN)
        cache.drop(["account:alice@example.test"])
        self.says(ACTIVE)
        self.web.answerWaiting()

        self.found(waiting)
        self.assertEqual(len(cache), 0)

    def test_clockSetBack(self) -> None:
        """
        A token from what has become the future is refused (TK17; O 30).
        """
        self.accepted()

        self.refused({**ACTIVE, "iat": EPOCH + 7200, "exp": EPOCH + 8000})

    def test_sameTokenOfTwo(self) -> None:
        """
        A person whom two issuers name alike is two people (O 31).
        """
        other = IntrospectionValidator(
            TrustedIssuer("https://other.example", StaticKeys([]), frozenset({AUDIENCE})),
            lambda: succeed(ENDPOINT),
            self.web.post,
            SECRET,
            now=self.now,
        )
        self.says({name: value for name, value in ACTIVE.items() if name != "iss"})
        mine, others = (self.found(each.validate(TOKEN)) for each in (self.validator, other))
        self.assertNotEqual(mine.issuer, others.issuer)
        self.assertFalse(mine.tags & others.tags)
        self.says(ACTIVE)
        self.invalid(other.validate(TOKEN))

    def test_noSecrets(self) -> None:
        """
        Neither the token nor our secret is in what is held or said (LG1; O 29).
        """
        said = [repr((vars(self.validator), SECRET, Proof({"a": "s3cret"}, {"b": "s3cret"})))]
        for lie in ({}, {"active": False}, b"\xff"):
            self.says(lie)
            failing = self.validator.validate(TOKEN)
            failure = self.failureResultOf(failing, InvalidToken, Outage)
            said += [str(failure.value), repr(failure), failure.getTraceback(), repr(failing)]

        for text in said:
            self.assertNotIn(TOKEN.decode(), text)
            self.assertNotIn("s3cret", text)


class SignedTests(IntrospectionTestCase):
    """
    Signed answers (RFC 9701).
    """

    signed = True
    header = {"alg": "ES256", "typ": "token-introspection+jwt", "kid": "1"}
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": "mail server",
        "iat": EPOCH,
        "token_introspection": ACTIVE,
    }

    def sign(self, header: Any = None, claims: Any = None, signer: Signer | None = None) -> bytes:
        """
        A signed answer, with other members than usual.
        """
        return compact(
            signer or makeSigner(),
            {**self.header, **(header or {})},
            {**self.claims, **(claims or {})},
        )

    def test_everything(self) -> None:
        """
        What is signed is read as what is not.
        """
        token = self.accepted(self.sign())

        self.assertEqual((token.owner, token.tokenId), ("alice@example.test", "7"))
        self.assertIsNone(token.keyId)
        self.assertEqual(self.web.asked[1].headers["Accept"], "application/token-introspection+jwt")
        self.refused(self.sign(claims={"token_introspection": {"active": False}}))
        self.accepted(self.sign(claims={"aud": ["other", "mail server"]}))

    def test_unsigned(self) -> None:
        """
        Where answers have to be signed, one that is not says nothing.
        """
        self.says(ACTIVE)

        self.outage(self.validator.validate(TOKEN))

    def test_unbelievable(self) -> None:
        """
        One that is signed by somebody else, for somebody else or as something else says nothing
        about the token: it is no refusal (TK12, TK19; O 28).
        """
        unknown = makeSigner(kid="2")
        for content in (
            *GARBAGE.values(),
            b"a.b.c",
            self.sign(signer=unknown),
            self.sign({"kid": "2"}, signer=unknown),
            self.sign({"kid": 7}),
            self.sign({"alg": "none"}),
            self.sign({"alg": "HS256"}),
            self.sign({"alg": "ES384"}),
            self.sign({"crit": ["exp"]}),
            *(self.sign({"typ": type}) for type in ("at+jwt", "JWT", None, "logout+jwt", 7)),
            self.sign(claims={"iss": "https://other.example"}),
            *(self.sign(claims={"aud": aud}) for aud in (AUDIENCE, ["mail"], None, "mail", 7)),
            *(self.sign(claims={"token_introspection": each}) for each in (None, True, [ACTIVE])),
            self.sign(claims={"token_introspection": {}, "active": True}),
        ):
            self.says(content)
            self.outage(self.validator.validate(TOKEN))

    def test_algorithms(self) -> None:
        """
        The issuer signs with what the configuration lets it.
        """
        self.validator = self.makeValidator(algorithms=frozenset({"RS256"}))
        self.says(self.sign())

        self.outage(self.validator.validate(TOKEN))

    def test_keysOutage(self) -> None:
        """
        Without its keys nobody can tell.
        """
        self.web.says[JWKS] = Outage("down")
        self.says(self.sign())

        self.outage(self.validator.validate(TOKEN))
