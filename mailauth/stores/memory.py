"""
Stores that live and die with the process. Own nothing durable: for tests, and for an embedder who
keeps the truth elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..credentials import accountTag, appPasswordTag
from ..interfaces import IAccounts, IAppPasswords, IRevocations, ISigningKeys
from .memoryaliases import MemoryAliases
from .memorydevicecodes import MemoryDeviceCodes
from .memoryevents import MemoryEvents
from .memorygrants import MemoryClients, MemoryGrants, MemoryOpaqueTokens
from .memoryidentities import MemoryIdentities
from .memorysignin import MemoryBrowserSessions, MemoryFactors, MemorySpent
from .records import (
    APP_PASSWORD_LIMIT,
    IMPORTED_LIMIT,
    SIGNING_KEYS_TAG,
    Account,
    Alias,
    AlreadyExists,
    AppPassword,
    AppPasswordUse,
    LimitReached,
    NotFound,
    SigningKey,
    tooMany,
)
from .revocations import (
    CHANGED,
    DISABLED,
    REMOVED,
    REVOKED,
    Entry,
    KnownRevocations,
)


@implementer(IRevocations)
class MemoryRevocations(KnownRevocations):
    """
    Revocations of this process alone.
    """

    def revoke(self, tags: Iterable[str], reason: str) -> Deferred[None]:
        """
        See L{IRevocations.revoke}.
        """
        return self._publish(tags, reason)

    def touch(self, tags: Iterable[str]) -> Deferred[None]:
        """
        See L{IRevocations.touch}.
        """
        return self._publish(tags, None)

    def catchUp(self) -> int:
        """
        See L{IRevocations.catchUp}.
        """
        return self._last

    def _publish(self, tags: Iterable[str], reason: str | None) -> Deferred[None]:
        at = self._now()
        numbered = enumerate(tags, self._last + 1)
        self._learn([Entry(number, tag, at, reason) for number, tag in numbered])
        return succeed(None)


@implementer(IAccounts)
class MemoryAccounts:
    """
    Accounts of this process alone.

    @ivar removed: each is called with the name of an account that is being removed.
    @ivar aliases: the other addresses of these accounts.
    """

    def __init__(self, revocations: IRevocations | None = None) -> None:
        self._revocations = revocations or MemoryRevocations()
        self._accounts: dict[str, Account] = {}
        self.removed: list[Callable[[str], None]] = []
        self.aliases: dict[str, Alias] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._accounts

    def add(self, account: Account) -> Deferred[None]:
        """
        See L{IAccounts.add}.
        """
        if account.name in self._accounts:
            return fail(AlreadyExists(f"There is an account {account.name} already."))
        alias = self.aliases.get(account.name)
        if alias is not None:
            return fail(AlreadyExists(f"{alias.address} is an alias of {alias.account} already."))
        self._accounts[account.name] = account
        return self._revocations.touch([accountTag(account.name)])

    def get(self, name: str) -> Deferred[Account | None]:
        """
        See L{IAccounts.get}.
        """
        return succeed(self._accounts.get(name))

    def list(self) -> Deferred[tuple[Account, ...]]:
        """
        See L{IAccounts.list}.
        """
        return succeed(tuple(account for _, account in sorted(self._accounts.items())))

    def count(self) -> Deferred[int]:
        """
        See L{IAccounts.count}.
        """
        return succeed(len(self._accounts))

    def find(self, word: str, after: str, limit: int) -> Deferred[tuple[Account, ...]]:
        """
        See L{IAccounts.find}.
        """
        addresses = [(name, name) for name in self._accounts]
        addresses += [(alias.address, alias.account) for alias in self.aliases.values()]
        names = {name for address, name in addresses if word in address and name > after}
        return succeed(tuple(self._accounts[name] for name in sorted(names)[:limit]))

    def disable(self, name: str) -> Deferred[None]:
        """
        See L{IAccounts.disable}.
        """
        return self._change(name, DISABLED, enabled=False)

    def enable(self, name: str) -> Deferred[None]:
        """
        See L{IAccounts.enable}.
        """
        return self._change(name, None, enabled=True)

    def remove(self, name: str) -> Deferred[None]:
        """
        See L{IAccounts.remove}.
        """
        if self._accounts.pop(name, None) is None:
            return fail(NotFound(f"There is no account {name}."))
        for forget in self.removed:
            forget(name)
        return self._revocations.revoke([accountTag(name)], REMOVED)

    def setPassword(self, name: str, passwordHash: str | None) -> Deferred[None]:
        """
        See L{IAccounts.setPassword}.
        """
        return self._change(name, CHANGED, passwordHash=passwordHash)

    def setPasswordRule(self, name: str, rule: str | None) -> Deferred[None]:
        """
        See L{IAccounts.setPasswordRule}.
        """
        return self._change(name, None, passwordRule=rule)

    def _change(self, name: str, reason: str | None, **values: Any) -> Deferred[None]:
        account = self._accounts.get(name)
        if account is None:
            return fail(NotFound(f"There is no account {name}."))
        self._accounts[name] = attrs.evolve(account, **values)
        tags = [accountTag(name)]
        if reason is None:
            return self._revocations.touch(tags)
        return self._revocations.revoke(tags, reason)


@implementer(IAppPasswords)
class MemoryAppPasswords:
    """
    App passwords of this process alone.
    """

    def __init__(
        self,
        revocations: IRevocations | None = None,
        accounts: MemoryAccounts | None = None,
        limit: int = APP_PASSWORD_LIMIT,
    ) -> None:
        """
        @param accounts: the accounts that may have app passwords, or C{None} for any.
        @param limit: how many an account may have for which nothing else is set.
        """
        self._revocations = revocations or MemoryRevocations()
        self._accounts = accounts
        self._appPasswords: dict[str, AppPassword] = {}
        self._limit = limit
        self._limits: dict[str, int] = {}
        if accounts is not None:
            accounts.removed.append(self._forget)

    def add(self, appPassword: AppPassword) -> Deferred[None]:
        """
        See L{IAppPasswords.add}.
        """
        account = appPassword.account
        if self._accounts is not None and account not in self._accounts:
            return fail(NotFound(f"There is no account {account}."))
        limit = self._limits.get(account, self._limit)
        if len(self._ofAccount(account)) >= limit:
            return fail(tooMany(account, limit))
        if appPassword.imported is not None and len(self._imported(account)) >= IMPORTED_LIMIT:
            return fail(LimitReached(f"{account} has {IMPORTED_LIMIT} imported app passwords"))
        digest = appPassword.digest
        if appPassword.identifier in self._appPasswords or (
            digest is not None and self._found(digest) is not None
        ):
            return fail(AlreadyExists("there is such an app password already"))
        self._appPasswords[appPassword.identifier] = appPassword
        return succeed(None)

    def limit(self, account: str) -> Deferred[int]:
        """
        See L{IAppPasswords.limit}.
        """
        return succeed(self._limits.get(account, self._limit))

    def setLimit(self, account: str, limit: int | None) -> Deferred[None]:
        """
        See L{IAppPasswords.setLimit}.
        """
        if self._accounts is not None and account not in self._accounts:
            return fail(NotFound(f"There is no account {account}."))
        self._limits.pop(account, None)
        if limit is not None:
            self._limits[account] = limit
        return succeed(None)

    def find(self, digest: bytes) -> Deferred[AppPassword | None]:
        """
        See L{IAppPasswords.find}.
        """
        return succeed(self._found(digest))

    def imported(self, account: str) -> Deferred[tuple[AppPassword, ...]]:
        """
        See L{IAppPasswords.imported}.
        """
        return succeed(self._imported(account))

    def list(self, account: str) -> Deferred[tuple[AppPassword, ...]]:
        """
        See L{IAppPasswords.list}.
        """
        return succeed(self._ofAccount(account))

    def revoke(self, account: str, identifier: str) -> Deferred[None]:
        """
        See L{IAppPasswords.revoke}.
        """
        appPassword = self._appPasswords.get(identifier)
        if appPassword is None or appPassword.account != account:
            return fail(NotFound(f"{account} has no app password {identifier}."))
        del self._appPasswords[identifier]
        return self._revocations.revoke([appPasswordTag(identifier)], REVOKED)

    def noteUse(self, identifier: str, use: AppPasswordUse) -> Deferred[None]:
        """
        See L{IAppPasswords.noteUse}.
        """
        appPassword = self._appPasswords.get(identifier)
        if appPassword is not None:
            self._appPasswords[identifier] = attrs.evolve(appPassword, lastUse=use)
        return succeed(None)

    def _found(self, digest: bytes) -> AppPassword | None:
        for appPassword in self._appPasswords.values():
            if appPassword.digest == digest:
                return appPassword
        return None

    def _ofAccount(self, account: str) -> tuple[AppPassword, ...]:
        found = [one for one in self._appPasswords.values() if one.account == account]
        return tuple(sorted(found, key=lambda one: (one.created, one.identifier)))

    def _imported(self, account: str) -> tuple[AppPassword, ...]:
        return tuple(one for one in self._ofAccount(account) if one.imported is not None)

    def _forget(self, account: str) -> None:
        self._limits.pop(account, None)
        for one in self._ofAccount(account):
            del self._appPasswords[one.identifier]


@implementer(ISigningKeys)
class MemorySigningKeys:
    """
    Signing keys of this process alone.
    """

    def __init__(self, revocations: IRevocations | None = None) -> None:
        self._revocations = revocations or MemoryRevocations()
        self._keys: dict[str, SigningKey] = {}

    def add(self, key: SigningKey) -> Deferred[None]:
        """
        See L{ISigningKeys.add}.
        """
        if key.kid in self._keys:
            return fail(AlreadyExists(f"there is a signing key {key.kid} already"))
        self._keys[key.kid] = key
        return self._revocations.touch([SIGNING_KEYS_TAG])

    def list(self) -> Deferred[tuple[SigningKey, ...]]:
        """
        See L{ISigningKeys.list}.
        """
        newestFirst = sorted(self._keys.values(), key=lambda key: (-key.created, key.kid))
        return succeed(tuple(newestFirst))

    def retire(self, kid: str, when: float) -> Deferred[None]:
        """
        See L{ISigningKeys.retire}.
        """
        return self._change(kid, retired=when)

    def reseal(self, kid: str, sealed: bytes) -> Deferred[None]:
        """
        See L{ISigningKeys.reseal}.
        """
        return self._change(kid, sealed=sealed)

    def _change(self, kid: str, **changes: Any) -> Deferred[None]:
        key = self._keys.get(kid)
        if key is None:
            return fail(NotFound(f"there is no signing key {kid}"))
        self._keys[kid] = attrs.evolve(key, **changes)
        return self._revocations.touch([SIGNING_KEYS_TAG])


class MemoryStores:
    """
    All stores, sharing their revocations.
    """

    def __init__(self, now: Callable[[], float] = time.time, issuer: str = "") -> None:
        """
        @param now: the wall clock.
        @param issuer: the URL of the authorization server whose clients and grants they are.
        """
        self.revocations = MemoryRevocations(now)
        self.accounts = MemoryAccounts(self.revocations)
        self.aliases = MemoryAliases(self.accounts)
        self.appPasswords = MemoryAppPasswords(self.revocations, self.accounts)
        self.events = MemoryEvents()
        self.identities = MemoryIdentities(self.revocations, self.accounts)
        self.signingKeys = MemorySigningKeys(self.revocations)
        self.grants = MemoryGrants(self.revocations, self.accounts, issuer)
        self.clients = MemoryClients(self.revocations, self.grants, issuer)
        self.opaqueTokens = MemoryOpaqueTokens(self.grants)
        self.deviceCodes = MemoryDeviceCodes(self.accounts, self.grants)
        self.browserSessions = MemoryBrowserSessions(self.accounts)
        self.factors = MemoryFactors(self.accounts)
        self.spent = MemorySpent()
