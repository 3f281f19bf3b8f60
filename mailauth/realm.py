"""
What somebody gets who is in, and how it is taken away again.

L{MailRealm} makes avatars. L{RevocableRealm}, around it or around any other realm, knows which
connection was opened by what, and ends it when that is revoked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import time
from typing import Any

import attrs
from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .credentials import AvatarId, accountTag
from .interfaces import IConnection, IRevocations

Logout = Callable[[], object]

_log = Logger()


@implementer(IRealm)
class MailRealm:
    """
    A realm of several kinds of avatars.
    """

    def __init__(self, makers: Mapping[Any, Callable[[AvatarId], Any]]) -> None:
        """
        @param makers: for the interface that a wire asks for, what makes its avatar: it is given
            the L{AvatarId}, and returns the avatar and its logout, or a Deferred of both, which
            is never cancelled.
        """
        self._makers = makers

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        """
        See L{IRealm.requestAvatar}.

        @raise NotImplementedError: none of the interfaces is one of ours.
        """
        for interface in interfaces:
            make = self._makers.get(interface)
            if make is not None:
                if not isinstance(avatarId, AvatarId):
                    avatarId = AvatarId(avatarId.decode("utf-8"))
                made = make(avatarId)
                if isinstance(made, tuple):
                    return (interface, *made)
                return _awaited(made).addCallback(lambda avatar, found: (found, *avatar), interface)
        raise NotImplementedError("no avatar for these interfaces")


def _awaited(making: Deferred[tuple[Any, Logout]]) -> Deferred[tuple[Any, Logout]]:
    """
    Wait for an avatar. Whoever leaves meanwhile cancels his waiting and not the making, and the
    avatar that comes too late is logged out (W15).
    """
    waiting: Deferred[tuple[Any, Logout]] = Deferred()

    def made(avatar: tuple[Any, Logout]) -> None:
        if waiting.called:
            _, logout = avatar
            logout()
        else:
            waiting.callback(avatar)

    making.addCallbacks(made, waiting.errback)
    return waiting


@attrs.define(eq=False)
class OpenConnection:
    """
    Somebody who is in, or about to be.

    @ivar avatarId: who, and by what.
    @ivar connection: where.
    @ivar since: since when, in seconds since the epoch.
    @ivar ended: it was told to end. Until the client has heard of it the connection is there, and
        nobody is in.
    """

    avatarId: bytes
    connection: IConnection
    since: float
    ended: bool = False

    def end(self, reason: str) -> None:
        """
        End it.

        @param reason: see L{IConnection.end}.
        """
        self.ended = True
        self.connection.end(reason)

    @property
    def tags(self) -> frozenset[str]:
        """
        What has to be revoked to end it.
        """
        if isinstance(self.avatarId, AvatarId):
            return self.avatarId.tags
        return frozenset({accountTag(self.avatarId.decode("utf-8", "replace"))})


@implementer(IRealm)
class RevocableRealm:
    """
    A realm whose avatars can be taken away.

    A connection is noted before its avatar is made, so that there is no moment at which it could
    be missed: a revocation that comes while the avatar is being made ends the connection too.

    There is no index by tags. A revocation looks at every connection, which takes about a
    millisecond for ten thousand of them; with an index every login would pay for what hardly ever
    happens.
    """

    def __init__(
        self, realm: IRealm, revocations: IRevocations, now: Callable[[], float] = time
    ) -> None:
        """
        @param realm: the realm that makes the avatars.
        @param now: the wall clock, in seconds since the epoch.
        """
        self._realm = realm
        self._now = now
        self._open: dict[OpenConnection, None] = {}
        revocations.subscribe(self._revoked)

    def all(self) -> tuple[OpenConnection, ...]:
        """
        Who is in, in the order in which they came.
        """
        return tuple(opened for opened in self._open if not opened.ended)

    def connections(self, tags: Iterable[str]) -> tuple[OpenConnection, ...]:
        """
        Who is in under any of the tags.
        """
        wanted = frozenset(tags)
        return tuple(opened for opened in self._open if not wanted.isdisjoint(opened.tags))

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        """
        See L{IRealm.requestAvatar}. A mind that does not provide L{IConnection} cannot be ended.
        """
        if not IConnection.providedBy(mind):
            return self._realm.requestAvatar(avatarId, mind, *interfaces)
        opened = OpenConnection(avatarId, mind, self._now())
        self._open[opened] = None
        try:
            made = self._realm.requestAvatar(avatarId, mind, *interfaces)
        except BaseException:
            del self._open[opened]
            raise
        if isinstance(made, tuple):
            return self._made(made, opened)
        return made.addCallbacks(
            self._made, self._notMade, callbackArgs=(opened,), errbackArgs=(opened,)
        )

    def _made(
        self, made: tuple[Any, Any, Logout], opened: OpenConnection
    ) -> tuple[Any, Any, Logout]:
        interface, avatar, logout = made

        def logoutAndForget() -> None:
            self._open.pop(opened, None)
            logout()

        return interface, avatar, logoutAndForget

    def _notMade(self, failure: Failure, opened: OpenConnection) -> Failure:
        del self._open[opened]
        return failure

    def _revoked(self, tags: frozenset[str], reason: str | None) -> None:
        if reason is None:
            return
        for opened in self.connections(tags):
            try:
                opened.end(reason)
            except Exception:
                # The others have to end all the same.
                _log.failure("a connection could not be ended")
