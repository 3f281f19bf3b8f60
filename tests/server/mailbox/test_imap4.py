"""
L{mailauth.server.mailbox.imap4}, with all that is behind it.
"""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.logger import capturedLogs, formatEvent
from twisted.mail.imap4 import IAccount, IMailbox, IMessage, IMessageFile, INamespacePresenter
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from mailauth.server.mailbox.imap4 import MailboxIMAP4Server

from .parlour import ALICE, Connection, ParlourTestCase, makeDirectory, makeMailboxes

SIMPLE = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.test>\r\nTo: alice@example.test\r\n"
    b"Subject: Caf\xc3\xa9 \xff\r\nDate: Tue, 24 Nov 2026 20:00:00 +0000\r\n"
    b"Message-ID: <1@example.test>\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\nbody\r\n.dot\r\n"
)
MULTIPART = (
    b"From: bob@example.test\r\nSubject: parts\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="x y"\r\n\r\n'
    b"--x y\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BCn\r\n"
    b"--x y\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner body\r\n"
    b"--x y\r\nContent-Type: application/octet-stream; name=a.bin\r\n"
    b'Content-Disposition: attachment; filename="a.bin"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x y--\r\n"
)

TEXT = st.lists(
    st.binary(max_size=40).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b"")),
    min_size=1,
    max_size=20,
).map(lambda lines: b"\r\n".join([*lines, b""]))


def openFiles() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def literal(octets: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(octets), octets)


class InterfaceTests(ParlourTestCase):
    """
    The interfaces of twisted.mail.
    """

    def test_interfaces(self) -> None:
        """
        They are kept.
        """
        self.deliver(SIMPLE)
        account = self.mailboxes.account(ALICE)
        mailbox = self.successResultOf(account.select("INBOX"))
        assert mailbox is not None
        [(_, message)] = mailbox.everything()

        self.assertTrue(verifyObject(IAccount, account))
        self.assertTrue(verifyObject(INamespacePresenter, account))
        self.assertTrue(verifyObject(IMailbox, mailbox))
        self.assertTrue(verifyObject(IMessage, message))
        self.assertTrue(verifyObject(IMessageFile, message))

    def test_message(self) -> None:
        """
        A message answers what twisted.mail asks of one.
        """
        self.deliver(MULTIPART)
        mailbox = self.successResultOf(self.mailboxes.account(ALICE).select("INBOX"))
        assert mailbox is not None

        [(_, message)] = mailbox.everything()

        self.assertEqual({"subject": "parts"}, message.getHeaders(False, "Subject"))
        self.assertNotIn("subject", message.getHeaders(True, "Subject"))
        self.assertTrue(message.isMultipart())
        self.assertEqual(b"gr=C3=BCn", message.getSubPart(0).getBodyFile().read())
        self.assertTrue(message.getBodyFile().read().endswith(b"--x y--\r\n"))
        self.assertEqual(b"Fri, 15 Jan 2027 08:00:00 -0000", message.getInternalDate())
        self.assertEqual(len(MULTIPART), message.getSize())


class SelectTests(ParlourTestCase):
    """
    SELECT and what leaves a mailbox.
    """

    def test_select(self) -> None:
        """
        A client is told all it needs to know (RFC 3501 section 6.3.1).
        """
        self.deliver(SIMPLE)
        self.deliver(SIMPLE)
        flags = rb"(\Answered \Flagged \Deleted \Seen \Draft $Forwarded)"

        answer = self.imap(select=None).do(b"SELECT inbox")

        for line in (
            b"* FLAGS " + flags,
            b"* 2 EXISTS",
            b"* 2 RECENT",
            b"* OK [UNSEEN 1] ",
            b"* OK [UIDVALIDITY 1800000000] ",
            b"* OK [UIDNEXT 3] ",
            b"* OK [PERMANENTFLAGS " + flags + b"] ",
            b"a OK [READ-WRITE] ",
        ):
            self.assertIn(line, answer)

    def test_recentOnce(self) -> None:
        """
        Messages are recent to the first who selects; whoever only looks takes nothing from others.
        """
        self.deliver(SIMPLE)

        self.assertIn(b"* 1 RECENT", self.imap(select=None).do(b"EXAMINE INBOX"))
        self.assertIn(b"(RECENT 1)", self.imap(select=None).do(b"STATUS INBOX (RECENT)"))
        self.assertIn(b"* 1 RECENT", self.imap(select=None).do(b"SELECT INBOX"))
        self.assertIn(b"* 0 RECENT", self.imap(select=None).do(b"SELECT INBOX"))

    def test_noSuchMailbox(self) -> None:
        """
        A failed SELECT leaves nothing selected.
        """
        connection = self.imap()

        self.assertEqual(b"a NO [NONEXISTENT] No such mailbox\r\n", connection.do(b"SELECT x"))
        self.assertTrue(connection.do(b"FETCH 1 FLAGS").startswith(b"a BAD "))

    def test_close(self) -> None:
        """
        CLOSE expunges silently, UNSELECT and a mailbox that is read-only do not.
        """
        self.deliver(SIMPLE)
        connection = self.imap()
        connection.do(rb"STORE 1 +FLAGS (\Deleted)")

        self.assertEqual(b"a OK Mailbox left\r\n", connection.do(b"UNSELECT"))
        self.assertIn(b"* 1 EXISTS", connection.do(b"EXAMINE INBOX"))
        self.assertEqual(b"a OK Mailbox closed\r\n", connection.do(b"CLOSE"))
        self.assertIn(b"* 1 EXISTS", connection.do(b"SELECT INBOX"))
        self.assertEqual(b"a OK Mailbox closed\r\n", connection.do(b"CLOSE"))
        self.assertIn(b"* 0 EXISTS", connection.do(b"SELECT INBOX"))

    def test_capabilities(self) -> None:
        """
        After the login the mailbox's capabilities are there, and only those that work.
        """
        answer = self.imap().do(b"CAPABILITY").split(b"\r\n")[0]

        self.assertEqual(
            b"* CAPABILITY IMAP4rev1 CHILDREN ID IDLE NAMESPACE UIDPLUS UNSELECT".split(),
            answer.split()[:3] + sorted(answer.split()[3:]),
        )


