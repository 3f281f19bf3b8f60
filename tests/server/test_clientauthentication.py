"""
Tests for L{mailauth.server.clientauthentication}.
"""

from __future__ import annotations

from base64 import b64encode
from time import perf_counter
from typing import Any
from urllib.parse import quote_plus

from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import Outage
from mailauth.oauth.assertions import ASSERTION_TYPE
from mailauth.oauth.jwt import Signer, makeJWKS
from mailauth.oauth.records import Client
from mailauth.oauth.requests import Form
from mailauth.oauth.responses import OAuthError, writeJSON
from mailauth.server.clientauthentication import ClientAuthenticator, makeClientSecret
from mailauth.server.clients import Clients
from mailauth.server.sealing import KEY_OCTETS, ServerSecret, digestOf
from mailauth.stores.memory import MemoryStores

from ..jose import compact, makeSigner

ISSUER = "https://id.example.test"
NOW = 1_800_000_000.0

# With everything that has to be encoded (RFC 6749 section 2.3.1).
ODD_ID, ODD_SECRET = "https://odd.example/a b+c:d%e", "s:e c+r%41\u00e9t&="

CLIENTS = (
    Client("emailproxy", redirectURIs=("http://localhost:8765",)),
    Client("basic", authMethod="client_secret_basic", secretDigest=digestOf("secret")),
    Client("post", authMethod="client_secret_post", secretDigest=digestOf("secret")),
    Client(ODD_ID, authMethod="client_secret_basic", secretDigest=digestOf(ODD_SECRET)),
    Client("unfinished", authMethod="client_secret_basic"),
    Client(
        "key",
        authMethod="private_key_jwt",
        jwks=makeJWKS(
            [makeSigner(each, each).verifyingKey for each in ("ES256", "EdDSA")]
        ).decode(),
    ),
)


def basic(clientId: str, secret: str, scheme: str = "Basic") -> bytes:
    """
    An Authorization header, as the standard has it.
    """
    pair = f"{quote_plus(clientId)}:{quote_plus(secret)}"
    return f"{scheme} {b64encode(pair.encode()).decode()}".encode()


def makeAssertion(
    clientId: str = "key",
    algorithm: str = "ES256",
    kid: str | None = None,
    header: Any = None,
    signer: Signer | None = None,
    **claims: Any,
) -> dict[str, str]:
    """
    The parameters with an assertion.

    @param claims: others, or more; C{None} for none.
    """
    signer = signer or makeSigner(algorithm, kid or algorithm)
    usual = {
        "iss": clientId,
        "sub": clientId,
        "aud": ISSUER,
        "exp": NOW + 60,
        "iat": NOW,
        "jti": "1",
    }
    kept = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    token = compact(signer, header or {"alg": signer.algorithm}, kept)
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token.decode()}


class AuthenticatorCase(SynchronousTestCase):
    """
    Somebody who checks clients.
    """

    def setUp(self) -> None:
        """
        With some of each kind.
        """
        self.clock = Clock()
        self.clock.advance(NOW)
        self.stores = MemoryStores(self.clock.seconds, ISSUER)
        for client in CLIENTS:
            self.successResultOf(self.stores.clients.add(client))
        clients = Clients(
            self.stores.clients,
            self.stores.revocations,
            ISSUER,
            ServerSecret(bytes(KEY_OCTETS)).sealer("client-ids"),
            now=self.clock.seconds,
        )
        self.authenticator = ClientAuthenticator(
            clients, ISSUER, self.stores.spent, self.clock.seconds
        )

    def check(self, form: dict[str, str], authorization: bytes | None = None) -> Deferred[Client]:
        """
        Check a request.
        """
        return Deferred.fromCoroutine(self.authenticator.check(Form(form), authorization))

    def accepted(self, form: dict[str, str], authorization: bytes | None = None) -> str:
        """
        @return: the id of the client that sent it.
        """
        return self.successResultOf(self.check(form, authorization)).clientId

    def refused(self, form: dict[str, str], authorization: bytes | None = None) -> OAuthError:
        """
        @return: why it is refused.
        """
        error: OAuthError = self.failureResultOf(self.check(form, authorization), OAuthError).value
        return error

    def assertRefused(
        self,
        form: dict[str, str],
        authorization: bytes | None = None,
        code: str = "invalid_client",
    ) -> None:
        """
        It is refused with this code.
        """
        self.assertEqual(self.refused(form, authorization).code, code)


