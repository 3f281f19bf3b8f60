"""
Messages that the command delivers. Owns that they belong to whom the mail does, whoever runs it.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread

from ..mailbox.mailboxes import Mailboxes
from ..mailbox.shared import InThread


def delivering(directory: Path) -> Callable[[str, bytes], Awaitable[None]]:
    """
    What delivers a message into the mailbox of an account.

    @param directory: the data directory.
    """
    inThread = _ownersThread(directory)
    mailboxes = Mailboxes(directory / "mail", inThread)

    async def deliver(account: str, message: bytes) -> None:
        # No service may have run yet.
        await inThread(mailboxes.create)
        await mailboxes.deliver(account, message)

    return deliver


def _ownersThread(directory: Path) -> InThread:
    """
    Calls functions in a thread, one after the other, with the rights of whoever owns a directory:
    mail that root wrote its owner could not read.
    """
    owner = directory.stat()

    def call(work: Callable[..., Any], *arguments: Any) -> Any:
        if os.geteuid() != 0:
            return work(*arguments)
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
        try:
            return work(*arguments)
        finally:
            os.seteuid(0)
            os.setegid(0)

    return lambda work, *arguments: deferToThread(call, work, *arguments)