class MailboxTests(ParlourTestCase):
    """
    CREATE, LIST and the others about mailboxes.
    """

    def test_list(self) -> None:
        """
        Names come quoted, with name attributes and not with message flags (#10290).
        """
        connection = self.imap()
        for name in (b'"A b"', b"C/D", b"&ZeVnLIqe-"):
            self.assertIn(b"a OK", connection.do(b"CREATE " + name))

        self.assertEqual(
            b'* LIST (\\HasNoChildren) "/" "A b"\r\n'
            b'* LIST (\\Noselect \\HasChildren) "/" "C"\r\n'
            b'* LIST (\\HasNoChildren) "/" "INBOX"\r\n'
            b'* LIST (\\HasNoChildren) "/" "&ZeVnLIqe-"\r\n'
            b"a OK LIST completed\r\n",
            connection.do(b'LIST "" %'),
        )
        self.assertIn(b'* LIST (\\HasNoChildren) "/" "C/D"\r\na', connection.do(b'LIST "C/" "*"'))
        self.assertEqual(
            b'* LIST (\\Noselect) "/" ""\r\na OK LIST completed\r\n', connection.do(b'LIST "" ""')
        )
        self.assertIn(b'"INBOX"', connection.do(b'LIST "" inb%'))

    def test_subscriptions(self) -> None:
        """
        LSUB lists what is subscribed to, whether it exists or not, and what is above for C{%}.
        """
        connection = self.imap()
        connection.do(b"SUBSCRIBE A/B")
        connection.do(b"UNSUBSCRIBE INBOX")

        self.assertEqual(
            b'* LSUB () "/" "A/B"\r\na OK LSUB completed\r\n', connection.do(b'LSUB "" *')
        )
        self.assertEqual(
            b'* LSUB (\\Noselect) "/" "A"\r\na OK LSUB completed\r\n', connection.do(b'LSUB "" %')
        )

    def test_refusals(self) -> None:
        """
        Each refusal has its code (RFC 5530), and repeats nothing of what the client said.
        """
        connection = self.imap()
        connection.do(b"CREATE x")

        for command, answer in (
            (b"CREATE x", b"[ALREADYEXISTS]"),
            (b"CREATE inbox", b"[ALREADYEXISTS]"),
            (b"CREATE a//b", b"[CANNOT]"),
            (b"CREATE &AGE-", b"[CANNOT]"),
            (b'CREATE ""', b"[CANNOT]"),
            (b"DELETE inbox", b"[CANNOT]"),
            (b"DELETE nothing", b"[NONEXISTENT]"),
            (b"RENAME inbox y", b"[CANNOT]"),
            (b"RENAME nothing y", b"[NONEXISTENT]"),
            (b"STATUS nothing (MESSAGES)", b"[NONEXISTENT]"),
            (b"COPY 1 nothing", b"[TRYCREATE]"),
            (b"SEARCH CHARSET KOI8-R ALL", b"[BADCHARSET (US-ASCII UTF-8)]"),
        ):
            self.assertTrue(connection.do(command).startswith(b"a NO " + answer), command)

    def test_renamed(self) -> None:
        """
        RENAME moves those below along.
        """
        connection = self.imap()
        connection.do(b"CREATE a/b/")

        self.assertEqual(b"a OK Mailbox renamed\r\n", connection.do(b"RENAME a z"))

        self.assertIn(b'"z/b"\r\n', connection.do(b'LIST "" *'))
        self.assertIn(b"a OK", connection.do(b"DELETE z/b"))

    def test_status(self) -> None:
        """
        STATUS quotes names with spaces.
        """
        connection = self.imap()
        connection.do(b'CREATE "A b"')

        self.assertEqual(
            b'* STATUS "A b" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1800000001 UNSEEN 0)\r\n'
            b"a OK STATUS completed\r\n",
            connection.do(b'STATUS "A b" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)'),
        )

    def test_append(self) -> None:
        """
        APPEND takes flags and a date, or none of them, and tells the UID (RFC 4315).
        """
        connection = self.imap()

        for arguments in (b"INBOX ", rb"INBOX (\Seen) ", b'"INBOX" "01-Jan-2020 00:00:00 +0100" '):
            self.assertTrue(
                connection.do(b"APPEND " + arguments + b"{%d}" % len(SIMPLE)).startswith(b"+ ")
            )
            self.assertRegex(
                connection.say(SIMPLE + b"\r\n"),
                rb"\* \d EXISTS\r\n\* 0 RECENT\r\na OK \[APPENDUID 1800000000 \d\] APPEND",
            )

        answer = connection.do(b"FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)")
        self.assertIn(b'* 1 FETCH (FLAGS () INTERNALDATE "15-Jan-2027 08:00:00 +0000"', answer)
        self.assertIn(rb"* 2 FETCH (FLAGS (\Seen)", answer)
        self.assertIn(b'INTERNALDATE "31-Dec-2019 23:00:00 +0000"', answer)
        self.assertEqual(3, answer.count(b"RFC822.SIZE %d)" % len(SIMPLE)))

    def test_appendRefused(self) -> None:
        """
        A message for a mailbox that is not there says so; one that is too large is not invited
        (DS3, W11).
        """
        connection = self.imap()

        connection.do(b"APPEND x {4}")
        self.assertEqual(b"a NO [TRYCREATE] No such mailbox\r\n", connection.say(b"a: b\r\n"))
        for size in (b"99999999999999", b"4000000000", b"-1", b"+1", b"1_0"):
            self.assertTrue(connection.do(b"APPEND INBOX {" + size + b"}").startswith(b"a BAD "))


