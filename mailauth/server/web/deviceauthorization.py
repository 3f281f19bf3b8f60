"""
C{/device_authorization} (RFC 8628 section 3.1).
"""

from __future__ import annotations

from twisted.web.http import Request

from ...oauth.requests import Form
from ...oauth.responses import OAuthError
from ..devices import Devices
from .endpoint import Answer, FormEndpoint, inJSON, onlyHeader, peerOf


class DeviceAuthorizationResource(FormEndpoint):
    """
    Where devices begin to wait. By GET, too, as email-oauth2-proxy asks.
    """

    methods = (b"GET", b"POST")

    def __init__(self, devices: Devices) -> None:
        super().__init__()
        self._devices = devices

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}.
        """
        if request.method == b"GET" and not form.keys().isdisjoint(_SECRETS):
            raise OAuthError("invalid_request", "A secret belongs into the body.")
        authorization = onlyHeader(request, b"authorization")
        return inJSON(await self._devices.answer(form, authorization, peerOf(request)))


_SECRETS = frozenset({"client_secret", "client_assertion"})
"""
What ends up in no address (RFC 6749 section 2.3.1).
"""
