"""
C{/token} (RFC 6749 section 3.2).
"""

from __future__ import annotations

from twisted.web.http import Request

from ...oauth.requests import Form
from ...oauth.responses import OAuthError
from ..grants.pipeline import TokenEndpoint
from .endpoint import Answer, FormEndpoint, inJSON, onlyHeader, peerOf, withNonce


class TokenResource(FormEndpoint):
    """
    Where clients get tokens.
    """

    crossOrigin = True

    def __init__(self, tokens: TokenEndpoint) -> None:
        super().__init__()
        self._tokens = tokens

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}.
        """
        authorization = onlyHeader(request, b"authorization")
        proof = onlyHeader(request, b"dpop")
        return inJSON(await self._tokens.answer(form, authorization, proof, peerOf(request)))

    def refusal(self, error: OAuthError) -> Answer:
        """
        See L{FormEndpoint.refusal}.
        """
        return withNonce(super().refusal(error), error, self._tokens.proofs)
