"""
A service that trusts somebody else's authorization server. Owns what its configuration says of it.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from typing import Protocol
from urllib.parse import quote_plus, urlencode
from urllib.request import Request, urlopen

from mailauth.server.config import CONFIGURATION

from . import ALICE
from .attempts import Outcome, python
from .demo import Demo, DemoTestCase, serve
from .programs import TIMEOUT

CLIENT_ID = "mailauth"
AUDIENCE = "https://mail.example"
MAIL = ("imaps", "submissions", "pop3s")

_SETTINGS = """
[external_issuers.company]
url = "{issuer}"
audience = "{audience}"
domains = ["example.test"]
username_claim = "{usernameClaim}"
accounts = "create"
client_id = "{clientId}"
client_secret_file = "company.secret"
certificate_authority = "ca.pem"
sign_in = true
label = "Example Company"
{more}
"""


class Provider(Protocol):
    """
    An authorization server that runs, whose client we are.

    @ivar issuer: its C{iss}.
    @ivar secret: ours, there.
    @ivar usernameClaim: where it says what people are called here.
    @ivar revocation: where it revokes; empty if it does not.
    """

    issuer: str
    secret: str
    usernameClaim: str
    revocation: str = ""


def trust(demo: Demo, provider: Provider, *settings: str) -> Demo:
    """
    Go on with a demo as a service that trusts somebody else's authorization server.

    @param settings: what else its configuration says of that.
    """
    demo.stop()
    (demo.directory / "company.secret").write_text(provider.secret)
    table = _SETTINGS.format(
        issuer=provider.issuer,
        audience=AUDIENCE,
        usernameClaim=provider.usernameClaim,
        clientId=CLIENT_ID,
        more="\n".join(settings),
    )
    with (demo.directory / CONFIGURATION).open("a") as file:
        file.write(table)
    return serve(demo, "")


class FederationTestCase(DemoTestCase):
    """
    What its tokens open.

    @ivar provider: it. Each test has one to itself.
    """

    provider: Provider

    def validateBy(self, *settings: str) -> None:
        """
        Start the service anew: see L{trust}.
        """
        self.demo = trust(self.demo, self.provider, *settings)
        self.addCleanup(self.demo.stop)

    def restart(self) -> None:
        """
        Start the service anew, which knows nothing then of what it was told before.
        """
        self.demo.stop()
        self.demo = serve(self.demo, "")
        self.addCleanup(self.demo.stop)

    def open(self, token: str) -> list[Outcome]:
        """
        Come with a token by IMAP, by submission and by POP3.
        """
        message = self.fileOf("message", "Subject: sent\r\n\r\nwith a token\r\n")
        return [
            python(self.attempt(listener, "OAUTHBEARER", token, message=message))
            for listener in MAIL
        ]

    def revoke(self, token: str) -> None:
        """
        Have it revoke a token (RFC 7009).
        """
        words = f"{quote_plus(CLIENT_ID)}:{quote_plus(self.provider.secret)}"
        proof = b64encode(words.encode()).decode()
        request = Request(
            self.provider.revocation,
            urlencode({"token": token, "token_type_hint": "access_token"}).encode(),
            {"Authorization": f"Basic {proof}"},
        )
        context = ssl.create_default_context(cafile=self.demo.authority)
        with urlopen(request, timeout=TIMEOUT, context=context) as response:
            self.assertEqual(200, response.status)

    def assertOpens(self, token: str) -> None:
        """
        A token opens all three.
        """
        imap, smtp, pop3 = self.open(token)
        [welcome] = self.inbox(ALICE)
        self.assertEqual((Outcome(welcome), Outcome(), Outcome(welcome)), (imap, smtp, pop3))

    def assertWorks(self, token: str) -> None:
        """
        Neither about the issuer nor about a token does the command find anything amiss.
        """
        checked = self.demo.command(
            *("issuer", "check", "company", "--token"), stdin=token.encode("ascii")
        )
        self.assertTrue(checked["works"], checked)

    def assertRefused(self, token: str) -> None:
        """
        It opens none, because it is bad.
        """
        self._assertSay(self.open(token), b"AUTHENTICATIONFAILED", b"535", b"[AUTH]")

    def assertUnknown(self, token: str) -> None:
        """
        It opens none, because nobody can tell what it is.
        """
        self._assertSay(self.open(token), b"UNAVAILABLE", b"454", b"[SYS/TEMP]")

    def _assertSay(self, outcomes: list[Outcome], *parts: bytes) -> None:
        for outcome, part in zip(outcomes, parts, strict=True):
            self.assertIn(part, outcome.refusal or b"", outcome)
