"""
What all OAuth endpoints that are called by programs have in common. Owns how a request is read, and
the one place where an error becomes an answer.

Nothing of a request is taken from C{request.args}: the parent puts query and body together there,
and keeps repeats (RFC 6749 section 3.2).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from ...coroutines import promptly
from ...errors import Outage
from ...mail.unexpected import logUnexpected
from ...oauth.requests import Form, parseForm
from ...oauth.responses import OAuthError, writeJSON
from ..proofs import Proofs
from .channel import BoundedRequest, formatHeaders

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"

RETRY_AFTER = 5
"""
In how many seconds a client may try again when something could not be decided.
"""

HTTP_REALM = b"mailauth"

_UNCHANGING = formatHeaders(
    (
        (b"Cache-Control", b"no-store"),
        (b"Pragma", b"no-cache"),
        (b"X-Content-Type-Options", b"nosniff"),
    )
)

# No credentials: with C{*} a browser sends no cookie along, and would not show the answer if it
# had (Fetch section 3.2.5).
_CROSS_ORIGIN = formatHeaders(
    (
        (b"Access-Control-Allow-Origin", b"*"),
        (b"Access-Control-Expose-Headers", b"WWW-Authenticate, DPoP-Nonce, Retry-After"),
    )
)
_PREFLIGHT = (
    (b"Access-Control-Allow-Headers", b"Authorization, Content-Type, DPoP"),
    (b"Access-Control-Max-Age", b"600"),
)


@attrs.frozen
class Answer:
    """
    What an endpoint says.

    @ivar content: the body, which may hold secrets.
    @ivar headers: besides those that every answer has.
    """

    content: bytes = attrs.field(default=b"", repr=False)
    status: int = 200
    type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def inJSON(members: Mapping[str, Any], status: int = 200) -> Answer:
    """
    An answer that is a JSON object.
    """
    return Answer(writeJSON(members), status)


def withNonce(answer: Answer, error: OAuthError, proofs: Proofs) -> Answer:
    """
    A refusal, with a nonce for whoever needs one (RFC 9449 section 8).
    """
    if error.code != "use_dpop_nonce":
        return answer
    nonce = proofs.makeNonce().encode("ascii")
    return attrs.evolve(answer, headers=(*answer.headers, (b"DPoP-Nonce", nonce)))


class Endpoint(Resource, ABC):
    """
    An endpoint for programs. A subclass says in L{respond} what it does.

    @cvar methods: those it takes.
    @cvar crossOrigin: scripts of other origins may call it (Fetch section 3.2). Only where no
        cookie means anything.
    """

    isLeaf = True
    methods: ClassVar[tuple[bytes, ...]] = (b"POST",)
    crossOrigin: ClassVar[bool] = False

    _log = Logger()

    @abstractmethod
    async def respond(self, request: Request) -> Answer:
        """
        @raise OAuthError: the answer is an error, as JSON.
        @raise Outage: nobody could tell; the answer is 503.
        """

    def refusal(self, error: OAuthError) -> Answer:
        """
        What an error looks like: here that of a client that did not prove who it is (RFC 6749
        section 5.2, RFC 9110 section 11.6.1).
        """
        answer = inJSON(error.members(), error.status)
        if error.status != 401:
            return answer
        challenge = b'Basic realm="%s"' % HTTP_REALM
        return attrs.evolve(answer, headers=((b"WWW-Authenticate", challenge),))

    def render(self, request: Any) -> int:
        """
        Answer when it is known what.
        """
        promptly(self._answer(request)).addErrback(self._failed, request)
        return NOT_DONE_YET

    async def _answer(self, request: BoundedRequest) -> None:
        self._write(await self._decide(request), request)

    async def _decide(self, request: Request) -> Answer:
        if request.method not in self.methods:
            return self.otherMethod(request)
        try:
            return await self.respond(request)
        except OAuthError as error:
            self._log.info(
                "{endpoint} refuses with {code}: {reason}",
                endpoint=type(self).__name__,
                code=error.code,
                reason=error.reason,
            )
            return self.refusal(error)
        except Outage as error:
            self._log.error(
                "{endpoint} cannot answer: {reason}",
                endpoint=type(self).__name__,
                reason=error.reason or error.sentence,
            )
            return _unavailable()
        except Exception:
            logUnexpected(Failure(), type(self).__name__)
            return inJSON(OAuthError("server_error", "The server failed.").members(), 500)

    def otherMethod(self, request: Request) -> Answer:
        """
        The answer to a method that is not one of L{methods}.
        """
        allowed = b", ".join(self.methods)
        if request.method == b"OPTIONS" and self.crossOrigin:
            return Answer(
                status=204, headers=((b"Access-Control-Allow-Methods", allowed), *_PREFLIGHT)
            )
        error = OAuthError("invalid_request", "This method is not allowed here.")
        return attrs.evolve(inJSON(error.members(), 405), headers=((b"Allow", allowed),))

    def _write(self, answer: Answer, request: BoundedRequest) -> None:
        headers = formatHeaders(answer.headers) + _UNCHANGING
        if answer.content:
            headers += b"Content-Type: %s\r\n" % answer.type
        if self.crossOrigin and request.requestHeaders.hasHeader(b"origin"):
            headers += _CROSS_ORIGIN
        request.answer(answer.status, headers, answer.content)

    def _failed(self, failure: Failure, request: BoundedRequest) -> None:
        logUnexpected(failure, type(self).__name__)
        request.channel.abort()


class FormEndpoint(Endpoint):
    """
    An endpoint that is sent a form. A subclass says in L{answer} what it does.
    """

    async def respond(self, request: Request) -> Answer:
        """
        See L{Endpoint.respond}.
        """
        octets = bodyOf(request, FORM) if request.method == b"POST" else queryOf(request)
        return await self.answer(parseForm(octets), request)

    @abstractmethod
    async def answer(self, form: Form, request: Request) -> Answer:
        """
        See L{Endpoint.respond}.

        @param request: for its headers.
        """


def bodyOf(request: Request, type: bytes) -> bytes:
    """
    The body of a request, which is all that there is: what stands in a query ends up in logs and
    histories (RFC 6749 section 2.3.1).

    @param type: the media type that it has to have.
    @raise OAuthError: it has another, or there is a query besides.
    """
    if queryOf(request):
        raise OAuthError("invalid_request", "The parameters belong into the body.")
    sent = onlyHeader(request, b"content-type") or b""
    if sent.partition(b";")[0].strip().lower() != type:
        raise OAuthError("invalid_request", f"The content type has to be {type.decode()}.")
    assert request.content is not None
    content: bytes = request.content.read()
    return content


def queryOf(request: Request) -> bytes:
    """
    What stands behind the question mark.
    """
    query: bytes = request.uri.partition(b"?")[2]
    return query


def onlyHeader(request: Request, name: bytes) -> bytes | None:
    """
    A header that means nothing twice.

    @raise OAuthError: it is there more than once.
    """
    values = request.requestHeaders.getRawHeaders(name)
    if values is None:
        return None
    if len(values) != 1:
        raise OAuthError("invalid_request", "A header is there more than once.")
    only: bytes = values[0]
    return only


def peerOf(request: Request) -> str | None:
    """
    The IP address that a request comes from.
    """
    host: str | None = getattr(request.getClientAddress(), "host", None)
    return host


def _unavailable() -> Answer:
    """
    Not in JSON: mail clients take any error in JSON for the end of their refresh token, and keep it
    at a 503 of something else.
    """
    return Answer(
        b"This cannot be decided now. Try again later.\n",
        503,
        b"text/plain; charset=utf-8",
        ((b"Retry-After", b"%d" % RETRY_AFTER),),
    )
