"""
What happened to an account, for its owner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ....errors import Outage
from ....oauth.responses import OAuthError
from ....stores.events import ADMIN_SITE, COMMAND, Event, EventSearch, Kind
from ...sites import SiteSession
from ..describing import cleanName
from ..endpoint import Answer
from ..happenings import SAID
from ..times import exactly
from ..visit import Visit
from .accountpage import AccountPage

PAGE = 30
"""
How many events are on a page.
"""

_METHODS: Mapping[str, str] = {
    "pwd": "activity.password",
    "otp": "activity.code",
    "pop": "activity.passkey",
}
"""
What is said of the ways to sign in, which are named as in RFC 8176.
"""


class ActivityPage(AccountPage):
    """
    Shows it, the newest first.
    """

    template = "account/activity"

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        before = visit.number("before")
        found = await self.administration.events.find(
            EventSearch(account=session.account), PAGE + 1, before
        )
        shown = found[:PAGE]
        # Each once: its document may be on a server that lets us wait.
        clientIds = {each for event in shown if (each := _clientOf(event)) is not None}
        names = {each: await self._nameOf(each) for each in clientIds}
        return self.page(
            visit,
            session,
            events=[_describe(visit, event, names) for event in shown],
            first=before is None,
            before=shown[-1].number if len(found) > PAGE else None,
        )

    async def _nameOf(self, clientId: str) -> str:
        try:
            return cleanName((await self.administration.access.clients.find(clientId)).name)
        except (OAuthError, Outage):
            return ""


def _clientOf(event: Event) -> str | None:
    """
    The id of the application that it is about, if it is about one.
    """
    if event.kind in (Kind.APPLICATION_ALLOWED, Kind.APPLICATION_ENDED):
        return re.split(", id |: ", event.text)[0]
    return None


def _describe(visit: Visit, event: Event, names: Mapping[str, str]) -> dict[str, Any]:
    """
    @param names: those of applications, by their ids.
    """
    actor = event.actor
    if actor.via in (COMMAND, ADMIN_SITE):
        by = visit.say("activity.administrator")
    elif actor.address is None:
        by = visit.say("activity.unknown")
    else:
        by = visit.say("activity.address", address=actor.address)
    return {
        "what": visit.say(SAID[event.kind]),
        "text": _about(visit, event, names),
        "by": by,
        "when": exactly(visit, event.time),
    }


def _about(visit: Visit, event: Event, names: Mapping[str, str]) -> str:
    """
    What it is about, without what is for administrators: the id of an application, which may be a
    thousand letters long, and the names that a standard has for ways to sign in.
    """
    clientId = _clientOf(event)
    if clientId is not None:
        return names[clientId]
    if event.kind is Kind.SIGNED_IN and not event.text.startswith("by "):
        return ", ".join(
            visit.say(_METHODS[each]) for each in event.text.split(", ") if each in _METHODS
        )
    return event.text
