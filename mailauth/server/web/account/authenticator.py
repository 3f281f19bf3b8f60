"""
Where somebody sets up an authenticator app, gets recovery codes, or gives both up.
"""

from __future__ import annotations

from ....oauth.requests import Form
from ....stores.records import AlreadyExists, NotFound
from ...administration import Administration
from ...factors import Proposal, WrongCode
from ...sites import Site, SiteSession
from ..endpoint import Answer
from ..onetimeforms import OneTimeForms
from ..qrcodes import drawCode
from ..visit import Pages, Visit
from .accountpage import AccountPage
from .waysin import waysIn


class _CodesPage(AccountPage):
    """
    A page whose form is answered with recovery codes, which are in that answer alone (PW13).
    """

    recent = True

    def shown(
        self, visit: Visit, session: SiteSession, codes: tuple[str, ...], confirmed: bool
    ) -> Answer:
        """
        The codes.

        @param confirmed: they came with a new authenticator.
        """
        return self.page(
            visit, session, template="account/recoverycodes", codes=codes, confirmed=confirmed
        )


class AuthenticatorPage(_CodesPage):
    """
    Shows what an authenticator app reads, and takes its first code. Before that nothing counts.
    """

    template = "account/authenticator"

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        proposal = self.administration.factors.proposeTOTP(session.account, visit.browser)
        return await self._ask(visit, session, proposal)

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        factors, account, browser = self.administration.factors, session.account, visit.browser
        sealed, code = form.get("proposal", ""), form.get("code", "")
        try:
            codes = await factors.confirmTOTP(
                self.actor(visit, session), account, sealed, code, browser
            )
        except WrongCode:
            proposal = factors.proposedTOTP(account, sealed, browser)
            return await self._ask(visit, session, proposal, "totp.wrong")
        except AlreadyExists:
            # Loaded again. What was shown then, nobody knows any more.
            return visit.goTo("account/security", done="nothing")
        return self.shown(visit, session, codes, confirmed=True)

    async def _ask(
        self, visit: Visit, session: SiteSession, proposal: Proposal, problem: str | None = None
    ) -> Answer:
        return self.page(
            visit,
            session,
            200 if problem is None else 403,
            ways=await waysIn(self.administration, session.account),
            proposal=proposal,
            drawn=drawCode(proposal.uri),
            problem=problem and visit.say(problem),
        )


class RecoveryCodesPage(_CodesPage):
    """
    Makes new recovery codes.
    """

    template = "account/recovery"

    def __init__(
        self, pages: Pages, site: Site, administration: Administration, forms: OneTimeForms
    ) -> None:
        super().__init__(pages, site, administration)
        self._forms = forms

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        ways = await waysIn(self.administration, session.account)
        if ways.factors.totp is None:
            return visit.goTo("account/security", done="nothing")
        return self.page(visit, session, left=ways.factors.recoveryCodes, once=self._forms.number())

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        if not await self._forms.isNew(form, session):
            return visit.goTo("account/security", done="nothing")
        try:
            codes = await self.administration.factors.renewRecoveryCodes(
                self.actor(visit, session), session.account
            )
        except NotFound:
            return visit.goTo("account/security", done="nothing")
        return self.shown(visit, session, codes, confirmed=False)


class RemoveAuthenticatorPage(AccountPage):
    """
    Says what is left, and gives it up.
    """

    template = "account/removetotp"
    recent = True

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        ways = await waysIn(self.administration, session.account)
        if ways.factors.totp is None:
            return visit.goTo("account/security", done="nothing")
        return self.page(visit, session, left=ways.withoutTOTP().describe(visit))

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        try:
            await self.administration.factors.removeTOTP(
                self.actor(visit, session), session.account
            )
        except NotFound:
            return visit.goTo("account/security", done="nothing")
        return visit.goTo("account/security", done="totp-off")
