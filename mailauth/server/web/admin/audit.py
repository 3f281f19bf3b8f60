"""
What happened: two views of it, events and logins.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

import attrs

from ....oauth.requests import Form
from ....stores.events import EventSearch, Kind
from ...administration import Administration
from ...pastlogins import LoginSearch, PastLogins
from ...sites import Site, SiteSession
from ..browsernames import browserName
from ..endpoint import Answer
from ..happenings import SAID
from ..times import DAY
from ..visit import Pages, Visit
from .adminpage import AdminPage, AdminRules

PAGE = 50
"""
How much is on a page.
"""

OUTCOMES = {
    "accepted": "login.accepted",
    "refused": "login.refused",
    "undecided": "login.undecided",
}
"""
What can come of a login, and the key of the sentence.
"""


@attrs.frozen
class Found:
    """
    A page of it.

    @ivar rows: at most L{PAGE}.
    @ivar before: the number where the next page begins, C{None} if there is none.
    """

    rows: Sequence[Any] = ()
    before: int | None = None


class SearchPage(AdminPage):
    """
    Finds it, the last first. A subclass says in L{find} where.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")
    kinds: ClassVar[Mapping[str, str]]

    @abstractmethod
    async def find(self, query: Form, before: int | None) -> Found:
        """
        @raise ValueError: a date in the query is none.
        """

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        query, problem = visit.query(), None
        try:
            found = await self.find(query, visit.number("before"))
        except ValueError:
            found, problem = Found(), visit.say("admin.audit.date.wrong")
        asked = {name: value for name, value in query.items() if name != "before"}
        return self.page(
            visit,
            session,
            403 if problem else 200,
            typed=query,
            problem=problem,
            kinds=self.kinds,
            browserName=partial(browserName, visit),
            found=found.rows,
            older=None if found.before is None else {**asked, "before": str(found.before)},
        )


class AuditPage(SearchPage):
    """
    Finds events.
    """

    template = "admin/audit"
    kinds: ClassVar[Mapping[str, str]] = {str(kind): key for kind, key in SAID.items()}

    async def find(self, query: Form, before: int | None) -> Found:
        """
        See L{SearchPage.find}.
        """
        kind = query.get("kind")
        search = EventSearch(
            account=query.get("account"),
            kind=None if kind is None or kind not in self.kinds else Kind(kind),
            who=query.get("who"),
            **_daysOf(query),
            word=query.get("word"),
        )
        events = await self.administration.events.find(search, PAGE + 1, before)
        shown = events[:PAGE]
        return Found(shown, shown[-1].number if len(events) > PAGE else None)


class LoginsPage(SearchPage):
    """
    Finds logins.
    """

    template = "admin/logins"
    kinds = OUTCOMES

    def __init__(
        self,
        pages: Pages,
        site: Site,
        administration: Administration,
        rules: Callable[[], AdminRules],
        pastLogins: PastLogins,
    ) -> None:
        """
        @param pastLogins: where they are.
        """
        super().__init__(pages, site, administration, rules)
        self._pastLogins = pastLogins

    async def find(self, query: Form, before: int | None) -> Found:
        """
        See L{SearchPage.find}.
        """
        outcome = query.get("kind")
        search = LoginSearch(
            account=query.get("account"),
            outcome=outcome if outcome in OUTCOMES else None,
            **_daysOf(query),
            word=query.get("word"),
        )
        logins = await self._pastLogins.find(search, PAGE + 1, before)
        shown = logins[:PAGE]
        return Found(shown, shown[-1].offset if len(logins) > PAGE else None)


def _daysOf(query: Form) -> dict[str, Any]:
    """
    From the beginning of one day to the end of another.
    """
    since, until = (_dayOf(query, name) for name in ("since", "until"))
    return {
        "since": since and since.timestamp(),
        # Not by the calendar: the last of its days has none after it.
        "until": until and until.timestamp() + DAY,
    }


def _dayOf(query: Form, name: str) -> datetime | None:
    if name not in query:
        return None
    return datetime.strptime(query[name], "%Y-%m-%d").replace(tzinfo=UTC)
