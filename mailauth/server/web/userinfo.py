"""
C{/userinfo} (OpenID Connect Core 1.0 section 5.3).
"""

from __future__ import annotations

import attrs
from twisted.web.http import Request

from ...oauth.jwt import ALGORITHMS
from ...oauth.requests import Form
from ...oauth.responses import OAuthError
from ..userinfo import TokenMissing, UserInfo
from .endpoint import HTTP_REALM, Answer, FormEndpoint, inJSON, onlyHeader, withNonce

_CHALLENGES = (
    b'Bearer realm="%s"' % HTTP_REALM,
    b'DPoP realm="%s", algs="%s"' % (HTTP_REALM, " ".join(sorted(ALGORITHMS)).encode("ascii")),
)

_ABOUT_PROOFS = ("invalid_dpop_proof", "use_dpop_nonce")


class UserInfoResource(FormEndpoint):
    """
    Where a client hears whose token it has.
    """

    methods = (b"GET", b"POST")
    crossOrigin = True

    def __init__(self, userInfo: UserInfo) -> None:
        super().__init__()
        self._userInfo = userInfo

    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{FormEndpoint.answer}. A token in the form could be in an address just as well, and end
        up in a log (RFC 6750 section 5.3, WB10).
        """
        if "access_token" in form:
            raise OAuthError("invalid_request", "The access token belongs into the header.")
        authorization = onlyHeader(request, b"authorization")
        proof = onlyHeader(request, b"dpop")
        method = request.method.decode("ascii")
        return inJSON(await self._userInfo.answer(authorization, proof, method))

    def refusal(self, error: OAuthError) -> Answer:
        """
        See L{FormEndpoint.refusal}. Both schemes are offered (RFC 6750 section 3, RFC 9449 section
        7.1), whichever it was.
        """
        status = 401 if error.code in _ABOUT_PROOFS else error.status
        answer = inJSON(error.members(), status)
        if status not in (401, 403):
            return answer
        said = b"" if isinstance(error, TokenMissing) else b', error="%s"' % error.code.encode()
        if error.code == "insufficient_scope":
            said += b', scope="openid"'
        headers = [(b"WWW-Authenticate", challenge + said) for challenge in _CHALLENGES]
        challenged = attrs.evolve(answer, headers=tuple(headers))
        return withNonce(challenged, error, self._userInfo.proofs)
