"""
The avatar of somebody who reads mail by IMAP or POP3. Owns which mailboxes there are for him.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.mail.imap4 import (
    IAccount,
    IMailboxInfo,
    INamespacePresenter,
    MailboxException,
    NoSuchMailbox,
    ReadOnlyMailbox,
)
from zope.interface import implementer

from .maildir import Maildir
from .names import DELIMITER, INBOX, Pattern, canonicalMailbox
from .selected import Mailbox
from .shared import SharedFolder, SharedMaildir


@implementer(IMailboxInfo)
@attrs.frozen
class ListedMailbox:
    """
    A line of C{LIST}.

    @ivar attributes: such as C{\\Noselect} (RFC 3501 section 7.2.2, RFC 3348).
    """

    attributes: tuple[str, ...]

    def getFlags(self) -> list[str]:
        """
        See L{IMailboxInfo}.
        """
        return list(self.attributes)

    def getHierarchicalDelimiter(self) -> str:
        """
        See L{IMailboxInfo}.
        """
        return DELIMITER


@implementer(IAccount, INamespacePresenter)
class MailAccount:
    """
    One account's mailboxes. Every method that needs the disk returns a L{Deferred}, as the
    interface allows; the parent of our server would not wait for all of them, and our server
    does.

    @ivar readOnly: whether every change is refused.
    """

    def __init__(self, maildir: SharedMaildir, readOnly: bool) -> None:
        self._maildir = maildir
        self.readOnly = readOnly

    async def open(self, name: str) -> SharedFolder:
        """
        The folder of a mailbox, with its messages read in.

        @raise NoSuchMailbox: there is none of this name.
        """
        if name == INBOX:
            await self._maildir.run(lambda maildir: None)
        shared = self._maildir.folder(name)
        await shared.run(shared.folder.scan)
        return shared

    def select(self, name: str, rw: bool = True) -> Deferred[Mailbox | None]:
        """
        See L{IAccount}.
        """

        async def select() -> Mailbox | None:
            try:
                shared = await self.open(canonicalMailbox(name))
            except NoSuchMailbox:
                return None
            return Mailbox(shared, bool(rw) and not self.readOnly)

        return Deferred.fromCoroutine(select())

    def addMailbox(self, name: str, mbox: None = None) -> Deferred[bool]:
        """
        See L{IAccount}.
        """
        return self.create(name)

    def create(self, pathspec: str) -> Deferred[bool]:
        """
        See L{IAccount}. Mailboxes above it need not be made: a name is enough for them.
        """
        # A delimiter at the end declares that others will be made below (RFC 3501 section 6.3.3).
        pathspec = pathspec.removesuffix(DELIMITER)
        return self._change(Maildir.createMailbox, pathspec)

    def delete(self, name: str) -> Deferred[bool]:
        """
        See L{IAccount}.
        """
        return self._change(Maildir.deleteMailbox, name, sparingInbox=True)

    def rename(self, oldname: str, newname: str) -> Deferred[bool]:
        """
        See L{IAccount}.
        """
        return self._change(Maildir.renameMailbox, oldname, newname, sparingInbox=True)

    def subscribe(self, name: str) -> Deferred[bool]:
        """
        See L{IAccount}.
        """
        return self._change(Maildir.subscribe, name)

    def unsubscribe(self, name: str) -> Deferred[bool]:
        """
        See L{IAccount}.
        """
        return self._change(Maildir.unsubscribe, name)

    def isSubscribed(self, name: str) -> Deferred[bool]:
        """
        See L{IAccount}.
        """
        canonical = canonicalMailbox(name)
        return self._maildir.run(lambda maildir: canonical in maildir.subscriptions())

    def listMailboxes(self, ref: str, wildcard: str) -> Deferred[list[tuple[str, ListedMailbox]]]:
        """
        See L{IAccount}. What is only the name above another mailbox cannot be selected.
        """

        def listing(maildir: Maildir) -> list[tuple[str, ListedMailbox]]:
            existing = maildir.mailboxes()
            parents = _parents(existing)
            return [
                (name, ListedMailbox(_attributes(name, existing, parents)))
                for name in _matching(ref + wildcard, parents.union(existing))
            ]

        return self._maildir.run(listing)

    def listSubscribed(self, ref: str, wildcard: str) -> Deferred[list[tuple[str, ListedMailbox]]]:
        """
        The same of what is subscribed to, whether or not it exists (RFC 3501 section 6.3.9).
        """

        def listing(maildir: Maildir) -> list[tuple[str, ListedMailbox]]:
            names = maildir.subscriptions()
            pattern = ref + wildcard
            # "%" names what is above a subscribed mailbox, too.
            above = _parents(names) - names if wildcard.endswith("%") else set()
            return [
                (name, ListedMailbox(("\\Noselect",) if name in above else ()))
                for name in _matching(pattern, names | above)
            ]

        return self._maildir.run(listing)

    def getPersonalNamespaces(self) -> list[list[bytes]]:
        """
        See L{INamespacePresenter}.
        """
        return [[b"", DELIMITER.encode("ascii")]]

    def getSharedNamespaces(self) -> None:
        """
        See L{INamespacePresenter}.
        """

    def getUserNamespaces(self) -> None:
        """
        See L{INamespacePresenter}.
        """

    def _change(
        self, change: Callable[..., None], *names: str, sparingInbox: bool = False
    ) -> Deferred[bool]:
        """
        @raise ReadOnlyMailbox: nothing may be changed.
        @raise MailboxException: the inbox cannot be meant.
        """
        if self.readOnly:
            raise ReadOnlyMailbox
        canonical = [canonicalMailbox(name) for name in names]
        if sparingInbox and INBOX in canonical:
            raise MailboxException

        def work(maildir: Maildir) -> bool:
            change(maildir, *canonical)
            return True

        changed = self._maildir.run(work)
        if sparingInbox:
            changed.addBoth(self._forget)
        return changed

    def _forget(self, result: Any) -> Any:
        self._maildir.forget()
        return result


def _parents(names: Iterable[str]) -> set[str]:
    """
    Every name above one of these.
    """
    parents = set()
    for name in names:
        while (name := name.rpartition(DELIMITER)[0]) and name not in parents:
            parents.add(name)
    return parents


def _attributes(name: str, existing: Iterable[str], parents: set[str]) -> tuple[str, ...]:
    children = "\\HasChildren" if name in parents else "\\HasNoChildren"
    return (children,) if name in existing else ("\\Noselect", children)


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    """
    The inbox matches in any case (RFC 3501 section 5.1).
    """
    asWritten, inUpperCase = Pattern(pattern), Pattern(pattern.upper())
    return sorted(
        name
        for name in names
        if asWritten.matches(name) or (name == INBOX and inUpperCase.matches(name))
    )
