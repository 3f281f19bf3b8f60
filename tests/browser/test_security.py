"""
What somebody signs in with, as a person sees and changes it.
"""

from __future__ import annotations

import pyotp

from ..interop import ALICE
from ..interop.programs import eventually
from .chromium import Tab
from .visiting import BrowserTestCase

NEW = "three words more"


class SecurityTestCase(BrowserTestCase):
    """
    Alice at the account site.
    """

    def setUp(self) -> None:
        """
        She is signed in.
        """
        super().setUp()
        self.visit("account/security")
        self.signIn()
        self.assertEqual("How you sign in", self.tab.heading)

    def go(self, path: str) -> None:
        """
        Follow a link of the page.
        """
        self.tab.click(f"a[href*='/{path}']")

    def elsewhere(self, password: str) -> Tab:
        """
        Another browser, where somebody signs in to the account site.
        """
        other = self.chromium.openApart()
        other.visit(f"{self.demo.issuer}/account/security")
        other.fill("#username", ALICE)
        other.fill("#password", password)
        other.click("button[value=signin]")
        return other

    def changePassword(self, current: str, password: str, repeated: str | None = None) -> None:
        """
        Fill in the form, and send it.
        """
        self.tab.fill("#current", current)
        self.tab.fill("#password", password)
        self.tab.fill("#repeated", password if repeated is None else repeated)
        self.tab.press("Enter")

    def authenticator(self) -> pyotp.TOTP:
        """
        What the page shows, in an app.
        """
        key: str = self.tab.evaluate("document.getElementById('key').textContent")
        return pyotp.TOTP(key.replace(" ", ""))

    def codes(self) -> list[str]:
        """
        The recovery codes that the page shows.
        """
        text: str = self.tab.evaluate("document.getElementById('codes').innerText")
        return text.split()


class PasswordTests(SecurityTestCase):
    """
    The password.
    """

    def test_changed(self) -> None:
        """
        Somebody changes it and stays signed in, and nobody else does.
        """
        other = self.elsewhere(self.password)
        self.assertEqual("How you sign in", other.heading)
        self.look("security")
        self.go("account/security/password")
        self.assertEqual("Change password", self.tab.heading)
        self.tab.awaitFocus("current")
        self.look("password")
        self.changePassword("a wrong one", NEW)
        self.assertIn("The current password is wrong.", self.tab.text)
        self.look("password-wrong")
        self.changePassword(self.password, "Sunshine2027")
        self.assertIn("one of the first that somebody would try", self.tab.text)
        self.look("password-common")
        self.changePassword(self.password, NEW, "three words mor")
        self.assertIn("are not the same", self.tab.text)
        self.look("password-different")

        self.changePassword(self.password, NEW)
        self.assertEqual("How you sign in", self.tab.heading)
        self.assertIn("Your password is changed", self.tab.text)
        self.look("security-changed")

        other.visit(f"{self.demo.issuer}/account/security")
        self.assertEqual("Sign in", other.heading)
        self.assertEqual("How you sign in", self.elsewhere(NEW).heading)
        self.assertTrue(any(b"Your password was changed" in each for each in self.inbox(ALICE)))
        self.assertQuiet()


class AuthenticatorTests(SecurityTestCase):
    """
    An authenticator app.
    """

    def test_setUp(self) -> None:
        """
        Somebody sets one up, keeps the recovery codes, and is asked for a code from then on.
        """
        self.go("account/security/totp")
        self.assertEqual("Set up an authenticator app", self.tab.heading)
        self.look("totp")
        app = self.authenticator()
        self.tab.fill("#code", "000000")
        self.tab.press("Enter")
        self.assertIn("This code is wrong.", self.tab.text)
        self.look("totp-wrong")
        self.assertEqual(app.secret, self.authenticator().secret)
        self.tab.fill("#code", app.now())
        self.tab.press("Enter")
        self.assertEqual("Your recovery codes", self.tab.heading)
        self.assertEqual(10, len(set(self.codes())))
        self.look("recovery-codes")
        codes = self.codes()
        self.keep(codes)

        other = self.elsewhere(self.password)
        self.assertEqual("One more step", other.heading)
        other.touch("summary")
        other.fill("#recovery", codes[0])
        other.press("Enter")
        self.assertEqual("How you sign in", other.heading)

        self.go("account/security")
        self.assertIn("You have 9 left.", self.tab.text)
        self.look("security-totp")
        self.go("account/security/recovery")
        self.look("recovery")
        self.tab.click("main form button")
        self.assertEqual(set(), set(codes) & set(self.codes()))
        self.look("recovery-renewed")
        self.assertQuiet()

    def keep(self, codes: list[str]) -> None:
        """
        Save the codes as a file, and print them.
        """
        where = self.directory / "saved"
        where.mkdir()
        self.chromium.command(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(where)
        )
        self.tab.touch("#save")
        saved = where / "recovery-codes-mail.localhost.txt"
        eventually(lambda: saved.exists() and saved.read_text().split() == codes)
        self.tab.evaluate("window.print = () => { window.printed = true }")
        self.tab.touch("#print")
        self.tab.until("window.printed")

    def test_turnedOff(self) -> None:
        """
        Somebody sees what is left, and gives it up.
        """
        self.go("account/security/totp")
        self.tab.fill("#code", self.authenticator().now())
        self.tab.press("Enter")
        self.go("account/security")
        self.go("account/security/totp/remove")
        self.assertIn("your password", self.tab.text)
        self.look("totp-remove")
        self.tab.click("main button")

        self.assertIn("The authenticator app is turned off", self.tab.text)
        self.assertEqual("How you sign in", self.elsewhere(self.password).heading)
        self.assertQuiet()


