"""
The keys that the built-in issuer signs with.
"""

from __future__ import annotations

from typing import ClassVar

from ....oauth.requests import Form
from ...actions.keys import ALGORITHMS
from ...keys import MAX_TOKEN_LIFETIME
from ...sites import SiteSession
from ..endpoint import Answer
from ..visit import Visit
from .adminpage import AdminPage


class KeysPage(AdminPage):
    """
    Shows them.
    """

    template = "admin/keys"
    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        keys = await self.administration.keys.list()
        return self.page(visit, session, keys=keys, now=self.now, lasts=MAX_TOKEN_LIFETIME)


class RotatePage(AdminPage):
    """
    Makes a new one.
    """

    template = "admin/rotate"
    recent = True

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return self.page(visit, session, algorithms=[(each, each) for each in ALGORITHMS])

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        algorithm = form.get("algorithm", "")
        await self.administration.keys.rotate(
            self.actor(visit, session),
            algorithm if algorithm in ALGORITHMS else ALGORITHMS[0],
            form.get("when") == "now",
        )
        return visit.goTo("admin/keys", done="rotated")
