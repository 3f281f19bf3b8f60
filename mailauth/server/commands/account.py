"""
C{mailauth account}.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import click

from ...policy import PASSWORD_RULES
from ...stores.events import THE_COMMAND
from ...stores.records import Account
from ..administration import Administration
from ..config import Configuration
from .invocation import Invocation, accountName, cell, isoTime, readSecret


@click.group()
def account() -> None:
    """The people who have mail here."""


@account.command()
@click.argument("name")
@click.option("--no-password", is_flag=True, help="OAuth and app passwords only.")
@click.option(
    "--password-rule",
    type=click.Choice(PASSWORD_RULES),
    help="Where the account password may be used; what its domain says if you do not.",
)
@click.pass_obj
def add(invocation: Invocation, name: str, no_password: bool, password_rule: str | None) -> None:
    """Make an account. The password is read from standard input, or asked for."""
    password = None if no_password else readSecret("Password", confirm=True)

    async def work(administration: Administration, configuration: Configuration) -> None:
        made = await administration.accounts.create(THE_COMMAND, name, password, password_rule)
        invocation.answer({"name": made.name}, f"{made.name} is added.")

    invocation.administer(work)


@account.command("list")
@click.option("--search", "word", default="", help="What the name or an alias has in it.")
@click.pass_obj
def listAll(invocation: Invocation, word: str) -> None:
    """Show all accounts, or those that you look for."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        found = [each async for each in administration.accounts.findAll(word)]
        invocation.answerTable(
            [_fields(each) for each in found], ("name", "enabled", "password_rule", "created")
        )

    invocation.administer(work)


@account.command()
@click.argument("name")
@click.pass_obj
def show(invocation: Invocation, name: str) -> None:
    """Show one account."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        found = await administration.accounts.get(accountName(name, configuration))
        aliases = await administration.accounts.listAliases(found.name)
        fields = {
            **_fields(found),
            "aliases": [each.address for each in aliases],
            "app_passwords": len(await administration.appPasswords.list(found.name)),
            "app_password_limit": await administration.appPasswords.limit(found.name),
        }
        invocation.answer(
            fields, "\n".join(f"{key}: {cell(value)}" for key, value in fields.items())
        )

    invocation.administer(work)


@account.command()
@click.argument("name")
@click.pass_obj
def disable(invocation: Invocation, name: str) -> None:
    """Let nobody into an account, and end its open connections."""
    _change(
        invocation,
        name,
        lambda to, account: to.accounts.disable(THE_COMMAND, account),
        "is disabled, and its connections end.",
    )


@account.command()
@click.argument("name")
@click.pass_obj
def enable(invocation: Invocation, name: str) -> None:
    """Let an account in again. Tokens from before stay dead."""
    _change(
        invocation,
        name,
        lambda to, account: to.accounts.enable(THE_COMMAND, account),
        "is enabled.",
    )


@account.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Ask nothing, as from a script.")
@click.pass_obj
def remove(invocation: Invocation, name: str, yes: bool) -> None:
    """Remove an account with its app passwords and aliases. Its mail stays on disk."""
    if not yes and sys.stdin.isatty():
        question = "The account and its app passwords will be gone. Go on?"
        click.confirm(question, abort=True, err=True)
    _change(
        invocation,
        name,
        lambda to, account: to.accounts.remove(THE_COMMAND, account),
        "is removed.",
    )


def _change(
    invocation: Invocation,
    name: str,
    change: Callable[[Administration, str], Awaitable[object]],
    says: str,
) -> NoReturn:
    async def work(administration: Administration, configuration: Configuration) -> None:
        canonical = accountName(name, configuration)
        await change(administration, canonical)
        invocation.answer({"name": canonical}, f"{canonical} {says}")

    invocation.administer(work)


@account.command()
@click.argument("name")
@click.option("--none", "cleared", is_flag=True, help="OAuth and app passwords only.")
@click.pass_obj
def password(invocation: Invocation, name: str, cleared: bool) -> None:
    """Set the account password.

    It is read from standard input, or asked for. Tokens and open connections of the account end;
    app passwords stay.
    """
    if cleared:
        _change(
            invocation,
            name,
            lambda to, account: to.accounts.clearPassword(THE_COMMAND, account),
            "has no password.",
        )
    secret = readSecret("New password", confirm=True)
    _change(
        invocation,
        name,
        lambda to, account: to.accounts.setPassword(THE_COMMAND, account, secret),
        "has a new password.",
    )


@account.command("password-rule")
@click.argument("name")
@click.argument("rule", type=click.Choice((*PASSWORD_RULES, "domain")))
@click.pass_obj
def passwordRule(invocation: Invocation, name: str, rule: str) -> None:
    """Say where the account password may be used.

    "web": not by mail programs. "everywhere": by them too. "domain": what the configuration says
    for its domain.
    """
    chosen = None if rule == "domain" else rule
    _change(
        invocation,
        name,
        lambda to, account: to.accounts.setPasswordRule(THE_COMMAND, account, chosen),
        f"has the rule {rule!r}.",
    )


@account.command()
@click.argument("name")
@click.argument("number", metavar="N|default")
@click.pass_obj
def quota(invocation: Invocation, name: str, number: str) -> None:
    """Say how many app passwords an account may have.

    "default": what the configuration says. Those that it has stay, however many.
    """
    if number != "default" and not number.isdecimal():
        raise click.BadParameter(f"{number!r} is neither a number nor 'default'")
    limit = None if number == "default" else int(number)
    says = "as many app passwords as others" if limit is None else f"{limit} app passwords"
    _change(
        invocation,
        name,
        lambda to, account: to.appPasswords.setLimit(THE_COMMAND, account, limit),
        f"may have {says}.",
    )


@account.group()
def alias() -> None:
    """Other addresses of an account.

    They receive mail for it, and it may send as them. Nobody logs in by one.
    """


@alias.command("add")
@click.argument("name")
@click.argument("address")
@click.pass_obj
def addAlias(invocation: Invocation, name: str, address: str) -> None:
    """Give an account another address."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        account = accountName(name, configuration)
        added = await administration.accounts.addAlias(THE_COMMAND, account, address)
        invocation.answer(
            {"name": account, "alias": added.address}, f"{added.address} is an alias of {account}."
        )

    invocation.administer(work)