class PublicTests(AuthenticatorCase):
    """
    Clients without a secret.
    """

    def test_id(self) -> None:
        """
        The id in the body is enough.
        """
        self.assertEqual(self.accepted({"client_id": "emailproxy"}), "emailproxy")

    def test_emptySecret(self) -> None:
        """
        Basic with an empty secret is taken, with or without the id in the body: aerc knows no
        other way (O 63).
        """
        for form in ({}, {"client_id": "emailproxy"}):
            self.assertEqual(self.accepted(form, basic("emailproxy", "")), "emailproxy")

    def test_needlessSecret(self) -> None:
        """
        A secret that it need not have is ignored: offlineimap and nodemailer always send one
        (O 63).
        """
        form = {"client_id": "emailproxy", "client_secret": "unused"}
        self.assertEqual(self.accepted(form), "emailproxy")
        self.assertEqual(self.accepted({}, basic("emailproxy", "unused")), "emailproxy")

    def test_registeredItself(self) -> None:
        """
        So it is for a client that registered itself, by its id alone.
        """
        client = self.authenticator.clients.register({"redirect_uris": ["http://127.0.0.1/"]})

        self.assertEqual(self.accepted({"client_id": client.clientId}), client.clientId)
        self.assertEqual(self.accepted({}, basic(client.clientId, "")), client.clientId)

    def test_assertion(self) -> None:
        """
        An assertion is another matter: who has no key cannot have signed one (O 63).
        """
        self.assertRefused(makeAssertion("emailproxy"))


class SecretTests(AuthenticatorCase):
    """
    Clients with a secret.
    """

    def test_basic(self) -> None:
        """
        In the header, whose scheme has no case; the id may be in the body, too.
        """
        for scheme in ("Basic", "basic", "BASIC", "Basic "):
            header = basic("basic", "secret", scheme)
            self.assertEqual(self.accepted({"client_id": "basic"}, header), "basic")
            self.assertEqual(self.accepted({}, header), "basic")

    def test_post(self) -> None:
        """
        In the body.
        """
        form = {"client_id": "post", "client_secret": "secret"}
        self.assertEqual(self.accepted(form), "post")

    def test_encoding(self) -> None:
        """
        In Basic, id and secret are encoded before the colon comes between them (OA12; O 63).
        """
        self.assertEqual(self.accepted({}, basic(ODD_ID, ODD_SECRET)), ODD_ID)
        self.assertEqual(self.accepted({"client_id": ODD_ID}, basic(ODD_ID, ODD_SECRET)), ODD_ID)
        self.assertEqual(self.accepted({}, b"Basic " + b64encode(b"%62asic:%73ecret")), "basic")
        bare = f"{ODD_ID}:{ODD_SECRET}".encode()
        self.assertRefused({}, b"Basic " + b64encode(bare))

    def test_malformed(self) -> None:
        """
        What is no Basic header proves nothing (OA12; O 63, O 65).
        """
        for header in (
            b"",
            b"Basic",
            b"Basic ",
            b"Basic !!!",
            b"Basic YQ",
            b"Basic YQ==",
            b"Basic " + b64encode(b"basic secret"),
            b"Basic " + b64encode(b"basic:\xff"),
            b"Basic " + b64encode(b"basic:%ff"),
            b"Basic " + b64encode(b"ba\0sic:secret"),
            b"Basic " + b64encode(b":secret"),
            b"Basic" + b64encode(b"basic:secret"),
            b"Basic " + b64encode(b"basic:secret") + b", Basic " + b64encode(b"basic:secret"),
            b"Bearer " + b64encode(b"basic:secret"),
            b"Digest username=basic",
            b"DPoP token",
        ):
            self.assertRefused({}, header)

    @given(st.binary())
    def test_anyHeader(self, header: bytes) -> None:
        """
        Whatever the header is, the client did not prove who it is (W13).
        """
        for each in (header, b"Basic " + b64encode(header)):
            self.assertRefused({}, each)
            self.refused({"client_id": "basic"}, each)

    def test_wrongSecret(self) -> None:
        """
        A wrong secret, none, or one of a client that has none yet (O 63).
        """
        for secret in ("wrong", "", "secret ", "Secret", "secre"):
            self.assertRefused({}, basic("basic", secret))
            self.assertRefused({"client_id": "post", "client_secret": secret or "x"})
        self.assertRefused({"client_id": "post"})
        self.assertRefused({"client_id": "basic"})
        for secret in ("", "secret", "\0" * 32):
            self.assertRefused({}, basic("unfinished", secret))

    def test_wrongMethod(self) -> None:
        """
        A client proves who it is in the way it registered for, and in no other (OA12; O 63).
        """
        self.assertRefused({"client_id": "basic", "client_secret": "secret"})
        self.assertRefused({}, basic("post", "secret"))
        self.assertRefused({}, basic("key", "secret"))
        self.assertRefused({"client_id": "key", "client_secret": "secret"})
        self.assertRefused({"client_id": "key"})
        for clientId in ("basic", "post"):
            self.assertRefused(makeAssertion(clientId))

    def test_two(self) -> None:
        """
        Nobody proves who he is in two ways at once, also if both are right (OA12; O 63).
        """
        secret, assertion = {"client_secret": "secret"}, makeAssertion("basic")
        for form, header in (
            (secret, basic("basic", "secret")),
            (secret, basic("basic", "")),
            (assertion, basic("basic", "secret")),
            ({**secret, **assertion}, None),
            ({**secret, **assertion}, basic("basic", "secret")),
            (secret, basic("emailproxy", "")),
        ):
            self.assertRefused(form, header, "invalid_request")

    def test_twoIds(self) -> None:
        """
        The ids in the body, in the header and in the assertion are one (OA12; O 63).
        """
        for other in ("post", "emailproxy", "Basic", "basic "):
            self.assertRefused({"client_id": other}, basic("basic", "secret"), "invalid_request")
        form = {"client_id": "emailproxy", **makeAssertion("key")}
        self.assertRefused(form, code="invalid_request")

    def test_nobody(self) -> None:
        """
        Who does not say which client he is, is none.
        """
        for form in ({}, {"client_secret": "secret"}, {"grant_type": "refresh_token"}):
            self.assertRefused(form)

    def test_made(self) -> None:
        """
        A secret that we make has 256 bits, and only its digest is kept.
        """
        made = [makeClientSecret() for _ in range(2)]
        (secret, digest), (other, _) = made

        self.assertNotEqual(secret, other)
        self.assertRegex(secret, r"\A[A-Za-z0-9_-]{43}\Z")
        client = Client("new", authMethod="client_secret_post", secretDigest=digest)
        self.successResultOf(self.stores.clients.add(client))
        self.assertEqual(self.accepted({"client_id": "new", "client_secret": secret}), "new")


