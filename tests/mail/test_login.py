"""
How a connection logs in, on a wire that only writes down what it is told.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, ClassVar

from twisted.cred.checkers import ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface, implementer

from mailauth.credentials import LoginContext, UsernamePassword
from mailauth.errors import (
    Cancelled,
    InvalidCredentials,
    InvalidToken,
    LoginError,
    NotOwner,
    Outage,
    PrivacyRequired,
    TooManyFailures,
    UnknownMechanism,
)
from mailauth.interfaces import IBearerToken, IMechanism
from mailauth.mail.flow import Flow
from mailauth.mail.login import LOGIN_TIMEOUT, Login
from mailauth.sasl.oauthbearer import OAUTHBEARER
from mailauth.sasl.plain import LOGIN, PLAIN

from .rooms import Attended, enterRoom

BEARER = b64encode(b"n,,\x01auth=Bearer planted-token\x01\x01")
PASSWORD = b64encode(b"\x00alice\x00planted-password")


class Wire(Attended, LineReceiver):
    """
    Writes down what a L{Login} has it say.
    """

    service: ClassVar[str] = "smtp"
    avatarInterface: ClassVar[Any] = Interface
    transport: StringTransport

    def __init__(self, clock: Clock, portal: Portal | None) -> None:
        self.clock = clock
        self.portal = portal
        self.private = True
        self.said: list[Any] = []
        self.makeConnection(StringTransport())
        self.deadlines = enterRoom(self, clock)
        self.flow = Flow(self, self.deadlines)
        self.login = Login(self)
        self.lost = False

    def lose(self) -> None:
        """
        Lose the connection, unless it is lost already.
        """
        if not self.lost:
            self.lost = True
            self.deadlines.leave()
            self.flow.lost()
            self.login.connectionLost()

    def mechanism(self, name: bytes) -> IMechanism | None:
        """
        Any of three.
        """
        return {b"OAUTHBEARER": OAUTHBEARER, b"PLAIN": PLAIN, b"LOGIN": LOGIN}.get(name)

    def isPrivate(self) -> bool:
        """
        As the test says.
        """
        return self.private

    def loginContext(self) -> LoginContext:
        """
        From nowhere.
        """
        return LoginContext(self.service, "192.0.2.1", self.private)

    def callLater(self, seconds: float, call: Callable[[], object]) -> IDelayedCall:
        """
        On the test's clock.
        """
        return self.clock.callLater(seconds, call)

    def sendChallenge(self, challenge: bytes) -> None:
        """
        Write down what it holds.
        """
        self.said.append(b64decode(challenge, validate=True))

    def loginSucceeded(self, avatar: Any) -> None:
        """
        Write down who is in.
        """
        self.said.append(avatar)

    def loginFailed(self, error: LoginError) -> None:
        """
        Write down why not.
        """
        self.said.append(error)

    def end(self, reason: str) -> None:
        """
        Close.
        """
        self.said.append(reason)
        self.flow.close()


@implementer(ICredentialsChecker)
class Slow:
    """
    A checker whose answers the test gives.
    """

    credentialInterfaces = (IUsernamePassword, IBearerToken)

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answers: list[Deferred[bytes | tuple[()]]] = []
        self.cancelled = 0

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """
        See L{ICredentialsChecker.requestAvatarId}.
        """
        self.asked.append(credentials)
        answer: Deferred[bytes | tuple[()]] = Deferred(self._cancel)
        self.answers.append(answer)
        return answer

    def _cancel(self, answer: Deferred[bytes | tuple[()]]) -> None:
        self.cancelled += 1


class Prompt(Slow):
    """
    A checker that lets everybody in at once.
    """

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """
        See L{ICredentialsChecker.requestAvatarId}.
        """
        return succeed(b"alice")


@implementer(IRealm)
class Realm:
    """
    A realm that counts.

    @ivar opening: what it waits for, or C{None} if it is quick. It cannot be cancelled, as work
        in a thread cannot.
    @ivar ends: whether the avatar's connection is ended before it is given.
    """

    ends = False

    def __init__(self) -> None:
        self.logins = self.logouts = 0
        self.minds: list[Any] = []
        self.opening: Deferred[None] | None = None

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: Any) -> Any:
        """
        See L{IRealm.requestAvatar}.
        """
        self.minds.append(mind)
        if self.ends:
            mind.end("revoked")
        if self.opening is None:
            return self._avatar(None, interfaces[0])
        return self.opening.addCallback(self._avatar, interfaces[0])

    def _avatar(self, _: None, interface: Any) -> Any:
        self.logins += 1
        return interface, "the avatar", self._logout

    def _logout(self) -> None:
        self.logouts += 1


@implementer(ILogObserver)
class Log:
    """
    Keeps what is logged.
    """

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        """
        See L{ILogObserver}.
        """
        self.events.append(event)


class LoginTestCase(SynchronousTestCase):
    """
    What the tests here share. After each of them nobody is in and no timer is left.
    """

    def setUp(self) -> None:
        """
        A wire before a portal.
        """
        self.clock = Clock()
        self.checker = Slow()
        self.realm = Realm()
        self.wire = Wire(self.clock, Portal(self.realm, [self.checker]))
        self.login = self.wire.login
        self.log = Log()
        globalLogPublisher.addObserver(self.log)
        self.addCleanup(self.finish)

    def finish(self) -> None:
        """
        Lose the connection, and look whether anything is left.
        """
        globalLogPublisher.removeObserver(self.log)
        self.wire.lose()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertEqual(self.realm.logins, self.realm.logouts)
        for event in self.log.events:
            self.assertNotIn("planted", f"{formatEvent(event)} {event}")

    def says(self) -> list[Any]:
        """
        What the wire was told to say since.
        """
        said, self.wire.said = self.wire.said, []
        return said

    def saysError(self, kind: type[LoginError]) -> LoginError:
        """
        Nothing but this failure was said.
        """
        (error,) = self.says()
        self.assertIs(kind, type(error))
        assert isinstance(error, LoginError)
        return error

    def logged(self, level: LogLevel) -> list[str]:
        """
        The messages of that level.
        """
        return [formatEvent(event) for event in self.log.events if event["log_level"] is level]


class LoginTests(LoginTestCase):
    """
    L{Login}.
    """

    def test_admitted(self) -> None:
        """
        A login that waits for its checker holds reading, and lets go when it is decided. The
        portal is told where it comes from, and the connection is its mind.
        """
        self.login.authenticate(b"oauthbearer", BEARER)
        self.assertTrue(self.wire.paused)
        self.assertEqual([], self.says())

        self.checker.answers[0].callback(b"alice")

        self.assertEqual(["the avatar"], self.says())
        self.assertTrue(self.login.succeeded)
        self.assertFalse(self.login.exchanging)
        self.assertFalse(self.wire.paused)
        self.assertEqual([self.wire], self.realm.minds)
        (credentials,) = self.checker.asked
        self.assertEqual(LoginContext("smtp", "192.0.2.1", True), credentials.context)

    def test_challenges(self) -> None:
        """
        A mechanism of several steps asks, and the wire's next lines are responses.
        """
        self.login.authenticate(b"LOGIN", None)
        self.assertTrue(self.login.exchanging)
        self.login.respond(b64encode(b"alice"))
        self.login.respond(b64encode(b"planted-password"))

        self.assertEqual([b"Username:", b"Password:"], self.says())
        (credentials,) = self.checker.asked
        self.assertEqual(b"alice", credentials.username)

    def test_refusedWithDocument(self) -> None:
        """
        The refusal comes after the client has answered the document; until then the exchange is
        open, and reading goes on for that answer.
        """
        self.login.authenticate(b"OAUTHBEARER", BEARER)

        self.checker.answers[0].errback(InvalidToken("revoked"))

        (document,) = self.says()
        self.assertIn(b'"invalid_token"', document)
        self.assertTrue(self.login.exchanging)
        self.assertFalse(self.wire.paused)
        self.login.respond(b"AQ==")
        self.saysError(InvalidToken)
        self.assertFalse(self.login.exchanging)

    def test_brokenOff(self) -> None:
        """
        What nobody can read as a response ends the exchange by what is wrong with it, but a
        verdict that is spoken stays the verdict.
        """
        self.login.authenticate(b"PLAIN", None)
        self.says()
        self.login.breakOff(Cancelled())
        self.saysError(Cancelled)
        self.assertFalse(self.login.exchanging)

        self.login.authenticate(b"OAUTHBEARER", BEARER)
        self.checker.answers[0].errback(InvalidToken())
        self.says()
        self.login.breakOff(Cancelled())
        self.saysError(InvalidToken)

    def test_present(self) -> None:
        """
        Name and password by a command log in as those by a mechanism do.
        """
        self.login.present(UsernamePassword(b"alice", b"planted-password"))
        self.checker.answers[0].errback(InvalidCredentials())
        self.saysError(InvalidCredentials)

        self.login.present(UsernamePassword(b"alice", b"planted-password"))
        self.checker.answers[1].callback(b"alice")
        self.assertEqual(["the avatar"], self.says())

    def test_unknownMechanism(self) -> None:
        """
        There is no mechanism but those offered.
        """
        self.login.authenticate(b"CRAM-MD5", None)

        self.saysError(UnknownMechanism)
        self.assertEqual([], self.checker.asked)

    def test_exposed(self) -> None:
        """
        On a connection that is not private nothing is looked at, and a secret that was sent all
        the same is logged as exposed, without being told (W3).
        """
        self.wire.private = False

        self.login.authenticate(b"PLAIN", None)
        self.saysError(PrivacyRequired)
        self.assertEqual([], self.logged(LogLevel.warn))
        self.login.authenticate(b"PLAIN", PASSWORD)
        self.saysError(PrivacyRequired)
        self.login.present(UsernamePassword(b"alice", b"planted-password"))
        self.saysError(PrivacyRequired)

        self.assertEqual(2, len(self.logged(LogLevel.warn)))
        self.assertEqual([], self.checker.asked)

    def test_withoutPortal(self) -> None:
        """
        Where there is nobody to ask, it cannot be decided.
        """
        self.wire.portal = None

        self.login.authenticate(b"OAUTHBEARER", BEARER)

        self.saysError(Outage)

    def test_threeRefusals(self) -> None:
        """
        The third refusal closes the connection (PW7).
        """
        for attempt in range(3):
            self.login.authenticate(b"PLAIN", PASSWORD)
            self.checker.answers[attempt].errback(InvalidCredentials())

        errors = self.says()
        self.assertEqual("Too many failed logins", errors.pop())
        self.assertEqual([InvalidCredentials] * 3, [type(error) for error in errors])
        self.assertTrue(self.wire.transport.disconnecting)

    def test_otherFailuresAreNoGuesses(self) -> None:
        """
        Outages and broken exchanges do not bring the end nearer.
        """
        for _ in range(5):
            self.login.authenticate(b"PLAIN", PASSWORD)
            self.checker.answers[-1].errback(Outage())
            self.login.authenticate(b"PLAIN", b"*")

        self.assertFalse(self.wire.transport.disconnecting)
        self.assertEqual([Outage, Cancelled] * 5, [type(error) for error in self.says()])

    def test_timeout(self) -> None:
        """
        A login that takes ten seconds is an outage; its checker is cancelled, and the connection
        goes on.
        """
        self.login.authenticate(b"OAUTHBEARER", BEARER)
        self.clock.advance(LOGIN_TIMEOUT - 1)
        self.assertEqual([], self.says())

        self.clock.advance(1)

        self.saysError(Outage)
        self.assertEqual(1, self.checker.cancelled)
        self.assertFalse(self.wire.paused)
        self.assertFalse(self.login.exchanging)

    def test_timeoutWhileClosing(self) -> None:
        """
        On a connection that was ended meanwhile the timeout has nothing to say.
        """
        self.login.authenticate(b"OAUTHBEARER", BEARER)
        self.wire.end("shutting down")
        self.says()

        self.clock.advance(LOGIN_TIMEOUT)

        self.assertEqual([], self.says())

    def test_nextAfterTimeout(self) -> None:
        """
        An answer that comes too late is not taken for that of the next login (SA3).
        """
        late: Deferred[None] = Deferred()
        self.realm.opening = late
        self.login.authenticate(b"OAUTHBEARER", BEARER)
        self.checker.answers[0].callback(b"alice")
        self.clock.advance(LOGIN_TIMEOUT)
        self.saysError(Outage)
        self.realm.opening = None
        self.login.authenticate(b"OAUTHBEARER", BEARER)

        late.callback(None)

        self.assertEqual((1, 1), (self.realm.logins, self.realm.logouts))
        self.assertEqual([], self.says())
        self.assertFalse(self.login.succeeded)
        self.checker.answers[1].callback(b"bob")
        self.assertEqual(["the avatar"], self.says())


class LeavingTests(LoginTestCase):
    """
    The peer leaves, before, during or after a login (S4, W15).
    """

    def leave(self) -> None:
        """
        Lose the connection.
        """
        self.wire.lose()

    def test_afterwards(self) -> None:
        """
        Who was in is logged out once.
        """
        self.login.authenticate(b"OAUTHBEARER", BEARER)
        self.checker.answers[0].callback(b"alice")
        self.assertEqual(0, self.realm.logouts)

        self.leave()
        self.leave()

        self.assertEqual(1, self.realm.logouts)

    def test_checkerIsCancelled(self) -> None:
        """
        A checker that still looks is told to stop, and nobody gets in.
        """
        self.login.authenticate(b"OAUTHBEARER", BEARER)

        self.leave()

        self.assertEqual(1, self.checker.cancelled)
        self.assertEqual(0, self.realm.logins)
        self.assertEqual([], self.says())

    def test_realmIsNotCancelled(self) -> None:
        """
        A realm at work is left to finish, for its avatar has to be logged out.
        """
        opening: Deferred[None] = Deferred()
        self.realm.opening = opening
        self.login.authenticate(b"OAUTHBEARER", BEARER)
        self.checker.answers[0].callback(b"alice")

        self.leave()
        self.assertEqual((0, 0), (self.realm.logins, self.realm.logouts))
        opening.callback(None)

        self.assertEqual((1, 1), (self.realm.logins, self.realm.logouts))
        self.assertEqual([], self.says())

    def test_realmFailsLate(self) -> None:
        """
        Nobody hears of a realm that fails when everybody has left.
        """
        opening: Deferred[None] = Deferred()
        self.realm.opening = opening
        self.login.authenticate(b"OAUTHBEARER", BEARER)
        self.checker.answers[0].callback(b"alice")
        self.leave()

        opening.errback(RuntimeError("planted"))

        self.assertEqual([], self.says())

    def test_endedDuringLogin(self) -> None:
        """
        A connection that was ended while its login was pending lets nobody in and says nothing
        more.
        """
        for answer in (b"alice", InvalidToken()):
            wire = Wire(self.clock, self.wire.portal)
            wire.login.authenticate(b"OAUTHBEARER", BEARER)
            wire.end("revoked")

            if isinstance(answer, bytes):
                self.checker.answers[-1].callback(answer)
            else:
                self.checker.answers[-1].errback(answer)

            self.assertEqual(["revoked"], wire.said)
            self.assertFalse(wire.login.succeeded)
            wire.lose()

    def test_endedAtOnce(self) -> None:
        """
        The same if neither checker nor realm took any time, and the realm ended the connection.
        """
        self.wire.portal = Portal(self.realm, [Prompt()])
        self.realm.ends = True

        self.login.authenticate(b"OAUTHBEARER", BEARER)

        self.assertEqual(["revoked"], self.says())
        self.assertFalse(self.login.succeeded)
        self.assertEqual((1, 1), (self.realm.logins, self.realm.logouts))

    def test_midExchange(self) -> None:
        """
        An exchange that nobody will go on with is forgotten.
        """
        self.login.authenticate(b"LOGIN", None)

        self.leave()

        self.assertFalse(self.login.exchanging)


class ForeignCheckersTests(LoginTestCase):
    """
    Behind the portal there may be anybody's checkers.
    """

    def test_stockChecker(self) -> None:
        """
        cred's own checker takes our credentials, and its refusal is ours.
        """
        database = InMemoryUsernamePasswordDatabaseDontUse(alice=b"planted-password")
        self.wire.portal = Portal(self.realm, [database])

        self.login.authenticate(b"PLAIN", b64encode(b"\x00alice\x00wrong"))
        self.saysError(InvalidCredentials)
        self.login.authenticate(b"PLAIN", PASSWORD)
        self.assertEqual(["the avatar"], self.says())

    def test_foreignAuthzid(self) -> None:
        """
        A checker that knows no authorization identities is not asked for one: the holder of one
        account does not get into another (SA1).
        """
        database = InMemoryUsernamePasswordDatabaseDontUse(alice=b"planted-password", bob=b"b")
        self.wire.portal = Portal(self.realm, [database])

        self.login.authenticate(b"PLAIN", b64encode(b"bob\x00alice\x00planted-password"))

        self.saysError(NotOwner)
        self.assertEqual(0, self.realm.logins)

    def test_ownAuthzid(self) -> None:
        """
        One's own name as authorization identity is an ordinary login.
        """
        database = InMemoryUsernamePasswordDatabaseDontUse(alice=b"planted-password")
        self.wire.portal = Portal(self.realm, [database])

        self.login.authenticate(b"PLAIN", b64encode(b"alice\x00alice\x00planted-password"))

        self.assertEqual(["the avatar"], self.says())

    def test_nobodyTakesTokens(self) -> None:
        """
        A portal without a checker for tokens is misconfigured: an outage, and in the log.
        """
        self.wire.portal = Portal(self.realm, [InMemoryUsernamePasswordDatabaseDontUse()])

        self.login.authenticate(b"OAUTHBEARER", BEARER)

        self.saysError(Outage)
        (message,) = self.logged(LogLevel.error)
        self.assertIn("UnhandledCredentials", message)

    def test_unexpected(self) -> None:
        """
        Any other exception is an outage. Its message is told to nobody, for it may hold the
        secret; its type and place are logged (LG1, W12).
        """
        self.login.authenticate(b"OAUTHBEARER", BEARER)

        self.checker.answers[0].errback(RuntimeError("no row for planted-token"))

        error = self.saysError(Outage)
        self.assertNotIn(b"planted", error.text)
        (message,) = self.logged(LogLevel.error)
        self.assertIn("RuntimeError", message)

    def test_cancelledByItself(self) -> None:
        """
        A checker that gives up by itself is an outage too.
        """
        self.login.authenticate(b"OAUTHBEARER", BEARER)

        self.checker.answers[0].errback(CancelledError())

        self.saysError(Outage)
        self.assertEqual(1, len(self.logged(LogLevel.error)))

    def test_throttled(self) -> None:
        """
        Our own errors come through as they are.
        """
        self.login.authenticate(b"OAUTHBEARER", BEARER)

        self.checker.answers[0].errback(TooManyFailures())

        self.saysError(TooManyFailures)
        self.assertEqual([], self.logged(LogLevel.error))
