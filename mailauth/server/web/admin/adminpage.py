"""
What the pages of the administration site have in common. Owns who may see them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, ClassVar

import attrs

from ....oauth.requests import Form
from ....passwords import UnusablePassword
from ....stores.events import ADMIN_SITE, Actor, Event
from ....stores.records import AlreadyExists, LimitReached, NotFound
from ...actions.accounts import UnusableName
from ...actions.apppasswords import UnusableLimits
from ...actions.clients import UnusableClient
from ...administration import Administration
from ...sites import Site, SiteSession
from ..describing import cleanName
from ..endpoint import Answer
from ..happenings import SAID
from ..sitepage import SitePage
from ..times import ago, exactly
from ..visit import Pages, Visit

LONGEST = 12 * 3600.0
"""
How many seconds ago an administrator may have signed in.
"""

SECOND_FACTORS = frozenset({"mfa", "otp", "hwk"})
"""
The methods of RFC 8176 that say of somebody who signed in that he did with more than a password.
"""

DONE: Mapping[str, str] = {
    "created": "admin.done.created",
    "removed": "admin.done.removed",
    "revoked": "admin.done.revoked",
    "ended": "admin.done.ended",
    "denied": "admin.done.denied",
    "allowed": "admin.done.allowed",
    "disabled": "admin.done.disabled",
    "enabled": "admin.done.enabled",
    "password": "admin.done.password",
    "saved": "admin.done.saved",
    "added": "admin.done.added",
    "linked": "admin.done.linked",
    "rotated": "admin.done.rotated",
}
"""
What may stand in an address about what was just done, and the key of the sentence.
"""

PROBLEMS = (
    AlreadyExists,
    LimitReached,
    NotFound,
    UnusableClient,
    UnusableLimits,
    UnusableName,
    UnusablePassword,
)
"""
What actions fail with, each with a message for a person.
"""


NOTHING = Form({})
"""
What nobody has filled in yet.
"""


@attrs.frozen
class AdminRules:
    """
    Who may see the site.

    @ivar accounts: by their names.
    @ivar secondFactor: only whoever signed in with more than a password.
    """

    accounts: Collection[str]
    secondFactor: bool = False


class AdminPage(SitePage):
    """
    A page for administrators alone.
    """

    longest: ClassVar[float] = LONGEST

    def __init__(
        self,
        pages: Pages,
        site: Site,
        administration: Administration,
        rules: Callable[[], AdminRules],
    ) -> None:
        """
        @param rules: as they are now: the configuration may be read again.
        """
        super().__init__(pages, site)
        self.administration = administration
        self._rules = rules

    @property
    def now(self) -> float:
        """
        The time, in seconds since the epoch.
        """
        return self.administration.recorder.now()

    def turnAway(self, visit: Visit, session: SiteSession) -> Answer | None:
        """
        See L{SitePage.turnAway}.
        """
        rules = self._rules()
        if session.account not in rules.accounts:
            return visit.message("site.notyours", 403)
        if rules.secondFactor and session.methods.isdisjoint(SECOND_FACTORS):
            again = self.site.begin(visit.path, visit.browser, 0)
            return visit.page("admin/secondfactor", 403, again=again)
        return None

    def actor(self, visit: Visit, session: SiteSession) -> Actor:
        """
        Who does what the form of the page says.
        """
        return Actor(session.account, ADMIN_SITE, visit.peer)

    def page(
        self,
        visit: Visit,
        session: SiteSession,
        status: int = 200,
        template: str | None = None,
        **values: Any,
    ) -> Answer:
        """
        See L{SitePage.page}.
        """
        said = DONE.get(visit.query().get("done", ""))

        def happened(event: Event) -> str:
            return visit.say(SAID[event.kind])

        return super().page(
            visit,
            session,
            status,
            template,
            said=said and visit.say(said),
            exactly=partial(exactly, visit),
            ago=partial(ago, visit, now=self.now),
            happened=happened,
            cleanName=cleanName,
            **{"problem": None, "typed": NOTHING, **values},
        )

    def missing(self, visit: Visit) -> Answer:
        """
        The page is about something that is not there.
        """
        return visit.message("missing", 404)
