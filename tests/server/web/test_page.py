"""
Tests of what all pages have in common: what browsers may do with them, which forms are taken, and
what people see when something goes wrong.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher

from mailauth.errors import TooManyFailures
from mailauth.oauth.responses import OAuthError
from mailauth.server.web.endpoint import Answer
from mailauth.server.web.page import Page
from mailauth.server.web.visit import BROWSER_COOKIE, SESSION_COOKIE, Pages, Visit

from .shown import Shown
from .world import ALICE, PASSWORDS, Browser, PagesCase

EVERY_PAGE = (
    *("", "account/", "signin", "nothing", "authorize?client_id=unknown", "signout"),
    *("setup/", "setup/?emailaddress=alice@example.test", "setup/?emailaddress=a@b.example"),
)
SESSION, MARK = SESSION_COOKIE.decode(), BROWSER_COOKIE.decode()
ACCOUNT = "__Host-mailauth-account"


class Failing(Page):
    """
    A page that fails as it is told.
    """

    def __init__(self, pages: Pages, failure: BaseException) -> None:
        super().__init__(pages)
        self._failure = failure

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Fail.
        """
        raise self._failure


class HeaderTests(PagesCase):
    """
    What browsers are told about every page.
    """

    def policy(self, shown: Shown) -> dict[str, str]:
        """
        The Content-Security-Policy, by directive.
        """
        directives = shown.headers["content-security-policy"].split("; ")
        return dict(each.split(" ", 1) for each in directives)

    def test_policy(self) -> None:
        """
        A page loads nothing that is not from here, runs no script that stands in it, is in nobody's
        frame, and has no base (WB3, WB4; O 47, O 50).
        """
        for path in EVERY_PAGE:
            shown = self.browser.get(path)

            self.assertEqual(
                {
                    "default-src": "'none'",
                    "style-src": "'self'",
                    "script-src": "'self'",
                    "img-src": "'self'",
                    "form-action": "'self'",
                    "frame-ancestors": "'none'",
                    "base-uri": "'none'",
                },
                self.policy(shown),
                path,
            )
            self.assertEqual("DENY", shown.headers["x-frame-options"])

    def test_privacy(self) -> None:
        """
        Nobody hears from where a browser comes, nothing is kept in a cache, and no other site's
        window, frame or script gets hold of a page (WB10; O 47).
        """
        for path in EVERY_PAGE:
            headers = self.browser.get(path).headers

            self.assertEqual("no-referrer", headers["referrer-policy"])
            self.assertEqual("no-store", headers["cache-control"])
            self.assertEqual("nosniff", headers["x-content-type-options"])
            self.assertEqual("same-origin", headers["cross-origin-opener-policy"])
            self.assertEqual("same-origin", headers["cross-origin-resource-policy"])
            self.assertIn("camera=()", headers["permissions-policy"])
            self.assertNotIn("access-control-allow-origin", headers)

    def test_formAction(self) -> None:
        """
        A page whose answer goes to a client lets its form lead there and nowhere else, and leaves
        the client the window that it opened.
        """
        shown = self.browser.get(self.ask())
        consent = self.enter(shown)

        for page in (shown, consent):
            self.assertEqual("'self' http://127.0.0.1:38465", self.policy(page)["form-action"])
            self.assertNotIn("cross-origin-opener-policy", page.headers)

    def test_nothingFromElsewhere(self) -> None:
        """
        What a page loads is here, and nothing of it is a script or a style in the page itself
        (O 47).
        """
        for path in (*EVERY_PAGE, self.ask()):
            elements = self.browser.get(path).page.elements

            for tag, attributes in elements:
                for name in ("src", "href", "action", "formaction"):
                    self.assertTrue(attributes.get(name, "/").startswith("/"), attributes)
                self.assertFalse(any(name.startswith("on") for name in attributes), attributes)
                self.assertNotIn("style", attributes)
                self.assertFalse(tag == "script" and "src" not in attributes)

    def test_assets(self) -> None:
        """
        What a page loads has the right type, and an address that changes with it, so that browsers
        keep it for a year.
        """
        elements = self.browser.get("signin").page.elements
        for tag, attributes in elements:
            if tag in ("link", "script", "img"):
                asset = self.browser.get(attributes.get("href") or attributes["src"])

                self.assertEqual(200, asset.status)
                self.assertEqual("max-age=31536000", asset.headers["cache-control"])
                self.assertRegex(asset.headers["content-type"], "^(text/(css|java)|image/svg)")
                tagged = f"If-None-Match: {asset.headers['etag']}"
                self.assertEqual(304, self.browser.get(asset.address, tagged).status)

    def test_methods(self) -> None:
        """
        HEAD is GET without the page, and nothing else makes a server error.
        """
        for path in EVERY_PAGE:
            got, head = self.browser.request("GET", path), self.browser.request("HEAD", path)
            self.assertEqual((got.status, b""), (head.status, head.body))
            for method in ("PUT", "DELETE", "OPTIONS", "PROPFIND", "X"):
                self.assertIn(self.browser.request(method, path).status, (404, 405))


