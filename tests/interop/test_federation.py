"""
Somebody else's authorization server: npm oidc-provider, whose tokens open the mail of a running
service, and at which people sign in.
"""

from __future__ import annotations

from ..browser.program import Program
from . import ALICE
from .attempts import Outcome, python
from .federation import FederationTestCase
from .oidcprovider import OIDCProvider, needOIDCProvider
from .person import Person
from .programs import eventually


class OIDCProviderTestCase(FederationTestCase):
    """
    Each test has one to itself.
    """

    provider: OIDCProvider

    def setUp(self) -> None:
        """
        Start it, beside a demo.
        """
        needOIDCProvider()
        super().setUp()
        self.provider = OIDCProvider(self.demo)
        self.addCleanup(self.provider.stop)


class TokenTests(OIDCProviderTestCase):
    """
    Its access tokens.
    """

    def test_signed(self) -> None:
        """
        One that is signed opens mail by the keys that the issuer publishes.
        """
        self.validateBy('validation = "jwt"')

        token = self.provider.token("jwt")
        self.assertOpens(token)
        self.assertWorks(token)

    def test_opaque(self) -> None:
        """
        One that says nothing opens mail because the issuer says what it is (RFC 7662). What the
        issuer revoked before anybody came with it is dead at once; what it revokes afterwards, as
        soon as nothing of it is remembered here (TK18).
        """
        self.validateBy('validation = "introspection"')
        token, revoked = (self.provider.token("opaque") for _ in range(2))
        self.revoke(revoked)

        self.assertOpens(token)
        self.assertWorks(token)
        self.assertRefused(revoked)
        # It has the form of one, and the issuer has never seen it.
        self.assertRefused("x" * 43)

        self.revoke(token)
        self.restart()
        self.assertRefused(token)

    def test_signedAnswer(self) -> None:
        """
        The same, where nothing is believed but what the issuer signs (RFC 9701).
        """
        self.validateBy('validation = "introspection"', "signed_introspection = true")

        token = self.provider.token("opaque")
        self.assertOpens(token)
        self.assertWorks(token)
        self.assertRefused("x" * 43)

    def test_down(self) -> None:
        """
        While it cannot be asked, nobody is told that his token is bad (O 22).
        """
        self.validateBy('validation = "jwt"')
        token = self.provider.token("jwt")
        self.provider.stop()

        self.assertUnknown(token)
        shown = Person(self.demo).visit(f"{self.demo.issuer}/signin/external/company/begin")
        self.assertEqual((503, "Please try again soon"), (shown.status, shown.heading))

    def test_downOpaque(self) -> None:
        """
        Nor that one is bad which says nothing, whatever it is; our own tokens, and one of its that
        is remembered, open mail all the same (O 22).
        """
        self.validateBy('validation = "introspection"')
        known, unknown = (self.provider.token("opaque") for _ in range(2))
        self.assertOpens(known)
        self.provider.stop()

        self.assertUnknown(unknown)
        self.assertUnknown("x" * 43)
        self.assertOpens(known)
        self.assertOpens(self.demo.token())


class SignInTests(OIDCProviderTestCase):
    """
    Its people.
    """

    def setUp(self) -> None:
        """
        There is a program that has people sign in.
        """
        super().setUp()
        self.validateBy('validation = "jwt"')
        self.program = Program(self.demo)
        self.addCleanup(self.program.close)
        self.person = Person(self.demo, elsewhere=self.provider.issuer)

    def test_alice(self) -> None:
        """
        Somebody signs in there, allows a program what it asks, and it reads her mail with what it
        gets. Here she typed nothing.
        """
        asking = self.person.signInThere(self.program.address(scope="imap offline_access"), "alice")
        self.assertEqual("Allow access?", asking.heading)

        location = self.person.press(asking, "allow").location
        self.person.visit(location)
        token = self.program.redeem(self.program.answer()["code"])["access_token"]

        [welcome] = self.inbox(ALICE)
        self.assertEqual(Outcome(welcome), python(self.attempt("imaps", "OAUTHBEARER", token)))

    def test_created(self) -> None:
        """
        Who has no account yet gets one with his first sign-in, if the configuration says so.
        """
        asking = self.person.signInThere(self.program.address(), "carol")

        self.assertIn("carol@example.test", asking.page.text)
        accounts = self.demo.command("account", "list")
        self.assertIn("carol@example.test", [account["name"] for account in accounts])

    def test_signedOutThere(self) -> None:
        """
        Who signs out there is signed out of his browser here (Back-Channel Logout 1.0).
        """
        self.person.signInThere(self.program.address(), "alice")
        self.assertEqual("Allow access?", self.person.visit(self.program.address()).heading)

        shown = self.person.visit(f"{self.provider.issuer}/session/end")
        self.person.press(shown, "yes", {"logout": "yes"})

        eventually(lambda: self.person.visit(self.program.address()).heading == "Sign in")
