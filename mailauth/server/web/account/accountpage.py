"""
What the pages of the account site have in common.
"""

from __future__ import annotations

from ....stores.events import ACCOUNT_SITE, Actor
from ...administration import Administration
from ...sites import Site, SiteSession
from ..sitepage import SitePage
from ..visit import Pages, Visit


class AccountPage(SitePage):
    """
    A page for whoever has an account, about that alone.
    """

    def __init__(self, pages: Pages, site: Site, administration: Administration) -> None:
        super().__init__(pages, site)
        self.administration = administration

    def actor(self, visit: Visit, session: SiteSession) -> Actor:
        """
        Who does what the form of the page says.
        """
        return Actor(session.account, ACCOUNT_SITE, visit.peer)
