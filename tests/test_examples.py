"""
The examples of the documentation, run as their readers run them.
"""

from __future__ import annotations

import doctest
import imaplib
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.certificates import makeCertificates
from mailauth.testing.clients import oauthbearer
from mailauth.testing.issuer import MemoryIssuer

DOCS = Path(__file__).parent.parent / "docs"


def freePort() -> int:
    """
    A port on loopback that nobody uses now.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class EmbeddingTests(SynchronousTestCase):
    """
    The text about embedding.
    """

    def test_doctest(self) -> None:
        """
        What the text shows is what happens.
        """
        failed, tried = doctest.testfile(str(DOCS / "embedding.md"), module_relative=False)

        self.assertGreater(tried, 10)
        self.assertEqual(0, failed)


class BulletinTests(SynchronousTestCase):
    """
    Somebody else's server with our checkers.
    """

    def setUp(self) -> None:
        """
        Start it, as its first lines say.
        """
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = Path(directory.name)
        makeCertificates(path, ["localhost"])
        self.issuer = MemoryIssuer("https://idp.example", "bulletin")
        (path / "idp.jwks").write_bytes(self.issuer.jwks())
        self.port = freePort()
        self.program = subprocess.Popen(
            [
                sys.executable,
                str(DOCS / "examples" / "bulletin.py"),
                "--issuer=https://idp.example",
                "--audience=bulletin",
                f"--keys={path / 'idp.jwks'}",
                f"--certificate={path / 'server.pem'}",
                f"--key={path / 'server.key'}",
                f"--port={self.port}",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.stop)
        assert self.program.stdout is not None
        self.appPassword = self.program.stdout.readline().split()[-1]
        self.tlsContext = ssl.create_default_context(cafile=str(path / "ca.pem"))

    def stop(self) -> None:
        """
        Stop it.
        """
        self.program.terminate()
        self.program.communicate()

    def connect(self) -> imaplib.IMAP4_SSL:
        """
        A connection; the program is up once it has begun to listen.
        """
        assert self.program.stderr is not None
        for line in self.program.stderr:
            if "starting on" in line:
                break
        client = imaplib.IMAP4_SSL("localhost", self.port, ssl_context=self.tlsContext)
        self.addCleanup(client.shutdown)
        return client

    def test_token(self) -> None:
        """
        A token of the company's issuer opens the board, and the notices are there.
        """
        token = self.issuer.issue("ann@board.example")
        client = self.connect()

        client.authenticate("OAUTHBEARER", lambda _: oauthbearer("ann@board.example", token))
        client.select("INBOX", readonly=True)
        answer = client.fetch("1:*", "(BODY[TEXT])")[1]

        self.assertIn("canteen", repr(answer))

    def test_appPassword(self) -> None:
        """
        So does the app password, and a wrong one does not.
        """
        client = self.connect()

        self.assertRaises(client.error, client.login, "ann@board.example", "wrong")
        self.assertEqual("OK", client.login("ann@board.example", self.appPassword)[0])
