"""
Consent: somebody is told what a client would like to do, and says yes or no.
"""

from __future__ import annotations

from ...oauth.redirects import formActionOf
from ...scopes import meaningsOf
from ..offer import wantsRefreshToken
from .describing import describeEnd, describePlace, displayName
from .endpoint import Answer
from .onward import Onward
from .page import Page, Pages, Visit


class ConsentPage(Page):
    """
    Asks. What is asked is sealed for one browser and for whoever is signed in there (O 51).
    """

    def __init__(self, pages: Pages, onward: Onward) -> None:
        super().__init__(pages)
        self._onward = onward
        self._authorization = onward.authorization

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Ask.
        """
        session = await visit.requiredSession()
        sealed = visit.query().required("interaction")
        request = self._authorization.unseal(sealed, visit.browser, session)
        client = await self._authorization.clients.find(request.clientId)
        lifetime = self._authorization.grantLifetime
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
            ends=describeEnd(
                visit,
                wantsRefreshToken(client, request.scope),
                None if lifetime is None else self._authorization.now() + lifetime,
            ),
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
