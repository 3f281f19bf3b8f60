"""
Tests for L{mailauth.server.logout}.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import attrs
from twisted.logger import capturedLogs

from mailauth.errors import InvalidToken, Outage
from mailauth.oauth.jwt import Signer, parseToken, verifySignature
from mailauth.oauth.logouttokens import EVENT, LIFETIME
from mailauth.oauth.records import (
    Authentication,
    AuthorizationCode,
    BrowserSession,
    Client,
    Grant,
)
from mailauth.oauth.requests import Form
from mailauth.oauth.responses import OAuthError
from mailauth.server.logout import (
    LOGOUT_LIFETIME,
    RETRIES,
    Logout,
    LogoutRequest,
)
from mailauth.server.sealing import KEY_OCTETS, CannotUnseal, ServerSecret

from .authorizing import ALICE, BOB, BROWSER, HOME, ISSUER, NOW, AuthorizationCase

AFTER = "https://app.example/bye"
BACK = "https://app.example/backchannel"


@attrs.define
class Keys:
    """
    The key that signs.
    """

    key: Signer | Exception

    async def signer(self) -> Signer:
        """
        It, if it can be had.
        """
        if isinstance(self.key, Exception):
            raise self.key
        return self.key


class LogoutCase(AuthorizationCase):
    """
    Signing out, and clients that listen.
    """

    def setUp(self) -> None:
        """
        Sign alice in.
        """
        super().setUp()
        for client in (
            Client("web", "Webmail", postLogoutRedirectURIs=(AFTER,), backchannelLogoutURI=BACK),
            Client("other", postLogoutRedirectURIs=("https://other.example/bye?x=1",)),
            Client("listening", "Public", backchannelLogoutURI="https://public.example/back"),
        ):
            self.addClient(client)
        self.answers: list[int | Exception] = []
        self.posted: list[tuple[str, str]] = []
        self.keys = Keys(self.signer)
        now = self.clock.seconds
        keys: Any = self.keys
        self.logout = Logout(
            ISSUER,
            self.clients,
            self.hints,
            self.sessions,
            self.stores.grants,
            keys,
            ServerSecret(bytes(KEY_OCTETS)).sealer("logout-requests"),
            self.post,
            self.clock,
            now,
        )
        self.alice = self.session()

    async def post(self, client: Client, form: bytes) -> int:
        """
        A client is told, and answers as scripted, or that it heard.
        """
        (token,) = parse_qs(form.decode("ascii"), strict_parsing=True)["logout_token"]
        self.posted.append((client.backchannelLogoutURI or "", token))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer

    def grant(self, clientId: str, session: BrowserSession | None, scope: str = "imap") -> str:
        """
        Let somebody have allowed a client something in a browser, or on a device.
        """
        authentication = Authentication(ALICE, NOW) if session is None else session.authentication
        grantId = f"{clientId} {scope}"
        grant = Grant(grantId, authentication, clientId, frozenset(scope.split()), created=NOW)
        code = AuthorizationCode(grantId.encode(), grant, None, None, None, NOW + 60)
        self.successResultOf(self.stores.grants.addCode(code))
        redeemed = self.stores.grants.redeemCode(code.digest, grant, None, self.clock.seconds())
        self.assertTrue(self.successResultOf(redeemed))
        return grantId


class BeginTests(LogoutCase):
    """
    L{Logout.begin}.
    """

    def asked(self, **parameters: str) -> LogoutRequest:
        """
        A client asks while alice is signed in.
        """
        request: LogoutRequest = self.got(self.logout.begin(Form(parameters), self.alice))
        return request

    def misled(self, **parameters: str) -> None:
        """
        A client asks, and its error is shown here.
        """
        error = self.raised(self.logout.begin(Form(parameters), self.alice))
        self.assertIsInstance(error, OAuthError)

    def test_nothing(self) -> None:
        """
        Who comes by himself is asked, and stays here.
        """
        self.assertEqual(LogoutRequest(None, None, False), self.asked())

    def hint(self, **claims: Any) -> str:
        """
        The ID token that a client was given in alice's session.
        """
        return self.idToken(**{"aud": "web", "sid": self.alice.identifier, **claims})

    def test_hint(self) -> None:
        """
        Who comes with an ID token of this session need not be asked, expired or not (O 95).
        """
        for expires in (NOW - 1, NOW + 3600):
            hint = self.hint(exp=int(expires))
            request = self.asked(id_token_hint=hint, post_logout_redirect_uri=AFTER, state="x y")
            self.assertEqual(LogoutRequest(f"{AFTER}?state=x%20y", "Webmail", True), request)

    def test_otherSession(self) -> None:
        """
        Who comes with an ID token of somebody else's, or of another session of hers, or when
        nobody is signed in, is asked (O 95).
        """
        bob, later = self.session(BOB), self.session()
        for hint in (
            self.hint(sub=BOB, sid=bob.identifier),
            self.hint(sid=later.identifier),
            self.hint(sid=None),
        ):
            self.assertFalse(self.asked(id_token_hint=hint).confirmed)
        request = self.got(self.logout.begin(Form({"id_token_hint": self.hint()}), None))
        self.assertFalse(request.confirmed)

    def test_clientId(self) -> None:
        """
        Without an ID token a client may say who it is; then its owner is asked (O 95).
        """
        request = self.asked(client_id="web", post_logout_redirect_uri=AFTER)

        self.assertEqual(LogoutRequest(AFTER, "Webmail", False), request)
        named = self.asked(
            client_id="other", post_logout_redirect_uri="https://other.example/bye?x=1"
        )
        self.assertEqual(LogoutRequest("https://other.example/bye?x=1", "other", False), named)

    def test_badHint(self) -> None:
        """
        What is no ID token of ours leads nowhere (O 95).
        """
        header, claims, _ = self.idToken(aud="web").split(".")
        for name, hint in {
            "garbage": "x",
            "unsigned": f"{header}.{claims}.",
            "issuer": self.idToken(aud="web", iss="https://other.example"),
            "access token": self.idToken(aud="web", type="at+jwt"),
            "unknown client": self.idToken(aud="nobody"),
        }.items():
            with self.subTest(name):
                self.misled(id_token_hint=hint)
                self.misled(id_token_hint=hint, post_logout_redirect_uri=AFTER)
                self.misled(id_token_hint=hint, post_logout_redirect_uri=AFTER, client_id="web")

    def test_clientsDiffer(self) -> None:
        """
        The ID token has to be the client's that asks (O 95).
        """
        self.misled(id_token_hint=self.idToken(aud="web"), client_id="other")
        self.assertTrue(self.asked(id_token_hint=self.hint(), client_id="web").confirmed)

    def test_unregistered(self) -> None:
        """
        A browser is sent nowhere that its client did not register, octet for octet, and nowhere at
        all if nobody says which client it is (OA7; O 95).
        """
        for address in (
            "https://evil.example/",
            f"{AFTER}/",
            f"{AFTER}?x=1",
            "https://app.example/",
            "https://APP.example/bye",
            "https://other.example/bye?x=1",
            "javascript:alert(1)",
        ):
            with self.subTest(address):
                self.misled(client_id="web", post_logout_redirect_uri=address)
                hint = self.idToken(aud="web")
                self.misled(id_token_hint=hint, post_logout_redirect_uri=address)
        self.misled(post_logout_redirect_uri=AFTER)
        self.misled(client_id="nobody", post_logout_redirect_uri=AFTER)

    def test_strangersSite(self) -> None:
        """
        Where nobody is signed in, and so nobody is asked, no link leads by way of us to the site of
        somebody who registered a client for that (RFC 9700 section 4.11.2; OA7; O 95).
        """
        self.addClient(Client("ours", postLogoutRedirectURIs=(AFTER,), verified=True))
        for clientId, hint, location in (
            ("web", None, None),
            ("web", self.hint(), AFTER),
            ("ours", None, AFTER),
        ):
            asked = {"client_id": clientId, "post_logout_redirect_uri": AFTER}
            form = Form(asked if hint is None else {**asked, "id_token_hint": hint})
            request = self.got(self.logout.begin(form, None))
            self.assertEqual(location, request.location)

    def test_sealed(self) -> None:
        """
        While its owner is asked, the request is carried by his browser alone, for ten minutes.
        """
        request = self.asked(client_id="web", post_logout_redirect_uri=AFTER)
        sealed = self.logout.seal(request, BROWSER)

        self.assertEqual(request, self.logout.unseal(sealed, BROWSER))
        self.assertRaises(CannotUnseal, self.logout.unseal, sealed, "another")
        self.assertRaises(CannotUnseal, self.logout.unseal, AFTER, BROWSER)
        self.clock.advance(LOGOUT_LIFETIME)
        self.assertRaises(CannotUnseal, self.logout.unseal, sealed, BROWSER)


class EndTests(LogoutCase):
    """
    L{Logout.end}.
    """

    def end(self) -> None:
        """
        Sign alice out.
        """
        self.got(self.logout.end(self.alice))

    def claimsOf(self, token: str) -> Any:
        """
        What a token of ours says.
        """
        parsed = parseToken(token.encode("ascii"))
        verifySignature(parsed, self.signer.verifyingKey, "ES256")
        return parsed.header, parsed.claims

    def test_ended(self) -> None:
        """
        The browser is signed out.
        """
        secret, session = self.got(self.sessions.make(Authentication(ALICE, NOW), HOME, None))
        self.got(self.logout.end(session))

        self.assertIs(None, self.got(self.sessions.find(secret)))

    def test_token(self) -> None:
        """
        A client is told who signed out, in a token that is none of the other kinds (OA16; O 94).
        """
        self.grant("web", self.alice)
        self.end()

        ((address, token),) = self.posted
        self.assertEqual(BACK, address)
        header, claims = self.claimsOf(token)
        self.assertEqual("logout+jwt", header["typ"])
        self.assertEqual((ISSUER, "web", ALICE), (claims["iss"], claims["aud"], claims["sub"]))
        self.assertEqual(self.alice.identifier, claims["sid"])
        self.assertEqual((int(NOW), int(NOW) + LIFETIME), (claims["iat"], claims["exp"]))
        self.assertEqual({EVENT: {}}, claims["events"])
        self.assertGreaterEqual(len(claims["jti"]), 16)
        self.assertNotIn("nonce", claims)

    def test_jti(self) -> None:
        """
        No two logout tokens are the same one (O 94).
        """
        self.grant("web", self.alice)
        self.grant("listening", self.alice)
        self.end()

        ids = {self.claimsOf(token)[1]["jti"] for _, token in self.posted}
        self.assertEqual(2, len(ids))

    def test_noHint(self) -> None:
        """
        A logout token is no hint at who is signed in (OA16; O 94).
        """
        self.grant("web", self.alice)
        self.end()

        ((_, token),) = self.posted
        self.assertIsInstance(
            self.raised(self.logout.begin(Form({"id_token_hint": token}), None)), OAuthError
        )

    def test_whoIsTold(self) -> None:
        """
        Each client is told once that was allowed something in this browser and wants to be; none
        that was allowed it in another one or on a device, nor one that is gone.
        """
        elsewhere = self.session()
        self.grant("web", self.alice, "imap")
        self.grant("web", self.alice, "smtp")
        self.grant("other", self.alice)
        self.grant("gone", self.alice)
        self.grant("listening", elsewhere)
        self.grant("listening", None, "jmap")
        self.end()

        self.assertEqual([BACK], [address for address, _ in self.posted])
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_whatEnds(self) -> None:
        """
        What was allowed in order to know who is signed in ends with the session; a mail program
        goes on.
        """
        elsewhere = self.session()
        ends = self.grant("web", self.alice, "openid email")
        stay = [
            self.grant("web", self.alice, "imap"),
            self.grant("web", self.alice, "openid offline_access"),
            self.grant("web", elsewhere, "openid"),
        ]
        self.end()

        self.assertIs(None, self.successResultOf(self.stores.grants.get(ends)))
        for grantId in stay:
            self.assertIsNot(None, self.successResultOf(self.stores.grants.get(grantId)))

    def test_outage(self) -> None:
        """
        If what was allowed cannot be ended, nobody is told that he has signed out (OA4).
        """
        self.grant("web", self.alice, "openid")

        async def away(grantId: str, reason: str) -> None:
            raise Outage("the store is away")

        self.stores.grants.revoke = away  # type: ignore[method-assign,assignment]

        self.assertIsInstance(self.raised(self.logout.end(self.alice)), Outage)
        sessions = self.successResultOf(self.stores.browserSessions.list(ALICE))
        self.assertEqual((self.alice,), sessions)
        self.assertEqual([], self.posted)

    def test_retried(self) -> None:
        """
        A client that does not hear is told again a few times, each time with a good token, and
        nobody waits for it (O 94).
        """
        self.grant("web", self.alice)
        self.answers = [503, ConnectionError("refused"), 400, 500]
        with capturedLogs() as events:
            self.end()
            for number, delay in enumerate(RETRIES, 1):
                self.assertEqual(number, len(self.posted))
                self.clock.advance(delay - 0.1)
                self.assertEqual(number, len(self.posted))
                self.clock.advance(0.1)
            self.clock.advance(86400)

        self.assertEqual(1 + len(RETRIES), len(self.posted))
        self.assertEqual(4, len(events))
        for event in events:
            for _, token in self.posted:
                self.assertNotIn(token, repr(event))
        _, claims = self.claimsOf(self.posted[-1][1])
        self.assertEqual(int(NOW + sum(RETRIES)), claims["iat"])

    def test_heard(self) -> None:
        """
        A client that heard is left alone (O 94).
        """
        self.grant("web", self.alice)
        for heard in (200, 204):
            self.posted.clear()
            self.answers = [503, heard]
            self.got(self.logout.end(self.alice))
            self.clock.advance(1000)
            self.assertEqual(2, len(self.posted))

    def test_noKey(self) -> None:
        """
        Without a key to sign with it is tried again, too.
        """
        self.grant("web", self.alice)
        self.keys.key = InvalidToken("no key")
        self.end()
        self.assertEqual([], self.posted)

        self.keys.key = self.signer
        self.clock.advance(RETRIES[0])
        self.assertEqual(1, len(self.posted))
