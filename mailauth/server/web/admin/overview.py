"""
The first page of the administration site. Owns when something is worth a warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import ClassVar

import attrs
from markupsafe import Markup

from ....errors import Outage
from ....stores.events import Event, EventSearch
from ...actions.health import Health
from ...sites import SiteSession
from ..endpoint import Answer
from ..times import DAY, day
from ..visit import Visit
from .adminpage import AdminPage

CERTIFICATE_DAYS = 21
"""
How many days before its end the certificate should have been renewed.
"""

KEY_DAYS = 365
"""
How many days a key signs before it should be rotated.
"""

EVENTS = 10
"""
How many events are shown.
"""


@attrs.frozen
class Warned:
    """
    Something that is wrong.

    @ivar says: what it is.
    @ivar mend: what to do about it.
    """

    says: Markup
    mend: Markup


def warningsOf(
    visit: Visit, health: Health, now: float, places: Mapping[str, str]
) -> Iterator[Warned]:
    """
    What is wrong, the worst first.

    @param now: in seconds since the epoch.
    @param places: where something can be done about it.
    """

    def warned(key: str, **values: object) -> Warned:
        values = {**places, **values}
        return Warned(visit.say(f"{key}.title", **values), visit.say(f"{key}.text", **values))

    if health.database is not None:
        yield warned("warning.database", reason=health.database)
    elif health.key is None:
        yield warned("warning.key")
    left = health.certificateEnds - now
    if left <= 0:
        yield warned("warning.certificate.ended", date=day(visit, health.certificateEnds))
    elif left < CERTIFICATE_DAYS * DAY:
        yield warned("warning.certificate", days=int(left // DAY))
    if health.key is not None and now - health.key.key.created > KEY_DAYS * DAY:
        yield warned("warning.key.old", days=int((now - health.key.key.created) // DAY))
    for issuer in health.issuers:
        if issuer.problem is not None:
            yield warned("warning.issuer", issuer=issuer.settings.label, reason=issuer.problem)


class OverviewPage(AdminPage):
    """
    Says whether all is well, and what happened last.
    """

    template = "admin/overview"
    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD")

    async def show(self, visit: Visit, session: SiteSession) -> Answer:
        """
        See L{SitePage.show<mailauth.server.web.sitepage.SitePage.show>}.
        """
        health, now = await self.administration.health.check(), self.now
        places = {name: self.pages.address(f"admin/{name}") for name in ("issuers", "keys")}
        connections = self.administration.access.listConnections(None)
        accounts, events = await self._read()
        return self.page(
            visit,
            session,
            health=health,
            warnings=[*warningsOf(visit, health, now, places)],
            now=now,
            daysLeft=int((health.certificateEnds - now) // DAY),
            services=Counter(each.service for each in connections).most_common(),
            accounts=accounts,
            events=events,
        )

    async def _read(self) -> tuple[int | None, tuple[Event, ...]]:
        """
        What the database says: nothing, where it cannot be read. The page says so, and the rest.
        """
        try:
            return (
                await self.administration.accounts.count(),
                await self.administration.events.find(EventSearch(), EVENTS),
            )
        except Outage:
            return None, ()
