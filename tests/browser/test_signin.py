"""
Signing in and out, as a person does it.
"""

from __future__ import annotations

import pyotp

from ..interop import ALICE
from ..interop.attempts import Outcome, python
from .program import NAME
from .visiting import BrowserTestCase


class SignInTests(BrowserTestCase):
    """
    From a program to the sign-in page, and back.
    """

    def test_password(self) -> None:
        """
        Somebody signs in with a password, allows access, and the program reads mail with what it
        gets; the second time nothing is typed (WB10; O 41, O 47).
        """
        self.tab.visit(self.program.address(login_hint=ALICE, scope="imap offline_access"))
        self.assertEqual("Sign in", self.tab.heading)
        self.assertEqual(ALICE, self.fields()["username"])
        self.assertIn(f"{NAME} asks you to sign in.", self.tab.text)
        self.look("signin")
        self.tab.fill("#password", "wrong")
        self.tab.click("button[value=signin]")
        self.assertIn("The mail address or the password is wrong.", self.tab.text)
        invalid = "document.querySelector('[aria-invalid]').id"
        self.assertEqual("password", self.tab.evaluate(invalid))
        self.look("signin-wrong")
        self.signIn()
        self.assertEqual("Allow access?", self.tab.heading)
        self.look("consent")
        self.tab.click("button[value=allow]")

        answer = self.program.answer()
        self.assertEqual(("the state", self.demo.issuer), (answer["state"], answer["iss"]))
        token = self.program.redeem(answer["code"])["access_token"]
        [welcome] = self.inbox(ALICE)
        outcome = python(self.attempt("imaps", "OAUTHBEARER", token))
        self.assertEqual(Outcome(welcome), outcome)

        self.tab.visit(self.program.address())
        self.assertEqual("Allow access?", self.tab.heading)
        self.tab.click("button[value=allow]")
        self.assertIn("code", self.program.answer())
        self.assertQuiet()

    def test_doubleClick(self) -> None:
        """
        Whoever clicks twice comes back as if he had clicked once.
        """
        self.tab.visit(self.program.address())
        self.tab.fill("#username", ALICE)
        self.tab.fill("#password", self.password)
        self.tab.click("button[value=signin]", times=2)
        self.assertEqual("Allow access?", self.tab.heading)
        self.tab.click("button[value=allow]", times=2)

        self.assertIn("code", self.program.answer())
        self.assertTrue(self.tab.address.startswith(self.program.redirectURI))

    def test_deny(self) -> None:
        """
        Who would not, comes back with nothing.
        """
        self.tab.visit(self.program.address())
        self.tab.click("button[value=deny]")
        self.assertEqual("access_denied", self.program.answer()["error"])

        self.tab.visit(self.program.address())
        self.signIn()
        self.tab.click("button[value=deny]")
        self.assertEqual("access_denied", self.program.answer()["error"])
        self.assertQuiet()

    def test_totp(self) -> None:
        """
        Who has an authenticator is asked for a code, and a recovery code does as well.
        """
        enrolment = self.demo.command("account", "totp", ALICE)
        authenticator = pyotp.parse_uri(enrolment["uri"])
        assert isinstance(authenticator, pyotp.TOTP)

        self.tab.visit(self.program.address())
        self.signIn()
        self.assertEqual("One more step", self.tab.heading)
        self.look("second")
        self.tab.awaitFocus("code")
        self.tab.type("000000")
        self.tab.press("Enter")
        self.assertIn("This code is wrong", self.tab.text)
        self.look("second-wrong")
        self.tab.awaitFocus("code")
        self.tab.type(authenticator.now())
        self.tab.press("Enter")
        self.assertEqual("Allow access?", self.tab.heading)

        self.visit("signin")
        self.signIn()
        self.tab.touch("summary")
        self.look("second-recovery")
        self.tab.fill("#recovery", enrolment["recovery_codes"][0])
        self.tab.press("Enter")
        self.assertEqual("Who can read your mail", self.tab.heading)
        self.assertQuiet()

    def test_passkey(self) -> None:
        """
        Somebody adds a passkey, and signs in with nothing typed at all.
        """
        self.tab.addAuthenticator()
        self.visit("account/security/passkey")
        self.signIn()
        self.assertEqual("Add a passkey", self.tab.heading)
        self.look("passkey")
        self.tab.click("#passkey button")
        self.assertIn("Your passkey is added.", self.tab.text)

        self.visit("account/security/passkey")
        self.tab.touch("#passkey button")
        self.tab.until("document.querySelector('[role=alert] p') !== null")
        self.assertIn("This device has a passkey", self.tab.text)
        self.look("passkey-known")

        self.tab.forget()
        # The browser's own list of passkeys, where the virtual device picks the first.
        self.tab.visit(self.program.address(), pages=2)
        self.assertEqual("Allow access?", self.tab.heading)
        self.assertIn(ALICE, self.tab.text)
        self.assertQuiet()

    def test_passkeyButton(self) -> None:
        """
        Where the browser has no list of passkeys there is a button; where no passkey answers the
        password still does.
        """
        self.tab.beforehand("delete PublicKeyCredential.isConditionalMediationAvailable")
        authenticator = self.tab.addAuthenticator()
        self.visit("account/security/passkey")
        self.signIn()
        self.tab.click("#passkey button")

        self.tab.forget()
        self.tab.visit(self.program.address())
        self.tab.click("#passkey button")
        self.assertEqual("Allow access?", self.tab.heading)
        self.assertIn(ALICE, self.tab.text)

        self.tab.removeAuthenticator(authenticator)
        self.tab.addAuthenticator()
        self.visit("signin")
        self.tab.touch("#passkey button")
        self.tab.until("document.querySelector('[role=alert] p') !== null")
        self.assertIn("No passkey was used.", self.tab.text)
        self.look("signin-nopasskey")
        self.signIn()
        self.assertEqual("Who can read your mail", self.tab.heading)
        self.assertQuiet()

    def test_signOut(self) -> None:
        """
        Somebody signs out, and has to sign in again (WB1).
        """
        self.visit("signin")
        self.signIn()
        self.visit("signout")
        self.look("signout")
        self.tab.click("button[value=out]")
        self.assertEqual("You are signed out", self.tab.heading)
        self.look("signedout")

        self.tab.visit(self.program.address())
        self.assertEqual("Sign in", self.tab.heading)
        self.assertQuiet()

    def test_keyboard(self) -> None:
        """
        A keyboard is enough, in the order in which things stand on the page, and what has the focus
        can be seen.
        """
        self.tab.visit(self.program.address())
        self.tab.awaitFocus("username")
        self.tab.type(ALICE)
        self.tab.strike("Tab")
        self.tab.awaitFocus("password")
        self.tab.type(self.password)
        self.tab.press("Enter")

        self.assertEqual("Allow access?", self.tab.heading)
        seen = []
        for _ in range(4):
            self.tab.strike("Tab")
            seen.append(self.tab.focused)
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            self.assertEqual("solid", self.tab.evaluate(outline))
        self.assertEqual(["mail.localhost", "Allow", "Cancel", "Use another account"], seen)
        self.tab.strike("Shift+Tab")
        self.tab.strike("Shift+Tab")
        self.tab.press(" ")
        self.assertIn("code", self.program.answer())

    def test_withoutScripts(self) -> None:
        """
        Without scripts everything is there but passkeys, which say why.
        """
        self.tab.command("Emulation.setScriptExecutionDisabled", value=True)
        self.tab.visit(self.program.address())
        self.assertNotIn("passkey", self.tab.text)
        self.signIn()
        self.assertEqual("Allow access?", self.tab.heading)
        self.visit("account/security/passkey")
        self.assertIn("Passkeys need JavaScript", self.tab.text)
        self.assertNotIn("Name of the passkey", self.tab.text)


class PagesTests(BrowserTestCase):
    """
    The pages that ask nothing.
    """

    def test_pages(self) -> None:
        """
        They can be read and used by everybody.
        """
        for path, name in (
            ("", "front"),
            ("setup/", "setup"),
            ("setup/?emailaddress=alice@example.test", "setup-ways"),
            ("setup/?emailaddress=alice@example.tset", "setup-unknown"),
            ("account/", "account"),
            ("nothing", "missing"),
            ("authorize?client_id=unknown", "error"),
            ("consent?interaction=x", "expired"),
        ):
            self.visit(path)
            self.look(name)
        self.assertQuiet()

    def test_frame(self) -> None:
        """
        No page is shown in a frame (WB3; O 50).
        """
        self.tab.visit(self.program.redirectURI.removesuffix("callback"))
        self.tab.evaluate(
            "new Promise((resolve) => { const f = document.createElement('iframe');"
            f" f.src = '{self.demo.issuer}/signin'; f.onload = resolve; document.body.append(f) }})"
        )

        refused = [event["entry"]["text"] for event in self.tab.events("Log.entryAdded")]
        self.assertTrue(any("frame" in each.lower() for each in refused), refused)
