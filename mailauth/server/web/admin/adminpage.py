"""
What the pages of the administration site have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from ...sites import Site, SiteSession
from ..endpoint import Answer
from ..sitepage import SitePage
from ..visit import Pages, Visit


class AdminPage(SitePage):
    """
    A page for administrators alone.
    """

    def __init__(
        self, pages: Pages, site: Site, administrators: Callable[[], Collection[str]]
    ) -> None:
        """
        @param administrators: who they are now: the configuration may be read again.
        """
        super().__init__(pages, site)
        self._administrators = administrators

    def refusal(self, visit: Visit, session: SiteSession) -> Answer | None:
        """
        See L{SitePage.refusal}.
        """
        if session.account not in self._administrators():
            return visit.message("site.notyours", 403)
        return None
