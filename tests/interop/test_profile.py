"""
The profile for an iPhone, as OpenSSL sees it.
"""

from __future__ import annotations

import plistlib

from . import ALICE
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
        need("openssl")
        address = f"{self.demo.issuer}/setup/apple.mobileconfig?emailaddress={ALICE}"
        signed = Person(self.demo).visit(address).body

        finished = run(
            *("openssl", "smime", "-verify", "-inform", "DER", "-binary", "-purpose", "any"),
            *("-CAfile", self.demo.authority),
            stdin=signed,
        )

        self.assertEqual(0, finished.status, finished.errors)
        [account] = plistlib.loads(finished.output)["PayloadContent"]
        self.assertEqual(ALICE, account["EmailAddress"])
        self.assertEqual(self.demo.ports["imaps"], account["IncomingMailServerPortNumber"])
        self.assertEqual(self.demo.ports["submissions"], account["OutgoingMailServerPortNumber"])
