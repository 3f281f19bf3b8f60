"""
The administration site, as an administrator uses it.
"""

from __future__ import annotations

import imaplib
from urllib.parse import quote

import pyotp

from mailauth.server.config import CONFIGURATION

from ..interop import ALICE, BOB
from ..interop.attempts import Outcome, python
from ..interop.demo import serve
from ..interop.federation import trust
from ..interop.oidcprovider import OIDCProvider, needOIDCProvider
from ..interop.programs import eventually
from .program import NAME
from .test_account import AccountTestCase

CAROL = "carol@example.test"
PASSWORD = "chosen by an administrator"


class AdminTestCase(AccountTestCase):
    """
    Alice at the administration site.
    """

    def view(self, account: str) -> None:
        """
        Go to an account.
        """
        self.visit(f"admin/accounts/view?account={quote(account)}")

    def follow(self, words: str, part: str = "main") -> None:
        """
        Click the first link in a part of the page that says this.
        """
        self.tab.evaluate(
            f"Array.from(document.querySelectorAll({part!r} + ' a'))"
            f".find((each) => each.innerText.trim() === {words!r}).dataset.next = ''"
        )
        self.tab.click("[data-next]")

    def confirm(self, heading: str, looked: str | None = None) -> None:
        """
        Say once more that it shall end.

        @param looked: the name of a picture of what was asked.
        """
        self.assertEqual(heading, self.tab.heading)
        if looked is not None:
            self.look(looked)
        self.tab.click("button.danger")

    def create(self) -> None:
        """
        Make an account for Carol.
        """
        self.visit("admin/accounts/new")
        self.tab.fill("#name", CAROL)
        self.tab.fill("#password", PASSWORD)
        self.tab.click("main form button")
        self.assertEqual(CAROL, self.tab.heading)


