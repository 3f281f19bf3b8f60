"""
Consent: somebody is told what a client would like to do, and says yes or no.
"""

from __future__ import annotations

from ...oauth.records import BrowserSession
from ...oauth.redirects import formActionOf
from ...oauth.responses import OAuthError
from ...scopes import meaningsOf
from ..authorization import Authorization
from ..authorizationrequests import AuthorizationRequest
from .describing import Lifetimes, describePlace, displayName
from .endpoint import Answer
from .page import Page
from .visit import Pages, Visit


class ConsentPage(Page):
    """
    Asks. What is asked is sealed for one browser and for whoever is signed in there (O 51).
    """

    def __init__(self, pages: Pages, authorization: Authorization, lifetimes: Lifetimes) -> None:
        super().__init__(pages)
        self._authorization = authorization
        self._lifetimes = lifetimes

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Ask.
        """
        session = await visit.requiredSession()
        sealed = visit.query().required("interaction")
        request = self._authorization.unseal(sealed, visit.browser, session)
        client = await self._authorization.clients.find(request.clientId)
        return visit.page(
            "consent",
            target=formActionOf(request.redirectURI),
            csrf=visit.formToken("consent"),
            interaction=sealed,
            program=displayName(visit, client),
            verified=client.verified,
            scope=[visit.say(key) for key in meaningsOf(request.scope)],
            account=session.authentication.account,
            place=describePlace(visit, request.redirectURI),
            ends=self._lifetimes.describe(visit, client, request.scope),
        )

    async def page_POST(self, visit: Visit) -> Answer:
        """
        He has decided.
        """
        form = visit.form("consent")
        session = await visit.requiredSession()
        request = self._authorization.unseal(form.required("interaction"), visit.browser, session)
        decision = form.get("decision")
        if decision == "allow":
            return await self._allow(visit, request, session)
        if decision == "another":
            sealed = self._authorization.seal(request, visit.browser)
            return visit.goTo("signin", interaction=sealed)
        return visit.seeOther(self._authorization.deny(request))

    async def _allow(
        self, visit: Visit, request: AuthorizationRequest, session: BrowserSession
    ) -> Answer:
        try:
            location = await self._authorization.approve(request, session, visit.peer)
        except OAuthError as error:
            # He has answered before, or has to sign in again: that is no mistake of the program.
            self.note(error)
            return visit.message("expired", 400)
        return visit.seeOther(location)
