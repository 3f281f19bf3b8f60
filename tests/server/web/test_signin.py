"""
Tests of the sign-in page, the second factor, and passkeys.
"""

from __future__ import annotations

import json
from html import unescape

from mailauth.oauth.records import Passkey
from mailauth.passwords import makeAppPassword
from mailauth.server.passkeys import MAX_PASSKEYS
from mailauth.server.sites import RECENT
from mailauth.server.web.visit import SESSION_COOKIE

from ..authenticator import Authenticator
from .shown import Shown
from .world import ALICE, BOB, PagesCase

SESSION = SESSION_COOKIE.decode()


class PasswordTests(PagesCase):
    """
    Signing in with a password.
    """

    def attempt(self, username: str, password: str) -> Shown:
        """
        Type a name and a password.
        """
        shown = self.browser.get(self.ask())
        return self.browser.submit(shown, "signin", username=username, password=password)

    def test_wrong(self) -> None:
        """
        A wrong password and a name that nobody has look the same, but for the name that was typed;
        what was asked is not forgotten (O 53).
        """
        wrong, unknown = self.attempt(ALICE, "wrong"), self.attempt("alicf@example.test", "wrong")

        for shown in (wrong, unknown):
            self.assertEqual((403, "Sign in"), (shown.status, shown.heading))
            self.assertIn("The mail address or the password is wrong.", shown.page.text)
            self.assertNotIn(SESSION, self.browser.cookies)
        self.assertEqual(wrong.page.text, unknown.page.text)
        self.assertEqual(ALICE, wrong.page.forms[0].fields["username"])
        self.assertEqual("", wrong.page.forms[0].fields["password"])
        self.assertEqual("Allow access?", self.enter(wrong).heading)

    def test_empty(self) -> None:
        """
        Nothing typed is a wrong password, and no mistake of ours.
        """
        self.assertEqual(403, self.attempt("", "").status)

    def test_appPassword(self) -> None:
        """
        Who types an app password is told which one is meant.
        """
        self.assertIn(
            "looks like an app password", self.attempt(ALICE, makeAppPassword()).page.text
        )

    def test_limited(self) -> None:
        """
        Who fails too often has to wait, and is told so on the same page (O 54).
        """
        shown = self.attempt(ALICE, "wrong")
        for guess in range(100):
            if shown.status == 429:
                break
            shown = self.attempt(ALICE, f"wrong {guess}")

        self.assertEqual((429, "Sign in"), (shown.status, shown.heading))
        self.assertIn("Wait a few minutes", shown.page.text)
        self.assertIn("retry-after", shown.headers)

    def test_passwordsAreNotShown(self) -> None:
        """
        No page holds what was typed as a password (LG1).
        """
        shown = self.attempt(ALICE, "a planted password")

        self.assertNotIn(b"planted", shown.body)


class SecondFactorTests(PagesCase):
    """
    Signing in with a second factor.
    """

    def setUp(self) -> None:
        """
        Alice has an authenticator, and knows her password.
        """
        super().setUp()
        self.totp, self.recoveryCodes = self.addTOTP()
        self.shown = self.enter(self.browser.get(self.ask()))

    def code(self) -> str:
        """
        What her authenticator shows.
        """
        return self.totp.at(int(self.clock.seconds()))

    def test_asks(self) -> None:
        """
        The password alone opens nothing (WB11; O 58).
        """
        self.assertEqual((200, "One more step"), (self.shown.status, self.shown.heading))
        self.assertIn(ALICE, self.shown.page.text)
        self.assertNotIn(SESSION, self.browser.cookies)

    def test_totp(self) -> None:
        """
        A code does.
        """
        shown = self.browser.submit(self.shown, code=self.code())

        self.assertEqual("Allow access?", shown.heading)

    def test_wrong(self) -> None:
        """
        After a wrong one another can be typed.
        """
        wrong = self.browser.submit(self.shown, code="000000")

        self.assertEqual((403, "One more step"), (wrong.status, wrong.heading))
        self.assertIn("This code is wrong", wrong.page.text)
        self.assertIn(ALICE, wrong.page.text)
        shown = self.browser.submit(wrong, code=self.code())
        self.assertEqual("Allow access?", shown.heading)

    def test_recovery(self) -> None:
        """
        So does a recovery code; after a wrong one another can be typed.
        """
        form = self.shown.page.forms[1]
        shown = self.browser.post(form.action, {**form.fields, "code": "wrong"})
        self.assertEqual((403, "One more step"), (shown.status, shown.heading))
        self.assertIn(("details", {"open": ""}), shown.page.elements)

        form = shown.page.forms[1]
        fields = {**form.fields, "code": self.recoveryCodes[0]}
        shown = self.browser.post(form.action, fields)

        self.assertEqual("Allow access?", shown.heading)

    def test_late(self) -> None:
        """
        Who takes too long starts again, and what was asked is not forgotten.
        """
        self.clock.advance(601)
        late = self.browser.submit(self.shown, code=self.code())

        self.assertEqual((403, "Sign in"), (late.status, late.heading))
        self.assertIn("That took too long.", late.page.text)
        again = self.browser.submit(self.enter(late), code=self.code())
        self.assertEqual("Allow access?", again.heading)

    def test_skipped(self) -> None:
        """
        There is no way around it: not with the step of somebody else, not with none, and not on
        any other page (WB11; O 58).
        """
        for fields in ({"step": ""}, {"step": "x"}, {"kind": "password"}, {"kind": ""}):
            shown = self.browser.submit(self.shown, code=self.code(), **fields)
            self.assertEqual("Sign in", shown.heading)
        for path in ("device", "signin/passkey/new", self.ask()):
            self.assertEqual("Sign in", self.browser.get(path).heading)

    def test_removed(self) -> None:
        """
        Whose account is removed meanwhile is not in.
        """
        self.wait(self.world.stores.accounts.remove(ALICE))
        shown = self.browser.submit(self.shown, code=self.code())

        self.assertEqual(403, shown.status)
        self.assertNotIn(SESSION, self.browser.cookies)

    def test_reload(self) -> None:
        """
        Whoever loads the address of the form again is back at the start.
        """
        self.assertEqual("Sign in", self.browser.get("signin/second").heading)


