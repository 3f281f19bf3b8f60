"""
Recording what was done. Owns that an action which was done is never undone, nor said to have
failed, because the event could not be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time

import attrs
from twisted.logger import Logger

from ...errors import Outage
from ...interfaces import IEvents
from ...stores.events import Actor, Event, Kind

_log = Logger()


@attrs.frozen(eq=False)
class Recorder:
    """
    Keeps events.

    @ivar events: where.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    events: IEvents
    now: Callable[[], float] = time

    async def record(
        self, kind: Kind, actor: Actor, account: str | None = None, text: str = ""
    ) -> None:
        """
        Something was done.

        @param account: whose account it concerns, C{None} if nobody's.
        @param text: more about it, with no secret.
        """
        event = Event(kind, actor, self.now(), account, text)
        try:
            await self.events.add(event)
        except Outage as error:
            _log.error("not recorded: {event}: {reason}", event=event, reason=error.reason)