class AccountsTests(AdminTestCase):
    """
    Accounts.
    """

    def test_life(self) -> None:
        """
        An account is made, found, disabled, enabled and removed; whoever has it is in or out by
        that.
        """
        self.enter("admin/accounts")
        self.look("admin-accounts")
        self.follow("New account")
        self.look("admin-account-new")
        self.tab.fill("#name", ALICE)
        self.tab.click("main form button")
        self.assertIn(f"There is an account {ALICE} already.", self.tab.text)
        self.look("admin-account-new-wrong")
        self.create()
        self.assertIn("The account is created.", self.tab.text)
        self.look("admin-account-created")

        self.visit("admin/accounts")
        self.tab.fill("#word", "CAR")
        self.tab.press("Enter")
        self.follow(CAROL)
        self.follow("Disable it")
        self.confirm(f"Disable {CAROL}?", "admin-account-disable")
        self.assertIn("Nobody gets in", self.tab.text)
        self.look("admin-account-disabled")
        self.tab.click("button[value=enable]")
        self.assertIn("The account is enabled.", self.tab.text)
        self.follow("Remove it")
        self.tab.fill("#typed", "carol")
        self.confirm(f"Remove {CAROL}?")
        self.assertIn("That is not the name of the account.", self.tab.text)
        self.look("admin-account-remove")
        self.tab.fill("#typed", CAROL)
        self.confirm(f"Remove {CAROL}?")

        self.assertEqual("Accounts", self.tab.heading)
        self.assertNotIn(CAROL, self.tab.text)
        self.assertQuiet()

    def test_keyboard(self) -> None:
        """
        Without a mouse, and without scripts, an account is made and gets an alias.
        """
        self.enter("admin/accounts")
        self.tab.command("Emulation.setScriptExecutionDisabled", value=True)
        self.tabTo("New account")
        self.tab.press("Enter")
        self.tab.awaitFocus("name")
        self.tab.type(CAROL)
        self.tabTo("Create the account")
        self.tab.press("Enter")
        self.assertEqual(CAROL, self.tab.heading)
        self.tabTo("alias")
        self.tab.type("sales@example.test")
        self.tab.press("Enter")

        self.assertIn("sales@example.test", self.tab.text)
        self.assertIn("Added.", self.tab.text)

    def test_credentials(self) -> None:
        """
        A password is set; an app password is made, shown once, reads mail, and is revoked.
        """
        self.enter("admin/")
        self.view(ALICE)
        self.follow("Make an app password")
        self.look("admin-apppassword")
        self.tab.fill("#name", "printer")
        self.tab.click("main form button")
        self.assertIn("It is shown now, and never again.", self.tab.text)
        secret = self.tab.evaluate("document.querySelector('code.once').innerText")
        self.look("admin-apppassword-made")
        [welcome, _] = self.inbox(ALICE)
        self.assertEqual(
            Outcome(self.inbox(ALICE)[0]), python(self.attempt("imaps", "PLAIN", secret))
        )
        self.follow("I have it")
        self.assertIn("printer", self.tab.text)
        self.look("admin-account")
        self.tab.evaluate(
            "Array.from(document.querySelectorAll('[aria-labelledby=apppasswords] tr'))"
            ".find((row) => row.innerText.includes('printer')).querySelector('a.ends')"
            ".dataset.next = ''"
        )
        self.tab.click("[data-next]")
        self.confirm("Revoke the app password printer?", "admin-apppassword-revoke")
        self.assertIn("It is revoked", self.tab.text)
        refused = python(self.attempt("imaps", "PLAIN", secret))
        self.assertNotEqual(Outcome(welcome), refused)

        self.view(BOB)
        self.follow("Set another password")
        self.look("admin-password")
        self.tab.fill("#password", "x" * 80)
        self.tab.click("main form button")
        self.assertIn("octets", self.tab.text)
        self.tab.fill("#password", PASSWORD)
        self.tab.click("main form button")
        self.assertIn("The password is set.", self.tab.text)
        self.follow("Remove the password")
        self.confirm(f"Remove the password of {BOB}?", "admin-password-remove")
        self.assertIn("There is no account password", self.tab.text)
        self.assertQuiet()

    def test_changes(self) -> None:
        """
        The rule, the aliases and the limit are changed right at the account; what is wrong is said
        there.
        """
        self.enter("admin/")
        self.view(ALICE)
        self.tab.evaluate("document.querySelector('#rule').value = 'everywhere'")
        self.tab.click("button[value=rule]")
        self.assertIn("Saved.", self.tab.text)
        self.tab.fill("#alias", BOB)
        self.tab.click("button[value=alias]")
        self.assertIn(f"There is an account {BOB} already.", self.tab.text)
        self.assertEqual(BOB, self.fields()["alias"])
        self.look("admin-account-wrong")
        self.tab.fill("#alias", "sales@example.test")
        self.tab.click("button[value=alias]")
        self.tab.fill("#limit", "1")
        self.tab.click("button[value=limit]")
        self.assertEqual("1", self.fields()["limit"])
        self.follow("Remove", "[aria-labelledby=aliases]")
        self.confirm("Remove the alias sales@example.test?")
        self.assertIn("It has no other address.", self.tab.text)
        self.assertQuiet()

    def test_import(self) -> None:
        """
        A list of an old server is taken but for a line that is wrong, which stays and is mended.
        """
        good = (
            f"{BOB}:{{BLF-CRYPT}}$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW:phone"
        )
        self.enter("admin/accounts/import")
        self.look("admin-import")
        self.tab.fill("#list", f"{good}\n{CAROL}:{good.partition(':')[2]}")
        self.tab.click("main form button")
        self.assertIn("1 imported, 1 not.", self.tab.text)
        self.look("admin-import-report")
        left = self.tab.evaluate("document.querySelector('#list').value")
        self.tab.fill("#list", left.replace(CAROL, BOB))
        self.tab.click("main form button")

        self.assertIn("1 imported, 0 not.", self.tab.text)
        self.assertQuiet()

    def test_open(self) -> None:
        """
        A connection, an application and a browser are seen, and ended; a second factor is removed.
        """
        self.enter("admin/")
        self.allow()
        self.demo.command("account", "totp", ALICE)
        with self.connected(self.demo.appPassword) as program:
            self.visit("admin/connections")
            self.assertIn("app password 'demo'", self.tab.text)
            self.look("admin-connections")
            self.follow("End")
            self.confirm("End the connection IMAP, 127.0.0.1?")
            self.assertIn("Nobody is connected.", self.tab.text)
            self.assertRaises(imaplib.IMAP4.abort, self.useTwice, program)
        self.view(ALICE)
        self.assertIn(NAME, self.tab.text)
        self.look("admin-account-open")
        self.follow("About it")
        self.assertEqual(NAME, self.tab.heading)
        self.look("admin-application-registered")
        self.view(ALICE)
        self.follow("End", "[aria-labelledby=applications]")
        self.confirm(f"End the access of {NAME}?")
        self.assertIn("No application may act for it.", self.tab.text)
        self.follow("Remove", "[aria-labelledby=factors]")
        self.confirm(f"Remove the authenticator of {ALICE}?")
        self.assertIn("There is no authenticator and no passkey.", self.tab.text)
        self.follow("Sign out", "[aria-labelledby=open]")
        self.tab.click("button.danger")

        self.assertEqual("Sign in", self.tab.heading)
        self.assertQuiet()

    def useTwice(self, program: imaplib.IMAP4_SSL) -> None:
        """
        The first may still hear why it ends.
        """
        program.noop()
        program.noop()

    def test_lost(self) -> None:
        """
        For somebody who lost everything, a passkey is removed, and all that is open ends.
        """
        self.enter("admin/")
        self.tab.addAuthenticator()
        self.visit("account/security/passkey")
        self.tab.fill("#name", "My laptop")
        self.tab.click("#passkey button")
        self.view(ALICE)
        self.look("admin-account-passkey")
        self.follow("Remove", "[aria-labelledby=factors]")
        self.confirm("Remove the passkey My laptop?", "admin-passkey-remove")
        self.assertIn("There is no authenticator and no passkey.", self.tab.text)
        with self.connected(self.demo.appPassword) as program:
            self.view(ALICE)
            self.follow("End everything that is open")
            self.confirm(f"End everything of {ALICE}?", "admin-everything")
            self.assertRaises(imaplib.IMAP4.abort, self.useTwice, program)

        self.assertEqual("Sign in", self.tab.heading)
        self.assertQuiet()


