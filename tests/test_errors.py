"""
Every way a login can fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from twisted.cred.error import UnauthorizedLogin
from twisted.trial.unittest import SynchronousTestCase

from mailauth.errors import (
    BadExchange,
    ExpiredToken,
    InvalidToken,
    LoginError,
    Outage,
    PrivacyRequired,
    Refusal,
    TooManyFailures,
)


def kinds(parent: type[LoginError] = LoginError) -> Iterator[type[LoginError]]:
    """
    All errors that can be raised.
    """
    for kind in parent.__subclasses__():
        if kind.__module__ == "mailauth.errors":
            yield kind
            yield from kinds(kind)


class ErrorsTests(SynchronousTestCase):
    """
    L{mailauth.errors}.
    """

    def test_dialects(self) -> None:
        """
        Every error has its reply on each wire, in that wire's form, and a sentence in ASCII.
        """
        for kind in kinds():
            with self.subTest(kind.__name__):
                self.assertRegex(kind.dialect.imap, rb"^(NO|BAD)( \[[A-Z]+\])?$")
                self.assertRegex(kind.dialect.smtp, rb"^[45][0-9]{2} [45]\.[0-9]\.[0-9]{1,2}$")
                self.assertRegex(kind.dialect.pop3, rb"^-ERR( \[[A-Z/]+\])?$")
                self.assertEqual(kind.dialect.smtp[:1], kind.dialect.smtp[4:5])
                self.assertTrue(kind.sentence.isascii())
                self.assertNotIn("\n", kind.sentence)

    def test_families(self) -> None:
        """
        Refusal, outage and bad exchange are apart: no error is two of them, and only a refusal
        is cred's C{UnauthorizedLogin}.
        """
        for kind in kinds():
            with self.subTest(kind.__name__):
                families = [f for f in (Refusal, Outage, BadExchange) if issubclass(kind, f)]
                self.assertEqual(1, len(families))
                self.assertEqual(issubclass(kind, Refusal), issubclass(kind, UnauthorizedLogin))

    def test_outagesAreTemporary(self) -> None:
        """
        An outage tells the client to try again, and never that its credentials are bad.
        """
        for kind in (Outage, TooManyFailures):
            self.assertTrue(kind.dialect.smtp.startswith(b"4"))
            self.assertIn(b"SYS/TEMP", kind.dialect.pop3)
            self.assertIsNone(re.search(rb"AUTH|EXPIRED", kind.dialect.imap))

    def test_pop3CredentialFailures(self) -> None:
        """
        Having said AUTH-RESP-CODE, POP3 marks every refusal (RFC 3206).
        """
        for kind in (kind for kind in kinds() if issubclass(kind, Refusal)):
            with self.subTest(kind.__name__):
                self.assertIn(kind.dialect.pop3, (b"-ERR [AUTH]", b"-ERR [SYS/PERM]"))

    def test_expiredTokenIsNoExpiredPassword(self) -> None:
        """
        An expired access token is not C{EXPIRED}: the client refreshes it (RFC 5530).
        """
        self.assertEqual(InvalidToken.dialect, ExpiredToken.dialect)

    def test_text(self) -> None:
        """
        The client reads the sentence and the help, in printable ASCII, and never the reason.
        """
        help = "See https://mail.example.test/account/ \u2013 \xe4."
        error = InvalidToken("revoked by carol", help)

        self.assertEqual("revoked by carol", error.reason)
        self.assertIn(b"https://mail.example.test/account/", error.text)
        self.assertTrue(error.text.isascii())
        self.assertNotIn(b"carol", error.text)

    def test_withoutReason(self) -> None:
        """
        An error without a reason says its sentence, also to the log.
        """
        self.assertEqual(PrivacyRequired.sentence, str(PrivacyRequired()))
        self.assertEqual(PrivacyRequired.sentence.encode(), PrivacyRequired().text)
