"""
Is this good for this login? Pure functions of what is known; they ask nobody, so that the whole
policy is a table of tests.

Each returns the L{AvatarId} or raises the L{Refusal}. A refusal that tells more than "no" comes
only after what was presented has turned out to be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import attrs

from .credentials import AvatarId, LoginContext, appPasswordTag
from .errors import (
    AccountDisabled,
    ExpiredPassword,
    ExpiredToken,
    InsufficientScope,
    InvalidCredentials,
    InvalidToken,
    NotOwner,
    ServiceNotAllowed,
)
from .oauth.tokens import LEEWAY, AccessToken
from .scopes import MAIL_SCOPE, MAIL_SERVICES, READ_ONLY_SCOPES, SERVICE_SCOPES
from .stores.records import Account, AppPassword
from .usernames import canonicalName

PASSWORD_RULES = ("web", "everywhere")
"""
Where an account password may be used. The first is the default: mail programs get tokens or app
passwords.
"""


@attrs.frozen
class TokenPolicy:
    """
    What the configuration says about tokens.

    @ivar serviceScopes: for each service the scopes of which any one admits to it.
    @ivar issuerScopes: the same for an issuer that names them otherwise.
    @ivar readOnlyScopes: for each service the scopes of which any one admits to reading alone.
    @ivar recommendedScope: what a client that lacks all of them is told to ask for.
    @ivar defaultDomain: what to put behind a login name without a domain, or C{None}.
    @ivar domains: for an issuer the domains whose accounts it may speak for, in canonical form.
        One that is not in it may speak for all.
    @ivar creating: the issuers whose people get an account when they first come.
    @ivar sameClock: the issuers that read the same clock as we do.
    """

    serviceScopes: Mapping[str, frozenset[str]] = SERVICE_SCOPES
    readOnlyScopes: Mapping[str, frozenset[str]] = READ_ONLY_SCOPES
    recommendedScope: str = MAIL_SCOPE
    defaultDomain: str | None = None
    domains: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    sameClock: frozenset[str] = frozenset()
    issuerScopes: Mapping[str, Mapping[str, frozenset[str]]] = attrs.field(factory=dict)
    creating: frozenset[str] = frozenset()

    def ownerOf(self, token: AccessToken) -> str:
        """
        Whose token it is, in canonical form.

        @raise InvalidToken: nobody's here.
        """
        try:
            owner = canonicalName(token.owner, self.defaultDomain)
        except InvalidCredentials as error:
            raise InvalidToken(error.reason) from None
        self.checkDomain(token.issuer, owner)
        return owner

    def checkDomain(self, issuer: str, owner: str) -> None:
        """
        Return if an issuer may speak for an account.

        @raise InvalidToken: it may not.
        """
        allowed = self.domains.get(issuer)
        if allowed is not None and Account(owner).domain not in allowed:
            raise InvalidToken("the issuer may not speak for this domain")

    def issuedSince(self, token: AccessToken) -> float:
        """
        When it was issued at the earliest, by our clock: that of its issuer may be ahead, and a
        revocation has to hold all the same (TK18).
        """
        return token.issued if token.issuer in self.sameClock else token.issued - LEEWAY


def admitToken(
    token: AccessToken,
    owner: str,
    account: Account | None,
    authzid: bytes | None,
    context: LoginContext,
    policy: TokenPolicy,
    now: float,
) -> AvatarId:
    """
    Whether a valid token opens an account for a service.

    @param owner: what L{TokenPolicy.ownerOf} said.
    @param account: the owner's account. Whoever keeps no accounts makes one up.
    @param authzid: the account asked for, as sent, or C{None}.
    @param now: in seconds since the epoch.
    @raise ExpiredToken: it expired since it was validated.
    @raise InvalidToken: it is bound to a key, which no SASL mechanism proves (RFC 7800), or its
        owner has no account.
    @raise NotOwner: somebody else's account is asked for.
    @raise AccountDisabled: the account may not log in at all.
    @raise InsufficientScope: the token is for other services.
    """
    if token.expires <= now - LEEWAY:
        raise ExpiredToken("expired")
    if token.bound:
        raise InvalidToken("the token is bound to a key")
    if account is None:
        raise InvalidToken("the owner has no account")
    _checkOwner(owner, authzid, policy.defaultDomain)
    _checkEnabled(account)
    return AvatarId(
        owner,
        token.tags,
        readOnly=_mayOnlyRead(token, context.service, policy),
        expires=token.expires,
        credential=f"token of {token.clientId or 'a client'}",
    )


def admitAppPassword(
    appPassword: AppPassword,
    account: Account | None,
    username: str,
    authzid: bytes | None,
    context: LoginContext,
    defaultDomain: str | None,
    now: float,
) -> AvatarId:
    """
    Whether an app password, which was presented and is right, opens an account for a service.

    @param account: the account it belongs to.
    @param username: the login name it came with, in canonical form.
    @param authzid: the account asked for, as sent, or C{None}.
    @param now: in seconds since the epoch.
    @raise InvalidCredentials: it came with the name of somebody else.
    @raise NotOwner: somebody else's account is asked for.
    @raise AccountDisabled: the account may not log in at all.
    @raise ExpiredPassword: it is past its date.
    @raise ServiceNotAllowed: it is not for this service, or not from this network.
    """
    if account is None or appPassword.account != username:
        raise InvalidCredentials("an app password of another account")
    _checkOwner(username, authzid, defaultDomain)
    _checkEnabled(account)
    if appPassword.expires is not None and appPassword.expires <= now:
        raise ExpiredPassword("expired")
    # Never the web: there it would open the page that makes app passwords (WB11).
    if context.service not in MAIL_SERVICES or (
        appPassword.services and context.service not in appPassword.services
    ):
        raise ServiceNotAllowed("service")
    if appPassword.readOnly and context.service == "smtp":
        raise ServiceNotAllowed("it may only read")
    if appPassword.networks and not _within(context.peer, appPassword.networks):
        raise ServiceNotAllowed("network")
    return AvatarId(
        username,
        (appPasswordTag(appPassword.identifier),),
        readOnly=appPassword.readOnly,
        expires=appPassword.expires,
        credential=f"app password {appPassword.name!r}",
    )


def passwordAllowed(rule: str, service: str) -> bool:
    """
    Whether the account password may be used for a service.

    @param rule: one of L{PASSWORD_RULES}.
    """
    return rule == "everywhere" or service == "web"


def admitAccountPassword(
    account: Account, authzid: bytes | None, defaultDomain: str | None
) -> AvatarId:
    """
    Whether the account password, which was presented and is right, opens the account.

    @param authzid: the account asked for, as sent, or C{None}.
    @raise NotOwner: somebody else's account is asked for.
    @raise AccountDisabled: the account may not log in at all.
    """
    _checkOwner(account.name, authzid, defaultDomain)
    _checkEnabled(account)
    return AvatarId(account.name, credential="account password")


def _checkOwner(owner: str, authzid: bytes | None, defaultDomain: str | None) -> None:
    """
    The authorization identity is the owner in any of his spellings, or it is somebody else (SA1).
    """
    if not authzid:
        return
    try:
        asked = canonicalName(authzid, defaultDomain)
    except InvalidCredentials:
        asked = None
    if asked != owner:
        raise NotOwner("the authorization identity is not the owner")


def _checkEnabled(account: Account) -> None:
    if not account.enabled:
        raise AccountDisabled("disabled")


def _mayOnlyRead(token: AccessToken, service: str, policy: TokenPolicy) -> bool:
    """
    Whether a token admits to a service for reading alone: a scope that admits to more wins.
    """
    serviceScopes = policy.issuerScopes.get(token.issuer, policy.serviceScopes)
    if token.scope & serviceScopes.get(service, frozenset()):
        return False
    if token.scope & policy.readOnlyScopes.get(service, frozenset()):
        return True
    raise InsufficientScope("scope", scope=policy.recommendedScope)


def _within(peer: str | None, networks: tuple[str, ...]) -> bool:
    """
    What is no address is nowhere, and a network that cannot be read has nobody in it.
    """
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return any(_contains(network, address) for network in networks)


def _contains(network: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False
