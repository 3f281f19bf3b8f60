"""
imapflow and nodemailer, with which programs for Node read and send mail.
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any
from unittest import SkipTest

from . import ALICE, BOB
from .demo import DemoTestCase
from .programs import need, run

SCRIPTS = Path(__file__).parent / "node"


class NodeTests(DemoTestCase):
    """
    The scripts are in C{node/}, and what they need is installed by C{npm ci} there.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("node")
        if not (SCRIPTS / "node_modules").is_dir():
            raise SkipTest("needs npm ci in tests/interop/node")
        super().setUp()

    def script(self, name: str, *arguments: dict[str, Any]) -> dict[str, Any]:
        """
        What a script says.
        """
        finished = run(
            *("node", str(SCRIPTS / name), *map(json.dumps, arguments)),
            environment={"NODE_EXTRA_CA_CERTS": self.demo.authority},
        )
        self.assertEqual(0, finished.status, finished)
        outcome: dict[str, Any] = json.loads(finished.output)
        return outcome

    def imapflow(self, listener: str, **secret: str) -> dict[str, Any]:
        """
        Read the first message.
        """
        options = {
            "host": "localhost",
            "port": self.demo.ports[listener],
            "secure": listener == "imaps",
            "doSTARTTLS": listener == "imap",
            "auth": {"user": ALICE, **secret},
        }
        return self.script("imapflow.mjs", options)

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
