"""
What a browser is called. Owns what is read from how it describes itself, which proves nothing and
is often that of another: only the well-known ones are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from .visit import Visit

# The first that stands in it counts: each says that it is those below it, too.
_BROWSERS: Mapping[str, str] = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS: Mapping[str, str] = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Macintosh": "Mac",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def browserName(visit: Visit, userAgent: str | None) -> Markup:
    """
    @param userAgent: what it says of itself (RFC 9110 section 10.1.5), if anything.
    """
    browser, system = (_firstIn(userAgent or "", known) for known in (_BROWSERS, _SYSTEMS))
    if browser is None:
        return visit.say("browser.unknown")
    if system is None:
        return Markup.escape(browser)
    return visit.say("browser.known", browser=browser, system=system)


def _firstIn(text: str, known: Mapping[str, str]) -> str | None:
    return next((name for mark, name in known.items() if mark in text), None)
