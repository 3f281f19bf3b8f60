"""
L{mailauth.mail.smtp}: a submission server as a mail client sees it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from time import process_time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import ISSLTransport
from twisted.mail import smtp
from twisted.mail.interfaces import IMessageDelivery, IMessageSMTP
from twisted.mail.smtp import SMTPBadRcpt, SMTPServerError
from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailauth.errors import AccountDisabled, Outage
from mailauth.interfaces import IConnection
from mailauth.mail.smtp import ESMTP
from mailauth.mail.waiting import WaitingLimits, WaitingRoom

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

ENHANCED = re.compile(rb"[245][0-9]{2}[ -][245]\.[0-9]+\.[0-9]+ .+")


@implementer(IMessageSMTP)
class Message:
    """
    A message that remembers what it was given.
    """

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.lines: list[bytes] = []
        self.lost = 0

    def lineReceived(self, line: bytes) -> None:
        """
        Keep it, or stumble over it.
        """
        if self.delivery.lineError is not None and line != b"Received: for a test":
            raise self.delivery.lineError
        self.lines.append(line)

    def eomReceived(self) -> Any:
        """
        Whatever the delivery says.
        """
        return self.delivery.finish(self)

    def connectionLost(self) -> None:
        """
        Count it.
        """
        self.lost += 1


@implementer(IMessageDelivery)
class Delivery:
    """
    A delivery of which every answer can be set.
    """

    def __init__(self) -> None:
        self.sender: Callable[[Any], Any] = lambda origin: origin
        self.recipient: Callable[[], Any] = lambda: self.make
        self.finish: Callable[[Message], Any] = lambda message: succeed(None)
        self.lineError: Exception | None = None
        self.helo: Any = None
        self.messages: list[Message] = []

    def make(self) -> Message:
        """
        One message more.
        """
        self.messages.append(Message(self))
        return self.messages[-1]

    def receivedHeader(self, helo: Any, origin: Any, recipients: Any) -> bytes:
        """
        See L{IMessageDelivery.receivedHeader}.
        """
        return b"Received: for a test"

    def validateFrom(self, helo: Any, origin: Any) -> Any:
        """
        See L{IMessageDelivery.validateFrom}.
        """
        self.helo = helo
        return self.sender(origin)

    def validateTo(self, user: Any) -> Any:
        """
        See L{IMessageDelivery.validateTo}.
        """
        return self.recipient()


class SMTPTestCase(WireTestCase):
    """
    Tests of L{ESMTP}.
    """

    def begin(self) -> None:
        """
        A delivery, too.
        """
        self.delivery = Delivery()
        self.avatar = self.delivery
        super().begin()

    def server(self, private: bool = True, **attributes: Any) -> Connection:
        """
        A connection after EHLO.
        """
        connection = self.bare(private, **attributes)
        connection.say(b"EHLO client.example")
        return connection

    def bare(self, private: bool = True, **attributes: Any) -> Connection:
        """
        A connection after the greeting.
        """
        protocol = ESMTP(MECHANISMS, contextFactory=object())
        for name, value in attributes.items():
            setattr(protocol, name, value)
        return self.connect(protocol, private)

    def loggedIn(self, **attributes: Any) -> Connection:
        """
        A connection after a login.
        """
        connection = self.server(**attributes)
        self.assertEqual([b"235 2.7.0 Logged in"], connection.say(b"AUTH OAUTHBEARER " + BEARER))
        return connection

    def inData(self, **attributes: Any) -> Connection:
        """
        A connection inside DATA.
        """
        connection = self.loggedIn(**attributes)
        replies = connection.say(b"MAIL FROM:<alice@a.test>", b"RCPT TO:<bob@b.test>", b"DATA")
        self.assertEqual([b"250", b"250", b"354"], [reply[:3] for reply in replies])
        return connection

    def assertReply(self, start: bytes, replies: list[bytes]) -> None:
        """
        There is one reply, and it begins so.
        """
        self.assertEqual([start], [reply[: len(start)] for reply in replies], replies)


class GreetingTests(SMTPTestCase):
    """
    EHLO, and what it says can be done.
    """

    def extensions(self, connection: Connection) -> list[bytes]:
        """
        What EHLO lists, after the name of the host.
        """
        return [line[4:] for line in connection.say(b"EHLO client.example")[1:]]

    def test_interfaces(self) -> None:
        """
        The connection provides what the realm is given as cred's mind.
        """
        verifyObject(IConnection, self.bare().protocol)

    def test_private(self) -> None:
        """
        Under TLS every mechanism is offered, the standard one first, and TLS is not.
        """
        expected = [
            b"SIZE 52428800",
            b"PIPELINING",
            b"8BITMIME",
            b"ENHANCEDSTATUSCODES",
            b"AUTH OAUTHBEARER XOAUTH2 PLAIN LOGIN",
        ]
        self.assertEqual(expected, self.extensions(self.bare()))

    def test_clear(self) -> None:
        """
        In clear TLS is offered, and no mechanism is (W3).
        """
        extensions = self.extensions(self.bare(private=False))

        self.assertIn(b"STARTTLS", extensions)
        self.assertNotIn(b"AUTH", [extension[:4] for extension in extensions])

    def test_loggedIn(self) -> None:
        """
        After the login no mechanism is offered.
        """
        extensions = self.extensions(self.loggedIn())

        self.assertNotIn(b"AUTH", [extension[:4] for extension in extensions])

    def test_nothingWeak(self) -> None:
        """
        The parent's own mechanisms are neither offered nor known (SA7).
        """
        for mechanism in (b"CRAM-MD5", b"DIGEST-MD5", b"NTLM", b"EXTERNAL", b"ANONYMOUS"):
            self.assertReply(b"504 5.5.4 ", self.server().say(b"AUTH " + mechanism))

    def test_everyCommandIsOurs(self) -> None:
        """
        No command of the parent can be reached, nor one that a later version of it may add (SA7).
        """
        commands = {name for name in dir(smtp.ESMTP) if name.startswith(("do_", "ext_"))}

        self.assertEqual(set(), commands.difference(vars(ESMTP)))

    def test_helo(self) -> None:
        """
        HELO is answered by one line, which bears no enhanced status code (RFC 2034 section 4).
        """
        connection = self.bare()

        self.assertEqual([b"250 " + connection.protocol.host], connection.say(b"HELO there"))

    def test_malformedName(self) -> None:
        """
        A missing, an over-long and an unprintable name are refused (W9, W13).
        """
        for name in (b"", b" " + b"x" * 256, b" a b"):
            self.assertReply(b"501 5.5.4 ", self.bare().say(b"EHLO" + name))
        self.assertReply(b"500 5.5.2 ", self.bare().say(b"EHLO a\nb"))

    def test_mailClient(self) -> None:
        """
        What the client calls itself goes to the checker, with where it comes from.
        """
        self.loggedIn()

        context = self.verdicts.contexts[0]
        self.assertEqual(
            ("smtp", "192.0.2.1", True, "client.example"),
            (context.service, context.peer, context.secure, context.mailClient),
        )

    def test_everyReplyHasAnEnhancedStatusCode(self) -> None:
        """
        Whatever is said, the reply has one, but for EHLO and HELO (RFC 2034 section 4).
        """
        connection = self.loggedIn()
        self.delivery.recipient = lambda: 1 / 0
        commands = (
            b"NOOP RSET VRFY EXPN HELP MAIL RCPT DATA BDAT AUTH STARTTLS UNKNOWN XYZ _ EHLO TURN"
        ).split()
        commands += [
            b"MAIL FROM:<a@b> SIZE=99999999999",
            b"MAIL FROM:<a@b>",
            b"RCPT TO:<c@d>",
            b"",
            b"QUIT",
        ]
        for command in commands:
            replies = connection.say(command)
            self.assertEqual(1, len(replies), command)
            self.assertRegex(replies[0], ENHANCED)
        self.takeLogged()


class LoginTests(SMTPTestCase):
    """
    AUTH.
    """

    def test_vectors(self) -> None:
        """
        The examples of the RFCs run on the wire as printed.
        """
        examples = transcripts(wire="smtp")
        self.assertTrue(examples)
        for example in examples:
            if example.outcome == "accepted":
                assert example.secret is not None
                self.verdicts.passwords[example.authcid or b""] = example.secret
                self.verdicts.tokens[example.secret] = example.authzid or b"alice"
            connection = self.server()
            replies = connection.say(*example.clientLines)
            expected = [line for line in example.serverLines if not _isDocument(line)]
            actual = [line for line in replies if not _isDocument(line)]
            self.assertEqual(len(expected), len(actual), example.source)
            for start, reply in zip(expected, actual, strict=True):
                self.assertTrue(reply.startswith(start), (example.source, start, reply))

    def test_withoutInitialResponse(self) -> None:
        """
        The empty challenge has its space (RFC 4954 section 4).
        """
        connection = self.server()

        self.assertEqual([b"334 "], connection.say(b"AUTH PLAIN"))
        self.assertReply(b"235 2.7.0 ", connection.say(PASSWORD))

    def test_login(self) -> None:
        """
        LOGIN prompts as its clients expect.
        """
        connection = self.server()

        replies = connection.say(b"auth login", b64encode(b"alice"), b64encode(b"correct horse"))

        self.assertEqual(
            [b"334 VXNlcm5hbWU6", b"334 UGFzc3dvcmQ6", b"235 2.7.0 Logged in"], replies
        )

    def test_beforeEHLO(self) -> None:
        """
        AUTH before EHLO is refused.
        """
        self.assertReply(b"503 5.5.1 ", self.bare().say(b"AUTH PLAIN " + PASSWORD))

    def test_argument(self) -> None:
        """
        A missing mechanism and a third argument are syntax errors (S9).
        """
        for arguments in (b"", b" ", b" PLAIN a b", b" " + b"X" * 21):
            self.assertReply(b"501 5.5.4 ", self.server().say(b"AUTH" + arguments))

    def test_emptyInitialResponse(self) -> None:
        """
        C{=} is an empty response, which is not the same as none (SA4, S9).
        """
        self.assertReply(b"501 5.5.2 ", self.server().say(b"AUTH PLAIN ="))

    def test_cancel(self) -> None:
        """
        C{*} cancels, also as an initial response, and the next attempt works (SA4, SA5).
        """
        connection = self.server()

        self.assertReply(b"501 5.7.0 ", connection.say(b"AUTH PLAIN *"))
        self.assertEqual([b"334 "], connection.say(b"AUTH PLAIN"))
        self.assertReply(b"501 5.7.0 ", connection.say(b"*"))
        self.assertReply(b"235 2.7.0 ", connection.say(b"AUTH PLAIN " + PASSWORD))

    def test_strictBase64(self) -> None:
        """
        What is not canonical base64 is no response (SA2).
        """
        for response in (b"!", b"AA=A", b"QQ", b"QR=="):
            self.assertReply(b"501 5.5.2 ", self.server().say(b"AUTH PLAIN " + response))

    def test_wrongPassword(self) -> None:
        """
        A wrong password is 535 5.7.8, and tells nothing else.
        """
        self.assertEqual(
            [b"535 5.7.8 Wrong login name or password."],
            self.server().say(b"AUTH PLAIN " + BAD_PASSWORD),
        )

    def test_document(self) -> None:
        """
        A refused token gets the error document, one reply and one refusal, whatever the client
        says to it (RFC 7628 section 3.2.3).
        """
        for mechanism, status in ((b"OAUTHBEARER", b'"invalid_token"'), (b"XOAUTH2", b'"400"')):
            for answer in (b"AQ==", b"", b"*", b"?", BAD_BEARER, b"QUIT"):
                connection = self.server()
                (document,) = connection.say(b"AUTH " + mechanism + b" " + BAD_BEARER)
                self.assertIn(status, b64decode(document.removeprefix(b"334 ")))
                self.assertReply(b"535 5.7.8 ", connection.say(answer))
                self.assertReply(b"235 2.7.0 ", connection.say(b"AUTH OAUTHBEARER " + BEARER))

    def test_outage(self) -> None:
        """
        An outage is 454 4.7.0, with no document.
        """
        self.verdicts.error = Outage()

        self.assertReply(b"454 4.7.0 ", self.server().say(b"AUTH OAUTHBEARER " + BEARER))

    def test_disabled(self) -> None:
        """
        A disabled account is 525 5.7.13 (RFC 5248).
        """
        self.verdicts.error = AccountDisabled()

        self.assertReply(b"525 5.7.13 ", self.server().say(b"AUTH PLAIN " + PASSWORD))

    def test_notPrivate(self) -> None:
        """
        In clear nothing is looked at, and one line says in the log that a secret was sent (W3).
        """
        connection = self.server(private=False)

        self.assertReply(b"538 5.7.11 ", connection.say(b"AUTH PLAIN"))
        self.assertEqual([], self.takeLogged())
        self.assertReply(b"538 5.7.11 ", connection.say(b"AUTH PLAIN " + PASSWORD))
        self.assertEqual(1, len(self.takeLogged()))
        self.assertEqual([], self.verdicts.contexts)

    def test_insecureLoopback(self) -> None:
        """
        Loopback can be told to be private enough.
        """
        protocol = ESMTP(MECHANISMS)
        protocol.insecureLoopback = True
        connection = self.connect(protocol, private=False, peer="127.0.0.1")

        connection.say(b"EHLO there")
        self.assertReply(b"235 2.7.0 ", connection.say(b"AUTH PLAIN " + PASSWORD))

    def test_noPortal(self) -> None:
        """
        A server without a portal has an outage.
        """
        connection = self.server()
        connection.protocol.portal = None

        self.assertReply(b"454 4.7.0 ", connection.say(b"AUTH PLAIN " + PASSWORD))

    def test_longToken(self) -> None:
        """
        A token of 16 KiB fits into the line, with and without an initial response.
        """
        token = b"t" * 16384
        self.verdicts.tokens[token] = b"alice"
        message = b64encode(
            b"n,a=alice,\x01host=h\x01port=587\x01auth=Bearer " + token + b"\x01\x01"
        )

        self.assertReply(b"235", self.server().say(b"AUTH OAUTHBEARER " + message))
        self.assertEqual(
            [b"334 ", b"235 2.7.0 Logged in"], self.server().say(b"AUTH OAUTHBEARER", message)
        )

    def test_tooLongInitialResponse(self) -> None:
        """
        An over-long AUTH line is refused once, and what follows it is a command (S2).
        """
        connection = self.server()

        replies = connection.say(b"AUTH PLAIN " + b"A" * 100000, b"NOOP")

        self.assertEqual([b"500 5.5.6", b"250 2.0.0"], [reply[:9] for reply in replies])

    def test_tooLongResponse(self) -> None:
        """
        An over-long response breaks the exchange off, and what follows it is a command.
        """
        connection = self.server()

        replies = connection.say(b"AUTH PLAIN", b"A" * 100000, b"NOOP")

        self.assertEqual([b"334 ", b"500 5.5.6", b"250 2.0.0"], [reply[:9] for reply in replies])

    def test_tooLongAnswerToADocument(self) -> None:
        """
        The verdict stays the verdict, and counts, however long the answer to it is (PW7).
        """
        connection = self.server()

        for _ in range(3):
            connection.say(b"AUTH XOAUTH2 " + BAD_BEARER)
            replies = connection.say(b"A" * 100000)
            self.assertEqual(b"535 5.7.8", replies[0][:9])

        self.assertEqual(b"421 4.7.0", replies[1][:9])
        self.assertTrue(connection.transport.disconnecting)

    def test_tooManyFailures(self) -> None:
        """
        The third failure closes the connection, and nothing behind it is answered (PW7).
        """
        connection = self.server()

        connection.protocol.dataReceived(
            (b"AUTH PLAIN " + BAD_PASSWORD + b"\r\n") * 5 + b"NOOP\r\n"
        )

        self.assertEqual(
            [b"535", b"535", b"535", b"421"], [reply[:3] for reply in connection.hear()]
        )
        self.assertTrue(connection.transport.disconnecting)

    def test_onlyOneLogin(self) -> None:
        """
        After a login there is no other, by any mechanism (W14).
        """
        connection = self.loggedIn()

        self.assertReply(b"503 5.5.1 ", connection.say(b"AUTH PLAIN " + PASSWORD))
        connection.say(b"MAIL FROM:<alice@a.test>")
        self.assertReply(b"503 5.5.1 ", connection.say(b"AUTH PLAIN"))
        self.assertEqual(1, self.realm.logins)

    def test_pendingLogin(self) -> None:
        """
        While a login is pending nothing is read, and what was read waits in its order (S6, W14).
        """
        self.verdicts.waits = True
        connection = self.server()

        connection.protocol.dataReceived(
            b"AUTH PLAIN " + PASSWORD + b"\r\nAUTH PLAIN " + PASSWORD + b"\r\nNOOP\r\n"
        )

        self.assertEqual([], connection.hear())
        self.assertEqual(1, len(self.verdicts.pending))
        self.assertEqual("paused", connection.transport.producerState)
        self.verdicts.answer()
        self.assertEqual(
            [b"235 2.7.0", b"503 5.5.1", b"250 2.0.0"], [reply[:9] for reply in connection.hear()]
        )
        self.assertEqual("producing", connection.transport.producerState)

    def test_slowLogin(self) -> None:
        """
        A login that takes over ten seconds is an outage, and the next one can succeed.
        """
        self.verdicts.waits = True
        connection = self.server()
        connection.say(b"AUTH PLAIN " + PASSWORD)

        self.clock.pump([1] * 11)

        self.assertReply(b"454 4.7.0 ", connection.hear())
        self.verdicts.waits = False
        self.assertReply(b"235 2.7.0 ", connection.say(b"AUTH PLAIN " + PASSWORD))

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

    def test_logout(self) -> None:
        """
        Whoever is in is out when the connection is lost, once.
        """
        connection = self.loggedIn()

        connection.lose()

        self.assertEqual((1, 1), (self.realm.logins, self.realm.logouts))

    def test_unexpectedError(self) -> None:
        """
        An exception of a checker is an outage, and neither the client nor the log is told its
        text (W12, W13).
        """
        self.verdicts.error = RuntimeError("a secret")

        self.assertReply(b"454 4.7.0 ", self.server().say(b"AUTH PLAIN " + PASSWORD))
        (event,) = self.takeLogged()
        self.assertNotIn("a secret", str(event))


class UpgradeTests(SMTPTestCase):
    """
    STARTTLS.
    """

    def test_upgrade(self) -> None:
        """
        After it the connection is private, and the client has to introduce itself again (W2).
        """
        connection = self.server(private=False)

        self.assertReply(b"220 2.0.0 ", connection.say(b"STARTTLS"))
        self.assertTrue(ISSLTransport.providedBy(connection.transport))
        self.assertIsNone(connection.protocol.mailClient)
        self.assertReply(b"503 5.5.1 ", connection.say(b"AUTH PLAIN " + PASSWORD))
        connection.say(b"EHLO other.example")
        self.assertReply(b"235 2.7.0 ", connection.say(b"AUTH PLAIN " + PASSWORD))
        self.assertEqual("other.example", self.verdicts.contexts[0].mailClient)

    def test_injection(self) -> None:
        """
        Whatever comes with STARTTLS is answered by the end of the connection (W1, S1).
        """
        for behind in (b"EHLO x\r\n", b"E", b"\r\n", b"\x16\x03\x01"):
            connection = self.server(private=False)

            connection.protocol.dataReceived(b"STARTTLS\r\n" + behind)

            self.assertEqual([b"501 5.5.1", b"421 4.7.0"], [r[:9] for r in connection.hear()])
            self.assertFalse(ISSLTransport.providedBy(connection.transport))
            self.assertTrue(connection.transport.disconnecting)

    def test_argument(self) -> None:
        """
        STARTTLS takes no argument (RFC 3207 section 4).
        """
        self.assertReply(b"501 5.5.4 ", self.server(private=False).say(b"STARTTLS now"))

    def test_notAgain(self) -> None:
        """
        There is no TLS in TLS, none without a context, and none after a login.
        """
        self.assertReply(b"503 5.5.1 ", self.server().say(b"STARTTLS"))
        self.assertReply(b"503 5.5.1 ", self.server(private=False, ctx=None).say(b"STARTTLS"))
        protocol = ESMTP(MECHANISMS, contextFactory=object())
        protocol.insecureLoopback = True
        connection = self.connect(protocol, private=False, peer="127.0.0.1")
        connection.say(b"EHLO there", b"AUTH PLAIN " + PASSWORD)
        self.assertReply(b"503 5.5.1 ", connection.say(b"STARTTLS"))

    def test_notInsideAnExchange(self) -> None:
        """
        Inside an exchange STARTTLS is a malformed response (W2).
        """
        protocol = ESMTP(MECHANISMS, contextFactory=object())
        protocol.insecureLoopback = True
        connection = self.connect(protocol, private=False, peer="127.0.0.1")

        connection.say(b"EHLO there", b"AUTH PLAIN")

        self.assertReply(b"501 5.5.2 ", connection.say(b"STARTTLS"))


class TransactionTests(SMTPTestCase):
    """
    MAIL, RCPT and DATA.
    """

    def test_needsLogin(self) -> None:
        """
        Without a login nothing is sent, and the portal is not asked for anybody anonymous.
        """
        connection = self.server()

        self.assertReply(b"530 5.7.0 ", connection.say(b"MAIL FROM:<alice@a.test>"))
        self.assertReply(b"503 5.5.1 ", connection.say(b"RCPT TO:<bob@b.test>"))
        self.assertReply(b"503 5.5.1 ", connection.say(b"DATA"))
        self.assertEqual([], self.verdicts.contexts)

    def test_message(self) -> None:
        """
        A message goes to a message object for each recipient, its dots unstuffed.
        """
        connection = self.loggedIn()

        replies = connection.say(
            b"MAIL FROM:<alice@a.test> SIZE=100 BODY=8BITMIME AUTH=<>",
            b"RCPT TO:<bob@b.test>",
            b"RCPT TO:<carol@c.test>",
            b"DATA",
            b"Subject: hello",
            b"",
            b"..dot",
            b"\xc3\xa9",
            b".",
        )

        self.assertEqual(
            [b"250 2.1.0", b"250 2.1.5", b"250 2.1.5", b"354 End t", b"250 2.0.0"],
            [reply[:9] for reply in replies],
        )
        expected = [b"Received: for a test", b"Subject: hello", b"", b".dot", b"\xc3\xa9"]
        self.assertEqual([expected] * 2, [message.lines for message in self.delivery.messages])
        self.assertEqual((b"client.example", b"192.0.2.1"), self.delivery.helo)

    def test_nextMessage(self) -> None:
        """
        A message leaves no sender and no recipient to the next one.
        """
        connection = self.inData()
        connection.say(b"a: b", b".")

        self.assertReply(b"503 5.5.1 ", connection.say(b"DATA"))
        self.assertReply(b"503 5.5.1 ", connection.say(b"RCPT TO:<b@b>"))
        self.assertReply(b"250 2.1.0 ", connection.say(b"MAIL FROM:<a@a>"))

    def test_messageWithoutHeader(self) -> None:
        """
        A message without a header does not continue the trace header.
        """
        connection = self.inData()

        connection.say(b"only text", b"a: b", b".")

        self.assertEqual([b"", b"only text", b"a: b"], self.delivery.messages[0].lines[1:])

    def test_pipelined(self) -> None:
        """
        A group of commands is answered in order, however long each takes (RFC 2920).
        """
        waiting: list[Deferred[Any]] = []

        def wait(*arguments: object) -> Deferred[Any]:
            waiting.append(Deferred())
            return waiting[-1]

        self.delivery.sender = wait
        self.delivery.recipient = wait
        self.delivery.finish = wait
        connection = self.loggedIn()

        connection.protocol.dataReceived(
            b"MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\nDATA\r\na: b\r\n.\r\nNOOP\r\n"
        )

        self.assertEqual([], connection.hear())
        waiting.pop().callback("a@a")
        self.assertReply(b"250 2.1.0 ", connection.hear())
        self.assertEqual("paused", connection.transport.producerState)
        waiting.pop().callback(self.delivery.make)
        self.assertEqual([b"250", b"354"], [reply[:3] for reply in connection.hear()])
        waiting.pop().callback(None)
        self.assertEqual([b"250", b"250"], [reply[:3] for reply in connection.hear()])
        self.assertEqual("producing", connection.transport.producerState)

    def test_parameters(self) -> None:
        """
        Unknown and malformed parameters are told apart, and numbers are digits (W11).
        """
        connection = self.loggedIn()
        cases = {
            b"SMTPUTF8": b"555 5.5.4 ",
            b"RET=HDRS": b"555 5.5.4 ",
            b"BODY=BINARYMIME": b"501 5.5.4 ",
            b"SIZE": b"501 5.5.4 ",
            b"SIZE=+1": b"501 5.5.4 ",
            b"SIZE=1_0": b"501 5.5.4 ",
            b"SIZE=" + b"9" * 21: b"501 5.5.4 ",
            b"SIZE=52428801": b"552 5.3.4 ",
            b"AUTH=a+4": b"501 5.5.4 ",
            b"size=52428800 body=7bit auth=a+40b": b"250 2.1.0 ",
        }
        for parameters, reply in cases.items():
            self.assertReply(reply, connection.say(b"MAIL FROM:<a@b.test> " + parameters))
        self.assertReply(b"555 5.5.4 ", connection.say(b"RCPT TO:<c@d.test> NOTIFY=NEVER"))

    def test_addresses(self) -> None:
        """
        Malformed, over-long and injected addresses are refused, without being repeated (W9, W12).
        """
        connection = self.loggedIn()
        for path, reply in {
            b"": b"501 5.1.7 ",
            b"<a@b@c>": b"553 5.1.7 ",
            b"<a,b@c>": b"553 5.1.7 ",
            b"<" + b"a" * 512 + b"@b>": b"501 5.1.7 ",
            b'<"a\nRCPT TO:<x@y>"@b>': b"500 5.5.2 ",
            b'<"a\x00"@b>': b"500 5.5.2 ",
            b"<\xc3\xa9@b>": b"500 5.5.2 ",
        }.items():
            replies = connection.say(b"MAIL FROM:" + path)
            self.assertReply(reply, replies)
            self.assertNotIn(b"@", replies[0])
        connection.say(b"MAIL FROM:<>")
        self.assertReply(b"501 5.1.3 ", connection.say(b"RCPT TO:<>"))
        self.assertReply(b"553 5.1.3 ", connection.say(b"RCPT TO:<a@b@c>"))
        self.assertReply(b"250 2.1.5 ", connection.say(b'rcpt to: <"a b"@c>'))

    def test_order(self) -> None:
        """
        Commands of a transaction come in their order, and RSET and EHLO end it.
        """
        connection = self.loggedIn()

        self.assertReply(b"503 5.5.1 ", connection.say(b"RCPT TO:<b@b>"))
        for forget in (b"RSET", b"EHLO again.example"):
            self.assertReply(b"250 2.1.0 ", connection.say(b"MAIL FROM:<>"))
            self.assertReply(b"503 5.5.1 ", connection.say(b"MAIL FROM:<>"))
            self.assertReply(b"503 5.5.1 ", connection.say(b"DATA"))
            self.assertReply(b"250 2.1.5 ", connection.say(b"RCPT TO:<b@b>"))
            self.assertReply(b"501 5.5.4 ", connection.say(b"DATA now"))
            connection.say(forget)
            self.assertReply(b"503 5.5.1 ", connection.say(b"DATA"))

    def test_manyRecipients(self) -> None:
        """
        The number of recipients has a bound.
        """
        connection = self.loggedIn(MAX_RECIPIENTS=2)

        replies = connection.say(b"MAIL FROM:<>", *[b"RCPT TO:<b@b>"] * 3)

        self.assertEqual(b"452 4.5.3 ", replies[-1][:10])

    def test_refusedByDelivery(self) -> None:
        """
        The delivery's own code and words are passed on, with an enhanced status code, its own if
        it has one.
        """
        connection = self.loggedIn()
        connection.say(b"MAIL FROM:<>")

        self.delivery.recipient = lambda: Failure(SMTPBadRcpt("a@b", 550, "5.1.1 Nobody\nhere"))
        self.assertEqual([b"550-5.1.1 Nobody", b"550 5.1.1 here"], connection.say(b"RCPT TO:<b@b>"))
        self.delivery.recipient = lambda: Failure(SMTPServerError(450, b"Later"))
        self.assertEqual([b"450 4.0.0 Later"], connection.say(b"RCPT TO:<b@b>"))

    def test_failureOfDelivery(self) -> None:
        """
        Whatever else a delivery raises is temporary, and neither the client nor the log is told
        its text (W12, W13).
        """
        error = RuntimeError("a secret")

        def raiseError() -> None:
            raise error

        stages: list[tuple[str, Any]] = [
            ("sender", lambda origin: Failure(error)),
            ("recipient", lambda: Failure(error)),
            ("recipient", lambda: raiseError),
            ("lineError", error),
            ("finish", lambda message: Failure(error)),
        ]
        for name, value in stages:
            connection = self.loggedIn()
            kept = getattr(self.delivery, name)
            setattr(self.delivery, name, value)
            replies = connection.say(b"MAIL FROM:<>", b"RCPT TO:<b@b>", b"DATA")
            if replies[-1].startswith(b"354"):
                replies = connection.say(b"a: b", b".")
            setattr(self.delivery, name, kept)
            self.assertIn(b"451 4.3.0 Cannot do this now. Try again later.", replies)
            (event,) = self.takeLogged()
            self.assertNotIn("a secret", str(event))
            self.assertReply(b"250 2.0.0 ", connection.say(b"NOOP"))

    def test_oneRecipientFails(self) -> None:
        """
        If one of several deliveries fails, the message is not acknowledged.
        """
        connection = self.loggedIn()
        connection.say(b"MAIL FROM:<>", b"RCPT TO:<b@b>", b"RCPT TO:<c@c>", b"DATA", b"a: b")
        first = self.delivery.messages[0]
        self.delivery.finish = lambda message: (
            succeed(None) if message is first else Failure(SMTPServerError(452, "4.3.1 Full"))
        )

        self.assertEqual([b"452 4.3.1 Full"], connection.say(b"."))

    def test_refusedAtDATA(self) -> None:
        """
        If a message cannot be begun, DATA is refused, and those begun are dropped.
        """
        connection = self.loggedIn()
        connection.say(b"MAIL FROM:<>", b"RCPT TO:<b@b>")

        def refuse() -> None:
            raise SMTPServerError(452, "4.3.1 Full")

        self.delivery.recipient = lambda: refuse
        connection.say(b"RCPT TO:<c@c>")

        self.assertEqual([b"452 4.3.1 Full"], connection.say(b"DATA"))
        self.assertEqual([1], [message.lost for message in self.delivery.messages])
        self.assertReply(b"250 2.0.0 ", connection.say(b"NOOP"))

    def assertMessageRefused(self, connection: Connection, reply: bytes) -> None:
        """
        Whatever follows is part of the message, up to the dot, and nothing is delivered (W10).
        """
        behind = (b"MAIL FROM:<x@y>", b"RCPT TO:<x@y>", b"DATA", b"QUIT")
        self.assertEqual([], connection.say(*behind))
        self.assertReply(reply, connection.say(b"."))
        self.assertReply(b"250 2.0.0 ", connection.say(b"NOOP"))
        self.assertEqual([1], [message.lost for message in self.delivery.messages])

    def test_longLine(self) -> None:
        """
        An over-long line refuses the message, and its rest is not run as commands (S3, W10).
        """
        for line in (b"A" * 40000, b"A" * 400000):
            self.delivery.messages.clear()
            connection = self.inData()

            connection.say(b"a: b", line, line)

            self.assertMessageRefused(connection, b"554 5.6.0 ")

    def test_largeMessage(self) -> None:
        """
        A message over the limit is refused at its end, whatever MAIL said (W10).
        """
        connection = self.inData(MAX_MESSAGE=100)

        connection.say(b"a: " + b"b" * 50, b"c: " + b"d" * 50)

        self.assertMessageRefused(connection, b"552 5.3.4 ")

    def test_bareLineEnds(self) -> None:
        """
        A bare CR or LF, or a NUL, refuses the message (W7, W8).
        """
        for line in (b"a\nb", b"a\rb", b"a\x00b", b"\n.", b".\n", b"\r.\r", b"a\r"):
            self.delivery.messages.clear()
            connection = self.inData()

            connection.say(b"a: b", b"", line)

            self.assertMessageRefused(connection, b"554 5.6.0 ")

    def test_smuggling(self) -> None:
        """
        CRLF dot CRLF is the one end of DATA: commands behind any other are text of a message that
        is refused (W7).
        """
        for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n\x00.\r\n"):
            self.delivery.messages.clear()
            connection = self.inData()

            connection.protocol.dataReceived(b"a: b" + end + b"MAIL FROM:<x@y>\r\n.\r\n")

            self.assertReply(b"554 5.6.0 ", connection.hear())

    def test_lostInDATA(self) -> None:
        """
        A message without its end is none.
        """
        connection = self.inData()

        connection.say(b"a: b")
        connection.lose()

        self.assertEqual([1], [message.lost for message in self.delivery.messages])

    def test_dropFails(self) -> None:
        """
        A message that cannot even be dropped harms nobody else.
        """
        connection = self.inData()
        error = RuntimeError("a secret")

        def lost() -> None:
            raise error

        self.delivery.messages[0].connectionLost = lost  # type: ignore[method-assign]
        connection.lose()

        (event,) = self.takeLogged()
        self.assertNotIn("a secret", str(event))
        self.assertEqual(1, self.realm.logouts)


class EndTests(SMTPTestCase):
    """
    How a connection ends, and how long it may wait.
    """

    def test_quit(self) -> None:
        """
        QUIT closes, and nothing behind it is answered.
        """
        connection = self.server()

        connection.protocol.dataReceived(b"QUIT\r\nNOOP\r\n")
        connection.protocol.dataReceived(b"NOOP\r\n" + b"A" * 100000)

        self.assertReply(b"221 2.0.0 ", connection.hear())
        self.assertTrue(connection.transport.disconnecting)

    def test_end(self) -> None:
        """
        A login that is taken away says why, once, in any state.
        """
        for connection in (self.bare(), self.loggedIn(), self.inData()):
            connection.protocol.end("Access revoked")
            connection.protocol.end("Access revoked")

            self.assertEqual([b"421 4.7.0 Access revoked"], connection.hear())
            self.assertEqual([], connection.say(b"NOOP"))

    def test_endDuringDelivery(self) -> None:
        """
        What the delivery says after the connection was ended is not sent.
        """
        waiting: Deferred[None] = Deferred()
        self.delivery.finish = lambda message: waiting
        connection = self.inData()
        connection.say(b"a: b", b".")

        connection.protocol.end("Access revoked")
        waiting.callback(None)

        self.assertEqual([b"421 4.7.0 Access revoked"], connection.hear())

    def test_http(self) -> None:
        """
        A browser is turned away at its first line (W6).
        """
        for line in (b"GET / HTTP/1.1", b"POST /x HTTP/1.0", b"PRI * HTTP/2.0"):
            connection = self.bare()

            connection.protocol.dataReceived(line + b"\r\nHELO x\r\nMAIL FROM:<a@b>\r\n")

            self.assertReply(b"421 4.7.0 ", connection.hear())
            self.assertTrue(connection.transport.disconnecting)

    def test_silence(self) -> None:
        """
        Before the login a client may be silent for five minutes, also inside an exchange.
        """
        for lines in ((), (b"AUTH PLAIN",)):
            connection = self.server()
            connection.say(*lines)

            self.clock.pump([1] * 300)
            self.assertEqual([], connection.hear())
            self.clock.pump([1] * 2)

            self.assertReply(b"421 4.7.0 ", connection.hear())
            connection.lose()

    def test_noopsDoNotExtend(self) -> None:
        """
        Whatever a client says, it waits for twelve minutes at most (S5, DS7).
        """
        connection = self.server()

        for _ in range(13):
            connection.say(b"NOOP")
            self.clock.pump([1] * 59)

        self.assertTrue(connection.transport.disconnecting)

    def test_unfinishedLine(self) -> None:
        """
        A line that has begun has to end within a minute, however its octets drip (DS7).
        """
        connection = self.server()

        for _ in range(13):
            connection.protocol.dataReceived(b"A")
            self.clock.pump([1] * 5)

        self.assertReply(b"421 4.7.0 ", connection.hear())

    def test_nextLine(self) -> None:
        """
        A line that begins where another ends has a minute of its own.
        """
        connection = self.server()

        connection.protocol.dataReceived(b"NO")
        self.clock.pump([1] * 40)
        connection.protocol.dataReceived(b"OP\r\nNO")
        self.clock.pump([1] * 40)
        connection.protocol.dataReceived(b"OP\r\n")

        self.assertEqual([b"250", b"250"], [reply[:3] for reply in connection.hear()])

    def test_idle(self) -> None:
        """
        After the login silence is allowed for ten minutes, and for no longer.
        """
        connection = self.loggedIn()

        self.clock.pump([1] * 599)
        connection.say(b"NOOP")
        self.clock.pump([1] * 599)
        self.assertEqual([], connection.hear())
        self.clock.pump([1] * 17)

        self.assertReply(b"421 4.7.0 ", connection.hear())

    def test_fullRoom(self) -> None:
        """
        Above the number of connections that may wait, the one silent longest goes; whoever has
        logged in stays (DS8).
        """
        room = WaitingRoom(self.clock.callLater, WaitingLimits(connections=2))
        first, second = self.server(waitingRoom=room), self.server(waitingRoom=room)
        first.say(b"AUTH PLAIN " + PASSWORD)
        third = self.server(waitingRoom=room)
        self.clock.pump([1] * 2)
        third.say(b"NOOP")

        self.server(waitingRoom=room)

        ended = [bool(c.transport.disconnecting) for c in (first, second, third)]
        self.assertEqual([False, True, False], ended)

    def test_unreadReplies(self) -> None:
        """
        A client that does not read its replies is not read either, and is cut off after half a
        minute (DS6).
        """
        connection = self.server()
        connection.transport.slow = True

        connection.protocol.dataReceived(b"NOOP\r\n" * 100000)

        self.assertLess(len(connection.transport.value()), 70000)
        self.assertEqual("paused", connection.transport.producerState)
        self.clock.pump([1] * 31)
        self.assertTrue(connection.transport.disconnected)


def _isDocument(line: bytes) -> bool:
    """
    Whether it is an error document, whose text is ours.
    """
    return line.startswith(b"334 eyJ")


WORDS = [
    b"EHLO x",
    b"HELO",
    b"AUTH PLAIN " + PASSWORD,
    b"AUTH PLAIN",
    b"AUTH XOAUTH2 " + BAD_BEARER,
    b"AUTH OAUTHBEARER " + BEARER,
    BEARER,
    PASSWORD,
    b"AUTH",
    b"AUTH PLAIN =",
    b"*",
    b"MAIL FROM:<a@b> SIZE=5",
    b"MAIL FROM:" + b"<" * 20,
    b"RCPT TO:<c@d>",
    b"RCPT TO:<@@>",
    b"DATA",
    b".",
    b"..",
    b"a: b",
    b"RSET",
    b"STARTTLS",
    b"UNKNOWN",
    b"\xff\xfe",
    b"A" * 300,
    b"AUTH " + b"A" * 300,
    b"\r",
    b"\n",
    b"",
]
streams = st.lists(
    st.one_of(st.sampled_from(WORDS).map(lambda word: word + b"\r\n"), st.binary(max_size=20)),
    max_size=30,
).map(b"".join)


class StreamTests(SMTPTestCase):
    """
    Any octets at all.
    """

    def test_linear(self) -> None:
        """
        The longest line of any shape takes a few milliseconds (DS5, E6).
        """
        connection = self.loggedIn()
        shapes = (b" ", b"a", b"<", b'"', b"\\", b"@", b".", b'"a"', b"a ", b"a@", b",", b"=")
        began = process_time()
        for start in (b"MAIL FROM:", b"MAIL FROM:<", b"EHLO", b"NOOP ", b"AUTH PLAIN "):
            for shape in shapes:
                for end in (b"", b"\xff"):
                    connection.say((start + shape * 32768)[:32760] + end, b"RSET")

        self.assertLess(process_time() - began, 3)

    def transcript(self, stream: list[bytes]) -> bytes:
        """
        Everything that is said to these segments.
        """
        self.begin()
        try:
            connection = self.server(MAX_LENGTH=250, MAX_MESSAGE=400)
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
