"""
Tests of FairEmail's provider file.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.builtinclients import BUILT_IN
from mailauth.server.mailhosts import MailHosts
from mailauth.server.setup.fairemail import writeProviders

from .described import HOST, HOSTS, ISSUER, STARTTLS, read


class FairEmailTests(SynchronousTestCase):
    """
    L{writeProviders}.
    """

    def provider(self, hosts: MailHosts = HOSTS) -> Element:
        """
        The only one.
        """
        root = read(writeProviders(hosts, "example.org"))
        self.assertEqual("providers", root.tag)
        [provider] = root
        return provider

    def test_servers(self) -> None:
        """
        It has the elements that FairEmail knows, and no others, which would end its reading.
        """
        provider = self.provider()

        self.assertEqual(["imap", "smtp", "oauth"], [each.tag for each in provider])
        self.assertEqual({"host": HOST, "port": "993", "starttls": "false"}, provider[0].attrib)
        self.assertEqual({"host": HOST, "port": "465", "starttls": "false"}, provider[1].attrib)
        later = self.provider(STARTTLS)
        self.assertEqual({"host": HOST, "port": "143", "starttls": "true"}, later[0].attrib)

    def test_domain(self) -> None:
        """
        The domain is an expression that matches it alone.
        """
        pattern = self.provider().attrib["domain"]

        self.assertIsNotNone(re.fullmatch(pattern, "example.org"))
        self.assertIsNone(re.fullmatch(pattern, "exampleXorg"))

    def test_oauth(self) -> None:
        """
        It names a client that is known here, with that client's redirect URI.
        """
        oauth = self.provider()[2].attrib

        self.assertEqual((oauth["redirectUri"],), BUILT_IN[oauth["clientId"]].redirectURIs)
        self.assertEqual("true", oauth["enabled"])
        self.assertEqual(f"{ISSUER}/authorize", oauth["authorizationEndpoint"])
        self.assertEqual(f"{ISSUER}/token", oauth["tokenEndpoint"])
        self.assertEqual("urn:ietf:params:oauth:scope:mail,offline_access", oauth["scopes"])
