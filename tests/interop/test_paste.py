"""
What the demo prints, pasted into a shell.
"""

from __future__ import annotations

import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import IO

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.config import STANDARD_PORTS

from .attempts import CURL_REFUSED
from .demo import startDemo
from .programs import TIMEOUT, need, run

MAILAUTH = Path(sysconfig.get_path("scripts")) / "mailauth"


class PasteTests(SynchronousTestCase):
    """
    Whoever reads it has nothing to add to it.
    """

    def setUp(self) -> None:
        """
        A demo that was there before: the second start finds everything as it was left.
        """
        need("bash", "curl", str(MAILAUTH))
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        first = startDemo(self.directory / "demo")
        first.stop()
        basePort = first.ports["imap"] - STANDARD_PORTS["imap"]
        self.demo = subprocess.Popen(
            (MAILAUTH, "demo", "--data", first.directory, "--base-port", str(basePort)),
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.demo.communicate, timeout=TIMEOUT)
        self.addCleanup(self.demo.terminate)
        hanging = Timer(TIMEOUT, self.demo.kill)
        hanging.start()
        self.addCleanup(hanging.cancel)

    def test_paste(self) -> None:
        """
        A token reads the welcome message by IMAP and by POP3 and sends one to bob, who reads it;
        the app password reads the welcome message too; and the account password is refused with
        what to use in its place.
        """
        assert self.demo.stdout is not None
        pasted = "".join(toPaste(self.demo.stdout))

        finished = run("bash", "-c", f"cd {self.directory}\n{pasted}")

        self.assertEqual(CURL_REFUSED, finished.status, finished)
        self.assertEqual(3, finished.output.count(b"Subject: Welcome to mailauth\r\n"))
        self.assertEqual(1, finished.output.count(b"\r\n\r\nHello Bob.\r\n"))
        self.assertIn(b"Use OAuth or an app password: https://localhost:", finished.errors)


def toPaste(printed: IO[str]) -> Iterator[str]:
    """
    The lines behind the invitation to paste, up to the command that is refused.
    """
    for line in printed:
        if line.startswith("Paste this"):
            break
    for line in printed:
        yield line
        if line.strip().startswith("curl -v"):
            yield printed.readline()
            return
