"""
The one loop that drives any mechanism on any wire. Owns one exchange: its transcript, and after a
refusal the failure that still has to be said.

There is no I/O in it. The wire passes on what the client sends, and acts on what comes back: a
L{Challenge} to send, credentials to log in with, or an exception that ends the exchange::

    begin, respond ─▶ Challenge ─▶ (send it, wait) ─▶ respond ...
                   ─▶ credentials ─▶ (ask the portal) ─▶ accepted: done
                                                      ─▶ an error: fail ─▶ Challenge ... respond
"""

from __future__ import annotations

from twisted.cred.credentials import ICredentials

from ..errors import InvalidResponse, LoginError, Refusal
from ..interfaces import IMechanism
from .mechanism import Challenge
from .wire import decodeInitialResponse, decodeResponse

MAX_RESPONSES = 4
"""
More than any mechanism of ours asks for: an exchange that comes here goes round in circles.
"""


class Exchange:
    """
    One SASL exchange (RFC 4422 section 3).
    """

    __slots__ = ("_failure", "_mechanism", "_service", "_transcript")

    def __init__(self, mechanism: IMechanism, service: str) -> None:
        """
        @param mechanism: a mechanism that may be used on this connection now.
        @param service: as in L{LoginContext.service<mailauth.credentials.LoginContext>}.
        """
        self._mechanism = mechanism
        self._service = service
        self._transcript: tuple[bytes, ...] = ()
        self._failure: LoginError | None = None

    @property
    def refused(self) -> bool:
        """
        Whether the verdict is spoken, and only the client's empty answer to it is still missing.
        A client that leaves now was refused, it did not break off.
        """
        return self._failure is not None

    def begin(self, initialResponse: bytes | None) -> Challenge | ICredentials:
        """
        @param initialResponse: the argument of the AUTH command as sent, or C{None} if there was
            none, which is not the same as an empty one.
        @raise LoginError: the exchange is over, and this is how.
        """
        if initialResponse is not None:
            self._transcript = (decodeInitialResponse(initialResponse),)
        return self._step()

    def respond(self, line: bytes) -> Challenge | ICredentials:
        """
        @param line: what the client sent upon a challenge, without its line end.
        @raise LoginError: the exchange is over, and this is how.
        """
        if self._failure is not None:
            # The client's part in RFC 7628 section 3.2.3 is one octet. Some send nothing, some
            # their credentials again, some the next command: it changes nothing any more.
            raise self._failure
        self._transcript = (*self._transcript, decodeResponse(line))
        return self._step()

    def fail(self, error: LoginError) -> Challenge:
        """
        The login that the credentials led to failed.

        @return: what the mechanism says to that.
        @raise LoginError: C{error} itself, where it says nothing. An outage is never put into an
            error document: it would say that the token is bad.
        """
        if isinstance(error, Refusal):
            content = self._mechanism.refusal(error, self._service)
            if content is not None:
                self._failure = error
                return Challenge(content)
        raise error

    def _step(self) -> Challenge | ICredentials:
        if len(self._transcript) > MAX_RESPONSES:
            raise InvalidResponse("the exchange does not end")
        try:
            return self._mechanism.step(self._transcript)
        except Refusal as refusal:
            return self.fail(refusal)
