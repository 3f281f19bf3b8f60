"""
Browsers in which somebody is signed in. Owns how long one stays so, and that its cookie is known to
nobody else.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256
from time import time
from typing import Any

import attrs
from twisted.logger import Logger

from ..errors import InvalidCredentials, Outage
from ..interfaces import IRevocations
from ..oauth.interfaces import IBrowserSessions
from ..oauth.records import Authentication, BrowserSession
from ..stores.records import NotFound

_NOTED = 300.0
"""
Its last use is known to within so many seconds: not every page is worth a write.
"""

_MAX_BROWSER = 200

_log = Logger()


class BrowserSessions:
    """
    Makes, finds and ends browser sessions.
    """

    def __init__(
        self,
        store: IBrowserSessions,
        revocations: IRevocations,
        lifetime: float,
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param lifetime: for how many seconds a browser stays signed in.
        @param now: the wall clock, in seconds since the epoch.
        """
        self._store = store
        self._lifetime = lifetime
        self._revocations = revocations
        self._now = now

    async def make(
        self,
        authentication: Authentication,
        address: str | None,
        browser: str | None,
        replaced: BrowserSession | None = None,
    ) -> tuple[str, BrowserSession]:
        """
        Somebody signed in: his browser gets a new secret, whatever cookie it came with (WB2).

        @param authentication: what L{SignIn<mailauth.server.signin.SignIn>} answered.
        @param address: from where, if that is known.
        @param browser: what the browser calls itself.
        @param replaced: the session it had until now. It ends; of the same account the new one
            goes on under its id, so that what was granted in it is still told when it ends.
        @return: the secret for the cookie, and the session.
        @raise InvalidCredentials: the account is gone.
        @raise Outage: it could not be kept.
        """
        now = self._now()
        identifier = secrets.token_urlsafe(12)
        if replaced is not None:
            await self._store.end(replaced.identifier)
            if replaced.authentication.account == authentication.account:
                identifier = replaced.identifier
        secret = secrets.token_urlsafe(32)
        session = BrowserSession(
            digest=_digest(secret),
            authentication=attrs.evolve(authentication, browserSession=identifier),
            created=now,
            expires=now + self._lifetime,
            lastUse=now,
            address=address,
            browser=browser and browser[:_MAX_BROWSER],
        )
        try:
            await self._store.add(session)
        except NotFound:
            raise InvalidCredentials("the account was removed meanwhile") from None
        return secret, session

    async def find(self, secret: str | None) -> BrowserSession | None:
        """
        Whose browser this is.

        @param secret: what its cookie says, if it has one.
        @return: C{None} if nobody is signed in: it is unknown, has expired, or its account's tag
            was revoked since, or that of who he is elsewhere (TK18).
        @raise Outage: nobody can tell.
        """
        if not secret:
            return None
        self._revocations.catchUp()
        session = await self._store.find(_digest(secret))
        if session is None or not self._isLive(session):
            return None
        now = self._now()
        if now - session.lastUse >= _NOTED:
            self._store.touch(session.digest, now).addErrback(_useNotNoted)
        return session

    def _isLive(self, session: BrowserSession) -> bool:
        """
        Whether it has neither expired nor been revoked, as far as is known.
        """
        authentication = session.authentication
        # Sessions may live less long than they did when it was made, and then revocations are not
        # kept for as long, either.
        expires = min(session.expires, session.created + self._lifetime)
        return self._now() < expires and not self._revocations.covers(
            authentication.tags | authentication.sessionTags, authentication.when
        )

    async def end(self, session: BrowserSession) -> None:
        """
        Sign its browser out. What was granted in it is
        L{Logout<mailauth.server.logout.Logout>}'s business.

        @raise Outage: it is not ended.
        """
        await self._store.end(session.identifier)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8")).digest()


def _useNotNoted(failure: Any) -> None:
    failure.trap(Outage)
    _log.warn("the use of a browser session was not noted: {reason}", reason=failure.value.reason)
