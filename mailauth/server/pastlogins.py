"""
The logins that were written down, the last one first. Owns how a file is read from its end that may
be any size: a block at a time, and never more of it than somebody asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import attrs
from twisted.internet.defer import Deferred

BLOCK = 65536
"""
How many octets are read at once. A line that is longer is none of ours.
"""

MOST = 64 * 2**20
"""
How many octets are looked at for one answer.
"""


@attrs.frozen
class PastLogin:
    """
    A login, or the attempt at one.

    @ivar time: when it was decided, in seconds since the epoch.
    @ivar fields: what L{LoginLog<mailauth.server.audit.LoginLog>} wrote of it.
    @ivar offset: where in the file it stands.
    """

    time: float
    fields: Mapping[str, Any]
    offset: int


@attrs.frozen
class LoginSearch:
    """
    Which logins somebody looks for. What is C{None} does not matter.

    @ivar account: who was let in, or whose name was typed.
    @ivar outcome: C{"accepted"}, C{"refused"} or C{"undecided"}.
    @ivar since: from then on, in seconds since the epoch.
    @ivar until: before that.
    @ivar word: what stands anywhere in the line, whether in capitals or not.
    """

    account: str | None = None
    outcome: str | None = None
    since: float | None = None
    until: float | None = None
    word: str | None = None

    def finds(self, login: PastLogin) -> bool:
        """
        Whether it is one of them.
        """
        fields = login.fields
        return (
            self.account in (None, fields.get("account"), str(fields.get("name")).lower())
            and self.outcome in (None, fields.get("login"))
            and (self.until is None or login.time < self.until)
            and (
                self.word is None
                or any(self.word.lower() in str(value).lower() for value in fields.values())
            )
        )


class PastLogins:
    """
    Reads the file that L{LoginLog<mailauth.server.audit.LoginLog>} writes.
    """

    def __init__(self, path: Path, inThread: Callable[..., Deferred[Any]]) -> None:
        """
        @param inThread: calls a function in a thread.
        """
        self._path = path
        self._inThread = inThread

    def find(
        self, search: LoginSearch, limit: int, before: int | None = None
    ) -> Deferred[tuple[PastLogin, ...]]:
        """
        Some logins, the last one first. What was rotated away is not there.

        @param limit: how many at most.
        @param before: the last C{offset} of the page before; C{None} for the first.
        """
        return self._inThread(self._find, search, limit, before)

    def _find(self, search: LoginSearch, limit: int, before: int | None) -> tuple[PastLogin, ...]:
        found: list[PastLogin] = []
        try:
            with self._path.open("rb") as file:
                for login in _logins(file, before):
                    if search.since is not None and login.time < search.since:
                        break
                    if search.finds(login):
                        found.append(login)
                    if len(found) >= limit:
                        break
        except FileNotFoundError:
            pass
        return tuple(found)


def _logins(file: BinaryIO, before: int | None) -> Iterator[PastLogin]:
    for offset, line in _backwards(file, before):
        try:
            fields = json.loads(line)
            time = datetime.fromisoformat(fields["time"]).timestamp()
        except (ValueError, KeyError, TypeError):
            # The lines that say how many are missing have a time and no verdict; others are not
            # ours, or were half written when the disk was full.
            continue
        if "login" in fields:
            yield PastLogin(time, fields, offset)


def _backwards(file: BinaryIO, before: int | None) -> Iterator[tuple[int, bytes]]:
    """
    The lines of a file, the last first, each with where it begins.

    @param before: only those that begin before this.
    """
    size = file.seek(0, 2)
    end = size if before is None else min(before, size)
    stop = max(0, end - MOST)
    rest = b""
    while end > stop:
        start = max(stop, end - BLOCK)
        file.seek(start)
        first, *lines = (file.read(end - start) + rest).split(b"\n")
        at = start + len(first) + 1
        for line, offset in reversed(list(zip(lines, _offsets(at, lines), strict=True))):
            if line:
                yield offset, line
        # It goes on in the block before.
        rest = first if len(first) <= BLOCK else b""
        end = start
    if rest and stop == 0:
        yield 0, rest


def _offsets(at: int, lines: list[bytes]) -> Iterator[int]:
    for line in lines:
        yield at
        at += len(line) + 1
