"""
C{mailauth client}.
"""

from __future__ import annotations

from typing import Any

import click

from ...oauth.records import Client
from ...scopes import formatScope
from ...stores.events import THE_COMMAND
from ..administration import Administration
from ..clients import isDenied
from ..config import Configuration
from .invocation import Invocation, cell, isoTime
from .newclient import newClient, newClientOptions


@click.group()
def client() -> None:
    """The applications that people let act for them.

    Of those that register themselves there is no record.
    """


@client.command()
@newClientOptions
@click.pass_obj
def add(invocation: Invocation, /, **said: Any) -> None:
    """Register an application. You vouch for its name."""
    new = newClient(said)

    async def work(administration: Administration, configuration: Configuration) -> None:
        made, secret = await administration.clients.add(THE_COMMAND, new)
        fields, text = _fields(made), f"client_id: {made.clientId}"
        if secret is not None:
            fields["client_secret"] = secret
            text += f"\nclient_secret: {secret}"
        invocation.answer(fields, text)

    invocation.administer(work)


@client.command("list")
@click.pass_obj
def listAll(invocation: Invocation) -> None:
    """Show all that were added or denied."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        rows = [_fields(each) for each in await administration.clients.list()]
        invocation.answerTable(
            rows,
            ("client_id", "client_name", "token_endpoint_auth_method", "denied", "created"),
        )

    invocation.administer(work)


@client.command()
@click.argument("identifier", metavar="ID")
@click.pass_obj
def show(invocation: Invocation, identifier: str) -> None:
    """Show one, also one that registered itself."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        fields = _fields(await administration.clients.get(identifier))
        lines = (f"{name}: {cell(value)}" for name, value in fields.items())
        invocation.answer(fields, "\n".join(lines))

    invocation.administer(work)


@client.command()
@click.argument("identifier", metavar="ID")
@click.pass_obj
def remove(invocation: Invocation, identifier: str) -> None:
    """Remove one, and end all that it was granted.

    One that was denied may come again.
    """

    async def work(administration: Administration, configuration: Configuration) -> None:
        await administration.clients.remove(THE_COMMAND, identifier)
        invocation.answer({"client_id": identifier}, f"{identifier} is removed.")

    invocation.administer(work)


@client.command()
@click.argument("identifier", metavar="ID")
@click.pass_obj
def deny(invocation: Invocation, identifier: str) -> None:
    """Deny one that registered itself, and end all that it was granted."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        await administration.clients.deny(THE_COMMAND, identifier)
        invocation.answer({"client_id": identifier}, f"{identifier} is denied.")

    invocation.administer(work)


def _fields(each: Client) -> dict[str, Any]:
    return {
        "client_id": each.clientId,
        "client_name": each.name,
        "redirect_uris": [*each.redirectURIs],
        "grant_types": sorted(each.grantTypes),
        "scope": formatScope(each.scope),
        "token_endpoint_auth_method": each.authMethod,
        "verified": each.verified,
        "denied": isDenied(each),
        "opaque_tokens": each.opaqueTokens,
        "resource_server": each.resourceServer,
        "insecure_without_pkce": each.insecureWithoutPKCE,
        "post_logout_redirect_uris": [*each.postLogoutRedirectURIs],
        "backchannel_logout_uri": each.backchannelLogoutURI,
        "created": isoTime(each.created),
    }
