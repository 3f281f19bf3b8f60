"""
Tests of C{twistd mailauth}, as a process of its own.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.certificates import makeCertificates

from .deployment import (
    NAMES,
    PATIENCE,
    Client,
    bearer,
    configure,
    deploy,
    freePorts,
    imapLogin,
    plain,
    told,
)

ALICE = "alice@example.test"
SCRIPTS = Path(sys.executable).parent


def commandLine(program: str, directory: Path) -> list[str]:
    """
    The command line that runs the service in a directory.
    """
    options = ["-n", "--pidfile="] if program == "twistd" else []
    config = str(directory / "mailauth.toml")
    return [str(SCRIPTS / program), *options, "mailauth", "--config", config]


class TapCase(SynchronousTestCase):
    """
    A test with a configuration for the service.
    """

    def setUp(self) -> None:
        """
        The configuration.
        """
        self.ports = freePorts()
        self.directory = deploy(self, ports=self.ports)

    def fails(self, program: str = "twistd") -> subprocess.CompletedProcess[str]:
        """
        Start it where it cannot start: it ends by itself, and whoever watches over it sees that
        by its status.
        """
        finished = subprocess.run(
            commandLine(program, self.directory),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=self.directory,
        )
        self.assertEqual(finished.returncode, 1, finished.stderr)
        self.assertNotIn("Traceback", finished.stdout + finished.stderr)
        return finished


class LifeTests(TapCase):
    """
    The service from its start to its end.
    """

    def setUp(self) -> None:
        """
        Start it.
        """
        super().setUp()
        self.log = self.directory / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                commandLine("twistd", self.directory), stdout=log, stderr=log, cwd=self.directory
            )
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        told(self.directory, "account", "add", ALICE, say="what alice chose\n")
        self.secret = told(self.directory, "app-password", "add", ALICE, "--name", "test")
        self.until(self.listens)

    def until(self, holds: object) -> None:
        """
        Wait until something holds.
        """
        assert callable(holds)
        end = monotonic() + PATIENCE
        while not holds():
            self.assertIsNone(self.process.poll(), self.log.read_text())
            self.assertLess(monotonic(), end, self.log.read_text())
            sleep(0.05)

    def listens(self) -> bool:
        """
        Whether logins can be decided.
        """
        try:
            client = self.connect()
        except ConnectionRefusedError:
            return False
        return imapLogin(client, plain(ALICE, self.secret)).startswith(b"a OK")

    def connect(self) -> Client:
        """
        A connection by IMAP.
        """
        client = Client(self.ports["imaps"], self.directory)
        self.addCleanup(client.close)
        return client

    def test_life(self) -> None:
        """
        It takes app passwords and tokens; SIGHUP brings a renewed certificate to new connections,
        and leaves the open ones; SIGTERM says goodbye to everybody and stops it. No secret is in
        its log (LG1).
        """
        first = self.connect()
        token = told(self.directory, "token", "issue", ALICE)
        verdict = imapLogin(first, bearer(ALICE, token), b"OAUTHBEARER")
        self.assertTrue(verdict.startswith(b"a OK"), verdict)
        before = first.socket.getpeercert(True)

        makeCertificates(self.directory, NAMES)
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: "are reloaded" in self.log.read_text())
        self.assertNotEqual(self.connect().socket.getpeercert(True), before)
        self.assertTrue(first.say(b"b NOOP").startswith(b"b OK"))

        self.process.terminate()
        self.assertTrue(first.rest().startswith(b"* BYE "))
        status = self.process.wait(PATIENCE)
        # twistd hands on the signal that stopped it, which service managers take for success.
        self.assertIn(status, (0, -signal.SIGTERM))
        self.assertIn("Server Shut Down", self.log.read_text())
        self.assertNotIn("Traceback", self.log.read_text())
        for secret in (self.secret, token):
            self.assertNotIn(secret, self.log.read_text())


class CannotStartTests(TapCase):
    """
    What keeps it from starting.
    """

    def test_mistakes(self) -> None:
        """
        Every mistake in the configuration is a line on standard error, by C{twistd} and by
        C{twist}.
        """
        configure(self.directory, "cost = 3\n[signin]\naccount_password = 'x'", self.ports)

        for program in ("twistd", "twist"):
            finished = self.fails(program)
            file, *mistakes = finished.stderr.splitlines()
            self.assertEqual(file, f"{self.directory}/mailauth.toml:")
            keys = [mistake.partition(":")[0] for mistake in mistakes]
            self.assertEqual(sorted(keys), ["limits.cost", "signin.account_password"])

    def test_certificate(self) -> None:
        """
        A certificate that is not its key's is named.
        """
        (self.directory / "server.key").write_text("nothing")

        self.assertIn("server.key", self.fails().stderr)

    def test_portInUse(self) -> None:
        """
        A port that somebody else has is named in one line.
        """
        with socket.create_server(("127.0.0.1", self.ports["pop3s"])):
            finished = self.fails()

        [line] = [line for line in finished.stdout.splitlines() if "cannot start" in line]
        self.assertIn(f"127.0.0.1:{self.ports['pop3s']}", line)
        self.assertIn("in use", line)

    def test_database(self) -> None:
        """
        A database that must not be used is named in one line, with what to do (CS13).
        """
        (self.directory / "mailauth.db").touch(0o644)

        finished = self.fails()

        [line] = [line for line in finished.stdout.splitlines() if "cannot start" in line]
        self.assertIn(f"chmod 0600 {self.directory}/mailauth.db", line)
