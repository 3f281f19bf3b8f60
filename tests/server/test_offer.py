"""
Tests of what a client may ask for.
"""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mailauth.oauth.records import Client
from mailauth.oauth.responses import OAuthError
from mailauth.scopes import KNOWN_SCOPES, MAIL_SCOPE
from mailauth.server.offer import Offer, wantsRefreshToken

CLIENT = Client("mutt")


class OfferCase(SynchronousTestCase):
    """
    An offer.
    """

    def setUp(self) -> None:
        """
        It.
        """
        self.offer = Offer("https://id.example/mail/", "everything", "mail.example")

    def assertCode(self, code: str, *call: object) -> None:
        """
        Whoever asks for that is refused.
        """
        method, *arguments = call
        assert callable(method)
        error = self.assertRaises(OAuthError, method, *arguments)
        assert isinstance(error, OAuthError)
        self.assertEqual(error.code, code)


class ScopeTests(OfferCase):
    """
    L{Offer.scope}.
    """

    def test_known(self) -> None:
        """
        A client may ask for everything that there is, unless its registration says less.
        """
        self.assertEqual(self.offer.scope(" ".join(KNOWN_SCOPES), CLIENT), KNOWN_SCOPES)
        narrow = attrs.evolve(CLIENT, scope=frozenset({"openid", "email"}))

        self.assertEqual(self.offer.scope("openid", narrow), {"openid"})
        self.assertCode("invalid_scope", self.offer.scope, "openid imap", narrow)

    def test_unknown(self) -> None:
        """
        An unknown one is refused, and never dropped in silence (O 43).
        """
        self.assertCode("invalid_scope", self.offer.scope, f"{MAIL_SCOPE} admin", CLIENT)


class ResourceTests(OfferCase):
    """
    L{Offer.resources}.
    """

    def test_ours(self) -> None:
        """
        The issuer, the audience, and the mail host with or without a scheme are ours, several of
        them too (O 70).
        """
        asked = [
            "https://id.example/mail/",
            "https://id.example/mail",
            "everything",
            "mail.example",
            "imap://mail.example",
            "smtp://mail.example",
            "pop://mail.example",
            "https://mail.example",
            "https://mail.example/",
            "https://mail.example/jmap/",
        ]
        self.assertTrue(self.offer.resources(asked))
        for each in asked:
            self.assertTrue(self.offer.resources([each]))
        self.assertEqual(self.offer.resources([]), frozenset())

    def test_others(self) -> None:
        """
        Any other is refused, also beside one of ours (O 70).
        """
        for each in (
            "https://evil.example",
            "imap://mail.example.evil.example",
            "https://mail.example//",
            "https://MAIL.example",
            "https://mail.example/jmap/x",
            "ldap://mail.example",
            "https://mail.example#x",
        ):
            self.assertCode("invalid_target", self.offer.resources, ["mail.example", each])


class RefreshTokenTests(SynchronousTestCase):
    """
    L{wantsRefreshToken}.
    """

    def test_mail(self) -> None:
        """
        A mail client that may have one gets one.
        """
        self.assertTrue(wantsRefreshToken(CLIENT, frozenset({MAIL_SCOPE})))
        without = attrs.evolve(CLIENT, grantTypes=frozenset({"authorization_code"}))
        self.assertFalse(wantsRefreshToken(without, frozenset({MAIL_SCOPE, "offline_access"})))

    def test_openid(self) -> None:
        """
        An OpenID client gets one if it asks.
        """
        self.assertFalse(wantsRefreshToken(CLIENT, frozenset({"openid", MAIL_SCOPE})))
        self.assertTrue(wantsRefreshToken(CLIENT, frozenset({"openid", "offline_access"})))
