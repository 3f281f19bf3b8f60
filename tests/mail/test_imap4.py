"""
L{mailauth.mail.imap4}: an IMAP server as a mail client sees it.
"""

from __future__ import annotations

import gc
import json
from base64 import b64decode, b64encode
from io import BytesIO
from typing import Any
from weakref import ref

from hypothesis import given
from hypothesis import strategies as st
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, succeed
from twisted.logger import LogLevel, formatEvent
from twisted.mail import imap4
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailauth.credentials import LoginContext
from mailauth.errors import (
    AccountDisabled,
    ExpiredPassword,
    InsufficientScope,
    LoginError,
    NotOwner,
    Outage,
    ServiceNotAllowed,
    TooManyFailures,
)
from mailauth.interfaces import IConnection
from mailauth.mail.imap4 import IMAP4Server
from mailauth.mail.login import LOGIN_TIMEOUT
from mailauth.mail.waiting import WaitingLimits, WaitingRoom
from mailauth.sasl.oauthbearer import OAUTHBEARER, XOAUTH2, OAuthBearer, XOAuth2
from mailauth.sasl.plain import PLAIN

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

OPEN = b"IMAP4rev1 SASL-IR AUTH=OAUTHBEARER AUTH=XOAUTH2 AUTH=PLAIN AUTH=LOGIN ID NAMESPACE IDLE"
CLEAR = b"IMAP4rev1 LOGINDISABLED STARTTLS ID NAMESPACE IDLE"
INSIDE = b"IMAP4rev1 ID NAMESPACE IDLE"
LOGGED_IN = b" OK [CAPABILITY " + INSIDE + b"] Logged in"
BAD_XOAUTH2 = b64encode(b"user=alice\x01auth=Bearer bad-token\x01\x01")


class Mailbox:
    """
    As much of a mailbox as is asked for here.
    """

    def __init__(self) -> None:
        self.listeners: list[object] = []
        self.messages: Any = []
        self.added: list[bytes] = []

    def getFlags(self) -> list[str]:
        """
        See L{imap4.IMailbox}.
        """
        return ["\\Seen"]

    def getMessageCount(self) -> int:
        """
        See L{imap4.IMailbox}.
        """
        return 1

    getRecentCount = getUIDValidity = getMessageCount

    def isWriteable(self) -> bool:
        """
        See L{imap4.IMailbox}.
        """
        return True

    def addListener(self, listener: object) -> None:
        """
        See L{imap4.IMailbox}.
        """
        self.listeners.append(listener)

    def removeListener(self, listener: object) -> None:
        """
        See L{imap4.IMailbox}.
        """
        self.listeners.remove(listener)

    def fetch(self, messages: object, uid: object) -> Any:
        """
        See L{imap4.IMailbox}.
        """
        return self.messages

    def addMessage(self, message: Any, flags: object, date: object) -> Deferred[None]:
        """
        See L{imap4.IMailbox}.
        """
        self.added.append(message.read())
        return succeed(None)


@implementer(imap4.ICloseableMailbox)
class CloseableMailbox(Mailbox):
    """
    One that wants to know when it is left.
    """

    closed = 0
    closeError: Exception | None = None

    def close(self) -> None:
        """
        See L{imap4.ICloseableMailbox}.
        """
        self.closed += 1
        if self.closeError is not None:
            raise self.closeError


class Account:
    """
    One with a single mailbox.
    """

    def __init__(self) -> None:
        self.mailbox: Mailbox = Mailbox()

    def select(self, name: str, rw: bool = True) -> Mailbox:
        """
        See L{imap4.IAccount}.
        """
        return self.mailbox


class IMAPTestCase(WireTestCase):
    """
    Tests of one IMAP server.
    """

    def begin(self) -> None:
        """
        With an account behind the portal.
        """
        self.avatar = self.account = Account()
        super().begin()

    def server(
        self,
        private: bool = True,
        peer: str = "192.0.2.1",
        mechanisms: tuple[Any, ...] = MECHANISMS,
        tls: bool = True,
        kind: type[IMAP4Server] = IMAP4Server,
        **attributes: Any,
    ) -> Connection:
        """
        A connection to a server of these attributes.
        """
        protocol = kind(mechanisms, object() if tls else None, self.schedule)
        for name, value in attributes.items():
            setattr(protocol, name, value)
        return self.connect(protocol, private, peer)

    def schedule(self, steps: Any) -> Deferred[None]:
        """
        Run a long answer to its end, as far as it does not wait.
        """
        for step in steps:
            if isinstance(step, Deferred):
                return step.addCallback(lambda _: self.schedule(steps))
        return succeed(None)

    def inside(self, **attributes: Any) -> Connection:
        """
        A connection that has logged in.
        """
        connection = self.server(**attributes)
        (reply,) = connection.say(b"in AUTHENTICATE OAUTHBEARER " + BEARER)
        self.assertEqual(b"in" + LOGGED_IN, reply)
        return connection

    def assertStarts(self, expected: bytes, replies: list[bytes]) -> None:
        """
        There is one reply, and it begins so.
        """
        self.assertEqual(1, len(replies), replies)
        self.assertEqual(expected, replies[0][: len(expected)])


