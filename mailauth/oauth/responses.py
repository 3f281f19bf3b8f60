"""
What an OAuth endpoint says. Owns the one form of every error (RFC 6749 section 5.2 and 4.1.2.1) and
of every JSON answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

STATUSES: Mapping[str, int] = {
    "invalid_client": 401,
    "invalid_token": 401,
    "insufficient_scope": 403,
    "temporarily_unavailable": 503,
    "server_error": 500,
}
"""
The HTTP status of an error code, where it is not 400.
"""


class OAuthError(Exception):
    """
    A refusal of an OAuth endpoint.

    @ivar code: as registered, such as C{"invalid_grant"}.
    @ivar description: one sentence for the developer of the client, of the characters that RFC
        6749 section 5.2 allows. It never tells what an attacker would like to know.
    @ivar reason: what happened, for our log alone. It holds no secret.
    """

    def __init__(self, code: str, description: str, reason: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.description = description
        self.reason = reason or description

    @property
    def status(self) -> int:
        """
        The HTTP status, where the answer is JSON.
        """
        return STATUSES.get(self.code, 400)

    def members(self) -> dict[str, str]:
        """
        What both the JSON answer and the redirect carry.
        """
        return {"error": self.code, "error_description": self.description}


def invalidClient(reason: str) -> OAuthError:
    """
    The one answer to whoever did not prove which client he is: whether there is such a client, and
    what was wrong, only the log learns (O 64).
    """
    return OAuthError("invalid_client", "The client did not prove who it is.", reason)


def writeJSON(members: Mapping[str, Any] | Iterable[Any]) -> bytes:
    """
    An answer in JSON, in ASCII.
    """
    return _writeText(members).encode("ascii")


_writeText = json.JSONEncoder(separators=(",", ":")).encode


def withParameters(address: str, parameters: Mapping[str, str | None]) -> str:
    """
    Add parameters to the query of an address (RFC 6749 section 3.1.2: what it has stays).

    @param address: without a fragment, and without these parameters: as
        L{registrable<mailauth.oauth.redirects.registrable>} wants it.
    @param parameters: those that are C{None} are left out.
    """
    added = "&".join(
        f"{name}={quote(value, safe='')}" for name, value in parameters.items() if value is not None
    )
    if not added:
        return address
    # No parser takes it apart: what it does not know it would write back in another way.
    return f"{address}{'&' if '?' in address else '?'}{added}"
