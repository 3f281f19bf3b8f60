"""
Every way a login can fail, each with its code in every dialect.

There are three families, and mail clients treat them very differently, so they never mix:

  - a L{Refusal}: somebody looked at the credentials and the answer is no. The client asks its
    user for new ones, or refreshes its token;
  - an L{Outage}: nobody could look. The client keeps its credentials and tries again;
  - a L{BadExchange}: the client broke the rules of SASL or of its wire, so nothing was looked at.

The wire gets the code and C{text}; the log gets C{reason}; the client never gets C{reason}.
"""

from __future__ import annotations

from typing import ClassVar

import attrs
from twisted.cred.error import LoginFailed, UnauthorizedLogin


@attrs.frozen
class Dialect:
    """
    One outcome, said on each mail protocol: what stands before the text of the reply.

    @ivar imap: the status after the tag, with its response code (RFC 5530).
    @ivar smtp: the reply code and the enhanced status code (RFC 4954, 3463, 5248).
    @ivar pop3: the status indicator and its response code (RFC 2449, 3206).
    """

    imap: bytes
    smtp: bytes
    pop3: bytes


class LoginError(LoginFailed):
    """
    A login that did not succeed. Raise one of the subclasses.

    @cvar dialect: what the mail protocols say.
    @cvar sentence: one sentence for a person, in ASCII, saying what to do.
    @ivar reason: for the log alone. It names no secret.
    """

    dialect: ClassVar[Dialect]
    sentence: ClassVar[str]

    def __init__(self, reason: str = "", help: str = "") -> None:
        """
        @param reason: why, for the log. Never put a secret into it.
        @param help: more for the person, such as the address of the account page. It comes from
            the configuration, never from what the client sent.
        """
        super().__init__(reason or self.sentence)
        self.reason = reason
        self.help = help

    @property
    def text(self) -> bytes:
        """
        What the person may read, in one line of printable ASCII.
        """
        line = f"{self.sentence} {self.help}" if self.help else self.sentence
        return line.encode("ascii", "replace")


class Refusal(LoginError, UnauthorizedLogin):
    """
    Somebody looked at the credentials, and the answer is no.

    @cvar bearerCode: the error code of RFC 6750 section 3.1, for the error documents of RFC 7628
        and the challenges of HTTP.
    @cvar verified: the credentials themselves were right, so whoever sent them may be told more,
        and no other checker needs to be asked.
    @cvar counts: a throttle takes it for a guess.
    @ivar scope: the scope that would have been accepted, or C{None} for the mechanism's own.
    @ivar openidConfiguration: the address of the discovery document of the issuer whose token
        would have been accepted, or C{None} for the mechanism's own.
    """

    dialect = Dialect(b"NO [AUTHENTICATIONFAILED]", b"535 5.7.8", b"-ERR [AUTH]")
    sentence = "Authentication failed."
    bearerCode: ClassVar[str] = "invalid_token"
    verified: ClassVar[bool] = False
    counts: ClassVar[bool] = True

    def __init__(
        self,
        reason: str = "",
        help: str = "",
        *,
        scope: str | None = None,
        openidConfiguration: str | None = None,
    ) -> None:
        super().__init__(reason, help)
        self.scope = scope
        self.openidConfiguration = openidConfiguration


class InvalidRequest(Refusal):
    """
    The bearer message does not follow its grammar (RFC 7628 section 3.1; RFC 6750
    C{invalid_request}).
    """

    sentence = "The authentication message is malformed."
    bearerCode = "invalid_request"
    counts = False


class InvalidToken(Refusal):
    """
    The access token is not one we accept (RFC 6750 C{invalid_token}).
    """

    sentence = "The access token was not accepted. Sign in again."


class ExpiredToken(InvalidToken):
    """
    The access token was good once. Clients come with such tokens all day: it is no guess.
    """

    sentence = "The access token has expired. Refresh it or sign in again."
    counts = False