class FetchTests(ParlourTestCase):
    """
    FETCH.
    """

    @given(TEXT)
    def test_exact(self, content: bytes) -> None:
        """
        A message comes back octet for octet, and its size is right, by IMAP and by POP3.
        """
        mailboxes = makeMailboxes(makeDirectory(self))
        self.successResultOf(mailboxes.deliver(ALICE, content))
        imap = Connection(MailboxIMAP4Server(), mailboxes.account(ALICE))
        imap.do(b"SELECT INBOX")

        answer = imap.do(b"FETCH 1 (RFC822.SIZE BODY.PEEK[])")

        self.assertIn(
            b"* 1 FETCH (RFC822.SIZE %d BODY[] %b)\r\n" % (len(content), literal(content)), answer
        )

    @given(st.binary(max_size=120))
    def test_total(self, content: bytes) -> None:
        """
        Any octets have an envelope, a structure and sections: no message hides another.
        """
        mailboxes = makeMailboxes(makeDirectory(self))
        for message in (content, SIMPLE):
            self.successResultOf(mailboxes.deliver(ALICE, message))
        imap = Connection(MailboxIMAP4Server(), mailboxes.account(ALICE))
        imap.do(b"SELECT INBOX")

        answer = imap.do(
            b"FETCH 1:2 (ENVELOPE BODYSTRUCTURE BODY BODY.PEEK[1] BODY.PEEK[1.MIME] "
            b"BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[HEADER.FIELDS (Subject)])"
        )

        self.assertTrue(answer.endswith(b"a OK FETCH completed\r\n"), answer)
        self.assertIn(b"\r\n* 2 FETCH (", answer)

    def test_eightBitHeader(self) -> None:
        """
        A header that is not ASCII is sent as a literal, as it is.
        """
        self.deliver(SIMPLE)
        person = b'(("=?utf-8?q?J=C3=BCrgen?=" NIL "j" "example.test"))'

        self.assertIn(
            b'* 1 FETCH (ENVELOPE ("Tue, 24 Nov 2026 20:00:00 +0000" '
            + literal(b"Caf\xc3\xa9 \xff")
            + b" "
            + b" ".join([person] * 3)
            + b' ((NIL NIL "alice" "example.test")) NIL NIL NIL "<1@example.test>"))\r\n',
            self.imap().do(b"FETCH 1 ENVELOPE"),
        )

    def test_bodyStructure(self) -> None:
        """
        RFC 3501 section 7.4.2.
        """
        self.deliver(MULTIPART)

        self.assertIn(
            b'BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 9 0 '
            b'NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7bit" 28 '
            b'(NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL) '
            b'("text" "plain" NIL NIL NIL "7bit" 10 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL)'
            b'("application" "octet-stream" ("name" "a.bin") NIL NIL "base64" 4 NIL '
            b'("attachment" ("filename" "a.bin")) NIL NIL) "mixed" ("boundary" "x y") '
            b"NIL NIL NIL)",
            self.imap().do(b"FETCH 1 BODYSTRUCTURE"),
        )

    def test_sections(self) -> None:
        """
        Sections hold the octets of the message, repeated fields in their own spelling.
        """
        self.deliver(SIMPLE)
        self.deliver(MULTIPART)
        connection = self.imap()
        header, _, body = SIMPLE.partition(b"\r\n\r\n")

        for number, section, octets in (
            (1, b"HEADER", header + b"\r\n\r\n"),
            (1, b"TEXT", body),
            (1, b"1", body),
            (1, b"HEADER.FIELDS (X-TWICE)", b"X-Twice: 1\r\nx-twice: 2\r\n\r\n"),
            (2, b"HEADER.FIELDS.NOT (From Subject Content-Type)", b"MIME-Version: 1.0\r\n\r\n"),
            (2, b"HEADER.FIELDS (Nothing)", b"\r\n"),
            (2, b"1", b"gr=C3=BCn"),
            (2, b"2.HEADER", b"Subject: inner\r\n\r\n"),
            (2, b"2.HEADER.FIELDS (subject)", b"Subject: inner\r\n\r\n"),
            (2, b"2.TEXT", b"inner body"),
            (2, b"2.1", b"inner body"),
            (2, b"2.MIME", b"Content-Type: message/rfc822\r\n\r\n"),
        ):
            answer = connection.do(b"FETCH %d BODY.PEEK[%b]" % (number, section))
            self.assertIn(b"BODY[" + section + b"] " + literal(octets) + b")\r\n", answer)
        self.assertIn(b"BODY[4] NIL", connection.do(b"FETCH 2 BODY.PEEK[4]"))

    def test_partial(self) -> None:
        """
        A part of a section is what was asked for, and no more (#5613).
        """
        self.deliver(MULTIPART)
        connection = self.imap()

        for section, first, count, octets in (
            (b"", 0, 20, MULTIPART[:20]),
            (b"", 5, 7, MULTIPART[5:12]),
            (b"", len(MULTIPART) - 3, 100, MULTIPART[-3:]),
            (b"", 100000, 10, b""),
            (b"TEXT", 2, 3, b"x y"),
            (b"1", 2, 3, b"=C3"),
            (b"HEADER", 0, 5, b"From:"),
        ):
            self.assertIn(
                b"* 1 FETCH (BODY[%b]<%d> %b)\r\n" % (section, first, literal(octets)),
                connection.do(b"FETCH 1 BODY.PEEK[%b]<%d.%d>" % (section, first, count)),
            )

    def test_large(self) -> None:
        """
        A message larger than what is kept in memory comes whole, and while the client does not
        read, nothing more of it is read either (DS6).
        """
        content = b"a: b\r\n\r\n" + b"0123456789abcde\r\n" * 20000
        self.deliver(content)
        connection = self.imap()

        connection.server.flow.pauseProducing()
        first = connection.do(b"FETCH 1 BODY.PEEK[]")
        connection.server.flow.resumeProducing()
        rest = connection.heard()[len(first) :]

        self.assertLess(len(first), 2 * 65536)
        self.assertIn(literal(content) + b")\r\na OK FETCH completed\r\n", first + rest)

    def test_seen(self) -> None:
        """
        Reading marks a message as seen and says so; peeking, headers, and reading in a mailbox
        that is read-only do not.
        """
        self.deliver(SIMPLE)
        for command in (b"BODY.PEEK[]", b"RFC822.HEADER", b"ENVELOPE", b"RFC822.SIZE"):
            self.assertNotIn(b"\\Seen", self.imap().do(b"FETCH 1 " + command))
        examiner = self.imap(select=None)
        examiner.do(b"EXAMINE INBOX")
        self.assertNotIn(b"\\Seen", examiner.do(b"FETCH 1 BODY[]"))

        answer = self.imap().do(b"UID FETCH 1 BODY[TEXT]")

        self.assertRegex(answer, rb"^\* 1 FETCH \(UID 1 BODY\[TEXT\] \{\d+\}\r\n")
        self.assertTrue(answer.endswith(b" FLAGS (\\Seen))\r\na OK FETCH completed\r\n"), answer)
        self.assertIn(b"(FLAGS (\\Seen))", self.imap().do(b"FETCH 1 FLAGS"))

    def test_oneGone(self) -> None:
        """
        A message that another program removed is left out, the others come, and the answer says
        that something is missing.
        """
        for _ in range(3):
            self.deliver(SIMPLE)
        connection = self.imap()
        [path] = (self.inbox / "cur").glob("*Q000002*")
        path.unlink()

        answer = connection.do(b"FETCH 1:3 (UID RFC822.HEADER)")

        self.assertEqual([b"1", b"3"], re.findall(rb"FETCH \(UID (\d)", answer))
        self.assertIn(b"a NO [EXPUNGEISSUED]", answer)

    def test_slowReader(self) -> None:
        """
        Who reads slowly, but reads, gets a long answer whole: the text, a part, and a header that
        has no end (DS6).
        """
        part = b"x" * 500_000
        self.deliver(b"Content-Type: text/plain\r\nSubject: " + part + b"\r\n\r\n" + part)
        for section, octets in (
            (b"BODY[TEXT]", part),
            (b"BODY[1]", part),
            (b"BODY[HEADER.FIELDS (SUBJECT)]", b"Subject: " + part + b"\r\n\r\n"),
            (b"ENVELOPE", part),
        ):
            connection = self.imap()
            connection.transport.drain()
            connection.transport.slow = True

            connection.server.dataReceived(b"a UID FETCH 1 " + section + b"\r\n")
            pieces = list(connection.readSlowly(29))

            self.assertGreater(connection.clock.seconds(), 100)
            self.assertLess(max(map(len, pieces)), 2 * 65536)
            self.assertIn(literal(octets), b"".join(pieces))
            self.assertTrue(b"".join(pieces).endswith(b"a OK FETCH completed\r\n"))

    def test_oneAtATime(self) -> None:
        """
        However much a command asks for, one file is open and little is in memory (DS3, DS13).
        """
        self.deliver(b"a: b\r\n\r\n" + b"x" * 1_000_000)
        connection = self.imap()
        connection.transport.drain()
        connection.transport.slow = True
        sections = (b"", b"1", b"TEXT", b"HEADER.FIELDS.NOT (x)")
        asked = [
            b"BODY.PEEK[%b]<%d.900000>" % (section, first)
            for section in sections
            for first in range(25)
        ]
        before = openFiles()

        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        connection.server.dataReceived(b"a FETCH 1 (" + b" ".join(asked) + b")\r\n")
        size, files = 0, 0
        for piece in connection.readSlowly(1):
            size += len(piece)
            files = max(files, openFiles() - before)

        self.assertGreater(size, 75 * 900_000)
        self.assertEqual(1, files)
        self.assertLess(tracemalloc.get_traced_memory()[1], 10_000_000)
        self.assertEqual(before, openFiles())

    def test_nothingKept(self) -> None:
        """
        What was read of one message is forgotten when the next is (DS12).
        """
        for number in range(20):
            self.deliver(b"a: b\r\n\r\n%d" % number + b"x" * 1_000_000)
        connection = self.imap()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)

        answers = connection.do(b"FETCH 1:* BODYSTRUCTURE"), connection.do(b"SEARCH BODY 7xx")

        self.assertEqual(20, answers[0].count(b"BODYSTRUCTURE"))
        self.assertIn(b"* SEARCH 8 18\r\n", answers[1])
        self.assertLess(tracemalloc.get_traced_memory()[1], 12_000_000)

    def test_repeated(self) -> None:
        """
        What is asked for twice is answered once, and nobody needs more than a hundred different
        things (DS12).
        """
        self.deliver(SIMPLE)
        connection = self.imap()

        answer = connection.do(b"FETCH 1 (" + b" ".join([b"UID BODY.PEEK[]"] * 1000) + b")")

        self.assertIn(b"* 1 FETCH (UID 1 BODY[] " + literal(SIMPLE) + b")\r\n", answer)
        many = b" ".join(b"BODY.PEEK[%d]" % number for number in range(1, 102))
        self.assertEqual(
            b"a BAD Too many FETCH attributes\r\n", connection.do(b"FETCH 1 (" + many + b")")
        )

    def test_leftWithinMessage(self) -> None:
        """
        Who leaves in the middle of a message leaves no file open (DS13).
        """
        self.deliver(b"a: b\r\n\r\n" + b"x" * 1_000_000)
        connection = self.imap()
        connection.transport.slow = True
        before = openFiles()

        connection.do(b"FETCH 1 BODY.PEEK[]")
        during = openFiles()
        connection.server.connectionLost(Failure(ConnectionDone()))

        self.assertEqual(1, during - before)
        self.assertEqual(before, openFiles())

    def test_endedWithinMessage(self) -> None:
        """
        A connection that is ended in the middle of a message says nothing more: its goodbye would
        be taken for a part of the message.
        """
        content = b"a: b\r\n\r\n" + b"x" * 1_000_000
        self.deliver(content)
        connection = self.imap()
        connection.transport.slow = True

        begun = connection.do(b"FETCH 1 BODY.PEEK[]")
        connection.server.end("This password was revoked")
        connection.transport.drain()

        self.assertEqual(b"", connection.heard()[len(begun) :])
        self.assertTrue((literal(content)).startswith(begun.partition(b"BODY[] ")[2]))
        self.assertTrue(connection.transport.disconnecting)

    def test_endedBetween(self) -> None:
        """
        After a message it does say goodbye.
        """
        self.deliver(SIMPLE)
        connection = self.imap()
        connection.do(b"FETCH 1 BODY.PEEK[]")
        connection.heard()

        connection.server.end("This password was revoked")

        self.assertEqual(b"* BYE This password was revoked\r\n", connection.heard())

    def test_cutShort(self) -> None:
        """
        A file that ends before its time is not sent, and the others are. If some of it has been
        sent there is no way to say so: the connection is cut, for what would follow would be
        taken for the message.
        """
        for _ in range(2):
            self.deliver(b"a: b\r\n\r\n" + b"x" * 100_000)
        connection = self.imap()
        path, _ = sorted((self.inbox / "cur").iterdir())

        path.write_bytes(b"a: b\r\n\r\n")
        short = connection.do(b"FETCH 1:2 BODY.PEEK[]")
        path.write_bytes(b"a: b\r\n\r\n" + b"x" * 90_000)
        cut = connection.do(b"FETCH 1:2 BODY.PEEK[]")

        self.assertTrue(short.startswith(b"* 2 FETCH (BODY[] {100008}"))
        self.assertIn(b"a NO [EXPUNGEISSUED]", short)
        self.assertTrue(connection.transport.disconnecting)
        self.assertNotIn(b"* 2 FETCH", cut)
        self.assertNotIn(b"a OK", cut)

    def test_longHeader(self) -> None:
        """
        A header is found to its end wherever that lies, and no more of the message is it.
        """
        for header in (
            b"\r\n",
            b"\n",
            b"X: y\r\n\r\n",
            *(b"X: " + b"y" * (65536 - length) + b"\r\n\r\n" for length in range(4, 9)),
        ):
            self.deliver(header + b"body\r\n\r\nmore")

            answer = self.imap().do(b"FETCH * BODY.PEEK[HEADER]")

            self.assertIn(b"BODY[HEADER] " + literal(header) + b")\r\n", answer)

    def test_hugeSet(self) -> None:
        """
        A set is intersected with what there is, not counted through (DS12).
        """
        self.deliver(SIMPLE)
        connection = self.imap()

        self.assertIn(b"* 1 FETCH (UID 1)", connection.do(b"UID FETCH 1:4294967295 UID"))
        self.assertIn(b"* 1 FETCH (UID 1)", connection.do(b"UID FETCH 9:* UID"))
        many = b",".join(b"%d" % number for number in range(1, 12000, 2))
        self.assertIn(b"* 1 FETCH (UID 1)", connection.do(b"UID FETCH " + many + b" UID"))

    def test_malformed(self) -> None:
        """
        What is no FETCH is BAD, and nothing but that (W11, W13).
        """
        connection = self.imap()
        for arguments in (
            b"",
            b"1",
            b"1 ",
            b"0 FLAGS",
            b"1:0 FLAGS",
            b"4294967296 FLAGS",
            b"1:2:3 FLAGS",
            b"-1 FLAGS",
            b"1 FLAGS FLAGS",
            b"1 (FLAGS",
            b"1 NOTHING",
            b"1 BODY[",
            b"1 BODY[0]",
            b"1 BODY[MIME]",
            b"1 BODY[HEADER.FIELDS ()]",
            b"1 BODY[1.]",
            b"1 BODY[]<0>",
            b"1 BODY[]<-1.5>",
            b"1 RFC822.NOTHING",
        ):
            answer = connection.do(b"FETCH " + arguments)
            self.assertTrue(answer.startswith(b"a BAD "), (arguments, answer))
            self.assertEqual(1, answer.count(b"\r\n"))

    @given(st.binary(max_size=60))
    def test_anyArguments(self, octets: bytes) -> None:
        """
        Whatever follows a command, it is answered once, and nothing is logged as a failure (W13).
        """
        octets = octets.replace(b"\r", b"").replace(b"\n", b"")
        connection = Connection(
            MailboxIMAP4Server(), makeMailboxes(makeDirectory(self)).account(ALICE)
        )
        connection.do(b"SELECT INBOX")
        for command in (b"FETCH 1 ", b"SEARCH ", b"STORE ", b"UID ", b"STATUS ", b"LIST "):
            if not octets.endswith(b"}"):
                answer = connection.do(command + octets)
                self.assertEqual(1, len(re.findall(rb"(?m)^(?:a|\*) (?:OK|NO|BAD) ", answer)))


