"""
C{mailauth session}: who is in, and by what.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from ...oauth.records import BrowserSession
from ...scopes import formatScope
from ...stores.events import THE_COMMAND
from ..actions.access import Application, Connection
from ..administration import Administration
from ..config import Configuration
from .invocation import Invocation, accountName, isoTime


@click.group()
def session() -> None:
    """Open connections, connected applications and signed-in browsers."""


@session.command("list")
@click.argument("name", required=False)
@click.pass_obj
def listAll(invocation: Invocation, name: str | None) -> None:
    """Show who is in: everybody, or one account."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        access = administration.access
        only = None if name is None else accountName(name, configuration)
        rows = [_connection(each) for each in access.listConnections(only)]
        for account in await _accounts(administration, only):
            rows += [_application(each) for each in await access.listApplications(account)]
            rows += [_browser(each) for each in await access.listBrowsers(account)]
        invocation.answerTable(
            rows, ("id", "kind", "account", "what", "address", "program", "lastUse")
        )

    invocation.administer(work)


async def _accounts(administration: Administration, only: str | None) -> Iterable[str]:
    if only is None:
        return [each.name async for each in administration.accounts.findAll()]
    return [(await administration.accounts.get(only)).name]


def _connection(each: Connection) -> dict[str, Any]:
    return {
        "id": each.identifier,
        "kind": "connection",
        "account": each.account,
        "what": each.service,
        "address": each.address,
        "program": each.program,
        "lastUse": None,
    }


def _application(each: Application) -> dict[str, Any]:
    return {
        "id": each.identifier,
        "kind": "application",
        "account": each.account,
        "what": formatScope(each.scope),
        "address": each.address,
        "program": each.name or each.clientId,
        "lastUse": isoTime(each.lastUse),
    }


def _browser(each: BrowserSession) -> dict[str, Any]:
    return {
        "id": each.identifier,
        "kind": "browser",
        "account": each.authentication.account,
        "what": "signed in",
        "address": each.address,
        "program": each.browser,
        "lastUse": isoTime(each.lastUse or each.created),
    }


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

    async def work(administration: Administration, configuration: Configuration) -> None:
        if account is not None:
            name = accountName(account, configuration)
            await administration.access.endAll(THE_COMMAND, name)
            invocation.answer({"account": name}, f"Everything of {name} is ended.")
            return
        await administration.access.end(THE_COMMAND, None, identifier or "")
        invocation.answer({"id": identifier}, f"{identifier} is ended.")

    invocation.administer(work)
