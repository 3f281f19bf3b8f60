"""
PLAIN (RFC 4616), and LOGIN, which no standard describes and every mail client knows
(draft-murchison-sasl-login-00).
"""

from __future__ import annotations

import attrs
from zope.interface import implementer

from ..credentials import DelegatedPassword, UsernamePassword
from ..errors import InvalidResponse, Refusal
from ..interfaces import IMechanism
from ._grammar import PLAIN_MESSAGE
from .mechanism import Challenge


@implementer(IMechanism)
@attrs.frozen(eq=False)
class Plain:
    """
    RFC 4616.
    """

    name: bytes = b"PLAIN"
    revealing: bool = True

    def step(
        self, transcript: tuple[bytes, ...]
    ) -> Challenge | UsernamePassword | DelegatedPassword:
        """
        The client speaks first, once.

        @raise InvalidResponse: the message has no name, no password, or more than three parts.
        """
        if not transcript:
            return Challenge(b"")
        message = PLAIN_MESSAGE.fullmatch(transcript[0])
        if message is None:
            raise InvalidResponse("malformed PLAIN message")
        authzid, authcid, password = message.groups()
        if authzid and authzid != authcid:
            return DelegatedPassword(authcid, password, authzid)
        return UsernamePassword(authcid, password)

    def refusal(self, error: Refusal, service: str) -> None:
        """
        PLAIN says nothing after the verdict.
        """


@implementer(IMechanism)
@attrs.frozen(eq=False)
class Login:
    """
    Two prompts, whose texts clients compare. An initial response is the name.
    """

    name: bytes = b"LOGIN"
    revealing: bool = True

    def step(self, transcript: tuple[bytes, ...]) -> Challenge | UsernamePassword:
        """
        The name, then the password.

        @raise InvalidResponse: one of them is empty or holds a NUL.
        """
        if any(not response or b"\x00" in response for response in transcript):
            raise InvalidResponse("an empty response, or a NUL in it")
        if not transcript:
            return Challenge(b"Username:")
        if len(transcript) == 1:
            return Challenge(b"Password:")
        return UsernamePassword(transcript[0], transcript[1])

    def refusal(self, error: Refusal, service: str) -> None:
        """
        LOGIN says nothing after the verdict.
        """


PLAIN = Plain()
LOGIN = Login()
