"""
What a client may ask for. Owns which scopes and which resources there are, the same for every way
of asking.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ..oauth.records import Client
from ..oauth.responses import OAuthError
from ..scopes import MAIL_SCOPE, SERVICE_SCOPES, parseScope

_ADDRESS_BOOKS = frozenset(
    {"urn:ietf:params:oauth:scope:contacts", "urn:ietf:params:oauth:scope:calendars"}
)

READ_ONLY = frozenset(
    f"{scope}.readonly" for scope in {MAIL_SCOPE, "imap", "pop3", "jmap", *_ADDRESS_BOOKS}
)
"""
Those that let nobody change or send anything.
"""

OPENID = frozenset({"openid", "email", "profile"})
"""
OpenID Connect Core 1.0 section 5.4.
"""

OFFLINE = "offline_access"
"""
OpenID Connect Core 1.0 section 11.
"""

SCOPES = frozenset().union(*SERVICE_SCOPES.values(), _ADDRESS_BOOKS, READ_ONLY, OPENID, {OFFLINE})
"""
All of them. What is in no list is refused and never dropped in silence: a mail program that got
less than it asked for forgets the token at its next start.
"""


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

        @param text: the parameter C{scope}. Without one it is all of mail, or of what the client
            may have.
        @raise OAuthError: there is no such scope, or not for this client.
        """
        allowed = client.scope or SCOPES
        if text is None:
            return frozenset({MAIL_SCOPE}) if MAIL_SCOPE in allowed else allowed
        scope = readScope(text)
        if not scope <= SCOPES:
            raise OAuthError("invalid_scope", "There is no such scope.")
        if not scope <= allowed:
            raise OAuthError("invalid_scope", "The client may not ask for this scope.")
        return scope

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


def readScope(text: str) -> frozenset[str]:
    """
    @raise OAuthError: it does not follow RFC 6749's grammar, or says nothing.
    """
    try:
        scope = parseScope(text)
    except ValueError:
        scope = frozenset()
    if not scope:
        raise OAuthError("invalid_scope", "The scope is malformed.")
    return scope


def wantsRefreshToken(client: Client, scope: frozenset[str]) -> bool:
    """
    Whether what a client is given outlives its access token. An OpenID client asks for that
    (OpenID Connect Core 1.0 section 11); a mail client, which has no such word, always needs it.
    """
    return "refresh_token" in client.grantTypes and ("openid" not in scope or OFFLINE in scope)
