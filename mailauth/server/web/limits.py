"""
What an app password is limited to, in a form and in words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time

import attrs
from markupsafe import Markup, escape

from ...oauth.requests import Form
from ...stores.records import SEND_ONLY, AppPassword
from ..actions.apppasswords import AppPasswordLimits, UnusableLimits
from .times import DAY, day
from .visit import Visit

PROTOCOLS: Mapping[str, str] = {
    "imap": "setup.hand.imap",
    "pop3": "setup.hand.pop",
    "smtp": "setup.hand.smtp",
}

_LIMITS: Mapping[str, AppPasswordLimits] = {
    "all": AppPasswordLimits(""),
    "read": AppPasswordLimits("", readOnly=True),
    "send": AppPasswordLimits("", SEND_ONLY),
}
"""
What one may do, as the form says it.
"""

_CHOSEN = "choose"
"""
What the form says besides: then each protocol has a box of its own.
"""

_LIFETIMES: Mapping[str, float | None] = {
    "never": None,
    "30": 30 * DAY,
    "90": 90 * DAY,
    "365": 365 * DAY,
}
"""
For how many seconds one is good, as the form says it.
"""

_ON_DATE = "date"
"""
What the form says besides: then the date has a field of its own.
"""


def readLimits(
    visit: Visit, form: Form, protocols: Collection[str], now: float
) -> AppPasswordLimits:
    """
    What somebody filled in.

    @param protocols: those of this server.
    @raise UnusableLimits: it means nothing.
    @raise OAuthError: it is not our form.
    """
    return attrs.evolve(
        _readServices(visit, form, protocols),
        name=form.get("name", ""),
        expires=_readExpiry(visit, form, now),
        networks=tuple(form.get("networks", "").replace(",", " ").split()),
    )


def _readServices(visit: Visit, form: Form, protocols: Collection[str]) -> AppPasswordLimits:
    may = form.required("may")
    if may in _LIMITS:
        return _LIMITS[may]
    # Anything else is less than everything: no services would mean all of them.
    chosen = frozenset(each for each in protocols if may == _CHOSEN and each in form)
    if not chosen:
        raise UnusableLimits(visit.say("password.choose.none"))
    return AppPasswordLimits("", chosen)


def _readExpiry(visit: Visit, form: Form, now: float) -> float | None:
    expires = form.required("expires")
    if expires in _LIFETIMES:
        lifetime = _LIFETIMES[expires]
        return None if lifetime is None else now + lifetime
    # Anything else is no reason to let it live for ever.
    try:
        last = date.fromisoformat(form.get("date", "") if expires == _ON_DATE else "")
    except ValueError:
        raise UnusableLimits(visit.say("password.date.wrong")) from None
    return datetime.combine(last, time.max, UTC).timestamp()


def describeLimits(visit: Visit, appPassword: AppPassword) -> Markup:
    """
    What one may do.
    """
    words = [visit.say("password.may.send")] if appPassword.sendOnly else []
    if appPassword.services and not appPassword.sendOnly:
        chosen = [each for each in (*PROTOCOLS, "jmap") if each in appPassword.services]
        words += [describeProtocol(visit, each) for each in chosen]
    if appPassword.readOnly:
        words.append(visit.say("password.may.read"))
    return Markup(", ").join(words) or visit.say("password.may.all")


def describeEnd(visit: Visit, expires: float | None, now: float) -> Markup:
    """
    When one ends.
    """
    if expires is None:
        return visit.say("access.never")
    last = day(visit, expires)
    return last if now < expires else visit.say("access.expired", day=last)


def describeProtocol(visit: Visit, service: str) -> Markup:
    """
    The service of a login.
    """
    key = PROTOCOLS.get(service)
    return escape(service.upper()) if key is None else visit.say(key)
