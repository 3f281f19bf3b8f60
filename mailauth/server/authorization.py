"""
The authorization endpoint, without its pages (RFC 6749 section 3.1 and 4.1). Owns who has to sign
in again, who has to be asked, and what a client hears.

Nothing is written before somebody consents: a request that is under way is sealed and carried by
the browser.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256
from time import time

import attrs

from ..interfaces import IRevocations
from ..oauth.interfaces import IGrants, ISpent
from ..oauth.records import AuthorizationCode, BrowserSession, Client, Grant
from ..oauth.redirects import isClaimedHTTPS
from ..oauth.requests import Form
from ..oauth.responses import OAuthError, withParameters
from ..stores.records import NotFound
from .authorizationrequests import PUSHED, AuthorizationRequest, AuthorizationRequests
from .clients import Clients
from .liveness import isRevoked
from .offer import endOfGrant
from .pushedrequests import PushedRequests
from .refreshtokens import newGrantId
from .sealing import Sealer, digestOf

REQUEST_LIFETIME = 3600.0
"""
How many seconds somebody may take over signing in and consenting.
"""

CODE_LIFETIME = 60.0
"""
How many seconds a client has to redeem its code.
"""


AGAIN = frozenset({"login", "select_account"})
"""
The prompts with which somebody signs in although he is signed in.
"""


class RedirectError(Exception):
    """
    An error that the client has to hear.

    @ivar location: where to send the browser, with status 303.
    @ivar error: what was wrong, for our log.
    """

    def __init__(self, location: str, error: OAuthError) -> None:
        super().__init__(error.code)
        self.location = location
        self.error = error


@attrs.frozen(eq=False)
class Authorization:
    """
    From a request to a code.

    @ivar issuer: the C{iss} of every answer (RFC 9207).
    @ivar sealer: that for C{"authorization-requests"}.
    @ivar grantLifetime: after how many seconds a grant ends whatever happens, or C{None}.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    issuer: str
    clients: Clients
    requests: AuthorizationRequests
    pushed: PushedRequests
    grants: IGrants
    spent: ISpent
    revocations: IRevocations
    sealer: Sealer
    grantLifetime: float | None = None
    now: Callable[[], float] = time

    async def begin(self, form: Form) -> AuthorizationRequest:
        """
        A client sent somebody here.

        @raise OAuthError: nobody knows where it would have an answer, or vouches for the site that
            it would lead to. It goes on a page, and never anywhere else (OA7).
        @raise RedirectError: the client asks for what it cannot have.
        @raise Outage: nobody can tell.
        """
        client = await self.clients.find(form.required("client_id"))
        requestURI = form.get("request_uri")
        if requestURI is not None and requestURI.startswith(PUSHED):
            # What stands beside it is not what was pushed (RFC 9126 section 4).
            form = await self.pushed.take(requestURI, client.clientId)
        redirectURI = self.requests.destination(form, client)
        # Anybody can register a client with a site of his, and no link to us has to lead there
        # before somebody has signed in and was asked (RFC 9700 section 4.11.2).
        strangersSite = not client.verified and redirectURI.startswith("https:")
        try:
            request = await self.requests.read(form, client)
        except OAuthError as error:
            if strangersSite:
                raise
            raise self._refusal(redirectURI, form.get("state"), error) from None
        if strangersSite and "none" in request.prompt:
            raise OAuthError("consent_required", "For this client somebody always has to consent.")
        return request

    # On its way through the browser

    def seal(
        self, request: AuthorizationRequest, browser: str, session: BrowserSession | None = None
    ) -> str:
        """
        @param browser: the cookie that marks the browser, which alone can go on with it.
        @param session: who is asked whether he consents: nobody else can answer for him.
        """
        return self.sealer.sealMembers(
            request.members(), request.began + REQUEST_LIFETIME, self._context(browser, session)
        )

    def unseal(
        self, sealed: str, browser: str, session: BrowserSession | None = None
    ) -> AuthorizationRequest:
        """
        Undo L{seal}.

        @raise CannotUnseal: it took too long, or the browser or the session is another.
        """
        context = self._context(browser, session)
        return AuthorizationRequest.fromMembers(
            self.sealer.unsealMembers(sealed, self.now(), context)
        )

    def _context(self, browser: str, session: BrowserSession | None) -> bytes:
        identifier = "" if session is None else session.identifier
        return "\0".join((self.issuer, browser, identifier)).encode("utf-8")

    # What has to be asked

    def needsSignIn(self, request: AuthorizationRequest, session: BrowserSession | None) -> bool:
        """
        Whether somebody has to sign in before this goes on.

        @raise RedirectError: he has, and must not be asked (OpenID Connect Core 1.0 section
            3.1.2.6).
        """
        if not self._mustSignIn(request, session):
            return False
        if "none" in request.prompt:
            raise self._answerError(request, "login_required", "Somebody has to sign in.")
        return True

    def _mustSignIn(self, request: AuthorizationRequest, session: BrowserSession | None) -> bool:
        if session is None:
            return True
        authentication = session.authentication
        if request.subject not in (None, authentication.account):
            return True
        if request.prompt & AGAIN:
            oldest = request.began
        elif request.maxAge is not None:
            oldest = request.began - request.maxAge
        else:
            return False
        return authentication.authTime < oldest

    async def needsConsent(
        self, request: AuthorizationRequest, client: Client, session: BrowserSession
    ) -> bool:
        """
        Whether somebody has to be asked. He always is, unless the client is a site of this server;
        or an administrator vouches for it, nobody else can take its place (RFC 8252 section 8.6),
        and he allowed all of this before.

        @raise RedirectError: he has to be, and must not be.
        @raise Outage: nobody can tell.
        """
        if self.clients.isOurs(client.clientId):
            return False
        known = client.verified and (not client.public or isClaimedHTTPS(request.redirectURI))
        if known and "consent" not in request.prompt and await self._isCovered(request, session):
            return False
        if "none" in request.prompt:
            raise self._answerError(request, "consent_required", "Somebody has to consent.")
        return True

    async def _isCovered(self, request: AuthorizationRequest, session: BrowserSession) -> bool:
        self.revocations.catchUp()
        now = self.now()
        return any(
            grant.clientId == request.clientId
            and request.scope <= grant.scope
            and (grant.expires is None or now < grant.expires)
            and not isRevoked(grant, self.issuer, self.revocations)
            for grant in await self.grants.list(session.authentication.account)
        )

    # What the client hears

    async def approve(
        self, request: AuthorizationRequest, session: BrowserSession, address: str | None
    ) -> str:
        """
        Somebody consented, or had before.

        @param address: where he is, if that is known.
        @return: where to send the browser.
        @raise OAuthError: this was answered before, or he has to sign in first.
        @raise RedirectError: he has to, and must not be asked.
        @raise Outage: the code could not be kept.
        """
        client = await self.clients.find(request.clientId)
        if self.needsSignIn(request, session):
            raise OAuthError("invalid_request", "Somebody has to sign in first.")
        now = self.now()
        # Spent before there is a code: an outage between costs a new sign-in, and never a second
        # code.
        digest = digestOf("authorization-request", request.requestId)
        if not await self.spent.spend(digest, request.began + REQUEST_LIFETIME, now):
            raise OAuthError("invalid_request", "This request was answered before.")
        code = secrets.token_urlsafe(32)
        kept = AuthorizationCode(
            digest=sha256(code.encode("ascii")).digest(),
            grant=self._makeGrant(request, client, session, address, now),
            redirectURI=request.redirectURI if request.redirectSent else None,
            codeChallenge=request.codeChallenge,
            nonce=request.nonce,
            expires=now + CODE_LIFETIME,
        )
        try:
            await self.grants.addCode(kept)
        except NotFound:
            raise self._answerError(request, "access_denied", "The account is gone.") from None
        return withParameters(
            request.redirectURI, {"code": code, "state": request.state, "iss": self.issuer}
        )

    def _makeGrant(
        self,
        request: AuthorizationRequest,
        client: Client,
        session: BrowserSession,
        address: str | None,
        now: float,
    ) -> Grant:
        return Grant(
            grantId=newGrantId(),
            authentication=session.authentication,
            clientId=client.clientId,
            scope=request.scope,
            resources=request.resources,
            created=now,
            expires=endOfGrant(client, request.scope, session, self.grantLifetime, now),
            keyThumbprint=request.keyThumbprint,
            lastUse=now,
            address=address,
        )

    def deny(self, request: AuthorizationRequest) -> str:
        """
        Somebody said no.

        @return: where to send the browser.
        """
        return self._answerError(request, "access_denied", "Access was not allowed.").location

    def _answerError(
        self, request: AuthorizationRequest, code: str, description: str
    ) -> RedirectError:
        return self._refusal(request.redirectURI, request.state, OAuthError(code, description))

    def _refusal(self, redirectURI: str, state: str | None, error: OAuthError) -> RedirectError:
        location = withParameters(
            redirectURI, {**error.members(), "state": state, "iss": self.issuer}
        )
        return RedirectError(location, error)
