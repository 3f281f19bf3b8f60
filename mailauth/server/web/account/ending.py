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
from .access import AccessKind, applicationsOf, isHere
from .accountpage import AccountPage
from .overview import EVERYTHING, GONE


class EndingPage(AccountPage):
    """
    What ends something.
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


class EndPage(EndingPage):
    """
    Ends one thing. There is nothing to see here.
    """

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


class EndEverythingPage(EndingPage):
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
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}. If an outage comes in
        between, the rest ends when it is done again.
        """
        actor, account = self.actor(visit, session), session.account
        for kind, identifiers in (await self._everything(visit, account)).items():
            for identifier in identifiers:
                try:
                    await self.ends[kind](actor, account, identifier)
                except NotFound:
                    pass  # it has ended meanwhile, by itself or with what let it in
        return visit.goTo("account/", done=EVERYTHING)

    async def _everything(self, visit: Visit, account: str) -> dict[str, list[str]]:
        """
        The ids of everything, by its kind. Connections come last: what could open one anew is gone
        by then.
        """
        access, here = self.administration.access, await visit.session()
        return {
            AccessKind.APP_PASSWORD: [
                each.identifier for each in await self.administration.appPasswords.list(account)
            ],
            AccessKind.APPLICATION: [
                each.identifier for each in await applicationsOf(access, account)
            ],
            AccessKind.BROWSER: [
                each.identifier
                for each in await access.listBrowsers(account)
                if not isHere(each, here)
            ],
            AccessKind.CONNECTION: [each.identifier for each in access.listConnections(account)],
        }
