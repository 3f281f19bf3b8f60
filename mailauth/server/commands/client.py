"""
C{mailauth client}.
"""

from __future__ import annotations

from time import time
from typing import Any

import click

from ...credentials import clientTag
from ...oauth.records import Client
from ...oauth.responses import OAuthError
from ...scopes import formatScope
from ...stores.database import Database
from ...stores.records import AlreadyExists, NotFound
from ..clientdocuments import isDocumentAddress
from ..clients import Clients, deniedClient, isDenied
from ..config import Configuration
from ..sealing import readKeyFile
from .invocation import Invocation, cell, isoTime
from .newclient import makeClient, newClientOptions

DENIED = "This application was denied."


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
    made, secret = makeClient(said)

    async def work(database: Database, configuration: Configuration) -> None:
        await database.clients.add(made)
        fields, text = _fields(made), f"client_id: {made.clientId}"
        if secret is not None:
            fields["client_secret"] = secret
            text += f"\nclient_secret: {secret}"
        invocation.answer(fields, text)

    invocation.run(work)


@client.command("list")
@click.pass_obj
def listAll(invocation: Invocation) -> None:
    """Show all that were added or denied."""

    async def work(database: Database, configuration: Configuration) -> None:
        rows = [_fields(each) for each in await database.clients.list()]
        invocation.answerTable(
            rows,
            ("client_id", "client_name", "token_endpoint_auth_method", "denied", "created"),
        )

    invocation.run(work)


@client.command()
@click.argument("identifier", metavar="ID")
@click.pass_obj
def show(invocation: Invocation, identifier: str) -> None:
    """Show one, also one that registered itself."""

    async def work(database: Database, configuration: Configuration) -> None:
        found = await database.clients.get(identifier)
        fields = _fields(found or await _findRegistered(identifier, database, configuration))
        lines = (f"{name}: {cell(value)}" for name, value in fields.items())
        invocation.answer(fields, "\n".join(lines))

    invocation.run(work)


@client.command()
@click.argument("identifier", metavar="ID")
@click.pass_obj
def remove(invocation: Invocation, identifier: str) -> None:
    """Remove one, and end all that it was granted.

    One that was denied may come again.
    """

    async def work(database: Database, configuration: Configuration) -> None:
        await database.clients.remove(identifier)
        invocation.answer({"client_id": identifier}, f"{identifier} is removed.")

    invocation.run(work)


@client.command()
@click.argument("identifier", metavar="ID")
@click.pass_obj
def deny(invocation: Invocation, identifier: str) -> None:
    """Deny one that registered itself, and end all that it was granted."""

    async def work(database: Database, configuration: Configuration) -> None:
        if await database.clients.get(identifier) is not None:
            raise AlreadyExists(f"There is a record of {identifier}: remove it instead.")
        if not isDocumentAddress(identifier):
            await _findRegistered(identifier, database, configuration)
        await database.clients.add(deniedClient(identifier, time()))
        await database.revocations.revoke([clientTag(configuration.issuer, identifier)], DENIED)
        invocation.answer({"client_id": identifier}, f"{identifier} is denied.")

    invocation.run(work)


async def _findRegistered(
    identifier: str, database: Database, configuration: Configuration
) -> Client:
    """
    A client that registered itself.
    """
    sealer = readKeyFile(configuration.keyFile).sealer("client-ids")
    clients = Clients(database.clients, database.revocations, configuration.issuer, sealer)
    try:
        return await clients.find(identifier)
    except OAuthError:
        raise NotFound(f"There is no client {identifier}.") from None


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
