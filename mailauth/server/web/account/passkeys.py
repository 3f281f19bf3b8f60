"""
Where somebody adds a passkey to his account, renames one, or removes it.
"""

from __future__ import annotations

from abc import abstractmethod

from markupsafe import Markup

from ....errors import Refusal
from ....oauth.requests import Form
from ....stores.records import NotFound
from ...passkeys import MAX_NAME, CannotRegister
from ...sites import SiteSession
from ..describing import cleanName
from ..endpoint import Answer
from ..visit import Visit
from .accountpage import AccountPage
from .waysin import waysIn


class NewPasskeyPage(AccountPage):
    """
    Says what a passkey is, and adds what the browser makes.
    """

    template = "account/newpasskey"
    recent = True

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        return await self._offer(visit, session, visit.say("passkey.name.default"))

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        name = _nameIn(visit, form)
        try:
            await self.administration.factors.addPasskey(
                self.actor(visit, session),
                session.account,
                form.get("challenge", ""),
                form.get("response", ""),
                name,
                visit.browser,
            )
        except Refusal:
            return await self._offer(visit, session, name, visit.say("passkey.wrong"))
        return visit.goTo("account/security", done="passkey")

    async def _offer(
        self, visit: Visit, session: SiteSession, name: str, problem: Markup | None = None
    ) -> Answer:
        try:
            options, challenge = await self.administration.factors.proposePasskey(
                session.account, visit.browser
            )
        except CannotRegister:
            return visit.message("passkey.full", 403)
        return self.page(
            visit,
            session,
            200 if problem is None else 403,
            name=name,
            longest=MAX_NAME,
            problem=problem,
            options=options,
            challenge=challenge,
        )


class _PasskeyPage(AccountPage):
    """
    A page about one passkey. One that is gone, or somebody else's, is not there.
    """

    recent = True
    about = ("id",)

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        identifier = visit.query().get("id", "")
        try:
            passkey = await self.administration.factors.findPasskey(session.account, identifier)
            ways = await waysIn(self.administration, session.account)
        except NotFound:
            return visit.goTo("account/security", done="nothing")
        return self.page(
            visit,
            session,
            id=identifier,
            name=cleanName(passkey.name) or visit.say("passkey.name.default"),
            longest=MAX_NAME,
            left=ways.withoutPasskey(passkey).describe(visit),
        )

    async def act(self, visit: Visit, session: SiteSession, form: Form) -> Answer:
        """
        See L{SitePage.act<mailauth.server.web.sitepage.SitePage.act>}.
        """
        try:
            done = await self.change(visit, session, form.get("id", ""), form)
        except NotFound:
            done = "nothing"
        return visit.goTo("account/security", done=done)

    @abstractmethod
    async def change(self, visit: Visit, session: SiteSession, identifier: str, form: Form) -> str:
        """
        Change it.

        @return: what was done: see L{DONE<mailauth.server.web.account.security.DONE>}.
        @raise NotFound: the account has no such passkey.
        """


class RenamePasskeyPage(_PasskeyPage):
    """
    Asks for another name.
    """

    template = "account/renamepasskey"

    async def change(self, visit: Visit, session: SiteSession, identifier: str, form: Form) -> str:
        """
        See L{_PasskeyPage.change}.
        """
        await self.administration.factors.renamePasskey(
            self.actor(visit, session), session.account, identifier, _nameIn(visit, form)
        )
        return "passkey-renamed"


class RemovePasskeyPage(_PasskeyPage):
    """
    Says what is left, and removes it.
    """

    template = "account/removepasskey"

    async def change(self, visit: Visit, session: SiteSession, identifier: str, form: Form) -> str:
        """
        See L{_PasskeyPage.change}.
        """
        await self.administration.factors.removePasskey(
            self.actor(visit, session), session.account, identifier
        )
        return "passkey-removed"


def _nameIn(visit: Visit, form: Form) -> str:
    return form.get("name", "").strip()[:MAX_NAME] or visit.say("passkey.name.default")
