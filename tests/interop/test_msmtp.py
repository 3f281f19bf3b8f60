"""
msmtp, which many systems have in the place of sendmail.
"""

from __future__ import annotations

from . import ALICE, BOB
from .demo import DemoTestCase
from .programs import Finished, need, run

MESSAGE = b"Subject: Hello\n\nHello Bob.\n"

EX_NOPERM = 77


class MsmtpTests(DemoTestCase):
    """
    msmtp takes its secret from a program.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("msmtp")
        super().setUp()

    def send(self, listener: str, mechanism: str, secret: str) -> Finished:
        """
        Send the message to bob.
        """
        startTLS = "on" if listener == "submission" else "off"
        return run(
            "msmtp",
            f"--file={self.fileOf('msmtprc', '')}",
            "--host=localhost",
            f"--port={self.demo.ports[listener]}",
            "--tls=on",
            f"--tls-starttls={startTLS}",
            f"--tls-trust-file={self.demo.authority}",
            f"--auth={mechanism}",
            f"--user={ALICE}",
            f"--passwordeval=cat {self.fileOf('secret', secret)}",
            f"--from={ALICE}",
            BOB,
            stdin=MESSAGE,
        )

    def test_sends(self) -> None:
        """
        It sends by OAUTHBEARER, XOAUTH2, PLAIN and LOGIN, over STARTTLS and TLS.
        """
        token, appPassword = self.demo.token(), self.demo.appPassword
        for listener in ("submission", "submissions"):
            for mechanism in ("oauthbearer", "xoauth2"):
                self.assertEqual(Finished(0, b"", b""), self.send(listener, mechanism, token))
            for mechanism in ("plain", "login"):
                self.assertEqual(Finished(0, b"", b""), self.send(listener, mechanism, appPassword))

        received = [each for each in self.inbox(BOB) if each.endswith(b"\r\nHello Bob.\r\n")]
        self.assertEqual(8, len(received))

    def test_refused(self) -> None:
        """
        It reports a refused token as such, and hangs on no error document.
        """
        for mechanism in ("oauthbearer", "xoauth2"):
            finished = self.send("submissions", mechanism, "wrong")

            self.assertEqual(EX_NOPERM, finished.status)
            self.assertIn(b"535 5.7.8 The access token was not accepted.", finished.errors)
        self.assertEqual([], self.inbox(BOB))
