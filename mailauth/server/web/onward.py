"""
Where somebody goes on to when he has signed in: to what a client asked, or to a page of ours. Owns
how that is written down in the meantime, which is never as an address (WB9).
"""

from __future__ import annotations

import re

import attrs

from ...oauth.records import BrowserSession
from ...oauth.redirects import formActionOf
from ..authorization import Authorization
from ..authorizationrequests import AuthorizationRequest
from ..devices import formatUserCode, readUserCode
from .describing import displayName
from .endpoint import Answer
from .visit import Visit

PAGES = {"account": "account/", "device": "device"}
"""
The pages of ours that somebody may have come for.
"""

_PAGE = re.compile(r"(?P<name>[a-z]+)(?::(?P<userCode>[A-Z]{4}-[A-Z]{4}))?")


@attrs.frozen
class Destination:
    """
    What somebody came for.

    @ivar text: how it is written down.
    @ivar request: what a client asks, or C{None}.
    @ivar program: then, what whoever asks is called; C{None} for a site of ours.
    @ivar page: otherwise, the page of ours.
    """

    text: str
    request: AuthorizationRequest | None = None
    program: str | None = None
    page: str = PAGES["account"]

    @property
    def formAction(self) -> str | None:
        """
        Where a form may lead besides here: see L{Visit.page}.
        """
        if self.request is None or self.program is None:
            return None
        return formActionOf(self.request.redirectURI)


def deviceDestination(typed: str) -> str:
    """
    Write down the page for devices.

    @param typed: what came along, which is kept if it can be a code (RFC 8628 section 3.3.1).
    """
    userCode = readUserCode(typed)
    return "device" if userCode is None else f"device:{formatUserCode(userCode)}"


@attrs.frozen(eq=False)
class Onward:
    """
    Leads people on.
    """

    authorization: Authorization

    async def read(self, visit: Visit, text: str | None) -> Destination:
        """
        What somebody came for, as it was written down.

        @raise CannotUnseal: it was not written down here, for this browser, lately.
        @raise OAuthError: there is no such client any more.
        """
        if text is None:
            return Destination("account")
        match = _PAGE.fullmatch(text)
        if match is not None and match["name"] in PAGES:
            page = PAGES[match["name"]]
            code = match["userCode"]
            return Destination(text, page=f"{page}?user_code={code}" if code else page)
        request = self.authorization.unseal(text, visit.browser)
        client = await self.authorization.clients.find(request.clientId)
        if self.authorization.clients.isOurs(client.clientId):
            # He is here already, and where his answer goes he need not know.
            return Destination(text, request)
        return Destination(text, request, displayName(visit, client))

    async def goOn(self, visit: Visit, destination: Destination, session: BrowserSession) -> Answer:
        """
        Somebody has signed in.
        """
        if destination.request is None:
            return visit.goTo(destination.page)
        return await self.answer(visit, destination.request, session)

    async def answer(
        self, visit: Visit, request: AuthorizationRequest, session: BrowserSession | None
    ) -> Answer:
        """
        Take a request one step further: to the page that asks what has to be asked, or to the
        client.
        """
        authorization = self.authorization
        if authorization.needsSignIn(request, session) or session is None:
            return visit.goTo("signin", interaction=authorization.seal(request, visit.browser))
        client = await authorization.clients.find(request.clientId)
        if await authorization.needsConsent(request, client, session):
            sealed = authorization.seal(request, visit.browser, session)
            return visit.goTo("consent", interaction=sealed)
        return visit.seeOther(await authorization.approve(request, session, visit.peer))
