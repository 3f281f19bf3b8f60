"""
C{mailauth demo}, as a user starts it: a process of its own, with ports of its own. Owns its
directory.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailauth.scopes import MAIL_SCOPE
from mailauth.server.config import CONFIGURATION, STANDARD_PORTS
from mailauth.server.mailbox.names import accountDirectory

from . import ALICE, HOST
from .attempts import Attempt
from .programs import TIMEOUT, eventually, run

MAILAUTH = (sys.executable, "-m", "mailauth")

_BASE_PORTS = range(2_000, 31_000)
"""
Below those that the kernel gives to clients.
"""

LISTENERS = {
    "imap": ("imap", False),
    "imaps": ("imap", True),
    "submission": ("smtp", False),
    "submissions": ("smtp", True),
    "pop3": ("pop3", False),
    "pop3s": ("pop3", True),
}
"""
For each mail port of the demo its protocol, and whether TLS is implicit.
"""

_ATTEMPTS = 20
_random = SystemRandom()


@attrs.frozen
class Demo:
    """
    A demo that runs.

    @ivar directory: its data.
    @ivar ports: by the names that they have in the configuration.
    @ivar authority: the file with the certificate to trust.
    @ivar accounts: for each account its secrets.
    @ivar status: what it ends with when it is told to stop.
    """

    process: subprocess.Popen[bytes]
    directory: Path
    issuer: str
    ports: dict[str, int]
    authority: str
    accounts: dict[str, dict[str, str]] = attrs.field(repr=False)
    status: int = 0

    @property
    def appPassword(self) -> str:
        """
        Alice's.
        """
        return self.accounts[ALICE]["app_password"]

    @property
    def scopeAndDiscovery(self) -> dict[str, str]:
        """
        What an error document tells besides the status.
        """
        return {
            "scope": MAIL_SCOPE,
            "openid-configuration": f"{self.issuer}/.well-known/openid-configuration",
        }

    def command(self, *arguments: str, stdin: bytes = b"") -> Any:
        """
        What the C{mailauth} command, in another process, answers.
        """
        finished = run(*MAILAUTH, "--data", str(self.directory), "--json", *arguments, stdin=stdin)
        assert finished.status == 0, finished.errors
        return json.loads(finished.output)

    def token(self, name: str = ALICE) -> str:
        """
        A new access token.
        """
        token: str = self.command("token", "issue", name)["access_token"]
        return token

    def stop(self) -> None:
        """
        Stop it, which it does without complaint, and wait until it is gone.
        """
        self.process.terminate()
        try:
            _, errors = self.process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        assert (self.process.returncode, errors) == (self.status, b""), errors


def startDemo(directory: Path) -> Demo:
    """
    Start a demo on ports that nobody uses, and wait until it is ready.

    @param directory: where its data will be.
    """
    for _ in range(_ATTEMPTS):
        basePort = _random.choice(_BASE_PORTS)
        if _areFree(basePort):
            process = subprocess.Popen(
                (*MAILAUTH, "demo", "--data", directory, "--base-port", str(basePort), "--json"),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            ready = _firstLine(process)
            if ready:
                return _describe(process, json.loads(ready))
            # Somebody else may have taken a port between our look and its start.
            _, errors = process.communicate()
            assert b"in use" in errors, errors
    raise AssertionError("no free ports")


def serve(demo: Demo, settings: str) -> Demo:
    """
    Go on with a demo that was stopped as an ordinary service, and wait until it is ready.

    @param settings: lines that its configuration lacks, about the issuer.
    """
    configuration = demo.directory / CONFIGURATION
    text = configuration.read_text()
    configuration.write_text(text.replace("[issuer]\n", f"[issuer]\n{settings}\n"))
    log = demo.directory / "twistd.log"
    process = subprocess.Popen(
        (
            *(sys.executable, "-m", "twisted", "--log-file", log),
            *("mailauth", "--config", configuration),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    eventually(lambda: process.poll() is not None or _listens(demo.ports["https"]))
    assert process.poll() is None, log.read_text()
    # Twist ends as if by the signal that ended it.
    return attrs.evolve(demo, process=process, status=-signal.SIGTERM)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _firstLine(process: subprocess.Popen[bytes]) -> bytes:
    """
    What it says when it is ready, or nothing if it ends or hangs before.
    """
    assert process.stdout is not None
    hanging = Timer(TIMEOUT, process.kill)
    hanging.start()
    try:
        return process.stdout.readline()
    finally:
        hanging.cancel()


def _describe(process: subprocess.Popen[bytes], ready: dict[str, Any]) -> Demo:
    return Demo(
        process,
        Path(ready["data"]),
        ready["issuer"],
        ready["ports"],
        ready["ca"],
        ready["accounts"],
    )


def _areFree(basePort: int) -> bool:
    for port in STANDARD_PORTS.values():
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as probe:
                # As Twisted does: what only lingers after its end is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port + basePort))
                except OSError:
                    return False
    return True


class DemoTestCase(SynchronousTestCase):
    """
    Each test has a demo to itself, so that nothing that one of them sends, revokes or gets wrong
    is seen by another.

    @ivar directory: for the files of the test.
    """

    demo: Demo

    def setUp(self) -> None:
        """
        Start the demo.
        """
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.demo = startDemo(self.directory / "demo")
        self.addCleanup(self.demo.stop)

    def attempt(self, listener: str, mechanism: str, secret: str, **others: Any) -> Attempt:
        """
        A login of alice's, unless the others say something else.

        @param listener: as the configuration names it, such as C{"imaps"}.
        """
        protocol, implicitTLS = LISTENERS[listener]
        port, authority = self.demo.ports[listener], self.demo.authority
        return Attempt(protocol, port, implicitTLS, authority, mechanism, secret, **others)

    def fileOf(self, name: str, content: str) -> Path:
        """
        A file for this test, which others cannot read: some clients insist.
        """
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(content)
        return path

    def inbox(self, name: str) -> list[bytes]:
        """
        The messages of an account, as they are on the disk.
        """
        inbox = self.demo.directory / "mail" / accountDirectory(name)
        paths = [*inbox.glob("new/*"), *inbox.glob("cur/*")]
        return [path.read_bytes() for path in sorted(paths)]
