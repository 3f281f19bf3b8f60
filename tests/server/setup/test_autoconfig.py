"""
Tests of Mozilla's autoconfig.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.setup.autoconfig import writeAutoconfig

from .described import HOST, HOSTS, ISSUER, SERVERS, read, texts

_PROVIDER = {
    *("domain", "displayName", "displayShortName", "documentation"),
    *("incomingServer", "outgoingServer"),
}
"""
What the grammar of draft-ietf-mailmaint-autoconfig has inside C{emailProvider}.
"""


class AutoconfigTests(SynchronousTestCase):
    """
    L{writeAutoconfig}.
    """

    root = read(writeAutoconfig(HOSTS, "example.org"))

    def test_grammar(self) -> None:
        """
        It has the elements of the draft, and those that have to be there.
        """
        provider = self.root[0]

        self.assertEqual("clientConfig", self.root.tag)
        self.assertEqual({"version": "1.1"}, self.root.attrib)
        self.assertEqual(["emailProvider", "oAuth2"], [each.tag for each in self.root])
        self.assertEqual({"id": "example.org"}, provider.attrib)
        self.assertEqual(_PROVIDER, {each.tag for each in provider})
        self.assertEqual("example.org", provider.findtext("domain"))

    def test_servers(self) -> None:
        """
        Each server has OAuth2 and then a password, and the whole address as its user name; TLS from
        the start comes first.
        """
        found = [
            (each.tag, each.get("type"), each.findtext("port"), each.findtext("socketType"))
            for each in self.root[0]
            if each.tag.endswith("Server")
        ]

        self.assertEqual(
            [
                ("incomingServer", "imap", "993", "SSL"),
                ("incomingServer", "imap", "143", "STARTTLS"),
                ("incomingServer", "pop3", "995", "SSL"),
                ("outgoingServer", "smtp", "465", "SSL"),
                ("outgoingServer", "smtp", "587", "STARTTLS"),
            ],
            found,
        )
        servers = [each for each in self.root[0] if each.tag.endswith("Server")]
        self.assertEqual(len(SERVERS), len(servers))
        for server in servers:
            self.assertEqual(HOST, server.findtext("hostname"))
            self.assertEqual("%EMAILADDRESS%", server.findtext("username"))
            methods = [each.text for each in server.findall("authentication")]
            self.assertEqual(["OAuth2", "password-cleartext"], methods)

    def test_oauth(self) -> None:
        """
        It names the issuer, its endpoints and what to ask for.
        """
        self.assertEqual(
            [
                ("authURL", f"{ISSUER}/authorize"),
                ("tokenURL", f"{ISSUER}/token"),
                ("issuer", ISSUER),
                ("scope", "urn:ietf:params:oauth:scope:mail offline_access"),
            ],
            texts(self.root[1]),
        )

    def test_longNames(self) -> None:
        """
        The names for people are no longer than the draft lets them be.
        """
        domain = f"{'a' * 63}.example"
        provider = read(writeAutoconfig(HOSTS, domain))[0]

        self.assertEqual(60, len(provider.findtext("displayName") or ""))
        self.assertEqual(20, len(provider.findtext("displayShortName") or ""))
        self.assertEqual(domain, provider.findtext("domain"))
