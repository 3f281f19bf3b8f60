"""
How the built-in authorization server is set: the part of the configuration's C{[issuer]} and
C{[signin]} that mail servers alone have no need of.
"""

from __future__ import annotations

import attrs

from .toml import Table

DAY = 86400.0


@attrs.frozen
class IssuerSettings:
    """
    All times are in seconds.

    @ivar accessTokenLifetime: of an access token that comes with a refresh token.
    @ivar refreshTokenIdle: after how long a refresh token that nobody used expires.
    @ivar grantLifetime: after how long a grant ends whatever happens; C{None} for never.
    @ivar browserSession: for how long a browser stays signed in.
    @ivar opaqueTokens: access tokens are opaque and of 43 characters, for mail programs that
        cannot send long ones.
    @ivar openRegistration: clients may register themselves (RFC 7591).
    @ivar clientDocuments: a client may be named by the address of its metadata document.
    """

    accessTokenLifetime: float = 900.0
    refreshTokenIdle: float = 90 * DAY
    grantLifetime: float | None = None
    browserSession: float = 12 * 3600.0
    opaqueTokens: bool = False
    openRegistration: bool = True
    clientDocuments: bool = False


def readIssuerSettings(issuer: Table, signin: Table) -> IssuerSettings:
    """
    Read them, noting every mistake.
    """
    default = IssuerSettings()
    return IssuerSettings(
        accessTokenLifetime=issuer.seconds(
            "access_token_lifetime", default.accessTokenLifetime, 60, 3600
        ),
        refreshTokenIdle=issuer.seconds(
            "refresh_token_idle", default.refreshTokenIdle, 3600, 3660 * DAY
        ),
        grantLifetime=issuer.seconds("grant_lifetime", 0, 3600, 3660 * DAY) or None,
        browserSession=signin.seconds("browser_session", default.browserSession, 300, 400 * DAY),
        opaqueTokens=issuer.boolean("opaque_tokens", default.opaqueTokens),
        openRegistration=issuer.boolean("open_registration", default.openRegistration),
        clientDocuments=issuer.boolean("client_metadata_documents", default.clientDocuments),
    )