class CapabilityTests(IMAPTestCase):
    """
    What is offered, and when (RFC 9051 section 7.2.2).
    """

    def capabilities(self, connection: Connection) -> bytes:
        """
        What CAPABILITY answers.
        """
        untagged, tagged = connection.say(b"c CAPABILITY")
        self.assertEqual(b"c OK CAPABILITY completed", tagged)
        return untagged.removeprefix(b"* CAPABILITY ")

    def test_private(self) -> None:
        """
        Over TLS: SASL-IR and the mechanisms, the preferred one first; no STARTTLS.
        """
        self.assertEqual(OPEN, self.capabilities(self.server()))

    def test_clear(self) -> None:
        """
        In clear: LOGINDISABLED and STARTTLS, and no mechanism that shows its secret (W3).
        """
        self.assertEqual(CLEAR, self.capabilities(self.server(private=False)))

    def test_clearWithoutTLS(self) -> None:
        """
        STARTTLS is offered only where there is a key for it.
        """
        self.assertEqual(
            b"IMAP4rev1 LOGINDISABLED ID NAMESPACE IDLE",
            self.capabilities(self.server(private=False, tls=False)),
        )

    def test_loopback(self) -> None:
        """
        Only where the configuration says so, and only from this machine, are secrets taken in
        clear (RFC 6750 section 5.3).
        """
        for peer, offered in (
            ("127.0.0.1", True),
            ("::1", True),
            ("192.0.2.1", False),
            ("::ffff:192.0.2.1", False),
        ):
            with self.subTest(peer):
                connection = self.server(private=False, peer=peer, insecureLoopback=True)
                self.assertEqual(offered, b"AUTH=PLAIN" in self.capabilities(connection))
                (reply,) = connection.say(b"1 AUTHENTICATE PLAIN " + PASSWORD)
                self.assertEqual(offered, reply.startswith(b"1 OK"))
        connection = self.server(private=False, peer="127.0.0.1")
        self.assertNotIn(b"AUTH=", self.capabilities(connection))
        # One secret was sent from elsewhere than this machine, by each of the last two.
        self.assertEqual(2, len(self.takeLogged()))

    def test_tokensAlone(self) -> None:
        """
        Where only tokens are taken, LOGIN is disabled over TLS too.
        """
        connection = self.server(mechanisms=(OAUTHBEARER, XOAUTH2))

        self.assertEqual(
            b"IMAP4rev1 SASL-IR AUTH=OAUTHBEARER AUTH=XOAUTH2 LOGINDISABLED ID NAMESPACE IDLE",
            self.capabilities(connection),
        )
        self.assertStarts(b"1 NO ", connection.say(b'1 LOGIN "alice" "correct horse"'))

    def test_nothing(self) -> None:
        """
        Without mechanisms nothing is offered, not SASL-IR either.
        """
        self.assertEqual(
            b"IMAP4rev1 LOGINDISABLED ID NAMESPACE IDLE",
            self.capabilities(self.server(mechanisms=())),
        )

    def test_inside(self) -> None:
        """
        After the login there is no AUTH, and the tagged OK said so already.
        """
        self.assertEqual(INSIDE, self.capabilities(self.inside()))

    def test_greeting(self) -> None:
        """
        The greeting holds the capabilities, and no name of a version.
        """
        protocol = IMAP4Server(MECHANISMS)
        connection = self.connect(protocol)
        protocol.sendServerGreeting()

        self.assertEqual([b"* OK [CAPABILITY " + OPEN + b"] mailauth ready"], connection.hear())

    def test_interface(self) -> None:
        """
        The connection can be ended from outside.
        """
        verifyObject(IConnection, self.server().protocol)


