"""
Tests for L{mailauth.portal}.
"""

from __future__ import annotations

from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import Anonymous, IAnonymous, IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin, UnhandledCredentials
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface, implementer

from mailauth.portal import PromptPortal


class IReading(Interface):
    """
    What is asked for.
    """


@implementer(ICredentialsChecker, IRealm)
class Decider:
    """
    A checker and a realm that answer what they are told to.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, verdict: Any, avatar: Any) -> None:
        self.verdict = verdict
        self.avatar = avatar
        self.asked: list[tuple[Any, ...]] = []

    def requestAvatarId(self, credentials: Any) -> Any:
        """
        See L{ICredentialsChecker.requestAvatarId}.
        """
        return self._answer(self.verdict)

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: Any) -> Any:
        """
        See L{IRealm.requestAvatar}.
        """
        self.asked.append((avatarId, mind, *interfaces))
        return self._answer(self.avatar)

    def _answer(self, answer: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer


AVATAR = (IReading, "the avatar", int)


class PromptPortalTests(SynchronousTestCase):
    """
    L{PromptPortal} answers as L{Portal} does, whoever takes his time.
    """

    def login(self, verdict: Any, avatar: Any, kind: type[Portal] = PromptPortal) -> Deferred[Any]:
        """
        Log in before a checker and a realm that say this.
        """
        self.decider = Decider(verdict, avatar)
        portal = kind(self.decider, [self.decider])
        return portal.login(UsernamePassword(b"alice", b"secret"), "the mind", IReading)

    def test_accepts(self) -> None:
        """
        Whether or not checker and realm make Deferreds of their answers, they are asked in turn.
        """
        for verdict in (lambda: b"alice", lambda: succeed(b"alice")):
            for avatar in (lambda: AVATAR, lambda: succeed(AVATAR)):
                pending = self.login(verdict(), avatar())

                self.assertEqual(AVATAR, self.successResultOf(pending))
                self.assertEqual([(b"alice", "the mind", IReading)], self.decider.asked)

    def test_refuses(self) -> None:
        """
        Whom the checker refuses, the realm does not hear of.
        """
        for verdict in (UnauthorizedLogin(), fail(UnauthorizedLogin())):
            self.failureResultOf(self.login(verdict, AVATAR), UnauthorizedLogin)

            self.assertEqual([], self.decider.asked)

    def test_realmFails(self) -> None:
        """
        A realm that has no avatar fails the login.
        """
        for avatar in (NotImplementedError(), fail(NotImplementedError())):
            self.failureResultOf(self.login(succeed(b"alice"), avatar), NotImplementedError)

    def test_waits(self) -> None:
        """
        What takes time is waited for.
        """
        verdict: Deferred[bytes] = Deferred()
        avatar: Deferred[Any] = Deferred()
        pending = self.login(verdict, avatar)
        self.assertEqual([], self.decider.asked)

        verdict.callback(b"alice")
        self.assertEqual([(b"alice", "the mind", IReading)], self.decider.asked)
        self.assertNoResult(pending)
        avatar.callback(AVATAR)

        self.assertEqual(AVATAR, self.successResultOf(pending))

    def test_givenUp(self) -> None:
        """
        Whoever gives up while the checker looks stops it. While the realm is at work he can see
        that the checker has answered.
        """
        for kind in (Portal, PromptPortal):
            verdict: Deferred[bytes] = Deferred()
            pending = self.login(verdict, AVATAR, kind)
            self.assertFalse(pending.called)
            pending.cancel()
            self.failureResultOf(pending, CancelledError)
            self.assertEqual([], self.decider.asked)

            self.assertTrue(self.login(succeed(b"alice"), Deferred(), kind).called)

    def test_nobodyTakesThem(self) -> None:
        """
        Credentials that no checker takes are a mistake of whoever made the portal.
        """
        portal = PromptPortal(Decider(b"alice", AVATAR), [Decider(b"alice", AVATAR)])

        self.assertNotIn(IAnonymous, portal.checkers)
        self.failureResultOf(portal.login(Anonymous(), None, IReading), UnhandledCredentials)
