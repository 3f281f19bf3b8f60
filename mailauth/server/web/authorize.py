"""
The authorization endpoint (RFC 6749 section 3.1), in front of its pages.
"""

from __future__ import annotations

from .endpoint import Answer
from .onward import Onward
from .page import Page
from .visit import Pages, Visit


class AuthorizePage(Page):
    """
    Where clients send people. It shows nothing itself but what has nowhere else to go.
    """

    def __init__(self, pages: Pages, onward: Onward) -> None:
        super().__init__(pages)
        self._onward = onward

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Lead on to what has to be asked.
        """
        request = await self._onward.authorization.begin(visit.query())
        return await self._onward.answer(visit, request, await visit.session())

    async def page_POST(self, visit: Visit) -> Answer:
        """
        See L{Visit.again}.
        """
        return visit.again("authorize")
