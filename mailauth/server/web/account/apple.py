"""
Where somebody gets what sets up his iPhone, iPad or Mac.
"""

from __future__ import annotations

from collections.abc import Callable

from ....oauth.requests import Form
from ....stores.records import LimitReached
from ...actions.apppasswords import AppPasswordLimits
from ...administration import Administration
from ...mailhosts import MailHosts
from ...setup import apple
from ...sites import Site, SiteSession
from ..endpoint import Answer
from ..onetimeforms import OneTimeForms
from ..times import day
from ..visit import Pages, Visit
from .accountpage import AccountPage


class ApplePage(AccountPage):
    """
    Makes an app password, and a profile with it inside.
    """

    template = "account/apple"
    recent = True

    def __init__(
        self,
        pages: Pages,
        site: Site,
        administration: Administration,
        hosts: MailHosts,
        forms: OneTimeForms,
        sign: Callable[[bytes], bytes],
    ) -> None:
        """
        @param hosts: what the profile says.
        @param sign: puts it into our signature.
        """
        super().__init__(pages, site, administration)
        self._hosts = hosts
        self._forms = forms
        self._sign = sign

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return self._ask(visit, session)

    def _ask(self, visit: Visit, session: SiteSession, problem: str | None = None) -> Answer:
        status = 200 if problem is None else 400
        return self.page(visit, session, status, once=self._forms.number(), problem=problem)

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}. The answer is the profile:
        the page stays where it is, and says what to do with it.
        """
        now = self.administration.recorder.now()
        name = visit.say("apple.name", day=day(visit, now).striptags())
        if not await self._forms.isNew(form, session):
            return self._ask(visit, session, visit.say("apple.sent"))
        try:
            made = await self.administration.appPasswords.make(
                self.actor(visit, session), session.account, AppPasswordLimits(name)
            )
        except LimitReached as error:
            return self._ask(visit, session, str(error))
        profile = apple.writeProfile(self._hosts, session.account, made.secret)
        file = f'attachment; filename="{self._hosts.hostname}.mobileconfig"'
        return Answer(
            self._sign(profile),
            type=apple.TYPE,
            headers=((b"Content-Disposition", file.encode("ascii")),),
        )
