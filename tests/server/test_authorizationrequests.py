"""
Tests for L{mailauth.server.authorizationrequests} and L{mailauth.server.idtokenhints}: what is a
good request.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail

from mailauth.errors import Outage
from mailauth.oauth.records import Client
from mailauth.oauth.requests import Form, parseForm
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import MAIL_SCOPE
from mailauth.server.authorizationrequests import AuthorizationRequest
from mailauth.server.idtokenhints import IDTokenHints

from ..jose import makeSigner
from .authorizing import ALICE, BOB, CHALLENGE, ISSUER, NOW, REDIRECT, AuthorizationCase

# Whatever else is wrong with a request.
WRONG: dict[str, dict[str, Any]] = {
    "nothing": {},
    "response type": {"response_type": "token"},
    "scope": {"scope": "everything"},
    "challenge": {"code_challenge": None},
    "prompt": {"prompt": "none login"},
}


class DestinationTests(AuthorizationCase):
    """
    Where nobody is sent.
    """

    def test_unknownClient(self) -> None:
        """
        Without a client that we know nobody is sent anywhere, whatever else is wrong (OA7; O 36).
        """
        for name, parameters in WRONG.items():
            for clientId in (None, "nobody", "PUBLIC", "public "):
                with self.subTest(f"{clientId} {name}"):
                    asked = self.ask(**{**parameters, "client_id": clientId})
                    self.assertIsInstance(self.raised(self.authorization.begin(asked)), OAuthError)

    def test_badRedirect(self) -> None:
        """
        Nobody is sent to an address that the client did not register, whatever else is wrong (OA6,
        OA7; O 33, O 36).
        """
        for name, parameters in WRONG.items():
            for address in (
                "https://evil.example/cb",
                f"{REDIRECT}&y=2",
                f"{REDIRECT}#f",
                "https://app.example/cb",
                "https://app.example/cb/../cb?x=1",
                "https://APP.example/cb?x=1",
                "https://app.example:443/cb?x=1",
                "https://app.example@evil.example/cb?x=1",
                "http://localhost/cb",
                "http://127.0.0.1.evil.example/cb",
                "javascript:alert(1)",
                "org.example.app:/other",
            ):
                with self.subTest(f"{address} {name}"):
                    self.mistaken(**{**parameters, "redirect_uri": address})

    def test_missingRedirect(self) -> None:
        """
        Who registered one address need not name it; who registered several, or none, is sent
        nowhere without (O 36).
        """
        request = self.begin("single", redirect_uri=None)

        self.assertEqual((REDIRECT, False), (request.redirectURI, request.redirectSent))
        self.assertTrue(self.begin("single").redirectSent)
        for clientId in ("public", "none"):
            for name, parameters in WRONG.items():
                with self.subTest(f"{clientId} {name}"):
                    self.mistaken(clientId, **{**parameters, "redirect_uri": None})

    def test_loopback(self) -> None:
        """
        A program listens on whatever port is free (RFC 8252 section 7.3; O 34).
        """
        address = "http://127.0.0.1:38465/cb"

        self.assertEqual(address, self.begin(redirect_uri=address).redirectURI)

    def test_strangersSite(self) -> None:
        """
        No link leads by way of us to the site of somebody who registered a client for that, before
        anybody has signed in (RFC 9700 section 4.11.2; OA7; O 36).
        """
        wrong = [*WRONG.values()][1:]
        for parameters in (*wrong, {"prompt": "none"}):
            with self.subTest(str(parameters)):
                self.mistaken(**parameters)
                at = {"redirect_uri": "http://127.0.0.1:38465/cb", **parameters}
                error = self.raised(self.answered(**at))
                self.assertTrue(error.location.startswith("http://127.0.0.1:38465/cb?error="))

    async def answered(self, **parameters: Any) -> None:
        """
        Ask, while nobody is signed in.
        """
        request = await self.authorization.begin(self.ask(**parameters))
        self.authorization.needsSignIn(request, None)

    def test_repeated(self) -> None:
        """
        A parameter that is there twice is read neither way, and nobody is sent anywhere (OA15;
        O 37).
        """
        good = "&".join(f"{name}={value}" for name, value in self.ask(redirect_uri="x").items())
        for name in ("client_id", "redirect_uri", "response_type", "state", "scope", "nonce", "zz"):
            with self.subTest(name):
                for repeated in (f"{name}=a&{name}=b", f"{name}=a&{name}=a"):
                    octets = f"{good}&{repeated}".encode()
                    self.assertRaises(OAuthError, parseForm, octets)

    def test_longState(self) -> None:
        """
        A state that would not come back is refused at once (O 40).
        """
        self.begin(state="x" * 2048)
        self.begin(state="\u20ac" * 682)
        self.mistaken(state="x" * 2049)
        self.mistaken(state="\u20ac" * 683)


class ReadTests(AuthorizationCase):
    """
    What is asked for.
    """

    def test_everything(self) -> None:
        """
        A good request is understood, and what nobody knows is ignored.
        """
        request = self.begin(
            scope=f"{MAIL_SCOPE} offline_access",
            nonce="n-0S6_WzA2Mj",
            login_hint=ALICE,
            resources=("mail.example.test", "imap://mail.example.test"),
            dpop_jkt="x" * 43,
            access_type="offline",
            acr_values="urn:mace:incommon:iap:silver",
            ui_locales="de-CH de en",
            claims='{"id_token": {"acr": {"essential": true}}}',
            display="touch",
        )

        self.assertEqual("public", request.clientId)
        self.assertEqual((REDIRECT, True), (request.redirectURI, request.redirectSent))
        self.assertEqual("xyz", request.state)
        self.assertEqual({MAIL_SCOPE, "offline_access"}, request.scope)
        self.assertEqual({"mail.example.test", "imap://mail.example.test"}, request.resources)
        self.assertEqual(CHALLENGE, request.codeChallenge)
        self.assertEqual("n-0S6_WzA2Mj", request.nonce)
        self.assertEqual(ALICE, request.loginHint)
        self.assertEqual("x" * 43, request.keyThumbprint)
        self.assertEqual(NOW, request.began)

    def test_little(self) -> None:
        """
        What is not sent stays away.
        """
        request = self.begin(state=None)

        for value in (request.state, request.nonce, request.loginHint, request.keyThumbprint):
            self.assertIs(None, value)
        self.assertIs(None, request.maxAge)
        self.assertIs(None, request.subject)
        self.assertEqual((frozenset(), frozenset()), (request.prompt, request.resources))

    def test_members(self) -> None:
        """
        A request is the same after it was written down.
        """
        request = self.begin(prompt="login consent", max_age="7", resources=(ISSUER,))

        self.assertEqual(request, AuthorizationRequest.fromMembers(request.members()))

    def test_requestIds(self) -> None:
        """
        No two requests are the same one.
        """
        self.assertNotEqual(self.begin().requestId, self.begin().requestId)

    def test_pkce(self) -> None:
        """
        Without PKCE by S256 there is no code, for no kind of client (OA2; O 38).
        """
        for clientId in ("known", "server"):
            for parameters in (
                {"code_challenge": None},
                {"code_challenge": None, "code_challenge_method": None},
                {"code_challenge_method": None},
                {"code_challenge_method": "plain"},
                {"code_challenge_method": "s256"},
                {"code_challenge": CHALLENGE[:-1]},
                {"code_challenge": f"{CHALLENGE}A"},
                {"code_challenge": f"{CHALLENGE}="},
                {"code_challenge": f"{CHALLENGE[:-1]}+"},
                {"code_challenge": f"{CHALLENGE[:-1]}\n"},
            ):
                with self.subTest(f"{clientId} {parameters}"):
                    self.assertEqual(
                        "invalid_request", self.redirected(clientId, **parameters)["error"]
                    )

    def test_insecureWithoutPKCE(self) -> None:
        """
        A client that an administrator exempted may do without, and uses PKCE rightly if it does
        (O 38).
        """
        without = {"code_challenge": None, "code_challenge_method": None}

        self.assertIs(None, self.begin("old", **without).codeChallenge)
        self.assertEqual(CHALLENGE, self.begin("old").codeChallenge)
        self.redirected("old", code_challenge_method="plain")
        self.redirected("old", code_challenge_method=None)

    def test_responseType(self) -> None:
        """
        There is a code and nothing else: no token in an address (OA8; O 39).
        """
        for responseType in (
            "token",
            "id_token",
            "id_token token",
            "code id_token",
            "code token",
            "code code",
            "none",
            "CODE",
        ):
            with self.subTest(responseType):
                answer = self.redirected(response_type=responseType)
                self.assertEqual("unsupported_response_type", answer["error"])
        self.assertEqual("invalid_request", self.redirected(response_type=None)["error"])

    def test_responseMode(self) -> None:
        """
        The answer comes in the query, which is the one way there is (O 39).
        """
        self.begin(response_mode="query")
        for mode in ("fragment", "form_post", "web_message", "query.jwt", "jwt"):
            with self.subTest(mode):
                self.assertEqual("invalid_request", self.redirected(response_mode=mode)["error"])

    def test_grantType(self) -> None:
        """
        A client that may only refresh, or is a device, gets no code.
        """
        self.assertEqual("unauthorized_client", self.redirected("device")["error"])

    def test_scope(self) -> None:
        """
        Nothing is dropped in silence: a scope that is unknown, malformed, huge or not the client's
        is refused; the same one twice is one; none is all of mail (O 43).
        """
        self.assertEqual({MAIL_SCOPE}, self.begin().scope)
        self.assertEqual({"imap", "smtp"}, self.begin(scope="smtp imap smtp imap").scope)
        for scope in ("everything", "imap everything", "imap  smtp", " imap", "\u00e9", "x" * 9000):
            with self.subTest(scope[:20]):
                self.assertEqual("invalid_scope", self.redirected(scope=scope)["error"])
        self.assertEqual("invalid_scope", self.redirected("narrow", scope="imap smtp")["error"])
        self.assertEqual({"imap"}, self.begin("narrow", scope="imap").scope)

    def test_resource(self) -> None:
        """
        A resource that is not ours is refused (RFC 8707 section 2).
        """
        answer = self.redirected(resources=("mail.example.test", "https://other.example"))

        self.assertEqual("invalid_target", answer["error"])

    def test_prompt(self) -> None:
        """
        C{none} stands alone, the others go together, and there are no more (O 42).
        """
        self.assertEqual({"none"}, self.begin("known", prompt="none").prompt)
        asked = self.begin(prompt="select_account login consent").prompt
        self.assertEqual({"select_account", "login", "consent"}, asked)
        for prompt in ("none login", "consent none", "create", "login LOGIN"):
            with self.subTest(prompt):
                self.assertEqual("invalid_request", self.redirected(prompt=prompt)["error"])

    def test_maxAge(self) -> None:
        """
        It is a number of seconds (O 42).
        """
        for text, seconds in (("0", 0), ("1", 1), ("10000", 10000)):
            self.assertEqual(seconds, self.begin(max_age=text).maxAge)
        for text in ("-1", "+1", "1.5", "1e3", "1_0", " 1", "\u0661", "x", "9" * 30):
            with self.subTest(text):
                self.assertEqual("invalid_request", self.redirected(max_age=text)["error"])

    def test_loginHint(self) -> None:
        """
        A hint is only a hint: what is longer than a name is cut off (O 42).
        """
        self.assertEqual("x" * 320, self.begin(login_hint="x" * 1000).loginHint)

    def test_bounds(self) -> None:
        """
        What would have to be kept is bounded.
        """
        self.begin(nonce="x" * 512)
        self.assertEqual("invalid_request", self.redirected(nonce="x" * 513)["error"])
        for thumbprint in ("x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "\n"):
            self.assertEqual("invalid_request", self.redirected(dpop_jkt=thumbprint)["error"])

    def test_requestObjects(self) -> None:
        """
        A request in a JWT, or at an address of the client's, is refused with its own error and
        never fetched or left out (O 44).
        """
        for name, code in (
            ("request", "request_not_supported"),
            ("request_uri", "request_uri_not_supported"),
            ("registration", "registration_not_supported"),
        ):
            for value in ("x", "https://app.example/request", "eyJhbGciOiJub25lIn0.e30."):
                with self.subTest(f"{name} {value}"):
                    self.assertEqual(code, self.redirected(**{name: value})["error"])


class PushedTests(AuthorizationCase):
    """
    Requests that were pushed before (RFC 9126).
    """

    def push(self, **parameters: Any) -> str:
        """
        Push a request.

        @return: what to come with.
        """
        answer = self.got(self.pushed.answer(self.ask(**parameters), None, None))
        requestURI: str = answer["request_uri"]
        return requestURI

    def beginPushed(self, requestURI: str, clientId: str = "public", **beside: str) -> Any:
        """
        Come with what was pushed.
        """
        form = Form({"client_id": clientId, "request_uri": requestURI, **beside})
        return self.authorization.begin(form)

    def test_taken(self) -> None:
        """
        It is the pushed request that counts, and nothing that stands beside it (O 44, O 45).
        """
        requestURI = self.push(scope="imap", state="pushed")

        request = self.got(
            self.beginPushed(
                requestURI,
                scope="smtp",
                state="mixed in",
                redirect_uri="https://evil.example/",
                response_type="token",
                code_challenge="x",
                prompt="none",
            )
        )

        self.assertEqual(({"imap"}, "pushed"), (request.scope, request.state))
        self.assertEqual((REDIRECT, frozenset()), (request.redirectURI, request.prompt))

    def test_once(self) -> None:
        """
        It is good once, for the client that pushed it, for a minute; otherwise nobody is sent
        anywhere, whatever stands beside it (O 45).
        """
        requestURI, late = self.push(), self.push()

        self.assertIsInstance(self.raised(self.beginPushed(requestURI, "single")), OAuthError)
        self.got(self.beginPushed(requestURI))
        again = self.beginPushed(requestURI, redirect_uri=REDIRECT, state="mixed in")
        self.assertIsInstance(self.raised(again), OAuthError)
        self.clock.advance(60)
        self.assertIsInstance(self.raised(self.beginPushed(late)), OAuthError)

    def test_checkedBefore(self) -> None:
        """
        What is no good request cannot be pushed, nor one that leads to another (RFC 9126 section
        2.1; O 45).
        """
        requestURI = self.push()
        for parameters in (
            {"code_challenge": None},
            {"code_challenge_method": "plain"},
            {"redirect_uri": "https://evil.example/"},
            {"response_type": "token"},
            {"scope": "everything"},
            {"request_uri": requestURI},
        ):
            with self.subTest(str(parameters)):
                pushed = self.pushed.answer(self.ask(**parameters), None, None)
                self.assertIsInstance(self.raised(pushed), OAuthError)

    def test_checkedAgain(self) -> None:
        """
        What was pushed is held to the same rules when it is used: a client may have lost its
        redirect URI meanwhile (O 45).
        """
        requestURI = self.push()
        self.successResultOf(self.stores.clients.remove("public"))
        self.addClient(Client("public", "Public", ("https://app.example/new",)))

        self.assertIsInstance(self.raised(self.beginPushed(requestURI)), OAuthError)


class HintTests(AuthorizationCase):
    """
    C{id_token_hint}.
    """

    def test_subject(self) -> None:
        """
        An ID token of ours says whose account is meant, also when it has expired and whoever it
        was given to (O 42).
        """
        self.assertEqual(ALICE, self.begin(id_token_hint=self.idToken()).subject)
        self.assertEqual(BOB, self.begin(id_token_hint=self.idToken(sub=BOB)).subject)
        self.assertEqual(ALICE, self.begin(id_token_hint=self.idToken(aud="single")).subject)

    def test_bad(self) -> None:
        """
        What is no ID token of ours is refused: forged, another issuer's, an access token, a logout
        token, no token (O 42).
        """
        header, claims, _ = self.idToken().split(".")
        forged = makeSigner(kid="2").sign({"iss": ISSUER, "sub": ALICE, "aud": "public"}, "JWT")
        otherKey = makeSigner("EdDSA", "1").sign({"iss": ISSUER, "sub": ALICE, "aud": "x"}, "JWT")
        for name, hint in {
            "garbage": "x",
            "not ASCII": "\u20ac",
            "unsigned": f"{header}.{claims}.",
            "unknown key": forged.decode(),
            "other algorithm": otherKey.decode(),
            "issuer": self.idToken(iss=f"{ISSUER}/"),
            "access token": self.idToken(type="at+jwt"),
            "logout token": self.idToken(type="logout+jwt"),
            "no subject": self.idToken(sub=None),
            "no audience": self.idToken(aud=None),
            "several audiences": self.idToken(aud=["public", "single"]),
        }.items():
            with self.subTest(name):
                self.assertEqual("invalid_request", self.redirected(id_token_hint=hint)["error"])

    def test_outage(self) -> None:
        """
        Keys that cannot be read are no fault of the hint's.
        """

        class Away:
            def find(self, kid: str | None) -> Deferred[Any]:
                return fail(Outage("the store is away"))

        hints = IDTokenHints(ISSUER, Away())  # type: ignore[arg-type]  # a provider by its method

        self.assertIsInstance(self.raised(hints.read(self.idToken())), Outage)
