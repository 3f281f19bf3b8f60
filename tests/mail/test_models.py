"""
SMTP and POP3 against a model: whatever is said in whatever order, in segments of any number of
lines, by whoever leaves or waits at any moment, every reply and every state is the model's (W1, W2,
W10, W14, W15, SA3, SA5, PW7, LG6).
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from .test_pop3 import POP3TestCase
from .test_smtp import SMTPTestCase
from .wires import BAD_BEARER, BAD_PASSWORD, BEARER, PASSWORD, Connection

GOOD, BAD = {PASSWORD, BEARER}, {BAD_PASSWORD, BAD_BEARER}

LINES = [
    b"EHLO x",
    b"NOOP",
    b"RSET",
    b"AUTH PLAIN",
    b"AUTH PLAIN " + PASSWORD,
    b"AUTH PLAIN " + BAD_PASSWORD,
    b"AUTH OAUTHBEARER",
    b"AUTH OAUTHBEARER " + BEARER,
    b"AUTH OAUTHBEARER " + BAD_BEARER,
    b"USER alice",
    b"PASS correct horse",
    b"PASS x",
    PASSWORD,
    BAD_BEARER,
    b"*",
    b"",
    b"MAIL FROM:<a@b>",
    b"RCPT TO:<c@d>",
    b"DATA",
    b".",
    b"STAT",
    b"DELE 2",
    b"QUIT",
]


SCRIPTS = [
    [b"AUTH PLAIN " + PASSWORD],
    [b"USER alice", b"PASS correct horse"],
    [b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>", b"DATA"],
    [b"QUIT", b"."],
]

said = st.lists(
    st.one_of(st.sampled_from(LINES).map(lambda line: [line]), st.sampled_from(SCRIPTS)),
    min_size=1,
    max_size=5,
).map(lambda parts: [line for part in parts for line in part])


class Model(RuleBasedStateMachine):
    """
    What both protocols have in common: one login at a time, and one at all.
    """

    accepted: bytes
    refused: bytes
    outage: bytes
    malformed: bytes
    challenge: bytes
    goodbye: list[bytes]

    case: Any

    def __init__(self) -> None:
        super().__init__()
        self.case.begin()
        self.connect()

    def connect(self) -> None:
        """
        A new connection.
        """
        self.case.verdicts.waits = True
        self.connection: Connection = self.case.server()
        self.expected: list[bytes] = []
        self.heard: list[bytes] = []
        self.waiting: list[bytes] = []
        self.mechanism: bytes | None = None
        self.documented = False
        self.pending: bool | None = None
        self.failures = 0
        self.loggedIn = False
        self.closed = False

    def teardown(self) -> None:
        """
        Nothing is left.
        """
        self.case.finish()

    @rule(lines=said)
    def say(self, lines: list[bytes]) -> None:
        """
        Send lines in one segment.
        """
        self.connection.protocol.dataReceived(b"".join(line + b"\r\n" for line in lines))
        self.waiting += lines
        self.run()

    @precondition(lambda self: self.pending is not None)
    @rule()
    def answer(self) -> None:
        """
        The checker answers.
        """
        good, self.pending = self.pending, None
        self.case.verdicts.answer()
        if good:
            self.mechanism = None
            self.loggedIn = True
            self.expected.append(self.accepted)
        elif self.mechanism == b"OAUTHBEARER":
            self.documented = True
            self.expected.append(self.challenge)
        else:
            self.refuse()
        self.run()

    @precondition(lambda self: self.pending is not None)
    @rule()
    def waitTooLong(self) -> None:
        """
        The checker does not answer in time, and what it says later is of no use.
        """
        self.case.clock.pump([1] * 10)
        self.case.verdicts.answer()
        self.pending = self.mechanism = None
        self.expected.append(self.outage)
        self.run()

    @rule()
    def lose(self) -> None:
        """
        The client is gone, and what the checker says later is of no use. Another one comes.
        """
        self.connection.lose()
        if self.pending is not None:
            self.case.verdicts.answer()
        self.connect()

    @invariant()
    def replies(self) -> None:
        """
        Every line got its reply, and no other, in the order in which they were said.
        """
        self.heard += [word for line in self.connection.hear() if (word := self.word(line))]
        assert self.expected == self.heard, (self.expected, self.heard)

    @invariant()
    def whoIsIn(self) -> None:
        """
        Somebody is in if and only if a credential was verified on this connection.
        """
        realm = self.case.realm
        assert realm.logins - realm.logouts == self.loggedIn
        assert len(self.case.verdicts.pending) == (self.pending is not None)

    def word(self, line: bytes) -> bytes | None:
        """
        What a line of a reply says, or C{None} if more lines follow.
        """
        raise NotImplementedError

    def run(self) -> None:
        """
        Say what follows from the lines that need not wait.
        """
        while self.waiting and self.pending is None:
            line = self.waiting.pop(0)
            if not self.closed:
                self.take(line)

    def take(self, line: bytes) -> None:
        """
        One line.
        """
        if self.documented:
            self.documented = False
            self.refuse()
        elif self.mechanism is not None:
            self.respond(line)
        elif line.startswith(b"AUTH") and not self.loggedIn:
            _, self.mechanism, *response = line.split()
            if response:
                self.respond(response[0])
            else:
                self.expected.append(self.challenge)
        else:
            self.command(line)

    def respond(self, response: bytes) -> None:
        """
        A response in an exchange.
        """
        readable = {
            b"PLAIN": {PASSWORD, BAD_PASSWORD},
            b"OAUTHBEARER": {BEARER, BAD_BEARER},
        }
        assert self.mechanism is not None
        if response in readable[self.mechanism]:
            self.pending = response in GOOD
        elif self.mechanism == b"OAUTHBEARER" and self.decodes(response):
            self.documented = True
            self.expected.append(self.challenge)
        else:
            self.mechanism = None
            self.expected.append(self.malformed)

    @staticmethod
    def decodes(response: bytes) -> bool:
        """
        Whether it is base64 of something.
        """
        return response in GOOD | BAD | {b"", b"NOOP", b"RSET", b"DATA", b"STAT", b"QUIT"}

    def refuse(self) -> None:
        """
        A login is refused.
        """
        self.mechanism = None
        self.expected.append(self.refused)
        self.failures += 1
        if self.failures == 3:
            self.expected += self.goodbye
            self.closed = True

    def command(self, line: bytes) -> None:
        """
        A line outside any exchange.
        """
        raise NotImplementedError


class SMTPModel(Model):
    """
    A submission server.
    """

    accepted, refused, outage, malformed, challenge = b"235", b"535", b"454", b"501", b"334"
    goodbye = [b"421"]

    def __init__(self) -> None:
        self.case = SMTPTestCase()
        super().__init__()

    def connect(self) -> None:
        """
        See L{Model.connect}.
        """
        super().connect()
        self.sender = self.data = False
        self.recipients = 0

    def take(self, line: bytes) -> None:
        """
        A line of a message, or something else.
        """
        if not self.data:
            super().take(line)
        elif line == b".":
            self.data = False
            self.expected.append(b"250")

    def command(self, line: bytes) -> None:
        """
        RFC 5321.
        """
        self.expected.append(self.reply(line.partition(b" ")[0]))

    def reply(self, verb: bytes) -> bytes:
        """
        The code of the reply to a command.
        """
        if verb in (b"EHLO", b"RSET"):
            self.sender, self.recipients = False, 0
            return b"250"
        if verb == b"NOOP":
            return b"250"
        if verb == b"AUTH":
            return b"503"
        if verb == b"MAIL":
            if not self.loggedIn:
                return b"530"
            if self.sender:
                return b"503"
            self.sender = True
            return b"250"
        if verb == b"RCPT":
            self.recipients += self.sender
            return b"250" if self.sender else b"503"
        if verb == b"DATA":
            if not self.recipients:
                return b"503"
            self.sender, self.recipients, self.data = False, 0, True
            return b"354"
        if verb == b"QUIT":
            self.closed = True
            return b"221"
        return b"500"

    def word(self, line: bytes) -> bytes | None:
        """
        See L{Model.word}.
        """
        return line[:3] if line[3:4] == b" " else None


class POP3Model(Model):
    """
    A POP3 server.
    """

    accepted, refused, outage, malformed, challenge = b"+OK", b"-ER", b"-ER", b"-ER", b"+ "
    goodbye = []

    def __init__(self) -> None:
        self.case = POP3TestCase()
        super().__init__()

    def connect(self) -> None:
        """
        See L{Model.connect}.
        """
        super().connect()
        self.user = self.deleted = False
        self.case.maildrop.deleted.clear()

    def word(self, line: bytes) -> bytes | None:
        """
        See L{Model.word}.
        """
        return b"+ " if line.startswith(b"+ ") else line[:3]

    def command(self, line: bytes) -> None:
        """
        RFC 1939.
        """
        verb, _, rest = line.partition(b" ")
        if verb == b"PASS" and self.user and not self.loggedIn:
            self.user = False
            self.pending = rest == b"correct horse"
            return
        self.expected.append(b"+OK" if self.does(verb) else b"-ER")

    def does(self, verb: bytes) -> bool:
        """
        Whether a command is done.
        """
        if verb == b"QUIT":
            self.closed = True
            return True
        if not self.loggedIn:
            self.user = self.user or verb == b"USER"
            return verb == b"USER"
        if verb == b"DELE":
            again, self.deleted = self.deleted, True
            return not again
        if verb == b"RSET":
            self.deleted = False
        return verb in (b"NOOP", b"RSET", b"STAT")


def _asTestCase(model: type[Model]) -> Any:
    case = model.TestCase
    case.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)
    return case


SMTPModelTests = _asTestCase(SMTPModel)
POP3ModelTests = _asTestCase(POP3Model)
