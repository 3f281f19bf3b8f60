"""
Tests for L{mailauth.server.actions.apppasswords}.
"""

from __future__ import annotations

from typing import Any

import attrs
import bcrypt

from mailauth.credentials import appPasswordTag
from mailauth.passwords import UnusablePassword, digestAppPassword
from mailauth.server.actions.apppasswords import (
    LATEST,
    MAX_NAME,
    AppPasswordLimits,
    UnusableLimits,
    describe,
)
from mailauth.stores.records import IMPORTED_LIMIT, SEND_ONLY, AppPassword, LimitReached, NotFound
from mailauth.testing.stores import NOW

from .case import ADMINISTRATOR, ALICE, BOB, OWNER, AdministrationCase

PHONE = AppPasswordLimits("phone")


def hashOf(password: bytes) -> str:
    """
    The hash of another system.
    """
    return "{BLF-CRYPT}" + bcrypt.hashpw(password, bcrypt.gensalt(4)).decode("ascii")


class AppPasswordActionsTests(AdministrationCase):
    """
    App passwords.
    """

    def setUp(self) -> None:
        """
        The actions.
        """
        super().setUp()
        self.appPasswords = self.administration.appPasswords

    def test_made(self) -> None:
        """
        An app password is made within its limits; its secret is in the answer alone (PW13).
        """
        limits = AppPasswordLimits(
            " phone ", frozenset({"imap"}), True, NOW + 60.0, ("192.0.2.7/24", "192.0.2.0/24")
        )

        made = self.got(self.appPasswords.make(OWNER, ALICE, limits))

        self.assertEqual(
            AppPassword(
                made.record.identifier,
                ALICE,
                "phone",
                digestAppPassword(made.secret.encode()),
                services=frozenset({"imap"}),
                readOnly=True,
                created=NOW,
                expires=NOW + 60.0,
                networks=("192.0.2.0/24",),
            ),
            made.record,
        )
        self.assertEqual((made.record,), self.got(self.appPasswords.list(ALICE)))
        [(kind, actor, account, text)] = self.events()
        self.assertEqual(("app_password_made", OWNER, ALICE), (kind, actor, account))
        self.assertIn("phone", text)
        for said in (text, repr(made), str(self.delivered)):
            self.assertNotIn(made.secret, said)

    def test_notice(self) -> None:
        """
        The owner hears of it by mail: what, when, from where, and where to end it.
        """
        self.got(self.appPasswords.make(OWNER, ALICE, PHONE))

        [(account, message)] = self.delivered
        self.assertEqual(ALICE, account)
        for said in ("'phone'", "2027-01-15 08:00 UTC", "192.0.2.1", "/account/"):
            self.assertIn(said, message)

    def test_lostNotice(self) -> None:
        """
        A message that cannot be delivered undoes nothing; that it was lost is an event.
        """
        self.diskError = OSError(28, "No space left on device")

        made = self.got(self.appPasswords.make(OWNER, ALICE, PHONE))

        self.assertEqual((made.record,), self.got(self.appPasswords.list(ALICE)))
        self.assertEqual(["app_password_made", "notice_failed"], self.kinds())
        self.assertIn("No space left", self.events()[1][3])
        self.assertEqual(1, len(self.flushLoggedErrors(OSError)))

    def test_unusable(self) -> None:
        """
        Limits with which nobody could do anything are refused, and so is a name that tells it from
        no other.
        """
        for change, says in (
            ({"name": " \t"}, "what it is for"),
            ({"name": "x" * (MAX_NAME + 1)}, str(MAX_NAME)),
            ({"services": frozenset({"ftp"})}, "imap"),
            ({"services": SEND_ONLY, "readOnly": True}, "nothing"),
            ({"expires": NOW}, "later"),
            ({"expires": LATEST}, "9999"),
            ({"networks": ("192.0.2",)}, "192.0.2.0/24"),
        ):
            limits: Any = attrs.evolve(PHONE, **change)
            self.assertIn(
                says, self.refused(UnusableLimits, self.appPasswords.make(OWNER, ALICE, limits))
            )

        self.assertEqual((), self.got(self.appPasswords.list(ALICE)))
        self.assertEqual([], self.events())

    def test_strangeName(self) -> None:
        """
        A name moves no cursor and turns no direction of writing, wherever it is shown (LG2, WB4).
        """
        made = self.got(
            self.appPasswords.make(OWNER, ALICE, AppPasswordLimits("a\r\nBcc: x\x1b\u202e"))
        )

        self.assertEqual("a\ufffd\ufffdBcc: x\ufffd\ufffd", made.record.name)

    def test_described(self) -> None:
        """
        What one is for is said in a few words.
        """
        for limits, says in (
            (PHONE, "'phone', id x"),
            (AppPasswordLimits("scanner", SEND_ONLY), "'scanner' (send-only), id x"),
            (
                AppPasswordLimits("backup", frozenset({"pop3", "imap"}), True),
                "'backup' (imap, pop3; read-only), id x",
            ),
        ):
            record = self.got(self.appPasswords.make(OWNER, ALICE, limits)).record
            self.assertEqual(says, describe(attrs.evolve(record, identifier="x")))

    def test_revoked(self) -> None:
        """
        An app password is revoked by its account alone.
        """
        made = self.got(self.appPasswords.make(OWNER, ALICE, PHONE)).record
        identifier = made.identifier

        self.refused(NotFound, self.appPasswords.revoke(ADMINISTRATOR, BOB, identifier))
        self.got(self.appPasswords.revoke(OWNER, ALICE, identifier))

        self.assertEqual((), self.got(self.appPasswords.list(ALICE)))
        self.assertTrue(self.stores.revocations.covers([appPasswordTag(identifier)], NOW))
        self.assertEqual(
            ("app_password_revoked", OWNER, ALICE, f"'phone', id {identifier}"), self.events()[1]
        )

    def test_quota(self) -> None:
        """
        An account has as many as it may; who wants one more hears what to do.
        """
        self.got(self.appPasswords.setLimit(ADMINISTRATOR, ALICE, 1))
        self.got(self.appPasswords.make(OWNER, ALICE, PHONE))

        says = self.refused(LimitReached, self.appPasswords.make(OWNER, ALICE, PHONE))

        self.assertIn("Revoke one", says)
        self.assertEqual(1, self.got(self.appPasswords.limit(ALICE)))
        self.got(self.appPasswords.setLimit(ADMINISTRATOR, ALICE, None))
        self.got(self.appPasswords.make(OWNER, ALICE, PHONE))
        self.assertEqual(
            [
                ("quota_set", ADMINISTRATOR, ALICE, "1"),
                ("quota_set", ADMINISTRATOR, ALICE, "default"),
            ],
            [event for event in self.events() if event[0] == "quota_set"],
        )
        for number in (-1, 1001):
            self.refused(UnusableLimits, self.appPasswords.setLimit(ADMINISTRATOR, ALICE, number))

    def test_nobody(self) -> None:
        """
        An account that is not there has no app passwords.
        """
        nobody = "nobody@example.test"
        for doing in (
            self.appPasswords.list(nobody),
            self.appPasswords.make(ADMINISTRATOR, nobody, PHONE),
            self.appPasswords.setLimit(ADMINISTRATOR, nobody, 1),
            self.appPasswords.importHash(ADMINISTRATOR, nobody, hashOf(b"x"), PHONE),
        ):
            self.assertIn(nobody, self.refused(NotFound, doing))


