"""
imapflow, node-imap and nodemailer, with which programs for Node read and send mail.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from . import ALICE, BOB
from .nodejs import NodeTestCase


class NodeTests(NodeTestCase):
    """
    Each of them by token and by app password.
    """

    def nodemailer(self, listener: str, subject: str, **secret: str) -> dict[str, Any]:
        """
        Send a message to bob.
        """
        options = {
            "host": "localhost",
            "port": self.demo.ports[listener],
            "secure": listener == "submissions",
            "requireTLS": True,
            "auth": {"user": ALICE, **secret},
        }
        message = {"from": ALICE, "to": BOB, "subject": subject, "text": "Hello Bob."}
        return self.script("nodemailer.mjs", options, message)

    def test_imapflow(self) -> None:
        """
        imapflow reads by token and by app password, over STARTTLS and TLS.
        """
        [welcome] = self.inbox(ALICE)
        token = self.demo.token()
        for listener in ("imap", "imaps"):
            for secret in ({"accessToken": token}, {"pass": self.demo.appPassword}):
                outcome = self.imapflow(listener, **secret)

                self.assertNotIn("refusal", outcome)
                self.assertEqual(welcome, b64decode(outcome["content"]))

    def test_imapflowRefused(self) -> None:
        """
        imapflow hands its caller the error document of a refused token.
        """
        outcome = self.imapflow("imaps", accessToken="wrong")

        self.assertEqual(
            {"status": "invalid_token", **self.demo.scopeAndDiscovery}, outcome["document"]
        )
        self.assertIn("The access token was not accepted.", outcome["refusal"])

    def nodeIMAP(self, **secret: str) -> dict[str, Any]:
        """
        Read the first message.
        """
        options = {"host": "localhost", "port": self.demo.ports["imaps"], "tls": True}
        return self.script("node-imap.mjs", {**options, "user": ALICE, **secret})

    def test_nodeIMAP(self) -> None:
        """
        node-imap reads by XOAUTH2 and by app password.
        """
        [welcome] = self.inbox(ALICE)
        token = self.demo.token()
        response = f"user={ALICE}\1auth=Bearer {token}\1\1".encode()
        for secret in (
            {"xoauth2": b64encode(response).decode("ascii")},
            {"password": self.demo.appPassword},
        ):
            outcome = self.nodeIMAP(**secret)

            self.assertNotIn("refusal", outcome)
            self.assertEqual(welcome, b64decode(outcome["content"]))

    def test_nodeIMAPRefused(self) -> None:
        """
        node-imap hands its caller the refusal.
        """
        response = f"user={ALICE}\1auth=Bearer wrong\1\1".encode()

        outcome = self.nodeIMAP(xoauth2=b64encode(response).decode("ascii"))

        self.assertIn("The access token was not accepted.", outcome["refusal"])

    def test_nodemailer(self) -> None:
        """
        nodemailer sends by token and by app password, over STARTTLS and TLS.
        """
        token = self.demo.token()
        for listener in ("submission", "submissions"):
            for secret in (
                {"type": "OAuth2", "accessToken": token},
                {"pass": self.demo.appPassword},
            ):
                subject = f"{listener} {' '.join(secret)}"
                outcome = self.nodemailer(listener, subject, **secret)

                self.assertNotIn("refusal", outcome)
                header = f"Subject: {subject}\r\n".encode()
                self.assertEqual(1, sum(header in each for each in self.inbox(BOB)))

    def test_nodemailerRefused(self) -> None:
        """
        nodemailer reports a refused token, and sends nothing.
        """
        outcome = self.nodemailer("submissions", "no", type="OAuth2", accessToken="wrong")

        self.assertIn("535 5.7.8 The access token was not accepted.", outcome["refusal"])
        self.assertEqual([], self.inbox(BOB))
