"""
What is known about the products that most external issuers are. Owns what is filled in where the
configuration is silent, and what their administrators get wrong; C{docs/issuers.md} says the same
to people.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..scopes import SERVICE_SCOPES

_GOOGLE = "https://mail.google.com/"


@attrs.frozen
class Preset:
    """
    What is filled in.

    @ivar url: the issuer, where there is only one.
    @ivar types: the C{typ} of its access tokens; the empty string for those without one.
    @ivar subjectClaim: the claim that says who somebody is, whichever client asks.
    @ivar usernameClaim: the claim with the login name.
    @ivar validation: one of L{VALIDATIONS<mailauth.server.externalissuers.VALIDATIONS>}.
    @ivar scopes: for each service the scopes that open it, besides our own.
    @ivar endpoints: those that are not at the issuer's own origin.
    @ivar everybody: parts of its addresses that stand for all organisations on it, whose people
        choose their names as they like (TK14).
    @ivar hint: what its administrators get wrong about the audience.
    """

    url: str | None = None
    types: frozenset[str] = frozenset({"at+jwt"})
    subjectClaim: str = "sub"
    usernameClaim: str = "sub"
    validation: str = "jwt"
    scopes: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    endpoints: Mapping[str, str] = attrs.field(factory=dict)
    everybody: frozenset[str] = frozenset()
    hint: str = ""


PRESETS: Mapping[str, Preset] = {
    "keycloak": Preset(
        types=frozenset({"jwt"}),
        usernameClaim="preferred_username",
        hint="Keycloak puts nobody into 'aud' by itself: add an audience mapper to the client scope"
        " that names this server's audience.",
    ),
    "entra": Preset(
        types=frozenset({"jwt", "at+jwt"}),
        # Its 'sub' is another for each client.
        subjectClaim="oid",
        usernameClaim="preferred_username",
        scopes={
            "imap": frozenset({"IMAP.AccessAsUser.All"}),
            "smtp": frozenset({"SMTP.Send"}),
            "pop3": frozenset({"POP.AccessAsUser.All"}),
        },
        everybody=frozenset({"common", "organizations", "consumers", "{tenantid}"}),
        hint="Expose an API of your own in Entra and have clients ask for its scopes: tokens for"
        " Microsoft Graph cannot be verified by anybody else.",
    ),
    "google": Preset(
        url="https://accounts.google.com",
        usernameClaim="email",
        validation="userinfo",
        scopes={service: frozenset({_GOOGLE}) for service in SERVICE_SCOPES},
        endpoints={
            "token_endpoint": "https://oauth2.googleapis.com/token",
            "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
            "tokeninfo_endpoint": "https://oauth2.googleapis.com/tokeninfo",
            "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
        },
        hint="Google's access tokens are opaque. They are asked about at Google, and 'audience'"
        " has to hold the ids of the clients that may have them.",
    ),
    "authentik": Preset(
        types=frozenset({"jwt"}),
        usernameClaim="preferred_username",
        hint="authentik puts the client id of the provider into 'aud', and signs with a key that"
        " others can verify only if the provider is given one.",
    ),
    "zitadel": Preset(
        types=frozenset({"jwt", "at+jwt"}),
        usernameClaim="preferred_username",
        hint="Zitadel puts the id of the project into 'aud' if a client asks for the scope"
        " urn:zitadel:iam:org:project:id:ID:aud.",
    ),
    "dex": Preset(
        # It writes none.
        types=frozenset({"jwt", ""}),
        usernameClaim="email",
        hint="Dex puts the id of the client into 'aud': name each client that may come.",
    ),
}
