"""
Forms that make something which is shown once. Owns that each makes one thing, however often it is
sent: a page that came of a form is loaded again by sending the form.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from time import time

import attrs

from ...oauth.interfaces import ISpent
from ...oauth.requests import Form
from ..sealing import digestOf
from ..sites import SiteSession


@attrs.frozen(eq=False)
class OneTimeForms:
    """
    Numbers them.

    @ivar spent: what was used.
    @ivar now: the wall clock, in seconds since the epoch.
    """

    spent: ISpent
    now: Callable[[], float] = time

    def number(self) -> str:
        """
        That of a new form, for its field C{once}.
        """
        return secrets.token_urlsafe(12)

    async def isNew(self, form: Form, session: SiteSession) -> bool:
        """
        Whether a form was not sent before: now it was.

        @param session: for whom it was made. When it ends, nobody takes the form any more.
        @raise Outage: nobody can tell.
        """
        digest = digestOf("form", session.identifier, form.required("once"))
        return await self.spent.spend(digest, session.expires, self.now())
