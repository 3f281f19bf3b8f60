"""
L{mailauth.mail.pop3}: a POP3 server as a mail client sees it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from io import BytesIO
from time import process_time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import ISSLTransport
from twisted.mail.interfaces import IMailboxPOP3
from twisted.mail.pop3 import POP3Error
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailauth.errors import AccountDisabled, Outage
from mailauth.interfaces import IConnection
from mailauth.mail.outgoing import PIECE
from mailauth.mail.pop3 import POP3
from mailauth.sasl.oauthbearer import OAUTHBEARER

from ..vectors import transcripts
from .test_lines import segments
from .wires import (
    BAD_BEARER,
    BAD_PASSWORD,
    BEARER,
    MECHANISMS,
    PASSWORD,
    Connection,
    WireTestCase,
)


class MessageFile(BytesIO):
    """
    A file that counts how often it is read.
    """

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        """
        The next octets.
        """
        self.reads += 1
        return super().read(size)


@implementer(IMailboxPOP3)
class Maildrop:
    """
    A maildrop in memory, of which every answer can be made to wait or to fail.

    It is false: nobody may take its truth value for anything.
    """

    def __init__(self) -> None:
        self.messages = [b"Subject: one\r\n\r\n.dot\r\n", b"Subject: two\n\nbody\nmore\n"]
        self.deleted: set[int] = set()
        self.removed = 0
        self.files: list[MessageFile] = []
        self.answer: Callable[[Any], Any] = lambda value: value

    def __len__(self) -> int:
        return 0

    def listMessages(self, i: int | None = None) -> Any:
        """
        See L{IMailboxPOP3.listMessages}.
        """
        if i is None:
            return self.answer([self._size(index) for index in range(len(self.messages))])
        return self.answer(self._size(i))

    def _size(self, i: int) -> int:
        return 0 if i in self.deleted else len(self.messages[i])

    def getMessage(self, i: int) -> Any:
        """
        See L{IMailboxPOP3.getMessage}.
        """
        self.files.append(MessageFile(self.messages[i]))
        return self.answer(self.files[-1])

    def getUidl(self, i: int) -> Any:
        """
        See L{IMailboxPOP3.getUidl}.
        """
        return self.answer(b"uid-%d" % i)

    def deleteMessage(self, i: int) -> Any:
        """
        See L{IMailboxPOP3.deleteMessage}.
        """
        self.deleted.add(i)
        return self.answer(None)

    def undeleteMessages(self) -> Any:
        """
        See L{IMailboxPOP3.undeleteMessages}.
        """
        self.deleted.clear()
        return self.answer(None)

    def sync(self) -> Any:
        """
        See L{IMailboxPOP3.sync}.
        """
        self.removed = len(self.deleted)
        return self.answer(None)


class POP3TestCase(WireTestCase):
    """
    Tests of L{POP3}.
    """

    def begin(self) -> None:
        """
        A maildrop, too.
        """
        self.maildrop = Maildrop()
        self.avatar = self.maildrop
        super().begin()

    def server(self, private: bool = True, **attributes: Any) -> Connection:
        """
        A connection after the greeting.
        """
        protocol = POP3(MECHANISMS, contextFactory=object())
        for name, value in attributes.items():
            setattr(protocol, name, value)
        return self.connect(protocol, private)

    def loggedIn(self, **attributes: Any) -> Connection:
        """
        A connection after a login.
        """
        connection = self.server(**attributes)
        self.assertEqual([b"+OK Logged in"], connection.say(b"AUTH OAUTHBEARER " + BEARER))
        return connection

    def assertReply(self, start: bytes, replies: list[bytes]) -> None:
        """
        There is one reply, and it begins so.
        """
        self.assertEqual([start], [reply[: len(start)] for reply in replies], replies)


class CapabilityTests(POP3TestCase):
    """
    The greeting, and CAPA.
    """

    def capabilities(self, connection: Connection) -> list[bytes]:
        """
        What CAPA lists.
        """
        status, *lines, end = connection.say(b"CAPA")
        self.assertEqual((b"+OK", b"."), (status[:3], end))
        return lines

    def test_interfaces(self) -> None:
        """
        The connection provides what the realm is given as cred's mind, and the maildrop of these
        tests is one.
        """
        verifyObject(IConnection, self.server().protocol)
        verifyObject(IMailboxPOP3, self.maildrop)

    def test_greeting(self) -> None:
        """
        The greeting has no time stamp, which would offer APOP (SA7).
        """
        self.assertEqual([b"+OK mailauth ready"], self.server().replies)

    def test_private(self) -> None:
        """
        Under TLS every mechanism and USER are offered, and TLS is not.
        """
        expected = {
            b"TOP",
            b"UIDL",
            b"PIPELINING",
            b"RESP-CODES",
            b"AUTH-RESP-CODE",
            b"EXPIRE NEVER",
            b"IMPLEMENTATION mailauth",
            b"SASL OAUTHBEARER XOAUTH2 PLAIN LOGIN",
            b"USER",
        }
        self.assertEqual(expected, set(self.capabilities(self.server())))

    def test_clear(self) -> None:
        """
        In clear TLS is offered, and neither a mechanism nor USER is (W3).
        """
        words = [line.split()[0] for line in self.capabilities(self.server(private=False))]

        self.assertIn(b"STLS", words)
        self.assertNotIn(b"SASL", words)
        self.assertNotIn(b"USER", words)

    def test_loggedIn(self) -> None:
        """
        After the login there is none of these.
        """
        words = [line.split()[0] for line in self.capabilities(self.loggedIn())]

        self.assertEqual(set(), {b"SASL", b"USER", b"STLS"}.intersection(words))
        self.assertIn(b"UIDL", words)

    def test_bearerOnly(self) -> None:
        """
        Without PLAIN and LOGIN there is no USER.
        """
        connection = self.connect(POP3([OAUTHBEARER]))

        self.assertNotIn(b"USER", self.capabilities(connection))
        self.assertReply(b"-ERR", connection.say(b"USER alice"))
        self.assertReply(b"-ERR", connection.say(b"PASS correct horse"))
        self.assertEqual([], self.verdicts.contexts)

    def test_bareAUTH(self) -> None:
        """
        AUTH alone lists the mechanisms, as clients older than CAPA expect.
        """
        self.assertEqual(
            [b"+OK Mechanisms:", b"OAUTHBEARER", b"XOAUTH2", b"PLAIN", b"LOGIN", b"."],
            self.server().say(b"AUTH"),
        )


class LoginTests(POP3TestCase):
    """
    AUTH, USER and PASS.
    """

    def test_vectors(self) -> None:
        """
        The examples of the RFCs run on the wire as printed.
        """
        examples = transcripts(wire="pop3")
        self.assertTrue(examples)
        for example in examples:
            if example.outcome == "accepted":
                assert example.secret is not None
                self.verdicts.passwords[example.authcid or b""] = example.secret
            replies = self.server().say(*example.clientLines)
            self.assertEqual(len(example.serverLines), len(replies), example.source)
            for start, reply in zip(example.serverLines, replies, strict=True):
                self.assertTrue(reply.startswith(start), (example.source, start, reply))

    def test_initialResponse(self) -> None:
        """
        An initial response is taken, and so is none, with its space after the plus (S9).
        """
        self.assertReply(b"+OK", self.server().say(b"AUTH PLAIN " + PASSWORD))
        self.assertEqual([b"+ ", b"+OK Logged in"], self.server().say(b"auth xoauth2", BEARER))

    def test_emptyAndCancelled(self) -> None:
        """
        C{=} is empty, C{*} cancels, and the next attempt works (SA4, SA5).
        """
        connection = self.server()

        self.assertReply(b"-ERR Malformed", connection.say(b"AUTH PLAIN ="))
        self.assertReply(b"-ERR Authentication cancelled.", connection.say(b"AUTH PLAIN *"))
        connection.say(b"AUTH PLAIN")
        self.assertReply(b"-ERR Authentication cancelled.", connection.say(b"*"))
        self.assertReply(b"-ERR Malformed", connection.say(b"AUTH PLAIN QR=="))
        self.assertReply(b"+OK", connection.say(b"AUTH PLAIN " + PASSWORD))

    def test_refusals(self) -> None:
        """
        A credential that is refused, a disabled account and an outage have each their response
        code (RFC 3206).
        """
        connection = self.server()
        self.assertReply(b"-ERR [AUTH] ", connection.say(b"AUTH PLAIN " + BAD_PASSWORD))
        for error, reply in (
            (AccountDisabled(), b"-ERR [SYS/PERM] "),
            (Outage(), b"-ERR [SYS/TEMP] "),
        ):
            self.verdicts.error = error
            self.assertReply(reply, connection.say(b"AUTH PLAIN " + PASSWORD))

    def test_document(self) -> None:
        """
        OAUTHBEARER gets the error document and then one refusal, whatever the client says to it;
        XOAUTH2 is refused at once.
        """
        for answer in (b"AQ==", b"", b"*", b"\x01QUIT", BAD_BEARER):
            connection = self.server()
            (document,) = connection.say(b"AUTH OAUTHBEARER " + BAD_BEARER)
            self.assertIn(b'"invalid_token"', b64decode(document.removeprefix(b"+ ")))
            self.assertReply(b"-ERR [AUTH] ", connection.say(answer))
            self.assertReply(b"-ERR [AUTH] ", connection.say(b"AUTH XOAUTH2 " + BAD_BEARER))

    def test_notPrivate(self) -> None:
        """
        In clear nothing is looked at, and one line says in the log that a secret was sent (W3).
        """
        connection = self.server(private=False)

        self.assertReply(b"-ERR Start TLS", connection.say(b"USER alice"))
        self.assertReply(b"-ERR Start TLS", connection.say(b"AUTH PLAIN"))
        self.assertEqual([], self.takeLogged())
        self.assertReply(b"-ERR Start TLS", connection.say(b"PASS correct horse"))
        self.assertReply(b"-ERR Start TLS", connection.say(b"AUTH PLAIN " + PASSWORD))
        self.assertEqual(2, len(self.takeLogged()))
        self.assertEqual([], self.verdicts.contexts)

    def test_userPass(self) -> None:
        """
        A password may hold spaces, and is taken as it is.
        """
        self.verdicts.passwords[b"bob"] = b" two  spaces "
        for user, password in ((b"alice", b"correct horse"), (b"bob", b" two  spaces ")):
            replies = self.server().say(b"USER " + user, b"pass " + password)
            self.assertEqual([b"+OK Send the password", b"+OK Logged in"], replies)
        self.assertEqual("pop3", self.verdicts.contexts[0].service)

    def test_noOracle(self) -> None:
        """
        USER says the same to every name, and so does PASS.
        """
        replies = [
            self.server().say(b"USER " + name, b"PASS wrong")
            for name in (b"alice", b"nobody", b"\xff", b"a b c")
        ]

        self.assertEqual([replies[0]] * 4, replies)
        self.assertReply(b"-ERR [AUTH] ", replies[0][1:])

    def test_userPassArguments(self) -> None:
        """
        USER and PASS without an argument, and PASS without USER, are refused (S9).
        """
        connection = self.server()

        for line in (b"USER", b"USER ", b"PASS", b"PASS ", b"PASS x"):
            self.assertReply(b"-ERR", connection.say(line))
        connection.say(b"USER alice", b"PASS wrong")
        self.assertReply(b"-ERR USER", connection.say(b"PASS correct horse"))

    def test_onlyOneLogin(self) -> None:
        """
        After a login there is no other by any way, though the maildrop is false (S7, S8, W14).
        """
        connection = self.loggedIn()

        for line in (b"USER alice", b"PASS x", b"AUTH PLAIN " + PASSWORD, b"AUTH", b"STLS"):
            self.assertReply(b"-ERR Not possible now", connection.say(line))
        self.assertReply(b"+OK 2 ", connection.say(b"STAT"))
        self.assertEqual(1, self.realm.logins)

    def test_pendingLogin(self) -> None:
        """
        While a login is pending nothing is read, and what was read waits in its order (S6, W14).
        """
        self.verdicts.waits = True
        connection = self.server()

        connection.protocol.dataReceived(
            b"USER alice\r\nPASS correct horse\r\nUSER alice\r\nPASS correct horse\r\nNOOP\r\n"
        )

        self.assertReply(b"+OK Send", connection.hear())
        self.assertEqual(1, len(self.verdicts.pending))
        self.assertEqual("paused", connection.transport.producerState)
        self.verdicts.answer()
        self.assertEqual(
            [b"+OK Logged", b"-ERR Not p", b"-ERR Not p", b"+OK OK"],
            [reply[:10] for reply in connection.hear()],
        )

    def test_lostDuringLogin(self) -> None:
        """
        A client that leaves during its login is not in (S4, W15).
        """
        self.verdicts.waits = True
        connection = self.server()
        connection.say(b"AUTH PLAIN " + PASSWORD)

        connection.lose()
        self.verdicts.answer()

        self.assertEqual(self.realm.logins, self.realm.logouts)

    def test_tooManyFailures(self) -> None:
        """
        The third failure closes the connection, and nothing behind it is answered (PW7).
        """
        connection = self.server()

        connection.protocol.dataReceived(b"USER alice\r\nPASS x\r\n" * 5 + b"NOOP\r\n")

        replies = connection.hear()
        self.assertEqual([b"+OK S", b"-ERR "] * 3, [reply[:5] for reply in replies])
        self.assertTrue(connection.transport.disconnecting)

    def test_longToken(self) -> None:
        """
        A token of 16 KiB fits into the line, with and without an initial response.
        """
        token = b"t" * 16384
        self.verdicts.tokens[token] = b"alice"
        message = b64encode(b"n,,\x01auth=Bearer " + token + b"\x01\x01")

        self.assertReply(b"+OK", self.server().say(b"AUTH OAUTHBEARER " + message))
        self.assertReply(b"+OK", self.server().say(b"AUTH OAUTHBEARER", message)[1:])

    def test_tooLong(self) -> None:
        """
        A line that is longer ends the connection with one reply, which is the refusal if the
        verdict is spoken (S2, DS1).
        """
        for lines, reply in (
            ((), b"-ERR Line too long"),
            ((b"AUTH PLAIN",), b"-ERR Authentication line too long."),
            ((b"AUTH OAUTHBEARER " + BAD_BEARER,), b"-ERR [AUTH] "),
        ):
            connection = self.server()
            connection.say(*lines)

            for _ in range(3):
                connection.protocol.dataReceived(b"A" * 30000)
            connection.say(b"", b"NOOP")

            self.assertTrue(connection.transport.disconnecting)
            self.assertReply(reply, connection.replies[1 + len(lines) :])

    def test_nothingWeak(self) -> None:
        """
        The parent's own ways to log in are not there (SA7).
        """
        connection = self.server()

        for line in (b"APOP alice c4c9334bac560ecc979e58001b3e22fb", b"RPOP alice", b"LAST"):
            self.assertReply(b"-ERR Unknown command", connection.say(line))
        for mechanism in (b"CRAM-MD5", b"NTLM", b"\xff"):
            self.assertReply(b"-ERR Unsupported", connection.say(b"AUTH " + mechanism))


class UpgradeTests(POP3TestCase):
    """
    STLS.
    """

    def test_upgrade(self) -> None:
        """
        After it the connection is private, and what was said before is forgotten (W2).
        """
        connection = self.server(private=False)
        connection.protocol._userIs = b"alice"

        self.assertReply(b"+OK", connection.say(b"STLS"))
        connection.protocol.handshakeCompleted()

        self.assertTrue(ISSLTransport.providedBy(connection.transport))
        self.assertReply(b"-ERR USER", connection.say(b"PASS correct horse"))
        self.assertReply(b"-ERR TLS", connection.say(b"STLS"))
        self.assertReply(b"+OK", connection.say(b"AUTH PLAIN " + PASSWORD))

    def test_injection(self) -> None:
        """
        Whatever comes with STLS is answered by the end of the connection (W1, S1).
        """
        for behind in (b"CAPA\r\n", b"C", b"\r\n", b"\x16\x03\x01"):
            connection = self.server(private=False)

            connection.protocol.dataReceived(b"STLS\r\n" + behind)

            self.assertReply(b"-ERR Nothing may follow", connection.hear())
            self.assertFalse(ISSLTransport.providedBy(connection.transport))
            self.assertTrue(connection.transport.disconnecting)

    def test_withoutContext(self) -> None:
        """
        Without a context there is no STLS.
        """
        self.assertReply(b"-ERR TLS", self.server(private=False, ctx=None).say(b"STLS"))


class MaildropTests(POP3TestCase):
    """
    What can be done with a maildrop.
    """

    def test_beforeLogin(self) -> None:
        """
        Before a login nothing can.
        """
        connection = self.server()

        for line in (b"STAT", b"LIST", b"RETR 1", b"DELE 1", b"RSET", b"NOOP", b"UIDL", b"TOP 1 1"):
            self.assertReply(b"-ERR Not possible now", connection.say(line))

    def test_session(self) -> None:
        """
        The commands of RFC 1939, with messages of either line end and their dots stuffed (W8).
        """
        connection = self.loggedIn()
        for line, replies in {
            b"STAT": [b"+OK 2 46"],
            b"LIST": [b"+OK The list follows", b"1 22", b"2 24", b"."],
            b"LIST 2": [b"+OK 2 24"],
            b"UIDL": [b"+OK The list follows", b"1 uid-0", b"2 uid-1", b"."],
            b"UIDL 1": [b"+OK 1 uid-0"],
            b"RETR 1": [b"+OK 22 octets", b"Subject: one", b"", b"..dot", b"."],
            b"retr 2": [b"+OK 24 octets", b"Subject: two", b"", b"body", b"more", b"."],
            b"TOP 2 1": [b"+OK 24 octets", b"Subject: two", b"", b"body", b"."],
            b"NOOP ": [b"+OK OK"],
        }.items():
            self.assertEqual(replies, connection.say(line))
        self.assertTrue(all(file.closed for file in self.maildrop.files))

    def test_delete(self) -> None:
        """
        A message that is marked is not there any more, until RSET; its neighbours keep their
        numbers.
        """
        connection = self.loggedIn()

        self.assertReply(b"+OK", connection.say(b"DELE 1"))
        self.assertEqual([b"+OK 1 24"], connection.say(b"STAT"))
        self.assertEqual([b"2 24"], connection.say(b"LIST")[1:-1])
        self.assertEqual([b"2 uid-1"], connection.say(b"UIDL")[1:-1])
        for line in (b"DELE 1", b"RETR 1", b"TOP 1 0", b"LIST 1", b"UIDL 1"):
            self.assertReply(b"-ERR No such message", connection.say(line))
        self.assertReply(b"+OK", connection.say(b"RSET"))
        self.assertEqual([b"+OK 2 46"], connection.say(b"STAT"))

    def test_numbers(self) -> None:
        """
        Whatever is not the number of a message is no such message; numbers are digits (W11).
        """
        connection = self.loggedIn()

        for number in (b"0", b"3", b"-1", b"+1", b"1_0", b"9" * 10, b"9" * 20000, b"x", b"\xb2"):
            for command in (b"RETR %b", b"DELE %b", b"LIST %b", b"UIDL %b", b"TOP %b 1"):
                self.assertReply(b"-ERR No such message", connection.say(command % number))
        for lines in (b"-1", b"+1", b"x", b"9" * 11):
            self.assertReply(b"-ERR Malformed", connection.say(b"TOP 1 " + lines))
        self.assertEqual(set(), self.maildrop.deleted)

    def test_arguments(self) -> None:
        """
        Too few and too many arguments are refused (S9).
        """
        connection = self.loggedIn()

        for line in (b"RETR", b"DELE", b"TOP 1", b"TOP 1 2 3", b"LIST 1 2", b"STAT 1", b"QUIT now"):
            self.assertReply(b"-ERR Wrong number of arguments", connection.say(line))

    def test_unknown(self) -> None:
        """
        Unknown commands are refused, without a line in the log and without being repeated (S10,
        W12).
        """
        for connection in (self.server(), self.loggedIn()):
            for line in (b"XYZ", b"", b"\xff\xff", b"connectionLost", b"QUITQUIT", b"__init__"):
                self.assertReply(b"-ERR Unknown command", connection.say(line))

    def test_http(self) -> None:
        """
        A browser is turned away at its first line (W6).
        """
        connection = self.server()

        connection.protocol.dataReceived(b"POST / HTTP/1.1\r\nUSER alice\r\n")

        self.assertReply(b"-ERR", connection.hear())
        self.assertTrue(connection.transport.disconnecting)

    def test_order(self) -> None:
        """
        Commands are answered in their order, however long each takes (S13).
        """
        waiting: list[tuple[Deferred[Any], Any]] = []

        def wait(value: Any) -> Deferred[Any]:
            waiting.append((Deferred(), value))
            return waiting[-1][0]

        self.maildrop.answer = wait
        connection = self.loggedIn()

        connection.protocol.dataReceived(
            b"STAT\r\nUIDL\r\nRETR 1\r\nDELE 1\r\nRSET\r\nNOOP\r\nQUIT\r\nNOOP\r\n"
        )

        replies = connection.hear()
        self.assertEqual([], replies)
        while waiting:
            self.assertEqual("paused", connection.transport.producerState)
            self.assertEqual(1, len(waiting))
            deferred, value = waiting.pop()
            deferred.callback(value)
            replies += connection.hear()
        expected = [b"+OK 2", b"+OK T", b"1 uid", b"2 uid", b".", b"+OK 2", b"Subje", b"", b"..dot"]
        expected += [b".", b"+OK M", b"+OK N", b"+OK O", b"+OK G"]
        self.assertEqual(expected, [reply[:5] for reply in replies])
        self.assertTrue(connection.transport.disconnecting)

    def test_failures(self) -> None:
        """
        What a maildrop raises is temporary unless it says otherwise, and neither the client nor
        the log is told its text (W12, W13).
        """
        error = RuntimeError("a secret")
        connection = self.loggedIn()
        commands = (b"STAT", b"LIST", b"UIDL 1", b"RETR 1", b"DELE 1", b"RSET")

        self.maildrop.answer = lambda value: fail(error)
        for line in commands:
            self.assertReply(b"-ERR [SYS/TEMP] ", connection.say(line))
            (event,) = self.takeLogged()
            self.assertNotIn("a secret", str(event))
        self.maildrop.answer = lambda value: fail(POP3Error())
        for line in commands:
            self.assertReply(b"-ERR [SYS/PERM] ", connection.say(line))

    def test_failureInsideAnAnswer(self) -> None:
        """
        An answer that cannot go on ends the connection: the client must not take what it has for
        the whole.
        """

        class Broken(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell():
                    raise OSError("a secret")
                return super().read(size)

        self.maildrop.answer = lambda value: (
            Broken(value.getvalue()) if isinstance(value, BytesIO) else value
        )
        connection = self.loggedIn()

        replies = connection.say(b"RETR 1")

        self.assertNotIn(b".", replies)
        self.assertTrue(connection.transport.disconnecting)
        self.assertEqual(1, len(self.takeLogged()))

    def test_unreadAnswer(self) -> None:
        """
        A message is read as fast as the client takes it, and nothing else is read meanwhile;
        whoever takes nothing for half a minute is cut off (DS6, S13).
        """
        self.maildrop.messages[0] = b"x" * 10 * PIECE
        connection = self.loggedIn()
        connection.transport.slow = True

        connection.protocol.dataReceived(b"RETR 1\r\nNOOP\r\n")
        received: list[bytes] = []
        while connection.transport.producerState == "paused":
            self.assertLessEqual(len(connection.transport.value()), 2 * PIECE + 100)
            received.append(connection.transport.value())
            connection.transport.clear()
            connection.transport.drain()

        self.assertGreater(len(received), 4)
        self.assertEqual(
            [b"+OK %d octets" % (10 * PIECE), b"x" * 10 * PIECE, b".", b"+OK OK", b""],
            (b"".join(received) + connection.transport.value()).split(b"\r\n"),
        )
        connection.protocol.dataReceived(b"RETR 1\r\n")
        self.clock.pump([1] * 31)
        self.assertTrue(connection.transport.disconnected)

    def test_slowReader(self) -> None:
        """
        Whoever takes a long answer slowly, but takes it, is not idle.
        """
        self.maildrop.messages[0] = b"x" * 100 * PIECE
        connection = self.loggedIn()
        connection.transport.slow = True

        connection.protocol.dataReceived(b"RETR 1\r\nNOOP\r\n")
        while connection.transport.producerState == "paused":
            self.clock.pump([1] * 29)
            connection.transport.drain()

        self.assertGreater(self.clock.seconds(), 1200)
        self.assertFalse(connection.transport.disconnecting)

    def test_lostInsideAnAnswer(self) -> None:
        """
        A client that leaves during a long answer leaves no file open.
        """
        self.maildrop.messages[0] = b"x" * 10 * PIECE
        connection = self.loggedIn()
        connection.transport.slow = True

        connection.say(b"RETR 1")
        self.assertFalse(self.maildrop.files[0].closed)
        connection.lose()

        self.assertTrue(self.maildrop.files[0].closed)

    def test_lostBeforeAnAnswer(self) -> None:
        """
        A message that is found after the client has left is not read.
        """
        self.maildrop.messages[0] = b"x" * 10 * PIECE
        connection = self.loggedIn()
        waiting: Deferred[Any] = Deferred()
        self.maildrop.answer = lambda value: waiting if isinstance(value, BytesIO) else value

        connection.say(b"RETR 1")
        connection.lose()
        waiting.callback(self.maildrop.files[0])

        self.assertTrue(self.maildrop.files[0].closed)
        self.assertLessEqual(self.maildrop.files[0].reads, 1)
        self.assertEqual([], connection.hear())

    def test_longListing(self) -> None:
        """
        A listing of many messages is complete.
        """
        self.maildrop.messages = [b"x"] * 2500
        connection = self.loggedIn()

        lines = connection.say(b"UIDL")

        self.assertEqual([b"%d uid-%d" % (n + 1, n) for n in range(2500)], lines[1:-1])

    def test_endedInsideAnAnswer(self) -> None:
        """
        A connection that is ended during a long answer does not look as if it were complete: no
        dot is sent, nor anything else.
        """
        self.maildrop.messages[0] = b"x" * 10 * PIECE
        connection = self.loggedIn()
        connection.transport.slow = True

        connection.say(b"RETR 1")
        connection.protocol.end("This password was revoked")
        connection.transport.drain()

        self.assertEqual([], connection.hear())
        self.assertTrue(connection.transport.disconnecting)
        connection.lose()
        self.assertTrue(self.maildrop.files[0].closed)


class EndTests(POP3TestCase):
    """
    How a connection ends, and how long it may wait.
    """

    def test_quit(self) -> None:
        """
        QUIT removes what is marked, and only then says that it did.
        """
        waiting: Deferred[None] = Deferred()
        connection = self.loggedIn()
        connection.say(b"DELE 2")
        self.maildrop.answer = lambda value: waiting

        self.assertEqual([], connection.say(b"QUIT"))
        waiting.callback(None)

        self.assertReply(b"+OK", connection.hear())
        self.assertEqual(1, self.maildrop.removed)
        self.assertTrue(connection.transport.disconnecting)

    def test_quitFails(self) -> None:
        """
        If it cannot be removed, QUIT says so, and closes (RFC 1939 section 6).
        """
        connection = self.loggedIn()
        self.maildrop.answer = lambda value: fail(RuntimeError("a secret"))

        self.assertReply(b"-ERR [SYS/TEMP] ", connection.say(b"QUIT"))
        self.assertTrue(connection.transport.disconnecting)
        self.assertEqual(1, len(self.takeLogged()))

    def test_quitBeforeLogin(self) -> None:
        """
        QUIT closes, and nothing behind it is answered.
        """
        connection = self.server()

        connection.protocol.dataReceived(b"QUIT\r\nCAPA\r\n")

        self.assertReply(b"+OK", connection.hear())
        self.assertTrue(connection.transport.disconnecting)

    def test_lost(self) -> None:
        """
        Without QUIT nothing is removed, and whoever was in is out.
        """
        connection = self.loggedIn()

        connection.say(b"DELE 1")
        connection.lose()

        self.assertEqual(0, self.maildrop.removed)
        self.assertEqual(1, self.realm.logouts)

    def test_end(self) -> None:
        """
        A login that is taken away just closes, also in the middle of an answer: nothing that is
        sent then would be an answer of POP3.
        """
        connection = self.loggedIn()
        waiting: Deferred[Any] = Deferred()
        self.maildrop.answer = lambda value: waiting
        connection.say(b"STAT")

        connection.protocol.end("Access revoked")
        waiting.callback([1, 2])

        self.assertEqual([], connection.hear())
        self.assertTrue(connection.transport.disconnecting)

    def test_silence(self) -> None:
        """
        Before the login a client may be silent for ten minutes, also inside an exchange.
        """
        for lines in ((), (b"AUTH XOAUTH2",)):
            connection = self.server()
            connection.say(*lines)

            self.clock.pump([1] * 600)
            self.assertFalse(connection.transport.disconnecting)
            self.clock.pump([1] * 2)

            self.assertTrue(connection.transport.disconnecting)
            connection.lose()

    def test_unfinishedLine(self) -> None:
        """
        A line that has begun has to end within a minute, however its octets drip (DS7).
        """
        connection = self.server()

        for _ in range(13):
            connection.protocol.dataReceived(b"A")
            self.clock.pump([1] * 5)

        self.assertTrue(connection.transport.disconnecting)

    def test_idle(self) -> None:
        """
        After the login silence is allowed for ten minutes, and for no longer.
        """
        connection = self.loggedIn()

        self.clock.pump([1] * 599)
        connection.say(b"NOOP")
        self.clock.pump([1] * 599)
        self.assertFalse(connection.transport.disconnecting)
        self.clock.pump([1] * 17)

        self.assertTrue(connection.transport.disconnecting)


WORDS = [
    b"CAPA",
    b"AUTH",
    b"AUTH PLAIN " + PASSWORD,
    b"AUTH PLAIN",
    b"AUTH OAUTHBEARER " + BAD_BEARER,
    b"AUTH XOAUTH2 " + BEARER,
    BEARER,
    PASSWORD,
    b"*",
    b"=",
    b"USER alice",
    b"PASS correct horse",
    b"PASS x",
    b"APOP a b",
    b"STLS",
    b"STAT",
    b"LIST",
    b"UIDL 1",
    b"RETR 1",
    b"TOP 2 1",
    b"DELE 2",
    b"DELE 0",
    b"RSET",
    b"\xff\xfe",
    b"A" * 300,
    b"\r",
    b"\n",
    b"",
]
streams = st.lists(
    st.one_of(st.sampled_from(WORDS).map(lambda word: word + b"\r\n"), st.binary(max_size=20)),
    max_size=30,
).map(b"".join)


class StreamTests(POP3TestCase):
    """
    Any octets at all.
    """

    def test_linear(self) -> None:
        """
        The longest line of any shape takes a few milliseconds (DS5, E6).
        """
        connection = self.loggedIn()
        began = process_time()
        for start in (b"", b"RETR ", b"TOP 1 ", b"AUTH ", b"PASS "):
            for shape in (b" ", b"a", b"0", b"a ", b"\t", b"\xff"):
                connection.say((start + shape * 32768)[:32760])

        self.assertLess(process_time() - began, 3)

    def transcript(self, stream: list[bytes]) -> bytes:
        """
        Everything that is said to these segments.
        """
        self.begin()
        try:
            connection = self.server(MAX_LENGTH=250)
            for segment in stream:
                connection.protocol.dataReceived(segment)
            said: bytes = connection.transport.value()
        finally:
            self.finish()
        return said

    @settings(deadline=None)
    @given(streams, st.lists(st.integers(min_value=0), max_size=20))
    def test_total(self, stream: bytes, cuts: list[int]) -> None:
        """
        No octets raise, log or leave anything behind, however they are cut they get the same
        replies, and a reply holds printable ASCII only (W12, W13).
        """
        whole = self.transcript([stream])

        self.assertEqual(whole, self.transcript(segments(stream, cuts)))
        self.assertRegex(whole, rb"\A([ -~]*\r\n)*\Z")
