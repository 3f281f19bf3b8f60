"""
cred's portal, for checkers and realms that mostly answer at once.
"""

from __future__ import annotations

from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed

from .coroutines import resultNow


class PromptPortal(Portal):
    """
    A L{Portal} like any other, which chains no Deferreds where there is nothing to wait for: that
    would cost as much as to find out whether a token is good that was seen before.
    """

    def login(self, credentials: Any, mind: object, *interfaces: Any) -> Deferred[Any]:
        """
        See L{Portal.login}.
        """
        for interface, checker in self.checkers.items():
            if interface.providedBy(credentials):
                return self._ask(checker, credentials, mind, interfaces)
        return super().login(credentials, mind, *interfaces)

    def _ask(
        self,
        checker: ICredentialsChecker,
        credentials: Any,
        mind: object,
        interfaces: tuple[Any, ...],
    ) -> Deferred[Any]:
        asked: Deferred[Any] = maybeDeferred(checker.requestAvatarId, credentials)
        avatarId = resultNow(asked)
        if avatarId is None:
            return asked.addCallback(self.realm.requestAvatar, mind, *interfaces)
        try:
            made: Any = self.realm.requestAvatar(avatarId, mind, *interfaces)
        except Exception:
            return fail()
        if isinstance(made, tuple):
            return succeed(made)
        # Whoever gives up waiting has to see that the checker has answered, and leaves the realm
        # alone: he would drop an avatar that nobody logs out.
        return asked.addCallback(lambda _: made)
