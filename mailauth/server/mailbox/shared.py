"""
What all connections of an account have in common. Owns that there is one L{Folder} object for
everybody who has it open, used by one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO
from weakref import WeakValueDictionary

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from .folder import Folder
from .maildir import Maildir
from .names import INBOX

InThread = Callable[..., Deferred[Any]]
"""
Calls a function in a thread: a C{deferToThreadPool} that knows its reactor and its pool.
"""

_log = Logger()


class SharedFolder:
    """
    A folder, for all connections that have it open. What they do is done in order.

    @ivar folder: to be used in C{run} alone, but for its C{messages}.
    """

    def __init__(self, maildir: SharedMaildir, folder: Folder, inThread: InThread) -> None:
        self.folder = folder
        # While this is in use its owner must be, or another would be made of both.
        self._maildir = maildir
        self._inThread = inThread
        self._lock = DeferredLock()
        self._watchers: set[Callable[[], None]] = set()
        self._told = folder.messages

    def run(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """
        Call a function that uses the folder, in a thread, when all earlier ones are done. If the
        L{Deferred} is cancelled the answer is lost, but not the work.
        """
        return self._inTurn(self._inThread, call, *arguments)

    def runWith(
        self, other: SharedFolder, call: Callable[..., Any], *arguments: Any
    ) -> Deferred[Any]:
        """
        The same for a function that uses another folder, too.
        """
        if other is self:
            return self.run(call, *arguments)
        # In one order everywhere, or two could wait for each other for ever.
        first, second = sorted((self, other), key=lambda shared: shared.folder.path)
        return first._inTurn(second._inTurn, self._inThread, call, *arguments)

    def watch(self, watcher: Callable[[], None]) -> None:
        """
        Call this whenever the messages are others than before.
        """
        self._watchers.add(watcher)

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """
        Call this no longer.
        """
        self._watchers.discard(watcher)

    @property
    def isWatched(self) -> bool:
        """
        Whether anybody wants to know.
        """
        return bool(self._watchers)

    def _inTurn(self, call: Callable[..., Deferred[Any]], *arguments: Any) -> Deferred[Any]:
        answer: Deferred[Any] = Deferred()
        work = self._lock.run(call, *arguments)
        work.addBoth(self._tell)
        work.chainDeferred(answer)
        return answer

    def _tell(self, result: Any) -> Any:
        if self.folder.messages is not self._told:
            self._told = self.folder.messages
            for watcher in tuple(self._watchers):
                watcher()
        return result


class SharedMaildir:
    """
    The folders of one account, for everybody who uses it.
    """

    def __init__(self, maildir: Maildir, inThread: InThread) -> None:
        self._maildir = maildir
        self._inThread = inThread
        self._lock = DeferredLock()
        self._folders: WeakValueDictionary[str, SharedFolder] = WeakValueDictionary()

    def run(self, call: Callable[[Maildir], Any]) -> Deferred[Any]:
        """
        Ask or change which folders there are.
        """

        def work() -> Any:
            self._maildir.create()
            return call(self._maildir)

        answer: Deferred[Any] = Deferred()
        self._lock.run(self._inThread, work).chainDeferred(answer)
        return answer

    def folder(self, name: str) -> SharedFolder:
        """
        A folder, which need not exist.

        @param name: of the mailbox, in canonical form.
        """
        shared = self._folders.get(name)
        if shared is None:
            shared = SharedFolder(self, self._maildir.folder(name), self._inThread)
            self._folders[name] = shared
        return shared

    def forget(self) -> None:
        """
        Folders were deleted or renamed: whoever has one of them open keeps what is gone, and a
        new one of the name is another.
        """
        for name in list(self._folders):
            if name != INBOX:
                self._folders.pop(name, None)

    async def deliver(self, content: bytes | BinaryIO) -> None:
        """
        Store a new message in the inbox, and tell those who have it open.
        """
        await self.run(lambda maildir: None)
        inbox = self.folder(INBOX)
        # No turn to wait for: a delivery touches nothing but its own file.
        await self._inThread(inbox.folder.deliver, content)
        if inbox.isWatched:
            inbox.run(inbox.folder.scan).addErrback(
                lambda failure: _log.failure("a delivered message was not announced", failure)
            )
