"""
An audit that a test can read.
"""

from __future__ import annotations

import attrs
from twisted.cred.credentials import ICredentials
from zope.interface import implementer

from ..interfaces import IAudit


@attrs.frozen
class Verdict:
    """
    What L{IAudit.record} was told.
    """

    credentials: ICredentials
    account: str | None
    error: BaseException | None
    seconds: float


@implementer(IAudit)
class MemoryAudit:
    """
    Remembers every verdict.

    @ivar verdicts: in the order in which they were spoken.
    """

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

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
        self.verdicts.append(Verdict(credentials, account, error, seconds))
