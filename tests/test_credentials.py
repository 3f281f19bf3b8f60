"""
What a login brings in, and what a checker answers.
"""

from __future__ import annotations

from twisted.cred.credentials import IUsernamePassword
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mailauth.credentials import (
    AvatarId,
    BearerToken,
    DelegatedPassword,
    UsernamePassword,
    accountTag,
    appPasswordTag,
    clientTag,
    grantTag,
    tokenTag,
)
from mailauth.interfaces import IBearerToken, IDelegatedPassword


class CredentialsTests(SynchronousTestCase):
    """
    The credentials.
    """

    def test_interfaces(self) -> None:
        """
        Each provides what it says it does.
        """
        verifyObject(IBearerToken, BearerToken(b"t"))
        verifyObject(IUsernamePassword, UsernamePassword(b"alice", b"secret"))
        verifyObject(IDelegatedPassword, DelegatedPassword(b"alice", b"secret", b"bob"))

    def test_secretsAreLeftOut(self) -> None:
        """
        No secret is in a C{repr} (LG1).
        """
        for credentials in (
            BearerToken(b"planted", b"alice"),
            UsernamePassword(b"alice", b"planted"),
            DelegatedPassword(b"alice", b"planted", b"bob"),
        ):
            self.assertNotIn("planted", repr(credentials))
            self.assertIn("alice", repr(credentials))

    def test_checkPassword(self) -> None:
        """
        cred's own checkers can compare the password.
        """
        credentials = UsernamePassword(b"alice", b"secret")

        self.assertTrue(credentials.checkPassword(b"secret"))
        self.assertFalse(credentials.checkPassword(b"secret "))
        self.assertFalse(credentials.checkPassword(b""))


class AvatarIdTests(SynchronousTestCase):
    """
    L{AvatarId}.
    """

    def test_isBytes(self) -> None:
        """
        Any realm can use it as the name's octets.
        """
        avatarId = AvatarId("jürgen@example.test")

        self.assertEqual("jürgen@example.test".encode(), avatarId)
        self.assertEqual("jürgen@example.test", avatarId.account)

    def test_tags(self) -> None:
        """
        It carries its account's tag beside those of the credential.
        """
        avatarId = AvatarId("alice", [appPasswordTag("7")], readOnly=True, expires=1.0)

        self.assertEqual(frozenset({accountTag("alice"), appPasswordTag("7")}), avatarId.tags)
        self.assertTrue(avatarId.readOnly)
        self.assertEqual(1.0, avatarId.expires)

    def test_tagsAreApart(self) -> None:
        """
        Two kinds of tag never meet, whatever the names in them.
        """
        tags = {
            accountTag("x"),
            appPasswordTag("x"),
            tokenTag("https://a.test", "x"),
            tokenTag("https://b.test", "x"),
            grantTag("https://a.test", "x"),
            clientTag("https://a.test", "x"),
        }

        self.assertEqual(6, len(tags))