class ServerTests(AdminTestCase):
    """
    The server.
    """

    def test_overview(self) -> None:
        """
        It says how the server is, on every width.
        """
        self.enter("admin/")
        self.assertIn("All is well.", self.tab.text)
        self.look("admin-overview")
        self.assertQuiet()

    def test_others(self) -> None:
        """
        Whoever is no administrator is told who is.
        """
        self.visit("admin/keys")
        self.tab.fill("#username", BOB)
        self.tab.fill("#password", self.demo.accounts[BOB]["password"])
        self.tab.click("button[value=signin]")
        self.assertEqual("This is for administrators", self.tab.heading)
        self.look("admin-others")

    def test_applications(self) -> None:
        """
        An application with a secret is added, which is shown once; others are denied and allowed.
        """
        self.enter("admin/applications")
        self.follow("Add an application")
        self.tab.touch("summary")
        self.look("admin-application-new")
        self.tab.fill("#name", "Webmail")
        self.tab.fill("#redirects", "http://webmail.example.org/")
        self.tab.click("main form button")
        self.assertIn("http://webmail.example.org/", self.tab.text)
        self.look("admin-application-new-wrong")
        self.tab.fill("#redirects", "https://webmail.example.org/")
        self.tab.evaluate("document.querySelector('#proof').value = 'client_secret_basic'")
        self.tab.click("main form button")
        self.assertEqual("The application is added", self.tab.heading)
        self.look("admin-application-secret")
        self.follow("I have it")
        self.assertEqual("Webmail", self.tab.heading)
        self.look("admin-application")
        self.follow("Remove")
        self.confirm("Remove the application Webmail?", "admin-application-remove")
        self.assertNotIn("Webmail", self.tab.text)

        self.tab.fill("#id", "thunderbird")
        self.tab.press("Enter")
        self.confirm("Deny the application Thunderbird?")
        self.look("admin-applications")
        self.follow("Allow again")
        self.confirm("Allow thunderbird again?")
        self.assertIn("It may come again.", self.tab.text)
        self.assertQuiet()

    def test_keys(self) -> None:
        """
        A key is made, and one is revoked: whoever is signed in at the site stays.
        """
        self.enter("admin/keys")
        self.follow("Rotate")
        self.look("admin-rotate")
        self.tab.click("main form button")
        self.assertIn("The new key is published.", self.tab.text)
        self.look("admin-keys")
        self.follow("Revoke")
        self.tab.evaluate("document.querySelector('h1').innerText")
        self.look("admin-key-revoke")
        self.tab.click("button.danger")

        self.assertEqual("Keys", self.tab.heading)
        self.assertQuiet()

    def test_audit(self) -> None:
        """
        What happened is found, and logins are.
        """
        self.enter("admin/")
        self.create()
        self.visit("admin/audit")
        self.assertIn("Account created", self.tab.text)
        self.look("admin-audit")
        self.tab.fill("#word", "nothing like this")
        self.tab.press("Enter")
        self.assertIn("Nothing was found.", self.tab.text)
        self.look("admin-audit-none")
        eventually(lambda: (self.demo.directory / "logins.jsonl").exists())
        self.follow("Logins")
        self.assertIn("accepted", self.tab.text)
        self.look("admin-logins")
        self.assertQuiet()

    def test_secondFactor(self) -> None:
        """
        Where a second factor is asked for, who has none is told how to add one, and whoever has
        one is let in with it.
        """
        self.demo.stop()
        path = self.demo.directory / CONFIGURATION
        path.write_text(path.read_text().replace("[admin]\n", "[admin]\nsecond_factor = true\n"))
        self.demo = serve(self.demo, "")
        self.addCleanup(self.demo.stop)
        self.enter("admin/keys")
        self.assertEqual("A second factor is needed", self.tab.heading)
        self.look("admin-second-factor")
        enrolment = self.demo.command("account", "totp", ALICE)
        authenticator = pyotp.parse_uri(enrolment["uri"])
        assert isinstance(authenticator, pyotp.TOTP)

        self.tab.click(".choices li:last-child a")
        self.signIn()
        self.tab.awaitFocus("code")
        self.tab.type(authenticator.now())
        self.tab.press("Enter")

        self.assertEqual("Keys", self.tab.heading)


