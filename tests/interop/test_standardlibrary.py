"""
imaplib, smtplib and poplib, as a script uses them.
"""

from __future__ import annotations

from imaplib import IMAP4
from poplib import POP3
from smtplib import SMTP

from . import ALICE, BOB, HOST
from .attempts import Outcome, python
from .demo import LISTENERS, DemoTestCase

MESSAGE = b"Subject: Hello\r\n\r\nHello Bob.\r\n.\r\n"


class StandardLibraryTests(DemoTestCase):
    """
    Every way to log in that these modules have, on every mail port.
    """

    def logins(self) -> list[tuple[str, str]]:
        """
        Each mechanism with a secret that is good for it.
        """
        token, appPassword = self.demo.token(), self.demo.appPassword
        return [
            ("OAUTHBEARER", token),
            ("XOAUTH2", token),
            ("PLAIN", appPassword),
            ("LOGIN", appPassword),
        ]

    def assertReads(self, *listeners: str) -> None:
        """
        Each login reads the welcome message, octet for octet.
        """
        [welcome] = self.inbox(ALICE)
        for mechanism, secret in self.logins():
            for listener in listeners:
                outcome = python(self.attempt(listener, mechanism, secret))
                self.assertEqual(Outcome(welcome), outcome, f"{listener} {mechanism}")

    def test_imaplib(self) -> None:
        """
        imaplib reads, by token and by app password, also with the LOGIN command.
        """
        self.assertReads("imap", "imaps")

    def test_poplib(self) -> None:
        """
        poplib reads, by token and by app password, also with USER and PASS.
        """
        self.assertReads("pop3", "pop3s")

    def test_smtplib(self) -> None:
        """
        smtplib sends, by token and by app password, also with the LOGIN mechanism.
        """
        message = self.directory / "message.eml"
        message.write_bytes(MESSAGE)
        sent = 0
        for mechanism, secret in self.logins():
            for listener in ("submission", "submissions"):
                outcome = python(self.attempt(listener, mechanism, secret, message=message))
                sent += 1
                self.assertEqual(Outcome(), outcome, f"{listener} {mechanism}")
        self.assertEqual(sent, sum(each.endswith(MESSAGE) for each in self.inbox(BOB)))

    def test_accountPassword(self) -> None:
        """
        The account password is refused everywhere, with the address of the page that helps.
        """
        password = self.demo.accounts[ALICE]["password"]
        for mechanism in ("PLAIN", "LOGIN"):
            for listener in LISTENERS:
                refusal = python(self.attempt(listener, mechanism, password)).refusal or b""
                self.assertIn(b"Use OAuth or an app password", refusal)
                self.assertIn(f"{self.demo.issuer}/account/".encode(), refusal)

    def test_nothingBeforeTLS(self) -> None:
        """
        Before TLS none of them is offered a way to log in.
        """
        ports = self.demo.ports
        with IMAP4(HOST, ports["imap"]) as imap:
            self.assertIn("LOGINDISABLED", imap.capabilities)
            self.assertFalse([each for each in imap.capabilities if each.startswith("AUTH=")])
        with SMTP(HOST, ports["submission"]) as smtp:
            smtp.ehlo()
            self.assertFalse(smtp.has_extn("auth"))
        pop3 = POP3(HOST, ports["pop3"])
        self.addCleanup(pop3.close)
        self.assertEqual({"SASL", "USER"} & set(pop3.capa()), set())