class AuthenticateTests(IMAPTestCase):
    """
    RFC 9051 section 6.2.2, RFC 4959.
    """

    def test_vectors(self) -> None:
        """
        The RFCs' own dialogues, line for line.
        """
        document = "https://example.com/.well-known/openid-configuration"
        mechanisms = (OAuthBearer("example_scope", document), XOAUTH2, PLAIN)
        played = 0
        for transcript in transcripts("imap"):
            with self.subTest(transcript.source):
                assert transcript.authcid or transcript.authzid
                owner = transcript.authcid or transcript.authzid
                assert owner is not None
                if transcript.outcome == "accepted":
                    assert transcript.secret is not None
                    self.verdicts.passwords[owner] = transcript.secret
                    self.verdicts.tokens[transcript.secret] = owner
                connection = self.server(mechanisms=mechanisms)
                expected = transcript.serverLines
                for line in transcript.clientLines:
                    self.assertStarts(expected.pop(0), connection.say(line))
                self.assertEqual([], expected)
                played += 1

        self.assertEqual(5, played)

    def test_everyMechanism(self) -> None:
        """
        Each logs in, with and without an initial response, its name in any case.
        """
        xoauth2 = b64encode(b"user=alice\x01auth=Bearer good-token\x01\x01")
        alice, password = b64encode(b"alice"), b64encode(b"correct horse")
        for lines in (
            (b"1 AUTHENTICATE OAUTHBEARER " + BEARER,),
            (b"1 authenticate oauthbearer", BEARER),
            (b"1 AUTHENTICATE XOAUTH2 " + xoauth2,),
            (b"1 AUTHENTICATE XOAUTH2", xoauth2),
            (b"1 AUTHENTICATE PLAIN " + PASSWORD,),
            (b"1 AUTHENTICATE Plain", PASSWORD),
            (b"1 AUTHENTICATE LOGIN", alice, password),
            (b"1 AUTHENTICATE LOGIN " + alice, password),
        ):
            with self.subTest(lines):
                replies = self.server().say(*lines)

                self.assertEqual(b"1" + LOGGED_IN, replies.pop())
                self.assertEqual(len(lines) - 1, len(replies))
        self.assertEqual(8, self.realm.logins)

    def test_prompt(self) -> None:
        """
        The empty challenge is a plus, a space and nothing.
        """
        self.assertEqual([b"+ "], self.server().say(b"1 AUTHENTICATE OAUTHBEARER"))
        self.assertEqual([b"+ VXNlcm5hbWU6"], self.server().say(b"1 AUTHENTICATE LOGIN"))

    def test_emptyInitialResponse(self) -> None:
        """
        An equals sign is a response, and empty: it is not asked for again (SA4).
        """
        self.assertStarts(b"1 BAD ", self.server().say(b"1 AUTHENTICATE PLAIN ="))
        self.assertStarts(b"+ ey", self.server().say(b"1 AUTHENTICATE OAUTHBEARER ="))

    def test_cancel(self) -> None:
        """
        An asterisk cancels with a tagged BAD, and the next command is one (SA4).
        """
        connection = self.server()
        for mechanism in (b"OAUTHBEARER", b"XOAUTH2", b"PLAIN", b"LOGIN"):
            connection.say(b"1 AUTHENTICATE " + mechanism)
            self.assertEqual([b"1 BAD Authentication cancelled."], connection.say(b"*"))
            self.assertStarts(b"2 OK", connection.say(b"2 NOOP"))
        self.assertStarts(b"3 BAD ", connection.say(b"3 AUTHENTICATE PLAIN *"))

    def test_notBase64(self) -> None:
        """
        What is no canonical base64 is a tagged BAD (SA2).
        """
        for response in (b"!", b"AGE=AGI=", b"AGFiYwBkZW", b"AAAA=", b"AB==", b'"AGEAYg=="'):
            with self.subTest(response):
                connection = self.server()
                self.assertStarts(b"1 BAD ", connection.say(b"1 AUTHENTICATE PLAIN " + response))
                connection.say(b"2 AUTHENTICATE PLAIN")
                self.assertStarts(b"2 BAD ", connection.say(response))
        self.assertEqual([], self.verdicts.contexts)

    def test_literalInitialResponse(self) -> None:
        """
        An initial response is never a literal (RFC 4959): none is invited.
        """
        self.assertStarts(b"1 BAD ", self.server().say(b"1 AUTHENTICATE PLAIN {24}"))

    def test_malformed(self) -> None:
        """
        No mechanism, or more than one response, is BAD, and what was sent is not repeated (W12).
        """
        for arguments in (b"", b" ", b" PLAIN a b", b" PL(AIN", b" PLAIN \xff \xff"):
            with self.subTest(arguments):
                (reply,) = self.server().say(b"1 AUTHENTICATE" + arguments)
                self.assertTrue(reply.startswith(b"1 BAD "), reply)
                self.assertNotIn(b"a b", reply)

    def test_unknownMechanism(self) -> None:
        """
        A mechanism that is not offered is NO (SA7).
        """
        for name in (
            b"CRAM-MD5",
            b"DIGEST-MD5",
            b"NTLM",
            b"EXTERNAL",
            b"ANONYMOUS",
            b"SCRAM-SHA-1",
        ):
            self.assertStarts(b"1 NO ", self.server().say(b"1 AUTHENTICATE " + name))

    def test_clear(self) -> None:
        """
        In clear every mechanism that shows its secret is refused unseen, and one that was shown
        is logged (W3).
        """
        connection = self.server(private=False)

        self.assertStarts(b"1 NO [PRIVACYREQUIRED] ", connection.say(b"1 AUTHENTICATE PLAIN"))
        self.assertEqual([], self.takeLogged())
        self.assertStarts(
            b"2 NO [PRIVACYREQUIRED] ", connection.say(b"2 AUTHENTICATE PLAIN " + PASSWORD)
        )
        (event,) = self.takeLogged()
        self.assertIn("192.0.2.1", formatEvent(event))
        self.assertNotIn(PASSWORD.decode(), str(event))
        self.assertEqual([], self.verdicts.contexts)

    def test_longToken(self) -> None:
        """
        A token of 16 KiB fits, as an initial response and as a continuation.
        """
        token = b"t" * 16384
        self.verdicts.tokens[token] = b"alice"
        message = b64encode(b"n,a=alice,\x01auth=Bearer %b\x01\x01" % token)

        self.assertStarts(b"1 OK", self.server().say(b"1 AUTHENTICATE OAUTHBEARER " + message))
        self.assertStarts(b"2 OK", self.server().say(b"2 AUTHENTICATE OAUTHBEARER", message)[1:])

    def test_refusedOAUTHBEARER(self) -> None:
        """
        A refused token gets the document on one line, and after one more line, whatever it is,
        the refusal, for the first tag. The connection goes on, and the next attempt works.
        """
        for answer in (
            b"AQ==",
            b"",
            b"*",
            b"=",
            BEARER,
            b"2 AUTHENTICATE XOAUTH2 " + BEARER,
            b"\x012 NOOP",
        ):
            with self.subTest(answer):
                connection = self.server()
                (challenge,) = connection.say(b"1 AUTHENTICATE OAUTHBEARER " + BAD_BEARER)
                self.assertEqual(
                    "invalid_token", json.loads(b64decode(challenge[2:], validate=True))["status"]
                )
                self.clock.advance(10)
                self.assertStarts(b"1 NO [AUTHENTICATIONFAILED] ", connection.say(answer))
                self.assertStarts(b"3 OK", connection.say(b"3 AUTHENTICATE OAUTHBEARER " + BEARER))

    def test_refusedXOAUTH2(self) -> None:
        """
        A refused XOAUTH2 is refused at once, for some clients hang on the document; a switch
        sends it.
        """
        self.assertStarts(
            b"1 NO [AUTHENTICATIONFAILED] ",
            self.server().say(b"1 AUTHENTICATE XOAUTH2 " + BAD_XOAUTH2),
        )
        telling = (XOAuth2(documentServices=frozenset({"imap"})),)
        connection = self.server(mechanisms=telling)
        (challenge,) = connection.say(b"1 AUTHENTICATE XOAUTH2 " + BAD_XOAUTH2)
        self.assertEqual("400", json.loads(b64decode(challenge[2:]))["status"])
        self.assertStarts(b"1 NO ", connection.say(b""))

    def test_codes(self) -> None:
        """
        Every outcome has its response code (RFC 5530), and the client does not get the log's
        reason.
        """
        table: list[tuple[LoginError, bytes]] = [
            (NotOwner("planted"), b"NO [AUTHORIZATIONFAILED]"),
            (InsufficientScope("planted"), b"NO [AUTHORIZATIONFAILED]"),
            (ServiceNotAllowed("planted"), b"NO [AUTHORIZATIONFAILED]"),
            (ExpiredPassword("planted"), b"NO [EXPIRED]"),
            (AccountDisabled("planted"), b"NO [CONTACTADMIN]"),
            (TooManyFailures("planted"), b"NO [LIMIT]"),
            (Outage("planted"), b"NO [UNAVAILABLE]"),
        ]
        for error, code in table:
            with self.subTest(code):
                self.verdicts.error = error
                replies = self.server().say(b"1 AUTHENTICATE PLAIN " + PASSWORD)
                self.assertStarts(b"1 " + code + b" ", replies)
                self.assertNotIn(b"planted", replies[0])

    def test_unexpected(self) -> None:
        """
        Any other exception is an outage; its message, which may hold the secret, is neither told
        nor logged (LG1, W12).
        """
        self.verdicts.error = ValueError("password planted is too odd")
        connection = self.server()

        (reply,) = connection.say(b"1 AUTHENTICATE OAUTHBEARER " + BEARER)

        self.assertTrue(reply.startswith(b"1 NO [UNAVAILABLE] "), reply)
        (event,) = self.takeLogged()
        self.assertIs(LogLevel.error, event["log_level"])
        self.assertIn("ValueError", formatEvent(event))
        self.assertNotIn("planted", f"{formatEvent(event)} {event} {reply!r}")

    def test_withoutPortal(self) -> None:
        """
        A server that was given no portal cannot decide.
        """
        connection = self.server()
        connection.protocol.portal = None

        self.assertStarts(
            b"1 NO [UNAVAILABLE] ", connection.say(b"1 AUTHENTICATE PLAIN " + PASSWORD)
        )

    def test_stockChecker(self) -> None:
        """
        cred's own checker works behind it, and lets the holder of one account into no other
        (SA1).
        """
        database = InMemoryUsernamePasswordDatabaseDontUse(alice=b"a", bob=b"b")
        self.portal = Portal(self.realm, [database])
        for message, expected in (
            (b"\0alice\0a", b"1 OK"),
            (b"alice\0alice\0a", b"1 OK"),
            (b"\0alice\0b", b"1 NO [AUTHENTICATIONFAILED] "),
            (b"bob\0alice\0a", b"1 NO [AUTHORIZATIONFAILED] "),
        ):
            with self.subTest(message):
                line = b"1 AUTHENTICATE PLAIN " + b64encode(message)
                self.assertStarts(expected, self.server().say(line))
        self.assertStarts(b"1 OK", self.server().say(b"1 LOGIN alice a"))
        self.assertStarts(b"1 NO ", self.server().say(b'1 LOGIN alice ""'))

    def test_onlyOnce(self) -> None:
        """
        After a login there is no other (S7, W14).
        """
        connection = self.inside()
        for command in (b"AUTHENTICATE PLAIN " + PASSWORD, b"LOGIN alice x", b"STARTTLS"):
            self.assertStarts(b"2 BAD ", connection.say(b"2 " + command))
        self.assertEqual(1, self.realm.logins)

    def test_threeRefusals(self) -> None:
        """
        The third refusal closes the connection, and what was pipelined behind it is not looked
        at (PW7).
        """
        connection = self.server()
        attempt = b"AUTHENTICATE PLAIN " + BAD_PASSWORD

        replies = connection.say(b"\r\n".join(b"%d %b" % (n, attempt) for n in range(1, 9)))

        self.assertEqual([b"1 NO", b"2 NO", b"3 NO", b"* BY"], [line[:4] for line in replies])
        self.assertEqual(3, len(self.verdicts.contexts))
        self.assertTrue(connection.transport.disconnecting)

    def test_context(self) -> None:
        """
        The checker is told where the attempt comes from, and the realm's mind is the connection.
        """
        connection = self.server()
        connection.say(b'1 ID ("name" "Thunderbird" "version" "153.7")')

        connection.say(b"2 AUTHENTICATE OAUTHBEARER " + BEARER)

        self.assertEqual(
            [LoginContext("imap", "192.0.2.1", True, "Thunderbird 153.7")], self.verdicts.contexts
        )
        self.assertEqual([connection.protocol], self.realm.minds)