class SearchTests(ParlourTestCase):
    """
    SEARCH.
    """

    def setUp(self) -> None:
        super().setUp()
        self.deliver(SIMPLE)
        self.deliver(MULTIPART)
        self.deliver(b"From: carol@example.test\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\n\r\nx\r\n")
        self.connection = self.imap()
        self.connection.do(rb"STORE 2 +FLAGS (\Seen \Flagged)")

    def test_keys(self) -> None:
        """
        RFC 3501 section 6.4.4.
        """
        for query, numbers in (
            (b"ALL", b"1 2 3"),
            (b"UNSEEN", b"1 3"),
            (b"SEEN FLAGGED", b"2"),
            (b"NOT SEEN", b"1 3"),
            (b"OR SEEN 3", b"2 3"),
            (b"(1 UNSEEN)", b"1"),
            (b"UID 2:*", b"2 3"),
            (b"2:9", b"2 3"),
            (b"NEW", b"1 3"),
            (b"RECENT", b"1 2 3"),
            (b"OLD", b""),
            (b"FROM bob", b"2"),
            (b"FROM J\xc3\xbcrgen", b"1"),
            (b'FROM "BOB@EXAMPLE"', b"2"),
            (b"TO alice", b"1"),
            (b"CC alice", b""),
            (b"SUBJECT Caf\xc3\xa9", b"1"),
            (b"CHARSET UTF-8 SUBJECT gr\xc3\xbcsse", b"3"),
            (b"HEADER X-Twice 2", b"1"),
            (b'HEADER X-Twice ""', b"1"),
            (b"BODY gr\xc3\xbcn", b"2"),
            (b"BODY subject", b""),
            (b"TEXT inner", b"2"),
            (b"SINCE 1-Jan-2020", b"1 2 3"),
            (b"BEFORE 1-Jan-2020", b""),
            (b'ON "01-Jan-2020"', b""),
            (b"SENTON 24-Nov-2026", b"1"),
            (b"SENTSINCE 25-Nov-2026", b""),
            (b"LARGER 300", b"2"),
            (b"SMALLER 100", b"3"),
            (b"KEYWORD $Forwarded", b""),
            (b"UNKEYWORD $Forwarded", b"1 2 3"),
        ):
            answer = self.connection.do(b"SEARCH " + query)
            self.assertEqual(
                b"* SEARCH %b\r\na OK SEARCH completed\r\n" % numbers,
                answer.replace(b"SEARCH\r\n", b"SEARCH \r\n", 1),
                query,
            )

    def test_uids(self) -> None:
        """
        UID SEARCH answers with UIDs.
        """
        self.connection.do(rb"STORE 1 +FLAGS (\Deleted)")
        self.connection.do(b"EXPUNGE")

        self.assertIn(b"* SEARCH 2 3\r\n", self.connection.do(b"UID SEARCH 1:2"))

    def test_encodedBodies(self) -> None:
        """
        Bodies are searched as they read, and those that cannot be decoded as they are.
        """
        head = b"Content-Type: text/plain; charset=%b\r\nContent-Transfer-Encoding: %b\r\n\r\n"
        for charset, encoding, body in (
            (b"utf-8", b"base64", b"Z3LDvG4gdHJlZQ=="),
            (b"latin-1", b"8bit", b"gr\xfcn tree"),
            (b"nothing", b"base64", b"a tree"),
            (b"punycode", b"8bit", b"tree"),
            (b"zlib", b"nothing", b"tree"),
        ):
            self.deliver(head % (charset, encoding) + body)
        self.connection.do(b"NOOP")

        self.assertIn(b"* SEARCH 4 5\r\n", self.connection.do(b"SEARCH 4:* BODY gr\xc3\xbcn"))
        self.assertIn(b"* SEARCH 4 5 6 7 8\r\n", self.connection.do(b"SEARCH 4:* BODY tree"))

    def test_gone(self) -> None:
        """
        What another program removed matches nothing.
        """
        [path] = (self.inbox / "cur").glob("*Q000002*")
        path.unlink()

        self.assertIn(b"* SEARCH 1 3\r\n", self.connection.do(b"SEARCH TEXT e"))

    def test_literal(self) -> None:
        """
        Search strings may be literals.
        """
        self.assertEqual(b"+ ", self.connection.do(b"SEARCH SUBJECT {5}")[:2])

        self.assertIn(b"* SEARCH 2\r\n", self.connection.say(b"parts SEEN\r\n"))

    def test_tooManyLiterals(self) -> None:
        """
        A literal that follows unasked, but is one too many, ends the connection: it would be read
        as commands.
        """
        literals = b" SUBJECT {1+}\r\nx" * 20

        answer = self.connection.say(
            b"a SEARCH" + literals + b" SUBJECT {18+}\r\nb CREATE injected\r\n\r\n"
        )

        self.assertEqual(b"* BYE Too many literals\r\n", answer)
        self.assertNotIn(b"injected", self.imap(select=None).do(b'LIST "" *'))

    def test_tooComplex(self) -> None:
        """
        A search has limits (DS12).
        """
        for query in (
            b"(" * 60 + b"ALL" + b")" * 60,
            b"NOT " * 60 + b"ALL",
            b"ALL " * 300 + b"ALL",
        ):
            self.assertEqual(
                b"a BAD Search too complex\r\n", self.connection.do(b"SEARCH " + query)
            )