class PasskeysTests(SecurityTestCase):
    """
    Passkeys.
    """

    def test_passkeys(self) -> None:
        """
        Somebody adds one, gives it another name, and removes it.
        """
        self.tab.addAuthenticator()
        self.go("account/security/passkey")
        self.assertEqual("Add a passkey", self.tab.heading)
        self.look("passkey")
        self.tab.fill("#name", "My laptop")
        self.tab.click("#passkey button")
        self.assertIn("Your passkey is added.", self.tab.text)
        self.look("security-passkey")

        self.go("account/security/passkey/rename")
        self.assertEqual("My laptop", self.fields()["name"])
        self.look("passkey-rename")
        self.tab.fill("#name", "My old laptop")
        self.tab.press("Enter")
        self.assertIn("The passkey is renamed.", self.tab.text)
        self.assertIn("My old laptop", self.tab.text)

        self.go("account/security/passkey/remove")
        self.assertIn("your password", self.tab.text)
        self.look("passkey-remove")
        self.tab.click("main button")
        self.assertIn("The passkey is removed.", self.tab.text)
        self.assertIn("You have none yet.", self.tab.text)
        self.assertQuiet()

    def test_lastWayIn(self) -> None:
        """
        Whoever has nothing else is told what it means to remove it.
        """
        self.tab.addAuthenticator()
        self.go("account/security/passkey")
        self.tab.click("#passkey button")
        self.demo.command("account", "password", ALICE, "--none")
        # The browser's own list of passkeys, where the virtual device picks the first.
        self.tab.visit(f"{self.demo.issuer}/account/security", pages=2)
        self.assertIn("You sign in with one passkey and nothing else.", self.tab.text)
        self.look("security-one")
        self.go("account/security/passkey/remove")
        self.assertIn("not even you", self.tab.text)
        self.look("passkey-last")
        self.visit("account/security/password")
        self.assertEqual("Set a password", self.tab.heading)
        self.tab.awaitFocus("password")
        self.look("password-first")


class EverybodyTests(SecurityTestCase):
    """
    With a keyboard alone, and without scripts.
    """

    def test_keyboard(self) -> None:
        """
        A keyboard is enough for all of it.
        """
        self.tab.addAuthenticator()
        self.tabTo("Add a passkey")
        self.tab.press("Enter")
        self.tabTo("Add a passkey")
        self.tab.press("Enter")
        self.assertIn("Your passkey is added.", self.tab.text)
        self.tabTo("Remove")
        self.tab.press("Enter")
        self.tabTo("Remove")
        self.tab.press(" ")
        self.assertIn("The passkey is removed.", self.tab.text)
        self.tabTo("Set up an authenticator app")
        self.tab.press("Enter")
        self.tabTo("code")
        self.tab.type(self.authenticator().now())
        self.tabTo("Turn it on")
        self.tab.press(" ")
        self.tabTo("I have kept them")
        self.tab.press("Enter")
        self.tabTo("Turn off")
        self.tab.press("Enter")
        self.tabTo("Turn off")
        self.tab.press("Enter")
        self.assertIn("is turned off", self.tab.text)
        self.tabTo("Change password")
        self.tab.press("Enter")
        self.tab.awaitFocus("current")
        self.tab.type(self.password)
        self.tabTo("password")
        self.tab.type(NEW)
        self.tabTo("repeated")
        self.tab.type(NEW)
        self.tabTo("Change password")
        self.tab.press(" ")
        self.assertIn("Your password is changed", self.tab.text)

    def test_withoutScripts(self) -> None:
        """
        Without scripts everything is there but passkeys, which say why.
        """
        self.tab.command("Emulation.setScriptExecutionDisabled", value=True)
        self.go("account/security/totp")
        self.assertNotIn("Copy", self.tab.text)
        self.tab.fill("#code", self.authenticator().now())
        self.tab.press("Enter")
        self.assertEqual(10, len(self.codes()))
        self.assertNotIn("Print", self.tab.text)
        self.go("account/security")
        self.go("account/security/recovery")
        self.tab.click("main form button")
        self.assertEqual(10, len(self.codes()))
        self.go("account/security")
        self.go("account/security/passkey")
        self.assertIn("Passkeys need JavaScript", self.tab.text)
        self.visit("account/security/password")
        self.changePassword(self.password, NEW)
        self.assertIn("Your password is changed", self.tab.text)