class IssuerTests(AdminTestCase):
    """
    The issuers.
    """

    def test_check(self) -> None:
        """
        An issuer is looked at; when it is gone the page says so, and what to do.
        """
        needOIDCProvider()
        provider = OIDCProvider(self.demo)
        self.addCleanup(provider.stop)
        self.demo = trust(self.demo, provider)
        self.addCleanup(self.demo.stop)
        self.enter("admin/issuers")
        self.assertIn("reached", self.tab.text)
        self.tab.click("button[value=check]")
        self.assertIn("describes it.", self.tab.text)
        self.look("admin-issuers")

        self.view(ALICE)
        self.follow("Link one")
        self.tab.fill("#subject", "8e5f1c")
        self.look("admin-identity")
        self.tab.click("main form button")
        self.assertIn("The identity is linked.", self.tab.text)
        self.follow("Unlink")
        self.confirm("Unlink 8e5f1c?")
        self.assertIn("It is linked with nobody.", self.tab.text)

        provider.stop()
        self.demo.stop()
        self.demo = serve(self.demo, "")
        self.addCleanup(self.demo.stop)
        self.visit("admin/")
        self.assertIn("cannot be reached", self.tab.text)
        self.look("admin-overview-warning")
        self.visit("admin/issuers")
        self.tab.click("button[value=check]")
        self.assertIn("has to be reached by HTTPS", self.tab.text)
        self.look("admin-issuers-wrong")
