"""
What the pages of the administration site have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from ...sites import Site, SiteSession
from ..sitepage import SitePage
from ..visit import Pages


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

    def admits(self, session: SiteSession) -> bool:
        """
        See L{SitePage.admits}.
        """
        return session.account in self._administrators()