class LoginCommandTests(IMAPTestCase):
    """
    RFC 9051 section 6.2.3, and how its arguments are read.
    """

    def test_forms(self) -> None:
        """
        Name and password may be atoms, quoted strings with their escapes, or literals.
        """
        self.verdicts.passwords[b'al"ice\\'] = b'a \\"b'
        self.verdicts.passwords[b"bob"] = b"b"
        for lines in (
            (b"1 LOGIN bob b",),
            (b'1 login "bob" b',),
            (b'1 LOGIN bob "b" ',),
            (b'1 LOGIN "al\\"ice\\\\" "a \\\\\\"b"',),
            (b"1 LOGIN {3}", b"bob {1}", b"b"),
            (b"1 LOGIN bob {1}", b"b"),
            (b"1 LOGIN {3}", b'bob "b"'),
            (b"1 LOGIN {3+}\r\nbob {1+}\r\nb",),
            (b'1 LOGIN "bob" {1+}\r\nb',),
        ):
            with self.subTest(lines):
                replies = self.server().say(*lines)
                self.assertEqual(b"1" + LOGGED_IN, replies.pop())
                self.assertEqual([b"+ Ready for the literal"] * (len(lines) - 1), replies)

    def test_emptyPassword(self) -> None:
        """
        An empty password is a wrong one, however it is sent.
        """
        for lines in (
            (b'1 LOGIN alice ""',),
            (b"1 LOGIN alice {0}", b""),
            (b"1 LOGIN alice {0+}\r\n",),
        ):
            with self.subTest(lines):
                reply = self.server().say(*lines)[-1]
                self.assertTrue(reply.startswith(b"1 NO [AUTHENTICATIONFAILED]"), reply)

    def test_malformed(self) -> None:
        """
        What cannot be read is BAD, and is not repeated to the client (W11, W12).
        """
        for arguments in (
            b"",
            b" alice",
            b' "alice planted',
            b' "alice" "plan\\ted"',
            b' "alice"planted',
            b" alice planted more",
            b" alice {-1}",
            b" alice {+1}",
            b" alice { 1}",
            b" alice {1_0}",
            b" alice {}",
            b" alice {1}planted",
            b" alice {99999999999}",
            b" alice {4097}",
        ):
            with self.subTest(arguments):
                connection = self.server()
                (reply,) = connection.say(b"1 LOGIN" + arguments)
                self.assertTrue(reply.startswith(b"1 BAD "), reply)
                self.assertNotIn(b"planted", reply)
                self.assertStarts(b"2 OK", connection.say(b"2 NOOP"))

    def test_largeLiteral(self) -> None:
        """
        A literal that is on its way and too large ends the connection: nothing of it is read as
        a command (DS3).
        """
        connection = self.server()

        replies = connection.say(b"1 LOGIN alice {4097+}\r\n2 NOOP")

        self.assertEqual([b"* BYE Literal too large"], replies)
        self.assertTrue(connection.transport.disconnecting)

    def test_clear(self) -> None:
        """
        In clear LOGIN is refused before its literals are invited, and a password that was sent
        all the same is logged (W3).
        """
        connection = self.server(private=False)

        self.assertStarts(b"1 NO [PRIVACYREQUIRED] ", connection.say(b"1 LOGIN {5}"))
        self.assertEqual([], self.takeLogged())
        self.assertStarts(b"2 NO [PRIVACYREQUIRED] ", connection.say(b"2 LOGIN alice planted"))
        (event,) = self.takeLogged()
        self.assertNotIn("planted", f"{formatEvent(event)} {event}")
        replies = connection.say(b"3 LOGIN alice {7+}\r\n4 NOOP ")
        self.assertEqual([b"3 NO", b"* BY"], [line[:4] for line in replies])
        self.assertEqual(1, len(self.takeLogged()))
        self.assertEqual([], self.verdicts.contexts)

    def test_refused(self) -> None:
        """
        An unknown name and a wrong password get one answer (PW6).
        """
        wrong = self.server().say(b"1 LOGIN alice x")
        unknown = self.server().say(b"1 LOGIN nobody x")

        self.assertStarts(b"1 NO [AUTHENTICATIONFAILED] ", wrong)
        self.assertEqual(wrong, unknown)


