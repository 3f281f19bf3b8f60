"""
C{/revoke} (RFC 7009).
"""

from __future__ import annotations

from twisted.web.http import Request

from ...oauth.requests import Form
from ..revocation import Revocation
from .endpoint import Answer, FormEndpoint, onlyHeader


class RevocationResource(FormEndpoint):
    """
    Where clients give tokens back.
    """

    crossOrigin = True

    def __init__(self, revocation: Revocation) -> None:
        super().__init__()
        self._revocation = revocation

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}. There is nothing to say (RFC 7009 section 2.2).
        """
        await self._revocation.answer(form, onlyHeader(request, b"authorization"))
        return Answer()
