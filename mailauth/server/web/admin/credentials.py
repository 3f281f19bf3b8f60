"""
What somebody signs in with, given to him by an administrator. Owns that a secret is shown once, on
the answer to the form that made it: no address leads to it.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime
from typing import Any, ClassVar

from ....oauth.requests import Form
from ....stores.records import NotFound
from ...actions.apppasswords import MAX_NAME
from ...sites import SiteSession
from ..endpoint import Answer
from ..limits import PROTOCOLS, readLimits
from ..onetimeforms import OneTimeForms
from ..visit import Visit
from .adminpage import NOTHING, PROBLEMS, AdminPage

MAX_LIST = 12_000
"""
How many characters of a list are taken at once: a form may have 16 KiB, in which some count three
times.
"""


class CredentialPage(AdminPage):
    """
    A form for one account. A subclass says in L{give} what it does.
    """

    recent: ClassVar[bool] = True
    about: ClassVar[tuple[str, ...]] = ("account",)

    @abstractmethod
    async def give(self, visit: Visit, session: SiteSession, name: str, form: Form) -> Answer:
        """
        Do what the form says.

        @param name: of the account.
        """

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return await self.form(visit, session, visit.query().get("account", ""))

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        name = form.get("account", "")
        try:
            return await self.give(visit, session, name, form)
        except PROBLEMS as error:
            return await self.form(visit, session, name, form, str(error))

    async def form(
        self,
        visit: Visit,
        session: SiteSession,
        name: str,
        typed: Form = NOTHING,
        problem: str | None = None,
        **values: Any,
    ) -> Answer:
        """
        The form.

        @param typed: what it holds.
        @param problem: why not.
        """
        try:
            shown = await self.administration.accounts.get(name)
        except NotFound:
            return self.missing(visit)
        return self.page(
            visit,
            session,
            403 if problem else 200,
            shown=shown,
            typed=typed,
            problem=problem,
            **values,
        )


class PasswordPage(CredentialPage):
    """
    Sets the account password.
    """

    template = "admin/password"

    async def give(self, visit: Visit, session: SiteSession, name: str, form: Form) -> Answer:
        """
        See L{CredentialPage.give}.
        """
        password = form.get("password", "").encode("utf-8")
        await self.administration.accounts.setPassword(self.actor(visit, session), name, password)
        return visit.goTo("admin/accounts/view", account=name, done="password")


class AppPasswordPage(CredentialPage):
    """
    Makes an app password, and shows it.
    """

    template = "admin/apppassword"
    about = ("account", "name", "may", *PROTOCOLS, "expires", "date", "networks")

    def __init__(self, *shared: Any, forms: OneTimeForms) -> None:
        """
        @param shared: see L{AdminPage}.
        @param forms: those that were sent.
        """
        super().__init__(*shared)
        self._forms = forms

    async def give(self, visit: Visit, session: SiteSession, name: str, form: Form) -> Answer:
        """
        See L{CredentialPage.give}.
        """
        if not await self._forms.isNew(form, session):
            return await self.form(visit, session, name, form, visit.say("admin.sent"))
        made = await self.administration.appPasswords.make(
            self.actor(visit, session), name, readLimits(visit, form, PROTOCOLS, self.now)
        )
        return await self.form(visit, session, name, made=made)

    async def form(
        self,
        visit: Visit,
        session: SiteSession,
        name: str,
        typed: Form = NOTHING,
        problem: str | None = None,
        **values: Any,
    ) -> Answer:
        """
        See L{CredentialPage.form}.
        """
        shown = {
            "made": None,
            "protocols": PROTOCOLS,
            "once": self._forms.number(),
            "longest": MAX_NAME,
            "today": f"{datetime.fromtimestamp(self.now, UTC):%Y-%m-%d}",
            "peer": visit.peer,
            **values,
        }
        return await super().form(visit, session, name, typed, problem, **shown)


class IdentityPage(CredentialPage):
    """
    Says who the owner of the account is to an external issuer.
    """

    template = "admin/identity"

    async def give(self, visit: Visit, session: SiteSession, name: str, form: Form) -> Answer:
        """
        See L{CredentialPage.give}.
        """
        await self.administration.identities.link(
            self.actor(visit, session), name, form.get("issuer", ""), form.get("subject", "")
        )
        return visit.goTo("admin/accounts/view", account=name, done="linked")

    async def form(
        self,
        visit: Visit,
        session: SiteSession,
        name: str,
        typed: Form = NOTHING,
        problem: str | None = None,
        **values: Any,
    ) -> Answer:
        """
        See L{CredentialPage.form}.
        """
        settings = [each.settings for each in self.administration.identities.issuers]
        issuers = [(each.name, each.label) for each in settings]
        return await super().form(visit, session, name, typed, problem, issuers=issuers, **values)


class ImportPage(AdminPage):
    """
    Takes over the app passwords of another system.
    """

    template = "admin/import"
    recent = True

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return self.page(visit, session, lines=(), left="", longest=MAX_LIST)

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}. What was wrong with which
        line is said on the answer itself: no address leads to it, for the list has secrets in it.
        """
        typed = form.get("list", "").splitlines()
        lines = await self.administration.appPasswords.importLines(
            self.actor(visit, session), typed
        )
        wrong = [each.number for each in lines if each.problem is not None]
        left = "\n".join(typed[number - 1] for number in wrong)
        status = 403 if wrong else 200
        return self.page(visit, session, status, lines=lines, left=left, longest=MAX_LIST)
