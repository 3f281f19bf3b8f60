"""
Tests of Roundcube's configuration. The program itself reads one in C{tests.interop}.
"""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.mailhosts import MailHosts
from mailauth.server.setup.roundcube import writeConfiguration

from ...interop.documents import blocksOf
from .described import HOST, HOSTS, STARTTLS


class RoundcubeTests(SynchronousTestCase):
    """
    L{writeConfiguration}.
    """

    def lines(self, hosts: MailHosts) -> list[str]:
        """
        What it says, without its comments.
        """
        written = writeConfiguration(hosts).decode("utf-8").splitlines()
        return [each for each in written if not each.startswith("//")]

    def test_documented(self) -> None:
        """
        It is what the documentation shows.
        """
        [block] = blocksOf("roundcube.md", "At Roundcube")

        described = attrs.evolve(HOSTS, issuer=f"https://{HOST}")
        self.assertEqual(["", *block.splitlines()], self.lines(described))

    def test_startTLS(self) -> None:
        """
        Where TLS does not begin at once it is asked for.
        """
        lines = self.lines(STARTTLS)

        self.assertIn(f"$config['imap_host'] = 'tls://{HOST}:143';", lines)
        self.assertIn(f"$config['smtp_host'] = 'tls://{HOST}:587';", lines)

    def test_quoted(self) -> None:
        """
        An address ends no string of PHP.
        """
        lines = self.lines(attrs.evolve(HOSTS, issuer="https://mail.example.org/a'b\\"))

        self.assertIn(
            r"$config['oauth_token_uri'] = 'https://mail.example.org/a\'b\\/token';", lines
        )
