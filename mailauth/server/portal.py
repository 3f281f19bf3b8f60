"""
The truth side of the service: from the stores to the portal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import attrs
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.portal import IRealm, Portal

from ..caches.memory import MemoryCache
from ..checkers import (
    AccountPasswordChecker,
    AppPasswordChecker,
    Audited,
    BearerTokenChecker,
    First,
    ImportedPasswordChecker,
    Remembered,
    Throttled,
    ThrottledByNetwork,
)
from ..interfaces import IAccounts, IAudit, IIdentities, IRevocations, ITokenCache, ITokenValidator
from ..oauth.interfaces import IOpaqueTokens
from ..passwords import PasswordHasher
from ..policy import TokenPolicy
from ..portal import PromptPortal
from ..realm import RevocableRealm
from ..stores.cached import CachedAccounts, CachedIdentities
from ..stores.database import Database
from ..throttle import Throttle
from ..validators.caching import CachingValidator
from ..validators.claims import TrustedIssuer
from ..validators.jwt import JWTValidator
from ..validators.opaque import OpaqueTokenValidator, OursFirst, SignedOrOpaque
from .config import Configuration
from .keys import MAX_TOKEN_LIFETIME, PURPOSE, StoredKeys
from .reachedissuers import ReachedIssuer, reach
from .sealing import ServerSecret


@attrs.frozen
class Truth:
    """
    What decides.

    @ivar realm: who is in.
    @ivar accounts: the accounts, remembered until they change.
    @ivar identities: who the owners of the accounts are to external issuers, remembered likewise.
    @ivar keys: those of the built-in issuer.
    @ivar issuers: the external issuers.
    @ivar validator: says what an access token is, whose ever.
    @ivar ownValidator: says what an access token of the built-in issuer is, and asks nobody else:
        whoever shows us a token of another has not asked us to show it around.
    @ivar accountPasswords: checks what somebody signs in with on a page.
    @ivar throttle: counts the failures, wherever they happen.
    """

    portal: Portal
    realm: RevocableRealm
    accounts: IAccounts
    identities: IIdentities
    keys: StoredKeys
    issuers: tuple[ReachedIssuer, ...]
    validator: ITokenValidator
    ownValidator: ITokenValidator
    accountPasswords: ICredentialsChecker
    throttle: Throttle


def makeTruth(
    configuration: Configuration,
    ruleOf: Callable[[str], str],
    database: Database,
    secret: ServerSecret,
    hasher: PasswordHasher,
    cache: ITokenCache,
    realm: IRealm,
    audit: IAudit,
    reactor: Any,
    seconds: Callable[[], float] = monotonic,
) -> Truth:
    """
    Put together what decides about a login.

    @param secret: what the key file holds.
    @param ruleOf: says for a domain where account passwords may be used.
    @param cache: what is known of tokens, and of passwords by the hasher. It is dropped here what
        changes.
    @param realm: what somebody gets who is in.
    @param reactor: for the network.
    @param seconds: a clock that only runs forward, which the reactor's does not: it is the wall
        clock (TK17).
    """
    revocations = database.revocations
    accounts = CachedAccounts(database.accounts, revocations)
    identities = CachedIdentities(database.identities, revocations)
    keys = StoredKeys(database.signingKeys, revocations, secret.sealer(PURPOSE), seconds)
    revocable = RevocableRealm(realm, revocations)
    ownCache = MemoryCache()
    revocations.subscribe(lambda tags, reason: cache.drop(tags))
    revocations.subscribe(lambda tags, reason: ownCache.drop(tags))
    throttle = Throttle(seconds)
    issuers = tuple(
        reach(each, reactor, seconds, keys.signer) for each in configuration.externalIssuers
    )
    validator = CachingValidator(
        makeValidator(configuration, keys, database.opaqueTokens, issuers), cache
    )
    tokens = Remembered(
        makeTokenChecker(configuration, validator, accounts, revocations, identities),
        cache,
        revocations,
    )
    domain = configuration.defaultDomain
    appPasswords = AppPasswordChecker(database.appPasswords, accounts, revocations, domain)
    accountPasswords = AccountPasswordChecker(
        # Not those in memory, which answer faster than the store does about names that nobody has
        # (PW6).
        database.accounts,
        hasher,
        ruleOf,
        revocations,
        domain,
        f"Use OAuth or an app password: {configuration.accountPage}",
    )
    guessable = First(
        ImportedPasswordChecker(database.appPasswords, hasher, accounts, revocations, domain),
        accountPasswords,
    )
    passwords = First(
        ThrottledByNetwork(appPasswords, throttle, domain), Throttled(guessable, throttle, domain)
    )
    portal = PromptPortal(
        revocable,
        [
            Audited(checker, audit, seconds)
            for checker in (Throttled(tokens, throttle, domain), passwords)
        ],
    )
    return Truth(
        portal,
        revocable,
        accounts,
        identities,
        keys,
        issuers,
        validator,
        CachingValidator(makeOwnValidator(configuration, keys, database.opaqueTokens), ownCache),
        Audited(Throttled(accountPasswords, throttle, domain), audit, seconds),
        throttle,
    )


def makeTokenChecker(
    configuration: Configuration,
    validator: ITokenValidator,
    accounts: IAccounts,
    revocations: IRevocations,
    identities: IIdentities | None = None,
) -> BearerTokenChecker:
    """
    Who says whether a token is good for a login.

    @param identities: whose account it is that an external issuer vouches for; C{None} to link
        nobody.
    """
    return BearerTokenChecker(
        validator, accounts, revocations, makeTokenPolicy(configuration), identities=identities
    )


def makeTokenPolicy(configuration: Configuration) -> TokenPolicy:
    """
    What the configuration says about tokens.
    """
    external = configuration.externalIssuers
    return TokenPolicy(
        recommendedScope=configuration.scope,
        defaultDomain=configuration.defaultDomain,
        domains={issuer.url: issuer.domains for issuer in external},
        sameClock=frozenset({configuration.issuer}),
        issuerScopes={issuer.url: issuer.scopes for issuer in external},
        creating=frozenset(issuer.url for issuer in external if issuer.accounts == "create"),
    )


def makeValidator(
    configuration: Configuration,
    keys: StoredKeys,
    opaqueTokens: IOpaqueTokens,
    issuers: Sequence[ReachedIssuer],
) -> ITokenValidator:
    """
    Who says what a token is, of the built-in issuer or of another.
    """
    trusted = [_own(configuration, keys)]
    opaque: ITokenValidator = OpaqueTokenValidator(opaqueTokens)
    asked = {}
    for issuer in issuers:
        asking = issuer.asking()
        if asking is None:
            trusted.append(issuer.trusted)
            continue
        asked[issuer.settings.url] = asking
        if issuer.settings.opaqueTokens:
            opaque = OursFirst(opaque, asking)
    return SignedOrOpaque(JWTValidator(trusted), opaque, asked)


def makeOwnValidator(
    configuration: Configuration, keys: StoredKeys, opaqueTokens: IOpaqueTokens
) -> ITokenValidator:
    """
    Who says what a token of the built-in issuer is.
    """
    signed = JWTValidator([_own(configuration, keys)])
    return SignedOrOpaque(signed, OpaqueTokenValidator(opaqueTokens))


def _own(configuration: Configuration, keys: StoredKeys) -> TrustedIssuer:
    return TrustedIssuer(
        configuration.issuer,
        keys,
        frozenset({configuration.audience}),
        maxLifetime=MAX_TOKEN_LIFETIME,
    )
