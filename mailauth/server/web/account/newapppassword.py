"""
Where somebody makes an app password.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from ....oauth.requests import Form
from ....stores.records import AppPassword, LimitReached
from ...actions.apppasswords import MAX_NAME, MadeAppPassword, UnusableLimits
from ...administration import Administration
from ...mailhosts import MailHosts, MailServer
from ...sites import Site, SiteSession
from ..endpoint import Answer
from ..limits import PROTOCOLS, readLimits
from ..onetimeforms import OneTimeForms
from ..qrcodes import drawCode
from ..visit import Pages, Visit
from .accountpage import AccountPage


class NewAppPasswordPage(AccountPage):
    """
    Asks what it is for, and shows it once. It is in the answer to the form alone, which nobody
    keeps (PW13).
    """

    template = "account/newapppassword"
    recent = True
    about: ClassVar[tuple[str, ...]] = ("name", "may", *PROTOCOLS, "expires", "date", "networks")

    def __init__(
        self,
        pages: Pages,
        site: Site,
        administration: Administration,
        hosts: MailHosts,
        forms: OneTimeForms,
    ) -> None:
        """
        @param hosts: what its owner enters besides.
        """
        super().__init__(pages, site, administration)
        self._hosts = hosts
        self._forms = forms
        self._protocols = {
            protocol: key for protocol, key in PROTOCOLS.items() if hosts.preferred(protocol)
        }

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return self._ask(visit, session, visit.query())

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}. It leads nowhere: what is
        shown once has no address.
        """
        appPasswords = self.administration.appPasswords
        try:
            limits = readLimits(visit, form, self._protocols, self._now())
            if not await self._forms.isNew(form, session):
                sent = visit.say("password.sent", list=self.pages.address("account/"))
                return self._ask(visit, session, form, sent)
            made = await appPasswords.make(self.actor(visit, session), session.account, limits)
        except (UnusableLimits, LimitReached) as error:
            return self._ask(visit, session, form, str(error))
        return self._tell(visit, session, made)

    def _ask(
        self, visit: Visit, session: SiteSession, typed: Form, problem: str | None = None
    ) -> Answer:
        """
        @param typed: what was filled in before.
        """
        return self.page(
            visit,
            session,
            200 if problem is None else 400,
            typed=typed,
            problem=problem,
            once=self._forms.number(),
            protocols=self._protocols,
            today=datetime.fromtimestamp(self._now(), UTC).date().isoformat(),
            longest=MAX_NAME,
            peer=visit.peer,
        )

    def _tell(self, visit: Visit, session: SiteSession, made: MadeAppPassword) -> Answer:
        record = made.record
        return self.page(
            visit,
            session,
            template="account/apppasswordmade",
            made=record,
            groups=made.secret.split("-"),
            code=drawCode(made.secret),
            hostname=self._hosts.hostname,
            protocols=self._protocols,
            servers=self._servers(record),
        )

    def _now(self) -> float:
        return self.administration.recorder.now()

    def _servers(self, made: AppPassword) -> list[MailServer]:
        """
        Where it can be used.
        """
        preferred = [self._hosts.preferred(protocol) for protocol in self._protocols]
        return [
            server
            for server in preferred
            if server is not None
            if not made.services or server.protocol in made.services
            if not (made.readOnly and server.protocol == "smtp")
        ]
