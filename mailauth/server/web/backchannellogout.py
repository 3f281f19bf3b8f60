"""
C{/backchannel_logout} (OpenID Connect Back-Channel Logout 1.0 section 2.5).
"""

from __future__ import annotations

from twisted.web.http import Request

from ...oauth.requests import Form
from ..backchannellogout import BackchannelLogout
from .endpoint import Answer, FormEndpoint


class BackchannelLogoutResource(FormEndpoint):
    """
    Where other issuers tell that somebody signed out there.
    """

    def __init__(self, logout: BackchannelLogout) -> None:
        super().__init__()
        self._logout = logout

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}. That it is done is all that there is to say (section 2.8).
        """
        await self._logout.receive(form)
        return Answer()
