"""
Accounts and identities remembered for the next login. Owns copies alone: they are dropped when the
store says that a record changed, and they are as fresh as the last C{catchUp} of its revocations.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from math import inf

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from ..caches.memory import MemoryCache
from ..credentials import accountTag, subjectTag
from ..interfaces import IAccounts, IIdentities, IRevocations
from .records import Account, Identity


@implementer(IAccounts)
class CachedAccounts:
    """
    Accounts, with those of the last logins in memory. That there is no such account is not
    remembered: names that nobody has must not push out the ones in use.

    Call C{catchUp} of the revocations before asking.
    """

    def __init__(self, accounts: IAccounts, revocations: IRevocations, limit: int = 10_000) -> None:
        """
        @param revocations: those that the changes of C{accounts} are published to.
        @param limit: how many accounts are remembered.
        """
        self._accounts = accounts
        self._limit = limit
        # By tag, the longest unused first.
        self._known: OrderedDict[str, Account] = OrderedDict()
        # Counts drops: an answer that was on its way meanwhile may be of before.
        self._drops = 0
        revocations.subscribe(self._drop)

    def peek(self, name: str) -> Account | None:
        """
        The account, if it is in memory; C{None} says nothing about it.
        """
        tag = accountTag(name)
        account = self._known.get(tag)
        if account is not None:
            self._known.move_to_end(tag)
        return account

    def get(self, name: str) -> Deferred[Account | None]:
        """
        See L{IAccounts.get}.
        """
        account = self.peek(name)
        if account is not None:
            return succeed(account)
        return self._accounts.get(name).addCallback(self._remember, self._drops)

    def add(self, account: Account) -> Deferred[None]:
        """
        See L{IAccounts.add}.
        """
        return self._accounts.add(account)

    def list(self) -> Deferred[tuple[Account, ...]]:
        """
        See L{IAccounts.list}.
        """
        return self._accounts.list()

    def count(self) -> Deferred[int]:
        """
        See L{IAccounts.count}.
        """
        return self._accounts.count()

    def find(self, word: str, after: str, limit: int) -> Deferred[tuple[Account, ...]]:
        """
        See L{IAccounts.find}.
        """
        return self._accounts.find(word, after, limit)

    def disable(self, name: str) -> Deferred[None]:
        """
        See L{IAccounts.disable}.
        """
        return self._accounts.disable(name)

    def enable(self, name: str) -> Deferred[None]:
        """
        See L{IAccounts.enable}.
        """
        return self._accounts.enable(name)

    def remove(self, name: str) -> Deferred[None]:
        """
        See L{IAccounts.remove}.
        """
        return self._accounts.remove(name)

    def setPassword(self, name: str, passwordHash: str | None) -> Deferred[None]:
        """
        See L{IAccounts.setPassword}.
        """
        return self._accounts.setPassword(name, passwordHash)

    def setPasswordRule(self, name: str, rule: str | None) -> Deferred[None]:
        """
        See L{IAccounts.setPasswordRule}.
        """
        return self._accounts.setPasswordRule(name, rule)

    def _remember(self, account: Account | None, drops: int) -> Account | None:
        if account is not None and drops == self._drops:
            self._known[accountTag(account.name)] = account
            if len(self._known) > self._limit:
                self._known.popitem(last=False)
        return account

    def _drop(self, tags: frozenset[str], reason: str | None) -> None:
        self._drops += 1
        for tag in tags:
            self._known.pop(tag, None)


@implementer(IIdentities)
class CachedIdentities:
    """
    Identities, with those of the last logins in memory. Who is nobody here is not remembered.

    Call C{catchUp} of the revocations before asking.
    """

    def __init__(self, identities: IIdentities, revocations: IRevocations) -> None:
        """
        @param revocations: those that the changes of C{identities} and of their accounts are
            published to.
        """
        self._identities = identities
        self._known = MemoryCache()
        revocations.subscribe(lambda tags, reason: self._known.drop(tags))

    def resolve(
        self, issuer: str, subject: str, account: str | None, now: float, create: bool
    ) -> Deferred[str | None]:
        """
        See L{IIdentities.resolve}.
        """
        tag = subjectTag(issuer, subject)
        known = self._known.get(_digestOf(tag))
        if known is not None:
            return succeed(known)
        resolving = self._identities.resolve(issuer, subject, account, now, create)
        return resolving.addCallback(self._remember, tag, self._known.generation)

    def list(self, account: str) -> Deferred[tuple[Identity, ...]]:
        """
        See L{IIdentities.list}.
        """
        return self._identities.list(account)

    def link(self, identity: Identity) -> Deferred[None]:
        """
        See L{IIdentities.link}.
        """
        return self._identities.link(identity)

    def unlink(self, issuer: str, subject: str) -> Deferred[None]:
        """
        See L{IIdentities.unlink}.
        """
        return self._identities.unlink(issuer, subject)

    def _remember(self, account: str | None, tag: str, generation: int) -> str | None:
        if account is not None and generation == self._known.generation:
            self._known.put(_digestOf(tag), account, (tag, accountTag(account)), inf)
        return account


def _digestOf(tag: str) -> bytes:
    return sha256(tag.encode("utf-8")).digest()