class ChangeTests(ParlourTestCase):
    """
    STORE, COPY, EXPUNGE, and what others hear of it.
    """

    def setUp(self) -> None:
        super().setUp()
        for _ in range(4):
            self.deliver(SIMPLE)
        self.imap()

    def test_store(self) -> None:
        """
        Flags are set, added and removed; what cannot be kept is ignored.
        """
        connection = self.imap()

        for command, answer in (
            (rb"STORE 1 FLAGS (\Seen \flagged Unknown)", rb"* 1 FETCH (FLAGS (\Flagged \Seen))"),
            (rb"STORE 1 -FLAGS \Seen", rb"* 1 FETCH (FLAGS (\Flagged))"),
            (rb"UID STORE 1 +FLAGS (\Answered)", rb"* 1 FETCH (UID 1 FLAGS (\Answered \Flagged))"),
            (b"STORE 1 FLAGS ()", b"* 1 FETCH (FLAGS ())"),
        ):
            self.assertEqual(answer + b"\r\na OK STORE completed\r\n", connection.do(command))
        self.assertEqual(
            b"a OK STORE completed\r\n", connection.do(rb"STORE 1:4 +FLAGS.SILENT \Seen")
        )

    def test_others(self) -> None:
        """
        Other connections are told of flags, of what is gone and what is new, and until then keep
        their numbers; not in the answer to FETCH, STORE or SEARCH (RFC 3501 section 7.4.1).
        """
        one, other = self.imap(), self.imap()
        one.do(rb"STORE 2:3 +FLAGS (\Deleted)")
        self.assertIn(rb"* 2 FETCH (FLAGS (\Deleted))", other.do(b"NOOP"))

        self.assertEqual(
            b"* 3 EXPUNGE\r\n* 2 EXPUNGE\r\na OK EXPUNGE completed\r\n", one.do(b"EXPUNGE")
        )
        self.assertEqual(b"* 4 FETCH (UID 4)\r\na OK FETCH completed\r\n", other.do(b"FETCH 4 UID"))
        self.assertEqual(b"* 3 EXPUNGE\r\n* 2 EXPUNGE\r\na OK Up to date\r\n", other.do(b"NOOP"))
        self.assertEqual(b"* 2 FETCH (UID 4)\r\na OK FETCH completed\r\n", other.do(b"FETCH 2 UID"))

    def test_uidExpunge(self) -> None:
        """
        UID EXPUNGE spares what others have marked (RFC 4315).
        """
        connection = self.imap()
        connection.do(rb"STORE 1:2 +FLAGS.SILENT (\Deleted)")

        self.assertEqual(
            b"* 2 EXPUNGE\r\na OK EXPUNGE completed\r\n", connection.do(b"UID EXPUNGE 2:9")
        )

    def test_copy(self) -> None:
        """
        A copy tells its UIDs, and keeps flags and octets.
        """
        connection = self.imap()
        connection.do(b"CREATE x")
        connection.do(rb"STORE 2 FLAGS (\Seen)")

        self.assertEqual(
            b"a OK [COPYUID 1800000001 2,4 1,2] COPY completed\r\n", connection.do(b"COPY 2,4 x")
        )
        connection.do(b"SELECT x")
        answer = connection.do(b"FETCH 1:* (FLAGS BODY.PEEK[])")
        self.assertEqual(2, answer.count(literal(SIMPLE)))
        self.assertIn(rb"* 1 FETCH (FLAGS (\Seen)", answer)

    def test_delivery(self) -> None:
        """
        Who is idle hears of new mail at once; who is not, with the next answer.
        """
        idle, busy = self.imap(), self.imap()
        self.assertEqual(b"+ idling\r\n", idle.do(b"IDLE"))
        idle.heard()
        busy.heard()

        self.deliver(SIMPLE)

        self.assertEqual(b"* 5 EXISTS\r\n* 1 RECENT\r\n", idle.heard())
        self.assertEqual(b"", busy.heard())
        self.assertIn(b"* 5 EXISTS", busy.do(b"NOOP"))
        self.assertEqual(b"a OK IDLE completed\r\n", idle.say(b"done\r\n"))

    def test_idleTellsAgain(self) -> None:
        """
        New mail that was told with the answer to a FETCH is told again, once, to who becomes idle:
        in the answer Thunderbird takes no notice of it.
        """
        connection = self.imap()
        self.deliver(SIMPLE)
        news = b"* 5 EXISTS\r\n* 1 RECENT\r\n"
        self.assertTrue(connection.do(b"FETCH 1 UID").endswith(news + b"a OK FETCH completed\r\n"))

        self.assertEqual(b"+ idling\r\n" + news, connection.do(b"IDLE"))

        connection.say(b"DONE\r\n")
        self.assertEqual(b"+ idling\r\n", connection.do(b"IDLE"))

    def test_idleElsewhere(self) -> None:
        """
        It is not told again of another mailbox.
        """
        connection = self.imap()
        self.deliver(SIMPLE)
        connection.do(b"FETCH 1 UID")
        connection.do(b"SELECT INBOX")

        self.assertEqual(b"+ idling\r\n", connection.do(b"IDLE"))

    def test_idleEnd(self) -> None:
        """
        IDLE ends with DONE, and anything else is BAD (RFC 2177).
        """
        connection = self.imap()
        connection.do(b"IDLE")

        self.assertEqual(b"a BAD DONE was expected\r\n", connection.say(b"b NOOP\r\n"))
        self.assertEqual(b"b OK Up to date\r\n", connection.say(b"b NOOP\r\n"))

    def test_unknownUID(self) -> None:
        """
        UID goes before some commands only.
        """
        self.assertEqual(b"a BAD Unknown UID command\r\n", self.imap().do(b"UID NOOP"))

    def test_copyNothing(self) -> None:
        """
        To copy nothing succeeds, and has no UIDs to tell.
        """
        self.assertEqual(b"a OK Nothing to copy\r\n", self.imap().do(b"UID COPY 99 INBOX"))

    def test_foreignDelivery(self) -> None:
        """
        What another program delivered is found by NOOP.
        """
        connection = self.imap()
        (self.inbox / "new" / "1.other").write_bytes(SIMPLE)

        self.assertEqual(b"* 5 EXISTS\r\n* 1 RECENT\r\na OK Up to date\r\n", connection.do(b"NOOP"))

    def test_deletedMailbox(self) -> None:
        """
        Who has a mailbox open that was deleted is told so.
        """
        one, other = self.imap(), self.imap()
        one.do(b"CREATE x")
        other.do(b"SELECT x")

        one.do(b"DELETE x")

        self.assertEqual(b"a NO [NONEXISTENT] No such mailbox\r\n", other.do(b"NOOP"))
        one.do(b"CREATE x")
        self.assertIn(b"UIDVALIDITY 1800000002", one.do(b"SELECT x"))


