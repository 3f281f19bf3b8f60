"""
One line for every login. Owns what of it is written down.

The fields are a fixed list and each is bounded, so that no secret, no line break and no megabyte
comes in by way of a name.
"""

from __future__ import annotations

import json
from typing import Any

from twisted.cred.credentials import ICredentials
from twisted.logger import Logger
from zope.interface import implementer

from ..errors import LoginError, Outage
from ..interfaces import IAudit

MAX_VALUE = 256
"""
How many octets of a name are written.
"""


@implementer(IAudit)
class LogAudit:
    """
    Writes each verdict as a line of JSON into Twisted's log.
    """

    _log = Logger(namespace="mailauth.audit")

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
        verdict = "accepted" if error is None else "refused"
        if error is not None and (isinstance(error, Outage) or not isinstance(error, LoginError)):
            verdict = "undecided"
        context = getattr(credentials, "context", None)
        fields = {
            "login": verdict,
            "service": getattr(context, "service", None),
            "account": account,
            "name": _text(
                getattr(credentials, "username", None) or getattr(credentials, "authzid", None)
            ),
            "peer": getattr(context, "peer", None),
            "secure": getattr(context, "secure", None),
            "mailClient": _text(getattr(context, "mailClient", None)),
            "by": type(credentials).__name__,
            "error": None if error is None else type(error).__name__,
            "reason": _text(getattr(error, "reason", None)),
            "ms": round(seconds * 1000, 1),
        }
        line = json.dumps({name: value for name, value in fields.items() if value is not None})
        self._log.info("{line}", line=line)


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        value = value.encode("utf-8", "backslashreplace")
    if not isinstance(value, bytes) or not value:
        return None
    return value[:MAX_VALUE].decode("utf-8", "backslashreplace")
