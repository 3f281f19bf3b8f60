"""
What happened to an account, for its owner.
"""

from __future__ import annotations

from typing import Any

from ....stores.events import ADMIN_SITE, COMMAND, Event, EventSearch
from ...sites import SiteSession
from ..endpoint import Answer
from ..happenings import SAID
from ..times import exactly
from ..visit import Visit
from .accountpage import AccountPage

PAGE = 30
"""
How many events are on a page.
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
        before = visit.query().get("before", "")
        number = int(before) if before.isdecimal() and len(before) <= 15 else None
        found = await self.administration.events.find(
            EventSearch(account=session.account), PAGE + 1, number
        )
        shown = found[:PAGE]
        return self.page(
            visit,
            session,
            events=[self._describe(visit, event) for event in shown],
            first=number is None,
            before=shown[-1].number if len(found) > PAGE else None,
        )

    def _describe(self, visit: Visit, event: Event) -> dict[str, Any]:
        actor = event.actor
        if actor.via in (COMMAND, ADMIN_SITE):
            by = visit.say("activity.administrator")
        elif actor.address is None:
            by = visit.say("activity.unknown")
        else:
            by = visit.say("activity.address", address=actor.address)
        return {
            "what": visit.say(SAID[event.kind]),
            "text": event.text,
            "by": by,
            "when": exactly(visit, event.time),
        }
