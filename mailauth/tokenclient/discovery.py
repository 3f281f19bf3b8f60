"""
From a mail address to its authorization server. Owns where is looked, and what is believed.

Everything is asked over https of hosts of the address's own domain, so whoever answers was given
the name by its owner. The digest that PACC has in the DNS is not looked at: it vouches for nothing
more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import attrs
import idna

from .failures import Outage, Refusal, printable
from .web import Answer, Web, isHTTPS

_PACC = (
    "https://ua-auto-config.{domain}/.well-known/user-agent-configuration.json",
    "https://{domain}/.well-known/user-agent-configuration.json",
)
_AUTOCONFIG = (
    "https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={address}",
    "https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress={address}",
)
_METADATA = (
    # RFC 8414 section 3.1, OpenID Connect Discovery 1.0 section 4.1.
    "{origin}/.well-known/oauth-authorization-server{path}",
    "{origin}{path}/.well-known/openid-configuration",
)

_ENDPOINTS = {
    "authorization_endpoint": "authorizationEndpoint",
    "token_endpoint": "tokenEndpoint",
    "registration_endpoint": "registrationEndpoint",
    "device_authorization_endpoint": "deviceEndpoint",
    "revocation_endpoint": "revocationEndpoint",
    "userinfo_endpoint": "userinfoEndpoint",
}


@attrs.frozen
class AuthorizationServer:
    """
    What an issuer says about itself (RFC 8414).

    @ivar namesItself: its authorization responses say C{iss} (RFC 9207 section 3).
    @ivar tokenEndpoint: its address. So with the others, C{None} where it has none.
    """

    issuer: str
    namesItself: bool
    tokenEndpoint: str
    authorizationEndpoint: str | None = None
    registrationEndpoint: str | None = None
    deviceEndpoint: str | None = None
    revocationEndpoint: str | None = None
    userinfoEndpoint: str | None = None


def findIssuer(web: Web, address: str) -> str:
    """
    Whom the domain of a mail address names.

    @raise Refusal: nobody.
    """
    localPart, _, domain = address.rpartition("@")
    try:
        domain = idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        raise Refusal(f"{domain} is not a domain.") from None
    places = {"domain": domain, "address": quote(f"{localPart}@{domain}", safe="@")}
    for templates, read in ((_PACC, _readPACC), (_AUTOCONFIG, _readAutoconfig)):
        for template in templates:
            try:
                answer = web.get(template.format(**places))
                issuer = read(answer) if answer.status == 200 else None
            except Outage:
                # Most domains have only some of the hosts.
                continue
            if issuer is not None:
                return issuer
    raise Refusal(
        f"{domain} does not say where its people sign in. If you know the address, add"
        " '--issuer https://...'; if you do not, ask whoever runs the mail server."
    )


def _readPACC(answer: Answer) -> str | None:
    """
    The issuer in the document of draft-ietf-mailmaint-pacc.
    """
    found: Any = answer.members()
    for name in ("authentication", "oauth-public", "issuer"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def _readAutoconfig(answer: Answer) -> str | None:
    """
    The issuer in the document of draft-ietf-mailmaint-autoconfig, which may have its host alone.
    """
    try:
        # It is small, and expat bounds what entities may make of it.
        root = ElementTree.fromstring(answer.body)  # noqa: S314
    except (ElementTree.ParseError, LookupError, ValueError):
        return None
    text = (root.findtext(".//oAuth2/issuer") or "").strip()
    return (text if "://" in text else f"https://{text}") if text else None


def fetchMetadata(web: Web, issuer: str) -> AuthorizationServer:
    """
    What an issuer says about itself.

    @raise Refusal: it is no issuer, or not this one.
    @raise Outage: nobody can tell.
    """
    if not isHTTPS(issuer) or urlsplit(issuer).query:
        raise Refusal(f"{printable(issuer)} is no issuer: that is an address with https://.")
    for address in _metadataOf(issuer):
        answer = web.get(address)
        if answer.status == 200:
            return _readMetadata(answer, issuer)
        if not 400 <= answer.status < 500 or answer.status == 429:
            raise answer.outage()
    raise Refusal(f"There is no authorization server at {issuer}. Is it written correctly?")


def _metadataOf(issuer: str) -> Iterator[str]:
    parts = urlsplit(issuer)
    for template in _METADATA:
        yield template.format(
            origin=f"{parts.scheme}://{parts.netloc}", path=parts.path.rstrip("/")
        )


def _readMetadata(answer: Answer, issuer: str) -> AuthorizationServer:
    members = answer.members()
    if members.get("issuer") != issuer:
        # RFC 8414 section 3.3: another one's document, whoever put it there.
        raise Refusal(
            f"{answer.host} does not say that it is {issuer}, but"
            f" {printable(members.get('issuer'))}: not a letter may differ."
        )
    endpoints = {ours: members[name] for name, ours in _ENDPOINTS.items() if name in members}
    for address in endpoints.values():
        if not isHTTPS(address):
            raise Refusal(f"{issuer} has an endpoint that is not https: {printable(address)}")
    if "tokenEndpoint" not in endpoints:
        raise Refusal(f"{issuer} has no token endpoint.")
    namesItself = members.get("authorization_response_iss_parameter_supported") is True
    return AuthorizationServer(issuer, namesItself, **endpoints)
