"""
Where an administrator says once more that something shall end, and sees before what ends with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ....oauth.requests import Form
from ....stores.records import NotFound
from ...sites import SiteSession
from ..endpoint import Answer
from ..visit import Visit
from .adminpage import PROBLEMS, AdminPage
from .endings import Ending


class ConfirmPage(AdminPage):
    """
    Asks, and ends it.
    """

    template = "admin/confirm"
    recent: ClassVar[bool] = True
    about: ClassVar[tuple[str, ...]] = ("end", "account", "id")

    def __init__(self, *shared: Any, endings: Mapping[str, Ending]) -> None:
        """
        @param shared: see L{AdminPage}.
        @param endings: by their names in the address.
        """
        super().__init__(*shared)
        self._endings = endings

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return await self._ask(visit, session, visit.query())

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        ending = self._endings.get(form.get("end", ""))
        account, identifier = form.get("account", ""), form.get("id", "")
        if ending is None:
            return self.missing(visit)
        if ending.typed and form.get("typed", "").strip() != account:
            return await self._ask(visit, session, form, visit.say("ending.typed.wrong"))
        actor = self.actor(visit, session)
        try:
            await ending.end(self.administration, actor, account, identifier)
        except PROBLEMS as error:
            return await self._ask(visit, session, form, str(error))
        about = {"account": account} if account and not ending.typed else {}
        return visit.goTo(ending.back, **about, done=ending.done)

    async def _ask(
        self, visit: Visit, session: SiteSession, asked: Form, problem: str | None = None
    ) -> Answer:
        ending = self._endings.get(asked.get("end", ""))
        account, identifier = asked.get("account", ""), asked.get("id", "")
        if ending is None:
            return self.missing(visit)
        try:
            what = await ending.find(self.administration, account, identifier)
        except NotFound:
            return self.missing(visit)
        about = {"account": account} if account else {}
        return self.page(
            visit,
            session,
            403 if problem else 200,
            ending=ending,
            asked=asked,
            problem=problem,
            title=visit.say(f"{ending.words}.title", account=account, what=what),
            text=visit.say(f"{ending.words}.text", account=account, what=what),
            own=ending.locksOut and account == session.account,
            cancel=self.pages.address(ending.back, **about),
        )
