"""
A drop-in for L{twisted.mail.smtp.ESMTP}: submission (RFC 6409) that logs in by SASL (RFC 4954,
RFC 7628). Owns the commands, and what the client says of a message until all of it is there.

Who may send what to whom, and where a message goes, is the business of the C{IMessageDelivery}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import ITLSTransport
from twisted.internet.protocol import connectionDone
from twisted.mail import smtp
from twisted.mail.interfaces import IMessageDelivery
from twisted.python.failure import Failure

from ..errors import LoginError, ResponseTooLong
from ..interfaces import IMechanism
from .connection import looksLikeHTTP
from .dialogue import Dialogue
from .incoming import IncomingMessage
from .unexpected import logUnexpected

# RFC 5321 section 4.1.1, for any command. Nothing here offers SMTPUTF8, so a command is printable
# ASCII, and no address can carry a line break into a header (W9).
_COMMAND = re.compile(rb"(?P<verb>[A-Za-z]{1,16})(?: (?P<argument>[ -~]*))?")

# RFC 5321 section 4.1.1.1: ehlo = "EHLO" SP ( Domain / address-literal ), as a word of any kind,
# for mail clients put there what they have.
_HELO_NAME = re.compile(rb"[!-~]{1,255}")

# RFC 4954 section 4, with RFC 4422 section 3.1 for the name:
#
#   auth-command = "AUTH" SP sasl-mech [SP initial-response] *(CRLF [base64]) ...
#   initial-response = base64 / "="
_AUTH = re.compile(rb"(?P<name>[A-Za-z0-9\-_]{1,20})(?: +(?P<response>[^ ]+))? *")

# RFC 1870 section 3, RFC 6152 section 2, RFC 4954 section 5 (whose value says who vouches for the
# message, which we need nobody for).
_MAIL_PARAMETERS = {
    b"SIZE": re.compile(rb"[0-9]{1,20}"),
    b"BODY": re.compile(rb"7BIT|8BITMIME", re.IGNORECASE),
    b"AUTH": re.compile(rb"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+"),
}

# RFC 3463 section 2: status-code = class "." subject "." detail
_STATUS = re.compile(rb"[245]\.[0-9]{1,3}\.[0-9]{1,3} ")


class ESMTP(Dialogue, smtp.ESMTP):
    """
    A submission server that takes tokens and passwords by SASL::

        server = ESMTP(mechanisms=[OAUTHBEARER, XOAUTH2, PLAIN])
        server.portal = portal

    @cvar MAX_MESSAGE: the size of the largest message, in octets.
    @cvar MAX_RECIPIENTS: how many recipients one message may have.
    @cvar MAX_PATH: the longest address, in octets; RFC 5321 section 4.5.3.1.3 asks for 256.
    @cvar timeout: for how many seconds a client that has logged in may be silent.
    """

    service = "smtp"
    avatarInterface = IMessageDelivery
    silence = 300.0

    MAX_MESSAGE = 50 * 1024 * 1024
    MAX_RECIPIENTS = 1000
    MAX_PATH = 512

    portal: Portal | None = None  # type: ignore[assignment]  # the parent infers None
    _helo: tuple[bytes | None, bytes]
    _incoming: IncomingMessage | None = None
    _retired: Deferred[None] | None = None

    def __init__(self, mechanisms: Iterable[IMechanism] = (), contextFactory: Any = None) -> None:
        """
        @param mechanisms: what C{AUTH} takes, the preferred one first.
        @param contextFactory: for STARTTLS; C{None} if there is none.
        """
        super().__init__(contextFactory=contextFactory)
        self.offer(mechanisms)

    def connectionMade(self) -> None:
        """
        Greet.
        """
        self.canStartTLS = self.ctx is not None and ITLSTransport.providedBy(self.transport)
        self.opened()
        self._forgetClient()
        super().sendCode(220, self.host + b" ESMTP mailauth ready")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Log out. A message that is not complete never was.
        """
        if self._incoming is not None:
            self._incoming.drop()
        self.closed()
        self._messageEnds()

    def retire(self, reason: str) -> Deferred[None]:
        """
        See L{MailConnection.retire}. A message that is on its way in is taken first.
        """
        if self._incoming is None:
            return super().retire(reason)
        self._retired = Deferred()
        return self._retired.addCallback(lambda _: self.end(reason))

    def _messageEnds(self) -> None:
        self._incoming = None
        if self._retired is not None:
            retired, self._retired = self._retired, None
            retired.callback(None)

    def sayGoodbye(self, reason: bytes) -> None:
        """
        RFC 5321 section 3.8: 421 may answer any command, and none.
        """
        self.sendCode(421, b"4.7.0 " + reason)

    # What is read

    def lineTooLong(self, start: bytes) -> None:
        """
        Stay in step: what follows is the next response, command or line of the message.
        """
        if self.login.exchanging:
            self.login.breakOff(ResponseTooLong())
        elif self._incoming is not None:
            self._incoming.fail(554, "5.6.0 A line of the message is too long")
        elif start[:5].upper() == b"AUTH ":
            self.loginFailed(ResponseTooLong())
        else:
            self.sendCode(500, b"5.5.2 Line too long")

    def commandReceived(self, line: bytes) -> None:
        """
        A command, or a line of a message, in which nothing is a command whatever goes wrong
        (W7, W10).
        """
        if self._incoming is None:
            self.state_COMMAND(line)
        elif line == b".":
            self.perform(self._deliver(self._incoming))
        else:
            self._incoming.keep(line)

    def state_COMMAND(self, line: bytes) -> None:
        """
        Find out what a line asks for.
        """
        command = _COMMAND.fullmatch(line)
        if looksLikeHTTP(line):
            self.end("This is not a web server")
        elif command is None:
            self.sendCode(500, b"5.5.2 Malformed command")
        else:
            perform = self.lookupMethod(command["verb"]) or self.do_UNKNOWN
            perform((command["argument"] or b"").strip(b" "))

    def sendCode(self, code: int, message: bytes = b"") -> None:
        """
        Reply. RFC 2034 section 4 wants an enhanced status code on every line but those of the
        greeting, of EHLO and of intermediate replies.
        """
        if code // 100 != 3:
            match = _STATUS.match(message)
            status = match[0] if match else b"%d.0.0 " % (code // 100)
            lines = message.splitlines() or [b""]
            message = b"\n".join(status + line.removeprefix(status) for line in lines)
        super().sendCode(code, message)

    def replyFailure(self, failure: Failure) -> None:
        """
        The delivery's own words, if it has any.
        """
        error = failure.value
        if isinstance(error, smtp.SMTPServerError):
            text = error.resp
            self.sendCode(
                error.code, text if isinstance(text, bytes) else text.encode("ascii", "replace")
            )
        else:
            logUnexpected(failure, "SMTP")
            self.sendCode(451, b"4.3.0 Cannot do this now. Try again later.")

    # The session

    def extensions(self) -> dict[bytes, list[bytes] | None]:
        """
        What can be done now: RFC 5321 section 4.1.1.1. One without arguments is left out by the
        parent if its list is empty.
        """
        extensions: dict[bytes, list[bytes] | None] = {
            b"SIZE": [b"%d" % self.MAX_MESSAGE],
            b"PIPELINING": None,
            b"8BITMIME": None,
            b"ENHANCEDSTATUSCODES": None,
        }
        if self._mayStartTLS():
            extensions[b"STARTTLS"] = None
        if not self.login.succeeded:
            extensions[b"AUTH"] = self.offered()
        return extensions

    def do_HELO(self, rest: bytes) -> None:
        """
        RFC 5321 section 4.1.1.1.
        """
        if self._meet(rest):
            super().sendCode(250, self.host)

    def do_EHLO(self, rest: bytes) -> None:
        """
        RFC 5321 section 4.1.1.1.
        """
        if self._meet(rest):
            super().sendCode(250, self.host + b"\n" + self.listExtensions())

    def _meet(self, name: bytes) -> bool:
        if _HELO_NAME.fullmatch(name) is None:
            self.sendCode(501, b"5.5.4 A name is missing or malformed")
            return False
        self._forgetClient()
        self._helo = (name, self._helo[1])
        self.mailClient = name.decode("ascii")
        return True

    def _forgetClient(self) -> None:
        # A connection without an address comes from this machine.
        self._helo = (None, (self._peer or "localhost").encode("ascii", "replace"))
        self._forgetTransaction()

    def _forgetTransaction(self) -> None:
        self._from = None
        self._to = []

    def _mayStartTLS(self) -> bool:
        return self.canStartTLS and not self._encrypted and not self.login.succeeded

    def ext_STARTTLS(self, rest: bytes) -> None:
        """
        RFC 3207. Whatever came behind the command was written by somebody who could not know the
        key: it ends the connection (W1). Whatever came before is forgotten (W2).
        """
        if rest:
            self.sendCode(501, b"5.5.4 STARTTLS takes no argument")
        elif not self._mayStartTLS():
            self.sendCode(503, b"5.5.1 TLS is not available")
        elif self.clearLineBuffer():
            self.sendCode(501, b"5.5.1 Nothing may follow STARTTLS before TLS")
            self.end("Commands sent before TLS")
        else:
            self.sendCode(220, b"2.0.0 Begin TLS negotiation now")
            self._forgetClient()
            self.mailClient = None
            self.startedTLS = True
            self.startTLS(self.ctx)

    def do_NOOP(self, rest: bytes) -> None:
        """
        RFC 5321 section 4.1.1.9.
        """
        self.sendCode(250, b"2.0.0 OK")

    def do_RSET(self, rest: bytes) -> None:
        """
        RFC 5321 section 4.1.1.5.
        """
        self._forgetTransaction()
        self.sendCode(250, b"2.0.0 OK")

    def do_VRFY(self, rest: bytes) -> None:
        """
        RFC 5321 section 7.3: who has an account here is told to nobody.
        """
        self.sendCode(252, b"2.0.0 Send the message, then you will know")

    def do_HELP(self, rest: bytes) -> None:
        """
        RFC 5321 section 4.1.1.8.
        """
        self.sendCode(214, b"2.0.0 This is a submission server, as in RFC 6409")

    def do_UNKNOWN(self, rest: bytes) -> None:
        """
        Anything else.
        """
        self.sendCode(500, b"5.5.1 Unknown command")

    def do_QUIT(self, rest: bytes) -> None:
        """
        RFC 5321 section 4.1.1.10.
        """
        self.sendCode(221, b"2.0.0 Goodbye")
        self.flow.close()

    # Login

    def ext_AUTH(self, rest: bytes) -> None:
        """
        RFC 4954 section 4. A transaction needs a login, so nobody who is in one comes past the
        second line.
        """
        match = _AUTH.fullmatch(rest)
        if self.login.succeeded:
            self.sendCode(503, b"5.5.1 Already logged in")
        elif self._helo[0] is None:
            self.sendCode(503, b"5.5.1 Say EHLO first")
        elif match is None:
            self.sendCode(501, b"5.5.4 AUTH takes a mechanism and an initial response")
        else:
            self.login.authenticate(match["name"], match["response"])

    def sendChallenge(self, challenge: bytes) -> None:
        """
        See L{ILoginWire<mailauth.mail.login.ILoginWire>}. The space stands before an empty
        challenge too (RFC 4954 section 4).
        """
        self.sendLine(b"334 " + challenge)

    def loginSucceeded(self, avatar: Any) -> None:
        """
        See L{ILoginWire<mailauth.mail.login.ILoginWire>}.
        """
        self.delivery = avatar
        self.authenticated = True
        self.admitted(self.timeout)
        self.sendCode(235, b"2.7.0 Logged in")

    def loginFailed(self, error: LoginError) -> None:
        """
        See L{ILoginWire<mailauth.mail.login.ILoginWire>}.
        """
        self.sendLine(error.dialect.smtp + b" " + error.text)

    # The message

    def do_MAIL(self, rest: bytes) -> None:
        """
        RFC 5321 section 4.1.1.2. The parent would try to log in anonymously.
        """
        if not self.login.succeeded:
            self.sendCode(530, b"5.7.0 Authentication required")
        elif self._from is not None:
            self.sendCode(503, b"5.5.1 There is a sender already")
        else:
            match = self.mail_re.fullmatch(rest)
            if match is None or len(match["path"]) > self.MAX_PATH:
                self.sendCode(501, b"5.1.7 Malformed sender")
            elif self._takesParameters(match["opts"] or b""):
                self.perform(self._setSender(match["path"]))

    def _takesParameters(self, parameters: bytes) -> bool:
        for parameter in parameters.split():
            keyword, _, value = parameter.partition(b"=")
            grammar = _MAIL_PARAMETERS.get(keyword.upper())
            if grammar is None:
                self.sendCode(555, b"5.5.4 Unknown parameter")
                return False
            if grammar.fullmatch(value) is None:
                self.sendCode(501, b"5.5.4 Malformed parameter")
                return False
            if keyword.upper() == b"SIZE" and int(value) > self.MAX_MESSAGE:
                self.sendCode(552, b"5.3.4 Message too large")
                return False
        return True

    async def _setSender(self, path: bytes) -> None:
        try:
            address = smtp.Address(path, self.host)
        except smtp.AddressError:
            self.sendCode(553, b"5.1.7 Malformed sender")
            return
        self._from = await maybeDeferred(self.validateFrom, self._helo, address)
        self.sendCode(250, b"2.1.0 Sender accepted")

    def do_RCPT(self, rest: bytes) -> None:
        """
        RFC 5321 section 4.1.1.3.
        """
        if self._from is None:
            self.sendCode(503, b"5.5.1 There is no sender yet")
            return
        match = self.rcpt_re.fullmatch(rest)
        if match is None or len(match["path"]) > self.MAX_PATH:
            self.sendCode(501, b"5.1.3 Malformed recipient")
        elif match["opts"]:
            self.sendCode(555, b"5.5.4 Unknown parameter")
        elif len(self._to) >= self.MAX_RECIPIENTS:
            self.sendCode(452, b"4.5.3 Too many recipients")
        else:
            self.perform(self._addRecipient(match["path"]))

    async def _addRecipient(self, path: bytes) -> None:
        try:
            user = smtp.User(path, self._helo, self, self._from)
        except smtp.AddressError:
            self.sendCode(553, b"5.1.3 Malformed recipient")
            return
        makePart: Callable[[], Any] = await maybeDeferred(self.validateTo, user)
        self._to.append((user, makePart))
        self.sendCode(250, b"2.1.5 Recipient accepted")

    def do_DATA(self, rest: bytes) -> None:
        """
        RFC 5321 section 4.1.1.4.
        """
        if rest:
            self.sendCode(501, b"5.5.4 DATA takes no argument")
            return
        if not self._to:
            self.sendCode(503, b"5.5.1 There is no recipient yet")
            return
        helo, origin, recipients = self._helo, self._from, self._to
        self._forgetTransaction()
        incoming = IncomingMessage(self.MAX_MESSAGE)
        incoming.open(
            (makePart, self.receivedHeader(helo, origin, [user])) for user, makePart in recipients
        )
        self._incoming = incoming
        self.sendCode(354, b"End the message with a line that is a dot")

    async def _deliver(self, incoming: IncomingMessage) -> None:
        try:
            await incoming.finish()
        except Exception:
            self.replyFailure(Failure())
        else:
            self.sendCode(250, b"2.0.0 Message accepted")
        self._messageEnds()
