"""
mutt and NeoMutt, in a terminal that nobody looks at.
"""

from __future__ import annotations

from . import ALICE, BOB
from .demo import DemoTestCase
from .programs import need, run

_SETTINGS = """\
set ssl_force_tls=yes certificate_file={authority} folder={home} header_cache="" copy=no quit=yes
set from={name} use_envelope_from=yes
"""


class MuttTests(DemoTestCase):
    """
    mutt reads by IMAP and POP3, and sends.

    @cvar program: which of them it is.
    """

    program = "mutt"

    def setUp(self) -> None:
        """
        See the parent.
        """
        need(self.program, "script")
        super().setUp()
        self.environment = {"HOME": str(self.directory), "TERM": "xterm"}

    def logins(self, protocol: str) -> list[tuple[str, str]]:
        """
        Each mechanism with the settings that make mutt use it, and no other.
        """
        token = self.fileOf("token", self.token())
        refresh = f'set {protocol}_oauth_refresh_command="cat {token}"'
        password = f"set {protocol}_pass={self.demo.appPassword}"
        return [("oauthbearer", refresh), ("xoauth2", refresh), ("plain", password)]

    def token(self) -> str:
        """
        An access token that it can send.
        """
        return self.demo.token()

    def settings(self, *lines: str) -> str:
        """
        The path of a file of settings.
        """
        always = _SETTINGS.format(authority=self.demo.authority, home=self.directory, name=ALICE)
        return str(self.fileOf("muttrc", always + "\n".join(lines) + "\n"))

    def assertReads(self, protocol: str, mailbox: str) -> None:
        """
        It reads the welcome message, octet for octet but for the ends of its lines.
        """
        [welcome] = self.inbox(ALICE)
        for mechanism, secret in self.logins(protocol):
            settings = self.settings(
                f"set {protocol}_user={ALICE} {protocol}_authenticators={mechanism}", secret
            )
            copy = self.directory / f"{mechanism}.eml"
            keys = f"<pipe-message>cat > {copy}<enter><exit>"
            mutt = f"{self.program} -n -F {settings} -f {mailbox} -e 'push \"{keys}\"'"

            finished = run("script", "-qec", mutt, "/dev/null", environment=self.environment)

            self.assertEqual(0, finished.status, finished)
            self.assertEqual(welcome.replace(b"\r\n", b"\n"), copy.read_bytes(), mechanism)
            copy.unlink()

    def test_imapTLS(self) -> None:
        """
        It reads by IMAP over TLS.
        """
        self.assertReads("imap", f"imaps://localhost:{self.demo.ports['imaps']}/INBOX")

    def test_imapStartTLS(self) -> None:
        """
        It reads by IMAP behind STARTTLS.
        """
        self.assertReads("imap", f"imap://localhost:{self.demo.ports['imap']}/INBOX")

    def test_pop3TLS(self) -> None:
        """
        It reads by POP3 over TLS.
        """
        self.assertReads("pop", f"pops://localhost:{self.demo.ports['pop3s']}/")

    def test_pop3StartTLS(self) -> None:
        """
        It reads by POP3 behind STLS.
        """
        self.assertReads("pop", f"pop://localhost:{self.demo.ports['pop3']}/")

    def test_sends(self) -> None:
        """
        It sends over STARTTLS and TLS.
        """
        name = ALICE.replace("@", "%40")
        for scheme, listener in (("smtp", "submission"), ("smtps", "submissions")):
            for mechanism, secret in self.logins("smtp"):
                url = f"{scheme}://{name}@localhost:{self.demo.ports[listener]}"
                settings = self.settings(
                    f"set smtp_url={url} smtp_authenticators={mechanism}", secret
                )
                subject = f"{scheme} {mechanism}"

                finished = run(
                    *(self.program, "-n", "-F", settings, "-s", subject, BOB),
                    stdin=b"Hello Bob.\n",
                    environment=self.environment,
                )

                self.assertEqual(0, finished.status, finished)
                header = f"Subject: {subject}\r\n".encode()
                self.assertEqual(1, sum(header in each for each in self.inbox(BOB)), subject)


class NeoMuttTests(MuttTests):
    """
    NeoMutt does the same. What it sends of OAUTHBEARER has to fit into 505 characters, so its
    tokens say nothing by themselves.
    """

    program = "neomutt"

    def token(self) -> str:
        """
        See the parent.
        """
        token: str = self.demo.command("token", "issue", "--opaque", ALICE)["access_token"]
        return token

    def logins(self, protocol: str) -> list[tuple[str, str]]:
        """
        See the parent. On POP3 it knows OAUTHBEARER, and USER with PASS.
        """
        (bearer, refresh), *others, (_, password) = super().logins(protocol)
        if protocol == "pop":
            return [(bearer, refresh), ("user", password)]
        return [(bearer, refresh), *others, ("plain", password)]
