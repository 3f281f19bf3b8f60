"""
Tests of signing in at another issuer, as a browser sees it, and of what it tells when somebody
signs out there.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urljoin

from mailauth.errors import Outage
from mailauth.oauth.records import Authentication, Grant
from mailauth.server.backchannellogout import BackchannelLogout
from mailauth.server.liveness import isRevoked
from mailauth.server.web.backchannellogout import BackchannelLogoutResource
from mailauth.server.web.visit import SESSION_COOKIE

from ...validators.web import CONFIGURATION, ISSUER, JWKS, METADATA, answer
from ..company import SESSION, TOKEN, sentTo
from .requests import Response, ask, post
from .shown import Shown
from .world import ALICE, BOB, Browser, PagesCase

COOKIE = SESSION_COOKIE.decode()
BUTTON = "Continue with Example Company"


class ExternalCase(PagesCase):
    """
    Alice, and the company where she signs in.
    """

    federated = True

    def press(self, shown: Shown) -> Shown:
        """
        Press the button on the sign-in page.
        """
        [link] = [
            attributes["href"]
            for name, attributes in shown.page.elements
            if name == "a" and attributes.get("class") == "button"
        ]
        return self.browser.get(urljoin(shown.address, link))

    def leave(self, shown: Shown) -> str:
        """
        The same.

        @return: where she is sent.
        """
        left = self.press(shown)
        self.assertEqual(303, left.status)
        return left.location

    def comeBack(self, location: str, **query: str | None) -> Shown:
        """
        The company sends her back.

        @param query: what she brings, if that is not what she has to.
        """
        sent = sentTo(location)
        usual = {"code": "the code", "state": sent["state"], **query}
        brought = {name: value for name, value in usual.items() if value is not None}
        return self.browser.get(f"{sent['redirect_uri']}?{urlencode(brought)}")

    def authentication(self) -> Authentication:
        """
        As what she is signed in.
        """
        session = self.wait(self.world.sessions.find(self.browser.cookies[COOKIE]))
        authentication: Authentication = session.authentication
        return authentication

    def signIn(self, shown: Shown, **claims: Any) -> Shown:
        """
        There and back.

        @param claims: what the company says of her.
        """
        location = self.leave(shown)
        self.world.company.gives(location, **claims)
        return self.comeBack(location)


class ExternalTests(ExternalCase):
    """
    The way there and back.
    """

    def test_button(self) -> None:
        """
        The sign-in page has a button for it, beside the form, which leads nowhere else for its
        sake: no password can be sent there.
        """
        shown = self.browser.get("signin")

        self.assertIn(BUTTON, shown.page.text)
        self.assertIn("form-action 'self';", shown.headers["content-security-policy"])

    def test_request(self) -> None:
        """
        Somebody whom a program sent signs in there, and goes on to what it asks; he types nothing
        here, and what the company says of him is what the program learns.
        """
        shown = self.browser.get(self.ask(state="of the program", login_hint=ALICE))
        location = self.leave(shown)

        self.assertEqual(METADATA["authorization_endpoint"], location.partition("?")[0])
        self.assertEqual(ALICE, sentTo(location)["login_hint"])
        self.assertNotIn("prompt", sentTo(location))
        self.world.company.gives(location)
        shown = self.comeBack(location)
        self.assertEqual("Allow access?", shown.heading)
        self.assertIn(ALICE, shown.page.text)
        self.assertIn("code=", self.browser.submit(shown, "allow").location)
        self.assertEqual(SESSION, self.authentication().issuerSession)

    def test_device(self) -> None:
        """
        So for a device, whose code is not forgotten.
        """
        asked = self.wait(self.world.deviceAnswer())
        shown = self.browser.get(asked["verification_uri_complete"])

        shown = self.signIn(shown)

        self.assertEqual("Connect a device", shown.heading)
        self.assertEqual(asked["user_code"], shown.page.forms[0].fields["user_code"])

    def test_cookie(self) -> None:
        """
        The cookie that a browser leaves with is not the one it came with (WB2).
        """
        self.enter(self.browser.get("signin"))
        before = self.browser.cookies[COOKIE]

        self.signIn(self.browser.get("signin"))

        self.assertNotEqual(before, self.browser.cookies[COOKIE])

    def test_again(self) -> None:
        """
        A program that wants somebody to sign in again gets that, there too; so does a page of ours
        that does, and whoever is signed in and would like to be somebody else.
        """
        for parameters in ({"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "60"}):
            shown = self.browser.get(self.ask(**parameters))
            self.assertEqual("login", sentTo(self.leave(shown))["prompt"])
        self.signIn(self.browser.get("signin"), auth_time=self.clock.seconds())
        self.clock.advance(1)
        shown = self.browser.get(self.ask(prompt="login"))
        self.assertEqual("login", sentTo(self.leave(shown))["prompt"])
        self.assertEqual("login", sentTo(self.leave(self.browser.get("signin")))["prompt"])

        self.clock.advance(120)
        shown = self.browser.get(self.ask(prompt="login"))
        shown = self.signIn(shown, auth_time=self.clock.seconds() - 90)
        self.assertEqual("Sign in", shown.heading)
        shown = self.signIn(shown, auth_time=self.clock.seconds())
        self.assertEqual("Allow access?", shown.heading)

    def test_subject(self) -> None:
        """
        Whoever signs in there is who he is there, whoever was signed in here before.
        """
        self.enter(self.browser.get("signin"))

        self.signIn(self.browser.get("signin"), sub="bob there", email=BOB)

        self.assertIn(BOB, self.browser.get(self.ask()).page.text)

    def test_refusedThere(self) -> None:
        """
        Who would rather not is back on the sign-in page, and what he came for is not forgotten.
        """
        location = self.leave(self.browser.get(self.ask()))

        shown = self.comeBack(location, code=None, error="access_denied")

        self.assertEqual((403, "Sign in"), (shown.status, shown.heading))
        self.assertIn("You were not signed in there.", shown.page.text)
        self.assertIn(BUTTON, shown.page.text)
        self.assertNotIn(COOKIE, self.browser.cookies)
        self.assertEqual("Allow access?", self.enter(shown).heading)

    def test_nobody(self) -> None:
        """
        So is who has no account here, and is told that this is why.
        """
        shown = self.signIn(self.browser.get(self.ask()), email="carol@example.test")

        self.assertEqual((403, "Sign in"), (shown.status, shown.heading))
        self.assertIn("there is no account here", shown.page.text)
        self.assertNotIn(COOKIE, self.browser.cookies)

    def test_disabled(self) -> None:
        """
        So is whose account is disabled.
        """
        self.wait(self.world.stores.accounts.disable(ALICE))

        shown = self.signIn(self.browser.get("signin"))

        self.assertIn("This account is disabled.", shown.page.text)

    def test_otherBrowser(self) -> None:
        """
        Whoever follows the link with which somebody else would have come back is signed in as
        nobody (WB3; RFC 9700 section 4.7).
        """
        location = self.leave(self.browser.get("signin"))
        self.world.company.gives(location)
        self.browser.cookies.clear()

        shown = self.comeBack(location)

        self.assertEqual((403, "Sign in"), (shown.status, shown.heading))
        self.assertNotIn(COOKIE, self.browser.cookies)
        self.assertEqual(0, self.world.company.web.count(TOKEN))

    def test_garbage(self) -> None:
        """
        No answer makes a mistake of ours.
        """
        location = self.leave(self.browser.get("signin"))
        redirect = sentTo(location)["redirect_uri"]

        for query in ("", "state=x", "state=%ff", "code=a&code=b", "state=&error=x"):
            shown = self.browser.get(f"{redirect}?{query}")
            self.assertIn(shown.status, (400, 403), query)
            self.assertNotIn(COOKIE, self.browser.cookies)
        shown = self.browser.get(f"{redirect}/begin?interaction=x")
        self.assertEqual(400, shown.status)
        self.assertEqual(405, self.browser.request("POST", redirect).status)

    def test_outage(self) -> None:
        """
        If it is down, on the way there or back, that is not the fault of who signs in (O 22).
        """
        shown = self.browser.get("signin")
        says = self.world.company.web.says
        up = says[CONFIGURATION]
        says[CONFIGURATION] = Outage("down")
        left = self.press(shown)
        self.assertEqual((503, "Please try again soon"), (left.status, left.heading))

        says[CONFIGURATION] = up
        self.clock.advance(60)
        location = self.leave(shown)
        says[TOKEN] = answer(status=502)
        shown = self.comeBack(location)
        self.assertEqual((503, "Please try again soon"), (shown.status, shown.heading))
        self.assertIn("retry-after", shown.headers)


class BackchannelLogoutTests(ExternalCase):
    """
    C{/backchannel_logout}.
    """

    def setUp(self) -> None:
        """
        Make it.
        """
        super().setUp()
        stores, reached = self.world.stores, self.world.company.reached
        self.resource = BackchannelLogoutResource(
            BackchannelLogout(
                {ISSUER: reached}, stores.revocations, stores.spent, self.clock.seconds
            )
        )

    def tell(self, token: bytes) -> Response:
        """
        The company tells that somebody signed out.
        """
        return post(self.resource, {"logout_token": token.decode("ascii")})

    def test_session(self) -> None:
        """
        Who signs out there is signed out of the browser that he signed in with through it, and of
        no other (section 2.7).
        """
        self.signIn(self.browser.get("signin"))
        other = Browser(self.world)
        mine, self.browser = self.browser, other
        self.signIn(self.browser.get("signin"), sid="another session")

        response = self.tell(self.world.company.logoutToken())

        self.assertEqual((200, b""), (response.status, response.body))
        self.assertEqual("no-store", response.headers["cache-control"])
        self.assertEqual("Sign in", mine.get(self.ask()).heading)
        self.assertEqual("Allow access?", other.get(self.ask()).heading)

    def test_person(self) -> None:
        """
        A token that names a person alone signs him out everywhere, and what he allowed programs
        ends, too.
        """
        self.signIn(self.browser.get(self.ask()))
        grant = Grant("grant", self.authentication(), "laptop", frozenset({"imap"}))
        self.clock.advance(1)

        self.assertEqual(200, self.tell(self.world.company.logoutToken(sid=None)).status)

        self.assertEqual("Sign in", self.browser.get(self.ask()).heading)
        self.assertTrue(isRevoked(grant, self.issuer, self.world.stores.revocations))

    def test_refused(self) -> None:
        """
        What is no logout token of the company is refused in JSON (section 2.8), and nobody else's
        script may send one.
        """
        for response in (
            self.tell(b"x"),
            self.tell(self.world.company.logoutToken(nonce="x")),
            post(self.resource, {}),
        ):
            self.assertEqual(400, response.status)
            self.assertEqual("invalid_request", response.members["error"])
            self.assertEqual("no-store", response.headers["cache-control"])
        self.assertEqual(405, ask(self.resource, "GET").status)
        crossing = ask(self.resource, "OPTIONS", "", "Origin: https://other.example")
        self.assertNotIn("access-control-allow-origin", crossing.headers)

    def test_outage(self) -> None:
        """
        If nobody can tell whose it is, the company may try again.
        """
        self.world.company.web.says[JWKS] = answer(status=500)

        self.assertEqual(503, self.tell(self.world.company.logoutToken()).status)
