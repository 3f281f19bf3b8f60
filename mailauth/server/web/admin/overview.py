"""
The first page of the administration site.
"""

from __future__ import annotations

from ...sites import SiteSession
from ..endpoint import Answer
from ..visit import Visit
from .adminpage import AdminPage


class OverviewPage(AdminPage):
    """
    Says whether all is well.
    """

    template = "admin/overview"

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return self.page(visit, session)
