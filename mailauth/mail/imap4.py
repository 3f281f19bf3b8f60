"""
A drop-in for L{twisted.mail.imap4.IMAP4Server} that logs in by SASL (RFC 9051 section 6.2,
RFC 4959, RFC 7628). Owns what the client says until it is in, and how its arguments are read.

What comes after the login is the parent's, by way of C{IAccount}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import ITLSTransport
from twisted.internet.protocol import connectionDone
from twisted.mail import imap4
from twisted.mail.interfaces import IAccountIMAP
from twisted.python.failure import Failure

from ..credentials import UsernamePassword
from ..errors import LoginError, UnknownMechanism
from ..interfaces import IMechanism
from .connection import MailConnection, looksLikeHTTP
from .pulling import PulledIMAP4Server
from .unexpected import logUnexpected

# RFC 9051 section 9; what a command means is looked up with its arguments:
#
#   command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
#   tag     = 1*<any ASTRING-CHAR except "+">
_COMMAND = re.compile(
    rb"(?P<tag>[!#$&\',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]{1,255})"
    rb"(?: (?P<verb>[A-Za-z]+)(?: (?P<rest>.*))?)?",
    re.DOTALL,
)

# RFC 9051 section 6.2.2 with RFC 4959 section 3, and RFC 4422 section 3.1 for the name:
#
#   authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")]
#   sasl-mech    = 1*20mech-char
_MECHANISM = re.compile(rb"[A-Za-z0-9\-_]{1,20}")

# RFC 9051 section 9:
#
#   quoted = DQUOTE *QUOTED-CHAR DQUOTE
#
# and RFC 7888's literals, whose size the parent would read as Python does ("+1", "1_0").
_QUOTED = re.compile(rb'"(?P<text>(?:[^"\\\r\n\x00]|\\["\\])*)"(?: (?P<rest>.*))?', re.DOTALL)
_LITERAL = re.compile(rb"\{(?P<size>[0-9]{1,10})(?P<nonsync>\+?)\}")
_ESCAPED = re.compile(rb'\\(["\\])')

# RFC 2971 section 3.3, without literals:
#
#   id            = "ID" SPACE id_params_list
#   id_params_list = "(" *(string SPACE nstring) ")" / nil
_ID_FIELD = re.compile(
    rb' *"(?P<field>(?:[^"\\]|\\["\\]){0,30})" +(?:NIL|"(?P<value>(?:[^"\\]|\\["\\]){0,1024})")'
    rb" *",
    re.IGNORECASE,
)
_ID_FIELDS = 30


class IMAP4Server(MailConnection, PulledIMAP4Server):
    """
    An IMAP server that takes tokens and passwords by SASL::

        server = IMAP4Server(mechanisms=[OAUTHBEARER, XOAUTH2, PLAIN])
        server.portal = portal

    @cvar IDENT: what the greeting says.
    @cvar POSTAUTH_TIMEOUT: for how many seconds a client that has logged in may be silent.
    """

    service = "imap"
    avatarInterface = IAccountIMAP

    IDENT = b"mailauth ready"
    MAX_LENGTH = 32768

    blocked: list[bytes] | None  # type: ignore[assignment]  # None most of the time
    portal: Portal | None = None  # type: ignore[assignment]  # the parent infers None
    _loginTag = b"*"

    def __init__(
        self,
        mechanisms: Iterable[IMechanism] = (),
        contextFactory: Any = None,
        scheduler: Any = None,
    ) -> None:
        """
        @param mechanisms: what C{AUTHENTICATE} takes, the preferred one first. The LOGIN command
            is there if one of them is PLAIN or LOGIN.
        @param contextFactory: for STARTTLS; C{None} if there is none.
        @param scheduler: see the parent.
        """
        super().__init__(contextFactory=contextFactory, scheduler=scheduler)
        self.offer(mechanisms)

    def connectionMade(self) -> None:
        """
        Greet.
        """
        self.tags = {}
        self.canStartTLS = self.ctx is not None and ITLSTransport.providedBy(self.transport)
        self.opened()
        self.sendServerGreeting()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Log out, and leave the mailbox.
        """
        mailbox, self.mbox = self.mbox, None
        if mailbox is not None:
            mailbox.removeListener(self)
            closeable = imap4.ICloseableMailbox(mailbox, None)
            if closeable is not None:
                maybeDeferred(closeable.close).addErrback(logUnexpected, "IMAP")
        self.closed()

    def sayGoodbye(self, reason: bytes) -> None:
        """
        RFC 9051 section 7.1.5. Not while messages are sent, for it would be taken for a part of
        one.
        """
        if self.blocked is None:
            self.sendUntaggedResponse(b"BYE " + reason)

    def sendLine(self, line: bytes) -> None:
        """
        Send a line, unless BYE was the last.
        """
        if not self.flow.closing:
            self.transport.write(line + b"\r\n")

    # What is read

    def unfinished(self) -> bool:
        """
        Whether a line or literal has begun that has not ended.
        """
        return bool(self._buffer) or self.parseState == "pending"

    def lineReceived(self, line: bytes) -> None:
        """
        A command, the rest of one behind a literal, or the answer to a challenge.
        """
        if self.blocked is not None:
            # The parent keeps what comes during a long answer, without end: one line is enough.
            self.blocked.append(line)
            self.flow.hold("answer")
            return
        self.deadlines.lineEnded()
        try:
            getattr(self, "parse_" + self.parseState)(line)
        except Exception:
            logUnexpected(Failure(), "IMAP")
            self.sendBadResponse(None, b"Server error")

    def _unblock(self) -> None:
        super()._unblock()
        if self.blocked is None:
            self.flow.release("answer")

    def lineLengthExceeded(self, line: bytes) -> None:
        """
        There is no way back into step after a line that has no end.
        """
        tag = None
        if self.login.exchanging:
            tag = self._loginTag
        elif self.parseState == "command":
            start = _COMMAND.match(line[:512])
            tag = start["tag"] if start and start["verb"] else None
        self.sendBadResponse(tag, b"Line too long")
        self.end("Line too long")

    def parse_command(self, line: bytes) -> None:
        """
        Find out what a line asks for.
        """
        command = _COMMAND.fullmatch(line)
        if command is None:
            if looksLikeHTTP(line):
                self.end("This is not a web server")
            else:
                self.sendBadResponse(None, b"Malformed command")
            return
        tag, verb, rest = command.groups()
        if verb is None:
            self.sendBadResponse(tag, b"Missing command")
            return
        verb = verb.upper()
        # Past the parent's chain of argument parsers go the two commands of every connection.
        if verb == b"LOGOUT" and not rest:
            self.do_LOGOUT(tag)
            return
        if self.state == "unauth":
            if verb == b"AUTHENTICATE":
                self.do_AUTHENTICATE(tag, rest or b"")
                return
            if verb == b"LOGIN" and not self._takesLogin(tag, rest or b""):
                return
        try:
            self.dispatchCommand(tag, verb, rest or b"")
        except imap4.IllegalClientResponse:
            self.sendBadResponse(tag, b"Illegal syntax")

    def sendBadResponse(self, tag: bytes | None = None, message: bytes = b"") -> None:
        """
        Say what is wrong, without the words of the client that the parent puts behind it: they
        may be a password, and they may be control characters (W12).
        """
        super().sendBadResponse(tag, message.partition(b": ")[0])

    # Capabilities

    def sendServerGreeting(self) -> None:
        """
        RFC 9051 section 7.1.1.
        """
        self.sendLine(b"* OK [CAPABILITY " + self._capabilityLine() + b"] " + self.IDENT)

    def _capabilityLine(self) -> bytes:
        key = (type(self), self.state, self.isPrivate(), self._mayStartTLS())
        line = self._offer.capabilities.get(key)
        if line is None:
            line = self._offer.capabilities[key] = b" ".join(self.listCapabilities())
        return line

    def capabilities(self) -> dict[bytes, list[bytes] | None]:
        """
        What can be done now: RFC 9051 section 7.2.2. It may depend on the class, on the state,
        and on whether the connection is private and TLS can be started. On nothing else, for the
        answer is kept.
        """
        capabilities: dict[bytes, list[bytes] | None] = {}
        if self.state == "unauth":
            offered = self.offered()
            if offered:
                capabilities[b"SASL-IR"] = None
                capabilities[b"AUTH"] = offered
            if not _PASSWORDS.intersection(offered):
                capabilities[b"LOGINDISABLED"] = None
            if self._mayStartTLS():
                capabilities[b"STARTTLS"] = None
        capabilities[b"ID"] = None
        capabilities[b"NAMESPACE"] = None
        capabilities[b"IDLE"] = None
        return capabilities

    def _mayStartTLS(self) -> bool:
        return self.canStartTLS and not self._encrypted

    def do_STARTTLS(self, tag: bytes) -> None:
        """
        RFC 9051 section 6.2.1. Whatever came behind the command was written by somebody who
        could not know the key: it ends the connection (W1).
        """
        if not self._mayStartTLS():
            self.sendNegativeResponse(tag, b"TLS is not available")
        elif self.clearLineBuffer():
            self.sendBadResponse(tag, b"Nothing may follow STARTTLS before TLS")
            self.end("Commands sent before TLS")
        else:
            self.sendPositiveResponse(tag, b"Begin TLS negotiation now")
            self.mailClient = None
            self.startedTLS = True
            self.startTLS(self.ctx)

    unauth_STARTTLS = (do_STARTTLS,)  # type: ignore[assignment]  # the parent's has its own self

    def do_LOGOUT(self, tag: bytes) -> None:
        """
        RFC 9051 section 6.1.3.
        """
        self.sendLine(b"* BYE Logging out\r\n" + tag + b" OK LOGOUT completed")
        self.flow.close()

    unauth_LOGOUT = auth_LOGOUT = select_LOGOUT = (do_LOGOUT,)  # type: ignore[assignment]  # likewise

    def do_ID(self, tag: bytes, parameters: bytes) -> None:
        """
        RFC 2971. What the client calls itself is kept for the list of logins.
        """
        fields = _readID(parameters)
        if fields is None:
            self.sendBadResponse(tag, b"Malformed ID")
            return
        if not self.login.succeeded:
            self.mailClient = _clientName(fields)
        self.sendUntaggedResponse(b'ID ("name" "mailauth")')
        self.sendPositiveResponse(tag, b"ID completed")

    unauth_ID = auth_ID = select_ID = (do_ID, imap4.IMAP4Server.arg_line)

    # Login

    def do_AUTHENTICATE(self, tag: bytes, arguments: bytes) -> None:
        """
        RFC 9051 section 6.2.2. An initial response is taken whether or not we said so (RFC 4959).
        """
        name, _, response = arguments.rstrip(b" ").partition(b" ")
        if _MECHANISM.fullmatch(name) is None or b" " in response:
            self.sendBadResponse(tag, b"AUTHENTICATE takes a mechanism and an initial response")
            return
        self._loginTag = tag
        self.login.authenticate(name, response or None)

    def parse_sasl(self, line: bytes) -> None:
        """
        The answer to a challenge.
        """
        self.login.respond(line)

    def _takesLogin(self, tag: bytes, arguments: bytes) -> bool:
        """
        Refuse a LOGIN that is of no use before its literals are invited.
        """
        self._loginTag = tag
        if not self.isPrivate():
            self.login.refuseExposed(not arguments.endswith(b"}") or arguments.endswith(b"+}"))
        elif _PASSWORDS.isdisjoint(self.offered()):
            self.loginFailed(UnknownMechanism())
        else:
            return True
        if arguments.endswith(b"+}"):
            # The literal is on its way, and would be read as commands.
            self.end("Unwanted literal")
        return False

    def do_LOGIN(self, tag: bytes, username: bytes, password: bytes) -> None:
        """
        RFC 9051 section 6.2.3.
        """
        self.login.present(UsernamePassword(username, password))

    def sendChallenge(self, challenge: bytes) -> None:
        """
        See L{ILoginWire<mailauth.mail.login.ILoginWire>}. The space stands before an empty
        challenge too: RFC 3501's continuation has it, and clients wait for it.
        """
        self.parseState = "sasl"
        self.sendLine(b"+ " + challenge)

    def loginSucceeded(self, avatar: Any) -> None:
        """
        See L{ILoginWire<mailauth.mail.login.ILoginWire>}. What can be done now is another list,
        so the reply carries it (RFC 9051 section 6.2.2).
        """
        self.parseState = "command"
        self.account = avatar
        self.state = "auth"
        self.admitted(self.POSTAUTH_TIMEOUT)
        capabilities = self._capabilityLine()
        self.sendLine(self._loginTag + b" OK [CAPABILITY " + capabilities + b"] Logged in")

    def loginFailed(self, error: LoginError) -> None:
        """
        See L{ILoginWire<mailauth.mail.login.ILoginWire>}.
        """
        self.parseState = "command"
        self.sendLine(b" ".join((self._loginTag, error.dialect.imap, error.text)))

    # Arguments

    def arg_astring(
        self, line: bytes, final: bool = False
    ) -> tuple[bytes, bytes] | Deferred[tuple[bytes, bytes]]:
        """
        Read an astring: an atom, a quoted string with its escapes, or a literal.

        @raise IllegalClientResponse: it is none of them.
        """
        line = (line or b"").lstrip(b" ")
        if not line:
            raise imap4.IllegalClientResponse("Missing argument")
        if line.startswith(b'"'):
            quoted = _QUOTED.fullmatch(line)
            if quoted is None:
                raise imap4.IllegalClientResponse("Malformed quoted string")
            return _ESCAPED.sub(rb"\1", quoted["text"]), quoted["rest"] or b""
        if line.startswith(b"{"):
            return self._literal(line, self._literalStringLimit, imap4.LiteralString)
        atom, _, rest = line.partition(b" ")
        return atom, rest

    def arg_finalastring(self, line: bytes) -> tuple[bytes, bytes] | Deferred[tuple[bytes, bytes]]:
        """
        The same: an empty literal is invited like any other.
        """
        return self.arg_astring(line)

    def arg_literal(self, line: bytes) -> Deferred[Any]:
        """
        Read a literal that may be a whole message.

        @raise IllegalClientResponse: it is malformed, or larger than C{MAX_MESSAGE}.
        """
        return self._literal((line or b"").lstrip(b" "), self.MAX_MESSAGE, imap4.LiteralFile)

    MAX_MESSAGE = 50 * 1024 * 1024

    def _literal(self, line: bytes, limit: int, collect: Callable[..., Any]) -> Deferred[Any]:
        """
        Invite a literal, once its size is known to be one that we take (W11, DS3).
        """
        literal = _LITERAL.fullmatch(line)
        if literal is None:
            raise imap4.IllegalClientResponse("Malformed literal")
        size = int(literal["size"])
        if size > limit:
            if literal["nonsync"]:
                self.end("Literal too large")
            raise imap4.IllegalClientResponse("Literal too large")
        whole: Deferred[Any] = Deferred()
        self.parseState = "pending"
        self._pendingLiteral = collect(size, whole)
        if not literal["nonsync"]:
            self.sendContinuationRequest(b"Ready for the literal")
        self.setRawMode()
        return whole

    unauth_LOGIN = (do_LOGIN, arg_astring, arg_finalastring)  # type: ignore[assignment]  # likewise


