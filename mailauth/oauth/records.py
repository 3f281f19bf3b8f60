"""
What the authorization server keeps: frozen values. Owns no behaviour but the questions a record
answers about itself.

A secret is kept as its SHA-256 and never as itself. All times are in seconds since the epoch.
"""

from __future__ import annotations

import attrs

from ..credentials import accountTag, grantTag, subjectTag
from .tokens import AccessToken

EXPIRED_KNOWN = 3600.0
"""
How long a code or an opaque token is known after it expired, in seconds: a replay is known for
one, and whoever comes late hears that it has expired.
"""

WAITING_LIMIT = 1000
"""
How many devices may wait at once.
"""


@attrs.frozen
class Client:
    """
    An OAuth client (RFC 6749 section 2, RFC 7591 section 2).

    @ivar clientId: its C{client_id}.
    @ivar name: what it calls itself, or what the administrator calls it.
    @ivar redirectURIs: the redirect URIs it registered.
    @ivar grantTypes: those it may use.
    @ivar scope: what it may ask for; empty means all that there is.
    @ivar authMethod: C{"none"} for a public client, C{"client_secret_basic"},
        C{"client_secret_post"} or C{"private_key_jwt"}.
    @ivar secretDigest: SHA-256 of its secret, of 32 octets.
    @ivar jwks: its public keys, as a JWK set.
    @ivar verified: an administrator vouches for its name.
    @ivar opaqueTokens: its access tokens are opaque, of 43 characters.
    @ivar resourceServer: it may introspect the tokens of others (RFC 7662).
    @ivar insecureWithoutPKCE: it need not use PKCE. Only for a confidential client with one https
        redirect URI.
    @ivar created: when.
    @ivar softwareId: what it says its software is, unverified.
    @ivar address: its home page, unverified.
    @ivar postLogoutRedirectURIs: where it may be sent after logging out.
    @ivar backchannelLogoutURI: where it is told that somebody logged out.
    """

    clientId: str
    name: str = ""
    redirectURIs: tuple[str, ...] = ()
    grantTypes: frozenset[str] = frozenset({"authorization_code", "refresh_token"})
    scope: frozenset[str] = frozenset()
    authMethod: str = "none"
    secretDigest: bytes | None = attrs.field(default=None, repr=False)
    jwks: str | None = attrs.field(default=None, repr=False)
    verified: bool = False
    opaqueTokens: bool = False
    resourceServer: bool = False
    insecureWithoutPKCE: bool = False
    created: float = 0.0
    softwareId: str | None = None
    address: str | None = None
    postLogoutRedirectURIs: tuple[str, ...] = ()
    backchannelLogoutURI: str | None = None

    @property
    def public(self) -> bool:
        """
        Whether it has nothing to prove who it is with (RFC 6749 section 2.1).
        """
        return self.authMethod == "none"


@attrs.frozen
class Authentication:
    """
    That somebody proved who he is: the limits that everything made from it carries.

    @ivar account: who, in canonical form.
    @ivar when: when: what was revoked before does not concern him.
    @ivar methods: how, as RFC 8176 names it: C{"pwd"}, C{"otp"}, C{"hwk"} ...
    @ivar browserSession: the id of the browser session, C{None} where there is none.
    @ivar issuer: the external issuer that vouches for him, C{None} if he proved it here.
    @ivar subject: who he is to it.
    @ivar issuerSession: the id of his session there, C{None} if it did not say.
    @ivar signedIn: when he had signed in there, which may be long before he came here; 0 if nobody
        can tell, C{None} if it was C{when}.
    """

    account: str
    when: float
    methods: frozenset[str] = frozenset()
    browserSession: str | None = None
    issuer: str | None = None
    subject: str | None = None
    issuerSession: str | None = None
    signedIn: float | None = None

    @property
    def authTime(self) -> float:
        """
        When he last proved who he is, to us or to whom we believe: C{auth_time} (OpenID Connect
        Core 1.0 section 2).
        """
        return self.when if self.signedIn is None else self.signedIn

    @property
    def tags(self) -> frozenset[str]:
        """
        What a revocation has to name to end everything that was made from it.
        """
        account = accountTag(self.account)
        if self.issuer is None or self.subject is None:
            return frozenset({account})
        return frozenset({account, subjectTag(self.issuer, self.subject)})

    @property
    def sessionTags(self) -> frozenset[str]:
        """
        What a revocation may name besides to sign his browser out: his session at the other issuer.
        What he granted for good outlives that.
        """
        if self.issuer is None or self.issuerSession is None:
            return frozenset()
        return frozenset({grantTag(self.issuer, self.issuerSession)})


