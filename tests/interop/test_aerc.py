"""
aerc, in a terminal that nobody looks at.
"""

from __future__ import annotations

import os
import pty
import signal
from pathlib import Path
from select import select
from urllib.parse import quote

from . import ALICE
from .demo import DemoTestCase
from .programs import TIMEOUT, eventually, need

_ACCOUNTS = """\
[alice]
source = {source}
default = INBOX
from = {name}
"""


class AercTests(DemoTestCase):
    """
    aerc reads by IMAP.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("aerc")
        super().setUp()
        self.copy = self.directory / "copy.eml"

    def read(self, scheme: str, secret: str) -> None:
        """
        Save the first message.
        """
        settings = Path(self.directory) / "aerc"
        settings.mkdir(exist_ok=True)
        accounts = settings / "accounts.conf"
        source = f"{scheme}://{quote(ALICE, '')}:{quote(secret, '')}"
        accounts.write_text(
            _ACCOUNTS.format(source=f"{source}@localhost:{self.demo.ports['imaps']}", name=ALICE)
        )
        accounts.chmod(0o600)
        environment = {
            **os.environ,
            "HOME": str(self.directory),
            "XDG_CONFIG_HOME": str(self.directory),
            "SSL_CERT_FILE": self.demo.authority,
            "TERM": "xterm",
        }
        process, terminal = pty.fork()
        if process == 0:
            os.execvpe("aerc", ["aerc"], environment)
        try:
            self._watch(terminal, b"Welcome to")
            os.write(terminal, f":pipe -bm sh -c 'cat > {self.copy}'\r".encode())
            eventually(lambda: self.copy.exists() and self.copy.stat().st_size)
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(terminal)

    def _watch(self, terminal: int, words: bytes) -> None:
        """
        Wait until the words are on the screen.
        """
        shown = b""
        while words not in shown:
            readable, _, _ = select([terminal], [], [], TIMEOUT)
            self.assertTrue(readable, shown)
            try:
                shown += os.read(terminal, 65536)
            except OSError:
                self.fail(shown)

    def test_reads(self) -> None:
        """
        It reads by OAUTHBEARER, XOAUTH2 and with the LOGIN command.
        """
        [welcome] = self.inbox(ALICE)
        token = self.demo.token()
        for scheme, secret in (
            ("imaps+oauthbearer", token),
            ("imaps+xoauth2", token),
            ("imaps", self.demo.appPassword),
        ):
            self.read(scheme, secret)

            self.assertEqual(welcome, self.copy.read_bytes(), scheme)
            self.copy.unlink()
