"""
The external issuers of the configuration.
"""

from __future__ import annotations

from collections.abc import Sequence

from ....oauth.requests import Form
from ....stores.records import NotFound
from ...issuercheck import Finding
from ...sites import SiteSession
from ..endpoint import Answer
from ..visit import Visit
from .adminpage import AdminPage


class IssuersPage(AdminPage):
    """
    Shows them, and looks at one when it is asked to.
    """

    template = "admin/issuers"

    async def show(
        self,
        visit: Visit,
        session: SiteSession,
        checked: str | None = None,
        findings: Sequence[Finding] = (),
    ) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.

        @param checked: the name of one that was looked at, and what was found.
        """
        issuers = await self.administration.identities.listIssuers()
        return self.page(visit, session, issuers=issuers, checked=checked, findings=findings)

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}. This changes nothing, so
        that what was found is said on the answer itself.
        """
        name = form.get("name", "")
        try:
            findings = (await self.administration.identities.check(name)).all
        except NotFound:
            return self.missing(visit)
        return await self.show(visit, session, name, findings)
