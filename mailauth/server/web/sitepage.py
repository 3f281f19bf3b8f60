"""
What the pages of our own sites have in common. Owns that nobody sees one, or sends its form, who is
not signed in, or not lately enough.
"""

from __future__ import annotations

from abc import abstractmethod
from math import inf
from typing import Any, ClassVar
from urllib.parse import urlencode

from ...oauth.requests import Form
from ..sites import RECENT, Site, SiteSession
from .endpoint import Answer
from .page import Page
from .visit import Pages, SignedOut, Visit


def cookieOf(site: str) -> bytes:
    """
    Where a browser keeps who is in a site.

    @param site: its name.
    """
    return b"__Host-mailauth-" + site.encode("ascii")


class SitePage(Page):
    """
    A page of a site. A subclass says in L{show} what is on it, and in L{act} what its form does.

    @cvar template: what the page is made of.
    @cvar recent: whoever comes here has to have signed in lately.
    @cvar longest: how many seconds ago he may have signed in where that is not so.
    @cvar about: the parameters of its address that say what it is about. Its form has them, too.
    """

    template: ClassVar[str]
    recent: ClassVar[bool] = False
    longest: ClassVar[float] = inf
    about: ClassVar[tuple[str, ...]] = ()

    def __init__(self, pages: Pages, site: Site) -> None:
        super().__init__(pages)
        self.site = site

    @abstractmethod
    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        What is on it: see L{page}.
        """

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        Do what the form says, and go on to a page that may be loaded again.
        """
        return await self.show(visit, session)

    def turnAway(self, visit: Visit, session: SiteSession) -> Answer | None:
        """
        What somebody is shown instead who may not be here; C{None} if he may.
        """
        return None

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Show it, once it is known to whom.
        """
        session = await self._find(visit)
        if session is None or not self.site.lasts(session):
            return self._signIn(visit, visit.path)
        elsewhere = self.turnAway(visit, session)
        if elsewhere is not None:
            return elsewhere
        if not self.site.isRecent(session, self._within):
            return self._signIn(visit, visit.path, self._within)
        return await self.show(visit, session)

    async def page_POST(self, visit: Visit) -> Answer:
        """
        Do what the form says, for whom it was made.
        """
        session = await self._find(visit)
        if session is None:
            raise SignedOut
        form = visit.form(*self._purposeFor(session))
        elsewhere = self.turnAway(visit, session)
        if elsewhere is not None:
            return elsewhere
        # He was recent enough when he was shown the form, and it takes time to fill in.
        if not self.site.isRecent(session, self._within + RECENT):
            return self._signIn(visit, self._again(visit, form), self._within)
        return await self.act(visit, session, form)

    def page(
        self,
        visit: Visit,
        session: SiteSession,
        status: int = 200,
        template: str | None = None,
        **values: Any,
    ) -> Answer:
        """
        The page, with what all pages of the site have.

        @param template: where it is made of something else than L{template}.
        """
        return visit.page(
            template or self.template,
            status,
            csrf=visit.formToken(*self._purposeFor(session)),
            account=session.account,
            site=self.site.name,
            path=visit.path.partition("?")[0],
            **values,
        )

    def _purposeFor(self, session: SiteSession) -> tuple[str, ...]:
        """
        What its form is for, and for whom. Where he has to have signed in lately it has a token
        that no page shows who needs not: it counts longer than the page is shown.
        """
        return (self.site.name, session.identifier, *(("recent",) if self.recent else ()))

    @property
    def _within(self) -> float:
        return RECENT if self.recent else self.longest

    def _again(self, visit: Visit, form: Form) -> str:
        """
        Where the form can be filled in again.
        """
        query = urlencode({name: form[name] for name in self.about if name in form})
        return f"{visit.path}?{query}" if query else visit.path

    async def _find(self, visit: Visit) -> SiteSession | None:
        """
        Who is in, in a browser that is still signed in itself: whoever signed it out, wherever he
        did, signed it out of its sites, too.
        """
        session = await self.site.find(visit.cookie(cookieOf(self.site.name)))
        browser = None if session is None else await visit.session()
        if session is None or browser is None:
            return None
        return session if session.account == browser.authentication.account else None

    def _signIn(self, visit: Visit, path: str, maxAge: float | None = None) -> Answer:
        return visit.seeOther(self.site.begin(path, visit.browser, maxAge))


class SignedInPage(Page):
    """
    Where somebody comes back to from signing in.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    def __init__(self, pages: Pages, site: Site) -> None:
        super().__init__(pages)
        self._site = site

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Lead him to what he came for. Whoever would rather not sign in is where he began.
        """
        answer = visit.query()
        if answer.get("error") == "access_denied":
            return visit.goTo("")
        secret, _, path = await self._site.finish(answer, visit.browser, visit.peer)
        visit.keep(cookieOf(self._site.name), secret)
        return visit.goTo(path)
