"""
Scopes.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailauth.scopes import (
    MAIL_SCOPE,
    MAIL_SERVICES,
    SERVICE_SCOPES,
    formatScope,
    parseScope,
)

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
