"""
Consent: somebody is told what a client would like to do, and says yes or no.
"""

from __future__ import annotations

from ...oauth.redirects import formActionOf
from ...scopes import meaningsOf
from ..authorization import Authorization
from .describing import Lifetimes, describePlace, displayName
from .endpoint import Answer
from .page import Page, Pages, Visit


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
            return visit.seeOther(await self._authorization.approve(request, session, visit.peer))
        if decision == "another":
            sealed = self._authorization.seal(request, visit.browser)
            return visit.goTo("signin", interaction=sealed)
        return visit.seeOther(self._authorization.deny(request))
