"""
The profile for an iPhone, as OpenSSL sees it.
"""

from __future__ import annotations

import plistlib
from typing import Any

from . import ALICE, BOB
from .attempts import Outcome, python
from .demo import DemoTestCase
from .person import Person
from .programs import need, run


class ProfileTests(DemoTestCase):
    """
    Somebody gets one from the service.
    """

    def test_signed(self) -> None:
        """
        It is signed with the certificate of the server, and has its ports.
        """
        address = f"{self.demo.issuer}/setup/apple.mobileconfig?emailaddress={ALICE}"

        account = self.verified(Person(self.demo).visit(address).body)

        self.assertEqual(ALICE, account["EmailAddress"])
        self.assertEqual(self.demo.ports["imaps"], account["IncomingMailServerPortNumber"])
        self.assertEqual(self.demo.ports["submissions"], account["OutgoingMailServerPortNumber"])
        self.assertNotIn("IncomingPassword", account)

    def test_password(self) -> None:
        """
        That of the account site is signed, too, and opens the mailbox and sends with what it has in
        it.
        """
        person = Person(self.demo)
        asked = person.signIn(f"{self.demo.issuer}/account/apple")

        account = self.verified(person.press(asked, None).body)

        welcome, *_ = self.inbox(ALICE)
        reading = self.attempt("imaps", "PLAIN", account["IncomingPassword"])
        self.assertEqual(Outcome(welcome), python(reading))
        message = self.fileOf("message", "Subject: sent from an iPhone\r\n\r\n")
        sending = self.attempt("submissions", "PLAIN", account["OutgoingPassword"], message=message)
        self.assertEqual(Outcome(), python(sending))
        self.assertIn(b"sent from an iPhone", self.inbox(BOB)[-1])

    def verified(self, signed: bytes) -> dict[str, Any]:
        """
        The mail account in a profile that OpenSSL trusts.
        """
        need("openssl")
        finished = run(
            *("openssl", "smime", "-verify", "-inform", "DER", "-binary", "-purpose", "any"),
            *("-CAfile", self.demo.authority),
            stdin=signed,
        )
        self.assertEqual(0, finished.status, finished.errors)
        account: dict[str, Any]
        [account] = plistlib.loads(finished.output)["PayloadContent"]
        return account
