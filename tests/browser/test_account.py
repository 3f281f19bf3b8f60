"""
The account site, as a person uses it.
"""

from __future__ import annotations

import imaplib
import plistlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from ..interop import ALICE
from ..interop.attempts import Outcome, python
from ..interop.programs import eventually
from .program import NAME
from .visiting import BrowserTestCase

NEW = "account/app-passwords/new"


class AccountTestCase(BrowserTestCase):
    """
    Alice at the account site.
    """

    def enter(self, path: str = "account/") -> None:
        """
        Go to a page, and sign in on the way.
        """
        self.visit(path)
        self.assertEqual("Sign in", self.tab.heading)
        self.signIn()

    def allow(self) -> None:
        """
        Let the program read mail, and let it do so.
        """
        self.tab.visit(self.program.address(scope="imap offline_access"))
        self.tab.click("button[value=allow]")
        token = self.program.redeem(self.program.answer()["code"])["access_token"]
        welcome, *_ = self.inbox(ALICE)
        self.assertEqual(Outcome(welcome), python(self.attempt("imaps", "OAUTHBEARER", token)))

    @contextmanager
    def connected(self, password: str) -> Iterator[imaplib.IMAP4_SSL]:
        """
        A mail program that stays connected.
        """
        trust = ssl.create_default_context(cafile=self.demo.authority)
        with imaplib.IMAP4_SSL("localhost", self.demo.ports["imaps"], ssl_context=trust) as program:
            program.login(ALICE, password)
            yield program

    def secret(self) -> str:
        """
        The app password that the page shows.
        """
        text: str = self.tab.evaluate("document.getElementById('secret').textContent")
        return text

    def endFirst(self, part: str) -> None:
        """
        Press the first button in a part of the page.
        """
        self.tab.click(f"section[aria-labelledby={part}] form button")


class OverviewTests(AccountTestCase):
    """
    Who can read the mail.
    """

    def test_endEach(self) -> None:
        """
        Somebody sees an app password, an application, a connection and a browser, and ends each of
        them with one click; where nothing is left it says what to do.
        """
        self.enter()
        self.allow()
        other = self.chromium.openApart()
        other.visit(f"{self.demo.issuer}/signin")
        other.fill("#username", ALICE)
        other.fill("#password", self.password)
        other.click("button[value=signin]")
        with self.connected(self.demo.appPassword) as program:
            program.select("INBOX")
            self.visit("account/")
            for told in (NAME, "IMAP", "127.0.0.1", "This browser", "Chrome on Linux"):
                self.assertIn(told, self.tab.text)
            self.look("account-overview")

            self.endFirst("connections")
            self.assertIn("The connection is ended.", self.tab.text)
            self.assertIn("No program is connected at this moment.", self.tab.text)
            self.look("account-ended")
            self.assertRaises(imaplib.IMAP4.abort, self.useTwice, program)
        self.endFirst("applications")
        self.assertIn("The application is ended.", self.tab.text)
        self.endFirst("browsers")
        self.assertIn("The browser is signed out.", self.tab.text)
        self.endFirst("passwords")
        self.assertIn("The app password is ended.", self.tab.text)
        self.assertIn("You have none.", self.tab.text)
        self.look("account-empty")

        refused = python(self.attempt("imaps", "PLAIN", self.demo.appPassword))
        self.assertNotEqual(Outcome(self.inbox(ALICE)[0]), refused)
        other.visit(f"{self.demo.issuer}/account/")
        self.assertEqual("Sign in", other.heading)
        self.assertQuiet()

    def useTwice(self, program: imaplib.IMAP4_SSL) -> None:
        """
        The first may still hear why it ends.
        """
        program.noop()
        program.noop()

    def test_everything(self) -> None:
        """
        Whoever lost his phone is asked once, and ends everything but the browser he is in.
        """
        self.enter()
        self.allow()
        self.visit("account/")
        self.tab.click("section[aria-labelledby=lost] a")
        self.assertEqual("End everything?", self.tab.heading)
        self.look("account-everything")

        self.tab.click("main form button")

        self.assertIn("Only this browser is still signed in.", self.tab.text)
        self.assertIn("You have none.", self.tab.text)
        self.assertNotIn(NAME, self.tab.text)
        self.visit("account/activity")
        for told in ("App password revoked", "Everything ended", NAME, "UTC"):
            self.assertIn(told, self.tab.text)
        self.assertRegex(self.tab.text, r"from (127\.0\.0\.1|::1)")
        self.look("account-activity")
        self.assertQuiet()

    def test_withoutScripts(self) -> None:
        """
        Without scripts everything is there but the button that copies.
        """
        self.tab.command("Emulation.setScriptExecutionDisabled", value=True)
        self.enter(NEW)
        self.tab.fill("#name", "phone")
        self.tab.touch("#may-choose")
        self.assertIn("IMAP", self.tab.text)
        self.tab.touch("#imap")
        self.tab.click("main form button")
        self.assertEqual("Your new app password", self.tab.heading)
        self.assertNotIn("Copy\n", self.tab.text)
        welcome, *_ = self.inbox(ALICE)
        self.assertEqual(Outcome(welcome), python(self.attempt("imaps", "PLAIN", self.secret())))
        self.visit("account/")
        self.endFirst("passwords")
        self.assertIn("The app password is ended.", self.tab.text)


