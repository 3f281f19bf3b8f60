"""
Tests for L{mailauth.server.backchannellogout}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from mailauth.credentials import grantTag, subjectTag
from mailauth.errors import Outage
from mailauth.oauth.logouttokens import EVENT
from mailauth.oauth.requests import Form
from mailauth.oauth.responses import OAuthError
from mailauth.oauth.tokens import LEEWAY
from mailauth.server.backchannellogout import BackchannelLogout
from mailauth.stores.memory import MemoryStores

from ..jose import compact, decode, encodePart, makeSigner
from ..validators.web import ISSUER, JWKS, answer
from .company import CLIENT_ID, SESSION, SUBJECT, Company
from .test_signin import NOW, makeClock


class BackchannelLogoutTests(SynchronousTestCase):
    """
    L{BackchannelLogout} (OpenID Connect Back-Channel Logout 1.0 section 2.6).
    """

    def setUp(self) -> None:
        """
        A company that tells us who signs out.
        """
        self.clock = makeClock()
        self.stores = MemoryStores(self.clock.seconds)
        self.stores.revocations.subscribe(lambda tags, reason: self.ended.append(tags))
        self.know()

    def know(self, **settings: Any) -> None:
        """
        Know the company anew.
        """
        self.ended: list[frozenset[str]] = []
        self.company = Company(self.clock, self.clock.seconds, **settings)
        self.logout = BackchannelLogout(
            {ISSUER: self.company.reached},
            self.stores.revocations,
            self.stores.spent,
            self.clock.seconds,
        )

    def receiving(self, token: bytes | str) -> Deferred[None]:
        """
        A token comes.
        """
        text = token if isinstance(token, str) else token.decode("ascii")
        return Deferred.fromCoroutine(self.logout.receive(Form({"logout_token": text})))

    def assertEnds(self, *tags: str, type: str = "logout+jwt", **claims: Any) -> None:
        """
        It ends these, and nothing else.
        """
        token = self.company.logoutToken(type, **claims)
        self.assertIsNone(self.successResultOf(self.receiving(token)))
        self.assertEqual([{tag} for tag in tags], self.ended)

    def assertRefused(self, token: bytes | str) -> None:
        """
        It ends nothing.
        """
        error = self.failureResultOf(self.receiving(token), OAuthError).value
        self.assertEqual(("invalid_request", 400), (error.code, error.status))
        self.assertEqual("The logout_token was not accepted.", error.description)
        self.assertEqual([], self.ended)

    def test_session(self) -> None:
        """
        One that names a session ends what came of that, and not what its owner granted in others.
        """
        self.assertEnds(grantTag(ISSUER, SESSION))

    def test_sessionAlone(self) -> None:
        """
        It need not say whose session it was.
        """
        self.assertEnds(grantTag(ISSUER, SESSION), sub=None)

    def test_subject(self) -> None:
        """
        One that names nobody's session ends everything of whom it names.
        """
        self.assertEnds(subjectTag(ISSUER, SUBJECT), sid=None)

    def test_subjectClaim(self) -> None:
        """
        Who that is says the claim by which the configuration has people known; another ends
        nothing.
        """
        self.know(subjectClaim="oid")

        self.assertRefused(self.company.logoutToken(sid=None))
        self.assertEnds(subjectTag(ISSUER, "1"), sid=None, oid="1")

    def test_types(self) -> None:
        """
        Not all issuers write the type that the standard recommends.
        """
        self.assertEnds(grantTag(ISSUER, SESSION), type="JWT")
        claims = decode(self.company.logoutToken(jti="2").split(b".")[1])
        token = compact(self.company.signer, {"alg": "ES256", "kid": "1"}, claims)
        self.assertIsNone(self.successResultOf(self.receiving(token)))
        self.ended = []
        for type in ("at+jwt", "secevent+jwt", ""):
            self.assertRefused(self.company.logoutToken(type, jti=type))

    def test_claims(self) -> None:
        """
        It is the issuer's, for us, of now, about a logout and nothing else; neither an ID token nor
        an access token passes for one (TK12).
        """
        wrong: tuple[dict[str, Any], ...] = (
            {"iss": "https://other.example"},
            {"iss": f"{ISSUER}/"},
            {"iss": None},
            {"iss": [ISSUER]},
            {"aud": "another client"},
            {"aud": None},
            {"aud": [CLIENT_ID, "another client"]},
            {"iat": None},
            {"iat": NOW + LEEWAY + 1},
            {"exp": None},
            {"exp": NOW - LEEWAY},
            {"events": None},
            {"events": [EVENT]},
            {"events": {}},
            {"events": {EVENT: None}},
            {"events": {"urn:something:else": {}}},
            {"nonce": "of a sign-in"},
            {"nonce": ""},
            {"jti": None},
            {"jti": 1},
            {"sub": None, "sid": None},
            {"sub": None, "sid": ""},
            {"sid": 1},
            {"sub": "a\nline", "sid": None},
        )
        for claims in wrong:
            self.assertRefused(self.company.logoutToken(**claims))

    def test_signature(self) -> None:
        """
        It is signed by the issuer that it names, and by nobody else (TK1, TK5).
        """
        genuine = self.company.logoutToken()
        head, claims, _ = genuine.split(b".")
        unsigned = b".".join((encodePart({"alg": "none"}), claims, b""))
        self.company.signer = makeSigner(kid="2")
        stranger = self.company.logoutToken()

        for token in (unsigned, stranger, head + b"." + claims + b".AAAA", "x", "é.b.c"):
            self.assertRefused(token)
        self.assertIsNone(self.successResultOf(self.receiving(genuine)))

    def test_missing(self) -> None:
        """
        Without one there is nothing to do.
        """
        receiving = Deferred.fromCoroutine(self.logout.receive(Form({})))

        self.failureResultOf(receiving, OAuthError)

    def test_once(self) -> None:
        """
        It counts once: kept and sent again, it would sign out whoever signed in since.
        """
        self.assertEnds(subjectTag(ISSUER, SUBJECT), sid=None)
        self.ended = []

        self.assertRefused(self.company.logoutToken(sid=None))
        self.assertEnds(subjectTag(ISSUER, SUBJECT), sid=None, jti="2")

    def test_forged(self) -> None:
        """
        Nobody else can use up what the issuer will send.
        """
        own, self.company.signer = self.company.signer, makeSigner("RS256", "1")
        self.assertRefused(self.company.logoutToken())
        self.company.signer = own

        self.assertEnds(grantTag(ISSUER, SESSION))

    def test_outage(self) -> None:
        """
        If nobody can tell whether it is the issuer's, or it cannot be kept, the issuer hears that
        it did not work.
        """
        keys, self.company.web.says[JWKS] = self.company.web.says[JWKS], answer(status=500)
        self.failureResultOf(self.receiving(self.company.logoutToken()), Outage)

        self.company.web.says[JWKS] = keys
        self.clock.advance(60)
        spent: Any = self.logout.spent
        spent.spend = lambda *arguments: fail(Outage("the store of this test is down"))
        self.failureResultOf(self.receiving(self.company.logoutToken()), Outage)
        self.assertEqual([], self.ended)
