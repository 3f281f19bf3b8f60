"""
C{/introspect} (RFC 7662).
"""

from __future__ import annotations

from twisted.web.http import Request

from ...oauth.requests import Form
from ..introspection import Introspection
from .endpoint import Answer, FormEndpoint, inJSON, onlyHeader

_SIGNED = b"application/token-introspection+jwt"


class IntrospectionResource(FormEndpoint):
    """
    Where resource servers ask about tokens.
    """

    def __init__(self, introspection: Introspection) -> None:
        super().__init__()
        self._introspection = introspection

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}. Whoever accepts it gets a signed answer (RFC 9701 section 4).
        """
        authorization = onlyHeader(request, b"authorization")
        client, members = await self._introspection.answer(form, authorization)
        if _SIGNED in (request.getHeader(b"accept") or b""):
            return Answer(await self._introspection.sign(client, members), type=_SIGNED)
        return inJSON(members)
