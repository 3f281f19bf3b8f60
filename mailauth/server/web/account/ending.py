"""
Where somebody ends what can read his mail.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from ....oauth.requests import Form
from ....oauth.responses import OAuthError
from ....stores.events import Actor
from ....stores.records import NotFound
from ...sites import SiteSession
from ..endpoint import Answer
from ..visit import Visit
from .access import AccessKind
from .accountpage import AccountPage
from .overview import EVERYTHING, GONE


class EndPage(AccountPage):
    """
    Ends one thing. There is nothing to see here.
    """

    @property
    def ends(self) -> Mapping[str, Callable[[Actor, str, str], Awaitable[None]]]:
        """
        For each kind what ends one, given who does it, whose it is, and its id.
        """
        access = self.administration.access
        return {
            AccessKind.APP_PASSWORD: self.administration.appPasswords.revoke,
            AccessKind.APPLICATION: access.endApplication,
            AccessKind.CONNECTION: access.endConnection,
            AccessKind.BROWSER: access.endBrowser,
        }

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return visit.goTo("account/")

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}. What has ended meanwhile, or
        is somebody else's, is gone.
        """
        kind, identifier = form.required("kind"), form.required("identifier")
        if kind not in self.ends:
            raise OAuthError("invalid_request", "There is no such kind.")
        try:
            await self.ends[kind](self.actor(visit, session), session.account, identifier)
        except NotFound:
            kind = GONE
        return visit.goTo("account/", done=kind)


class EndEverythingPage(AccountPage):
    """
    Ends everything but the browser that somebody does it in, for whoever has lost his phone.
    """

    template = "account/endeverything"

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return self.page(visit, session)

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}. At first it is as if the
        password had changed: so nothing is left that was allowed and not fetched yet, and whoever
        is in another browser makes no app password any more. If an outage comes in between, the
        rest ends when it is done again.
        """
        actor, account = self.actor(visit, session), session.account
        before = await visit.requiredSession()
        await self.administration.access.endAll(actor, account)
        await self.stay(visit, before)
        for each in await self.administration.appPasswords.list(account):
            try:
                await self.administration.appPasswords.revoke(actor, account, each.identifier)
            except NotFound:
                pass  # it has ended meanwhile
        return visit.goTo("account/", done=EVERYTHING)
