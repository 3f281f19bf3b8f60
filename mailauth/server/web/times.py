"""
How times are put to a person. Owns that they are in UTC, and say so.
"""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

from .visit import Visit

DAY = 86400.0

_UNITS = (("time.now", 60, 60), ("time.minutes", 60, 3600), ("time.hours", 3600, DAY))
"""
What is said of a time, how many seconds are one of what is counted, and up to how many it is said.
"""


def exactly(visit: Visit, when: float) -> Markup:
    """
    A time, to the minute.
    """
    return visit.say("time.exact", **_partsOf(visit, when))


def day(visit: Visit, when: float) -> Markup:
    """
    The day of a time.
    """
    return visit.say("time.day", **_partsOf(visit, when))


def ago(visit: Visit, when: float, now: float) -> Markup:
    """
    How long ago a time is; its day, if that is long. What a clock that is a little ahead calls the
    future is now.
    """
    seconds = max(0.0, now - when)
    for key, unit, limit in _UNITS:
        if seconds < limit:
            return visit.say(key, count=int(seconds // unit), **_partsOf(visit, when))
    return day(visit, when)


def _partsOf(visit: Visit, when: float) -> dict[str, str]:
    moment = datetime.fromtimestamp(when, UTC)
    return {
        "machine": f"{moment:%Y-%m-%dT%H:%MZ}",
        "date": visit.say(
            "time.date",
            day=moment.day,
            month=visit.say("time.months").split()[moment.month - 1],
            year=moment.year,
        ),
        "clock": f"{moment:%H:%M}",
    }
