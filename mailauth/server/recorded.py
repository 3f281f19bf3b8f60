"""
Stores and an audit that record as events what happens on the pages where somebody signs in: who
came in, whom he let act for him, and who was refused. They own nothing else: each is what it is
around.
"""

from __future__ import annotations

from typing import Any

from twisted.cred.credentials import ICredentials
from twisted.internet.defer import Deferred
from twisted.python.components import proxyForInterface
from zope.interface import implementer

from ..credentials import LoginContext
from ..errors import InvalidCredentials, Refusal
from ..interfaces import IAudit
from ..oauth.interfaces import IBrowserSessions, IDeviceCodes, IGrants
from ..oauth.records import AuthorizationCode, BrowserSession, Grant
from ..scopes import formatScope
from ..stores.events import SIGN_IN, Actor, Kind
from ..throttle import RateLimit
from ..usernames import canonicalName
from .actions.recording import Recorder
from .sites import SITES

REFUSALS = 10
"""
How many refusals a minute become events. Strangers make them, and events are kept: all of them are
in the log of the logins.
"""

# What is made of an interface at run time no type checker can know.
_BrowserSessions: Any = proxyForInterface(IBrowserSessions, "_store")
_Grants: Any = proxyForInterface(IGrants, "_store")
_DeviceCodes: Any = proxyForInterface(IDeviceCodes, "_store")


class RecordedBrowserSessions(_BrowserSessions):  # type: ignore[misc]  # see above
    """
    Browser sessions, of which each that begins is an event.
    """

    def __init__(self, store: IBrowserSessions, recorder: Recorder) -> None:
        super().__init__(store)
        self._recorder = recorder

    def add(self, session: BrowserSession) -> Deferred[None]:
        """
        See L{IBrowserSessions.add}.
        """
        return Deferred.fromCoroutine(self._add(session))

    async def _add(self, session: BrowserSession) -> None:
        await self._store.add(session)
        authentication = session.authentication
        text = ", ".join(sorted(authentication.methods))
        if authentication.issuer is not None:
            text = f"by {authentication.issuer}"
        actor = Actor(authentication.account, SIGN_IN, session.address)
        await self._recorder.record(Kind.SIGNED_IN, actor, authentication.account, text)


class RecordedGrants(_Grants):  # type: ignore[misc]  # see above
    """
    Grants, of which each that somebody gives is an event, but to our own sites.
    """

    def __init__(self, store: IGrants, recorder: Recorder) -> None:
        super().__init__(store)
        self._recorder = recorder

    def addCode(self, code: AuthorizationCode) -> Deferred[None]:
        """
        See L{IGrants.addCode}.
        """
        return Deferred.fromCoroutine(self._addCode(code))

    async def _addCode(self, code: AuthorizationCode) -> None:
        await self._store.addCode(code)
        if code.grant.clientId not in SITES:
            await _recordGrant(self._recorder, code.grant)


class RecordedDeviceCodes(_DeviceCodes):  # type: ignore[misc]  # see above
    """
    Device codes, of which each that somebody allows is an event.
    """

    def __init__(self, store: IDeviceCodes, recorder: Recorder) -> None:
        super().__init__(store)
        self._recorder = recorder

    def decide(self, digest: bytes, grant: Grant | None, now: float) -> Deferred[bool]:
        """
        See L{IDeviceCodes.decide}.
        """
        return Deferred.fromCoroutine(self._decide(digest, grant, now))

    async def _decide(self, digest: bytes, grant: Grant | None, now: float) -> bool:
        decided: bool = await self._store.decide(digest, grant, now)
        if decided and grant is not None:
            await _recordGrant(self._recorder, grant)
        return decided


async def _recordGrant(recorder: Recorder, grant: Grant) -> None:
    actor = Actor(grant.account, SIGN_IN, grant.address)
    text = f"{grant.clientId}: {formatScope(grant.scope)}"
    await recorder.record(Kind.APPLICATION_ALLOWED, actor, grant.account, text)


@implementer(IAudit)
class RecordedRefusals:
    """
    An audit whose refusals on a page are events, some of them.
    """

    def __init__(
        self, audit: IAudit, recorder: Recorder, limit: RateLimit, defaultDomain: str | None
    ) -> None:
        """
        @param audit: is told everything.
        @param limit: how many refusals become events.
        @param defaultDomain: for login names without a domain.
        """
        self._audit = audit
        self._recorder = recorder
        self._limit = limit
        self._defaultDomain = defaultDomain

    def record(
        self,
        credentials: ICredentials,
        account: str | None,
        error: BaseException | None,
        seconds: float,
    ) -> None:
        """
        See L{IAudit.record}.
        """
        self._audit.record(credentials, account, error, seconds)
        context = getattr(credentials, "context", None)
        if (
            isinstance(error, Refusal)
            and isinstance(context, LoginContext)
            and context.service == "web"
            and self._limit.allows("refusals")
        ):
            typed = getattr(credentials, "username", None) or b""
            actor = Actor(typed.decode("utf-8", "replace"), SIGN_IN, context.peer)
            text = type(credentials).__name__
            Deferred.fromCoroutine(
                self._recorder.record(Kind.SIGN_IN_REFUSED, actor, self._nameOf(typed), text)
            )

    def _nameOf(self, typed: bytes) -> str | None:
        """
        Whose account was tried, if it can be anybody's.
        """
        try:
            return canonicalName(typed, self._defaultDomain)
        except InvalidCredentials:
            return None