class CookieTests(PagesCase):
    """
    By what a browser is known again.
    """

    ATTRIBUTES = {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}

    def test_attributes(self) -> None:
        """
        No neighbour can set our cookies, no script can read them, and no other site's form brings
        them along; that of the session goes when the session does (WB2; O 52).
        """
        self.enter(self.browser.get("signin"))

        # The one more is that of the account site, where he is led.
        self.assertEqual({MARK, SESSION, ACCOUNT}, set(self.browser.cookies))
        for name in (MARK, ACCOUNT):
            self.assertEqual(self.ATTRIBUTES, self.browser.attributes[name])
        self.assertEqual({*self.ATTRIBUTES, "Max-Age=43200"}, self.browser.attributes[SESSION])

    def test_fixation(self) -> None:
        """
        Whoever signs in gets a session that nobody knew before, whatever cookie he came with, and
        the one he had is over (WB2; O 52).
        """
        self.browser.cookies[SESSION] = "planted"
        self.enter(self.browser.get("signin"))
        first = self.browser.cookies[SESSION]
        self.enter(self.browser.get("signin"))
        second = self.browser.cookies[SESSION]

        self.assertEqual(3, len({"planted", first, second}))
        for secret, account in (("planted", None), (first, None), (second, ALICE)):
            session = self.wait(self.world.sessions.find(secret))
            self.assertEqual(account, session and session.authentication.account)

    def test_noCookies(self) -> None:
        """
        A browser that keeps no cookies is told what is missing.
        """
        shown = self.browser.get("signin")
        self.browser.cookies.clear()
        shown = self.enter(shown)

        self.assertEqual((400, "A cookie is missing"), (shown.status, shown.heading))


