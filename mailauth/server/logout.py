"""
Signing out (OpenID Connect RP-Initiated Logout 1.0 and Back-Channel Logout 1.0). Owns where a
browser goes afterwards, and which clients are told.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from time import time
from urllib.parse import urlencode

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ..oauth.idtokens import IDTokenHint
from ..oauth.interfaces import IGrants
from ..oauth.logouttokens import TYPE, logoutTokenClaims
from ..oauth.records import Authentication, BrowserSession, Client
from ..oauth.requests import Form
from ..oauth.responses import OAuthError, withParameters
from .browsersessions import BrowserSessions
from .clients import Clients
from .idtokenhints import IDTokenHints
from .keys import StoredKeys
from .liveness import endsWith
from .sealing import Sealer

LOGOUT_LIFETIME = 600.0
"""
How many seconds somebody may take to say that he wants to sign out.
"""

RETRIES = (5.0, 30.0, 120.0)
"""
How many seconds lie between two tries to tell a client.
"""

Poster = Callable[[Client, bytes], Awaitable[int]]
"""
Posts a form to an address, in a few seconds or not at all, and returns the status of the answer.
"""

_log = Logger()


@attrs.frozen
class LogoutRequest:
    """
    What a client asks, once it is known to be a good request.

    @ivar location: where the browser goes afterwards, or C{None} if it stays.
    @ivar clientName: who asks, or C{None} if nobody said so.
    @ivar confirmed: it need not be asked whether somebody wants this: the client was told who is
        signed in, in this very session.
    """

    location: str | None
    clientName: str | None
    confirmed: bool


@attrs.frozen(eq=False)
class Logout:
    """
    Signs browsers out.

    @ivar issuer: the C{iss} of logout tokens.
    @ivar sealer: that for C{"logout-requests"}.
    @ivar post: tells a client.
    @ivar reactor: for the time between two tries.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    issuer: str
    clients: Clients
    hints: IDTokenHints
    sessions: BrowserSessions
    grants: IGrants
    keys: StoredKeys
    sealer: Sealer
    post: Poster
    reactor: IReactorTime
    now: Callable[[], float] = time

    async def begin(self, form: Form, session: BrowserSession | None) -> LogoutRequest:
        """
        A client sent somebody here, or he came by himself.

        @param form: may be empty.
        @raise OAuthError: the client asks for what it cannot have. It goes on a page: a browser is
            sent nowhere that its client did not register.
        @raise Outage: nobody can tell.
        """
        hint = None
        if "id_token_hint" in form:
            hint = await self.hints.read(form["id_token_hint"])
        client = await self._client(form, hint)
        location = form.get("post_logout_redirect_uri")
        if location is not None:
            if client is None or location not in client.postLogoutRedirectURIs:
                raise OAuthError(
                    "invalid_request", "The post_logout_redirect_uri is not one of the client's."
                )
            location = withParameters(location, {"state": form.get("state")})
            if session is None and hint is None and not client.verified:
                # Nobody is asked, and no link to us has to lead to a site that anybody registered.
                location = None
        return LogoutRequest(
            location,
            None if client is None else client.name or client.clientId,
            hint is not None and session is not None and hint.browserSession == session.identifier,
        )

    async def _client(self, form: Form, hint: IDTokenHint | None) -> Client | None:
        """
        Who asks, if anybody says so.
        """
        clientId = form.get("client_id")
        if hint is not None:
            if clientId not in (None, hint.clientId):
                raise OAuthError("invalid_request", "The id_token_hint is another client's.")
            clientId = hint.clientId
        if clientId is None:
            return None
        return await self.clients.find(clientId)

    def seal(self, request: LogoutRequest, browser: str) -> str:
        """
        @param browser: the cookie that marks the browser, which alone can go on with it.
        """
        expires = self.now() + LOGOUT_LIFETIME
        return self.sealer.sealMembers(attrs.asdict(request), expires, browser.encode("utf-8"))

    def unseal(self, sealed: str, browser: str) -> LogoutRequest:
        """
        Undo L{seal}.

        @raise CannotUnseal: it took too long, or the browser is another.
        """
        members = self.sealer.unsealMembers(sealed, self.now(), browser.encode("utf-8"))
        return LogoutRequest(**members)

    async def end(self, session: BrowserSession) -> None:
        """
        End a browser session, and tell the clients that asked to be told. It does not wait for
        them.

        What was granted in it for good stays: a mail program is not signed out with the browser.
        What was granted to know who is signed in ends with it (Back-Channel Logout 1.0 section
        2.7).

        @raise Outage: it is not ended.
        """
        authentication = session.authentication
        told = set()
        for grant in await self.grants.list(authentication.account):
            if grant.authentication.browserSession != session.identifier:
                continue
            told.add(grant.clientId)
            if endsWith(session, grant):
                await self.grants.revoke(grant.grantId, "You signed out")
        await self.sessions.end(session)
        for clientId in told:
            Deferred.fromCoroutine(self._tell(clientId, authentication))

    async def _tell(self, clientId: str, authentication: Authentication) -> None:
        """
        Tell a client, if it asked for that, and try again a few times if it does not hear.
        """
        for delay in (*RETRIES, None):
            try:
                client = await self.clients.find(clientId)
                if client.backchannelLogoutURI is None:
                    return
                token = await self._makeToken(clientId, authentication)
                form = urlencode({"logout_token": token}).encode("ascii")
                status = await self.post(client, form)
                if status in (200, 204):
                    return
                reason = f"it answered {status}"
            except OAuthError:
                return  # there is no such client any more
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
            _log.warn("{client} was not told of a logout: {reason}", client=clientId, reason=reason)
            if delay is not None:
                await deferLater(self.reactor, delay)

    async def _makeToken(self, clientId: str, authentication: Authentication) -> str:
        """
        A logout token (Back-Channel Logout 1.0 section 2.4).

        @raise Outage: there is no key to sign with.
        """
        signer = await self.keys.signer()
        claims = logoutTokenClaims(
            self.issuer, clientId, authentication, secrets.token_urlsafe(12), self.now()
        )
        return signer.sign(claims, TYPE).decode("ascii")