class PasskeyTests(PagesCase):
    """
    Passkeys: adding one, and signing in with it.
    """

    def setUp(self) -> None:
        """
        Alice has a device that can do it.
        """
        super().setUp()
        self.authenticator = Authenticator(self.issuer)

    def options(self, shown: Shown) -> str:
        """
        What the page tells the script.
        """
        [options] = [
            each["data-options"] for _, each in shown.page.elements if "data-options" in each
        ]
        return unescape(options)

    def add(self, name: str = "My phone") -> Shown:
        """
        Add a passkey, as the script does.
        """
        shown = self.browser.get("account/security/passkey")
        if shown.heading == "Sign in":
            shown = self.enter(shown)
        response = self.authenticator.create(self.options(shown))
        return self.browser.submit(shown, name=name, response=response)

    def use(self, shown: Shown) -> Shown:
        """
        Sign in with it, as the script does.
        """
        fields = shown.page.forms[0].fields
        response = self.authenticator.get(self.options(shown))
        return self.browser.post("signin/passkey", {**fields, "response": response})

    def test_signIn(self) -> None:
        """
        Who has a passkey types nothing.
        """
        shown = self.add("<b>phone")
        self.assertIn("Your passkey is added.", shown.page.text)
        self.assertIn("<b>phone", shown.page.text)
        self.browser.submit(self.browser.get("signout"), "out")

        shown = self.use(self.browser.get(self.ask()))

        self.assertEqual("Allow access?", shown.heading)
        self.assertIn(ALICE, shown.page.text)
        [passkey] = self.wait(self.world.stores.factors.listPasskeys(ALICE))
        self.assertEqual("<b>phone", passkey.name)

    def test_unknown(self) -> None:
        """
        A passkey that nobody knows is refused on the sign-in page, and what was asked is not
        forgotten.
        """
        self.authenticator.userHandle = "AAAA"
        shown = self.use(self.browser.get(self.ask()))

        self.assertEqual((403, "Sign in"), (shown.status, shown.heading))
        self.assertIn("This passkey was not accepted.", shown.page.text)
        self.assertEqual("Allow access?", self.enter(shown).heading)

    def test_replayed(self) -> None:
        """
        What a passkey answered counts once (WB11; O 59).
        """
        self.add()
        shown = self.browser.get("signin")
        fields = shown.page.forms[0].fields
        fields = {**fields, "response": self.authenticator.get(self.options(shown))}
        self.assertEqual(200, self.browser.post("signin/passkey", fields).status)

        self.assertEqual(403, self.browser.post("signin/passkey", fields).status)

    def test_garbage(self) -> None:
        """
        No response makes a mistake of ours.
        """
        shown = self.enter(self.browser.get("signin/passkey/new"))
        for response in ("", "x", "{}", "[]", "null", '{"id": 1}', json.dumps({"id": "x" * 900})):
            added = self.browser.submit(shown, name="x", response=response)
            self.assertEqual((403, "Add a passkey"), (added.status, added.heading))
            self.assertIn("This passkey could not be added.", added.page.text)
            fields = self.browser.get("signin").page.forms[0].fields
            used = self.browser.post("signin/passkey", {**fields, "response": response})
            self.assertIn(used.status, (403, 429))

    def test_full(self) -> None:
        """
        Who has as many passkeys as there may be is told so.
        """
        for number in range(MAX_PASSKEYS):
            passkey = Passkey(bytes([number]), ALICE, "one of many", b"")
            self.wait(self.world.stores.factors.addPasskey(passkey))

        shown = self.enter(self.browser.get("signin/passkey/new"))

        self.assertEqual((403, "You have enough passkeys"), (shown.status, shown.heading))

    def test_recent(self) -> None:
        """
        Who signed in a while ago signs in again before he adds one: an open browser is not enough
        to make a key to the account.
        """
        shown = self.enter(self.browser.get("signin/passkey/new"))
        self.assertEqual("Add a passkey", shown.heading)
        self.clock.advance(2 * RECENT + 1)

        self.assertEqual("Sign in", self.browser.get("signin/passkey/new").heading)
        response = self.authenticator.create(self.options(shown))
        self.assertEqual("Sign in", self.browser.submit(shown, name="x", response=response).heading)
        self.assertEqual((), self.wait(self.world.stores.factors.listPasskeys(ALICE)))

    def test_other(self) -> None:
        """
        The form of one account adds nothing to another (WB1).
        """
        shown = self.enter(self.browser.get("signin/passkey/new"))
        response = self.authenticator.create(self.options(shown))
        self.browser.submit(self.browser.get("signout"), "out")
        self.enter(self.browser.get("account/"), BOB)

        self.assertEqual(403, self.browser.submit(shown, name="x", response=response).status)

    def test_reload(self) -> None:
        """
        Whoever loads the address of the form again is back at the start.
        """
        self.assertEqual("Sign in", self.browser.get("signin/passkey").heading)
