"""
Submission (RFC 6409): who may send as whom, and to whom. Owns a message from the first line of
DATA until every recipient has it on disk.

What a message may not hold (bare CR or LF, NUL, too many octets) has been refused by
L{mailauth.mail.incoming} before it comes here.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from email.utils import formatdate
from tempfile import SpooledTemporaryFile
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ISSLTransport
from twisted.logger import Logger
from twisted.mail.interfaces import IMessageDelivery, IMessageSMTP
from twisted.mail.smtp import Address, SMTPBadRcpt, SMTPBadSender, SMTPServerError, User
from zope.interface import implementer

from ..errors import InvalidCredentials, Outage
from ..interfaces import IAccounts, IAliases
from ..usernames import canonicalName
from .mailbox.mailboxes import Mailboxes

_SPOOL_IN_MEMORY = 256 * 1024
_NOT_A_HOST = re.compile(rb"[^A-Za-z0-9.:\[\]_-]")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

_log = Logger()


@attrs.frozen
class SubmissionService:
    """
    What all submissions need.

    @ivar accounts: who is here.
    @ivar aliases: by what other addresses.
    @ivar mailboxes: where their mail is.
    @ivar host: what this server calls itself in trace headers.
    @ivar wallClock: seconds since the epoch.
    """

    accounts: IAccounts
    aliases: IAliases
    mailboxes: Mailboxes
    host: str
    wallClock: Callable[[], float]

    async def ownerOf(self, address: Address) -> str | None:
        """
        Whose an address is, if it is somebody's here.

        @raise Outage: nobody can tell.
        """
        name = _canonical(address)
        if name is None or await self.accounts.get(name) is not None:
            return name
        alias = await self.aliases.get(name)
        return None if alias is None else alias.account


@implementer(IMessageDelivery)
class Submission:
    """
    The avatar of somebody who sends mail, on one connection.
    """

    _message: LocalMessage

    def __init__(self, service: SubmissionService, account: str, readOnly: bool = False) -> None:
        """
        @param account: its name in canonical form.
        @param readOnly: the credential may not send.
        """
        self._service = service
        self._account = account
        self._readOnly = readOnly

    def validateFrom(self, helo: tuple[bytes, bytes], origin: Address) -> Deferred[Address]:
        """
        See L{IMessageDelivery}. Everybody sends as himself, by any of his addresses.
        """
        return Deferred.fromCoroutine(self._validateFrom(origin))

    async def _validateFrom(self, origin: Address) -> Address:
        if self._readOnly:
            raise SMTPBadSender(origin, 550, "5.7.1 This password may read mail and not send it")
        if _canonical(origin) != self._account and not await self._isAlias(origin):
            raise SMTPBadSender(origin, 550, "5.7.1 This is not an address of yours")
        self._message = LocalMessage(self._service.mailboxes)
        return origin

    async def _isAlias(self, address: Address) -> bool:
        try:
            return await self._service.ownerOf(address) == self._account
        except Outage:
            raise SMTPServerError(451, "4.3.0 Cannot check this sender now. Try again later.")

    def validateTo(self, user: User) -> Deferred[Callable[[], LocalMessage]]:
        """
        See L{IMessageDelivery}. All recipients of a message have one C{IMessage}.
        """
        return Deferred.fromCoroutine(self._validateTo(user))

    async def _validateTo(self, user: User) -> Callable[[], LocalMessage]:
        message = self._message
        try:
            name = await self._service.ownerOf(user.dest)
        except Outage:
            raise SMTPServerError(451, "4.3.0 Cannot check this recipient now. Try again later.")
        if name is None:
            raise SMTPBadRcpt(
                user.dest,
                550,
                "5.1.1 There is no such account, and this server relays nothing elsewhere",
            )
        return lambda: message.addressedTo(name, self._traceFor(user))

    def receivedHeader(
        self, helo: tuple[bytes | None, bytes], origin: Address, recipients: list[User]
    ) -> bytes:
        """
        See L{IMessageDelivery}. There is none that all copies have.
        """
        return b""

    def _traceFor(self, recipient: User) -> bytes:
        """
        What stands before one recipient's copy. The protocol is named after RFC 3848, and the
        return path stands where the final delivery puts it (RFC 5321 section 4.4).
        """
        secure = ISSLTransport.providedBy(recipient.protocol.transport)
        name, peer = (_NOT_A_HOST.sub(b"?", word or b"unknown") for word in recipient.helo)
        return b"\r\n".join(
            (
                b"Return-Path: <%b>" % bytes(recipient.orig),
                b"Received: from %b ([%b])" % (name, _literal(peer)),
                b"\t(authenticated as %b)" % self._account.encode("utf-8"),
                b"\tby %b with %b" % (self._service.host.encode("ascii"), _protocol(secure)),
                b"\tfor <%b>;" % bytes(recipient.dest),
                b"\t%b\r\n" % formatdate(self._service.wallClock()).encode("ascii"),
            )
        )


def _canonical(address: Address) -> str | None:
    """
    The canonical form of an address, if it can be anybody's here.
    """
    try:
        return canonicalName(bytes(address))
    except InvalidCredentials:
        return None


def _literal(peer: bytes) -> bytes:
    """
    An address-literal without its brackets (RFC 5321 section 4.1.3).
    """
    return b"IPv6:" + peer if b":" in peer else peer


def _protocol(secure: bool) -> bytes:
    return b"ESMTPSA" if secure else b"ESMTPA"


@implementer(IMessageSMTP)
class LocalMessage:
    """
    One message, for all its recipients.
    """

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes
        self._traces: dict[str, bytes] = {}
        # It outlives this method.
        self._spool: Any = SpooledTemporaryFile(_SPOOL_IN_MEMORY)  # noqa: SIM115

    def addressedTo(self, name: str, trace: bytes) -> LocalMessage:
        """
        Somebody is to have a copy. Twice is the same as once.

        @param name: of the account, in canonical form.
        @param trace: the header lines that go before this copy.
        """
        self._traces.setdefault(name, trace)
        return self

    def lineReceived(self, line: bytes) -> None:
        """
        See L{IMessageSMTP}.
        """
        self._spool.write(line + b"\r\n")

    def eomReceived(self) -> Deferred[None]:
        """
        See L{IMessageSMTP}. It fires when all copies would survive a loss of power.
        """
        return Deferred.fromCoroutine(self._deliver())

    async def _deliver(self) -> None:
        """
        One copy after another: SMTP has one answer for them all, and a client that hears of a
        failure sends the message to everybody again. Whoever comes behind the failure has no
        copy yet; those before it get a second one.
        """
        try:
            for name, trace in self._traces.items():
                copy: Any = _Copy(trace, self._spool)
                await self._mailboxes.deliver(name, copy)
        except OSError as error:
            _log.error("a message cannot be stored: {error}", error=error)
            if error.errno in _FULL:
                raise SMTPServerError(452, "4.3.1 The mail store is full. Try again later.")
            raise SMTPServerError(451, "4.3.0 The mail store cannot be used now. Try again later.")
        finally:
            self._spool.close()

    def connectionLost(self) -> None:
        """
        See L{IMessageSMTP}.
        """
        self._spool.close()


class _Copy:
    """
    One recipient's copy, as much of a file as the mail store needs.
    """

    def __init__(self, trace: bytes, spool: Any) -> None:
        self._trace = self._ahead = trace
        self._spool = spool

    def seek(self, offset: int) -> None:
        """
        Begin again.
        """
        self._ahead = self._trace
        self._spool.seek(offset)

    def read(self, size: int) -> bytes:
        """
        The trace, and then what everybody has.
        """
        ahead, self._ahead = self._ahead, b""
        return ahead or bytes(self._spool.read(size))
