"""
How a connection logs in, on any mail protocol. Owns the exchange in progress, the login in
flight and, once somebody is in, the logout.

Every way in ends here, C{AUTH} with any mechanism as well as the commands that carry a name and
a password, so that there is one answer to each of these: at most one login at a time; nothing is
read while one is pending; it ends after L{LOGIN_TIMEOUT} seconds; whoever leaves during it is
logged out the moment he is in; and there is none after one that succeeded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from twisted.cred.credentials import ICredentials
from twisted.cred.error import UnauthorizedLogin, UnhandledCredentials
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..coroutines import resultNow
from ..credentials import DelegatedPassword, LoginContext
from ..errors import (
    InvalidCredentials,
    LoginError,
    NotOwner,
    Outage,
    PrivacyRequired,
    Refusal,
    UnknownMechanism,
)
from ..interfaces import IMechanism
from ..sasl.exchange import Exchange
from ..sasl.mechanism import Challenge
from ..sasl.wire import encodeChallenge
from .flow import Flow
from .unexpected import logUnexpected

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.cred.portal import Portal

LOGIN_TIMEOUT = 10.0
"""
How many seconds a login may take before it is an outage.
"""

MAX_FAILURES = 3
"""
After how many refusals a connection is closed (PW7).
"""

_log = Logger()


class ILoginWire(Protocol):
    """
    What a L{Login} asks of its connection: each wire says these things in its own dialect.
    """

    service: ClassVar[str]
    avatarInterface: ClassVar[Any]
    portal: Portal | None
    flow: Flow

    def mechanism(self, name: bytes) -> IMechanism | None: ...

    def loginContext(self) -> LoginContext: ...

    def callLater(self, seconds: float, call: Callable[[], object]) -> IDelayedCall: ...

    def sendChallenge(self, challenge: bytes) -> None:
        """
        @param challenge: in base64.
        """

    def loginSucceeded(self, avatar: Any) -> None: ...

    def loginFailed(self, error: LoginError) -> None: ...

    def end(self, reason: str) -> None: ...


class Login:
    """
    The login of one connection.
    """

    __slots__ = (
        "_context",
        "_deadline",
        "_exchange",
        "_failures",
        "_logout",
        "_pending",
        "_wire",
        "succeeded",
    )

    def __init__(self, wire: ILoginWire) -> None:
        self._wire = wire
        self._context: LoginContext | None = None
        self._exchange: Exchange | None = None
        self._pending: Deferred[Any] | None = None
        self._deadline: IDelayedCall | None = None
        self._logout: Callable[[], object] | None = None
        self._failures = 0
        self.succeeded = False

    @property
    def exchanging(self) -> bool:
        """
        Whether the next line is a response and not a command.
        """
        return self._exchange is not None

    def authenticate(self, name: bytes, initialResponse: bytes | None) -> None:
        """
        Begin an exchange.

        @param name: of the mechanism, in any case.
        @param initialResponse: in base64, as sent; C{None} if there was none.
        """
        mechanism = self._wire.mechanism(name.upper())
        if mechanism is None:
            self._wire.loginFailed(UnknownMechanism())
            return
        self._context = self._wire.loginContext()
        if mechanism.revealing and not self._context.secure:
            self.refuseExposed(initialResponse is not None)
        else:
            self._exchange = Exchange(mechanism, self._wire.service)
            self._advance(self._exchange.begin, initialResponse)

    def respond(self, line: bytes) -> None:
        """
        The client's answer to a challenge.

        @param line: in base64, without its line end.
        """
        assert self._exchange is not None
        self._advance(self._exchange.respond, line)

    def present(self, credentials: ICredentials) -> None:
        """
        Log in with a name and a password that no mechanism carried.
        """
        self._context = self._wire.loginContext()
        if self._context.secure:
            self._login(credentials)
        else:
            self.refuseExposed(True)

    def refuseExposed(self, sent: bool) -> None:
        """
        Refuse, without looking at it, what anybody on the way could read.

        @param sent: whether the secret is on the wire already.
        """
        if sent:
            _log.warn(
                "a secret was sent over a connection that is not private, from {peer}",
                peer=self._wire.loginContext().peer,
            )
        self._wire.loginFailed(PrivacyRequired())

    def breakOff(self, error: LoginError) -> None:
        """
        The client said something that nobody can read as a response. A verdict that is spoken
        already stays the verdict.

        @param error: what is wrong with it.
        """
        assert self._exchange is not None
        if self._exchange.refused:
            self._advance(self._exchange.respond, b"")
        else:
            self._fail(error)

    def connectionLost(self) -> None:
        """
        The peer is gone: nobody waits for the login any more, and whoever is in is out.
        """
        self._exchange = None
        if self._pending is not None:
            self._abandon()
        logout, self._logout = self._logout, None
        if logout is not None:
            logout()
        # It holds us: see Flow.lost.
        del self._wire

    def _advance(self, move: Callable[[Any], Challenge | ICredentials], event: Any) -> None:
        try:
            step = move(event)
        except LoginError as error:
            self._fail(error)
        else:
            if isinstance(step, Challenge):
                self._wire.sendChallenge(encodeChallenge(step.content))
            else:
                self._login(step)

    def _login(self, credentials: Any) -> None:
        wire = self._wire
        if wire.portal is None:
            self._refuse(Outage("this connection has no portal"))
            return
        credentials.context = self._context
        pending = wire.portal.login(credentials, wire, wire.avatarInterface)
        answer = resultNow(pending)
        if answer is not None and not wire.flow.closing:
            self._enter(answer)
            return
        self._pending = pending
        pending.addCallbacks(
            self._admit,
            self._reject,
            callbackArgs=(pending,),
            errbackArgs=(pending, credentials),
        )
        if self._pending is pending:
            self._deadline = wire.callLater(LOGIN_TIMEOUT, self._timedOut)
            wire.flow.hold("login")

    def _admit(self, answer: tuple[Any, Any, Callable[[], object]], pending: Deferred[Any]) -> None:
        if self._settle(pending):
            flow = self._wire.flow
            self._enter(answer)
            flow.release("login")
        else:
            _, _, logout = answer
            logout()

    def _enter(self, answer: tuple[Any, Any, Callable[[], object]]) -> None:
        _, avatar, self._logout = answer
        self._exchange = None
        self.succeeded = True
        self._wire.loginSucceeded(avatar)

    def _reject(self, failure: Failure, pending: Deferred[Any], credentials: ICredentials) -> None:
        if self._settle(pending):
            flow = self._wire.flow
            self._refuse(_loginError(failure, credentials))
            flow.release("login")

    def _timedOut(self) -> None:
        self._deadline = None
        self._abandon()
        flow = self._wire.flow
        if not flow.closing:
            self._refuse(Outage("the login took too long"))
            flow.release("login")

    def _settle(self, pending: Deferred[Any]) -> bool:
        """
        A login came to its end.

        @return: whether somebody still waits for it.
        """
        if self._pending is not pending:
            return False
        self._pending = None
        self._cancelDeadline()
        return not self._wire.flow.closing

    def _abandon(self) -> None:
        """
        Nobody waits for the login any more. Once the checker has answered, the realm is at work,
        and is left to it: a cancelled Deferred drops what still comes, and an avatar that is
        dropped is never logged out.
        """
        self._cancelDeadline()
        pending, self._pending = self._pending, None
        if pending is not None and not pending.called:
            pending.cancel()

    def _cancelDeadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, error: LoginError) -> None:
        """
        The verdict is spoken; the mechanism may have a word to say before the wire has the last.
        """
        if self._exchange is None:
            self._fail(error)
        else:
            self._advance(self._exchange.fail, error)

    def _fail(self, error: LoginError) -> None:
        self._exchange = None
        wire = self._wire
        wire.loginFailed(error)
        if isinstance(error, Refusal):
            self._failures += 1
            if self._failures >= MAX_FAILURES:
                wire.end("Too many failed logins")


def _loginError(failure: Failure, credentials: ICredentials) -> LoginError:
    """
    What went wrong, in our words: behind the portal there may be anybody's checkers.
    """
    error = failure.value
    if isinstance(error, LoginError):
        return error
    if isinstance(error, UnhandledCredentials) and isinstance(credentials, DelegatedPassword):
        return NotOwner("no checker here knows authorization identities")
    if isinstance(error, UnauthorizedLogin):
        return InvalidCredentials()
    logUnexpected(failure, "a login")
    return Outage("the login failed unexpectedly")