@alias.command("remove")
@click.argument("name")
@click.argument("address")
@click.pass_obj
def removeAlias(invocation: Invocation, name: str, address: str) -> None:
    """Take an address away from an account."""
    _change(
        invocation,
        name,
        lambda to, account: to.accounts.removeAlias(THE_COMMAND, account, address),
        f"does not have the alias {address} any more.",
    )


@alias.command("list")
@click.argument("name")
@click.pass_obj
def listAliases(invocation: Invocation, name: str) -> None:
    """Show the other addresses of an account."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        found = await administration.accounts.get(accountName(name, configuration))
        rows = [
            {"alias": each.address, "created": isoTime(each.created)}
            for each in await administration.accounts.listAliases(found.name)
        ]
        invocation.answerTable(rows, ("alias", "created"))

    invocation.administer(work)


@account.command()
@click.argument("name")
@click.option(
    "--link",
    nargs=2,
    metavar="ISSUER SUBJECT",
    help="Who the owner is to an external issuer, in the place of who it was so far.",
)
@click.option("--unlink", nargs=2, metavar="ISSUER SUBJECT", help="Who it is not.")
@click.pass_obj
def identities(
    invocation: Invocation,
    name: str,
    link: tuple[str, str] | None,
    unlink: tuple[str, str] | None,
) -> None:
    """Show or change who the owner of an account is to external issuers.

    An issuer is named as in the configuration, or by its URL. What came of a link that is removed
    ends. Whoever the issuer then calls by the name of the account is linked with it, unless --link
    says who it is.
    """
    if link and unlink:
        raise click.UsageError("--link and --unlink cannot both be: --link replaces.")

    async def work(administration: Administration, configuration: Configuration) -> None:
        account, actions = accountName(name, configuration), administration.identities
        if link is not None:
            await actions.link(THE_COMMAND, account, *link)
        elif unlink is not None:
            await actions.unlink(THE_COMMAND, account, *unlink)
        rows = [
            {"issuer": each.issuer, "subject": each.subject, "linked": isoTime(each.created)}
            for each in await actions.list(account)
        ]
        invocation.answerTable(rows, ("issuer", "subject", "linked"))

    invocation.administer(work)


def _fields(each: Account) -> dict[str, Any]:
    return {
        "name": each.name,
        "enabled": each.enabled,
        "has_password": each.passwordHash is not None,
        "password_rule": each.passwordRule,
        "created": isoTime(each.created),
    }
