"""
C{mailauth session}: who is in, and by what.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import time
from typing import Any

import click

from ...credentials import accountTag
from ...scopes import formatScope
from ...stores.database import Database
from ...stores.records import NotFound
from ..config import Configuration
from ..control import NotRunning, ask
from ..liveness import isRevoked
from .invocation import Invocation, accountName, isoTime, refuse

ENDED = "Ended by the administrator"


@click.group()
def session() -> None:
    """Open connections, connected applications and signed-in browsers."""


@session.command("list")
@click.argument("name", required=False)
@click.pass_obj
def listAll(invocation: Invocation, name: str | None) -> None:
    """Show who is in: everybody, or one account."""

    async def work(database: Database, configuration: Configuration) -> None:
        only = None if name is None else accountName(name, configuration)
        rows = _connections(configuration, only)
        for account in await _accounts(database, only):
            rows += await _grants(database, configuration, account)
            rows += await _browsers(database, account)
        invocation.answerTable(
            rows, ("id", "kind", "account", "what", "address", "program", "lastUse")
        )

    invocation.run(work)


def _connections(configuration: Configuration, only: str | None) -> list[dict[str, Any]]:
    try:
        opened = ask(configuration.directory, {"list": True})
    except NotRunning:
        # Nobody is connected to a server that does not run.
        return []
    return [
        {
            "id": each["id"],
            "kind": "connection",
            "account": each["account"],
            "what": each["service"],
            "address": each["address"],
            "program": each["program"],
            "lastUse": None,
        }
        for each in opened
        if only in (None, each["account"])
    ]


async def _accounts(database: Database, only: str | None) -> Iterable[str]:
    if only is None:
        return [account.name for account in await database.accounts.list()]
    if await database.accounts.get(only) is None:
        raise NotFound(f"There is no account {only}.")
    return [only]


async def _grants(
    database: Database, configuration: Configuration, account: str
) -> list[dict[str, Any]]:
    return [
        {
            "id": grant.grantId,
            "kind": "application",
            "account": account,
            "what": formatScope(grant.scope),
            "address": grant.address,
            "program": grant.clientId,
            "lastUse": isoTime(grant.lastUse or grant.created),
        }
        for grant in await database.grants.list(account)
        if not isRevoked(grant, configuration.issuer, database.revocations)
    ]


async def _browsers(database: Database, account: str) -> list[dict[str, Any]]:
    return [
        {
            "id": browser.identifier,
            "kind": "browser",
            "account": account,
            "what": "signed in",
            "address": browser.address,
            "program": browser.browser,
            "lastUse": isoTime(browser.lastUse or browser.created),
        }
        for browser in await database.browserSessions.list(account)
        if time() < browser.expires
        and not database.revocations.covers(
            browser.authentication.tags | browser.authentication.sessionTags,
            browser.authentication.when,
        )
    ]


@session.command()
@click.argument("identifier", metavar="ID", required=False)
@click.option("--account", help="End all that there is of one account.")
@click.pass_obj
def end(invocation: Invocation, identifier: str | None, account: str | None) -> None:
    """End a connection, an application or a browser by its id, or everything of an account.

    An application has to be allowed again, and its connections end. App passwords stay valid.
    """
    if (identifier is None) == (account is None):
        raise click.UsageError("Give an ID, or --account NAME.")

    async def work(database: Database, configuration: Configuration) -> None:
        if account is not None:
            name = accountName(account, configuration)
            await _accounts(database, name)
            await database.revocations.revoke([accountTag(name)], ENDED)
            invocation.answer({"account": name}, f"Everything of {name} is ended.")
            return
        if not await _end(database, configuration, identifier or ""):
            refuse(f"There is nothing open with the id {identifier}.")
        invocation.answer({"id": identifier}, f"{identifier} is ended.")

    invocation.run(work)


async def _end(database: Database, configuration: Configuration, identifier: str) -> bool:
    """
    @return: whether there was one of that id.
    """
    if await database.grants.get(identifier) is not None:
        await database.grants.revoke(identifier, ENDED)
        return True
    if await database.browserSessions.end(identifier) is not None:
        return True
    try:
        return bool(ask(configuration.directory, {"end": identifier}))
    except NotRunning:
        return False
