"""
The token endpoint and what it says (RFC 6749 section 5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from ..scopes import MAIL_SCOPE, OFFLINE_SCOPE
from .failures import NoAnswer, OAuthRefusal, Outage, printable
from .web import Answer, Web

SCOPE = f"{MAIL_SCOPE} {OFFLINE_SCOPE}"
"""
What is asked for.
"""

# RFC 6750 section 2.1:
#
#   b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")

_VISIBLE = re.compile(r"[!-~]+")

_LATER = frozenset({"temporarily_unavailable", "server_error"})
"""
Error codes with which nothing is decided.
"""


@attrs.frozen
class Tokens:
    """
    What the token endpoint gave.

    @ivar refreshToken: C{None} if it gave none.
    @ivar lifetime: of the access token, in seconds; nothing if that was not said.
    """

    accessToken: str = attrs.field(repr=False)
    refreshToken: str | None = attrs.field(repr=False)
    lifetime: float


def requestTokens(web: Web, endpoint: str, form: Mapping[str, str]) -> Tokens:
    """
    Redeem something.

    @raise OAuthRefusal: it is not worth anything.
    @raise Outage: nobody can tell.
    """
    answer = web.post(endpoint, form)
    members = readAnswer(answer)
    token = _text(members, "access_token", _TOKEN)
    if token is None or str(members.get("token_type")).lower() != "bearer":
        raise Outage(f"{answer.host} gave something that is no bearer token.")
    lifetime = numberIn(members, "expires_in", 0.0)
    return Tokens(token, _text(members, "refresh_token", _VISIBLE), lifetime)


def _text(members: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str | None:
    text = members.get(name)
    return text if isinstance(text, str) and pattern.fullmatch(text) else None


def numberIn(members: Mapping[str, Any], name: str, default: float) -> float:
    """
    A number of seconds that a server says, if it says one.
    """
    number = members.get(name)
    # True would be one as well.
    if not isinstance(number, int | float) or isinstance(number, bool):
        return default
    # No comparison holds for what is no number.
    return float(number) if 0 <= number < 1e9 else default


def readAnswer(answer: Answer) -> Mapping[str, Any]:
    """
    What an OAuth endpoint says, if it is not an error.

    @raise OAuthRefusal: it is one.
    @raise Outage: it is no answer, or says that there is none at the moment.
    """
    if answer.status in (200, 201):
        return answer.members()
    if not 400 <= answer.status < 500 or answer.status == 429:
        raise answer.outage()
    members = answer.members()
    code = members.get("error")
    if not isinstance(code, str) or code in _LATER:
        raise answer.outage()
    reason = printable(members.get("error_description") or code)
    raise OAuthRefusal(code, f"{answer.host} refused: {reason} ({printable(code)})")


def refresh(web: Web, endpoint: str, clientId: str, refreshToken: str) -> Tokens:
    """
    Redeem a refresh token. If the answer is lost, this is done again at once: the server may have
    rotated it, and forgives for some seconds whoever did not hear of that.

    @raise OAuthRefusal: it is over.
    @raise Outage: nobody can tell.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refreshToken, "client_id": clientId}
    try:
        return requestTokens(web, endpoint, form)
    except NoAnswer:
        return requestTokens(web, endpoint, form)


def revoke(web: Web, endpoint: str, clientId: str, refreshToken: str) -> None:
    """
    Revoke a refresh token, and all that came of it (RFC 7009).

    @raise OAuthRefusal: the server does not know the client any more.
    @raise Outage: it is not revoked.
    """
    answer = web.post(
        endpoint,
        {"token": refreshToken, "token_type_hint": "refresh_token", "client_id": clientId},
    )
    if answer.status != 200:
        readAnswer(answer)
        raise answer.outage()
