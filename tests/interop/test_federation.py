"""
Somebody else's authorization server: npm oidc-provider, whose tokens open the mail of a running
service, and at which people sign in.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any
from unittest import SkipTest

from mailauth.server.config import CONFIGURATION

from ..browser.program import Program
from . import ALICE
from .attempts import Outcome, python
from .demo import DemoTestCase, serve
from .nodejs import SCRIPTS
from .person import Person
from .programs import eventually, need

CLIENT_ID, SECRET = "mailauth", "a secret of 32 characters, about."
MAIL = ("imaps", "submissions", "pop3s")

_SETTINGS = """
[external_issuers.company]
url = "{issuer}"
audience = "https://mail.example"
domains = ["example.test"]
username_claim = "email"
accounts = "create"
client_id = "mailauth"
client_secret_file = "company.secret"
certificate_authority = "ca.pem"
sign_in = true
label = "Example Company"
{more}
"""


class FederationTestCase(DemoTestCase):
    """
    Each test has an issuer to itself.

    @ivar issuer: its C{iss}.
    """

    def setUp(self) -> None:
        """
        Start it, beside a demo.
        """
        need("node")
        if not (SCRIPTS / "node_modules" / "oidc-provider").is_dir():
            raise SkipTest("needs npm ci in tests/interop/node")
        super().setUp()
        self.startIssuer()

    def startIssuer(self, port: int = 0) -> None:
        """
        Start the issuer.
        """
        directory = self.demo.directory
        client = {
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "redirect_uris": [f"{self.demo.issuer}/signin/external/company"],
            "backchannel_logout_uri": f"{self.demo.issuer}/backchannel_logout",
            "backchannel_logout_session_required": True,
            "id_token_signed_response_alg": "ES256",
            "introspection_signed_response_alg": "ES256",
        }
        options = {
            "certificate": str(directory / "server.pem"),
            "key": str(directory / "server.key"),
            "client": client,
            "port": port,
        }
        self.process = subprocess.Popen(
            ("node", SCRIPTS / "issuer.mjs", json.dumps(options)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": self.demo.authority},
        )
        self.addCleanup(self.stopIssuer)
        self.issuer: str = self.hear()["issuer"]

    def stopIssuer(self) -> None:
        """
        Stop it.
        """
        self.process.kill()
        self.process.communicate()

    def hear(self) -> dict[str, Any]:
        """
        What it says.
        """
        assert self.process.stdout is not None
        members: dict[str, Any] = json.loads(self.process.stdout.readline())
        return members

    def token(self, format: str, account: str = "alice") -> str:
        """
        An access token of its.

        @param format: C{"jwt"} or C{"opaque"}.
        """
        assert self.process.stdin is not None
        asked = {"account": account, "format": format}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        self.process.stdin.flush()
        token: str = self.hear()["token"]
        return token

    def configure(self, more: str = "") -> None:
        """
        Start the service anew, with the issuer in its configuration.
        """
        self.demo.stop()
        (self.demo.directory / "company.secret").write_text(SECRET)
        with (self.demo.directory / CONFIGURATION).open("a") as file:
            file.write(_SETTINGS.format(issuer=self.issuer, more=more))
        self.demo = serve(self.demo, "")
        self.addCleanup(self.demo.stop)

    def open(self, token: str, **others: Any) -> list[Outcome]:
        """
        Come with a token by IMAP, by submission and by POP3.
        """
        message = self.fileOf("message", "Subject: sent\r\n\r\nwith a token\r\n")
        return [
            python(self.attempt(listener, "OAUTHBEARER", token, message=message, **others))
            for listener in MAIL
        ]

    def assertOpens(self, token: str) -> None:
        """
        A token opens all three.
        """
        imap, smtp, pop3 = self.open(token)
        [welcome] = self.inbox(ALICE)
        self.assertEqual((Outcome(welcome), Outcome(), Outcome(welcome)), (imap, smtp, pop3))

    def assertRefused(self, token: str, *beginnings: bytes) -> None:
        """
        It opens none, and they say so.
        """
        for outcome, beginning in zip(self.open(token), beginnings, strict=True):
            self.assertIn(beginning, outcome.refusal or b"", outcome)


class TokenTests(FederationTestCase):
    """
    Its access tokens.
    """

    def test_signed(self) -> None:
        """
        One that is signed opens mail by the keys that the issuer publishes.
        """
        self.configure()

        self.assertOpens(self.token("jwt"))

    def test_opaque(self) -> None:
        """
        One that says nothing opens mail because the issuer says what it is (RFC 7662), and signs
        that (RFC 9701).
        """
        self.configure('validation = "introspection"\nsigned_introspection = true')

        self.assertOpens(self.token("opaque"))
        # It has the form of one, and the issuer has never seen it.
        unknown = "x" * 43
        self.assertRefused(unknown, b"AUTHENTICATIONFAILED", b"535", b"[AUTH]")

    def test_down(self) -> None:
        """
        While it cannot be asked, nobody is told that his token is bad (O 24).
        """
        self.configure()
        token = self.token("jwt")
        self.stopIssuer()

        self.assertRefused(token, b"UNAVAILABLE", b"454", b"[SYS/TEMP]")
        shown = Person(self.demo).visit(f"{self.demo.issuer}/signin/external/company/begin")
        self.assertEqual((503, "Please try again soon"), (shown.status, shown.heading))


class SignInTests(FederationTestCase):
    """
    Its people.
    """

    def setUp(self) -> None:
        """
        There is a program that has people sign in.
        """
        super().setUp()
        self.configure()
        self.program = Program(self.demo)
        self.addCleanup(self.program.close)
        self.person = Person(self.demo, elsewhere=self.issuer)

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

        shown = self.person.visit(f"{self.issuer}/session/end")
        self.person.press(shown, "yes", {"logout": "yes"})

        eventually(lambda: self.person.visit(self.program.address()).heading == "Sign in")
