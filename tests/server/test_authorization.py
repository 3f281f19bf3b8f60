"""
Tests for L{mailauth.server.authorization}: who is asked what, and what a client hears.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import attrs

from mailauth.credentials import accountTag, clientTag, grantTag
from mailauth.oauth.records import AuthorizationCode, BrowserSession, Grant
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.authorization import (
    CODE_LIFETIME,
    REQUEST_LIFETIME,
    Authorization,
    RedirectError,
)
from mailauth.server.authorizationrequests import AuthorizationRequest
from mailauth.server.sealing import CannotUnseal

from .authorizing import (
    ALICE,
    BOB,
    BROWSER,
    CHALLENGE,
    HOME,
    ISSUER,
    NOW,
    REDIRECT,
    AuthorizationCase,
)


class AnswerTests(AuthorizationCase):
    """
    What a client hears.
    """

    def approve(
        self,
        request: AuthorizationRequest,
        session: BrowserSession | None = None,
        authorization: Authorization | None = None,
    ) -> str:
        """
        Somebody consents; alice if nobody else is named.

        @return: where he is sent.
        """
        approved = (authorization or self.authorization).approve(
            request, session or self.session(), HOME
        )
        location: str = self.got(approved)
        return location

    def found(self, location: str) -> AuthorizationCode:
        """
        What is kept of a code.
        """
        code = self.answer(location)["code"]
        digest = sha256(code.encode("ascii")).digest()
        kept = self.successResultOf(self.stores.grants.findCode(digest))
        assert kept is not None
        return kept

    def test_success(self) -> None:
        """
        The client hears a code, its state and who we are (OA9; O 40, O 41).
        """
        answer = self.answer(self.approve(self.begin()))

        self.assertEqual({"code", "state", "iss"}, set(answer))
        self.assertEqual(("xyz", ISSUER), (answer["state"], answer["iss"]))
        self.assertGreaterEqual(len(answer["code"]), 43)

    def test_code(self) -> None:
        """
        The code holds whatever its redemption has to be compared with, and is good for a minute.
        """
        session = self.session()
        request = self.begin(nonce="n", scope="imap", resources=(ISSUER,), dpop_jkt="x" * 43)
        self.clock.advance(30)

        code = self.found(self.approve(request, session))

        self.assertEqual(REDIRECT, code.redirectURI)
        self.assertEqual((CHALLENGE, "n"), (code.codeChallenge, code.nonce))
        self.assertEqual(NOW + 30 + CODE_LIFETIME, code.expires)
        self.assertIs(None, code.used)
        grant = code.grant
        self.assertEqual(session.authentication, grant.authentication)
        self.assertEqual(NOW, grant.authentication.when)
        self.assertEqual(session.identifier, grant.authentication.browserSession)
        self.assertEqual(("public", frozenset({"imap"})), (grant.clientId, grant.scope))
        self.assertEqual({ISSUER}, grant.resources)
        self.assertEqual(("x" * 43, HOME), (grant.keyThumbprint, grant.address))
        self.assertEqual(NOW + 30, grant.created)

    def test_redirectNotSent(self) -> None:
        """
        Who did not name the redirect URI need not name it with the code (RFC 6749 section 4.1.3).
        """
        code = self.found(self.approve(self.begin("single", redirect_uri=None)))

        self.assertIs(None, code.redirectURI)

    def test_scope(self) -> None:
        """
        What is granted is what was asked for, no more and no less (O 43).
        """
        for scope, granted in (
            (None, {MAIL_SCOPE}),
            ("smtp imap imap", {"imap", "smtp"}),
            ("openid email", {"openid", "email"}),
        ):
            code = self.found(self.approve(self.begin(scope=scope)))
            self.assertEqual(granted, code.grant.scope)

    def test_expiry(self) -> None:
        """
        A grant with refresh tokens ends when the configuration says; one without no later than the
        browser session in which it was given.
        """
        bounded = self.makeAuthorization(ISSUER, grantLifetime=86400.0)
        short = self.makeAuthorization(ISSUER, grantLifetime=60.0)
        session = self.session()

        for authorization, clientId, scope, expires in (
            (self.authorization, "public", MAIL_SCOPE, None),
            (self.authorization, "public", "openid offline_access", None),
            (self.authorization, "public", "openid", session.expires),
            (self.authorization, "oncely", MAIL_SCOPE, session.expires),
            (bounded, "public", MAIL_SCOPE, NOW + 86400),
            (bounded, "public", "openid", session.expires),
            (short, "public", "openid", NOW + 60),
        ):
            with self.subTest(f"{clientId} {scope} {expires}"):
                request = self.begin(clientId, scope=scope)
                code = self.found(self.approve(request, session, authorization))
                self.assertEqual(expires, code.grant.expires)

    def test_state(self) -> None:
        """
        A state comes back octet for octet, up to 2 kB, and none where there was none (O 40).
        """
        for state in (
            "a b+c%20d&e=f#g?h",
            "\u20ac \U0001f511 \u202e",
            '"><script>alert(1)</script>',
            "\r\nSet-Cookie: x=y",
            "%%%",
            "x" * 2048,
            "\u20ac" * 682,
        ):
            with self.subTest(state[:20]):
                for location in (
                    self.approve(self.begin(state=state)),
                    self.authorization.deny(self.begin(state=state)),
                ):
                    self.assertEqual(state, self.answer(location)["state"])
                    self.assertRegex(location, r"\A[!-~]+\Z")
                    self.assertLess(len(location), 8000)
                answer = self.redirected(state=state, response_type="token")
                self.assertEqual(state, answer["state"])
        self.assertNotIn("state", self.answer(self.approve(self.begin(state=None))))
        self.assertNotIn("state", self.redirected(state=None, response_type="token"))

    def test_denied(self) -> None:
        """
        Somebody may say no.
        """
        answer = self.answer(self.authorization.deny(self.begin()))

        self.assertEqual("access_denied", answer["error"])
        self.assertNotIn("code", answer)

    def test_everyError(self) -> None:
        """
        Whatever is wrong, the client hears which error it is, its state, who we are, and no code
        (OA9; O 41).
        """
        wrong: list[dict[str, Any]] = [
            {"response_type": "token"},
            {"response_type": None},
            {"response_mode": "fragment"},
            {"code_challenge": None},
            {"code_challenge_method": "plain"},
            {"scope": "everything"},
            {"prompt": "none login"},
            {"max_age": "x"},
            {"nonce": "x" * 1000},
            {"request": "x"},
            {"request_uri": "https://app.example/"},
            {"registration": "{}"},
            {"id_token_hint": "x"},
            {"dpop_jkt": "x"},
            {"resources": ("https://other.example",)},
        ]
        answers = [self.redirected(**parameters) for parameters in wrong]
        answers.append(self.redirected("device"))
        none = self.begin("known", prompt="none")
        with self.assertRaises(RedirectError) as raised:
            self.authorization.needsSignIn(none, None)
        answers.append(self.answer(raised.exception.location))
        client = self.client("known")
        error = self.raised(self.authorization.needsConsent(none, client, self.session()))
        answers += [self.answer(error.location), self.answer(self.authorization.deny(none))]

        for answer in answers:
            with self.subTest(answer["error"]):
                self.assertEqual({"error", "error_description", "state", "iss"}, set(answer))
                self.assertEqual(("xyz", ISSUER), (answer["state"], answer["iss"]))
                self.assertRegex(answer["error"], r"\A[a-z_]+\Z")
                # RFC 6749 section 4.1.2.1.
                self.assertTrue(
                    re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", answer["error_description"])
                )

    def test_twoIssuers(self) -> None:
        """
        Of two issuers in one deployment each says which it is, and neither goes on with what was
        begun at the other (OA9; O 48).
        """
        other = self.makeAuthorization("https://mail.example.test/other")
        request, session = self.begin(), self.session()

        self.assertEqual(ISSUER, self.answer(self.approve(request))["iss"])
        location = self.approve(self.begin(), session, other)
        self.assertEqual("https://mail.example.test/other", self.answer(location)["iss"])
        error = self.raised(other.begin(self.ask("known", response_type="token")))
        self.assertEqual("https://mail.example.test/other", self.answer(error.location)["iss"])
        sealed = self.authorization.seal(request, BROWSER)
        self.assertRaises(CannotUnseal, other.unseal, sealed, BROWSER)

    def test_answeredOnce(self) -> None:
        """
        A consent counts once, however often it is sent (O 51).
        """
        request, session = self.begin(), self.session()
        self.approve(request, session)

        again = self.raised(self.authorization.approve(request, session, HOME))

        self.assertIsInstance(again, OAuthError)

    def test_answeredOnceToTheEnd(self) -> None:
        """
        As long as a request can be opened it is known for answered (O 51).
        """
        request, session = self.begin(), self.session()
        sealed = self.authorization.seal(request, BROWSER, session)
        self.approve(request, session)

        self.clock.advance(REQUEST_LIFETIME - 1)
        late = self.authorization.unseal(sealed, BROWSER, session)
        again = self.raised(self.authorization.approve(late, session, HOME))
        self.assertIsInstance(again, OAuthError)
        self.clock.advance(1)
        self.assertRaises(CannotUnseal, self.authorization.unseal, sealed, BROWSER, session)

    def test_notWithoutSigningIn(self) -> None:
        """
        There is no consent of somebody who has to sign in first (O 51).
        """
        session = self.session()
        self.clock.advance(1)

        for parameters in ({"prompt": "login"}, {"max_age": "0"}):
            approved = self.authorization.approve(self.begin(**parameters), session, HOME)
            self.assertIsInstance(self.raised(approved), OAuthError)
        hinted = self.begin(id_token_hint=self.idToken(sub=BOB))
        approved = self.authorization.approve(hinted, session, HOME)
        self.assertIsInstance(self.raised(approved), OAuthError)

    def test_clientGone(self) -> None:
        """
        A client that was removed meanwhile gets nothing.
        """
        request = self.begin()
        self.successResultOf(self.stores.clients.remove("public"))

        approved = self.authorization.approve(request, self.session(), HOME)

        self.assertIsInstance(self.raised(approved), OAuthError)

    def test_accountGone(self) -> None:
        """
        For an account that was removed meanwhile there is no code.
        """
        request, session = self.begin(), self.session()
        self.successResultOf(self.stores.accounts.remove(ALICE))

        error = self.raised(self.authorization.approve(request, session, HOME))

        self.assertEqual("access_denied", self.answer(error.location)["error"])


class SealingTests(AuthorizationCase):
    """
    A request on its way through the browser.
    """

    def test_sealed(self) -> None:
        """
        What a browser carries is no address, says nothing, and comes back whole (WB9; O 57).
        """
        request = self.begin(scope="imap smtp", state="secret", login_hint=ALICE)
        sealed = self.authorization.seal(request, BROWSER)

        self.assertRegex(sealed, r"\A[A-Za-z0-9_-]+\Z")
        for text in ("http", "app.example", "secret", "alice", "public"):
            self.assertNotIn(text, sealed)
        self.assertEqual(request, self.authorization.unseal(sealed, BROWSER))

    def test_unknown(self) -> None:
        """
        Nothing else is taken: an address, something tampered with, something of another browser
        (WB9; O 51, O 57).
        """
        sealed = self.authorization.seal(self.begin(), BROWSER)
        for text in (
            "",
            "https://evil.example/",
            "/account",
            "AAAA",
            sealed[:-4],
            f"{sealed}AAAA",
            f"{sealed[:40]}{'A' if sealed[40] != 'A' else 'B'}{sealed[41:]}",
        ):
            with self.subTest(text[:20]):
                self.assertRaises(CannotUnseal, self.authorization.unseal, text, BROWSER)
        self.assertRaises(CannotUnseal, self.authorization.unseal, sealed, "another browser")
        self.assertRaises(CannotUnseal, self.authorization.unseal, sealed, "")

    def test_ofWhoeverIsAsked(self) -> None:
        """
        Nobody consents for somebody else: what alice was asked is nothing to bob, though he sits
        at the same browser, nor to her own later session, nor is the question before she signed
        in an answer (O 51).
        """
        alice, bob, later = self.session(), self.session(BOB), self.session()
        request = self.begin()
        asked = self.authorization.seal(request, BROWSER, alice)
        before = self.authorization.seal(request, BROWSER)

        self.assertEqual(request, self.authorization.unseal(asked, BROWSER, alice))
        for sealed, session in ((asked, bob), (asked, later), (asked, None), (before, alice)):
            self.assertRaises(CannotUnseal, self.authorization.unseal, sealed, BROWSER, session)

    def test_expires(self) -> None:
        """
        Somebody has an hour, however often it is sealed.
        """
        request = self.begin()
        self.clock.advance(REQUEST_LIFETIME - 1)
        sealed = self.authorization.seal(request, BROWSER)

        self.authorization.unseal(sealed, BROWSER)
        self.clock.advance(1)
        self.assertRaises(CannotUnseal, self.authorization.unseal, sealed, BROWSER)


class SignInTests(AuthorizationCase):
    """
    L{Authorization.needsSignIn}.
    """

    def needs(self, session: BrowserSession | None, **parameters: Any) -> bool:
        """
        Whether he has to sign in.
        """
        return self.authorization.needsSignIn(self.begin(**parameters), session)

    def test_nobody(self) -> None:
        """
        Who is not signed in has to.
        """
        self.assertTrue(self.needs(None))

    def test_somebody(self) -> None:
        """
        Who is signed in need not, whoever is expected (O 42).
        """
        session = self.session()
        self.clock.advance(40000)

        self.assertFalse(self.needs(session))
        self.assertFalse(self.needs(session, login_hint=BOB))
        self.assertFalse(self.needs(session, prompt="consent"))

    def test_again(self) -> None:
        """
        C{login} and C{select_account} want him to sign in for this, once (O 42).
        """
        session = self.session()
        self.clock.advance(1)
        for prompt in ("login", "select_account", "login consent"):
            with self.subTest(prompt):
                request = self.begin(prompt=prompt)
                self.assertTrue(self.authorization.needsSignIn(request, session))
                self.assertFalse(self.authorization.needsSignIn(request, self.session()))

    def test_maxAge(self) -> None:
        """
        Who signed in too long ago has to again, and then is not asked a second time, however long
        he takes to consent (O 42).
        """
        session = self.session()
        for seconds, maxAge, needs in ((1, 1, False), (2, 1, True), (10_000, 10_000, False)):
            with self.subTest(f"{seconds} {maxAge}"):
                self.clock.advance(NOW + seconds - self.clock.seconds())
                self.assertEqual(needs, self.needs(session, max_age=str(maxAge)))
        self.clock.advance(1)
        self.assertTrue(self.needs(session, max_age="10000"))
        request = self.begin(max_age="0")
        session = self.session()
        self.clock.advance(600)
        self.assertFalse(self.authorization.needsSignIn(request, session))

    def test_hint(self) -> None:
        """
        It has to be whom the hint names (O 42).
        """
        request = self.begin(id_token_hint=self.idToken())

        self.assertFalse(self.authorization.needsSignIn(request, self.session(ALICE)))
        self.assertTrue(self.authorization.needsSignIn(request, self.session(BOB)))

    def test_none(self) -> None:
        """
        With C{none} the client hears it instead of him (O 42).
        """
        session = self.session()
        self.clock.advance(10)
        self.assertFalse(self.needs(session, clientId="known", prompt="none"))
        for parameters, signedIn in (
            ({}, None),
            ({"max_age": "5"}, session),
            ({"id_token_hint": self.idToken(sub=BOB)}, session),
        ):
            request = self.begin("known", prompt="none", **parameters)
            with self.assertRaises(RedirectError) as raised:
                self.authorization.needsSignIn(request, signedIn)
            answer = self.answer(raised.exception.location)
            self.assertEqual("login_required", answer["error"])


class ConsentTests(AuthorizationCase):
    """
    L{Authorization.needsConsent}.
    """

    def setUp(self) -> None:
        """
        Sign alice in.
        """
        super().setUp()
        self.alice = self.session()

    def needs(self, clientId: str, **parameters: Any) -> bool:
        """
        Whether alice has to be asked.
        """
        request, client = self.begin(clientId, **parameters), self.client(clientId)
        needed: bool = self.got(self.authorization.needsConsent(request, client, self.alice))
        return needed

    def grant(self, clientId: str, session: BrowserSession | None = None, **changes: Any) -> Grant:
        """
        Let somebody have allowed a client all of mail; alice, if nobody else is named.
        """
        grant = Grant(
            changes.pop("grantId", f"of-{clientId}"),
            (session or self.alice).authentication,
            clientId,
            frozenset({MAIL_SCOPE, "openid"}),
            created=self.clock.seconds(),
        )
        grant = attrs.evolve(grant, **changes)
        code = AuthorizationCode(grant.grantId.encode(), grant, None, None, None, NOW + 60)
        self.successResultOf(self.stores.grants.addCode(code))
        self.successResultOf(
            self.stores.grants.redeemCode(code.digest, grant, None, self.clock.seconds())
        )
        return grant

    def test_first(self) -> None:
        """
        The first time everybody is asked.
        """
        for clientId in ("public", "known", "server", "stranger"):
            with self.subTest(clientId):
                self.assertTrue(self.needs(clientId))

    def test_remembered(self) -> None:
        """
        What was allowed to a client that an administrator vouches for, and that nobody can pose
        as, is not asked again (O 56).
        """
        for clientId in ("known", "server"):
            self.grant(clientId)
            with self.subTest(clientId):
                self.assertFalse(self.needs(clientId))
                self.assertFalse(self.needs(clientId, scope=f"openid {MAIL_SCOPE}"))
                self.assertTrue(self.needs(clientId, scope=f"{MAIL_SCOPE} smtp"))
                self.assertTrue(self.needs(clientId, prompt="consent"))

    def test_neverForOthers(self) -> None:
        """
        A client that anybody can pose as is never trusted for what was allowed before: nobody
        vouches for it, or its answer leads to a program on this computer (RFC 8252 section 8.6;
        O 56).
        """
        for clientId in ("public", "stranger", "known"):
            self.grant(clientId)

        for clientId in ("public", "stranger"):
            self.assertTrue(self.needs(clientId), clientId)
        for address in (
            "http://127.0.0.1/cb",
            "http://127.0.0.1:38465/cb",
            "http://localhost/cb",
            "org.example.app:/cb",
        ):
            self.assertTrue(self.needs("known", redirect_uri=address), address)

    def test_onlyWhatIsAlive(self) -> None:
        """
        What was withdrawn, has expired, or is somebody else's or another client's was not allowed
        (O 56).
        """
        bob = self.session(BOB)
        self.grant("known", bob)
        self.grant("server")
        self.assertTrue(self.needs("known"))
        self.grant("known", grantId="expiring", expires=NOW + 10)
        self.assertFalse(self.needs("known"))
        self.clock.advance(10)
        self.assertTrue(self.needs("known"))
        self.grant("known", grantId="withdrawn")
        self.successResultOf(self.stores.grants.revoke("withdrawn", "by its owner"))
        self.assertTrue(self.needs("known"))

    def test_revoked(self) -> None:
        """
        A revocation of the account, the client or the grant takes the consent along (TK18; O 56).
        """
        for tag in (
            accountTag(ALICE),
            clientTag(ISSUER, "known"),
            grantTag(ISSUER, "of-known"),
        ):
            with self.subTest(tag):
                self.clock.advance(1)
                self.alice = self.session()
                self.grant("known", grantId="of-known")
                self.assertFalse(self.needs("known"))
                self.clock.advance(1)
                self.successResultOf(self.stores.revocations.revoke([tag], "a test"))
                self.assertTrue(self.needs("known"))

    def test_none(self) -> None:
        """
        With C{none} the client hears that somebody would have to be asked (O 42).
        """
        self.grant("server")
        self.assertFalse(self.needs("server", prompt="none"))
        for clientId, scope in (("server", "smtp"), ("known", MAIL_SCOPE)):
            request = self.begin(clientId, prompt="none", scope=scope)
            client = self.client(clientId)
            error = self.raised(self.authorization.needsConsent(request, client, self.alice))
            self.assertEqual("consent_required", self.answer(error.location)["error"])