class NewAppPasswordTests(AccountTestCase):
    """
    From the first page to an app password that works.
    """

    def test_make(self) -> None:
        """
        Somebody makes one, copies it, and reads mail with it. Loading the page again makes no
        second one.
        """
        self.enter()
        self.tab.click("main a.button")
        self.assertEqual("New app password", self.tab.heading)
        self.assertNotIn("Last day", self.tab.text)
        self.assertNotIn("POP3", self.tab.text)
        self.look("apppassword")
        self.tab.awaitFocus("name")
        self.tab.type("my phone")
        self.tab.touch("#may-choose")
        self.tab.evaluate("document.getElementById('expires').value = 'date'")
        self.tab.touch("summary")
        self.tab.fill("#networks", "home")
        self.look("apppassword-choices")
        self.tab.click("main form button")
        self.assertIn("Choose at least one protocol.", self.tab.text)
        self.assertEqual("my phone", self.fields()["name"])
        self.look("apppassword-problem")
        self.tab.touch("#imap")
        self.tab.evaluate("document.getElementById('expires').value = '90'")
        self.tab.fill("#networks", "127.0.0.0/8")
        self.tab.click("main form button")
        self.assertEqual("Your new app password", self.tab.heading)
        secret = self.secret()
        self.look("apppassword-made")

        self.chromium.command(
            "Browser.grantPermissions",
            permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
        )
        self.tab.touch(".copy button")
        self.tab.until("document.querySelector('[role=status]').textContent === 'Copied'")
        self.assertEqual(secret, self.tab.evaluate("navigator.clipboard.readText()"))
        welcome, *_ = self.inbox(ALICE)
        self.assertEqual(Outcome(welcome), python(self.attempt("imaps", "PLAIN", secret)))

        self.tab.reload()
        self.assertIn("This form was sent before.", self.tab.text)
        self.look("apppassword-sent")
        self.visit("account/")
        self.assertEqual(1, self.tab.text.count("my phone"))
        self.assertNotIn(secret, self.tab.evaluate("document.documentElement.outerHTML"))
        self.assertQuiet()

    def test_keyboard(self) -> None:
        """
        A keyboard is enough, and what has the focus can be seen.
        """
        self.enter(NEW)
        self.tab.awaitFocus("name")
        self.tab.type("printer")
        seen = []
        for _ in range(4):
            self.tab.strike("Tab")
            seen.append(self.tab.focused)
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            self.assertEqual("solid", self.tab.evaluate(outline))
        self.assertEqual("may", seen[0])
        self.assertEqual(["Limit it to networks", "Make app password"], seen[2:])
        self.tab.press("Enter")
        self.assertEqual("Your new app password", self.tab.heading)

        self.visit("account/")
        for _ in range(40):
            self.tab.strike("Tab")
            label = self.tab.evaluate("document.activeElement.getAttribute('aria-label')")
            if label == "End printer":
                break
        self.tab.press("Enter")
        self.assertIn("The app password is ended.", self.tab.text)
        self.assertNotIn("printer", self.tab.text)


class AppleTests(AccountTestCase):
    """
    What sets up an iPhone.
    """

    def test_profile(self) -> None:
        """
        The set-up page leads there, and one button gets a profile whose app password works; the
        page stays, and says what to do with it.
        """
        downloads = self.directory / "downloads"
        downloads.mkdir()
        self.chromium.command(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads)
        )
        self.visit(f"setup/?emailaddress={ALICE}")
        self.tab.evaluate("document.querySelector('a[href$=\"account/apple\"]').focus()")
        self.tab.press("Enter")
        self.signIn()
        self.assertEqual("Set up an iPhone, iPad or Mac", self.tab.heading)
        self.look("apple")

        self.tab.touch("main form button")

        eventually(lambda: list(downloads.glob("*.mobileconfig")))
        [file] = downloads.glob("*.mobileconfig")
        octets = file.read_bytes()
        plist = octets[octets.index(b"<?xml") : octets.index(b"</plist>") + len(b"</plist>")]
        [account] = plistlib.loads(plist)["PayloadContent"]
        welcome, *_ = self.inbox(ALICE)
        attempt = self.attempt("imaps", "PLAIN", account["IncomingPassword"])
        self.assertEqual(Outcome(welcome), python(attempt))
        self.assertIn("Profile Downloaded", self.tab.text)
        self.visit("account/")
        self.assertIn("iPhone or Mac, ", self.tab.text)
        self.assertQuiet()