_PASSWORDS = frozenset({b"PLAIN", b"LOGIN"})


def _rebindArguments() -> None:
    """
    The parent's table of commands holds functions, not names: to override an argument parser is
    not enough, each entry that uses it has to be made again.
    """
    replacements = {
        imap4.IMAP4Server.arg_astring: IMAP4Server.arg_astring,
        imap4.IMAP4Server.arg_finalastring: IMAP4Server.arg_finalastring,
        imap4.IMAP4Server.arg_literal: IMAP4Server.arg_literal,
    }
    for name, entry in vars(imap4.IMAP4Server).items():
        if isinstance(entry, tuple) and name not in vars(IMAP4Server):
            rebound = tuple(replacements.get(part, part) for part in entry)
            if rebound != entry:
                setattr(IMAP4Server, name, rebound)


_rebindArguments()


def _readID(parameters: bytes) -> dict[bytes, bytes] | None:
    """
    Read the argument of ID.

    @return: the fields by their names in lower case, or C{None} if it is malformed.
    """
    parameters = parameters.strip()
    if parameters.upper() == b"NIL":
        return {}
    if not (parameters.startswith(b"(") and parameters.endswith(b")")):
        return None
    fields: dict[bytes, bytes] = {}
    position, end = 1, len(parameters) - 1
    while position < end:
        field = _ID_FIELD.match(parameters, position, end)
        if field is None or len(fields) == _ID_FIELDS:
            return None
        fields[field["field"].lower()] = field["value"] or b""
        position = field.end()
    return fields


def _clientName(fields: dict[bytes, bytes]) -> str | None:
    """
    Name and version of a mail client, short and printable.
    """
    words = (fields.get(key, b"").decode("utf-8", "replace") for key in (b"name", b"version"))
    name = " ".join(word for word in words if word)[:80]
    return "".join(c if c.isprintable() else "?" for c in name) or None
