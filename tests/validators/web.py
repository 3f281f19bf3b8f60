"""
Other people's web servers, in memory, which answer at once or when they are told to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qs

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from mailauth.errors import InvalidToken, Outage
from mailauth.oauth.jwt import Signer, makeJWKS
from mailauth.validators._http import Fetched
from mailauth.validators.discovery import Discovery

ISSUER = "https://issuer.example"
CONFIGURATION = f"{ISSUER}/.well-known/openid-configuration"
JWKS = f"{ISSUER}/jwks"
AUDIENCE = "mail.example"
TIMEOUT = 5.0
EPOCH = 1_800_000_000

METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "jwks_uri": JWKS,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "introspection_endpoint": f"{ISSUER}/introspect",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "end_session_endpoint": f"{ISSUER}/logout",
    "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
}

GARBAGE: Mapping[str, bytes] = {
    "nothing": b"",
    "half": b'{"keys": [',
    "HTML": b"<!DOCTYPE html><title>502</title>",
    "not text": b"\xff\xfe\x00{",
    "a list": b"[]",
    "null": b"null",
    "a number": b"9" * 5000,
    "deep": b"[" * 100_000,
    "of other things": b'{"keys": {"1": {}}, "issuer": ["https://issuer.example"], "active": 1}',
    "of nobody": b'{"keys": null, "issuer": null, "active": "true"}',
}
"""
Ten kinds of what is no answer to anything.
"""


def answer(document: Any = None, status: int = 200, **headers: str) -> Fetched:
    """
    What a web server says.

    @param document: or the octets of the body.
    """
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return Fetched(status, Headers({"Content-Type": ["application/json"], **named}), content)


def jwks(*signers: Signer) -> Fetched:
    """
    A key set.
    """
    return answer(makeJWKS(signer.verifyingKey for signer in signers))


@attrs.frozen
class Asked:
    """
    A request.
    """

    address: str
    headers: Mapping[str, str]
    form: Mapping[str, Sequence[str]] | None = None


class Web:
    """
    All of them.

    @ivar says: what is said at each address; nothing there is C{404}. An exception fails, and
        C{None} leaves whoever asks waiting, until that is an outage.
    @ivar asked: all requests.
    @ivar waiting: those without an answer.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.says: dict[str, Fetched | Exception | None] = {CONFIGURATION: answer(METADATA)}
        self.asked: list[Asked] = []
        self.waiting: list[tuple[str, Deferred[Fetched]]] = []

    def get(self, address: str, headers: Mapping[str, str]) -> Deferred[Fetched]:
        """
        See L{BoundedFetcher.get<mailauth.validators._http.BoundedFetcher.get>}.
        """
        return self._asked(Asked(address, headers))

    def post(self, address: str, form: bytes, headers: Mapping[str, str]) -> Deferred[Fetched]:
        """
        See L{BoundedFetcher.post<mailauth.validators._http.BoundedFetcher.post>}.
        """
        return self._asked(Asked(address, headers, parse_qs(form.decode("ascii"))))

    def _asked(self, asked: Asked) -> Deferred[Fetched]:
        self.asked.append(asked)
        said = self.says.get(asked.address, answer(status=404))
        if isinstance(said, Fetched):
            return succeed(said)
        if said is not None:
            return fail(said)
        fetched: Deferred[Fetched] = Deferred()
        self.waiting.append((asked.address, fetched))
        return fetched.addTimeout(TIMEOUT, self._clock, _tooSlow)

    def count(self, address: str) -> int:
        """
        How often somebody asked there.
        """
        return sum(asked.address == address for asked in self.asked)

    def answerWaiting(self) -> None:
        """
        Those who wait are answered, by what is said by now.
        """
        waiting, self.waiting = self.waiting, []
        for address, fetched in waiting:
            if fetched.called:
                continue
            said = self.says[address]
            if isinstance(said, Fetched):
                fetched.callback(said)
            else:
                assert said is not None
                fetched.errback(said)


class WebTestCase(SynchronousTestCase):
    """
    One issuer's web server.
    """

    def setUp(self) -> None:
        """
        It has metadata, and nothing else.
        """
        self.clock = Clock()
        self.web = Web(self.clock)
        self.discovery = self.discover()

    def now(self) -> float:
        """
        The wall clock.
        """
        return EPOCH + self.clock.seconds()

    def discover(self, issuer: str = ISSUER, **named: Any) -> Discovery:
        """
        Discover an issuer.
        """
        return Discovery(issuer, self.web.get, self.clock.seconds, **named)

    def outage(self, pending: Any) -> str:
        """
        It cannot be found out.

        @return: why.
        """
        error = self.failureResultOf(_started(pending), Outage).value
        reason: str = error.reason
        return reason

    def invalid(self, pending: Any) -> InvalidToken:
        """
        It is refused.
        """
        error = self.failureResultOf(_started(pending), InvalidToken).value
        assert isinstance(error, InvalidToken)
        return error

    def found(self, pending: Any) -> Any:
        """
        It is found.
        """
        return self.successResultOf(_started(pending))


def _tooSlow(result: object, seconds: float) -> NoReturn:
    raise Outage(f"it took longer than {seconds:g} s")


def _started(pending: Any) -> Deferred[Any]:
    return pending if isinstance(pending, Deferred) else Deferred.fromCoroutine(pending)
