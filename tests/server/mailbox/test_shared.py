"""
L{mailauth.server.mailbox.shared}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.mailbox.files import UniqueNames
from mailauth.server.mailbox.maildir import Maildir
from mailauth.server.mailbox.shared import SharedMaildir

from .parlour import NOW, makeDirectory


class Threads:
    """
    Threads that wait until they are let go.
    """

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]]] = []

    def call(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """
        Call it later.
        """
        answer: Deferred[Any] = Deferred()
        self.waiting.append((answer, call, arguments))
        return answer

    def go(self) -> None:
        """
        Do what waits, and what comes of it.
        """
        while self.waiting:
            answer, call, arguments = self.waiting.pop(0)
            execute(call, *arguments).chainDeferred(answer)


class TwoFoldersTests(SynchronousTestCase):
    """
    L{SharedFolder.runWith<mailauth.server.mailbox.shared.SharedFolder.runWith>}.
    """

    def setUp(self) -> None:
        self.threads = Threads()
        names = UniqueNames(lambda: NOW, "host.test")
        maildir = SharedMaildir(Maildir(makeDirectory(self), names), self.threads.call)
        self.one, self.other = maildir.folder("a"), maildir.folder("b")

    def test_alone(self) -> None:
        """
        While a function uses two folders, nothing else uses either of them.
        """
        using = self.one.runWith(self.other, lambda: "used")
        later = [self.one.run(lambda: "one"), self.other.run(lambda: "other")]
        self.assertEqual(1, len(self.threads.waiting))

        self.threads.go()

        self.assertEqual("used", self.successResultOf(using))
        self.assertEqual(["one", "other"], [self.successResultOf(answer) for answer in later])

    def test_crosswise(self) -> None:
        """
        Two that use the same folders the other way round do not wait for each other for ever.
        """
        for folder in (self.one, self.other):
            folder.run(lambda: "busy")
        there = self.one.runWith(self.other, lambda: "there")
        back = self.other.runWith(self.one, lambda: "back")

        self.threads.go()

        self.assertEqual("there", self.successResultOf(there))
        self.assertEqual("back", self.successResultOf(back))

    def test_same(self) -> None:
        """
        The other folder may be the same.
        """
        using = self.one.runWith(self.one, lambda: "used")

        self.threads.go()

        self.assertEqual("used", self.successResultOf(using))
