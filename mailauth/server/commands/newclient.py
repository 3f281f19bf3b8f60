"""
What C{mailauth client add} is told. Owns which of it goes together.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from time import time
from typing import Any

import attrs
import click

from ...oauth.jwt import UnusableKey, keysFromJWKS
from ...oauth.records import Client
from ...oauth.redirects import isClaimedHTTPS, registrable
from ...oauth.registration import DEVICE_GRANT
from ...oauth.responses import OAuthError
from ...scopes import KNOWN_SCOPES, formatScope
from ..clientauthentication import makeClientSecret
from ..clientdocuments import isDocumentAddress

GRANTS = {
    "authorization_code": "authorization_code",
    "refresh_token": "refresh_token",
    "device_code": DEVICE_GRANT,
    "client_credentials": "client_credentials",
}

_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")


def clientId(value: str) -> str:
    """
    An id that needs no encoding anywhere, or the address of a metadata document.
    """
    if _ID.fullmatch(value) is None and not isDocumentAddress(value):
        raise click.BadParameter(f"{value!r} is no id of letters, digits, '.', '_', '~' and '-'")
    return value


def redirectURI(value: str) -> str:
    """
    A redirect URI that a client may have.
    """
    try:
        registrable(value)
    except OAuthError as error:
        raise click.BadParameter(f"{value!r}: {error.description}") from None
    return value


def calledURI(value: str) -> str:
    """
    An address that the server calls.
    """
    if not isClaimedHTTPS(value):
        raise click.BadParameter(f"{value!r} is not https on a domain")
    return value


def scopes(value: str) -> frozenset[str]:
    """
    Scopes that there are.
    """
    scope = frozenset(value.split())
    if not scope <= KNOWN_SCOPES:
        raise click.BadParameter(
            f"there is no scope {formatScope(scope - KNOWN_SCOPES)}; there are"
            f" {formatScope(KNOWN_SCOPES)}"
        )
    return scope


def keySet(value: str) -> str:
    """
    The keys in a file.
    """
    try:
        document = Path(value).read_text("utf-8")
        keys = keysFromJWKS(document.encode("utf-8"))
    except (OSError, UnicodeDecodeError, UnusableKey) as error:
        raise click.BadParameter(f"{value} cannot be used: {error}") from None
    if not keys:
        raise click.BadParameter(f"{value} has no key that could be used")
    return document


_options = (
    click.option("--id", "identifier", type=clientId, help="Its client_id; made up if not said."),
    click.option("--name", help="What people are told it is; its id if not said."),
    click.option(
        "--redirect", "redirects", multiple=True, type=redirectURI, help="A redirect URI of it."
    ),
    click.option(
        "--grant",
        "grants",
        multiple=True,
        type=click.Choice(tuple(GRANTS)),
        help="What it may do; codes and refresh tokens if it has a redirect URI.",
    ),
    click.option("--scope", type=scopes, default="", help="What it may ask for; all if not said."),
    click.option("--confidential", is_flag=True, help="It has a secret, which is shown now."),
    click.option("--secret-in-body", is_flag=True, help="It has one, and sends it in the body."),
    click.option("--jwks", type=keySet, metavar="FILE", help="Its public keys, for no secret."),
    click.option("--opaque-tokens", is_flag=True, help="Its access tokens have 43 characters."),
    click.option("--resource-server", is_flag=True, help="It may introspect any token."),
    click.option(
        "--insecure-without-pkce",
        is_flag=True,
        help="It need not use PKCE; only with a secret and one https redirect URI.",
    ),
    click.option(
        "--post-logout-redirect",
        "logoutRedirects",
        multiple=True,
        type=redirectURI,
        help="Where it may send a browser that signed out.",
    ),
    click.option(
        "--backchannel-logout",
        "logout",
        type=calledURI,
        help="Where it is told that somebody signed out.",
    ),
)


def newClientOptions(command: Any) -> Any:
    """
    What the command is told, as keywords for L{makeClient}.
    """
    for option in reversed(_options):
        command = option(command)
    return command


def makeClient(said: dict[str, Any]) -> tuple[Client, str | None]:
    """
    @return: the client, and its secret if it has one.
    """
    identifier = said["identifier"] or secrets.token_hex(8)
    grants = [GRANTS[grant] for grant in said["grants"]]
    if not grants and said["redirects"]:
        grants = ["authorization_code", "refresh_token"]
    client = Client(
        identifier,
        said["name"] or identifier,
        tuple(dict.fromkeys(said["redirects"])),
        frozenset(grants),
        said["scope"],
        verified=True,
        opaqueTokens=said["opaque_tokens"],
        resourceServer=said["resource_server"],
        insecureWithoutPKCE=said["insecure_without_pkce"],
        created=time(),
        postLogoutRedirectURIs=tuple(dict.fromkeys(said["logoutRedirects"])),
        backchannelLogoutURI=said["logout"],
    )
    client, secret = _withProof(client, said)
    _check(client)
    return client, secret


def _withProof(client: Client, said: dict[str, Any]) -> tuple[Client, str | None]:
    """
    Give a client what it proves with who it is.
    """
    keys, inBody = said["jwks"], said["secret_in_body"]
    if not said["confidential"] and not inBody:
        if keys is None:
            return client, None
        return attrs.evolve(client, authMethod="private_key_jwt", jwks=keys), None
    if keys is not None:
        raise click.UsageError("A client has either a secret or keys.")
    secret, digest = makeClientSecret()
    method = "client_secret_post" if inBody else "client_secret_basic"
    return attrs.evolve(client, authMethod=method, secretDigest=digest), secret


def _check(client: Client) -> None:
    grants, redirects = client.grantTypes, client.redirectURIs
    mistake = None
    if not grants and not client.resourceServer:
        mistake = "It could do nothing: say --redirect, --grant or --resource-server."
    elif ("authorization_code" in grants) != bool(redirects):
        mistake = "A redirect URI and the grant authorization_code go together."
    elif "refresh_token" in grants and grants.isdisjoint({"authorization_code", DEVICE_GRANT}):
        mistake = "Nothing would give it the first refresh token: say --redirect."
    elif client.public and "client_credentials" in grants:
        mistake = "The grant client_credentials is for a client with a secret or keys."
    elif client.public and client.resourceServer:
        mistake = "A resource server has a secret or keys."
    elif client.insecureWithoutPKCE and (
        client.public or len(redirects) != 1 or not isClaimedHTTPS(redirects[0])
    ):
        mistake = "Without PKCE, a client has a secret or keys, and one https redirect URI."
    if mistake is not None:
        raise click.UsageError(mistake)
