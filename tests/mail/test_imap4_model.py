"""
The IMAP login against a model of it: any sequence of lines, verdicts, timeouts and goodbyes
(no login without a verified credential, one in flight, one reply for each command).
"""

from __future__ import annotations

from base64 import b64encode

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from mailauth.mail.login import LOGIN_TIMEOUT, MAX_FAILURES

from .test_imap4 import IMAPTestCase
from .wires import BAD_BEARER, BAD_PASSWORD, BEARER, PASSWORD

RESPONSES = {
    (b"PLAIN", True): PASSWORD,
    (b"PLAIN", False): BAD_PASSWORD,
    (b"OAUTHBEARER", True): BEARER,
    (b"OAUTHBEARER", False): BAD_BEARER,
    (b"XOAUTH2", True): b64encode(b"user=alice\x01auth=Bearer good-token\x01\x01"),
    (b"XOAUTH2", False): b64encode(b"user=alice\x01auth=Bearer bad-token\x01\x01"),
}
MECHANISMS = st.sampled_from([b"PLAIN", b"OAUTHBEARER", b"XOAUTH2"])


@attrs.frozen
class Attempt:
    """
    A login that the portal is deciding on.
    """

    tag: bytes
    mechanism: bytes | None
    good: bool


@attrs.frozen
class Line:
    """
    A line, and what it means as a command and as a response.

    @ivar text: what is sent; C{%b} is where the tag goes.
    @ivar attempt: the credentials in it, if it is a command that has them.
    @ivar mechanism: of the exchange that it begins, if it begins one.
    @ivar response: the mechanism it is a response of, and whether it is a right one.
    """

    text: bytes
    attempt: tuple[bytes | None, bool] | None = None
    mechanism: bytes | None = None
    response: tuple[bytes, bool] | None = None


NOOP = Line(b"%b NOOP")
LOGINS = [
    Line(b'%b LOGIN alice "correct horse"', (None, True)),
    Line(b"%b LOGIN alice wrong", (None, False)),
]
LINES = st.one_of(
    st.just(NOOP),
    st.sampled_from(LOGINS),
    st.builds(
        lambda mechanism, good: Line(
            b"%b AUTHENTICATE " + mechanism + b" " + RESPONSES[mechanism, good], (mechanism, good)
        ),
        MECHANISMS,
        st.booleans(),
    ),
    st.builds(lambda name: Line(b"%b AUTHENTICATE " + name, mechanism=name), MECHANISMS),
    st.builds(
        lambda name, good: Line(RESPONSES[name, good], response=(name, good)),
        MECHANISMS,
        st.booleans(),
    ),
    st.sampled_from([Line(b"*"), Line(b""), Line(b"AQ=="), Line(b"!")]),
)


