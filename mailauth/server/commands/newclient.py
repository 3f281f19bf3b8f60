"""
What C{mailauth client add} is told. Owns which of it goes together.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ...oauth.jwt import UnusableKey, keysFromJWKS
from ...oauth.registration import DEVICE_GRANT
from ..actions.clients import (
    NewClient,
    UnusableClient,
    checkCalledURI,
    checkClientId,
    checkRedirectURI,
    checkScope,
)

_T = TypeVar("_T")

GRANTS = {
    "authorization_code": "authorization_code",
    "refresh_token": "refresh_token",
    "device_code": DEVICE_GRANT,
    "client_credentials": "client_credentials",
}


def _option(check: Callable[[str], _T]) -> Callable[[str], _T]:
    """
    A value of an option, as the actions check it.
    """

    def convert(value: str) -> _T:
        try:
            return check(value)
        except UnusableClient as error:
            raise click.BadParameter(str(error)) from None

    return convert


clientId = _option(checkClientId)
redirectURI = _option(checkRedirectURI)
calledURI = _option(checkCalledURI)
scopes = _option(lambda value: checkScope(frozenset(value.split())))


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
    What the command is told, as keywords for L{newClient}.
    """
    for option in reversed(_options):
        command = option(command)
    return command


def newClient(said: dict[str, Any]) -> NewClient:
    """
    What was said, in one piece.
    """
    if (said["confidential"] or said["secret_in_body"]) and said["jwks"] is not None:
        raise click.UsageError("A client has either a secret or keys.")
    new = NewClient(
        said["identifier"],
        said["name"],
        said["redirects"],
        frozenset(GRANTS[grant] for grant in said["grants"]),
        said["scope"],
        _authMethod(said),
        said["jwks"],
        said["opaque_tokens"],
        said["resource_server"],
        said["insecure_without_pkce"],
        said["logoutRedirects"],
        said["logout"],
    )
    try:
        new.made(0.0)
    except UnusableClient as error:
        raise click.UsageError(str(error)) from None
    return new


def _authMethod(said: dict[str, Any]) -> str:
    if said["secret_in_body"]:
        return "client_secret_post"
    if said["confidential"]:
        return "client_secret_basic"
    return "none" if said["jwks"] is None else "private_key_jwt"
