"""
Checkers for cred: who is this? Each takes one kind of credentials and answers with an
L{AvatarId}, and they compose by wrapping each other's one method::

    Audited(Throttled(Remembered(BearerTokenChecker(validator), cache)), audit)
    Audited(
        First(
            ThrottledByNetwork(AppPasswordChecker(store)),
            Throttled(First(ImportedPasswordChecker(store), AccountPasswordChecker(accounts))),
        ),
        audit,
    )
"""

from __future__ import annotations

import hmac
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from hashlib import sha256
from time import time
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from .coroutines import promptly
from .credentials import AvatarId, LoginContext
from .errors import InvalidCredentials, InvalidToken, LoginError, Outage, Refusal
from .interfaces import (
    IAccounts,
    IAppPasswords,
    IAudit,
    IBearerToken,
    IDelegatedPassword,
    IIdentities,
    IRevocations,
    ITokenCache,
    ITokenValidator,
)
from .networks import networkOf
from .oauth.tokens import AccessToken
from .passwords import PasswordHasher, digestAppPassword
from .policy import (
    TokenPolicy,
    admitAccountPassword,
    admitAppPassword,
    admitToken,
    passwordAllowed,
)
from .stores.memory import MemoryRevocations
from .stores.records import Account, AppPassword, AppPasswordUse
from .throttle import Throttle, nothing
from .usernames import canonicalName

_log = Logger()

_PASSWORDS = (IUsernamePassword, IDelegatedPassword)

NOWHERE = LoginContext("imap")
"""
For credentials of a wire that is not ours and gives no context.
"""


def _contextOf(credentials: Any) -> LoginContext:
    context: LoginContext | None = getattr(credentials, "context", None)
    return context or NOWHERE


class _Checker(ABC):
    """
    What all of them have in common: one coroutine, and cred's method around it.
    """

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """
        See L{ICredentialsChecker.requestAvatarId}. Whoever gives up waiting stops nothing: a guess
        is counted, and its verdict is on record, though nobody stays to hear it (PW7, LG6).

        @return: fires with an L{AvatarId}.
        @raise Refusal: the credentials are not good for this login.
        @raise Outage: nobody could tell.
        """
        return promptly(self.check(credentials))

    @abstractmethod
    async def check(self, credentials: Any) -> Any:
        """
        What L{requestAvatarId} does.
        """


def _checkOf(checker: ICredentialsChecker) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    """
    How to ask a checker: one of ours without a Deferred between us, and anybody's, who may answer
    at once.
    """
    if isinstance(checker, _Checker):
        return checker.check

    async def check(credentials: Any) -> Any:
        answer = checker.requestAvatarId(credentials)
        return await answer if isinstance(answer, Deferred) else answer

    return check


@implementer(ICredentialsChecker)
class BearerTokenChecker(_Checker):
    """
    Access tokens (RFC 6750), by whatever validates them.
    """

    credentialInterfaces = (IBearerToken,)

    def __init__(
        self,
        validator: ITokenValidator,
        accounts: IAccounts | None = None,
        revocations: IRevocations | None = None,
        policy: TokenPolicy | None = None,
        now: Callable[[], float] = time,
        identities: IIdentities | None = None,
    ) -> None:
        """
        @param accounts: who may log in at all; C{None} leaves that to the validator and to your
            realm.
        @param revocations: what is dead although it is valid; C{None} if nothing ever is.
        @param now: the wall clock, in seconds since the epoch.
        @param identities: whose account it is that an external issuer vouches for; C{None} if the
            names that it gives are never anybody else's.
        """
        self._validator = validator
        self._accounts = accounts
        self._revocations = revocations or MemoryRevocations()
        self._policy = policy or TokenPolicy()
        self._now = now
        self._identities = identities

    async def check(self, credentials: Any) -> AvatarId:
        """
        See L{requestAvatarId}.
        """
        revocations, policy, accounts = self._revocations, self._policy, self._accounts
        began = revocations.catchUp()
        token = await self._validator.validate(credentials.token)
        try:
            if token.external and self._identities is not None:
                owner = await self._linkedOwner(token, self._identities)
            else:
                owner = policy.ownerOf(token)
            account = Account(owner) if accounts is None else await accounts.get(owner)
            avatarId = admitToken(
                token,
                owner,
                account,
                credentials.authzid,
                _contextOf(credentials),
                policy,
                self._now(),
            )
            # Nothing waits between here and the realm, so whoever is revoked from now on is found
            # among the connections.
            tags, issued = avatarId.tags, policy.issuedSince(token)
            if revocations.covers(tags, issued) or revocations.revokedSince(tags, began):
                raise InvalidToken("revoked")
        except Refusal as error:
            if token.discovery is not None:
                error.openidConfiguration = token.discovery
            raise
        return avatarId

    async def _linkedOwner(self, token: AccessToken, identities: IIdentities) -> str:
        """
        Whose account the subject of an external issuer is linked with. The name in the token may
        have become somebody else's there: it counts once (TK14).
        """
        policy = self._policy
        if self._revocations.covers(token.tags, policy.issuedSince(token)):
            # It would link again what was unlinked.
            raise InvalidToken("revoked")
        name, reason = None, "the subject is linked with no account, and cannot be with this one"
        try:
            name = policy.ownerOf(token)
        except InvalidToken as error:
            # Whoever is linked is who he was, whatever he is called now.
            reason = error.reason
        create = token.issuer in policy.creating
        owner = await identities.resolve(token.issuer, token.subject, name, self._now(), create)
        if owner is None:
            raise InvalidToken(reason)
        policy.checkDomain(token.issuer, owner)
        return owner


