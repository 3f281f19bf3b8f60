"""
What a client may ask for. Owns which scopes and which resources there are, and for how long they
are given, the same for every way of asking.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..oauth.records import BrowserSession, Client
from ..oauth.requests import requestedScope
from ..oauth.responses import OAuthError
from ..scopes import KNOWN_SCOPES, OFFLINE_SCOPE


@attrs.frozen
class Offer:
    """
    What the built-in authorization server has to give.

    @ivar issuer: its C{iss}.
    @ivar audience: the C{aud} of its access tokens.
    @ivar hostname: what mail clients call the mail server.
    """

    issuer: str
    audience: str
    hostname: str
    _resources: frozenset[str] = attrs.field(init=False, repr=False)

    @_resources.default
    def _ours(self) -> frozenset[str]:
        # RFC 8707 for what is not HTTP: the host's name, bare or with a scheme. One token serves
        # them all, so they are all the same.
        host = self.hostname
        schemes = {f"{scheme}://{host}" for scheme in ("imap", "smtp", "pop", "https")}
        ours = {self.issuer, self.audience, host, f"https://{host}/jmap", *schemes}
        return frozenset(each.removesuffix("/") for each in ours)

    def scope(self, text: str | None, client: Client) -> frozenset[str]:
        """
        What a client asks for.

        @param text: the parameter C{scope}.
        @raise OAuthError: there is no such scope, or not for this client.
        """
        return requestedScope(text, client.scope or KNOWN_SCOPES)

    def resources(self, asked: Iterable[str]) -> frozenset[str]:
        """
        The resources that a client asks for (RFC 8707 section 2).

        @param asked: the values of the parameter C{resource}.
        @raise OAuthError: one of them is not ours.
        """
        resources = frozenset(each.removesuffix("/") for each in asked)
        if not resources <= self._resources:
            raise OAuthError("invalid_target", "There is no such resource here.")
        return resources


def wantsRefreshToken(client: Client, scope: frozenset[str]) -> bool:
    """
    Whether what a client is given outlives its access token. An OpenID client asks for that
    (OpenID Connect Core 1.0 section 11); a mail client, which has no such word, always needs it.
    """
    return "refresh_token" in client.grantTypes and (
        "openid" not in scope or OFFLINE_SCOPE in scope
    )


def endOfGrant(
    client: Client,
    scope: frozenset[str],
    session: BrowserSession,
    lifetime: float | None,
    now: float,
) -> float | None:
    """
    When what somebody grants ends whatever happens, or C{None}.

    @param session: in which he does.
    @param lifetime: of all grants, C{None} for no end.
    """
    end = None if lifetime is None else now + lifetime
    if wantsRefreshToken(client, scope):
        return end
    # The client knows no longer than the browser does who somebody is.
    return session.expires if end is None else min(session.expires, end)
