"""
Tests for L{mailauth.stores.records}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailauth.stores.records import Account, AppPassword, SigningKey


class RecordTests(SynchronousTestCase):
    """
    What records say about themselves.
    """

    def test_domain(self) -> None:
        """
        The domain of an account is what stands behind the last @, if there is one.
        """
        self.assertEqual("example.test", Account("alice@example.test").domain)
        self.assertEqual("example.test", Account('"a@b"@example.test').domain)
        self.assertEqual("", Account("alice").domain)

    def test_secrets(self) -> None:
        """
        No secret is in what C{repr} shows (LG1).
        """
        records = [
            Account("a", passwordHash="planted"),
            AppPassword("i", "a", "phone", digest=b"planted", imported="planted"),
            SigningKey("k", "ES256", b"planted", 0.0),
        ]

        for record in records:
            self.assertNotIn("planted", repr(record))
