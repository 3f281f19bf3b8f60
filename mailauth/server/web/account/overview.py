"""
The first page of the account site: who can read the mail.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...sites import SiteSession
from ..endpoint import Answer
from ..visit import Visit
from .access import AccessKind, Describer, isHere
from .accountpage import AccountPage

EVERYTHING, GONE = "everything", "gone"

_DONE: Mapping[str, str] = {
    AccessKind.APP_PASSWORD: "done.password",
    AccessKind.APPLICATION: "done.application",
    AccessKind.CONNECTION: "done.connection",
    AccessKind.BROWSER: "done.browser",
    EVERYTHING: "done.everything",
    GONE: "done.gone",
}
"""
What is said of what was just ended, by the word for it in the address.
"""


class OverviewPage(AccountPage):
    """
    Shows it, and a button for each that ends it.
    """

    template = "account/overview"

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        account, access = session.account, self.administration.access
        applications, here = await access.listApplications(account), await visit.session()
        describer = Describer(visit, self.administration.recorder.now(), applications)
        appPasswords = await self.administration.appPasswords.list(account)
        browsers = await access.listBrowsers(account)
        done = _DONE.get(visit.query().get("done", ""))
        return self.page(
            visit,
            session,
            done=done and visit.say(done),
            appPasswords=[describer.appPassword(each) for each in reversed(appPasswords)],
            applications=[describer.application(each) for each in applications],
            connections=[describer.connection(each) for each in access.listConnections(account)],
            browsers=[describer.browser(each, isHere(each, here)) for each in browsers],
        )
