"""
What all pages have in common. Owns how an error looks to a person.

Everything works without scripts but passkeys, which cannot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request

from ...errors import Outage, TooManyFailures
from ...mail.unexpected import logUnexpected
from ...oauth.responses import OAuthError
from ..authorization import RedirectError
from ..sealing import CannotUnseal
from .endpoint import Answer, Endpoint
from .visit import ForgedForm, NoCookie, Pages, SignedOut, Visit

_log = Logger()


class Page(Endpoint):
    """
    A page. A subclass has a C{page_} method for each method of HTTP that it takes.
    """

    methods: ClassVar[tuple[bytes, ...]] = (b"GET", b"HEAD", b"POST")

    def __init__(self, pages: Pages) -> None:
        super().__init__()
        self.pages = pages

    async def respond(self, request: Request) -> Answer:
        """
        See L{Endpoint.respond}: an error is a page here, too.
        """
        visit = Visit(request, self.pages)
        method = "GET" if request.method == b"HEAD" else request.method.decode("ascii")
        answer: Callable[[Visit], Awaitable[Answer]] = getattr(self, f"page_{method}")
        try:
            return await answer(visit)
        except RedirectError as redirect:
            self.note(redirect.error)
            return visit.seeOther(redirect.location)
        except OAuthError as error:
            return self._mistaken(visit, error)
        except (CannotUnseal, SignedOut):
            return visit.message("expired", 400)
        except NoCookie:
            return visit.message("cookies", 400)
        except ForgedForm:
            _log.info("{page} refuses a form that is not its own", page=type(self).__name__)
            return visit.message("forged", 403)
        except TooManyFailures:
            return visit.message("limited", 429)
        except Outage as error:
            _log.error(
                "{page} cannot answer: {reason}",
                page=type(self).__name__,
                reason=error.reason or error.sentence,
            )
            return visit.message("unavailable", 503)
        except Exception:
            logUnexpected(Failure(), type(self).__name__)
            return visit.message("failed", 500)

    def _mistaken(self, visit: Visit, error: OAuthError) -> Answer:
        self.note(error)
        status = error.status if error.status >= 500 else 400
        return visit.message("error", status, developer=error)

    def note(self, error: OAuthError) -> None:
        """
        Have the log say what was refused.
        """
        _log.info(
            "{page} refuses with {code}: {reason}",
            page=type(self).__name__,
            code=error.code,
            reason=error.reason,
        )
