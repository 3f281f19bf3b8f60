"""
mbsync, which copies a mailbox.
"""

from __future__ import annotations

import re

from . import ALICE
from .attempts import python
from .demo import DemoTestCase
from .programs import Finished, need, run

_SETTINGS = """\
IMAPAccount demo
Host localhost
Port {port}
User {name}
PassCmd "cat {secret}"
SSLType {tls}
CertificateFile {authority}
AuthMechs {mechanism}

IMAPStore far
Account demo

MaildirStore near
Path {near}/
Inbox {near}/INBOX

Channel inbox
Far :far:INBOX
Near :near:INBOX
Sync Pull
Create Near
SyncState *
"""

# mbsync's own mark, by which it finds its copy again.
_MARK = re.compile(rb"^X-TUID: .*\n", re.MULTILINE)

MESSAGE = (
    "Subject: Grüße\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n"
    "\r\n"
    "Grüße aus Köln\t\r\n"
    ".\r\n"
    "From here on \r\n"
    f"{'long ' * 190}\r\n"
    "\r\n\r\n"
).encode()


class MbsyncTests(DemoTestCase):
    """
    mbsync pulls the inbox into a Maildir.
    """

    def setUp(self) -> None:
        """
        An inbox in which there is more than plain ASCII.
        """
        need("mbsync")
        super().setUp()
        message = self.directory / "message.eml"
        message.write_bytes(MESSAGE)
        attempt = self.attempt(
            "submissions", "LOGIN", self.demo.appPassword, message=message, recipient=ALICE
        )
        self.assertIsNone(python(attempt).refusal)

    def pull(self, listener: str, mechanism: str, secret: str) -> tuple[Finished, list[bytes]]:
        """
        @return: how it ended, and the messages that it copied.
        """
        near = self.directory / f"{listener}-{mechanism}"
        near.mkdir()
        settings = _SETTINGS.format(
            port=self.demo.ports[listener],
            name=ALICE,
            secret=self.fileOf("secret", secret),
            tls="IMAPS" if listener == "imaps" else "STARTTLS",
            authority=self.demo.authority,
            mechanism=mechanism,
            near=near,
        )
        finished = run(
            *("mbsync", "-q", "-a", "-c", str(self.fileOf("mbsyncrc", settings))),
            environment={"HOME": str(self.directory)},
        )
        copies = [path.read_bytes() for path in near.glob("INBOX/[nc]*/*")]
        return finished, [_MARK.sub(b"", copy) for copy in copies]

    def test_pulls(self) -> None:
        """
        It copies every message, octet for octet but for the ends of the lines, by XOAUTH2 and by
        PLAIN, over STARTTLS and TLS.
        """
        inbox = [each.replace(b"\r\n", b"\n") for each in self.inbox(ALICE)]
        self.assertEqual(2, len(inbox))
        logins = [("XOAUTH2", self.demo.token()), ("PLAIN", self.demo.appPassword)]
        for mechanism, secret in logins:
            for listener in ("imap", "imaps"):
                finished, copies = self.pull(listener, mechanism, secret)

                self.assertEqual(0, finished.status, finished)
                self.assertEqual(sorted(inbox), sorted(copies))

    def test_refused(self) -> None:
        """
        A refused token ends it, where the error document would make it hang.
        """
        finished, copies = self.pull("imaps", "XOAUTH2", "wrong")

        self.assertNotEqual(0, finished.status)
        self.assertIn(b"The access token was not accepted.", finished.errors + finished.output)
        self.assertEqual([], copies)
