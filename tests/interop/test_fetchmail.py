"""
fetchmail, which knows no OAuth before its version 6.5.
"""

from __future__ import annotations

from pathlib import Path

from . import ALICE
from .demo import DemoTestCase
from .programs import Finished, need, run

_SETTINGS = """\
poll localhost protocol {protocol} port {port}
    user "{name}" password "{password}"
    {ssl} sslcertck sslcertfile "{authority}"
    mda "cat >> {inbox}" keep fetchall
"""

AUTHENTICATION_FAILED = 3


class FetchmailTests(DemoTestCase):
    """
    fetchmail takes an app password.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("fetchmail")
        super().setUp()
        self.fetched = self.directory / "fetched"

    def fetch(self, listener: str, password: str) -> Finished:
        """
        Fetch what there is.
        """
        self.fetched.unlink(missing_ok=True)
        settings = Path(
            self.fileOf(
                "fetchmailrc",
                _SETTINGS.format(
                    protocol="imap" if listener.startswith("imap") else "pop3",
                    port=self.demo.ports[listener],
                    name=ALICE,
                    password=password,
                    ssl="ssl" if listener.endswith("s") else "sslproto tls1.2+",
                    authority=self.demo.authority,
                    inbox=self.fetched,
                ),
            )
        )
        settings.chmod(0o600)
        return run(
            *("fetchmail", "--fetchmailrc", str(settings), "--nosyslog"),
            *("--pidfile", str(self.directory / "fetchmail.pid")),
            environment={"FETCHMAILHOME": str(self.directory), "HOME": str(self.directory)},
        )

    def test_fetches(self) -> None:
        """
        It fetches by IMAP and POP3, over TLS and behind STARTTLS and STLS.
        """
        [welcome] = self.inbox(ALICE)
        _, _, body = welcome.replace(b"\r\n", b"\n").partition(b"\n\n")
        for listener in ("imap", "imaps", "pop3", "pop3s"):
            finished = self.fetch(listener, self.demo.appPassword)

            self.assertEqual(0, finished.status, finished)
            self.assertIn(body.strip(), self.fetched.read_bytes(), listener)

    def test_refused(self) -> None:
        """
        It reports the account password as refused. What to do about it, it does not show.
        """
        password = self.demo.accounts[ALICE]["password"]
        finished = self.fetch("imaps", password)

        self.assertEqual(AUTHENTICATION_FAILED, finished.status, finished)
        self.assertFalse(self.fetched.exists())
