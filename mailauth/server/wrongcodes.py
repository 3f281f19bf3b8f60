"""
One-time codes that were wrong. Owns how long an account has to wait after them.

Only who knows the password comes so far as to be asked for one, so no stranger can keep the owner
waiting here.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..errors import TooManyFailures

FREE_FAILURES = 5
"""
How many wrong codes in a row cost no time.
"""

FIRST_WAIT, LONGEST_WAIT = 30.0, 3600.0
"""
For how many seconds nothing is looked at after that. Each wrong code doubles it: of a million codes
three are right at any time, and nobody finds one within a year.
"""


@attrs.define
class _Failures:
    """
    The wrong codes of one account since its last right one.
    """

    count: int
    waitsUntil: float


class WrongCodes:
    """
    Which accounts have to wait. There are no more of them than accounts whose password somebody
    knew.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._failures: dict[str, _Failures] = {}

    def check(self, account: str) -> None:
        """
        Return if a code may be looked at.

        @raise TooManyFailures: not yet.
        """
        failures = self._failures.get(account)
        if failures is not None and self._seconds() < failures.waitsUntil:
            raise TooManyFailures("too many wrong codes")

    def failed(self, account: str) -> None:
        """
        A code was wrong.
        """
        failures = self._failures.setdefault(account, _Failures(0, 0.0))
        failures.count += 1
        if failures.count >= FREE_FAILURES:
            doublings = min(failures.count - FREE_FAILURES, 10)
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2**doublings)
            failures.waitsUntil = self._seconds() + wait

    def succeeded(self, account: str) -> None:
        """
        A code was right.
        """
        self._failures.pop(account, None)