class CommandTests(IMAPTestCase):
    """
    What else may be said before a login.
    """

    def test_malformedCommands(self) -> None:
        """
        What is no command is BAD: tagged if it has a tag, and never repeated (W12).
        """
        for line, expected in (
            (b"", b"* BAD "),
            (b" ", b"* BAD "),
            (b"1", b"1 BAD "),
            (b"1 XYZ", b"1 BAD "),
            (b"1 LIST x y", b"1 BAD "),
            (b"1 no-op", b"* BAD "),
            (b"1\tNOOP", b"* BAD "),
            (b"* NOOP", b"* BAD "),
            (b"+ NOOP", b"* BAD "),
            (b"\x00\xff", b"* BAD "),
            (b"a{1} NOOP", b"* BAD "),
            (b"1 __class__", b"* BAD "),
            (b"t" * 256 + b" NOOP", b"* BAD "),
            (b"1 NOOP planted", b"1 BAD "),
            (b"1 CAPABILITY planted\r", b"1 BAD "),
        ):
            with self.subTest(line):
                connection = self.server()
                replies = connection.say(line)
                self.assertStarts(expected, replies)
                self.assertNotIn(b"planted", replies[0])
                self.assertStarts(b"2 OK", connection.say(b"2 NOOP"))

    def test_web(self) -> None:
        """
        A browser that was led here is shown the door (W6).
        """
        for line in (b"GET / HTTP/1.1", b"POST /x HTTP/1.0", b"OPTIONS * HTTP/1.1"):
            with self.subTest(line):
                connection = self.server()
                request = line + b"\r\nHost: x\r\n\r\n1 LOGIN alice x"
                self.assertEqual([b"* BYE This is not a web server"], connection.say(request))
                self.assertTrue(connection.transport.disconnecting)

    def test_logout(self) -> None:
        """
        LOGOUT says BYE and OK, and nothing behind it is answered, before a login and after.
        """
        for connection in (self.server(), self.inside()):
            replies = connection.say(b"9 LOGOUT\r\n10 NOOP")
            self.assertEqual([b"* BYE Logging out", b"9 OK LOGOUT completed"], replies)
            self.assertTrue(connection.transport.disconnecting)
            self.assertEqual([], connection.say(b"11 NOOP"))

    def test_id(self) -> None:
        """
        ID is answered in every state (RFC 2971), and what the client calls itself is kept short
        and printable.
        """
        for parameters, name in (
            (b"NIL", None),
            (b"nil", None),
            (b"()", None),
            (b'("vendor" "x")', None),
            (b'("name" "a\\"b" "version" NIL)', 'a\\"b'),
            (b'( "NAME"  "x" )', "x"),
            (b'("name" "x\xff\x1b" "version" "1")', "x\ufffd? 1"),
            (b'("name" "%b")' % (b"n" * 1000), "n" * 80),
        ):
            with self.subTest(parameters):
                connection = self.server()
                self.assertEqual(
                    [b'* ID ("name" "mailauth")', b"1 OK ID completed"],
                    connection.say(b"1 ID " + parameters),
                )
                self.assertEqual(name, connection.protocol.mailClient)
        inside = self.inside()
        inside.say(b'1 ID ("name" "late")')
        self.assertIs(None, inside.protocol.mailClient)

    def test_malformedID(self) -> None:
        """
        What is no list of fields is BAD, and so are more than thirty.
        """
        for parameters in (
            b"",
            b"name",
            b'("name")',
            b'("name" "x"',
            b'("name" x)',
            b'("n" "' + b"x" * 1025 + b'")',
            b"(%b)" % b" ".join(b'"f%d" NIL' % n for n in range(31)),
        ):
            with self.subTest(parameters):
                self.assertStarts(b"1 BAD ", self.server().say(b"1 ID " + parameters))

    def test_longLine(self) -> None:
        """
        A line over 32 KiB is BAD with its tag if it has one, then BYE: nothing of it is kept or
        run (DS1).
        """
        long = b"x" * 33_000
        for start, expected in (
            (b"1 NOOP ", b"1 BAD Line too long"),
            (b"1 AUTHENTICATE PLAIN ", b"1 BAD Line too long"),
            (b"", b"* BAD Line too long"),
            (b"{}", b"* BAD Line too long"),
            (b"1 LOGIN {1}\r\nx ", b"* BAD Line too long"),
        ):
            for end in (b"", b"\r\n2 NOOP\r\n"):
                with self.subTest(start, end=end):
                    connection = self.server()
                    connection.protocol.dataReceived(start + long + end)
                    self.assertEqual([expected, b"* BYE Line too long"], connection.hear()[-2:])
                    self.assertTrue(connection.transport.disconnecting)
                    self.assertEqual([], connection.say(b"3 NOOP"))

    def test_longResponse(self) -> None:
        """
        An over-long answer to a challenge is BAD for the tag that asked.
        """
        connection = self.server()

        replies = connection.say(b"1 AUTHENTICATE PLAIN", b"x" * 33_000)

        self.assertEqual([b"+ ", b"1 BAD Line too long", b"* BYE Line too long"], replies)

    def test_longLineInSegments(self) -> None:
        """
        It makes no difference how an endless line arrives, and its octets are not kept (DS1).
        """
        connection = self.server()
        for _ in range(100):
            connection.protocol.dataReceived(b"x" * 1000)

        self.assertEqual([b"* BAD Line too long", b"* BYE Line too long"], connection.hear())
        self.assertEqual(b"", connection.protocol.clearLineBuffer())


