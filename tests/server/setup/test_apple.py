"""
Tests of the configuration profile.
"""

from __future__ import annotations

import plistlib
from typing import Any
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.mailhosts import MailHosts, MailServer
from mailauth.server.setup.apple import writeProfile

from .described import HOST, HOSTS, ISSUER, STARTTLS

ALICE = "alice@example.org"


class ProfileTests(SynchronousTestCase):
    """
    L{writeProfile}.
    """

    def account(self, hosts: MailHosts = HOSTS, address: str | None = ALICE) -> dict[str, Any]:
        """
        The mail account in a profile.
        """
        [account] = plistlib.loads(writeProfile(hosts, address))["PayloadContent"]
        self.assertEqual("com.apple.mail.managed", account["PayloadType"])
        found: dict[str, Any] = account
        return found

    def test_profile(self) -> None:
        """
        It has what every payload has to have (Apple's CommonPayloadKeys), each with an id of its
        own.
        """
        profile = plistlib.loads(writeProfile(HOSTS, ALICE))
        account = self.account()

        self.assertEqual("Configuration", profile["PayloadType"])
        for payload in (profile, account):
            self.assertEqual(1, payload["PayloadVersion"])
            self.assertEqual(payload["PayloadUUID"], str(UUID(payload["PayloadUUID"])).upper())
            self.assertTrue(payload["PayloadIdentifier"].startswith("org.example.mail."))
        self.assertNotEqual(profile["PayloadUUID"], account["PayloadUUID"])
        self.assertNotEqual(profile["PayloadIdentifier"], account["PayloadIdentifier"])

    def test_account(self) -> None:
        """
        Both servers have TLS, a password that the device asks for, and the whole address as the
        user name.
        """
        account = self.account()
        found = {name: value for name, value in account.items() if "Server" in name}

        self.assertEqual(ALICE, account["EmailAddress"])
        self.assertEqual("EmailTypeIMAP", account["EmailAccountType"])
        self.assertEqual(
            {
                f"{direction}MailServer{name}": value
                for direction, port in (("Incoming", 993), ("Outgoing", 465))
                for name, value in (
                    ("Authentication", "EmailAuthPassword"),
                    ("HostName", HOST),
                    ("PortNumber", port),
                    ("UseSSL", True),
                    ("Username", ALICE),
                )
            },
            found,
        )
        self.assertFalse([name for name in account if name.endswith("Password")][1:])
        self.assertIs(True, account["OutgoingPasswordSameAsIncomingPassword"])

    def test_password(self) -> None:
        """
        With a password of its own it asks for none, neither for receiving nor for sending (Apple's
        IncomingPassword and OutgoingPassword), and replaces the one that did.
        """
        profile = plistlib.loads(writeProfile(HOSTS, ALICE, "abcd-efgh"))
        [account] = profile["PayloadContent"]
        other = plistlib.loads(writeProfile(HOSTS, ALICE))

        self.assertEqual("abcd-efgh", account["IncomingPassword"])
        self.assertEqual("abcd-efgh", account["OutgoingPassword"])
        self.assertEqual(
            self.account(),
            {name: value for name, value in account.items() if value != "abcd-efgh"},
        )
        self.assertEqual(other["PayloadUUID"], profile["PayloadUUID"])
        self.assertNotIn("asked", profile["PayloadDescription"])

    def test_whatThereIs(self) -> None:
        """
        Without TLS from the start the other ports serve, without IMAP it is POP3, and a server that
        is not there is not named.
        """
        self.assertEqual(143, self.account(STARTTLS)["IncomingMailServerPortNumber"])
        popper = self.account(MailHosts(HOST, ISSUER, (MailServer("pop3", 995, True),)))
        self.assertEqual("EmailTypePOP", popper["EmailAccountType"])
        self.assertNotIn("OutgoingMailServerHostName", popper)
        sender = self.account(MailHosts(HOST, ISSUER, (MailServer("smtp", 465, True),)))
        self.assertNotIn("IncomingMailServerHostName", sender)

    def test_nobody(self) -> None:
        """
        Without an address the device asks for it.
        """
        account = self.account(address=None)

        self.assertNotIn("EmailAddress", account)
        self.assertNotIn("IncomingMailServerUsername", account)

    def test_same(self) -> None:
        """
        The profile of an address replaces the one it had, and leaves those of others alone.
        """
        self.assertEqual(writeProfile(HOSTS, ALICE), writeProfile(HOSTS, ALICE))
        other = self.account(address="bob@example.org")
        self.assertNotEqual(self.account()["PayloadIdentifier"], other["PayloadIdentifier"])
