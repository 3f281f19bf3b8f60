"""
The first page of the account site.
"""

from __future__ import annotations

from ...sites import SiteSession
from ..endpoint import Answer
from ..sitepage import SitePage
from ..visit import Visit


class OverviewPage(SitePage):
    """
    Shows what can read the mail.
    """

    template = "account/overview"

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show}.
        """
        return self.page(visit, session)