@attrs.frozen
class Grant:
    """
    What somebody allowed a client, and the family of its refresh tokens (RFC 9700 section 4.14).

    There is one current refresh token in a family at any time.

    @ivar grantId: its id, which is no secret: the C{sid} of its access tokens.
    @ivar authentication: who allowed it, and how he had signed in.
    @ivar clientId: whom.
    @ivar scope: what.
    @ivar resources: the resources it was asked for with (RFC 8707); empty means any of ours.
    @ivar created: when.
    @ivar expires: when it ends whatever happens, or C{None}.
    @ivar keyThumbprint: of the key that its refresh tokens are bound to (RFC 9449), or C{None}.
    @ivar refreshDigest: of the current refresh token, or C{None} where there never was one.
    @ivar previousDigest: of the one before it.
    @ivar rotated: when the current one was issued.
    @ivar refreshExpires: when the current one expires if nobody uses it.
    @ivar lastUse: when it was used last, and C{address} from where.
    """

    grantId: str
    authentication: Authentication
    clientId: str
    scope: frozenset[str]
    resources: frozenset[str] = frozenset()
    created: float = 0.0
    expires: float | None = None
    keyThumbprint: str | None = None
    refreshDigest: bytes | None = attrs.field(default=None, repr=False)
    previousDigest: bytes | None = attrs.field(default=None, repr=False)
    rotated: float = 0.0
    refreshExpires: float | None = None
    lastUse: float = 0.0
    address: str | None = None

    @property
    def account(self) -> str:
        """
        Whose it is.
        """
        return self.authentication.account


@attrs.frozen
class AuthorizationCode:
    """
    A code on its way back to the client (RFC 6749 section 4.1.2).

    @ivar digest: SHA-256 of the code.
    @ivar grant: what it will be redeemed for.
    @ivar redirectURI: as the authorization request had it, C{None} if it had none.
    @ivar codeChallenge: of S256, or C{None} where the client need not use PKCE.
    @ivar nonce: for the ID token, or C{None}.
    @ivar expires: when.
    @ivar used: when it was redeemed, or C{None}.
    """

    digest: bytes = attrs.field(repr=False)
    grant: Grant
    redirectURI: str | None
    codeChallenge: str | None
    nonce: str | None
    expires: float
    used: float | None = None


@attrs.frozen
class DeviceCode:
    """
    A device that waits for somebody with a browser (RFC 8628).

    @ivar digest: SHA-256 of the device code.
    @ivar userCode: the eight letters, without the dash.
    @ivar clientId: whose device it is.
    @ivar scope: what it asked for.
    @ivar resources: see L{Grant.resources}.
    @ivar created: when.
    @ivar expires: when.
    @ivar interval: how many seconds have to lie between two polls.
    @ivar polled: when it polled last.
    @ivar address: from where it asked.
    @ivar denied: somebody said no.
    @ivar grant: what somebody allowed, or C{None} while nobody has.
    @ivar used: when it was redeemed, or C{None}.
    """

    digest: bytes = attrs.field(repr=False)
    userCode: str = attrs.field(repr=False)
    clientId: str
    scope: frozenset[str]
    resources: frozenset[str]
    created: float
    expires: float
    interval: float = 5.0
    polled: float = 0.0
    address: str | None = None
    denied: bool = False
    grant: Grant | None = None
    used: float | None = None


@attrs.frozen
class BrowserSession:
    """
    A browser in which somebody is signed in.

    @ivar digest: SHA-256 of the cookie's secret.
    @ivar authentication: who, and how. Its C{browserSession} is the id of this one.
    @ivar created: when.
    @ivar expires: when.
    @ivar lastUse: when it was used last.
    @ivar address: from where.
    @ivar browser: what the browser called itself, unverified.
    """

    digest: bytes = attrs.field(repr=False)
    authentication: Authentication
    created: float
    expires: float
    lastUse: float = 0.0
    address: str | None = None
    browser: str | None = None

    @property
    def identifier(self) -> str:
        """
        Its id, which is no secret.
        """
        return self.authentication.browserSession or ""


@attrs.frozen
class OpaqueToken:
    """
    An access token that says nothing by itself.

    @ivar digest: SHA-256 of the token.
    @ivar token: what it means.
    @ivar authenticated: when its owner had signed in, C{None} for a client's own.
    """

    digest: bytes = attrs.field(repr=False)
    token: AccessToken
    authenticated: float | None = None


@attrs.frozen
class TOTPSecret:
    """
    What an account shares with its owner's authenticator (RFC 6238).

    @ivar account: whose.
    @ivar sealed: the secret, encrypted.
    @ivar created: when.
    @ivar lastStep: the time step of the code used last: none counts twice.
    """

    account: str
    sealed: bytes = attrs.field(repr=False)
    created: float
    lastStep: int = 0


@attrs.frozen
class Passkey:
    """
    A WebAuthn credential.

    @ivar credentialId: its id.
    @ivar account: whose.
    @ivar name: what its owner calls it.
    @ivar publicKey: in COSE.
    @ivar signCount: the counter, 0 where the authenticator keeps none.
    @ivar created: when.
    @ivar lastUse: when, or 0.
    """

    credentialId: bytes
    account: str
    name: str
    publicKey: bytes = attrs.field(repr=False)
    signCount: int = 0
    created: float = 0.0
    lastUse: float = 0.0
