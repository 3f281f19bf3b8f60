"""
What issuers answer when they are asked. Owns what is an answer: everything else is an outage, for
it says nothing about any token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from ..errors import Outage
from ..oauth.jwt import MalformedToken, parseObject
from ._http import Fetched, NotFetchable


async def answerOf(fetching: Awaitable[Fetched]) -> Fetched:
    """
    Wait for an answer, whatever its status.

    @raise Outage: there is none, now or ever.
    """
    try:
        return await fetching
    except NotFetchable as error:
        raise Outage(str(error)) from None


def checkStatus(fetched: Fetched) -> None:
    """
    Return if it is what was asked for. A redirect is not, and 304 neither: nobody asked for what
    changed.

    @raise Outage: it is not.
    """
    if fetched.status != 200:
        raise Outage(f"it answered {fetched.status}")


def readObject(fetched: Fetched) -> Mapping[str, Any]:
    """
    Read a JSON object. What it is sent as does not matter: nothing but what it is makes it one.

    @raise Outage: it is none.
    """
    checkStatus(fetched)
    return readBody(fetched)


def readBody(fetched: Fetched) -> Mapping[str, Any]:
    """
    Read a JSON object, whatever the status.

    @raise Outage: it is none.
    """
    try:
        return parseObject(fetched.content)
    except MalformedToken:
        raise Outage("it did not answer with a JSON object") from None
