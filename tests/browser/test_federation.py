"""
Signing in through another issuer, as a person does it: npm oidc-provider, with its own pages.
"""

from __future__ import annotations

from ..interop import ALICE
from ..interop.attempts import Outcome, python
from ..interop.federation import trust
from ..interop.oidcprovider import OIDCProvider, needOIDCProvider
from .test_device import DeviceTestCase

BUTTON = "Continue with Example Company"


class FederationTests(DeviceTestCase):
    """
    An organisation's own sign-in is one button away.
    """

    def setUp(self) -> None:
        """
        The service trusts the issuer.
        """
        needOIDCProvider()
        super().setUp()
        self.provider = OIDCProvider(self.demo)
        self.addCleanup(self.provider.stop)
        self.demo = trust(self.demo, self.provider)
        self.addCleanup(self.demo.stop)

    def signInThere(self) -> None:
        """
        Press the button, and sign in on the issuer's page.
        """
        self.tab.click("a.button")
        self.assertTrue(self.tab.address.startswith(self.provider.issuer), self.tab.address)
        self.tab.fill("[name=login]", "alice")
        self.tab.fill("[name=password]", "of alice, there")
        self.tab.click("[type=submit]")

    def assertReads(self, token: str) -> None:
        """
        The token reads Alice's mail.
        """
        [welcome] = self.inbox(ALICE)
        self.assertEqual(Outcome(welcome), python(self.attempt("imaps", "OAUTHBEARER", token)))

    def test_program(self) -> None:
        """
        Somebody presses the button, signs in there, comes back and allows a program to read mail;
        the second time nothing is typed, and nobody is asked there.
        """
        self.tab.visit(self.program.address(scope="imap offline_access"))
        self.assertIn(BUTTON, self.tab.text)
        self.look("signin-issuer")
        self.signInThere()
        self.assertEqual("Allow access?", self.tab.heading)
        self.assertIn(ALICE, self.tab.text)
        self.tab.click("button[value=allow]")

        answer = self.program.answer()
        self.assertEqual(("the state", self.demo.issuer), (answer["state"], answer["iss"]))
        self.assertReads(self.program.redeem(answer["code"])["access_token"])

        self.tab.visit(self.program.address())
        self.assertEqual("Allow access?", self.tab.heading)
        self.tab.click("button[value=allow]")
        self.assertIn("code", self.program.answer())

    def test_device(self) -> None:
        """
        A television's code is confirmed by somebody who signs in there (OA10; O 78).
        """
        told = self.begin()
        self.tab.visit(told["verification_uri"])
        self.signInThere()
        self.assertEqual("Connect a device", self.tab.heading)
        self.tab.fill("#user_code", told["user_code"])
        self.tab.press("Enter")
        self.assertIn(ALICE, self.tab.text)
        self.tab.click("button[value=allow]")
        self.assertEqual("Your device is connected", self.tab.heading)

        self.assertReads(self.collect(told)["access_token"])

    def test_cancelled(self) -> None:
        """
        Who would rather not sign in there is back on our page, which says so, takes no field for
        wrong, and has the other ways.
        """
        self.tab.visit(self.program.address())
        self.tab.click("a.button")
        self.tab.click("a[href$=abort]")
        self.assertEqual("Sign in", self.tab.heading)
        self.assertIn("You were not signed in there.", self.tab.text)
        self.assertTrue(self.tab.evaluate("document.querySelector('[aria-invalid]') === null"))
        self.look("signin-issuer-cancelled")

        self.signIn()
        self.assertEqual("Allow access?", self.tab.heading)

    def test_keyboard(self) -> None:
        """
        A keyboard is enough, and the button that has the focus can be seen to have it.
        """
        self.tab.visit(self.program.address())
        self.tab.awaitFocus("username")
        self.tab.strike("Shift+Tab")
        self.assertEqual(BUTTON, self.tab.focused)
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        self.assertEqual("solid", self.tab.evaluate(outline))
        self.tab.press("Enter")
        self.tab.awaitFocus("login")
        self.tab.type("alice")
        self.tab.strike("Tab")
        self.tab.type("of alice, there")
        self.tab.press("Enter")

        self.assertEqual("Allow access?", self.tab.heading)
        self.tab.strike("Tab")
        self.tab.strike("Tab")
        self.assertEqual("Allow", self.tab.focused)
        self.tab.press("Enter")
        self.assertIn("code", self.program.answer())

    def test_withoutScripts(self) -> None:
        """
        The way there and back needs no scripts, on our side.
        """
        self.tab.command("Emulation.setScriptExecutionDisabled", value=True)
        self.tab.visit(self.program.address())
        self.signInThere()
        self.assertEqual("Allow access?", self.tab.heading)
        self.tab.click("button[value=allow]")

        self.assertIn("code", self.program.answer())
