"""
C{/par} (RFC 9126).
"""

from __future__ import annotations

from twisted.web.http import Request

from ...oauth.requests import Form
from ...oauth.responses import OAuthError
from ..pushedrequests import PushedRequests
from .endpoint import Answer, FormEndpoint, inJSON, onlyHeader, withNonce


class PushedRequestResource(FormEndpoint):
    """
    Where clients push authorization requests.
    """

    def __init__(self, pushedRequests: PushedRequests) -> None:
        super().__init__()
        self._pushedRequests = pushedRequests

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}.
        """
        authorization = onlyHeader(request, b"authorization")
        proof = onlyHeader(request, b"dpop")
        return inJSON(await self._pushedRequests.answer(form, authorization, proof), 201)

    def refusal(self, error: OAuthError) -> Answer:
        """
        See L{FormEndpoint.refusal}.
        """
        return withNonce(super().refusal(error), error, self._pushedRequests.proofs)