class FormTests(PagesCase):
    """
    Which forms are taken (WB1; O 49).
    """

    def setUp(self) -> None:
        """
        Get a form.
        """
        super().setUp()
        self.shown = self.browser.get("signin")
        self.fields = {
            **self.shown.page.forms[0].fields,
            "username": ALICE,
            "password": PASSWORDS[ALICE],
        }

    def assertRefused(self, shown: Shown) -> None:
        """
        Nothing was done.
        """
        self.assertEqual((403, "This form was not sent from here"), (shown.status, shown.heading))
        self.assertNotIn(SESSION, self.browser.cookies)

    def test_own(self) -> None:
        """
        One that was made here for this browser is taken.
        """
        self.browser.post("signin", self.fields)

        self.assertIn(SESSION, self.browser.cookies)

    def test_token(self) -> None:
        """
        One without its token, or with another, is not.
        """
        for token in ("", "x", "é", self.fields["csrf"][:-1], self.fields["csrf"] + "A"):
            self.assertRefused(self.browser.post("signin", {**self.fields, "csrf": token}))

    def test_otherBrowser(self) -> None:
        """
        The token is worth nothing in another browser: nobody signs a stranger in with his own
        account.
        """
        stranger = Browser(self.world)
        planted = stranger.get("signin").page.forms[0].fields["csrf"]

        self.assertRefused(self.browser.post("signin", {**self.fields, "csrf": planted}))

    def test_otherPurpose(self) -> None:
        """
        The token of one form is worth nothing in another.
        """
        self.browser.post("signin", self.fields)
        signOut = self.browser.get("signout").page.forms[0].fields["csrf"]
        self.browser.cookies.pop(SESSION)

        self.assertRefused(self.browser.post("signin", {**self.fields, "csrf": signOut}))

    def test_origin(self) -> None:
        """
        What the browser says of where the form comes from has to be here. Our own forms come from
        nowhere, because their page says that nobody may know; then the site decides.
        """
        for headers in (
            ("Origin: https://evil.example",),
            ("Origin: http://mail.example.test",),
            ("Origin: https://mail.example.test:444",),
            ("Origin: https://mail.example.test.evil.example",),
            ("Sec-Fetch-Site: cross-site",),
            ("Origin: null", "Sec-Fetch-Site: same-site"),
            ("Origin: null", "Sec-Fetch-Site: cross-site"),
        ):
            self.assertRefused(self.browser.post("signin", self.fields, *headers))
        for headers in (
            ("Origin: https://mail.example.test", "Sec-Fetch-Site: same-origin"),
            ("Origin: null", "Sec-Fetch-Site: same-origin"),
            ("Origin: null", "Sec-Fetch-Site: none"),
            ("Origin: null",),
        ):
            self.browser.post("signin", self.fields, *headers)
            self.assertIn(SESSION, self.browser.cookies, headers)
            self.browser.cookies.pop(SESSION)

    def test_everyForm(self) -> None:
        """
        Every form of every page has a token, and no page takes one without.
        """
        self.enter(self.shown)
        for path in ("consent", "signin", "signin/second", "signin/passkey"):
            self.assertEqual(403, self.browser.post(path, {}).status, path)
        for path in ("signin", "signout", "device", "signin/passkey/new", self.ask()):
            shown = self.browser.get(path)

            for form in shown.page.forms:
                self.assertIn("csrf", form.fields, path)
                without = {**form.fields, "csrf": ""}
                self.assertEqual(403, self.browser.post(form.action, without).status, path)

    def test_formAlone(self) -> None:
        """
        What decides stands in the form, and there once.
        """
        shown = self.browser.post("signin?username=x", self.fields)

        self.assertEqual((400, "This does not work"), (shown.status, shown.heading))


class ErrorTests(PagesCase):
    """
    What a person sees when something goes wrong.
    """

    def fails(self, failure: BaseException) -> Shown:
        """
        What a page shows that failed.
        """
        site: Any = self.world.site
        site.resources = {b"/failing": Failing(self.world.pages, failure)}
        return self.browser.get("failing")

    def test_missing(self) -> None:
        """
        There is a page where nothing is, too, for every method.
        """
        for method in ("GET", "POST", "PROPFIND"):
            shown = self.browser.request(method, "nothing")
            self.assertEqual((404, "There is nothing here"), (shown.status, shown.heading))

    def test_outage(self) -> None:
        """
        An outage is a page that says so, and when to come again; it is nobody's fault, and least
        of all a wrong password.
        """
        shown = self.browser.get("signin")
        self.world.kept.down = True
        shown = self.enter(shown)

        self.assertEqual((503, "Please try again soon"), (shown.status, shown.heading))
        self.assertEqual("5", shown.headers["retry-after"])

    def test_limited(self) -> None:
        """
        Who tried too often is told to wait.
        """
        shown = self.fails(TooManyFailures("of this test"))

        self.assertEqual((429, "Too many attempts"), (shown.status, shown.heading))

    def test_unexpected(self) -> None:
        """
        A mistake of ours is a page that says so, and tells nothing else; the log has where it was.
        """
        log = EventLoggingObserver()
        globalLogPublisher.addObserver(log)
        self.addCleanup(globalLogPublisher.removeObserver, log)
        shown = self.fails(ZeroDivisionError("planted"))

        self.assertEqual((500, "Something went wrong here"), (shown.status, shown.heading))
        self.assertNotIn(b"planted", shown.body)
        [event] = log
        self.assertIn("ZeroDivisionError", event["kind"])

    def test_mistakenClient(self) -> None:
        """
        What a client did wrong is shown for its makers, without becoming markup (WB4).
        """
        shown = self.fails(OAuthError("invalid_request", "<script>alert(1)</script>"))

        self.assertEqual(400, shown.status)
        self.assertNotIn(
            "script", {tag for tag, attributes in shown.page.elements if not attributes}
        )
        self.assertIn(
            "invalid_request <script>alert(1)</script>", " ".join(shown.page.text.split())
        )
