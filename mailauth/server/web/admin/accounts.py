"""
The accounts: finding them, and making one.
"""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from ....oauth.requests import Form
from ...sites import SiteSession
from ..endpoint import Answer
from ..visit import Visit
from .adminpage import NOTHING, PROBLEMS, AdminPage

PAGE = 50
"""
How many accounts are on a page.
"""

RULES = {
    "domain": "admin.rule.domain",
    "web": "admin.rule.web",
    "everywhere": "admin.rule.everywhere",
}
"""
What a form says about where the account password may be used, and the key of the sentence.
"""


def rulesIn(visit: Visit) -> list[tuple[str, Markup]]:
    """
    What can be chosen.
    """
    return [(rule, visit.say(key)) for rule, key in RULES.items()]


def ruleOf(form: Form) -> str | None:
    """
    What it says: C{None} for the rule of the account's domain.
    """
    rule = form.get("rule")
    return rule if rule in RULES and rule != "domain" else None


class AccountsPage(AdminPage):
    """
    Finds accounts.
    """

    template = "admin/accounts"
    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        query = visit.query()
        word, after = query.get("word", ""), query.get("after", "")
        found = await self.administration.accounts.find(word, after, PAGE + 1)
        return self.page(
            visit,
            session,
            word=word,
            after=after,
            accounts=found[:PAGE],
            more=len(found) > PAGE,
        )


class NewAccountPage(AdminPage):
    """
    Makes one.
    """

    template = "admin/newaccount"
    recent = True

    async def show(
        self,
        visit: Visit,
        session: SiteSession,
        typed: Form = NOTHING,
        problem: str | None = None,
    ) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        status = 403 if problem else 200
        return self.page(visit, session, status, typed=typed, problem=problem, rules=rulesIn(visit))

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        password = form.get("password")
        try:
            made = await self.administration.accounts.create(
                self.actor(visit, session),
                form.get("name", ""),
                None if password is None else password.encode("utf-8"),
                ruleOf(form),
            )
        except PROBLEMS as error:
            return await self.show(visit, session, form, str(error))
        return visit.goTo("admin/accounts/view", account=made.name, done="created")
