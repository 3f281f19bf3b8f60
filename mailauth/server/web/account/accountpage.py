"""
What the pages of the account site have in common.
"""

from __future__ import annotations

import attrs

from ....errors import InvalidCredentials, Outage
from ....oauth.records import BrowserSession
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

    async def stay(self, visit: Visit, before: BrowserSession) -> None:
        """
        Let the browser in once more when all that there was of the account has ended. How, and how
        long ago, its owner proved who he is stays as it was: he did not prove it anew.

        @param before: its session until then.
        """
        authentication = attrs.evolve(
            before.authentication,
            when=self.administration.recorder.now(),
            signedIn=before.authentication.authTime,
        )
        try:
            secret, session = await self.pages.sessions.make(
                authentication, visit.peer, visit.userAgent, replaced=before
            )
        except (InvalidCredentials, Outage):
            return  # it has ended, and he signs in again
        visit.signIn(secret, session)
