"""
Where somebody connects a device without a browser (RFC 8628 section 3.3).
"""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

from ...errors import TooManyFailures
from ...oauth.records import BrowserSession, DeviceCode
from ...scopes import meaningsOf
from ..clients import Clients
from ..devices import Devices, formatUserCode
from .describing import Lifetimes, displayName
from .endpoint import Answer
from .onward import deviceDestination
from .page import Page
from .visit import Pages, Visit


class DevicePage(Page):
    """
    Asks for the code, then shows whose it is and asks again. A link that brings the code along
    saves the typing and nothing else: whoever sent it may not be who he seems (OA10).
    """

    def __init__(
        self, pages: Pages, clients: Clients, devices: Devices, lifetimes: Lifetimes
    ) -> None:
        super().__init__(pages)
        self._clients = clients
        self._devices = devices
        self._lifetimes = lifetimes

    async def page_GET(self, visit: Visit) -> Answer:
        """
        Ask for the code.
        """
        typed = visit.query().get("user_code", "")
        session = await visit.session()
        if session is None:
            return visit.goTo("signin", interaction=deviceDestination(typed))
        return self._ask(visit, session, typed)

    def _ask(
        self,
        visit: Visit,
        session: BrowserSession,
        typed: str,
        status: int = 200,
        problem: Markup | None = None,
    ) -> Answer:
        return visit.page(
            "device",
            status=status,
            csrf=visit.formToken("device", session.identifier),
            userCode=typed,
            problem=problem,
        )

    async def page_POST(self, visit: Visit) -> Answer:
        """
        Somebody typed a code, or has decided.
        """
        form, session = visit.clientForm(), await visit.session()
        typed, decision = form.get("user_code", ""), form.get("decision")
        if session is None:
            return visit.goTo("signin", interaction=deviceDestination(typed))
        # Only the page that shows whose code it is has a form that decides about it.
        visit.form("device", session.identifier, *(() if decision is None else (typed,)))
        try:
            code = await self._devices.find(typed, session.authentication.account)
        except TooManyFailures:
            return self._ask(visit, session, typed, 429, visit.say("device.limited"))
        if code is None:
            return self._ask(visit, session, typed, 403, visit.say("device.wrong"))
        if decision is None:
            return await self._confirm(visit, session, code)
        if decision == "allow":
            decided, key = await self._devices.approve(code, session), "device.allowed"
        else:
            decided, key = await self._devices.deny(code), "device.denied"
        return visit.message(key) if decided else visit.message("device.late", 403)

    async def _confirm(self, visit: Visit, session: BrowserSession, code: DeviceCode) -> Answer:
        """
        Show whose code it is, for what, from when and from where (RFC 10027 section 6.1).
        """
        client = await self._clients.find(code.clientId)
        userCode = formatUserCode(code.userCode)
        return visit.page(
            "deviceconfirm",
            csrf=visit.formToken("device", session.identifier, userCode),
            program=displayName(visit, client),
            verified=client.verified,
            scope=[visit.say(key) for key in meaningsOf(code.scope)],
            userCode=userCode,
            place=_describePlace(visit, code),
            when=_describeTime(visit, code, self._devices.now()),
            account=session.authentication.account,
            ends=self._lifetimes.describe(visit, client, code.scope),
        )


def _describePlace(visit: Visit, code: DeviceCode) -> Markup:
    if code.address is None:
        return visit.say("device.confirm.unknown")
    here = code.address == visit.peer
    key = "device.confirm.here" if here else "device.confirm.elsewhere"
    return visit.say(key, address=code.address, peer=visit.peer)


def _describeTime(visit: Visit, code: DeviceCode, now: float) -> Markup:
    minutes = int(now - code.created) // 60
    key = "device.confirm.ago" if minutes else "device.confirm.now"
    time = datetime.fromtimestamp(code.created, UTC)
    return visit.say(key, time=f"{time:%H:%M}", minutes=minutes)
