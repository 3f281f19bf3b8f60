"""
Tests of email-oauth2-proxy's configuration. The program itself reads one in C{tests.interop}.
"""

from __future__ import annotations

from configparser import ConfigParser

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.builtinclients import BUILT_IN
from mailauth.server.mailhosts import MailHosts, MailServer
from mailauth.server.setup.emailproxy import writeConfiguration

from .described import HOST, HOSTS, ISSUER, STARTTLS

ALICE = "alice@example.org"


class EmailProxyTests(SynchronousTestCase):
    """
    L{writeConfiguration}.
    """

    def configuration(self, hosts: MailHosts = HOSTS) -> ConfigParser:
        """
        What Python reads of it.
        """
        parser = ConfigParser(interpolation=None)
        parser.read_string(writeConfiguration(hosts, ALICE).decode("utf-8"))
        return parser

    def test_sections(self) -> None:
        """
        It listens on this computer alone, for each server that there is.
        """
        parser = self.configuration()

        self.assertEqual(["IMAP-2993", "SMTP-2465", ALICE], parser.sections())
        for name, port, starttls in (("IMAP-2993", "993", "False"), ("SMTP-2465", "465", "False")):
            section = dict(parser[name])
            self.assertEqual(
                ("127.0.0.1", HOST), (section["local_address"], section["server_address"])
            )
            self.assertEqual((port, starttls), (section["server_port"], section["server_starttls"]))
        self.assertEqual("True", self.configuration(STARTTLS)["IMAP-2993"]["server_starttls"])
        reader = MailHosts(HOST, ISSUER, (MailServer("imap", 993, True),))
        self.assertEqual(["IMAP-2993", ALICE], self.configuration(reader).sections())

    def test_account(self) -> None:
        """
        It names a client that is known here, with that client's redirect URI, and uses PKCE.
        """
        account = self.configuration()[ALICE]

        self.assertEqual((account["redirect_uri"],), BUILT_IN[account["client_id"]].redirectURIs)
        self.assertEqual(f"{ISSUER}/authorize", account["permission_url"])
        self.assertEqual(f"{ISSUER}/token", account["token_url"])
        self.assertTrue(account.getboolean("use_pkce"))
