"""
L{mailauth.server.mailbox.selected}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.mail.imap4 import MessageSet
from twisted.trial.unittest import SynchronousTestCase

from mailauth.server.mailbox.files import UniqueNames
from mailauth.server.mailbox.folder import Entry, Folder
from mailauth.server.mailbox.maildir import Maildir
from mailauth.server.mailbox.selected import Mailbox
from mailauth.server.mailbox.shared import SharedFolder, SharedMaildir

from .parlour import NOW, makeDirectory


class Flickering(Folder):
    """
    A folder whose messages a thread replaces between any two looks at them: now they are there,
    now they are gone.

    @ivar flickers: a thread is at work.
    @ivar looks: how often one looked.
    """

    flickers = False
    looks = 0
    _messages: dict[int, Entry]

    @property
    def messages(self) -> dict[int, Entry]:
        """
        What is seen at this look.
        """
        self.looks += 1
        return {} if self.flickers and self.looks % 2 else self._messages

    @messages.setter
    def messages(self, messages: dict[int, Entry]) -> None:
        self._messages = messages


class ThreadTests(SynchronousTestCase):
    """
    L{Mailbox}, while a thread works on the folder.
    """

    def setUp(self) -> None:
        names = UniqueNames(lambda: NOW, "host.test")
        path = makeDirectory(self)
        self.folder = Flickering(path / "box", names, lambda: 1)
        self.folder.create()
        for _ in range(3):
            self.folder.append(b"a: b\r\n\r\n", (), None)

        def inThread(call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
            self.folder.flickers = False
            try:
                return execute(call, *arguments)
            finally:
                self.folder.flickers = True

        maildir = SharedMaildir(Maildir(path, names), inThread)
        self.mailbox = Mailbox(SharedFolder(maildir, self.folder, inThread), True)

    def test_replaced(self) -> None:
        """
        Whatever is asked sees the messages of one moment: all of them or none.
        """
        everything = MessageSet(1, None)
        questions: tuple[Callable[[], Any], ...] = (
            lambda: len(self.mailbox.fetch(everything, True)),
            lambda: len(self.successResultOf(self.mailbox.store(everything, ["\\Seen"], 1, True))),
            lambda: len(self.mailbox.changed()),
            lambda: len(self.mailbox.expunged()),
            lambda: 3 * self.mailbox.arrived(),
        )
        for looks in (1, 0, 1):
            for question in questions:
                self.folder.flickers = False
                self.folder.changeFlags((1, 2, 3), lambda flags: flags ^ {"\\Flagged"})
                self.folder.flickers, self.folder.looks = True, looks
                self.assertIn(question(), (0, 3))
