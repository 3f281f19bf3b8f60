"""
Tests for L{mailauth.server.web.sitepage} and L{mailauth.server.sites}, by way of the two sites.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from mailauth.credentials import accountTag
from mailauth.errors import Outage
from mailauth.server.sites import ACCOUNT
from mailauth.stores.events import ACCOUNT_SITE, Actor

from .world import ALICE, BOB, ISSUER, PASSWORDS, Browser, PagesCase


class SitePageTests(PagesCase):
    """
    Who may see a page of our own sites.
    """

    def test_signsIn(self) -> None:
        """
        Somebody is led to the sign-in page, like to any client's, and comes back to what he came
        for. Nobody asks him what the site may do.
        """
        asked = self.browser.get("account/")
        self.assertNotIn("asks you to sign in", asked.page.text)

        shown = self.enter(asked)

        self.assertEqual(shown.address, f"{ISSUER}/account/")
        self.assertEqual(shown.heading, "Who can read your mail")
        self.assertIn(ALICE, shown.page.text)

    def test_cookie(self) -> None:
        """
        The browser holds a cookie that says nothing, and neither a token nor a code (RFC 10017
        section 6.1.3).
        """
        self.enter(self.browser.get("account/"))

        self.assertEqual(
            self.browser.attributes["__Host-mailauth-account"],
            {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"},
        )
        self.assertEqual(len(self.browser.cookies["__Host-mailauth-account"]), 43)

    def test_authorizationRequest(self) -> None:
        """
        It is an ordinary client: a code, PKCE, a state and a nonce of its own each time (RFC 9700
        section 2.1.1).
        """
        asked = [
            parse_qs(urlsplit(self.browser.request("GET", "account/").location).query)
            for _ in range(2)
        ]

        for query in asked:
            self.assertEqual(query["client_id"], ["account"])
            self.assertEqual(query["response_type"], ["code"])
            self.assertEqual(query["code_challenge_method"], ["S256"])
            self.assertEqual(query["redirect_uri"], [f"{ISSUER}/account/signedin"])
        for name in ("state", "nonce", "code_challenge"):
            self.assertNotEqual(asked[0][name], asked[1][name])

    def test_sameBrowser(self) -> None:
        """
        Whoever is sent somebody else's answer is not signed in as him (O 13, WB3).
        """
        other = Browser(self.world)
        leaving = other.request("GET", "account/")
        signingIn = other.follow(other.request("GET", leaving.location))
        form = signingIn.page.forms[0]
        answer = other.request(
            "POST",
            form.action,
            "Content-Type: application/x-www-form-urlencoded",
            body=urlencode(
                {
                    **form.fields,
                    "username": BOB,
                    "password": PASSWORDS[BOB],
                    "decision": "signin",
                }
            ).encode("ascii"),
        )
        self.assertIn("/account/signedin?code=", answer.location)

        shown = self.browser.get(answer.location)

        self.assertEqual(shown.status, 400)
        self.assertNotIn("__Host-mailauth-account", self.browser.cookies)

    def test_otherIssuer(self) -> None:
        """
        An answer that names another issuer, or none, is nobody's (RFC 9207 section 2.4).
        """
        leaving = self.browser.request("GET", "account/").location
        state = parse_qs(urlsplit(leaving).query)["state"][0]
        for issuer in ("&iss=https%3A%2F%2Fevil.example", ""):
            shown = self.browser.get(f"account/signedin?code=x&state={state}{issuer}")
            self.assertEqual(shown.status, 400)

    def test_silently(self) -> None:
        """
        Where somebody is signed in already, he is let in without being asked, on the other site
        and after half of the time of his token, too.
        """
        self.enter(self.browser.get("account/"), BOB)
        self.assertEqual(self.browser.get("admin/").status, 200)
        secret = self.browser.cookies["__Host-mailauth-account"]

        self.clock.advance(1900)
        self.assertEqual(self.browser.get("account/").status, 200)

        self.assertNotEqual(self.browser.cookies["__Host-mailauth-account"], secret)

    def test_signsOut(self) -> None:
        """
        Signing out of the browser ends the sites, too.
        """
        shown = self.enter(self.browser.get("account/"))
        secret = self.browser.cookies["__Host-mailauth-account"]
        self.browser.submit(self.browser.get("signout"), "out")
        self.browser.cookies["__Host-mailauth-account"] = secret

        self.assertEqual(self.browser.get("account/").heading, "Sign in")
        self.assertEqual(shown.status, 200)

    def test_longAddress(self) -> None:
        """
        What an address asks for that is longer than a state may be is forgotten on the way, and
        keeps nobody out.
        """
        for length in (1000, 3000):
            asked = Browser(self.world).get(f"account/activity?before={length * '1'}")
            self.assertEqual("Sign in", asked.heading)
        self.browser.get(f"account/activity?before={length * '1'}")
        shown = self.enter(self.browser.get(f"account/activity?before={length * '1'}"))

        self.assertEqual(f"{ISSUER}/account/activity", shown.address)

    def test_endedMeanwhile(self) -> None:
        """
        Whose browser was signed out while he was on his way is not in, with a code that was good,
        either: a thief would keep one at hand (WB11).
        """
        self.enter(self.browser.get("account/"))
        asked = self.browser.request("GET", "admin/").location
        answer = self.browser.request("GET", asked).location
        self.assertIn("/admin/signedin?code=", answer)
        [session] = self.wait(self.world.stores.browserSessions.list(ALICE))
        actor = Actor(ALICE, ACCOUNT_SITE)
        self.wait(self.world.administration.access.endBrowser(actor, ALICE, session.identifier))

        shown = self.browser.get(answer)

        self.assertEqual("Sign in", shown.heading)

    def test_somebodyElse(self) -> None:
        """
        Where somebody else signs in, the sites are his: nobody acts for whoever was there before
        (WB2).
        """
        shown = self.enter(self.browser.get("account/"))
        self.assertIn(ALICE, shown.page.text)

        shown = self.enter(self.browser.get("signin"), BOB)

        self.assertEqual((shown.status, shown.address), (200, f"{ISSUER}/account/"))
        self.assertIn(BOB, shown.page.text)
        self.assertNotIn(ALICE, shown.page.text)

    def test_revoked(self) -> None:
        """
        Whose account is disabled or whose password changes is out at once.
        """
        self.enter(self.browser.get("account/"))
        self.clock.advance(1)

        self.wait(self.world.stores.revocations.revoke([accountTag(ALICE)], "The password changed"))

        self.assertEqual(self.browser.get("account/").heading, "Sign in")

    def test_sameSecond(self) -> None:
        """
        Whoever signs in right after a revocation, within its second, is in; and whoever did right
        before it is not. A token says whole seconds alone.
        """
        for wait in (0.25, 0.0):
            self.clock.advance(10.25)
            self.wait(self.world.stores.revocations.revoke([accountTag(ALICE)], "Ended"))
            self.clock.advance(0.25)
            self.enter(self.browser.get("account/"))
            self.assertEqual(self.browser.get("account/").status, 200)

            self.clock.advance(wait)
            self.wait(self.world.stores.revocations.revoke([accountTag(ALICE)], "Ended"))
            self.assertEqual(self.browser.get("account/").heading, "Sign in")

    def test_denied(self) -> None:
        """
        A record of the administrator's does not take the place of a site.
        """
        found = self.wait(self.world.authorization.clients.find(ACCOUNT))

        self.assertFalse(found.public)
        self.assertEqual(found.scope, {"openid"})

    def test_outage(self) -> None:
        """
        What cannot be decided is an outage, and nobody is signed out by it.
        """
        self.enter(self.browser.get("account/"))

        def deaf() -> int:
            raise Outage("deaf")

        hear = self.world.stores.revocations.catchUp
        self.world.stores.revocations.catchUp = deaf  # type: ignore[method-assign]
        self.assertEqual(self.browser.get("account/").status, 503)
        self.world.stores.revocations.catchUp = hear  # type: ignore[method-assign]
        self.assertEqual(self.browser.get("account/").status, 200)


class AdminPageTests(PagesCase):
    """
    Who may see the administration site.
    """

    def test_administrator(self) -> None:
        """
        Whoever the configuration names.
        """
        shown = self.enter(self.browser.get("admin/"), BOB)

        self.assertEqual((shown.status, shown.address), (200, f"{ISSUER}/admin/"))

    def test_nobodyElse(self) -> None:
        """
        Nobody else, and whoever was, is not any more.
        """
        shown = self.enter(self.browser.get("admin/"))
        self.assertEqual((shown.status, shown.heading), (403, "This is for administrators"))

        self.world.administrators = {ALICE}
        self.assertEqual(self.browser.get("admin/").status, 200)
        self.world.administrators = set()
        self.assertEqual(self.browser.get("admin/").status, 403)