class UnknownTests(AuthenticatorCase):
    """
    Clients that there are not.
    """

    def answer(self, form: dict[str, str], authorization: bytes | None = None) -> bytes:
        """
        What is said to whoever is refused.
        """
        error = self.refused(form, authorization)
        return b"%d %s" % (error.status, writeJSON(error.members()))

    def test_answer(self) -> None:
        """
        An unknown client is told what a known one with a wrong secret is, byte for byte, whichever
        way it tries (OA12; O 64).
        """
        answers = {
            self.answer(form, header)
            for clientId in ("basic", "post", "key", "unknown", "")
            for form, header in (
                ({}, basic(clientId, "wrong")),
                ({"client_id": clientId}, basic(clientId, "wrong")),
                ({"client_id": clientId, "client_secret": "wrong"}, None),
                ({"client_id": clientId}, None),
                (makeAssertion(clientId, aud="https://other.example"), None),
                ({**makeAssertion(clientId), "client_assertion": "e30.e30.e30"}, None),
            )
        }

        self.assertEqual(len(answers), 1, answers)
        self.assertTrue(answers.pop().startswith(b"401 "))

    def test_reason(self) -> None:
        """
        The log tells them apart, and has no secret (LG1).
        """
        self.assertEqual(self.refused({}, basic("basic", "wrong-1")).reason, "basic: wrong secret")
        reason = self.refused({}, basic("unknown", "wrong-1")).reason
        self.assertEqual(reason, "there is no such client")
        self.assertIn("registered for", self.refused({"client_id": "post"}).reason)

    def test_work(self) -> None:
        """
        To find out that there is no such client takes as long as to find out that its secret or
        its signature is wrong (PW6; O 63, O 64).
        """
        for known, unknown in (
            ({"client_id": "post", "client_secret": "x"}, {"client_id": "a", "client_secret": "x"}),
            (makeAssertion("key", kid="stolen"), makeAssertion("a", kid="stolen")),
        ):
            took = [min(self.measure(form) for _ in range(50)) for form in (known, unknown)]
            self.assertLess(max(took) / min(took), 2.5, took)

    def measure(self, form: dict[str, str]) -> float:
        """
        How long a refusal takes, in seconds.
        """
        began = perf_counter()
        checked = self.check(form)
        took = perf_counter() - began
        self.failureResultOf(checked, OAuthError)
        return took

    def test_anybodysKey(self) -> None:
        """
        The key that is looked at in the place of a missing one is everybody's, and opens nothing
        (TK1).
        """
        key = ECAlgorithm.from_jwk(
            {
                "kty": "EC",
                "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
            }
        )
        for clientId in ("", "unknown", "basic", "post", "emailproxy", "unfinished", "key"):
            form = makeAssertion(clientId, signer=Signer("1", "ES256", key))
            self.assertRefused(form)

    def test_outage(self) -> None:
        """
        A store that cannot be read is an outage, and no refusal (CS9).
        """
        self.stores.clients.list = lambda: fail(Outage("down"))  # type: ignore[method-assign]
        for clientId in ("basic", "emailproxy", "unknown"):
            self.failureResultOf(self.check({"client_id": clientId}), Outage)


