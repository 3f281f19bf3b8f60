"""
How a client is put to a person. Owns what is shown of its name, of the place where its answer goes
and of how long it may do what it asks for.

A client chose its name itself, and some would like to be taken for another.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from time import time
from urllib.parse import urlsplit

import attrs
from markupsafe import Markup

from ...oauth.records import Client
from ..offer import wantsRefreshToken
from .visit import Visit

MAX_NAME = 60

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def displayName(visit: Visit, client: Client) -> str:
    """
    What a client is called.
    """
    return cleanName(client.name) or visit.say("program.nameless")


def cleanName(name: str) -> str:
    """
    A name in one line: without what nobody sees, and what turns the text around it (WB4).
    """
    normal = unicodedata.normalize("NFKC", name)
    kept = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in normal)
    clean = " ".join(kept.split())
    return clean if len(clean) <= MAX_NAME else f"{clean[:MAX_NAME]}…"


def describePlace(visit: Visit, redirectURI: str) -> Markup:
    """
    Where the answer to a client goes.
    """
    parts = urlsplit(redirectURI)
    if parts.scheme not in ("http", "https"):
        return visit.say("place.program", scheme=parts.scheme)
    if parts.scheme == "http" or parts.hostname in _LOOPBACK:
        return visit.say("place.here")
    return visit.say("place.host", host=parts.netloc)


@attrs.frozen
class Lifetimes:
    """
    For how long clients have access. All times are in seconds.

    @ivar token: with an access token alone.
    @ivar grant: whatever happens; C{None} for no end.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    token: float
    grant: float | None
    now: Callable[[], float] = time

    def describe(self, visit: Visit, client: Client, scope: frozenset[str]) -> Markup:
        """
        For how long a client will have access that is given this scope.
        """
        if not wantsRefreshToken(client, scope):
            return visit.say("ends.minutes", minutes=int(self.token) // 60)
        if self.grant is None:
            return visit.say("ends.never")
        end = datetime.fromtimestamp(self.now() + self.grant, UTC)
        return visit.say("ends.date", date=f"{end:%Y-%m-%d}")
