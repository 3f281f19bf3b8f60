"""
Where somebody adds a passkey to his account.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

from markupsafe import Markup

from ...errors import Refusal
from ...oauth.records import BrowserSession
from ..passkeys import MAX_NAME, CannotRegister, Passkeys
from .endpoint import Answer
from .page import Page
from .visit import Pages, Visit

RECENT = 600.0
"""
How many seconds ago somebody may have signed in: whoever finds a browser open must not make himself
a key to the account.
"""


class NewPasskeyPage(Page):
    """
    Adds a passkey.
    """

    def __init__(self, pages: Pages, passkeys: Passkeys, now: Callable[[], float] = time) -> None:
        """
        @param now: the wall clock, in seconds since the epoch.
        """
        super().__init__(pages)
        self._passkeys = passkeys
        self._now = now

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Say what a passkey is, and offer to make one.
        """
        session = await self._recentSession(visit)
        if session is None:
            return visit.goTo("signin", interaction="passkey")
        return await self._offer(visit, session, visit.say("passkey.name.default"))

    async def page_POST(self, visit: Visit) -> Answer:
        """
        The browser made one.
        """
        session = await self._recentSession(visit)
        if session is None:
            return visit.goTo("signin", interaction="passkey")
        form = visit.form("passkey", session.identifier)
        name = form.get("name", "")[:MAX_NAME]
        try:
            await self._passkeys.register(
                session.authentication.account,
                form.get("challenge", ""),
                form.get("response", ""),
                name,
                visit.browser,
            )
        except Refusal:
            return await self._offer(visit, session, name, visit.say("passkey.wrong"))
        return visit.page("passkeydone", name=name)

    async def _recentSession(self, visit: Visit) -> BrowserSession | None:
        session = await visit.session()
        if session is None or self._now() - session.authentication.authTime > RECENT:
            return None
        return session

    async def _offer(
        self, visit: Visit, session: BrowserSession, name: str, problem: Markup | None = None
    ) -> Answer:
        account = session.authentication.account
        try:
            options, challenge = await self._passkeys.registrationOptions(account, visit.browser)
        except CannotRegister:
            return visit.message("passkey.full", 403)
        return visit.page(
            "passkey",
            status=200 if problem is None else 403,
            csrf=visit.formToken("passkey", session.identifier),
            account=account,
            name=name,
            problem=problem,
            options=options,
            challenge=challenge,
        )
