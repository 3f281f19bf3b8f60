"""
The documents of a domain, looked for where each program looks for them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, TypeVar
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

import attrs

from ...errors import Outage
from .conversations import Place
from .documents import (
    PACC,
    Autoconfig,
    ListedServer,
    Unreadable,
    readAutoconfig,
    readAutodiscover,
    readPACC,
)
from .findings import FAILS, UNKNOWN, Finding, doubtful, good, together, wrong
from .web import Absent, Web, contentOf

T = TypeVar("T")

_REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
_RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"


@attrs.frozen
class Attempt(Generic[T]):
    """
    One address where a program looks.

    @ivar value: what it reads there, or C{None}.
    @ivar level: if that is nothing, how bad it is.
    @ivar why: then, the reason.
    """

    address: str
    value: T | None
    level: str = ""
    why: str = ""


class Discovery:
    """
    Looks for them.

    @ivar autoconfig: what Thunderbird finds, or C{None}.
    @ivar pacc: what programs find that know PACC, and its octets, or C{None}.
    @ivar autodiscovered: where Outlook would go.
    @ivar undecided: nobody could tell what one of the programs finds.
    """

    autoconfig: Autoconfig | None = None
    autoconfigDocument: bytes | None = None
    pacc: PACC | None = None
    paccDocument: bytes | None = None
    autodiscovered: tuple[Place, ...] = ()
    undecided = False

    def __init__(self, web: Web, address: str) -> None:
        """
        @param address: the mail address, in canonical form.
        """
        self._web = web
        self._address = address
        self._domain = address.rpartition("@")[2]
        self.hosts = [f"{label}.{self._domain}" for label in _LABELS]

    async def certificates(self) -> list[Finding]:
        """
        Look at the hosts that are for this alone. Those that do not exist are no finding: what is
        not found there is.
        """
        seen = await self._web.look(f"https://{host}/" for host in self.hosts)
        # The domain's own web site need not have anything to do with mail.
        await self._web.look([f"https://{self._domain}/"])
        return [host.certificate for host in seen if host.certificate is not None]

    async def findAutoconfig(self) -> list[Finding]:
        """
        Mozilla autoconfig, at both addresses that Thunderbird tries.
        """
        query = f"?emailaddress={quote(self._address)}"
        attempts = await self._tryAll(
            [
                f"https://autoconfig.{self._domain}/mail/config-v1.1.xml{query}",
                f"https://{self._domain}/.well-known/autoconfig/mail/config-v1.1.xml{query}",
            ],
            self._readAutoconfig,
        )
        found = _firstOf(attempts)
        if found is not None:
            self.autoconfigDocument, self.autoconfig = found
        findings = [*self._judge("autoconfig", "autoconfig", attempts)]
        return [*findings, *self._judgeAutoconfig()]

    async def findPACC(self) -> list[Finding]:
        """
        PACC, where it is now, and where it was in older drafts.
        """
        name = "/.well-known/user-agent-configuration"
        attempts = await self._tryAll(
            [f"https://ua-auto-config.{self._domain}{name}.json", f"https://{self._domain}{name}"],
            self._readPACC,
        )
        found = _firstOf(attempts)
        if found is not None:
            self.paccDocument, self.pacc = found
        findings = [*self._judge("pacc", "ua-auto-config", attempts)]
        if self.pacc is not None and self.pacc.issuer is None:
            findings.append(
                wrong(
                    "pacc",
                    "PACC's document names no issuer, so programs do not sign in with OAuth.",
                    "'authentication' has to have 'oauth-public' with an 'issuer' in it.",
                )
            )
        return findings

    async def findAutodiscover(self) -> list[Finding]:
        """
        Microsoft Autodiscover, in XML and in JSON.
        """
        path = "autodiscover/autodiscover"
        attempts = await self._tryAll(
            [
                f"https://{host}/{path}.xml"
                for host in (self._domain, f"autodiscover.{self._domain}")
            ],
            self._askAutodiscover,
        )
        self.autodiscovered = _firstOf(attempts) or ()
        located = await self._tryAll(
            [f"https://autodiscover.{self._domain}/{path}.json?Protocol=AutodiscoverV1"],
            self._web.read,
        )
        findings = [*self._judge("autodiscover", "autodiscover", attempts)]
        for attempt in located:
            if attempt.value is not None:
                findings.append(good("autodiscover.json", f"{attempt.address} says where that is."))
            else:
                findings.append(
                    doubtful(
                        "autodiscover.json",
                        f"{attempt.address}: {attempt.why}. Outlook asks for the XML then.",
                    )
                )
        return findings

    def places(self) -> Iterator[Place]:
        """
        Where programs go by these documents, the preferred places first.
        """
        if self.autoconfig is not None:
            yield from (each.place for each in self.autoconfig.servers)
        yield from self.autodiscovered
        if self.pacc is not None:
            yield from self.pacc.places

    def issuers(self) -> list[str]:
        """
        Whom the documents name, each once.
        """
        said = [
            self.autoconfig.issuer if self.autoconfig is not None else None,
            self.pacc.issuer if self.pacc is not None else None,
        ]
        return [*dict.fromkeys(_asURL(issuer) for issuer in said if issuer is not None)]

    # One document after the other

    async def _readAutoconfig(self, address: str) -> tuple[bytes, Autoconfig]:
        octets = await self._web.read(address)
        return octets, readAutoconfig(octets, self._domain)

    async def _readPACC(self, address: str) -> tuple[bytes, PACC]:
        octets = await self._web.read(address)
        return octets, readPACC(octets)

    async def _askAutodiscover(self, address: str) -> tuple[Place, ...]:
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        fetched = await self._web.post(address, _writeRequest(self._address), headers)
        return readAutodiscover(contentOf(fetched))

    async def _tryAll(
        self, addresses: list[str], read: Callable[[str], Awaitable[T]]
    ) -> list[Attempt[T]]:
        async def attempt(address: str) -> Attempt[T]:
            shown = address.partition("?emailaddress=")[0]
            try:
                return Attempt(shown, await read(address))
            except Outage as error:
                return Attempt(shown, None, UNKNOWN, error.reason or "")
            except (Absent, Unreadable) as error:
                return Attempt(shown, None, FAILS, str(error))

        return await together(attempt(address) for address in addresses)

    def _judge(self, topic: str, label: str, attempts: list[Attempt[T]]) -> Iterator[Finding]:
        """
        One address is enough.
        """
        found = _firstOf(attempts)
        undecided = found is None and any(attempt.level == UNKNOWN for attempt in attempts)
        self.undecided |= undecided
        for attempt in attempts:
            if undecided and attempt.level == FAILS:
                yield doubtful(topic, f"{attempt.address}: {attempt.why}. It need not be there.")
            elif attempt.value is None and found is None:
                yield Finding(
                    topic,
                    attempt.level,
                    f"{attempt.address}: {attempt.why}.",
                    f"Have {label}.{self._domain} lead to the server's HTTPS, at port 443, with a"
                    " certificate that names it.",
                )
            elif attempt.value is None:
                yield good(
                    topic,
                    f"{attempt.address}: {attempt.why}. Programs find the other one.",
                )
            elif attempt.value == found:
                yield good(topic, f"{attempt.address} has the settings.")
            else:
                yield doubtful(
                    topic,
                    f"{attempt.address} has other settings than {attempts[0].address}.",
                    "Have both addresses lead to the same server.",
                )

    # What Thunderbird makes of its document

    def _judgeAutoconfig(self) -> Iterator[Finding]:
        settings = self.autoconfig
        if settings is None:
            return
        for clear in settings.inClear:
            yield wrong(
                "autoconfig.clear",
                f"The autoconfig document has programs use {clear} without TLS.",
                "<socketType> has to be SSL or STARTTLS.",
            )
        used = [settings.first("imap") or settings.first("pop3"), settings.first("smtp")]
        servers = [server for server in used if server is not None]
        if len(servers) < len(used):
            yield wrong(
                "autoconfig",
                "The autoconfig document lacks a server to read mail, or one to send it, so"
                " Thunderbird drops it.",
                "It needs an <incomingServer> and an <outgoingServer>.",
            )
        yield _judgeMethod(servers, "OAuth2", "autoconfig.oauth2", "Thunderbird uses no OAuth")
        yield _judgeMethod(
            servers,
            "password-cleartext",
            "autoconfig.password",
            "Thunderbird without the add-on drops it and guesses",
        )
        if settings.issuer is None or settings.scope is None:
            yield wrong(
                "autoconfig.issuer",
                "The autoconfig document names no issuer and scope in <oAuth2>.",
                "<oAuth2> has to have <issuer> and <scope>.",
            )
        else:
            yield good(
                "autoconfig.issuer",
                f"The autoconfig document names the issuer {settings.issuer} and the scope.",
            )


_LABELS = ("autoconfig", "autodiscover", "ua-auto-config")


def _judgeMethod(servers: list[ListedServer], method: str, topic: str, otherwise: str) -> Finding:
    lacking = [str(server.place) for server in servers if method not in server.methods]
    if lacking:
        return wrong(
            topic,
            f"The autoconfig document does not offer {method} for {' and '.join(lacking)}:"
            f" {otherwise}.",
            f"Each server needs <authentication>{method}</authentication>; mailauth writes OAuth2,"
            " then password-cleartext. Does an older file stand before it?",
        )
    return good(topic, f"The autoconfig document offers {method}.")


def _firstOf(attempts: list[Attempt[T]]) -> T | None:
    return next((each.value for each in attempts if each.value is not None), None)


def _asURL(issuer: str) -> str:
    """
    The sample of the draft has a host alone.
    """
    return issuer if "://" in issuer else f"https://{issuer}"


def _writeRequest(address: str) -> bytes:
    root = Element("Autodiscover", xmlns=_REQUEST)
    request = SubElement(root, "Request")
    SubElement(request, "EMailAddress").text = address
    SubElement(request, "AcceptableResponseSchema").text = _RESPONSE
    octets: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return octets
