"""
Tests of who may see the administration site, and what of it.
"""

from __future__ import annotations

from io import StringIO

from twisted.logger import globalLogPublisher, textFileLogObserver

from mailauth.server.sites import RECENT
from mailauth.server.web.admin.adminpage import LONGEST, AdminPage
from mailauth.stores.events import EventSearch

from .adminpages import AdminCase
from .shown import Shown
from .world import ALICE, BOB, ISSUER, Browser

ABOUT = {
    "admin/accounts/view": f"account={ALICE}",
    "admin/accounts/password": f"account={ALICE}",
    "admin/accounts/app-password": f"account={ALICE}",
    "admin/accounts/identity": f"account={ALICE}",
    "admin/accounts/end": f"end=disable&account={ALICE}",
    "admin/applications/view": "id=laptop",
    "admin/applications/end": "end=remove&id=laptop",
}
"""
What the pages need to be about, by their paths.
"""

READING = {
    "admin/",
    "admin/accounts",
    "admin/applications",
    "admin/applications/view",
    "admin/connections",
    "admin/keys",
    "admin/audit",
    "admin/audit/logins",
}
"""
Those that change nothing.
"""

RECENTLY = {
    "admin/accounts/new",
    "admin/accounts/password",
    "admin/accounts/app-password",
    "admin/accounts/import",
    "admin/accounts/identity",
    "admin/accounts/end",
    "admin/applications/new",
    "admin/applications/end",
    "admin/keys/rotate",
    "admin/keys/end",
}
"""
Those that make a key to something, or end something.
"""


