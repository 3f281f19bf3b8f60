"""
Tests for L{mailauth.server.notices}.
"""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.actions.recording import Recorder
from mailauth.server.notices import Notices
from mailauth.stores.events import ACCOUNT_SITE, THE_COMMAND, Actor
from mailauth.stores.memory import MemoryStores

ALICE = "alice@example.test"
NOW = 1_800_000_000.0


class NoticesTests(SynchronousTestCase):
    """
    What people are told.
    """

    def setUp(self) -> None:
        """
        A mailbox.
        """
        self.messages: list[tuple[str, bytes]] = []
        recorder = Recorder(MemoryStores().events, lambda: NOW)
        page = "https://mail.example.test/account/"
        self.notices = Notices(self.deliver, "mail.example.test", page, recorder)

    def deliver(self, account: str, message: bytes) -> Deferred[None]:
        """
        Take a message.
        """
        self.messages.append((account, message))
        return succeed(None)

    def sent(self, account: str, actor: Actor, sentence: str = "Something.") -> EmailMessage:
        """
        What one is told.
        """
        sending = Deferred.fromCoroutine(self.notices.send(account, actor, "A subject", sentence))
        self.successResultOf(sending)
        [(recipient, message)] = self.messages
        self.messages.clear()
        self.assertEqual(account, recipient)
        self.assertNotIn(b"\n", message.replace(b"\r\n", b""))
        parsed = message_from_bytes(message, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def test_message(self) -> None:
        """
        It is an ordinary message from the server, which nothing answers (RFC 3834).
        """
        message = self.sent(ALICE, Actor(ALICE, ACCOUNT_SITE, "192.0.2.1"))

        self.assertEqual("A subject", message["Subject"])
        self.assertEqual(ALICE, message["To"].addresses[0].addr_spec)
        self.assertEqual("postmaster@mail.example.test", message["From"].addresses[0].addr_spec)
        self.assertEqual("auto-generated", message["Auto-Submitted"])
        self.assertEqual(NOW, message["Date"].datetime.timestamp())
        self.assertRegex(message["Message-ID"], r"\A<[0-9a-f]{32}@mail\.example\.test>\Z")
        self.assertEqual("text/plain", message.get_content_type())
        self.assertEqual([], [defect for value in message.values() for defect in value.defects])

    def test_text(self) -> None:
        """
        It says what was done, to which account, when and from where, and what to do about it.
        """
        text = self.sent(ALICE, Actor(ALICE, ACCOUNT_SITE, "192.0.2.1")).get_content()

        for said in (
            "Something.",
            ALICE,
            "2027-01-15 08:00 UTC",
            "from 192.0.2.1",
            "https://mail.example.test/account/",
        ):
            self.assertIn(said, text)

    def test_administrator(self) -> None:
        """
        What an administrator did is said to be his doing; where he is, is nobody's business.
        """
        text = self.sent(ALICE, THE_COMMAND).get_content()

        self.assertIn("an administrator", text)
        self.assertNotIn("signed in", text)

    def test_strangeWords(self) -> None:
        """
        No name of anything writes a header or a line of its own (LG2).
        """
        message = self.sent(ALICE, THE_COMMAND, "'x\r\n.\r\nBcc: all@example.test\u202e' was made.")

        self.assertIsNone(message["Bcc"])
        self.assertNotIn("\nBcc", message.get_content())
        self.assertNotIn("\u202e", message.get_content())

    def test_strangeAccounts(self) -> None:
        """
        Whatever an account is called, its owner is told.
        """
        for account, address in (
            ("alice", "alice@mail.example.test"),
            ("a/b+c@xn--bcher-kva.example", "a/b+c@xn--bcher-kva.example"),
            # RFC 6532: in the mailbox where it is delivered, UTF-8 is what it is.
            ("\N{LATIN SMALL LETTER U WITH DIAERESIS}@example.test",) * 2,
        ):
            message = self.sent(account, THE_COMMAND)
            self.assertEqual(address, str(message["To"]))
            self.assertIn(account, message.get_content())
