"""
The authorization server: what it says of itself, and whether the clients of mail programs get as
far as its sign-in page. Nobody signs in.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from ...errors import Outage
from ...oauth.jwt import MalformedToken, UnusableKey, keysFromJWKS, parseObject
from ...oauth.metadata import AUTHORIZATION_SERVER, OPENID_CONFIGURATION, wellKnownPath
from ...oauth.pkce import challengeOf
from ...oauth.records import Client
from ...oauth.responses import writeJSON
from ...validators._http import Fetched
from ...validators.discovery import originOf
from ..builtinclients import BUILT_IN
from ..mailhosts import SCOPE
from .documents import Unreadable
from .findings import Finding, doubtful, good, together, unknown, wrong
from .web import Absent, Web, contentOf, isWebAddress

MAX_STEPS = 4
"""
How often the way to the sign-in page may lead on.
"""

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class AuthorizationServer:
    """
    Looks at one.

    @ivar metadata: what it says of itself; empty if that cannot be read.
    """

    def __init__(self, web: Web, issuer: str, address: str, scope: str = SCOPE) -> None:
        """
        @param address: the mail address that somebody would sign in with.
        @param scope: what programs are told to ask for.
        """
        self._scope = scope
        self._web = web
        self._issuer = issuer
        self._address = address
        self.metadata: Mapping[str, Any] = {}

    async def certificate(self) -> list[Finding]:
        """
        Look at its host.
        """
        seen = await self._web.look([self._issuer])
        return [host.certificate for host in seen if host.certificate is not None]

    async def describe(self, configurations: Iterable[str]) -> list[Finding]:
        """
        Read its metadata wherever somebody looks for it.

        @param configurations: where mail servers lead to that refused a token.
        """
        origin = originOf(self._issuer)
        named = (AUTHORIZATION_SERVER, OPENID_CONFIGURATION)
        own = [origin + wellKnownPath(self._issuer, name) for name in named]
        addresses = [*dict.fromkeys([*own, *configurations])]
        read = await together(self._readMetadata(address) for address in addresses)
        findings = [finding for finding, _ in read]
        self.metadata = next((members for _, members in read if members), {})
        if self.metadata:
            findings += judgeMetadata(self.metadata, self._scope)
        return findings

    async def keys(self) -> list[Finding]:
        """
        Read its keys.
        """
        address = self._endpoint("jwks_uri")
        if address is None:
            return []
        try:
            keys = keysFromJWKS(await self._web.read(address))
        except (Absent, UnusableKey) as error:
            return [wrong("issuer", f"{address}: {error}.", "Have the issuer publish its keys.")]
        except Outage as error:
            return [unknown("issuer", f"{address}: it could not be found out: {error.reason}.")]
        if not keys:
            return [
                wrong(
                    "issuer",
                    f"{address} has no key that a token could be verified with.",
                    "mailauth key rotate",
                )
            ]
        names = ", ".join(sorted({name for key in keys for name in key.algorithms}))
        return [good("issuer", f"{address} has keys for {names}.")]

    async def signIns(self) -> list[Finding]:
        """
        Go to the sign-in page as each client that programs are known by.
        """
        if self._endpoint("authorization_endpoint") is None:
            return []
        return await together(self.signIn(client) for client in BUILT_IN.values())

    async def signIn(self, client: Client) -> Finding:
        """
        Go to the sign-in page as a client.
        """
        topic = f"client.{client.clientId}"
        name = client.name or client.clientId
        try:
            says = await self._walk(client)
        except (Absent, Unreadable) as error:
            return wrong(
                topic,
                f"{name} does not get to the sign-in page: {error}.",
                f"'mailauth client show {client.clientId}' says whether a record denies it.",
            )
        except Outage as error:
            return unknown(topic, f"{name}: it could not be found out: {error.reason}.")
        return good(topic, f"{name} {says}.")

    async def register(self) -> list[Finding]:
        """
        Register as a program does, sign in as far as that goes, and leave nothing behind if the
        server has a way for that.
        """
        address = self._endpoint("registration_endpoint")
        if address is None:
            return []
        wish = Client("", "mailauth doctor", redirectURIs=("http://127.0.0.1/callback",))
        members: dict[str, Any] = {
            "client_name": wish.name,
            "redirect_uris": [*wish.redirectURIs],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": self._scope,
        }
        headers = {"Content-Type": "application/json"}
        try:
            fetched = await self._web.post(address, writeJSON(members), headers)
            answer = _readObject(_created(fetched))
        except (Absent, Unreadable) as error:
            says = f"A program cannot register at {address}: {error}."
            return [wrong("registration", says, "[issuer] open_registration = true")]
        except Outage as error:
            says = f"{address}: it could not be found out: {error.reason}."
            return [unknown("registration", says)]
        clientId = str(answer.get("client_id", ""))
        found = [
            good("registration", f"A program can register at {address}; its id was {clientId}.")
        ]
        found.append(await self.signIn(Client(clientId, wish.name, redirectURIs=wish.redirectURIs)))
        return [*found, await self._unregister(answer)]

    async def _unregister(self, answer: Mapping[str, Any]) -> Finding:
        """
        RFC 7592 section 2.3.
        """
        address, token = (
            answer.get(name) for name in ("registration_client_uri", "registration_access_token")
        )
        if not isinstance(address, str) or not isinstance(token, str):
            return good(
                "registration",
                "What was registered stays, for the server has no way to remove it. Nothing was"
                " given to it.",
            )
        try:
            fetched = await self._web.delete(address, {"Authorization": f"Bearer {token}"})
        except (Absent, Outage) as error:
            return doubtful("registration", f"It could not be removed again: {error}.")
        if fetched.status != 204:
            return doubtful("registration", f"It could not be removed again: {fetched.status}.")
        return good("registration", "It was removed again.")

    async def _readMetadata(self, address: str) -> tuple[Finding, Mapping[str, Any]]:
        try:
            members = _readObject(await self._web.read(address))
        except (Absent, Unreadable) as error:
            return (
                wrong(
                    "issuer",
                    f"{address}: {error}.",
                    f"Have {originOf(self._issuer)} lead to the authorization server.",
                ),
                {},
            )
        except Outage as error:
            says = f"{address}: it could not be found out: {error.reason}."
            return unknown("issuer", says), {}
        said = members.get("issuer")
        if said != self._issuer:
            return (
                wrong(
                    "issuer",
                    f"{address} is of the issuer {said!r}, and programs were led to"
                    f" {self._issuer!r}: they refuse it.",
                    "[issuer] url has to be the same everywhere, letter for letter, also a slash"
                    " at the end.",
                ),
                {},
            )
        return good("issuer", f"{address} describes the issuer {self._issuer}."), members

    def _endpoint(self, name: str) -> str | None:
        address = self.metadata.get(name)
        return address if isWebAddress(address) else None

    async def _walk(self, client: Client) -> str:
        """
        Go on until somebody would have to type.

        @return: how far that was.
        """
        redirectURI = client.redirectURIs[0]
        query = {
            "response_type": "code",
            "client_id": client.clientId,
            "redirect_uri": redirectURI,
            "scope": self._scope,
            "state": secrets.token_urlsafe(16),
            "code_challenge": challengeOf(secrets.token_urlsafe(32)),
            "code_challenge_method": "S256",
            "login_hint": self._address,
        }
        address = f"{self.metadata['authorization_endpoint']}?{urlencode(query)}"
        origin = originOf(address)
        cookies: dict[str, str] = {}
        for _ in range(MAX_STEPS):
            headers = {"Accept": "text/html"}
            if cookies:
                headers["Cookie"] = "; ".join(f"{name}={cookies[name]}" for name in cookies)
            fetched = await self._web.get(address, headers)
            cookies.update(_cookiesOf(fetched))
            onwards = fetched.headers.getRawHeaders(b"location")
            if onwards is None or not 300 <= fetched.status < 400:
                return _readPage(fetched)
            address = _join(address, onwards[0].decode("latin-1"))
            if address.startswith(redirectURI):
                raise Absent(_explain(address))
            if originOf(address) != origin:
                return f"is sent on to {originOf(address)}, to sign in there"
        raise Absent("the way there does not end")


async def findIssuers(web: Web, configurations: Iterable[str]) -> list[str]:
    """
    Who describes himself where mail servers lead to, each once.
    """

    async def read(address: str) -> Any:
        try:
            return _readObject(await web.read(address)).get("issuer")
        except (Absent, Unreadable, Outage):
            return None

    said = await together(read(address) for address in configurations)
    return [*dict.fromkeys(issuer for issuer in said if isWebAddress(issuer))]


def judgeMetadata(members: Mapping[str, Any], scope: str) -> Iterator[Finding]:
    """
    Whether programs can do with what an issuer says.

    @param scope: what they are told to ask for.
    """
    for name in _ENDPOINTS:
        address = members.get(name)
        if not isWebAddress(address):
            says = f"The issuer's {name} is {address!r}, and no address with https."
            yield wrong("issuer", says, "Have the issuer publish it.")
    lacking = frozenset(scope.split()) - _listOf(members, "scopes_supported")
    for holds, says, otherwise, mend in (
        (
            "S256" in _listOf(members, "code_challenge_methods_supported"),
            "The issuer knows PKCE with S256.",
            "The issuer does not say that it knows PKCE with S256, which programs need.",
            "'code_challenge_methods_supported' has to have 'S256'.",
        ),
        (
            members.get("authorization_response_iss_parameter_supported") is True,
            "The issuer names itself in its answers ('iss').",
            "The issuer does not say that it names itself in its answers ('iss', RFC 9207), so"
            " programs cannot tell it from another.",
            "'authorization_response_iss_parameter_supported' has to be true.",
        ),
        (
            not lacking,
            "The issuer knows the scope that programs ask for.",
            f"The issuer does not know the scope {' '.join(sorted(lacking))}, and programs are told"
            " to ask for it.",
            "'scopes_supported' has to have it.",
        ),
        (
            "none" in _listOf(members, "token_endpoint_auth_methods_supported"),
            "The issuer takes clients without a secret.",
            "The issuer takes no clients without a secret, which mail programs are.",
            "'token_endpoint_auth_methods_supported' has to have 'none'.",
        ),
    ):
        yield good("issuer", says) if holds else wrong("issuer", otherwise, mend)
    if "registration_endpoint" not in members:
        yield doubtful(
            "registration",
            "The issuer lets no program register: those that are not built in get no tokens.",
            "[issuer] open_registration = true, or add each one: mailauth client add",
        )
    elif isWebAddress(members["registration_endpoint"]):
        yield good("registration", "The issuer lets programs register.")
    else:
        says = "The issuer's registration_endpoint is no address with https."
        yield wrong("registration", says, "Have the issuer publish it.")


def _readPage(fetched: Fetched) -> str:
    content = contentOf(fetched)
    if b"<form" not in content:
        raise Unreadable("there is no form on it")
    return "gets to the sign-in page"


def _created(fetched: Fetched) -> bytes:
    return fetched.content if fetched.status == 201 else contentOf(fetched)


def _cookiesOf(fetched: Fetched) -> Iterator[tuple[str, str]]:
    for line in fetched.headers.getRawHeaders(b"set-cookie", ()):
        name, _, value = line.partition(b";")[0].decode("latin-1").partition("=")
        yield name.strip(), value.strip()


def _join(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError:
        raise Absent("it leads to an address that is none") from None


def _explain(address: str) -> str:
    """
    What an answer to a client says.
    """
    said = parse_qs(urlsplit(address).query)
    words = [*said.get("error", ["nothing"]), *said.get("error_description", [])]
    return f"it answers {': '.join(words)[:300]}"


def _listOf(members: Mapping[str, Any], name: str) -> frozenset[str]:
    member = members.get(name)
    if not isinstance(member, list):
        return frozenset()
    return frozenset(each for each in member if isinstance(each, str))


def _readObject(octets: bytes) -> Mapping[str, Any]:
    try:
        return parseObject(octets)
    except MalformedToken:
        raise Unreadable("it is no JSON object") from None
