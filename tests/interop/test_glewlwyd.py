"""
Somebody else's authorization server: Debian's glewlwyd, whose tokens open the mail of a running
service.
"""

from __future__ import annotations

from .federation import CLIENT_ID, FederationTestCase
from .glewlwyd import ELSEWHERE, Glewlwyd
from .programs import need


class GlewlwydTests(FederationTestCase):
    """
    What they open.
    """

    provider: Glewlwyd

    def setUp(self) -> None:
        """
        Start it, beside a demo.
        """
        need("glewlwyd")
        super().setUp()
        directory = self.directory / "glewlwyd"
        directory.mkdir()
        self.provider = Glewlwyd(directory, self.demo)
        self.addCleanup(self.provider.stop)
        self.provider.ready()

    def test_signed(self) -> None:
        """
        Its tokens open mail by the keys that it publishes; one that is for another server, or that
        somebody changed, does not.
        """
        self.validateBy('validation = "jwt"')
        token = self.provider.token()

        self.assertOpens(token)
        self.assertWorks(token)
        self.assertRefused(self.provider.token(audience=ELSEWHERE))
        head, claims, signature = token.split(".")
        self.assertRefused(f"{head}.{claims}.{signature[::-1]}")

    def test_asked(self) -> None:
        """
        They open mail because it says what they are (RFC 7662), which it tells whoever they were
        given to; what it has revoked (RFC 7009), and what it will not speak of, does not.
        """
        self.validateBy('validation = "introspection"')
        token, revoked = (self.provider.token(CLIENT_ID) for _ in range(2))
        self.revoke(revoked)

        self.assertOpens(token)
        self.assertRefused(revoked)
        self.assertRefused(self.provider.token())

        self.revoke(token)
        self.restart()
        self.assertRefused(token)

    def test_down(self) -> None:
        """
        While it cannot be asked, nobody is told that his token is bad (O 22).
        """
        self.validateBy('validation = "introspection"')
        known, unknown = (self.provider.token(CLIENT_ID) for _ in range(2))
        self.assertOpens(known)
        self.provider.stop()

        self.assertUnknown(unknown)
