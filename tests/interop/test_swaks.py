"""
swaks, with which administrators try out a submission server.
"""

from __future__ import annotations

from . import ALICE, BOB
from .demo import DemoTestCase
from .programs import Finished, need, run

AUTHENTICATION_FAILED = 28


class SwaksTests(DemoTestCase):
    """
    swaks knows passwords only.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("swaks")
        super().setUp()

    def send(self, listener: str, mechanism: str, password: str) -> Finished:
        """
        Send a message to bob that names the mechanism.
        """
        return run(
            "swaks",
            f"--server=localhost:{self.demo.ports[listener]}",
            "-tls" if listener == "submission" else "-tlsc",
            "--tls-verify",
            f"--tls-ca-path={self.demo.authority}",
            f"--auth={mechanism}",
            f"--auth-user={ALICE}",
            f"--auth-password={password}",
            f"--from={ALICE}",
            f"--to={BOB}",
            f"--h-Subject={listener} {mechanism}",
        )

    def test_sends(self) -> None:
        """
        It sends by PLAIN and LOGIN, over STARTTLS and TLS.
        """
        for listener in ("submission", "submissions"):
            for mechanism in ("PLAIN", "LOGIN"):
                finished = self.send(listener, mechanism, self.demo.appPassword)

                self.assertEqual(0, finished.status, finished)
                subject = f"Subject: {listener} {mechanism}\r\n".encode()
                self.assertEqual(1, sum(subject in each for each in self.inbox(BOB)))

    def test_refused(self) -> None:
        """
        It shows what to do when the account password is refused.
        """
        finished = self.send("submissions", "PLAIN", self.demo.accounts[ALICE]["password"])

        self.assertEqual(AUTHENTICATION_FAILED, finished.status)
        self.assertIn(b"Use OAuth or an app password: https://", finished.output)
        self.assertEqual([], self.inbox(BOB))
