"""
Where somebody changes the password of his account.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ....credentials import LoginContext
from ....errors import Refusal, TooManyFailures
from ....oauth.requests import Form
from ....passwords import UnusablePassword
from ...administration import Administration
from ...chosenpasswords import MIN_LENGTH, TooCommon, TooShort, checkOwnChoice
from ...signin import AppPasswordPresented, SignIn
from ...sites import Site, SiteSession
from ..endpoint import Answer
from ..visit import Pages, Visit
from .accountpage import AccountPage

CURRENT, CHOSEN, REPEATED = "current", "password", "repeated"
"""
The fields.
"""

_REASONS: Mapping[type[Exception], str] = {
    AppPasswordPresented: "signin.apppassword",
    TooCommon: "change.common",
    TooShort: "change.short",
    TooManyFailures: "limited.text",
}


@attrs.frozen
class _Problem:
    """
    Why the password is not changed.

    @ivar field: the one that has to be filled in again.
    @ivar key: that of the sentence that says so.
    """

    field: str
    key: str
    status: int = 400


class PasswordPage(AccountPage):
    """
    Asks for the current one, if there is one, and for a new one. Tokens, browsers and connections
    end with the old one, but not the browser in which it is changed.
    """

    template = "account/password"
    recent = True

    def __init__(
        self, pages: Pages, site: Site, administration: Administration, signIn: SignIn
    ) -> None:
        """
        @param signIn: looks at the current password, which is guessed here no more often than at
            the sign-in page.
        """
        super().__init__(pages, site, administration)
        self._passwords = signIn

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return self._ask(visit, session, await self._exists(session))

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        exists, chosen = await self._exists(session), form.get(CHOSEN, "")
        problem = self._lookAtChosen(session, chosen, form.get(REPEATED, ""))
        if problem is None and exists:
            problem = await self._lookAtCurrent(visit, session, form.get(CURRENT, ""))
        if problem is not None:
            return self._ask(visit, session, exists, problem)
        before = await visit.requiredSession()
        await self.administration.accounts.setPassword(
            self.actor(visit, session), session.account, chosen.encode("utf-8")
        )
        await self.stay(visit, before)
        return visit.goTo("account/security", done="password")

    async def _exists(self, session: SiteSession) -> bool:
        account = await self.administration.accounts.get(session.account)
        return account.passwordHash is not None

    def _ask(
        self, visit: Visit, session: SiteSession, exists: bool, problem: _Problem | None = None
    ) -> Answer:
        """
        @param exists: there is a password now.
        """
        return self.page(
            visit,
            session,
            200 if problem is None else problem.status,
            exists=exists,
            problem=problem and visit.say(problem.key),
            field=problem and problem.field,
            shortest=MIN_LENGTH,
        )

    def _lookAtChosen(self, session: SiteSession, chosen: str, repeated: str) -> _Problem | None:
        try:
            checkOwnChoice(chosen, session.account, self.pages.hostname)
        except UnusablePassword as error:
            return _Problem(CHOSEN, _REASONS.get(type(error), "change.unusable"))
        return None if chosen == repeated else _Problem(REPEATED, "change.different")

    async def _lookAtCurrent(
        self, visit: Visit, session: SiteSession, current: str
    ) -> _Problem | None:
        context = LoginContext("web", visit.peer, secure=True, mailClient=visit.userAgent)
        try:
            await self._passwords.confirm(session.account, current, context)
        except (Refusal, TooManyFailures) as error:
            status = 429 if isinstance(error, TooManyFailures) else 403
            return _Problem(CURRENT, _REASONS.get(type(error), "change.wrong"), status)
        return None
