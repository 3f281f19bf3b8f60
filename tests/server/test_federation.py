"""
Tests for L{mailauth.server.federation}.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailauth.credentials import accountTag, grantTag, subjectTag
from mailauth.errors import AccountDisabled, Outage, TooManyFailures
from mailauth.oauth.records import Authentication
from mailauth.oauth.requests import Form
from mailauth.oauth.tokens import LEEWAY
from mailauth.server.federation import (
    LIFETIME,
    PURPOSE,
    BadAnswer,
    Federation,
    NobodyHere,
    RefusedThere,
)
from mailauth.server.sealing import KEY_OCTETS, ServerSecret
from mailauth.server.signin import StepExpired
from mailauth.stores.records import Account, Identity
from mailauth.validators._http import Fetched

from ..jose import compact, encodePart, makeSigner
from ..test_checkers import ScriptedChecker
from ..validators.web import CONFIGURATION, GARBAGE, ISSUER, JWKS, METADATA, answer, jwks
from .company import CLIENT_ID, SESSION, SUBJECT, TOKEN, USERINFO, Company, sentTo
from .test_signin import ALICE, BOB, BROWSER, HOME, NOW, makeClock, makeWorld

OWN = "https://mail.example.test"


class FederationTestCase(SynchronousTestCase):
    """
    Alice and bob, who have accounts, and a company where alice signs in.
    """

    def setUp(self) -> None:
        """
        Put it together.
        """
        self.clock = makeClock()
        self.world = makeWorld(self.clock, lambda stores: ScriptedChecker())
        self.stores = self.world.stores
        for name in (ALICE, BOB):
            self.successResultOf(self.stores.accounts.add(Account(name)))
        self.federate()

    def federate(self, **settings: Any) -> None:
        """
        Let the configuration say this.
        """
        self.company = Company(self.clock, self.clock.seconds, **settings)
        self.federation = Federation(
            self.company.reached,
            OWN,
            self.stores.identities,
            self.stores.accounts,
            self.stores.revocations,
            self.company.policy,
            self.world.signIn.decide,
            ServerSecret(bytes(KEY_OCTETS)).sealer(PURPOSE),
            self.clock.seconds,
        )

    def begin(self, loginHint: str | None = None, again: bool = False) -> str:
        """
        Where alice is sent.
        """
        location: str = self.got(self.federation.begin("a page", BROWSER, loginHint, again))
        return location

    def got(self, coroutine: Any) -> Any:
        """
        What a coroutine returns.
        """
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def finishing(self, location: str, **form: str | None) -> Deferred[Authentication]:
        """
        She comes back from there.

        @param form: what she brings, if that is not what she has to.
        """
        underWay = self.federation.unseal(sentTo(location)["state"], BROWSER)
        usual = {"code": "the code", **form}
        sent = Form({name: value for name, value in usual.items() if value is not None})
        return Deferred.fromCoroutine(self.federation.finish(underWay, sent, HOME))

    def signIn(self, again: bool = False, **claims: Any) -> Authentication:
        """
        She goes there and comes back.

        @param again: she has to prove who she is.
        @param claims: what the issuer says of her.
        """
        location = self.begin(again=again)
        self.company.gives(location, **claims)
        return self.successResultOf(self.finishing(location))

    def refused(self, error: type[Exception], **claims: Any) -> Any:
        """
        She does, and is not let in.

        @return: why not.
        """
        location = self.begin()
        self.company.gives(location, **claims)
        return self.failureResultOf(self.finishing(location), error).value


class BeginTests(FederationTestCase):
    """
    Being sent there.
    """

    def test_parameters(self) -> None:
        """
        An authorization request asks for a code, with PKCE, for who somebody is (O 41).
        """
        location = self.begin(ALICE)
        sent = sentTo(location)

        self.assertEqual(METADATA["authorization_endpoint"], location.partition("?")[0])
        self.assertEqual(
            {
                "response_type": "code",
                "client_id": CLIENT_ID,
                "redirect_uri": f"{OWN}/signin/external/company",
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "login_hint": ALICE,
            },
            {
                name: value
                for name, value in sent.items()
                if name not in ("state", "nonce", "code_challenge")
            },
        )
        verifier = self.federation.unseal(sent["state"], BROWSER).verifier
        digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
        self.assertEqual(digest, sent["code_challenge"])

    def test_different(self) -> None:
        """
        No two sign-ins have anything secret in common.
        """
        one, other = sentTo(self.begin()), sentTo(self.begin())

        for name in ("state", "nonce", "code_challenge"):
            self.assertNotEqual(one[name], other[name])

    def test_again(self) -> None:
        """
        Who has to sign in although he is signed in has to there.
        """
        self.assertNotIn("prompt", sentTo(self.begin()))
        self.assertEqual("login", sentTo(self.begin(again=True))["prompt"])

    def test_redirectURI(self) -> None:
        """
        Each issuer has one of its own, so that the answer of one never passes for that of another
        (RFC 9700 section 4.4.2), and what it is called there cannot break an address.
        """
        self.federate(name="a company/b?")

        self.assertEqual("signin/external/a%20company%2Fb%3F", self.federation.path)
        sent = sentTo(self.begin())
        self.assertEqual(f"{OWN}/{self.federation.path}", sent["redirect_uri"])

    def test_outage(self) -> None:
        """
        If nobody can tell where it is, that is an outage.
        """
        self.company.web.says[CONFIGURATION] = answer(status=500)

        beginning = Deferred.fromCoroutine(self.federation.begin("a page", BROWSER, None, False))

        self.failureResultOf(beginning, Outage)

    def test_secrets(self) -> None:
        """
        What proves that an answer is ours goes into no log (LG1).
        """
        underWay = self.federation.unseal(sentTo(self.begin())["state"], BROWSER)

        self.assertNotIn(underWay.verifier, repr(underWay))
        self.assertNotIn(underWay.nonce, repr(underWay))


class FinishTests(FederationTestCase):
    """
    Coming back.
    """

    def test_signedIn(self) -> None:
        """
        Whoever the issuer vouches for is who its verified name says, the first time; what it said
        of how and when he signed in is kept.
        """
        authentication = self.signIn()

        self.assertEqual(
            Authentication(
                ALICE,
                NOW,
                frozenset({"pwd", "otp"}),
                issuer=ISSUER,
                subject=SUBJECT,
                issuerSession=SESSION,
                signedIn=NOW - 1800 + LEEWAY,
            ),
            authentication,
        )
        [identity] = self.successResultOf(self.stores.identities.list(ALICE))
        self.assertEqual((ISSUER, SUBJECT), (identity.issuer, identity.subject))
        [verdict] = self.world.audit.verdicts
        told: Any = verdict.credentials
        self.assertEqual((ALICE, None), (verdict.account, verdict.error))
        self.assertEqual((SUBJECT.encode(), HOME), (told.username, told.context))

    def test_redeemed(self) -> None:
        """
        The code is redeemed as ours, with the verifier (RFC 7636 section 4.5).
        """
        self.signIn()

        [asked] = [each for each in self.company.web.asked if each.address == TOKEN]
        assert asked.form is not None
        self.assertTrue(asked.headers["Authorization"].startswith("Basic "))
        self.assertEqual({"grant_type", "code", "redirect_uri", "code_verifier"}, asked.form.keys())
        self.assertEqual(["the code"], asked.form["code"])
        self.assertEqual([f"{OWN}/signin/external/company"], asked.form["redirect_uri"])

    def test_subject(self) -> None:
        """
        Once linked, somebody is who he was, whatever he is called by then: a name that can be
        changed opens nobody else's account (TK14, TK15).
        """
        self.signIn()

        self.assertEqual(ALICE, self.signIn(email=BOB).account)
        self.assertEqual(ALICE, self.signIn(email="alice@elsewhere.test").account)
        self.assertIsInstance(self.refused(NobodyHere, sub="another"), NobodyHere)

    def test_nobody(self) -> None:
        """
        Who has no account here is told so: a name that nobody has, that nobody verified, that can
        be nobody's, or in a domain that the issuer may not speak for (TK14).
        """
        for claims in (
            {"email": "carol@example.test"},
            {"email_verified": False},
            {"email_verified": None},
            {"email_verified": "true"},
            {"email": "a name of two words@example.test"},
            {"email": ["alice@example.test"]},
            {"email": "alice@elsewhere.test"},
        ):
            self.refused(NobodyHere, **claims)
        self.assertEqual((), self.successResultOf(self.stores.identities.list(ALICE)))

    def test_create(self) -> None:
        """
        Where the configuration says so, an account is made at the first sign-in, in the domains of
        the issuer alone.
        """
        self.federate(accounts="create")

        self.assertEqual("carol@example.test", self.signIn(email="Carol@example.test").account)
        account = self.successResultOf(self.stores.accounts.get("carol@example.test"))
        assert account is not None
        self.assertEqual(NOW, account.created)
        self.refused(NobodyHere, sub="2", email="carol@elsewhere.test")

    def test_domain(self) -> None:
        """
        A link does not outlive that the issuer may speak for its domain.
        """
        self.successResultOf(self.stores.accounts.add(Account("alice@elsewhere.test")))
        self.successResultOf(
            self.stores.identities.link(Identity(ISSUER, SUBJECT, "alice@elsewhere.test", NOW))
        )

        self.refused(NobodyHere)

    def test_disabled(self) -> None:
        """
        A disabled account stays closed, whoever vouches for its owner.
        """
        self.successResultOf(self.stores.accounts.disable(ALICE))

        self.refused(AccountDisabled)

    def test_subjectClaim(self) -> None:
        """
        Who somebody is says the claim that the configuration names: that of Entra, where C{sub} is
        another for each client.
        """
        self.federate(subjectClaim="oid")

        self.assertEqual("an object", self.signIn(oid="an object").subject)
        self.refused(BadAnswer)

    def test_silent(self) -> None:
        """
        An issuer that does not say when, how or in which session somebody signed in may not. When
        nobody asked it to have him prove who he is, that may be long ago.
        """
        for again, when in ((True, NOW), (False, 0.0)):
            authentication = self.signIn(again, auth_time=None, amr=None, sid=None)
            self.assertEqual(when, authentication.authTime)

        self.assertEqual(frozenset(), authentication.methods)
        self.assertEqual(frozenset(), authentication.sessionTags)

    def test_authTime(self) -> None:
        """
        Its clock may be behind or ahead of ours: who has just signed in there has just signed in,
        and nobody in the future.
        """
        for said, meant in ((NOW, NOW), (NOW - 30, NOW), (NOW - 31, NOW - 1), (NOW + 9999, NOW)):
            self.assertEqual(meant, self.signIn(auth_time=said).authTime)

    def test_refusedThere(self) -> None:
        """
        Who would rather not, or is not let in there, is no guess, whatever the issuer calls it.
        """
        for error in ("access_denied", "login_required", None, "x" * 9000):
            finishing = self.finishing(self.begin(), code=None, error=error)
            refusal = self.failureResultOf(finishing, RefusedThere).value
            self.assertFalse(refusal.counts)
            self.assertLess(len(refusal.reason), 100)


class StateTests(FederationTestCase):
    """
    What comes back has to be what went.
    """

    def test_otherBrowser(self) -> None:
        """
        What one browser began is worth nothing in another: nobody is signed in as somebody else by
        a link (WB3; RFC 9700 section 4.7).
        """
        state = sentTo(self.begin())["state"]

        self.assertEqual("a page", self.federation.unseal(state, BROWSER).destination)
        self.assertRaises(StepExpired, self.federation.unseal, state, "another browser")

    def test_late(self) -> None:
        """
        It can be finished for an hour.
        """
        state = sentTo(self.begin())["state"]
        self.clock.advance(LIFETIME - 1)
        self.federation.unseal(state, BROWSER)
        self.clock.advance(1)

        self.assertRaises(StepExpired, self.federation.unseal, state, BROWSER)

    def test_garbage(self) -> None:
        """
        What was sealed nowhere here, or for something else, is nothing.
        """
        other = ServerSecret(bytes(KEY_OCTETS)).sealer("sign-ins")
        sealed = other.sealMembers({"issuer": "company"}, NOW + 60, BROWSER.encode())

        for state in ("", "x", "é", sealed):
            self.assertRaises(StepExpired, self.federation.unseal, state, BROWSER)

    def test_otherIssuer(self) -> None:
        """
        What was begun at one issuer is not finished at another (RFC 9700 section 4.4).
        """
        state = sentTo(self.begin())["state"]
        self.federate(name="other")

        self.assertRaises(StepExpired, self.federation.unseal, state, BROWSER)

    def test_sender(self) -> None:
        """
        An answer that says whose it is has to be the issuer's; of an issuer that always says it,
        one has to (RFC 9207 section 2.4).
        """
        location = self.begin()
        self.company.gives(location)
        for sender in ("https://other.example", f"{ISSUER}/"):
            self.failureResultOf(self.finishing(location, iss=sender), BadAnswer)
        self.assertEqual(0, self.company.web.count(TOKEN))
        self.assertEqual(ALICE, self.successResultOf(self.finishing(location, iss=ISSUER)).account)

        self.federate()
        says = {**METADATA, "authorization_response_iss_parameter_supported": True}
        self.company.web.says[CONFIGURATION] = answer(says)
        location = self.begin()
        self.company.gives(location)
        self.failureResultOf(self.finishing(location), BadAnswer)
        self.assertEqual(0, self.company.web.count(TOKEN))
        self.assertEqual(ALICE, self.successResultOf(self.finishing(location, iss=ISSUER)).account)


class IDTokenTests(FederationTestCase):
    """
    What has to be true of an ID token.
    """

    def finishWith(self, make: Callable[[str], bytes | str]) -> Deferred[Authentication]:
        """
        Alice comes back, and the issuer gives this for the code.

        @param make: makes the ID token, of where she was sent.
        """
        location = self.begin()
        token = make(location)
        text = token.decode("latin-1") if isinstance(token, bytes) else token
        self.company.web.says[TOKEN] = answer({"id_token": text})
        return self.finishing(location)

    def test_claims(self) -> None:
        """
        It is of this issuer, for us, given to us, valid now, and for this very sign-in (OpenID
        Connect Core 1.0 section 3.1.3.7; TK11, TK12).
        """
        wrong: tuple[dict[str, Any], ...] = (
            {"iss": "https://other.example"},
            {"iss": f"{ISSUER}/"},
            {"aud": "another client"},
            {"aud": []},
            {"aud": None},
            {"aud": {CLIENT_ID: 1}},
            {"aud": [CLIENT_ID, "another client"]},
            {"azp": "another client"},
            {"exp": None},
            {"exp": NOW - LEEWAY},
            {"exp": str(int(NOW + 300))},
            {"exp": True},
            {"iat": None},
            {"iat": NOW + LEEWAY + 1},
            {"nonce": None},
            {"nonce": "of another sign-in"},
            {"nonce": 1},
            {"sub": None},
            {"sub": ""},
            {"sub": 1},
            {"sub": "a\nline"},
            {"sid": ["x"]},
            {"auth_time": "yesterday"},
        )
        for claims in wrong:
            self.refused(BadAnswer, **claims)
        self.assertEqual((), self.successResultOf(self.stores.identities.list(ALICE)))

    def test_taken(self) -> None:
        """
        What is unusual but good is taken.
        """
        for claims in (
            {"aud": [CLIENT_ID]},
            {"aud": [CLIENT_ID, "another client"], "azp": CLIENT_ID},
            {"exp": NOW - LEEWAY + 1},
            {"iat": NOW + LEEWAY},
        ):
            self.assertEqual(ALICE, self.signIn(**claims).account)

    def test_withoutType(self) -> None:
        """
        Dex and others write no C{typ}.
        """

        def make(location: str) -> bytes:
            header = {"alg": "ES256", "kid": "1"}
            return compact(self.company.signer, header, self.company.claims(location))

        self.assertEqual(ALICE, self.successResultOf(self.finishWith(make)).account)

    def test_otherTokens(self) -> None:
        """
        An access token or a logout token of the same issuer, with the same claims, is no ID token
        (TK12; RFC 8725 section 3.11).
        """
        for type in ("at+jwt", "logout+jwt", "dpop+jwt"):
            location = self.begin()
            token = self.company.signer.sign(self.company.claims(location), type)
            self.company.web.says[TOKEN] = answer({"id_token": token.decode()})
            self.failureResultOf(self.finishing(location), BadAnswer)

    def test_signature(self) -> None:
        """
        It is signed by the issuer: not by somebody else, not with another algorithm than it uses,
        and not by nobody (TK1, TK2, TK5).
        """
        stranger = makeSigner(kid="2")

        def unsigned(location: str) -> bytes:
            _, claims, _ = self.company.idToken(location).split(b".")
            return b".".join((encodePart({"alg": "none", "typ": "JWT"}), claims, b""))

        def forged(location: str) -> bytes:
            return attrs.evolve(stranger, kid="1").sign(self.company.claims(location), "JWT")

        def unknown(location: str) -> bytes:
            return stranger.sign(self.company.claims(location), "JWT")

        def nameless(location: str) -> bytes:
            return compact(
                self.company.signer,
                {"alg": "ES256", "kid": 1, "typ": "JWT"},
                self.company.claims(location),
            )

        for make in (unsigned, forged, unknown, nameless, lambda location: "a.b.c"):
            self.failureResultOf(self.finishWith(make), BadAnswer)
        self.federate(algorithms=frozenset({"RS256"}))
        self.failureResultOf(self.finishWith(self.company.idToken), BadAnswer)

    def test_keysUnreachable(self) -> None:
        """
        Without the issuer's keys nobody can tell (O 22).
        """
        self.company.web.says[JWKS] = answer(status=500)

        self.failureResultOf(self.finishWith(self.company.idToken), Outage)

    def test_rotated(self) -> None:
        """
        A key that is new is found.
        """
        self.signIn()
        self.clock.advance(60)
        self.company.signer = makeSigner(kid="2")
        self.company.web.says[JWKS] = jwks(self.company.signer)

        self.assertEqual(ALICE, self.signIn().account)


class TokenEndpointTests(FederationTestCase):
    """
    What the issuer answers to the code.
    """

    def test_code(self) -> None:
        """
        A code that the issuer does not take is a guess; so many of them are looked at from one
        network, and it hears of no more (O 54).
        """
        self.company.web.says[TOKEN] = answer({"error": "invalid_grant"}, 400)
        location = self.begin()
        for _ in range(1000):
            error = self.failureResultOf(self.finishing(location)).value
            if isinstance(error, TooManyFailures):
                break
            self.assertIsInstance(error, BadAnswer)
        asked = self.company.web.count(TOKEN)

        self.assertIsInstance(error, TooManyFailures)
        self.failureResultOf(self.finishing(location), TooManyFailures)
        self.assertEqual(asked, self.company.web.count(TOKEN))

    def test_outage(self) -> None:
        """
        That it does not know us, does not answer, or answers nothing that could be understood is
        nobody's fault who signs in (O 22).
        """
        garbage = GARBAGE.values()
        outages: tuple[Fetched | Exception, ...] = (
            answer({"error": "invalid_client"}, 401),
            answer({"error": "invalid_client"}, 400),
            answer({"error": "unauthorized_client"}, 400),
            answer(status=500),
            answer(status=302, location="https://elsewhere.example"),
            answer({"error": "invalid_grant"}, 403),
            answer({}),
            answer({"id_token": None}),
            answer({"id_token": ["a.b.c"]}),
            answer({"id_token": "ä.b.c"}),
            Outage("it took too long"),
            *(answer(each, status) for each in garbage for status in (200, 400)),
        )
        for said in outages:
            location = self.begin()
            self.company.web.says[TOKEN] = said
            self.failureResultOf(self.finishing(location), Outage)


class UserinfoTests(FederationTestCase):
    """
    An issuer that writes no names into ID tokens.
    """

    def describe(self, **person: Any) -> None:
        """
        Its userinfo endpoint says this.
        """
        usual = {"sub": SUBJECT, "email": ALICE, "email_verified": True}
        self.company.web.says[USERINFO] = answer({**usual, **person})

    def test_asked(self) -> None:
        """
        It is asked with the access token, for whoever the ID token is about (OpenID Connect Core
        1.0 section 5.3).
        """
        self.describe()

        self.assertEqual(ALICE, self.signIn(email=None).account)
        [asked] = [each for each in self.company.web.asked if each.address == USERINFO]
        self.assertEqual("Bearer the access token", asked.headers["Authorization"])

    def test_notAsked(self) -> None:
        """
        It is not, if the ID token says it.
        """
        self.describe()
        self.signIn()

        self.assertEqual(0, self.company.web.count(USERINFO))

    def test_somebodyElse(self) -> None:
        """
        What it says of somebody else counts for nothing (section 5.3.2), nor what nobody verified,
        or what was verified in another document (TK14).
        """
        for person in ({"sub": "another"}, {"email_verified": None}):
            self.describe(**person)
            self.refused(NobodyHere, email=None)

    def test_without(self) -> None:
        """
        Of an issuer without one, or that gives no access token for it, those who are linked come
        in.
        """
        self.signIn()
        for says, given in (
            ({**METADATA, "userinfo_endpoint": None}, {"access_token": "x"}),
            (METADATA, {}),
            (METADATA, {"access_token": "ä"}),
        ):
            self.federate()
            self.company.web.says[CONFIGURATION] = answer(says)
            location = self.begin()
            token = self.company.idToken(location, email=None).decode()
            self.company.web.says[TOKEN] = answer({**given, "id_token": token})
            self.assertEqual(ALICE, self.successResultOf(self.finishing(location)).account)

    def test_outage(self) -> None:
        """
        If it cannot be asked, nobody can tell.
        """
        self.company.web.says[USERINFO] = answer(status=500)

        self.refused(Outage, email=None)


class RevocationTests(FederationTestCase):
    """
    Who signed out there.
    """

    def test_ended(self) -> None:
        """
        Of a session that has ended there nothing is made here any more, even if its code is still
        taken.
        """
        self.successResultOf(
            self.stores.revocations.revoke([grantTag(ISSUER, SESSION)], "Signed out.")
        )
        self.clock.advance(9999)

        self.refused(BadAnswer)
        self.assertEqual(ALICE, self.signIn(sid="another").account)

    def test_before(self) -> None:
        """
        Who was signed out, or unlinked, before he came may sign in again at once.
        """
        self.signIn()
        self.successResultOf(
            self.stores.revocations.revoke([subjectTag(ISSUER, SUBJECT)], "Signed out.")
        )

        self.assertEqual(ALICE, self.signIn().account)

    def test_meanwhile(self) -> None:
        """
        Who signs out there, or is disabled here, while he signs in does not come in (CS2).
        """
        for number, (tagOf, error) in enumerate(
            (
                (lambda session: grantTag(ISSUER, session), BadAnswer),
                (lambda session: subjectTag(ISSUER, SUBJECT), Outage),
                (lambda session: accountTag(ALICE), Outage),
            )
        ):
            location, session = self.begin(), f"session {number}"
            self.company.gives(location, sid=session)
            said = self.company.web.says
            given = said[TOKEN]
            said[TOKEN] = None
            finishing = self.finishing(location)
            self.assertNoResult(finishing)
            # Clocks are set: what counts is that it was after.
            self.clock.rightNow -= 3600
            self.successResultOf(self.stores.revocations.revoke([tagOf(session)], "Ended."))
            self.clock.rightNow += 3600
            said[TOKEN] = given
            self.company.web.answerWaiting()
            self.failureResultOf(finishing, error)
