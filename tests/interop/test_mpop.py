"""
mpop, which fetches by POP3.
"""

from __future__ import annotations

from pathlib import Path

from . import ALICE
from .demo import DemoTestCase
from .programs import Finished, need, run

EX_NOPERM = 77

_SETTINGS = """\
account alice
host localhost
port {port}
tls on
tls_starttls {startTLS}
tls_trust_file {authority}
auth {mechanism}
user {name}
passwordeval cat {secret}
delivery mbox {mbox}
uidls_file {uidls}
keep on
"""


class MpopTests(DemoTestCase):
    """
    mpop takes its secret from a program.
    """

    def setUp(self) -> None:
        """
        See the parent.
        """
        need("mpop")
        super().setUp()

    def fetch(self, listener: str, mechanism: str, secret: str) -> tuple[Finished, bytes]:
        """
        Fetch what there is.

        @return: how it ended, and the mbox.
        """
        mbox, uidls = self.directory / "mbox", self.directory / "uidls"
        for file in (mbox, uidls):
            file.unlink(missing_ok=True)
        settings = self.fileOf(
            "mpoprc",
            _SETTINGS.format(
                port=self.demo.ports[listener],
                startTLS="on" if listener == "pop3" else "off",
                authority=self.demo.authority,
                mechanism=mechanism,
                name=ALICE,
                secret=self.fileOf("secret", secret),
                mbox=mbox,
                uidls=uidls,
            ),
        )
        Path(settings).chmod(0o600)
        finished = run("mpop", "-C", str(settings), "--quiet", "alice")
        return finished, mbox.read_bytes() if mbox.exists() else b""

    def test_fetches(self) -> None:
        """
        It fetches by OAUTHBEARER, XOAUTH2, PLAIN, LOGIN and with USER and PASS, over STLS and TLS.
        """
        [welcome] = self.inbox(ALICE)
        _, _, body = welcome.replace(b"\r\n", b"\n").partition(b"\n\n")
        token, appPassword = self.demo.token(), self.demo.appPassword
        for listener in ("pop3", "pop3s"):
            for mechanism, secret in (
                ("oauthbearer", token),
                ("xoauth2", token),
                ("plain", appPassword),
                ("login", appPassword),
                ("user", appPassword),
            ):
                finished, mbox = self.fetch(listener, mechanism, secret)

                self.assertEqual(Finished(0, b"", b""), finished, f"{listener} {mechanism}")
                self.assertIn(body.strip(), mbox)

    def test_refused(self) -> None:
        """
        It reports a refused token as such, and hangs on no error document.
        """
        for mechanism in ("oauthbearer", "xoauth2"):
            finished, mbox = self.fetch("pop3s", mechanism, "wrong")

            self.assertEqual((EX_NOPERM, b""), (finished.status, mbox))
            self.assertIn(b"The access token was not accepted.", finished.errors)