class StartTLSTests(IMAPTestCase):
    """
    RFC 9051 section 6.2.1.
    """

    def test_capabilitiesAfterwards(self) -> None:
        """
        What was known in clear is forgotten, and what is offered now is another list (W2).
        """
        connection = self.server(private=False)
        connection.say(b'1 ID ("name" "forged")')

        self.assertStarts(b"2 OK ", connection.say(b"2 STARTTLS"))
        connection.protocol.handshakeCompleted()

        self.assertEqual(b"* CAPABILITY " + OPEN, connection.say(b"3 CAPABILITY")[0])
        self.assertIs(None, connection.protocol.mailClient)
        self.assertStarts(b"4 OK ", connection.say(b"4 AUTHENTICATE OAUTHBEARER " + BEARER))

    def test_pipelined(self) -> None:
        """
        Anything behind the command in clear ends the connection, a whole command or half of one
        (S1, W1).
        """
        for behind in (b"2 CAPABILITY\r\n", b"2 NO", b"\r\n", b"\x16\x03\x01"):
            with self.subTest(behind):
                connection = self.server(private=False)
                connection.protocol.dataReceived(b"1 STARTTLS\r\n" + behind)
                self.assertEqual([b"1 BAD", b"* BYE"], [line[:5] for line in connection.hear()])
                self.assertTrue(connection.transport.disconnecting)
                self.assertFalse(connection.protocol.startedTLS)

    def test_unavailable(self) -> None:
        """
        STARTTLS is NO over TLS and without a key, and BAD with an argument.
        """
        self.assertStarts(b"1 NO ", self.server().say(b"1 STARTTLS"))
        self.assertStarts(b"1 NO ", self.server(private=False, tls=False).say(b"1 STARTTLS"))
        self.assertStarts(b"1 BAD ", self.server(private=False).say(b"1 STARTTLS now"))
        connection = self.server(private=False)
        connection.say(b"1 STARTTLS")
        connection.protocol.handshakeCompleted()
        self.assertStarts(b"2 NO ", connection.say(b"2 STARTTLS"))

    def test_stalledHandshake(self) -> None:
        """
        A handshake that does not come is cut off after ten seconds, without a word in clear
        (DS7).
        """
        connection = self.server(private=False)
        connection.say(b"1 STARTTLS")

        self.clock.pump([1] * 10)
        self.assertFalse(connection.transport.disconnected)
        self.clock.pump([1])

        self.assertTrue(connection.transport.disconnected)
        self.assertEqual([], connection.hear())

    def test_inExchange(self) -> None:
        """
        Inside an exchange it is a response like any other (W2).
        """
        connection = self.server(private=False, insecureLoopback=True, peer="127.0.0.1")
        connection.say(b"1 AUTHENTICATE PLAIN")

        self.assertStarts(b"1 BAD ", connection.say(b"2 STARTTLS"))
        self.assertFalse(connection.protocol.startedTLS)


class PendingTests(IMAPTestCase):
    """
    One login at a time (S6, W14), and peers that do not stay for its end (S4, W15).
    """

    def test_order(self) -> None:
        """
        Commands behind a login wait for it, and are answered in their order, however they come.
        """
        for separate in (False, True):
            with self.subTest(separate=separate):
                self.verdicts.waits = True
                connection = self.server()
                lines = [
                    b"1 AUTHENTICATE PLAIN " + PASSWORD,
                    b"2 NOOP",
                    b"3 NAMESPACE",
                    b"4 LOGOUT",
                ]
                if separate:
                    self.assertEqual([], connection.say(*lines))
                else:
                    self.assertEqual([], connection.say(b"\r\n".join(lines)))

                self.verdicts.answer()

                replies = [line[:4] for line in connection.hear()]
                self.assertEqual([b"1 OK", b"2 OK", b"* NA", b"3 OK", b"* BY", b"4 OK"], replies)

    def test_twoLogins(self) -> None:
        """
        A second login waits for the first, and comes too late if that succeeded.
        """
        self.verdicts.waits = True
        connection = self.server()
        attempt = b"AUTHENTICATE PLAIN "
        connection.say(b"1 " + attempt + BAD_PASSWORD + b"\r\n2 " + attempt + PASSWORD)
        self.assertEqual(1, len(self.verdicts.pending))

        self.verdicts.answer()
        self.assertStarts(b"1 NO ", connection.hear())
        self.assertEqual(1, len(self.verdicts.pending))
        connection.say(b"3 " + attempt + PASSWORD)
        self.verdicts.answer()

        self.assertEqual([b"2 OK", b"3 BA"], [line[:4] for line in connection.hear()])
        self.assertEqual(2, len(self.verdicts.contexts))

    def test_flood(self) -> None:
        """
        What comes behind a pending login stays in the kernel: reading stops.
        """
        self.verdicts.waits = True
        connection = self.server()
        connection.say(b"1 AUTHENTICATE PLAIN " + PASSWORD)
        self.assertEqual("producing", connection.transport.producerState)

        connection.say(b"2 NOOP")

        self.assertEqual("paused", connection.transport.producerState)
        self.verdicts.answer()
        self.assertEqual("producing", connection.transport.producerState)

    def test_leaves(self) -> None:
        """
        A peer that leaves during its login gets nobody in, and nothing is left (S4).
        """
        self.verdicts.waits = True
        connection = self.server()
        connection.say(b"1 AUTHENTICATE PLAIN " + PASSWORD)

        connection.lose()
        self.verdicts.answer()

        self.assertEqual((0, 0), (self.realm.logins, self.realm.logouts))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_takesTooLong(self) -> None:
        """
        A login that is not decided within ten seconds is UNAVAILABLE, and the next may work.
        """
        self.verdicts.waits = True
        connection = self.server()
        connection.say(b"1 AUTHENTICATE PLAIN " + PASSWORD)

        self.clock.advance(LOGIN_TIMEOUT)

        self.assertStarts(b"1 NO [UNAVAILABLE] ", connection.hear())
        self.verdicts.waits = False
        self.assertStarts(b"2 OK", connection.say(b"2 AUTHENTICATE PLAIN " + PASSWORD))

    def test_endedWhilePending(self) -> None:
        """
        A connection that was ended during its login says BYE and no more, and nobody gets in.
        """
        self.verdicts.waits = True
        connection = self.server()
        connection.say(b"1 AUTHENTICATE PLAIN " + PASSWORD)

        connection.protocol.end("Shutting down")
        self.verdicts.answer()

        self.assertEqual([b"* BYE Shutting down"], connection.hear())
        self.assertEqual(self.realm.logins, self.realm.logouts)


