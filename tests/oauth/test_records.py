"""
Tests for L{mailauth.oauth.records} and L{mailauth.oauth.interfaces}.
"""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.interface import InterfaceClass, Method

from mailauth.credentials import accountTag, grantTag, subjectTag
from mailauth.oauth import interfaces, records
from mailauth.oauth.records import (
    Authentication,
    AuthorizationCode,
    BrowserSession,
    Client,
    DeviceCode,
    Grant,
    OpaqueToken,
    Passkey,
    TOTPSecret,
)
from mailauth.oauth.tokens import AccessToken

SECRET = b"hunter2"
AUTHENTICATION = Authentication("alice@example.test", 900.0, browserSession="session")
GRANT = Grant("grant", AUTHENTICATION, "client", frozenset({"imap"}), refreshDigest=SECRET)
TOKEN = AccessToken("i", "s", "o", frozenset(), frozenset(), 1.0, 0.0)


class RecordTests(SynchronousTestCase):
    """
    What a record says about itself.
    """

    def test_public(self) -> None:
        """
        A client without a way to prove who it is is public.
        """
        self.assertTrue(Client("a").public)
        for method in ("client_secret_basic", "client_secret_post", "private_key_jwt"):
            self.assertFalse(Client("a", authMethod=method).public)

    def test_account(self) -> None:
        """
        A grant belongs to whoever signed in.
        """
        self.assertEqual("alice@example.test", GRANT.account)

    def test_here(self) -> None:
        """
        Whoever signed in here did so then, and ends with his account alone.
        """
        self.assertEqual(900.0, AUTHENTICATION.authTime)
        self.assertEqual({accountTag("alice@example.test")}, AUTHENTICATION.tags)
        self.assertEqual(frozenset(), AUTHENTICATION.sessionTags)

    def test_elsewhere(self) -> None:
        """
        Whoever signed in at another issuer did so when it says, and ends with who he is there; his
        browser with his session there, too.
        """
        issuer = "https://idp.example"
        there = attrs.evolve(
            AUTHENTICATION, issuer=issuer, subject="1", issuerSession="s", signedIn=300.0
        )

        self.assertEqual(300.0, there.authTime)
        self.assertEqual({accountTag("alice@example.test"), subjectTag(issuer, "1")}, there.tags)
        self.assertEqual({grantTag(issuer, "s")}, there.sessionTags)
        self.assertEqual(frozenset(), attrs.evolve(there, issuerSession=None).sessionTags)

    def test_identifier(self) -> None:
        """
        A browser session is known by the id in its authentication.
        """
        session = BrowserSession(SECRET, AUTHENTICATION, 0.0, 1.0)

        self.assertEqual("session", session.identifier)
        nameless = attrs.evolve(AUTHENTICATION, browserSession=None)
        self.assertEqual("", attrs.evolve(session, authentication=nameless).identifier)

    def test_secrets(self) -> None:
        """
        No repr shows what a secret is known by (LG1).
        """
        for record in (
            Client("a", secretDigest=SECRET, jwks=SECRET.decode()),
            GRANT,
            attrs.evolve(GRANT, previousDigest=SECRET),
            AuthorizationCode(SECRET, GRANT, None, None, None, 1.0),
            DeviceCode(SECRET, "hunter2", "a", frozenset(), frozenset(), 0.0, 1.0),
            BrowserSession(SECRET, AUTHENTICATION, 0.0, 1.0),
            OpaqueToken(SECRET, TOKEN),
            TOTPSecret("a", SECRET, 0.0),
            Passkey(b"id", "a", "phone", SECRET),
        ):
            self.assertNotIn("hunter2", repr(record))

    def test_frozen(self) -> None:
        """
        A record is what was stored, and nobody changes it on the way.
        """
        kinds = [
            kind
            for kind in vars(records).values()
            if isinstance(kind, type) and kind.__module__ == records.__name__
        ]
        self.assertIn(Client, kinds)
        for kind in kinds:
            frozen = attrs.exceptions.FrozenInstanceError
            self.assertRaises(frozen, setattr, object.__new__(kind), "created", 1.0)


class InterfaceTests(SynchronousTestCase):
    """
    What is asked of a store.
    """

    def test_prose(self) -> None:
        """
        Every joint and each of its methods says what it promises.
        """
        joints = [
            joint
            for joint in vars(interfaces).values()
            if isinstance(joint, InterfaceClass) and joint.__module__ == interfaces.__name__
        ]
        self.assertIn(interfaces.IGrants, joints)
        for joint in joints:
            self.assertTrue(joint.getDoc().strip(), joint)
            for name in joint.names():
                method = joint[name]
                self.assertIsInstance(method, Method)
                self.assertTrue(method.getDoc().strip(), f"{joint.getName()}.{name}")
