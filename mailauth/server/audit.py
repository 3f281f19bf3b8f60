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
from pathlib import Path
from time import time
from typing import Any

from twisted.cred.credentials import ICredentials
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from zope.interface import implementer

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
        self._verdicts: list[tuple[float, dict[str, Any]]] = []
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
        fields = _describe(credentials, account, error)
        fields["ms"] = round(seconds * 1000, 1)
        self._verdicts.append((self._now(), fields))
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
        text = "".join(_line(when, fields) for when, fields in verdicts)
        if self._lost:
            text += _line(self._now(), {"lost": self._lost})
        try:
            _append(self._path, text.encode("ascii"))
        except OSError as error:
            if not self._lost:
                _log.error("cannot write {path}: {reason}", path=self._path, reason=error.strerror)
            self._lost += len(verdicts)
        else:
            self._lost = 0


def _line(when: float, fields: dict[str, Any]) -> str:
    time = datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": time, **fields}) + "\n"


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


def _describe(credentials: Any, account: str | None, error: BaseException | None) -> dict[str, Any]:
    """
    What may be known of a login.
    """
    context = getattr(credentials, "context", None)
    fields = {
        "login": _verdict(error),
        "service": getattr(context, "service", None),
        "account": account,
        "name": _text(
            getattr(credentials, "username", None) or getattr(credentials, "authzid", None)
        ),
        "peer": getattr(context, "peer", None),
        "secure": getattr(context, "secure", None),
        "mailClient": _text(getattr(context, "mailClient", None)),
        "by": type(credentials).__name__,
    }
    if error is not None:
        fields["error"] = type(error).__name__
        fields["reason"] = _text(getattr(error, "reason", None))
    return {name: value for name, value in fields.items() if value is not None}


def _verdict(error: BaseException | None) -> str:
    if error is None:
        return "accepted"
    if isinstance(error, Outage) or not isinstance(error, LoginError):
        return "undecided"
    return "refused"


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        value = value.encode("utf-8", "backslashreplace")
    if not isinstance(value, bytes) or not value:
        return None
    return value[:MAX_VALUE].decode("utf-8", "backslashreplace")
