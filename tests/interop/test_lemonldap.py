"""
Somebody else's authorization server: Debian's LemonLDAP::NG, whose tokens open the mail of a
running service.
"""

from __future__ import annotations

from unittest import SkipTest

from .federation import FederationTestCase
from .lemonldap import OTHER_PROGRAM, PORTAL, LemonLDAP
from .programs import need


class LemonLDAPTests(FederationTestCase):
    """
    What they open.
    """

    provider: LemonLDAP

    def setUp(self) -> None:
        """
        Start it, beside a demo.
        """
        need("plackup")
        if not PORTAL.exists():
            raise SkipTest("needs the portal of LemonLDAP::NG")
        super().setUp()
        directory = self.directory / "lemonldap"
        directory.mkdir()
        self.provider = LemonLDAP(directory, self.demo)
        self.addCleanup(self.provider.stop)
        self.provider.ready()

    def test_signed(self) -> None:
        """
        Its access tokens open mail by the keys that it publishes. Its ID tokens have the same type
        and the same audience, and open nothing; and neither do access tokens of a program for which
        nobody named this server's audience (TK12).
        """
        self.validateBy('validation = "jwt"', 'types = "jwt"')
        tokens = self.provider.tokens()

        self.assertOpens(tokens["access_token"])
        self.assertWorks(tokens["access_token"])
        self.assertRefused(tokens["id_token"])
        self.assertRefused(self.provider.tokens(OTHER_PROGRAM)["access_token"])

    def test_asked(self) -> None:
        """
        Whoever asks it about a token hears nothing of whom that is for, so that way none opens
        anything (TK19).
        """
        self.validateBy('validation = "introspection"')

        self.assertRefused(self.provider.tokens()["access_token"])
