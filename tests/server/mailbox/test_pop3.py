"""
L{mailauth.server.mailbox.pop3}, with the server that shows it.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.mail.interfaces import IMailboxPOP3
from zope.interface.verify import verifyObject

from mailauth.mail.pop3 import POP3
from mailauth.server.mailbox.pop3 import openPOP3Mailbox

from .parlour import ALICE, Connection, ParlourTestCase, makeDirectory, makeMailboxes

TEXT = st.lists(
    (st.binary(max_size=20) | st.just(b"."))
    .map(lambda line: line.replace(b"\r", b"").replace(b"\n", b""))
    .flatmap(lambda line: st.sampled_from([line, b"." + line])),
    min_size=1,
    max_size=20,
).map(lambda lines: b"\r\n".join([*lines, b""]))


class MaildropTests(ParlourTestCase):
    """
    L{openPOP3Mailbox}.
    """

    def setUp(self) -> None:
        super().setUp()
        for body in (b"one", b"two", b"three"):
            self.deliver(b"a: b\r\n\r\n" + body + b"\r\n")

    def test_interface(self) -> None:
        """
        The interface is kept; an empty maildrop has no length that could be taken for none (S8).
        """
        account = self.mailboxes.account("bob@example.test")

        mailbox = self.successResultOf(Deferred.fromCoroutine(openPOP3Mailbox(account)))

        self.assertTrue(verifyObject(IMailboxPOP3, mailbox))
        self.assertTrue(mailbox)
        self.assertEqual([], mailbox.listMessages())
        self.assertRaises(ValueError, mailbox.listMessages, 0)
        self.assertRaises(ValueError, mailbox.getUidl, -1)

    def test_list(self) -> None:
        """
        Sizes are those of the messages.
        """
        connection = self.pop3()

        self.assertEqual(b"+OK 3 41\r\n", connection.say(b"STAT\r\n"))
        self.assertEqual(b"+OK 2 13\r\n", connection.say(b"LIST 2\r\n"))
        self.assertTrue(connection.say(b"LIST 4\r\n").startswith(b"-ERR"))

    def test_uidl(self) -> None:
        """
        The unique ids are the same in every session, and those of other messages never.
        """
        first = self.pop3().say(b"UIDL\r\n")
        second = self.pop3()

        self.assertEqual(first, second.say(b"UIDL\r\n"))
        second.say(b"DELE 3\r\n")
        second.say(b"QUIT\r\n")
        self.deliver(b"four")
        self.assertEqual(
            b"1 1800000000.1\r\n2 1800000000.2\r\n3 1800000000.4\r\n.\r\n",
            self.pop3().say(b"UIDL\r\n").partition(b"\r\n")[2],
        )

    @given(TEXT)
    def test_exact(self, content: bytes) -> None:
        """
        A message comes back octet for octet, whatever lines begin with a dot (W8).
        """
        mailboxes = makeMailboxes(makeDirectory(self))
        self.successResultOf(mailboxes.deliver(ALICE, content))
        opening = openPOP3Mailbox(mailboxes.account(ALICE))
        connection = Connection(POP3(), self.successResultOf(Deferred.fromCoroutine(opening)))

        answer = connection.say(b"RETR 1\r\n")

        lines = answer.partition(b"\r\n")[2].split(b"\r\n")
        self.assertEqual([b".", b""], lines[-2:])
        unstuffed = [line.removeprefix(b".") for line in lines[:-2]]
        self.assertEqual(content, b"".join(line + b"\r\n" for line in unstuffed))

    def test_delete(self) -> None:
        """
        Messages are deleted by QUIT and by nothing else; the numbers of others stay.
        """
        undone, lost, quitting = self.pop3(), self.pop3(), self.pop3()
        for connection in (undone, lost, quitting):
            connection.say(b"DELE 2\r\n")
        undone.say(b"RSET\r\n")
        self.assertIn(b"two", undone.say(b"RETR 2\r\n"))
        undone.say(b"QUIT\r\n")
        self.assertTrue(quitting.say(b"RETR 2\r\n").startswith(b"-ERR"))
        self.assertIn(b"three", quitting.say(b"RETR 3\r\n"))
        self.assertEqual(b"+OK 3", self.pop3().say(b"STAT\r\n")[:5])

        self.assertTrue(quitting.say(b"QUIT\r\n").startswith(b"+OK"))

        self.assertEqual(b"+OK 2 28\r\n", self.pop3().say(b"STAT\r\n"))

    def test_gone(self) -> None:
        """
        A message that somebody else deleted meanwhile is an error of that message alone.
        """
        connection = self.pop3()
        other = self.pop3()
        other.say(b"DELE 1\r\n")
        other.say(b"QUIT\r\n")

        self.assertTrue(connection.say(b"RETR 1\r\n").startswith(b"-ERR"))
        self.assertIn(b"two", connection.say(b"RETR 2\r\n"))

    def test_readOnly(self) -> None:
        """
        A credential that may only read deletes nothing (PW12).
        """
        connection = self.pop3(readOnly=True)

        self.assertTrue(connection.say(b"DELE 1\r\n").startswith(b"-ERR [SYS/PERM]"))
        connection.say(b"QUIT\r\n")

        self.assertEqual(b"+OK 3", self.pop3().say(b"STAT\r\n")[:5])