class DeadlineTests(IMAPTestCase):
    """
    How long a connection may wait, and how many may (S5, DS7, DS8).
    """

    def test_silenceBeforeTheFirstCommand(self) -> None:
        """
        Ten minutes of silence are allowed from the greeting on: Thunderbird's owner signs in.
        """
        connection = self.server()

        self.clock.pump([1] * 600)
        self.assertEqual([], connection.hear())
        self.clock.pump([1])

        self.assertEqual([b"* BYE Autologout; connection idle too long"], connection.hear())

    def test_silenceInAnExchange(self) -> None:
        """
        And inside an open AUTHENTICATE, which then still works.
        """
        connection = self.server()
        connection.say(b"1 AUTHENTICATE OAUTHBEARER")

        self.clock.pump([1] * 600)

        self.assertStarts(b"1 OK", connection.say(BEARER))

    def test_total(self) -> None:
        """
        Commands do not win more than twelve minutes in all (S5).
        """
        connection = self.server()
        for _ in range(12):
            self.assertEqual(1, len(connection.say(b"1 NOOP")))
            self.clock.pump([1] * 60)
        self.assertFalse(connection.transport.disconnecting)

        self.clock.pump([1])

        self.assertEqual([b"* BYE No login in time"], connection.hear())

    def test_unfinished(self) -> None:
        """
        A line, or a literal, or a command between its literals, ends within a minute, however
        often another octet of it comes (DS7).
        """
        for start in (b"1 NO", b"1 LOGIN {100}\r\n", b"1 LOGIN {5}\r\nalice"):
            with self.subTest(start):
                connection = self.server()
                connection.protocol.dataReceived(start)
                connection.hear()
                drip = b"x" if b"{5}" not in start else b""
                for _ in range(60):
                    connection.protocol.dataReceived(drip)
                    self.clock.pump([1])
                self.assertEqual([], connection.hear())
                self.clock.pump([1])
                self.assertEqual([b"* BYE Unfinished command"], connection.hear())

    def test_afterLogin(self) -> None:
        """
        Who is in has half an hour of silence, and none of those deadlines (RFC 9051 section 5.4).
        """
        connection = self.inside()

        self.clock.pump([1] * 60 * 29)
        self.assertEqual([], connection.hear())
        self.clock.pump([1] * 75)

        self.assertEqual([b"* BYE Autologout; connection idle too long"], connection.hear())

    def test_full(self) -> None:
        """
        Above the number that may wait, the one that was silent longest goes; those who are in
        do not count (DS8).
        """
        room = WaitingRoom(self.clock.callLater, WaitingLimits(connections=2))
        inside = self.inside(waitingRoom=room)
        first = self.server(waitingRoom=room)
        self.clock.pump([1])
        second = self.server(waitingRoom=room)
        self.clock.pump([1])
        first.say(b"1 NOOP")

        self.server(waitingRoom=room)

        self.assertEqual([b"* BYE Too many connections"], second.hear())
        self.assertEqual([[], []], [inside.hear(), first.hear()])

    def test_unread(self) -> None:
        """
        A client that sends commands and reads no answer is read no more, and cut off (DS6).
        """
        connection = self.server()
        connection.protocol.flow.pauseProducing()

        self.assertEqual([], connection.say(b"1 NOOP"))
        self.assertEqual("paused", connection.transport.producerState)
        self.clock.pump([1] * 30)

        self.assertTrue(connection.transport.disconnected)


class InsideTests(IMAPTestCase):
    """
    After the login, where the parent class answers.
    """

    def test_end(self) -> None:
        """
        A revocation ends the connection with BYE, at any time and only once; no command after it
        is answered.
        """
        connection = self.inside()

        connection.protocol.end("This password was revoked")
        connection.protocol.end("again")

        self.assertEqual([b"* BYE This password was revoked"], connection.hear())
        self.assertEqual([], connection.say(b"1 NOOP"))
        connection.lose()
        self.assertEqual(1, self.realm.logouts)

    def test_endWithinMessage(self) -> None:
        """
        A connection that is ended while a message is sent says nothing more: BYE would be taken
        for a part of the message.
        """
        self.account.mailbox.messages = [(1, LongMessage())]
        connection = self.inside()
        connection.say(b"1 SELECT INBOX")
        connection.transport.drain()
        connection.transport.slow = True
        connection.say(b"2 FETCH 1 (RFC822.TEXT)")

        connection.protocol.end("This password was revoked")
        connection.transport.drain()

        self.assertEqual([], connection.hear())
        self.assertTrue(connection.transport.disconnecting)

    def test_retire(self) -> None:
        """
        At a shutdown it ends at once: a command that waits was not acknowledged.
        """
        connection = self.inside()

        self.successResultOf(connection.protocol.retire("Shutting down"))

        self.assertEqual([b"* BYE Shutting down"], connection.hear())

    def test_nothingIsLeft(self) -> None:
        """
        A connection that is lost is gone at once, and not when the garbage collector finds it.
        """
        connection = self.inside()
        protocol = ref(connection.protocol)
        self.realm.minds.clear()
        self.connections.clear()
        self.addCleanup(gc.enable)
        gc.disable()

        connection.lose()
        del connection

        self.assertIsNone(protocol())

    def test_mailboxIsLeft(self) -> None:
        """
        A lost connection leaves its mailbox (S11).
        """
        self.account.mailbox = mailbox = CloseableMailbox()
        connection = self.inside()
        connection.say(b"1 SELECT INBOX")
        self.assertEqual([connection.protocol], mailbox.listeners)

        connection.lose()

        self.assertEqual([], mailbox.listeners)
        self.assertEqual(1, mailbox.closed)

    def test_mailboxThatIsNotClosed(self) -> None:
        """
        A mailbox that does not want to know is only left.
        """
        connection = self.inside()
        connection.say(b"1 SELECT INBOX")

        connection.lose()

        self.assertEqual([], self.account.mailbox.listeners)

    def test_mailboxCannotBeClosed(self) -> None:
        """
        One that cannot be closed is logged, by the kind of error alone.
        """
        self.account.mailbox = mailbox = CloseableMailbox()
        mailbox.closeError = OSError("planted")
        connection = self.inside()
        connection.say(b"1 SELECT INBOX")

        connection.lose()

        (event,) = self.takeLogged()
        self.assertIn("OSError", formatEvent(event))
        self.assertNotIn("planted", f"{formatEvent(event)} {event}")

    def test_append(self) -> None:
        """
        The literal of APPEND is taken to its last octet, whichever way it is announced.
        """
        for announcement in (b"{5}\r\n", b"{5+}\r\n"):
            connection = self.inside()
            connection.protocol.dataReceived(b"1 APPEND INBOX (\\Seen) " + announcement)
            connection.protocol.dataReceived(b"a\r\nb\r\r\n")
            self.assertEqual(b"1 OK APPEND complete", connection.hear()[-1])
        self.assertEqual([b"a\r\nb\r"] * 2, self.account.mailbox.added)

    def test_appendLimits(self) -> None:
        """
        Its size is looked at before it is invited: no number that is none, and none over the
        limit (S12, W11, DS3).
        """
        for size in (b"{-1}", b"{+1}", b"{ 1}", b"{1_0}", b"{99999999999999}", b"{52428801}", b"x"):
            with self.subTest(size):
                replies = self.inside().say(b"1 APPEND INBOX (\\Seen) " + size)
                self.assertStarts(b"1 BAD ", replies)
        connection = self.inside()
        connection.say(b"1 APPEND INBOX (\\Seen) {52428801+}")
        self.assertTrue(connection.transport.disconnecting)

    def test_longAnswer(self) -> None:
        """
        During a long answer one more line is kept, reading stops, and afterwards everything goes
        on in order (S13).
        """
        slow: Deferred[None] = Deferred()
        self.account.mailbox.messages = [(1, SlowMessage(slow))]
        connection = self.inside()
        connection.say(b"1 SELECT INBOX")
        connection.protocol.spew_flags = lambda id, msg, _w=None, _f=None: msg.slow

        connection.say(b"2 FETCH 1 (FLAGS)", b"3 NOOP", b"4 NOOP", b"5 NOOP")
        self.assertEqual([b"3 NOOP"], connection.protocol.blocked)
        self.assertEqual("paused", connection.transport.producerState)
        slow.callback(None)

        self.assertEqual(
            [b"2 OK", b"3 OK", b"4 OK", b"5 OK"], [line[:4] for line in connection.hear()[-4:]]
        )
        self.assertEqual("producing", connection.transport.producerState)

    def test_twoLongAnswers(self) -> None:
        """
        A second long answer behind the first holds what is behind it in turn.
        """
        first: Deferred[None] = Deferred()
        second: Deferred[None] = Deferred()
        connection = self.inside()
        connection.say(b"1 SELECT INBOX")
        connection.protocol.spew_flags = lambda id, msg, _w=None, _f=None: msg.slow
        self.account.mailbox.messages = [(1, SlowMessage(first))]
        connection.say(b"2 FETCH 1 (FLAGS)", b"3 FETCH 1 (FLAGS)", b"4 NOOP")
        self.account.mailbox.messages = [(1, SlowMessage(second))]

        first.callback(None)
        self.assertEqual(b"2 OK FETCH completed", connection.hear()[-1])
        second.callback(None)

        self.assertEqual([b"3 OK", b"4 OK"], [line[:4] for line in connection.hear()[-2:]])

    def test_answerAfterTheEnd(self) -> None:
        """
        An answer that ends after its connection did starts no timer (S4).
        """
        slow: Deferred[None] = Deferred()
        self.account.mailbox.messages = [(1, SlowMessage(slow))]
        connection = self.inside()
        connection.say(b"1 SELECT INBOX")
        connection.protocol.spew_flags = lambda id, msg, _w=None, _f=None: msg.slow
        connection.say(b"2 FETCH 1 (FLAGS)")

        connection.lose()
        slow.callback(None)

        self.assertEqual([], self.clock.getDelayedCalls())

    def test_unexpected(self) -> None:
        """
        An exception in a command is BAD without its words, which are not logged either (W12,
        LG3).
        """
        for state in (self.server, self.inside):
            replies = state(kind=Breaking).say(b"1 BREAK")

            self.assertEqual([b"* BAD Server error"], replies)
            (event,) = self.takeLogged()
            self.assertIn("ValueError", formatEvent(event))
            self.assertNotIn("planted", f"{formatEvent(event)} {event}")


