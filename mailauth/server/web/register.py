"""
C{/register} (RFC 7591). There is nothing to manage afterwards (RFC 7592): what a client is stands
in its id, and who wants to be another registers again.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
from twisted.web.http import Request

from ...networks import networkOf
from ...oauth.registration import describeClient, parseMetadata
from ...oauth.responses import OAuthError
from ...throttle import RateLimit
from ..clients import Clients
from .endpoint import JSON, Answer, Endpoint, bodyOf, inJSON, peerOf

REGISTRATIONS = 30
"""
How many a minute one network may try.
"""

_RETRY_AFTER = ((b"Retry-After", b"60"),)


class RegistrationResource(Endpoint):
    """
    Where clients register themselves.
    """

    crossOrigin = True

    def __init__(self, clients: Clients, seconds: Callable[[], float]) -> None:
        """
        @param seconds: a clock that only runs forward.
        """
        super().__init__()
        self._clients = clients
        self._limit = RateLimit(seconds, REGISTRATIONS)

    async def respond(self, request: Request) -> Answer:
        """
        See L{Endpoint.respond}.
        """
        if not self._limit.allows(networkOf(peerOf(request))):
            error = OAuthError("temporarily_unavailable", "Too many registrations. Try again soon.")
            return attrs.evolve(inJSON(error.members(), 429), headers=_RETRY_AFTER)
        client = self._clients.register(parseMetadata(bodyOf(request, JSON)))
        return inJSON(describeClient(client), 201)