class IMAPLogin(RuleBasedStateMachine):
    """
    The model. C{expected} collects how the replies that are due begin.
    """

    def __init__(self) -> None:
        super().__init__()
        self.case = IMAPTestCase()
        self.case.begin()
        self.case.verdicts.waits = True
        self.tags = 0
        self.expected: list[bytes] = []
        self.queued: list[tuple[bytes, Line]] = []
        self.exchange: tuple[bytes, bytes] | None = None
        self.document: bytes | None = None
        self.inFlight: Attempt | None = None
        self.loggedIn = False
        self.closed = False
        self.refusals = 0

    def teardown(self) -> None:
        """
        Nobody is left in, no timer runs, and nothing worse than a warning was logged.
        """
        assert all(event["log_level"] is LogLevel.warn for event in self.case.takeLogged())
        self.case.finish()

    # What is done

    @initialize(private=st.booleans())
    def connect(self, private: bool) -> None:
        """
        Begin, in clear or over TLS.
        """
        self.private = private
        self.connection = self.case.server(private=private)

    @rule(lines=st.lists(LINES, min_size=1, max_size=4), together=st.booleans())
    def say(self, lines: list[Line], together: bool) -> None:
        """
        Send lines, in one segment or in several.
        """
        texts = []
        for line in lines:
            self.tags += 1
            tag = b"t%d" % self.tags
            texts.append(line.text.replace(b"%b", tag))
            self.receive(tag, line)
        if together:
            self.hear(self.connection.say(b"\r\n".join(texts)))
        else:
            self.hear(self.connection.say(*texts))

    @precondition(lambda self: self.inFlight is not None)
    @rule()
    def decide(self) -> None:
        """
        The checker answers.
        """
        attempt, self.inFlight = self.inFlight, None
        assert attempt is not None
        if self.closed:
            pass
        elif attempt.good:
            self.loggedIn = True
            self.expected.append(attempt.tag + b" OK [CAPABILITY ")
        elif attempt.mechanism == b"OAUTHBEARER":
            self.document = attempt.tag
            self.expected.append(b"+ ey")
        else:
            self.refuse(attempt.tag)
        self.takeQueued()
        self.case.verdicts.answer()
        self.hear(self.connection.hear())

    @precondition(lambda self: self.inFlight is not None)
    @rule()
    def wait(self) -> None:
        """
        The checker does not answer.
        """
        attempt, self.inFlight = self.inFlight, None
        assert attempt is not None
        if not self.closed:
            self.expected.append(attempt.tag + b" NO [UNAVAILABLE] ")
        self.takeQueued()
        self.case.verdicts.pending.clear()
        self.case.clock.advance(LOGIN_TIMEOUT)
        self.hear(self.connection.hear())

    @precondition(lambda self: not self.private and not self.closed)
    @rule()
    def startTLS(self) -> None:
        """
        Go over to TLS, which nothing in clear prevents: there is no exchange there.
        """
        self.tags += 1
        tag = b"t%d" % self.tags
        self.expected.append(tag + b" OK ")
        self.private = True
        self.hear(self.connection.say(tag + b" STARTTLS"))
        self.connection.protocol.handshakeCompleted()

    @precondition(lambda self: self.tags > 12)
    @rule()
    def revoke(self) -> None:
        """
        Somebody ends the connection, not at once lest nothing else be tried.
        """
        if not self.closed:
            self.expected.append(b"* BYE Revoked")
        self.closed = True
        self.connection.protocol.end("Revoked")
        self.hear(self.connection.hear())

    # What it means

    def receive(self, tag: bytes, line: Line) -> None:
        """
        A line arrives.
        """
        if self.closed:
            return
        if self.inFlight is not None:
            self.queued.append((tag, line))
        elif self.document is not None:
            document, self.document = self.document, None
            self.refuse(document)
        elif self.exchange is not None:
            self.respond(line)
        else:
            self.command(tag, line)

    def respond(self, line: Line) -> None:
        """
        It answers the empty challenge.
        """
        assert self.exchange is not None
        (tag, mechanism), self.exchange = self.exchange, None
        if line.response is None or line.response[0] != mechanism:
            self.misfit(tag, mechanism, line)
        else:
            self.inFlight = Attempt(tag, *line.response)

    def misfit(self, tag: bytes, mechanism: bytes, line: Line) -> None:
        """
        It is no response of this mechanism; but the bearer mechanisms read each other's.
        """
        isBase64 = line.response is not None or line.text in (b"", b"AQ==")
        if not isBase64 or mechanism == b"PLAIN":
            self.expected.append(tag + b" BAD ")
        elif line.response is not None and line.response[0] != b"PLAIN":
            self.inFlight = Attempt(tag, mechanism, line.response[1])
        elif mechanism == b"OAUTHBEARER":
            self.document = tag
            self.expected.append(b"+ ey")
        else:
            self.refuse(tag)

    def command(self, tag: bytes, line: Line) -> None:
        """
        It is a command, or none.
        """
        if not line.text.startswith(b"%b"):
            named = line.text not in (b"", b"*") and b"+" not in line.text
            self.expected.append((line.text if named else b"*") + b" BAD ")
        elif line is NOOP:
            self.expected.append(tag + b" OK ")
        elif self.loggedIn:
            self.expected.append(tag + b" BAD ")
        elif not self.private:
            self.expected.append(tag + b" NO [PRIVACYREQUIRED] ")
        elif line.mechanism is not None:
            self.exchange = tag, line.mechanism
            self.expected.append(b"+ ")
        else:
            assert line.attempt is not None
            self.inFlight = Attempt(tag, *line.attempt)

    def refuse(self, tag: bytes) -> None:
        """
        A refusal is said; the third is the last.
        """
        self.expected.append(tag + b" NO [AUTHENTICATIONFAILED] ")
        self.refusals += 1
        if self.refusals == MAX_FAILURES:
            self.expected.append(b"* BYE Too many")
            self.closed = True

    def takeQueued(self) -> None:
        """
        The lines that waited go on, until one of them is a login.
        """
        waited, self.queued = self.queued, []
        for tag, line in waited:
            self.receive(tag, line)

    def hear(self, replies: list[bytes]) -> None:
        """
        What was said is what was due, each with its tag, in order, and nothing else.
        """
        expected, self.expected = self.expected, []
        starts = [reply[: len(start)] for reply, start in zip(replies, expected, strict=False)]
        assert (expected, len(expected)) == (starts, len(replies)), (expected, replies)

    # What always holds

    @invariant()
    def oneInFlight(self) -> None:
        """
        The portal is asked one question at a time, and whoever is in was verified.
        """
        realm = self.case.realm
        if not self.closed:
            assert len(self.case.verdicts.pending) == (self.inFlight is not None)
        assert realm.logins - realm.logouts == int(self.loggedIn)
        assert len(self.case.connections) <= 1


class ModelTests(SynchronousTestCase):
    """
    The model against the server.
    """

    def test_model(self) -> None:
        """
        After any sequence the server is where the model is (W2, W14, SA4, SA5).
        """
        run_state_machine_as_test(IMAPLogin, settings=settings(stateful_step_count=25))
