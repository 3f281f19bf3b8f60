"""
How the log hears of a failure that nobody expected: by its type and its place, never by its
message, which may quote what the client sent.
"""

from __future__ import annotations

import traceback

from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.reflect import qual

_log = Logger()


def logUnexpected(failure: Failure, where: str) -> None:
    """
    @param where: what was being done, such as C{"IMAP"}.
    """
    _log.error(
        "unexpected {kind} in {where}:\n{stack}",
        kind=qual(type(failure.value)),
        where=where,
        stack="".join(traceback.format_tb(failure.getTracebackObject())),
    )