class ReadOnlyTests(ParlourTestCase):
    """
    An account whose credential may only read.
    """

    def test_refused(self) -> None:
        """
        Every change is refused, and nothing is changed by reading (PW12).
        """
        self.deliver(SIMPLE)
        connection = self.imap(readOnly=True, select=None)

        answer = connection.do(b"SELECT INBOX")
        self.assertIn(b"* OK [PERMANENTFLAGS ()]", answer)
        self.assertIn(b"a OK [READ-ONLY]", answer)
        self.assertIn(literal(SIMPLE), connection.do(b"FETCH 1 BODY[]"))
        for command in (
            rb"STORE 1 +FLAGS (\Seen)",
            b"EXPUNGE",
            b"COPY 1 INBOX",
            b"CREATE x",
            b"DELETE x",
            b"RENAME x y",
            b"SUBSCRIBE x",
            b"UNSUBSCRIBE INBOX",
        ):
            self.assertEqual(
                b"a NO [NOPERM] Nothing may be changed here\r\n", connection.do(command)
            )
        connection.do(b"APPEND INBOX {4}")
        self.assertTrue(connection.say(b"a: b\r\n").startswith(b"a NO [NOPERM]"))
        self.assertEqual(b"a OK Mailbox closed\r\n", connection.do(b"CLOSE"))
        self.assertIn(b"(MESSAGES 1 UNSEEN 1 RECENT 1)", self._status())

    def _status(self) -> bytes:
        return self.imap(select=None).do(b"STATUS INBOX (MESSAGES UNSEEN RECENT)")


