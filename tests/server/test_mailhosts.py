"""
Tests of what mail programs have to know of the server.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.config import Configuration, readConfiguration
from mailauth.server.mailhosts import MailServer, mailHostsOf

from .deployment import deploy


class MailHostsTests(SynchronousTestCase):
    """
    L{mailHostsOf}.
    """

    def configuration(self, listen: str, more: str = "") -> Configuration:
        """
        A configuration that listens like this.
        """
        directory = deploy(self)
        path = directory / "mailauth.toml"
        before, _, after = path.read_text().partition("[listen]")
        path.write_text(f"{before}[listen]\n{listen}\n[tls]{after.partition('[tls]')[2]}{more}")
        return readConfiguration(path)

    def test_servers(self) -> None:
        """
        What listens is there, the preferred protocol and TLS from the start first, with the port of
        the first address; the rest is not.
        """
        hosts = mailHostsOf(
            self.configuration(
                'submission = "127.0.0.1:1587"\nimap = "127.0.0.1:1143"\npop3s = "127.0.0.1"\n'
                'imaps = ["127.0.0.1:1993", "[::1]:2993"]\nhttps = "127.0.0.1"'
            )
        )

        self.assertEqual("mail.localhost", hosts.hostname)
        self.assertEqual(
            (
                MailServer("imap", 1993, True),
                MailServer("imap", 1143, False),
                MailServer("pop3", 995, True),
                MailServer("smtp", 1587, False),
            ),
            hosts.servers,
        )
        self.assertEqual(MailServer("imap", 1993, True), hosts.preferred("imap"))
        self.assertEqual(MailServer("imap", 1143, False), hosts.preferred("imap", False))
        self.assertIsNone(hosts.preferred("smtp", True))

    def test_addresses(self) -> None:
        """
        Everything below the issuer has its path; what has a path of its own has its host alone.
        """
        more = '[issuer]\nurl = "https://id.example.org:8443/mail/"'
        hosts = mailHostsOf(self.configuration("", more))

        self.assertEqual("https://id.example.org:8443/mail/token", hosts.address("token"))
        self.assertEqual("https://id.example.org:8443", hosts.origin)
        self.assertEqual("id.example.org", hosts.webHost)