class InsufficientScope(Refusal):
    """
    A good token, but not for this service (RFC 6750 C{insufficient_scope}).
    """

    dialect = Dialect(b"NO [AUTHORIZATIONFAILED]", b"535 5.7.8", b"-ERR [AUTH]")
    sentence = "The access token does not cover this service."
    bearerCode = "insufficient_scope"
    verified = True
    counts = False


class NotOwner(Refusal):
    """
    Good credentials, but of somebody else than the authorization identity they came with
    (RFC 4422 section 3.4.1).
    """

    dialect = Dialect(b"NO [AUTHORIZATIONFAILED]", b"535 5.7.8", b"-ERR [AUTH]")
    sentence = "These credentials belong to another account."
    verified = True


class InvalidCredentials(Refusal):
    """
    Unknown login name or wrong password: one answer for both (RFC 5530).
    """

    sentence = "Wrong login name or password."


class ExpiredPassword(Refusal):
    """
    The right password, past its date (RFC 5530 C{EXPIRED}).
    """

    dialect = Dialect(b"NO [EXPIRED]", b"535 5.7.8", b"-ERR [AUTH]")
    sentence = "This password has expired. Make a new one."
    verified = True
    counts = False


class ServiceNotAllowed(Refusal):
    """
    The right app password, used for a service or from a network it is not for.
    """

    dialect = Dialect(b"NO [AUTHORIZATIONFAILED]", b"535 5.7.8", b"-ERR [AUTH]")
    sentence = "This password is not valid for this service or from this network."
    verified = True
    counts = False


class AccountDisabled(Refusal):
    """
    The right credentials of an account that an administrator disabled.
    """

    dialect = Dialect(b"NO [CONTACTADMIN]", b"525 5.7.13", b"-ERR [SYS/PERM]")
    sentence = "This account is disabled. Ask your administrator."
    verified = True
    counts = False


class Outage(LoginError):
    """
    It cannot be decided now: a store, an issuer or a key set is out of reach, or mailauth itself
    failed. Never a refusal, never cached.
    """

    dialect = Dialect(b"NO [UNAVAILABLE]", b"454 4.7.0", b"-ERR [SYS/TEMP]")
    sentence = "Cannot check this now. Try again later."


class TooManyFailures(Outage):
    """
    The throttle did not let the credentials be looked at. They may be good.
    """

    dialect = Dialect(b"NO [LIMIT]", b"454 4.7.0", b"-ERR [SYS/TEMP]")
    sentence = "Too many failed logins. Try again later."


class BadExchange(LoginError):
    """
    The client broke the rules of SASL or of its wire: no credentials were looked at.
    """

    dialect = Dialect(b"BAD", b"501 5.5.2", b"-ERR")
    sentence = "Malformed authentication response."


class InvalidResponse(BadExchange):
    """
    A response that is not canonical base64, or that the mechanism cannot read.
    """


class ResponseTooLong(BadExchange):
    """
    A response, or the command with the initial one, is longer than a line may be (RFC 4954
    section 4).
    """

    dialect = Dialect(b"BAD", b"500 5.5.6", b"-ERR")
    sentence = "Authentication line too long."


class Cancelled(BadExchange):
    """
    The client sent C{*} (RFC 4954 section 4, RFC 9051 section 6.2.2, RFC 5034 section 4).
    """

    dialect = Dialect(b"BAD", b"501 5.7.0", b"-ERR")
    sentence = "Authentication cancelled."


class UnknownMechanism(BadExchange):
    """
    No such SASL mechanism here.
    """

    dialect = Dialect(b"NO", b"504 5.5.4", b"-ERR")
    sentence = "Unsupported authentication mechanism."


class PrivacyRequired(BadExchange):
    """
    The mechanism shows its secret, and the connection is not private (RFC 5530, RFC 4954).
    """

    dialect = Dialect(b"NO [PRIVACYREQUIRED]", b"538 5.7.11", b"-ERR")
    sentence = "Start TLS first: nothing secret may be sent over this connection."
