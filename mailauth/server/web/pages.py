"""
Pages that are the same for everybody.
"""

from __future__ import annotations

from typing import ClassVar

from twisted.web.http import Request

from .endpoint import Answer
from .page import Page
from .visit import Visit


class FrontPage(Page):
    """
    What this server is.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Say it.
        """
        return visit.page("front")


class AccountPage(Page):
    """
    Where a refused password leads: what to use in its place, and how to get it.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Say it.
        """
        return visit.page("account")


class MissingPage(Page):
    """
    What is there where nothing is.
    """

    methods: ClassVar[tuple[bytes, ...]] = ()

    def otherMethod(self, request: Request) -> Answer:
        """
        Say so, whatever was asked.
        """
        return Visit(request, self.pages).message("missing", 404)
