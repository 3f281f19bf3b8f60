"""
Scopes.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.scopes import (
    CALENDARS_SCOPE,
    CONTACTS_SCOPE,
    KNOWN_SCOPES,
    MAIL_SCOPE,
    MAIL_SERVICES,
    MEANINGS,
    READ_ONLY_SCOPES,
    SERVICE_SCOPES,
    formatScope,
    meaningsOf,
    parseScope,
)

READ_MAIL = f"{MAIL_SCOPE}:read"

WORDS = st.from_regex(r"[\x21\x23-\x5b\x5d-\x7e]+", fullmatch=True)


class ScopeTests(SynchronousTestCase):
    """
    RFC 6749 section 3.3.
    """

    def test_parse(self) -> None:
        """
        Words with single spaces between, in any order, repeated or not.
        """
        self.assertEqual(frozenset({"imap", MAIL_SCOPE}), parseScope(f"imap {MAIL_SCOPE} imap"))
        self.assertEqual(frozenset(), parseScope(""))

    def test_malformed(self) -> None:
        """
        Anything else is no scope.
        """
        for text in (" ", " imap", "imap ", "a  b", "a\tb", 'a"b', "a\\b", "imäp", "a\n"):
            with self.subTest(text):
                self.assertRaises(ValueError, parseScope, text)

    @given(st.frozensets(WORDS))
    def test_parseUndoesFormat(self, scope: frozenset[str]) -> None:
        """
        A scope that was written reads the same, and is always written in one way.
        """
        self.assertEqual(scope, parseScope(formatScope(scope)))
        self.assertEqual(formatScope(scope), formatScope(frozenset(sorted(scope, reverse=True))))

    def test_services(self) -> None:
        """
        Every mail service is opened by the scope for all mail and by one of its own, and by no
        other service's.
        """
        self.assertEqual(set(MAIL_SERVICES), set(SERVICE_SCOPES))
        for service, scopes in SERVICE_SCOPES.items():
            self.assertIn(MAIL_SCOPE, scopes)
            self.assertIn(service, scopes)
            self.assertTrue(scopes.isdisjoint(set(MAIL_SERVICES) - {service}))

    def test_readOnly(self) -> None:
        """
        What can be read has a scope for reading, that of mail or its own, which is no scope for
        more; and there is none for sending.
        """
        self.assertEqual({"imap", "pop3", "jmap"}, set(READ_ONLY_SCOPES))
        for service, scopes in READ_ONLY_SCOPES.items():
            self.assertEqual({READ_MAIL, f"{service}:read"}, scopes)
            self.assertTrue(scopes.isdisjoint(frozenset().union(*SERVICE_SCOPES.values())))

    def test_known(self) -> None:
        """
        The scopes of the standards, and one word for each service (O 43).
        """
        self.assertEqual(
            {
                "urn:ietf:params:oauth:scope:mail",
                "urn:ietf:params:oauth:scope:mail:read",
                "urn:ietf:params:oauth:scope:contacts",
                "urn:ietf:params:oauth:scope:contacts:read",
                "urn:ietf:params:oauth:scope:calendars",
                "urn:ietf:params:oauth:scope:calendars:read",
                "imap",
                "imap:read",
                "smtp",
                "pop3",
                "pop3:read",
                "pop",
                "jmap",
                "jmap:read",
                "offline_access",
                "openid",
                "email",
                "profile",
            },
            KNOWN_SCOPES,
        )
        self.assertEqual(KNOWN_SCOPES, parseScope(formatScope(KNOWN_SCOPES)))


class MeaningTests(SynchronousTestCase):
    """
    What people are told.
    """

    def test_meanings(self) -> None:
        """
        Everything that a client will be able to do is said once, the most important first.
        """
        for scope, keys in [
            ({MAIL_SCOPE}, ["mail"]),
            ({MAIL_SCOPE, "offline_access"}, ["mail", "offline_access"]),
            ({MAIL_SCOPE, "imap", "smtp", "pop", READ_MAIL}, ["mail"]),
            ({"jmap"}, ["mail"]),
            ({"imap", "smtp"}, ["imap", "smtp"]),
            ({"imap", "pop3", "imap:read"}, ["imap"]),
            ({"pop3", "pop"}, ["pop3"]),
            ({"pop3", "imap:read"}, ["pop3", "mail.readonly"]),
            ({"smtp", READ_MAIL}, ["smtp", "mail.readonly"]),
            ({READ_MAIL, "imap:read", "pop3:read", "jmap:read"}, ["mail.readonly"]),
            ({CONTACTS_SCOPE, f"{CONTACTS_SCOPE}:read"}, ["contacts"]),
            ({f"{CONTACTS_SCOPE}:read"}, ["contacts.readonly"]),
            ({CALENDARS_SCOPE, f"{CALENDARS_SCOPE}:read"}, ["calendars"]),
            ({f"{CALENDARS_SCOPE}:read"}, ["calendars.readonly"]),
            ({"profile", "email", "openid"}, ["openid", "email", "profile"]),
            (set(), []),
        ]:
            with self.subTest(scope):
                self.assertEqual([f"scope.{key}" for key in keys], [*meaningsOf(frozenset(scope))])

    @given(st.sampled_from(sorted(KNOWN_SCOPES)), st.frozensets(st.sampled_from(sorted(MEANINGS))))
    def test_nothingIsConcealed(self, name: str, others: frozenset[str]) -> None:
        """
        Each scope means something, and asking for more never makes people be told less than
        that one of the sentences covers it.
        """
        (alone,) = meaningsOf(frozenset({name}))

        said = meaningsOf(others | {name})

        larger = {"scope.mail", "scope.imap", alone.removesuffix(".readonly")}
        self.assertFalse({alone, *larger}.isdisjoint(said))
