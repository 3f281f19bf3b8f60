"""
Tests of draft-ietf-mailmaint-pacc's document.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.setup.pacc import digestRecord, writePACC

from .described import HOST, HOSTS, ISSUER, STARTTLS


class PACCTests(SynchronousTestCase):
    """
    L{writePACC} and L{digestRecord}.
    """

    def test_document(self) -> None:
        """
        It has the protocols, how to sign in, and whose server it is; submission under the names of
        both revisions.
        """
        self.assertEqual(
            {
                "protocols": {
                    "imap": {"host": HOST},
                    "pop3": {"host": HOST},
                    "smtp": {"host": HOST},
                    "submit": {"host": HOST},
                },
                "authentication": {"oauth-public": {"issuer": ISSUER}, "password": True},
                "info": {
                    "provider": {"name": HOST},
                    "help": {"documentation": f"{ISSUER}/setup/"},
                },
            },
            json.loads(writePACC(HOSTS)),
        )

    def test_implicitTLS(self) -> None:
        """
        What begins without TLS cannot be written there.
        """
        self.assertEqual({}, json.loads(writePACC(STARTTLS))["protocols"])

    def test_digest(self) -> None:
        """
        The record in the DNS vouches for exactly these octets, and they are always the same.
        """
        document = writePACC(HOSTS)
        tags = dict(each.split("=", 1) for each in digestRecord(document).split("; "))

        self.assertEqual({"v": "UAAC1", "a": "sha256", "d": tags["d"]}, tags)
        self.assertEqual(hashlib.sha256(document).digest(), b64decode(tags["d"], validate=True))
        self.assertEqual(document, writePACC(HOSTS))