class Breaking(IMAP4Server):
    """
    A server with a command that fails.
    """

    def do_BREAK(self, tag: bytes) -> None:
        """
        Fail, quoting the client.
        """
        secret = "planted"
        raise ValueError(secret)

    unauth_BREAK = auth_BREAK = (do_BREAK,)


class LongMessage:
    """
    One that is not sent at once.
    """

    def getBodyFile(self) -> BytesIO:
        """
        See L{imap4.IMessagePart}.
        """
        return BytesIO(b"x" * 200_000)


class SlowMessage:
    """
    One that is not there yet.
    """

    def __init__(self, slow: Deferred[None]) -> None:
        self.slow = slow


TAGGED = st.sampled_from(
    [
        b"NOOP",
        b"CAPABILITY",
        b"ID NIL",
        b"STARTTLS",
        b"LOGOUT",
        b"AUTHENTICATE PLAIN",
        b"AUTHENTICATE PLAIN =",
        b"AUTHENTICATE PLAIN " + PASSWORD,
        b"AUTHENTICATE LOGIN",
        b"AUTHENTICATE OAUTHBEARER " + BAD_BEARER,
        b"AUTHENTICATE XOAUTH2 " + BAD_XOAUTH2,
        b"LOGIN alice x",
        b"LOGIN {5}\r\nalice {1+}\r\nx",
        b'LOGIN "al\\"ice" {3}\r\nabc',
        b"LOGIN {999999}",
        b"SELECT INBOX",
        b"IDLE",
    ]
)
LINES = st.one_of(
    st.builds(b"%d %b".__mod__, st.tuples(st.integers(1, 99), TAGGED)),
    st.sampled_from([b"*", b"", b"AQ==", b"DONE", PASSWORD, b"GET / HTTP/1.1", b"x" * 33_000]),
    st.binary(max_size=40),
)


class AnythingTests(IMAPTestCase):
    """
    Whatever comes (W13, E1).
    """

    def play(self, octets: bytes, cuts: list[int], private: bool) -> list[bytes]:
        """
        What a fresh server says to the octets, cut into segments.
        """
        connection = self.server(private=private, tls=False)
        for segment in segments(octets, cuts):
            connection.protocol.dataReceived(segment)
        return connection.hear()

    @given(st.lists(LINES, max_size=8), st.lists(st.integers(0, 400), max_size=8), st.booleans())
    def test_segmentation(self, lines: list[bytes], cuts: list[int], private: bool) -> None:
        """
        Nothing raises, nothing is logged as an error, and the replies do not depend on how the
        octets arrive.
        """
        octets = b"\r\n".join([*lines, b""])
        self.finish()
        self.begin()

        whole = self.play(octets, [], private)

        self.assertEqual(whole, self.play(octets, cuts, private))
        self.assertEqual(whole, self.play(octets, list(range(1, min(len(octets), 500))), private))
        for event in self.takeLogged():
            self.assertIs(LogLevel.warn, event["log_level"])

    @given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
    def test_anyOctets(self, octets: bytes, cuts: list[int]) -> None:
        """
        The same of any octets at all.
        """
        self.finish()
        self.begin()

        self.assertEqual(self.play(octets, [], True), self.play(octets, cuts, True))
