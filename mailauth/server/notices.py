"""
Messages to the owner of an account about what happened to it. Owns their words, and that none of
them, lost or not, has any say in what happened.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime

import attrs
from twisted.logger import Logger

from ..stores.events import ACCOUNT_SITE, Actor, Kind, printable
from .actions.recording import Recorder

_log = Logger()

_TEXT = """\
{sentence}

Account:  {account}
Time:     {time}
By:       {by}

If this was you, there is nothing to do. If it was not, see what has access to
your mail, end what you do not know, and change your password:

{page}
"""


@attrs.frozen(eq=False)
class Notices:
    """
    Delivers them into the account's own mailbox.

    @ivar deliver: takes the name of an account and a message, and answers when it is on disk.
    @ivar hostname: of this server.
    @ivar accountPage: where people manage what they sign in with.
    @ivar recorder: keeps what could not be delivered.
    """

    deliver: Callable[[str, bytes], Awaitable[None]]
    hostname: str
    accountPage: str
    recorder: Recorder

    async def send(self, account: str, actor: Actor, subject: str, sentence: str) -> None:
        """
        Tell somebody what was done to his account.

        @param account: its name.
        @param sentence: what was done, naming no secret.
        """
        try:
            await self.deliver(account, self._message(account, actor, subject, sentence))
        except Exception as error:
            _log.failure("a notice could not be delivered to {account}", account=account)
            await self.recorder.record(Kind.NOTICE_FAILED, actor, account, f"{subject}: {error}")

    def _message(self, account: str, actor: Actor, subject: str, sentence: str) -> bytes:
        when = datetime.fromtimestamp(self.recorder.now(), UTC)
        localPart, _, domain = account.partition("@")
        message = EmailMessage()
        message["From"] = Address(self.hostname, "postmaster", self.hostname)
        message["To"] = Address("", localPart, domain or self.hostname)
        message["Date"] = format_datetime(when)
        message["Message-ID"] = f"<{secrets.token_hex(16)}@{self.hostname}>"
        message["Subject"] = subject
        # Nobody's vacation message answers it (RFC 3834 section 5).
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            _TEXT.format(
                sentence=printable(sentence),
                account=account,
                time=f"{when:%Y-%m-%d %H:%M} UTC",
                by=_describe(actor),
                page=self.accountPage,
            )
        )
        return message.as_bytes(policy=SMTPUTF8)


def _describe(actor: Actor) -> str:
    if actor.via != ACCOUNT_SITE:
        return "an administrator of this server"
    return f"you, or whoever was signed in as you, from {actor.address or 'an unknown address'}"
