"""
How a client is put to a person. Owns what is shown of its name, of the place where its answer goes
and of how long it may do what it asks for.

A client chose its name itself, and some would like to be taken for another.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from urllib.parse import urlsplit

from markupsafe import Markup

from ...oauth.records import Client
from .page import Visit

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


def describeEnd(visit: Visit, lasting: bool, end: float | None) -> Markup:
    """
    For how long a client will have access.

    @param lasting: it will have a refresh token.
    @param end: when that ends whatever happens, in seconds since the epoch.
    """
    if not lasting:
        return visit.say("ends.hour")
    if end is None:
        return visit.say("ends.never")
    return visit.say("ends.date", date=f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d}")