class _PasswordChecker(_Checker):
    """
    What both kinds of passwords have in common.
    """

    credentialInterfaces = _PASSWORDS

    def __init__(self, revocations: IRevocations | None, defaultDomain: str | None) -> None:
        self._revocations = revocations or MemoryRevocations()
        self._defaultDomain = defaultDomain

    async def check(self, credentials: Any) -> AvatarId:
        """
        See L{requestAvatarId}.
        """
        began = self._revocations.catchUp()
        username = canonicalName(credentials.username, self._defaultDomain)
        avatarId = await self._decide(credentials, username)
        # It may have been an app password, and only the account password has changed: whoever asks
        # again hears what is true now.
        if self._revocations.revokedSince(avatarId.tags, began):
            raise Outage("changed meanwhile")
        return avatarId

    @abstractmethod
    async def _decide(self, credentials: Any, username: str) -> AvatarId:
        """
        @param username: in canonical form.
        """


class _AppPasswordChecker(_PasswordChecker):
    """
    What both kinds of app passwords have in common.
    """

    def __init__(
        self,
        appPasswords: IAppPasswords,
        accounts: IAccounts | None = None,
        revocations: IRevocations | None = None,
        defaultDomain: str | None = None,
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param accounts: who may log in at all; C{None} leaves that to your realm.
        @param revocations: C{None} if the store's own word is enough.
        @param defaultDomain: what to put behind a login name without a domain.
        @param now: the wall clock, in seconds since the epoch.
        """
        super().__init__(revocations, defaultDomain)
        self._appPasswords = appPasswords
        self._accounts = accounts
        self._now = now

    async def _decide(self, credentials: Any, username: str) -> AvatarId:
        appPassword = await self._find(username, credentials.password)
        accounts, owner = self._accounts, appPassword.account
        account = Account(owner) if accounts is None else await accounts.get(owner)
        context = _contextOf(credentials)
        now = self._now()
        avatarId = admitAppPassword(
            appPassword,
            account,
            username,
            getattr(credentials, "authzid", None),
            context,
            self._defaultDomain,
            now,
        )
        use = AppPasswordUse(now, context.service, context.peer, context.mailClient)
        self._appPasswords.noteUse(appPassword.identifier, use).addErrback(_useNotNoted)
        return avatarId

    @abstractmethod
    async def _find(self, username: str, password: bytes) -> AppPassword:
        """
        @raise InvalidCredentials: there is none.
        """


def _useNotNoted(failure: Any) -> None:
    failure.trap(LoginError)
    _log.warn("the use of an app password was not noted: {reason}", reason=failure.value.reason)


@implementer(ICredentialsChecker)
class AppPasswordChecker(_AppPasswordChecker):
    """
    Generated app passwords, found by their digest: nobody guesses them.
    """

    async def _find(self, username: str, password: bytes) -> AppPassword:
        digest = digestAppPassword(password)
        found = None if digest is None else await self._appPasswords.find(digest)
        if found is None:
            raise InvalidCredentials("no such app password")
        return found


@implementer(ICredentialsChecker)
class ImportedPasswordChecker(_AppPasswordChecker):
    """
    App passwords that were imported as slow hashes.
    """

    def __init__(
        self,
        appPasswords: IAppPasswords,
        hasher: PasswordHasher,
        accounts: IAccounts | None = None,
        revocations: IRevocations | None = None,
        defaultDomain: str | None = None,
        now: Callable[[], float] = time,
    ) -> None:
        """
        See L{AppPasswordChecker}.
        """
        super().__init__(appPasswords, accounts, revocations, defaultDomain, now)
        self._hasher = hasher

    async def _find(self, username: str, password: bytes) -> AppPassword:
        for imported in await self._appPasswords.imported(username):
            try:
                await self._hasher.verify(username, password, imported.imported or "")
            except InvalidCredentials:
                continue
            return imported
        raise InvalidCredentials("no such app password")


@implementer(ICredentialsChecker)
class AccountPasswordChecker(_PasswordChecker):
    """
    The password that the owner of an account chose, wherever it may be used.

    Where it may not, it is not even looked at, and every answer is the same: nobody can find out
    on a mail port what the password for the web is.
    """

    def __init__(
        self,
        accounts: IAccounts,
        hasher: PasswordHasher,
        ruleOf: Callable[[str], str] = lambda domain: "web",
        revocations: IRevocations | None = None,
        defaultDomain: str | None = None,
        help: str = "",
    ) -> None:
        """
        @param ruleOf: says for a domain where account passwords may be used, as one of
            L{PASSWORD_RULES<mailauth.policy.PASSWORD_RULES>}. An account's own rule comes first.
        @param defaultDomain: what to put behind a login name without a domain.
        @param help: what to tell whoever is refused, such as where to get an app password.
        """
        super().__init__(revocations, defaultDomain)
        self._accounts = accounts
        self._hasher = hasher
        self._ruleOf = ruleOf
        self._help = help

    async def _decide(self, credentials: Any, username: str) -> AvatarId:
        service = _contextOf(credentials).service
        account = await self._accounts.get(username)
        rule = self._ruleOf(Account(username).domain)
        if account is not None and account.passwordRule is not None:
            rule = account.passwordRule
        if not passwordAllowed(rule, service):
            raise InvalidCredentials("account passwords are not for this service", self._help)
        try:
            if account is None or account.passwordHash is None:
                await self._hasher.pretend(username, credentials.password)
            await self._hasher.verify(username, credentials.password, account.passwordHash)
        except InvalidCredentials as error:
            raise InvalidCredentials(error.reason, self._help) from None
        return admitAccountPassword(
            account, getattr(credentials, "authzid", None), self._defaultDomain
        )


@implementer(ICredentialsChecker)
class First(_Checker):
    """
    Asks those of several checkers that take the credentials, until one accepts, or refuses what
    it knew to be right.

    If none does and one could not tell, nobody can: the credentials may be his.
    """

    def __init__(self, *checkers: ICredentialsChecker) -> None:
        self._checks = [(each.credentialInterfaces, _checkOf(each)) for each in checkers]
        self.credentialInterfaces = _interfacesOf(checkers)

    async def check(self, credentials: Any) -> Any:
        """
        See L{requestAvatarId}.
        """
        outage: Outage | None = None
        refusal: UnauthorizedLogin = InvalidCredentials("no checker")
        for interfaces, check in self._checks:
            # A checker that has never heard of authorization identities must not see one (SA1).
            if not any(each.providedBy(credentials) for each in interfaces):
                continue
            try:
                return await check(credentials)
            except UnauthorizedLogin as error:
                if getattr(error, "verified", False):
                    raise
                refusal = error
            except Outage as error:
                outage = error
        raise outage or refusal


@implementer(ICredentialsChecker)
class Throttled(_Checker):
    """
    Looks at nothing while there are too many failures.
    """

    def __init__(
        self, checker: ICredentialsChecker, throttle: Throttle, defaultDomain: str | None = None
    ) -> None:
        """
        @param throttle: one for all checkers: a guess is a guess on any wire (PW7).
        """
        self._check = _checkOf(checker)
        self._throttle = throttle
        self._defaultDomain = defaultDomain
        self._key = secrets.token_bytes(32)
        self.credentialInterfaces = checker.credentialInterfaces

    async def check(self, credentials: Any) -> Any:
        """
        See L{requestAvatarId}.

        @raise TooManyFailures: the credentials were not looked at.
        """
        throttle = self._throttle
        network = networkOf(_contextOf(credentials).peer)
        account = _accountTried(credentials, self._defaultDomain)
        isToken = IBearerToken.providedBy(credentials)
        if isToken and not throttle.knows(network, account):
            # A token is not guessed by the name that comes with it: its owner must not have to
            # wait for whoever puts that name to made-up ones, unless he is at home there.
            account = None
        throttle.check(network, account)
        secret = credentials.token if isToken else credentials.password
        # It takes long to look at a password, so it counts from the beginning: many at once must
        # be no more guesses than in a row.
        takeBack = nothing if isToken else self._count(network, account, secret)
        try:
            avatarId = await self._check(credentials)
        except BaseException as error:
            if _isGuess(error):
                self._count(network, account, secret)
            else:
                takeBack()
            raise
        takeBack()
        throttle.succeeded(network, avatarId.decode("utf-8"))
        return avatarId

    def _count(self, network: str | None, account: str | None, secret: bytes) -> Callable[[], None]:
        """
        See L{Throttle.failed}: what is counted already does not count again.
        """
        return self._throttle.failed(network, account, hmac.digest(self._key, secret, "sha256"))


def _isGuess(error: BaseException) -> bool:
    return isinstance(error, UnauthorizedLogin) and getattr(error, "counts", True)


@implementer(ICredentialsChecker)
class Remembered(_Checker):
    """
    Remembers whom a token let in: most logins repeat one of a minute ago, and nothing that it
    rests on has changed. Whatever may change it comes as an entry under one of its tags, which
    drops it; so the other checker must answer with an L{AvatarId} that bears all of them. A
    refusal is not remembered here.

    @cvar REMEMBERED: for how many seconds. What other people's issuers change comes as no entry,
        and is found by asking them again.
    """

    REMEMBERED = 60.0

    def __init__(
        self,
        checker: ICredentialsChecker,
        cache: ITokenCache,
        revocations: IRevocations,
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param checker: of L{IBearerToken}.
        @param cache: one whose C{drop} is subscribed to the revocations.
        @param now: the wall clock, in seconds since the epoch.
        """
        self._check = _checkOf(checker)
        self._cache = cache
        self._revocations = revocations
        self._now = now
        self.credentialInterfaces = checker.credentialInterfaces

    async def check(self, credentials: Any) -> AvatarId:
        """
        See L{requestAvatarId}.
        """
        self._revocations.catchUp()
        cache, service = self._cache, _contextOf(credentials).service
        # Injective for everything that is let in, and never a token by itself, under whose digest
        # the same cache may know what that is: no service, account or token has a NUL in it (CS1).
        asked = b"%b\0%b\0%b" % (service.encode(), credentials.authzid or b"", credentials.token)
        digest = sha256(asked).digest()
        known: AvatarId | None = cache.get(digest)
        if known is not None:
            return known
        generation = cache.generation
        avatarId: AvatarId = await self._check(credentials)
        expires = self._now() + self.REMEMBERED
        if avatarId.expires is not None:
            expires = min(expires, avatarId.expires)
        if generation == cache.generation:
            cache.put(digest, avatarId, avatarId.tags, expires)
        return avatarId


@implementer(ICredentialsChecker)
class ThrottledByNetwork(_Checker):
    """
    Looks at secrets that nobody can guess, unless the network failed too often. Whoever guesses
    at the account keeps nobody out who has one (PW8).

    It counts no failures: to be asked before a L{Throttled} checker, who counts them.
    """

    def __init__(
        self, checker: ICredentialsChecker, throttle: Throttle, defaultDomain: str | None = None
    ) -> None:
        self._check = _checkOf(checker)
        self._throttle = throttle
        self._defaultDomain = defaultDomain
        self.credentialInterfaces = checker.credentialInterfaces

    async def check(self, credentials: Any) -> Any:
        """
        See L{requestAvatarId}.

        @raise TooManyFailures: the credentials were not looked at.
        """
        network = networkOf(_contextOf(credentials).peer)
        account = _accountTried(credentials, self._defaultDomain)
        self._throttle.checkNetwork(network, account)
        avatarId = await self._check(credentials)
        self._throttle.succeeded(network, avatarId.decode("utf-8"))
        return avatarId


@implementer(ICredentialsChecker)
class Audited(_Checker):
    """
    Tells every verdict, when it is spoken: also those for clients that have left by then (LG6).
    """

    def __init__(
        self, checker: ICredentialsChecker, audit: IAudit, seconds: Callable[[], float]
    ) -> None:
        """
        @param seconds: a clock that only runs forward, such as C{IReactorTime.seconds}.
        """
        self._check = _checkOf(checker)
        self._audit = audit
        self._seconds = seconds
        self.credentialInterfaces = checker.credentialInterfaces

    async def check(self, credentials: Any) -> Any:
        """
        See L{requestAvatarId}.
        """
        began = self._seconds()
        try:
            avatarId = await self._check(credentials)
        except Exception as error:
            self._audit.record(credentials, None, error, self._seconds() - began)
            raise
        account = avatarId.decode("utf-8")
        self._audit.record(credentials, account, None, self._seconds() - began)
        return avatarId


def _interfacesOf(checkers: Sequence[ICredentialsChecker]) -> tuple[Any, ...]:
    return tuple({each: None for checker in checkers for each in checker.credentialInterfaces})


def _accountTried(credentials: Any, defaultDomain: str | None) -> str | None:
    """
    The account that somebody claims to be, in canonical form, if it can be one.
    """
    name = getattr(credentials, "username", None) or getattr(credentials, "authzid", None)
    if not name:
        return None
    try:
        return canonicalName(name, defaultDomain)
    except InvalidCredentials:
        return None
