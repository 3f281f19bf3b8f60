"""
Identities that live and die with the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..credentials import subjectTag
from ..interfaces import IIdentities, IRevocations
from .records import Account, Identity, NotFound
from .revocations import UNLINKED

if TYPE_CHECKING:
    from .memory import MemoryAccounts


@implementer(IIdentities)
class MemoryIdentities:
    """
    Identities of this process alone.
    """

    def __init__(self, revocations: IRevocations, accounts: MemoryAccounts) -> None:
        """
        @param accounts: those that may be linked.
        """
        self._revocations = revocations
        self._accounts = accounts
        self._identities: dict[tuple[str, str], Identity] = {}
        accounts.removed.append(self._forgetAccount)

    def resolve(
        self, issuer: str, subject: str, account: str | None, now: float, create: bool
    ) -> Deferred[str | None]:
        """
        See L{IIdentities.resolve}.
        """
        linked = self._identities.get((issuer, subject))
        if linked is not None:
            return succeed(linked.account)
        if account is None or self._of(issuer, account):
            return succeed(None)
        if account not in self._accounts:
            # Whose name is another's alias is nobody here.
            if not create or account in self._accounts.aliases:
                return succeed(None)
            self._accounts.add(Account(account, created=now))
        self._identities[issuer, subject] = Identity(issuer, subject, account, now)
        return succeed(account)

    def list(self, account: str) -> Deferred[tuple[Identity, ...]]:
        """
        See L{IIdentities.list}.
        """
        return succeed(tuple(sorted(self._of(None, account), key=lambda one: one.issuer)))

    def link(self, identity: Identity) -> Deferred[None]:
        """
        See L{IIdentities.link}.
        """
        issuer, subject, account = identity.issuer, identity.subject, identity.account
        if account not in self._accounts:
            return fail(NotFound(f"There is no account {account}."))
        before = [*self._of(issuer, account)]
        if (issuer, subject) in self._identities:
            before.append(self._identities[issuer, subject])
        ended = [one for one in before if (one.subject, one.account) != (subject, account)]
        for one in before:
            self._identities.pop((one.issuer, one.subject), None)
        self._identities[issuer, subject] = identity
        tags = sorted({subjectTag(one.issuer, one.subject) for one in ended})
        return self._revocations.revoke(tags, UNLINKED)

    def unlink(self, issuer: str, subject: str) -> Deferred[None]:
        """
        See L{IIdentities.unlink}.
        """
        if self._identities.pop((issuer, subject), None) is None:
            return fail(NotFound(f"{subject} of {issuer} is linked with no account."))
        return self._revocations.revoke([subjectTag(issuer, subject)], UNLINKED)

    def _of(self, issuer: str | None, account: str) -> tuple[Identity, ...]:
        """
        @param issuer: C{None} for all of them.
        """
        return tuple(
            one
            for one in self._identities.values()
            if one.account == account and issuer in (None, one.issuer)
        )

    def _forgetAccount(self, account: str) -> None:
        for one in self._of(None, account):
            del self._identities[one.issuer, one.subject]
