"""
Tests of signing out.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from mailauth.server.web.visit import SESSION_COOKIE

from .shown import Shown
from .world import ALICE, BOB, CLIENT, PagesCase

SESSION = SESSION_COOKIE.decode()
GOODBYE = "https://webmail.example/bye"


class SignOutTests(PagesCase):
    """
    Somebody is signed in, and would like to be out.
    """

    def setUp(self) -> None:
        """
        Sign in.
        """
        super().setUp()
        self.enter(self.browser.get("signin"))
        self.secret = self.browser.cookies[SESSION]
        self.session = self.wait(self.world.sessions.find(self.secret))

    def hint(self, **claims: Any) -> str:
        """
        The ID token that a client was given.
        """
        signer = self.wait(self.world.keys.signer())
        members = {
            "iss": self.issuer,
            "sub": ALICE,
            "aud": CLIENT.clientId,
            "sid": self.session.identifier,
            **claims,
        }
        token: bytes = signer.sign(members, type="JWT")
        return token.decode("ascii")

    def end(self, **asked: str) -> Shown:
        """
        A client sends somebody here.
        """
        return self.browser.get(f"end_session?{urlencode(asked)}")

    def assertSignedOut(self) -> None:
        """
        The browser has no session, and its secret is worth nothing.
        """
        self.assertNotIn(SESSION, self.browser.cookies)
        self.assertIsNone(self.wait(self.world.sessions.find(self.secret)))

    def assertSignedIn(self) -> None:
        """
        It has.
        """
        self.assertEqual(self.secret, self.browser.cookies[SESSION])
        self.assertIsNotNone(self.wait(self.world.sessions.find(self.secret)))

    def test_person(self) -> None:
        """
        Who comes by himself is asked, and then is out.
        """
        for path in ("signout", "end_session"):
            shown = self.browser.get(path)
            self.assertEqual("Sign out?", shown.heading)
            self.assertIn(ALICE, shown.page.text)
            self.assertSignedIn()

        shown = self.browser.submit(shown, "out")

        self.assertEqual((200, "You are signed out"), (shown.status, shown.heading))
        self.assertSignedOut()

    def test_stay(self) -> None:
        """
        Or he stays.
        """
        shown = self.browser.submit(self.browser.get("signout"), "stay")

        self.assertEqual("You are still signed in", shown.heading)
        self.assertSignedIn()

    def test_nobody(self) -> None:
        """
        Where nobody is signed in nobody is asked.
        """
        self.browser.submit(self.browser.get("signout"), "out")

        for path in ("signout", "end_session"):
            self.assertEqual("You are signed out", self.browser.get(path).heading)

    def test_client(self) -> None:
        """
        A client that knows who is signed in signs him out, and gets him back (RP-Initiated Logout
        1.0 section 2; O 95).
        """
        shown = self.end(id_token_hint=self.hint(), post_logout_redirect_uri=GOODBYE, state="a b")

        self.assertEqual(f"{GOODBYE}?state=a%20b", shown.location)
        self.assertSignedOut()

    def test_strangersClient(self) -> None:
        """
        One that does not know has to have him asked: no link signs anybody out (WB1; O 95).
        """
        for asked in (
            {"id_token_hint": self.hint(sub=BOB, sid="of another browser")},
            {"client_id": CLIENT.clientId},
            {"client_id": CLIENT.clientId, "post_logout_redirect_uri": GOODBYE},
        ):
            shown = self.end(**asked)
            self.assertEqual("Sign out?", shown.heading)
            self.assertIn("Mail on my laptop asks you to sign out.", shown.page.text)
            self.assertSignedIn()

        self.assertIn("https://webmail.example;", shown.headers["content-security-policy"])
        self.assertEqual(GOODBYE, self.browser.submit(shown, "out").location)
        self.assertSignedOut()

    def test_refused(self) -> None:
        """
        A hint that is not ours, an address that the client did not register, and what does not fit
        together are a page, and never a redirect; nobody is signed out by it (O 95).
        """
        for asked in (
            {"id_token_hint": "x"},
            {"id_token_hint": self.hint(iss="https://other.example")},
            {"id_token_hint": self.hint() + "x"},
            {"id_token_hint": self.hint(aud="unknown")},
            {"id_token_hint": self.hint(), "client_id": "webmail"},
            {"id_token_hint": self.hint(), "post_logout_redirect_uri": "https://evil.example/"},
            {"id_token_hint": self.hint(), "post_logout_redirect_uri": f"{GOODBYE}/"},
            {"post_logout_redirect_uri": GOODBYE},
            {"client_id": "unknown"},
            {"client_id": CLIENT.clientId, "post_logout_redirect_uri": "javascript:alert(1)"},
        ):
            shown = self.end(**asked)

            self.assertEqual((400, "This does not work"), (shown.status, shown.heading), asked)
            self.assertNotIn("location", shown.headers)
            self.assertSignedIn()

    def test_post(self) -> None:
        """
        A client may have a form sent (RP-Initiated Logout 1.0 section 2).
        """
        kept, self.browser.cookies = self.browser.cookies, {}
        form = "Content-Type: application/x-www-form-urlencoded"
        body = urlencode({"id_token_hint": self.hint()}).encode("ascii")
        shown = self.browser.request("POST", "end_session", form, body=body)
        self.browser.cookies = kept

        self.assertEqual("You are signed out", self.browser.follow(shown).heading)
        self.assertSignedOut()

    def test_otherBrowser(self) -> None:
        """
        What one browser was asked is worth nothing in another, nor after a while.
        """
        shown = self.end(client_id=CLIENT.clientId)
        self.clock.advance(601)

        self.assertEqual(400, self.browser.submit(shown, "out").status)
        self.assertSignedIn()