class AdminAccessTests(AdminCase):
    """
    Every page of the site, as others see it.
    """

    federated = True

    def pages(self) -> dict[str, AdminPage]:
        """
        All of them, by their paths.
        """
        return {
            path.decode("ascii").lstrip("/"): resource
            for path, resource in self.world.site.resources.items()
            if isinstance(resource, AdminPage)
        }

    def addressOf(self, path: str) -> str:
        """
        Where something is on it.
        """
        if path == "admin/keys/end":
            [key] = self.wait(self.world.administration.keys.list())
            return f"{path}?end=revoke&id={key.key.kid}"
        return f"{path}?{ABOUT[path]}" if path in ABOUT else path

    def tokensOf(self, browser: Browser) -> dict[str, str]:
        """
        What the forms that are made for somebody prove themselves with, by the paths that they are
        for: one where he has to have signed in lately, and another where he need not.
        """
        lately, whenever = (
            browser.get(path).page.forms[-1].fields["csrf"]
            for path in ("admin/keys/rotate", f"admin/accounts/view?account={ALICE}")
        )
        return {path: lately if path in RECENTLY else whenever for path in self.pages()}

    def post(self, path: str, token: str, browser: Browser | None = None) -> Shown:
        """
        Send a form with nothing in it but that.
        """
        return (browser or self.browser).post(path, {"csrf": token, "end": "disable"})

    def test_all(self) -> None:
        """
        Each of them is shown to an administrator.
        """
        for path in self.pages():
            self.assertEqual(200, self.browser.get(self.addressOf(path)).status, path)

    def test_methods(self) -> None:
        """
        Those that show something change nothing: they take no form.
        """
        for path, page in self.pages().items():
            self.assertEqual(path in READING, b"POST" not in page.methods, path)

    def test_others(self) -> None:
        """
        Nobody else sees any of them, or sends a form to it, whoever made that for him.
        """
        other = Browser(self.world)
        self.world.administrators = {ALICE}
        self.enterAsAlice(other)
        tokens = self.tokensOf(other)
        self.world.administrators = {BOB}

        for path in self.pages():
            shown = other.get(self.addressOf(path))
            self.assertEqual((403, "This is for administrators"), (shown.status, shown.heading))
            if path not in READING:
                shown = self.post(path, tokens[path], other)
                self.assertEqual((403, "This is for administrators"), (shown.status, shown.heading))

    def enterAsAlice(self, browser: Browser) -> None:
        """
        Somebody else signs in.
        """
        mine, self.browser = self.browser, browser
        self.enterAt("admin/", ALICE)
        self.browser = mine

    def test_nobody(self) -> None:
        """
        Who is not in is led to sign in, and a form of his is too old.
        """
        for path in self.pages():
            self.assertEqual("Sign in", Browser(self.world).get(self.addressOf(path)).heading)
            if path not in READING:
                shown = self.post(path, "x", Browser(self.world))
                self.assertEqual((400, "This page is too old"), (shown.status, shown.heading))

    def test_forged(self) -> None:
        """
        A form that was not made here does nothing: without a token, with one of another site of
        ours, or from elsewhere (WB1).
        """
        self.browser.get("account/")
        other = self.browser.get("account/app-passwords/new").page.forms[0].fields["csrf"]
        tokens = self.tokensOf(self.browser)
        before = self.wait(self.world.stores.events.find(EventSearch(), 100))
        for path in set(self.pages()) - READING:
            for wrong in ("", "x", other):
                self.assertEqual(403, self.post(path, wrong).status, path)
            shown = self.browser.post(path, {"csrf": tokens[path]}, "Origin: https://evil.example")
            self.assertEqual("This form was not sent from here", shown.heading)

        self.assertEqual(before, self.wait(self.world.stores.events.find(EventSearch(), 100)))

    def test_recently(self) -> None:
        """
        Whoever makes a key to something, or ends something, has signed in lately, and is led back
        to what he was about to do; to look at things, he need not (WB11).
        """
        self.browser.get("admin/")
        self.clock.advance(RECENT + 1)

        for path in self.pages():
            shown = self.browser.get(self.addressOf(path))
            self.assertEqual("Sign in" if path in RECENTLY else None, self.askedOf(shown), path)
        shown = self.enter(self.browser.get(self.addressOf("admin/accounts/end")), BOB)

        self.assertEqual(f"{ISSUER}/{self.addressOf('admin/accounts/end')}", unquoted(shown))

    def askedOf(self, shown: Shown) -> str | None:
        """
        Whether somebody has to sign in.
        """
        return shown.heading if shown.heading == "Sign in" else None

    def test_recentForm(self) -> None:
        """
        The form counts as long again as he may take over it, and then leads back to itself; nothing
        is done.
        """
        shown = self.visit(self.addressOf("admin/accounts/end"))
        self.clock.advance(2 * RECENT + 1)

        asked = self.browser.submit(shown)
        self.assertEqual("Sign in", asked.heading)
        self.assertTrue(self.wait(self.world.stores.accounts.get(ALICE)).enabled)
        shown = self.enter(asked, BOB)

        self.assertEqual("Disable alice@example.test?", shown.heading)
        self.sent(shown)
        self.assertFalse(self.wait(self.world.stores.accounts.get(ALICE)).enabled)

    def test_longest(self) -> None:
        """
        Nobody sees any of it who signed in twelve hours ago, however long browsers stay signed in.
        """
        self.world.sessions._lifetime = 30 * 86400.0
        self.browser.cookies.clear()
        self.enterAt("admin/", BOB)
        self.clock.advance(LONGEST - 60)
        self.assertEqual(200, self.browser.get("admin/").status)
        self.clock.advance(120)

        self.assertEqual("Sign in", self.browser.get("admin/").heading)

    def test_secondFactor(self) -> None:
        """
        Where the configuration says so, a password alone is not enough: the page says what is, and
        a code lets him in, to a form, too.
        """
        token = self.tokensOf(self.browser)["admin/keys/rotate"]
        self.world.secondFactor = True
        shown = self.browser.get("admin/keys")
        self.assertEqual((403, "A second factor is needed"), (shown.status, shown.heading))
        self.assertIn(("a", {"href": "/account/security"}), shown.page.elements)
        self.assertEqual(403, self.post("admin/keys/rotate", token).status)
        authenticator, _ = self.addTOTP(BOB)
        self.clock.advance(60)

        [again] = [
            named["href"]
            for tag, named in shown.page.elements
            if tag == "a" and "/authorize?" in named["href"]
        ]
        asked = self.enter(self.browser.get(again), BOB)
        code = authenticator.at(int(self.clock.seconds()))
        shown = self.browser.submit(asked, None, code=code)

        self.assertEqual((200, "Keys"), (shown.status, shown.heading))

    def test_outage(self) -> None:
        """
        What cannot be done now is not done, and the page says to try again.
        """
        forms = [
            self.visit(self.addressOf(path))
            for path in RECENTLY - {"admin/accounts/import", "admin/applications/end"}
        ]
        for name in ("accounts", "appPasswords", "clients", "signingKeys", "identities"):
            getattr(self.world.administered, name).down = True
        before = self.last()

        for shown in forms:
            typed = {"name": "x", "subject": "x", "redirects": "https://a.example/"}
            typed["password"] = "chosen by an administrator"
            after = self.browser.submit(shown, **typed)
            self.assertEqual(
                (503, "5"), (after.status, after.headers["retry-after"]), shown.heading
            )

        self.assertEqual(before, self.last())

    def test_secrets(self) -> None:
        """
        What is typed or made here stands in no log and in no address (LG1).
        """
        log = StringIO()
        observer = textFileLogObserver(log)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        addresses: list[str] = []
        follow = self.browser.follow

        def noted(shown: Shown) -> Shown:
            addresses.append(shown.headers.get("location", ""))
            return follow(shown)

        self.browser.follow = noted  # type: ignore[method-assign]
        password = "chosen by an administrator"
        self.sent(self.visit("admin/accounts/new"), name="carol", password=password)
        shown = self.sent(self.visit(f"admin/accounts/app-password?account={ALICE}"), name="phone")
        made = secretOf(shown)

        for each in (password, made):
            self.assertNotIn(each, log.getvalue())
            self.assertNotIn(each, "".join(addresses))
            for event in self.wait(self.world.stores.events.find(EventSearch(), 100)):
                self.assertNotIn(each, event.text)
        self.assertEqual("no-store", shown.headers["cache-control"])


def unquoted(shown: Shown) -> str:
    """
    Where somebody is, as it is typed.
    """
    return shown.address.replace("%40", "@")


def secretOf(shown: Shown) -> str:
    """
    What a page shows once.
    """
    _, found, behind = shown.body.decode("utf-8").rpartition('class="once">')
    assert found, shown
    return behind.partition("<")[0]
