"""
Signing out: where clients send people for it (OpenID Connect RP-Initiated Logout 1.0), and the page
that asks whether they want to.
"""

from __future__ import annotations

from ...oauth.records import BrowserSession
from ...oauth.redirects import formActionOf
from ...oauth.requests import Form
from ..logout import Logout, LogoutRequest
from .describing import cleanName
from .endpoint import Answer
from .page import Page
from .visit import Pages, Visit


class _Leaving(Page):
    """
    What both addresses have in common.
    """

    def __init__(self, pages: Pages, logout: Logout) -> None:
        super().__init__(pages)
        self.logout = logout

    async def leave(
        self, visit: Visit, request: LogoutRequest, session: BrowserSession | None
    ) -> Answer:
        """
        Sign the browser out, and go where the client wants.
        """
        if session is not None:
            await self.logout.end(session)
        visit.signOut()
        if request.location is not None:
            return visit.seeOther(request.location)
        return visit.message("signout.done")


class EndSessionPage(_Leaving):
    """
    Where clients send people.
    """

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Sign out whom the client knows to be signed in, and ask everybody else.
        """
        session = await visit.session()
        request = await self.logout.begin(visit.query(), session)
        if session is None or request.confirmed:
            return await self.leave(visit, request, session)
        return visit.goTo("signout", interaction=self.logout.seal(request, visit.browser))

    async def page_POST(self, visit: Visit) -> Answer:
        """
        See L{Visit.again}.
        """
        return visit.again("end_session")


class SignOutPage(_Leaving):
    """
    Asks.
    """

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Ask.
        """
        session = await visit.session()
        sealed = visit.query().get("interaction")
        request = await self._read(visit, sealed, session)
        if session is None:
            return await self.leave(visit, request, session)
        return visit.page(
            "signout",
            target=None if request.location is None else formActionOf(request.location),
            csrf=visit.formToken("signout", session.identifier),
            interaction=sealed,
            program=request.clientName and cleanName(request.clientName),
            account=session.authentication.account,
        )

    async def page_POST(self, visit: Visit) -> Answer:
        """
        He has decided.
        """
        session = await visit.session()
        form = visit.form("signout", "" if session is None else session.identifier)
        request = await self._read(visit, form.get("interaction"), session)
        if form.get("decision") == "stay":
            return visit.message("signout.stayed")
        return await self.leave(visit, request, session)

    async def _read(
        self, visit: Visit, sealed: str | None, session: BrowserSession | None
    ) -> LogoutRequest:
        """
        What a client asked, if one did.
        """
        if sealed is None:
            return await self.logout.begin(Form({}), session)
        return self.logout.unseal(sealed, visit.browser)
