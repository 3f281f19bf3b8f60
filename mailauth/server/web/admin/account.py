"""
Everything about one account.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from ....oauth.requests import Form
from ....stores.events import Actor, EventSearch
from ....stores.records import NotFound
from ...actions.apppasswords import UnusableLimits
from ...actions.factors import passkeyId
from ...administration import Administration
from ...sites import SiteSession
from ..browsernames import browserName
from ..endpoint import Answer
from ..limits import describeLimits
from ..visit import Visit
from .accounts import ruleOf, rulesIn
from .adminpage import NOTHING, PROBLEMS, AdminPage
from .endings import identityId

EVENTS = 10
"""
How many of its events are shown.
"""


async def _enable(administration: Administration, actor: Actor, name: str, form: Form) -> str:
    await administration.accounts.enable(actor, name)
    return "enabled"


async def _setRule(administration: Administration, actor: Actor, name: str, form: Form) -> str:
    await administration.accounts.setPasswordRule(actor, name, ruleOf(form))
    return "saved"


async def _setLimit(administration: Administration, actor: Actor, name: str, form: Form) -> str:
    typed = form.get("limit")
    if typed is not None and not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        raise UnusableLimits(f"{typed!r} is no number.")
    limit = None if typed is None else int(typed)
    await administration.appPasswords.setLimit(actor, name, limit)
    return "saved"


async def _addAlias(administration: Administration, actor: Actor, name: str, form: Form) -> str:
    await administration.accounts.addAlias(actor, name, form.get("alias", ""))
    return "added"


_CHANGES: Mapping[str, Callable[[Administration, Actor, str, Form], Awaitable[str]]] = {
    "enable": _enable,
    "rule": _setRule,
    "limit": _setLimit,
    "alias": _addAlias,
}
"""
What can be done right here, by the button of its form.
"""


class AccountPage(AdminPage):
    """
    Shows it, and changes what harms nobody.
    """

    template = "admin/account"
    about = ("account",)

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return await self._show(visit, session, visit.query().get("account", ""))

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        name, decision = form.get("account", ""), form.get("decision", "")
        change = _CHANGES.get(decision)
        if change is None:
            return self.missing(visit)
        try:
            done = await change(self.administration, self.actor(visit, session), name, form)
        except PROBLEMS as error:
            return await self._show(visit, session, name, form, str(error))
        return visit.goTo("admin/accounts/view", account=name, done=done)

    async def _show(
        self,
        visit: Visit,
        session: SiteSession,
        name: str,
        typed: Form = NOTHING,
        problem: str | None = None,
    ) -> Answer:
        administration, access = self.administration, self.administration.access
        try:
            shown = await administration.accounts.get(name)
            return self.page(
                visit,
                session,
                403 if problem else 200,
                shown=shown,
                typed=typed,
                problem=problem,
                rules=rulesIn(visit),
                aliases=await administration.accounts.listAliases(name),
                appPasswords=await administration.appPasswords.list(name),
                limit=await administration.appPasswords.limit(name),
                applications=await access.listApplications(name),
                browsers=await access.listBrowsers(name),
                connections=access.listConnections(name),
                factors=await administration.factors.list(name),
                identities=await administration.identities.list(name),
                events=await administration.events.find(EventSearch(account=name), EVENTS),
                passkeyId=passkeyId,
                identityId=identityId,
                may=partial(describeLimits, visit),
                browserName=partial(browserName, visit),
            )
        except NotFound:
            return self.missing(visit)