class SlowDiskTests(ParlourTestCase):
    """
    Commands whose answers take time.
    """

    def setUp(self) -> None:
        super().setUp()
        self.waiting: list[Deferred[None]] = []

        def slowly(call: object, *arguments: object) -> Deferred[object]:
            waiting: Deferred[None] = Deferred()
            self.waiting.append(waiting)
            assert callable(call)
            return waiting.addCallback(lambda _: call(*arguments))

        self.mailboxes = makeMailboxes(self.root, slowly)

    def proceed(self) -> None:
        """
        Let the disk do all it has to.
        """
        while self.waiting:
            self.waiting.pop(0).callback(None)

    def test_inOrder(self) -> None:
        """
        Pipelined commands are done one after the other, and nothing is read meanwhile.
        """
        connection = self.imap(select=None)

        first = connection.say(b"a SELECT INBOX\r\nb NOOP\r\nc FETCH 1:* FLAGS\r\n")
        paused = connection.transport.producerState
        self.proceed()

        self.assertEqual(b"", first)
        self.assertEqual("paused", paused)
        self.assertEqual("producing", connection.transport.producerState)
        tags = re.findall(rb"(?m)^([abc]) OK", connection.heard())
        self.assertEqual([b"a", b"b", b"c"], tags)

    def test_lost(self) -> None:
        """
        Who leaves during a command hears nothing more, has nothing selected, and what was begun
        is done (S11).
        """
        connection = self.imap(select=None)
        connection.do(b"APPEND INBOX {4}")
        connection.say(b"a: b\r\n")

        connection.server.connectionLost(Failure(ConnectionDone()))
        self.proceed()

        self.assertEqual([], connection.clock.getDelayedCalls())
        other = self.imap(select=None)
        other.do(b"STATUS INBOX (MESSAGES)")
        self.proceed()
        self.assertIn(b"(MESSAGES", other.heard())

    def test_outage(self) -> None:
        """
        A disk that fails is told as unavailable, and the connection goes on.
        """
        connection = self.imap(select=None)
        connection.do(b"SELECT INBOX")
        self.proceed()
        connection.heard()
        connection.do(b"NOOP")

        self.waiting.pop().errback(OSError(5, "secret path"))

        answer = connection.heard()
        self.assertTrue(answer.startswith(b"a NO [UNAVAILABLE]"))
        self.assertNotIn(b"secret", answer)
        self.assertTrue(connection.do(b"LOGOUT").endswith(b"a OK LOGOUT completed\r\n"))

    def test_announcementFails(self) -> None:
        """
        If the news cannot be told the command is answered all the same, and so is the next; the
        log hears of it.
        """
        connection = Connection(SilentServer(), self.mailboxes.account(ALICE))
        connection.do(b"SELECT INBOX")
        self.proceed()
        connection.heard()

        with capturedLogs() as events:
            for tag in (b"b", b"c"):
                connection.say(tag + b" NOOP\r\n")
                self.proceed()
                self.assertEqual(tag + b" OK Up to date\r\n", connection.heard())

        self.assertEqual(2, sum("RuntimeError" in formatEvent(event) for event in events))


class SilentServer(MailboxIMAP4Server):
    """
    One that cannot tell the news of a mailbox.
    """

    def announce(self, mayExpunge: bool = True, idle: bool = False) -> None:
        """
        Fail.
        """
        if self.mbox is not None:
            raise RuntimeError
