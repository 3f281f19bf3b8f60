"""
The open connections.
"""

from __future__ import annotations

from typing import ClassVar

from ...sites import SiteSession
from ..endpoint import Answer
from ..visit import Visit
from .adminpage import AdminPage

PAGE = 100
"""
How many are on a page.
"""


class ConnectionsPage(AdminPage):
    """
    Shows them, the newest first.
    """

    template = "admin/connections"
    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        word, begin = visit.query().get("account", "").strip().lower(), visit.number("skip") or 0
        found = [
            each
            for each in reversed(self.administration.access.listConnections(None))
            if word in each.account
        ]
        shown = found[begin : begin + PAGE]
        end = begin + len(shown)
        return self.page(
            visit,
            session,
            word=word,
            begin=begin,
            end=end,
            count=len(found),
            connections=shown,
            whole=word in {each.account for each in found},
        )