class ImportTests(AdministrationCase):
    """
    Passwords of another system.
    """

    def setUp(self) -> None:
        """
        The actions.
        """
        super().setUp()
        self.appPasswords = self.administration.appPasswords

    def test_hash(self) -> None:
        """
        A hash is taken over as it is, if it is one that can be verified.
        """
        hashed = hashOf(b"old")

        made = self.got(self.appPasswords.importHash(ADMINISTRATOR, ALICE, hashed, PHONE))

        self.assertEqual(hashed, made.imported)
        self.refused(
            UnusablePassword,
            self.appPasswords.importHash(ADMINISTRATOR, ALICE, "{MD5}x", PHONE),
        )
        self.assertEqual(["app_password_imported"], self.kinds())
        self.assertNotIn(hashed, str(self.events()))

    def test_list(self) -> None:
        """
        Of each line of a list it is said what came of it; one that is wrong keeps no other from
        being taken.
        """
        lines = [
            "# account:hash:name",
            "",
            f"alice:{hashOf(b'one')}",
            "not a line",
            f"a b:{hashOf(b'two')}",
            f"nobody:{hashOf(b'three')}",
            "bob:{PLAIN}secret",
            f"BOB@example.test:{hashOf(b'four')}:the old: phone",
            "\ufffd\x1b[2J:x",
        ]

        report = self.got(self.appPasswords.importLines(ADMINISTRATOR, lines))

        self.assertEqual([3, 4, 5, 6, 7, 8, 9], [each.number for each in report])
        self.assertEqual([3, 8], [each.number for each in report if each.problem is None])
        said = {each.number: each.problem or "" for each in report}
        self.assertIn("a b", said[5])
        self.assertIn("nobody@example.test", said[6])
        self.assertIn("bcrypt", said[7])
        self.assertNotIn("secret", str(report))
        self.assertNotIn("\x1b", report[-1].account)
        [alices] = self.got(self.appPasswords.list(ALICE))
        [bobs] = self.got(self.appPasswords.list(BOB))
        self.assertEqual(("imported", "the old: phone"), (alices.name, bobs.name))

    def test_again(self) -> None:
        """
        A list that was mended is given once more, and nothing is there twice.
        """
        good, bad = f"alice:{hashOf(b'one')}", "bob:x"
        self.got(self.appPasswords.importLines(ADMINISTRATOR, [good, bad]))

        report = self.got(
            self.appPasswords.importLines(ADMINISTRATOR, [good, f"bob:{hashOf(b'two')}"])
        )

        self.assertEqual([None, None], [each.problem for each in report])
        for account in (ALICE, BOB):
            self.assertEqual(1, len(self.got(self.appPasswords.list(account))))

    def test_tooMany(self) -> None:
        """
        What is more than an account may have is said of its line (PW5).
        """
        lines = [f"alice:{hashOf(b'%d' % number)}" for number in range(IMPORTED_LIMIT + 1)]

        report = self.got(self.appPasswords.importLines(ADMINISTRATOR, lines))

        self.assertEqual([IMPORTED_LIMIT + 1], [one.number for one in report if one.problem])
