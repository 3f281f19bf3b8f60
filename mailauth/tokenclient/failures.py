"""
Why there is no token: the two families of L{mailauth.errors}, for a program that ends with one.
"""

from __future__ import annotations

from typing import ClassVar


class Failure(Exception):
    """
    The end of the program. Its text is for the person in front of it, says what to do, and holds no
    secret.

    @cvar status: what the program ends with.
    """

    status: ClassVar[int]


class Refusal(Failure):
    """
    The answer is no, and will be if it is asked again.
    """

    status = 1


class OAuthRefusal(Refusal):
    """
    The authorization server refuses.

    @ivar code: as it says, such as C{"invalid_grant"}.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Outage(Failure):
    """
    Nobody could tell. Nothing is lost, and later it may work: the status is C{EX_TEMPFAIL} of
    C{sysexits.h}.
    """

    status = 75


class NoAnswer(Outage):
    """
    The server was asked, or not: there is no telling what arrived.
    """


def printable(text: object, limit: int = 200) -> str:
    """
    What a server says, at a terminal: nobody else writes there what he likes (LG2).
    """
    return "".join(each if each.isprintable() else "?" for each in str(text)[:limit])
