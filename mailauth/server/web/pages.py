"""
Pages that are the same for everybody.
"""

from __future__ import annotations

from typing import ClassVar

from twisted.web.http import Request

from .endpoint import Answer
from .page import Page
from .visit import Pages, Visit


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


class OnwardPage(Page):
    """
    Leads to where something is.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    def __init__(self, pages: Pages, path: str) -> None:
        """
        @param path: where to, below the issuer.
        """
        super().__init__(pages)
        self._path = path

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Lead there.
        """
        return visit.goTo(self._path)


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