class AssertionTests(AuthenticatorCase):
    """
    Clients with a key.
    """

    def test_accepted(self) -> None:
        """
        An assertion is enough; the id may be in the body, too.
        """
        self.assertEqual(self.accepted(makeAssertion()), "key")
        form = {"client_id": "key", **makeAssertion(jti="2", algorithm="EdDSA")}
        self.assertEqual(self.accepted(form), "key")

    def test_audience(self) -> None:
        """
        It is for the issuer, as one string, and not for the address of an endpoint (RFC 7523bis;
        O 68).
        """
        for audience in (
            [ISSUER],
            [ISSUER, "https://other.example"],
            f"{ISSUER}/",
            f"{ISSUER}/token",
            "https://other.example",
            ISSUER.upper(),
            "",
            None,
            7,
        ):
            self.assertRefused(makeAssertion(aud=audience))

    def test_once(self) -> None:
        """
        It is good once, until nobody would take it anyway (OA5; O 68).
        """
        self.accepted(makeAssertion(exp=NOW + 60))
        self.assertRefused(makeAssertion(exp=NOW + 60))
        self.assertRefused(makeAssertion(exp=NOW + 120, algorithm="EdDSA"))
        self.accepted(makeAssertion(jti="2"))
        self.clock.advance(80)
        self.assertRefused(makeAssertion(exp=NOW + 60))

    def test_race(self) -> None:
        """
        Of many at once with one assertion, one gets through (OA5; O 68).
        """
        form = makeAssertion()
        results = [self.check(form) for _ in range(8)]
        accepted: list[Client] = []
        for result in results:
            result.addCallbacks(accepted.append, lambda failure: failure.trap(OAuthError))

        self.assertEqual([client.clientId for client in accepted], ["key"])

    def test_refusedIsNotSpent(self) -> None:
        """
        What was refused for another reason is not used up by that: nobody can spend the ids of
        others.
        """
        self.assertRefused(makeAssertion(aud="https://other.example"))
        self.assertRefused(makeAssertion("basic"))
        self.accepted(makeAssertion())

    def test_times(self) -> None:
        """
        It is good now, and for minutes only (O 68).
        """
        for claims in (
            {"exp": NOW - 31},
            {"exp": NOW + 3600},
            {"exp": None},
            {"exp": str(NOW + 60)},
            {"iat": NOW + 60},
            {"nbf": NOW + 60},
        ):
            self.assertRefused(makeAssertion(**claims))
        self.accepted(makeAssertion(exp=NOW - 29))

    def test_algorithm(self) -> None:
        """
        It is signed with a key of the client's, by an algorithm of that key's (TK1, TK2; O 68).
        """
        self.assertRefused(makeAssertion(algorithm="RS256"))
        for algorithm in ("none", "HS256", "RS256", "EdDSA", "ES384", None):
            self.assertRefused(makeAssertion(header={"alg": algorithm}))
        for type in ("at+jwt", "dpop+jwt", "logout+jwt"):
            self.assertRefused(makeAssertion(header={"alg": "ES256", "typ": type}))

    def test_type(self) -> None:
        """
        An assertion of another type is none.
        """
        for type in ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt", None):
            form = {**makeAssertion(), "client_assertion_type": type}
            sent = {name: value for name, value in form.items() if value is not None}
            self.assertRefused(sent)

    def test_others(self) -> None:
        """
        It speaks for the client whose key signed it, and names it twice (O 68).
        """
        self.assertRefused(makeAssertion(iss="other"))
        self.assertRefused(makeAssertion(sub="other"))
        self.assertRefused(makeAssertion("other"))
        self.assertRefused(makeAssertion(sub=None))
        for jti in (None, "", 7):
            self.assertRefused(makeAssertion(jti=jti))

    def test_outage(self) -> None:
        """
        If it cannot be told whether it was used, nobody gets through, and nobody is refused (CS9).
        """
        self.stores.spent.spend = (  # type: ignore[method-assign]
            lambda digest, expires, now: fail(Outage("down"))
        )
        self.failureResultOf(self.check(makeAssertion()), Outage)
