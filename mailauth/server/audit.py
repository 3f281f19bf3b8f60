"""
One line for every login, in a file of its own. Owns what of a login is written down.

The fields are a fixed list and each is bounded, so that no secret, no line break and no megabyte
comes in by way of a name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quote
from pathlib import Path
from time import time
from typing import NamedTuple

from twisted.cred.credentials import ICredentials
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from zope.interface import implementer

from ..credentials import LoginContext
from ..errors import LoginError, Outage
from ..interfaces import IAudit

MAX_VALUE = 256
"""
How many octets of a name are written.
"""

MAX_LINES = 10_000
"""
How many lines wait to be written; one more is lost, and counted.
"""

DELAY = 0.1
"""
How many seconds a line may wait for others to be written with it.
"""

_log = Logger()


@implementer(IAudit)
class LoginLog:
    """
    Appends each verdict to a file, as a line of JSON.

    The file is opened anew each time, so that whoever rotates logs only has to rename it. A disk
    that is full stops no login: what could not be written is counted, and the count is written
    once there is room.
    """

    def __init__(
        self,
        path: Path,
        callLater: Callable[[float, Callable[[], None]], IDelayedCall],
        now: Callable[[], float] = time,
    ) -> None:
        """
        @param path: of the file; it is made if it is not there, for its owner alone.
        @param callLater: of C{IReactorTime}.
        @param now: the wall clock, in seconds since the epoch.
        """
        self._path = path
        self._callLater = callLater
        self._now = now
        self._verdicts: list[_Verdict] = []
        self._lost = 0
        self._flushing: IDelayedCall | None = None

    def record(
        self,
        credentials: ICredentials,
        account: str | None,
        error: BaseException | None,
        seconds: float,
    ) -> None:
        """
        See L{IAudit.record}.
        """
        if len(self._verdicts) >= MAX_LINES:
            self._lost += 1
            return
        name = getattr(credentials, "username", None) or getattr(credentials, "authzid", None)
        context = getattr(credentials, "context", None)
        failure = None
        if error is not None:
            reason = getattr(error, "reason", None)
            failure = _outcome(error), type(error).__name__, reason and str(reason)
        self._verdicts.append(
            _Verdict(
                self._now(),
                type(credentials).__name__,
                name if isinstance(name, (bytes, str)) else None,
                context if isinstance(context, LoginContext) else None,
                account,
                failure,
                seconds,
            )
        )
        if self._flushing is None:
            self._flushing = self._callLater(DELAY, self._flush)

    def close(self) -> None:
        """
        Write what waits.
        """
        if self._flushing is not None:
            self._flushing.cancel()
            self._flush()

    def _flush(self) -> None:
        self._flushing = None
        verdicts, self._verdicts = self._verdicts, []
        text = "".join([verdict.line() for verdict in verdicts])
        if self._lost:
            text += json.dumps({"time": _isoTime(self._now()), "lost": self._lost}) + "\n"
        try:
            _append(self._path, text.encode("ascii"))
        except OSError as error:
            if not self._lost:
                _log.error("cannot write {path}: {reason}", path=self._path, reason=error.strerror)
            self._lost += len(verdicts)
        else:
            self._lost = 0


class _Verdict(NamedTuple):
    """
    What is kept of a login until it is written: nothing secret, and no more work than that.
    """

    when: float
    kind: str
    name: bytes | str | None
    context: LoginContext | None
    account: str | None
    failure: tuple[str, str, str | None] | None
    seconds: float

    def line(self) -> str:
        """
        The line of JSON.
        """
        outcome, error, reason = self.failure or ("accepted", None, None)
        context = self.context
        line = f'{{"time": "{_isoTime(self.when)}", "login": "{outcome}"'
        if context is not None:
            line += f', "service": {_quote(context.service)}'
        if self.account is not None:
            line += f', "account": {_quote(self.account)}'
        if self.name:
            line += f', "name": {_text(self.name)}'
        if context is not None and context.peer is not None:
            line += f', "peer": {_quote(context.peer)}'
        if context is not None and context.mailClient:
            line += f', "mailClient": {_text(context.mailClient)}'
        line += f', "by": {_quote(self.kind)}'
        if error is not None:
            line += f', "error": {_quote(error)}'
        if reason:
            line += f', "reason": {_text(reason)}'
        if context is not None:
            line += ', "secure": true' if context.secure else ', "secure": false'
        return f'{line}, "ms": {self.seconds * 1000:.1f}}}\n'


def _isoTime(when: float) -> str:
    second, millisecond = divmod(int(when * 1000), 1000)
    return f"{_isoSecond(second)}.{millisecond:03}+00:00"


@lru_cache(maxsize=2)  # the lines that are written together were of this second or the last
def _isoSecond(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _append(path: Path, octets: bytes) -> None:
    """
    Append all of it or nothing.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            while octets:
                octets = octets[os.write(descriptor, octets) :]
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _outcome(error: BaseException) -> str:
    if isinstance(error, Outage) or not isinstance(error, LoginError):
        return "undecided"
    return "refused"


def _text(value: str | bytes) -> str:
    """
    As much as is written of what a client called itself, as JSON has it.
    """
    if isinstance(value, str):
        value = value.encode("utf-8", "backslashreplace")
    return _quote(value[:MAX_VALUE].decode("utf-8", "backslashreplace"))
