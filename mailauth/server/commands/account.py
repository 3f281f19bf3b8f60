"""
C{mailauth account}.
"""

from __future__ import annotations

import sys
from time import time
from typing import Any

import click
from twisted.internet.threads import deferToThread

from ...passwords import hashChosen
from ...policy import PASSWORD_RULES
from ...stores.database import Database
from ...stores.records import Account, Identity, NotFound
from ..config import Configuration
from .invocation import Invocation, accountName, cell, isoTime, readSecret, refuse


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

    async def work(database: Database, configuration: Configuration) -> None:
        hashed = await _hashed(password, configuration)
        canonical = accountName(name, configuration)
        await database.accounts.add(
            Account(canonical, hashed, passwordRule=password_rule, created=time())
        )
        invocation.answer({"name": canonical}, f"{canonical} is added.")

    invocation.run(work)


async def _hashed(password: bytes | None, configuration: Configuration) -> str | None:
    if password is None:
        return None
    return await deferToThread(hashChosen, password, configuration.hashCost)


@account.command("list")
@click.pass_obj
def listAll(invocation: Invocation) -> None:
    """Show all accounts."""

    async def work(database: Database, configuration: Configuration) -> None:
        rows = [_fields(each) for each in await database.accounts.list()]
        invocation.answerTable(rows, ("name", "enabled", "password_rule", "created"))

    invocation.run(work)


@account.command()
@click.argument("name")
@click.pass_obj
def show(invocation: Invocation, name: str) -> None:
    """Show one account."""

    async def work(database: Database, configuration: Configuration) -> None:
        canonical = accountName(name, configuration)
        found = await database.accounts.get(canonical)
        if found is None:
            raise NotFound(f"There is no account {canonical}.")
        fields = _fields(found)
        invocation.answer(
            fields, "\n".join(f"{key}: {cell(value)}" for key, value in fields.items())
        )

    invocation.run(work)


@account.command()
@click.argument("name")
@click.pass_obj
def disable(invocation: Invocation, name: str) -> None:
    """Let nobody into an account, and end its open connections."""
    _change(invocation, name, "disable", "is disabled, and its connections end.")


@account.command()
@click.argument("name")
@click.pass_obj
def enable(invocation: Invocation, name: str) -> None:
    """Let an account in again. Tokens from before stay dead."""
    _change(invocation, name, "enable", "is enabled.")


@account.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Ask nothing, as from a script.")
@click.pass_obj
def remove(invocation: Invocation, name: str, yes: bool) -> None:
    """Remove an account with its app passwords. Its mail stays on disk."""
    if not yes and sys.stdin.isatty():
        question = "The account and its app passwords will be gone. Go on?"
        click.confirm(question, abort=True, err=True)
    _change(invocation, name, "remove", "is removed.")


def _change(invocation: Invocation, name: str, method: str, says: str, *arguments: Any) -> None:
    async def work(database: Database, configuration: Configuration) -> None:
        canonical = accountName(name, configuration)
        await getattr(database.accounts, method)(canonical, *arguments)
        invocation.answer({"name": canonical}, f"{canonical} {says}")

    invocation.run(work)


@account.command()
@click.argument("name")
@click.pass_obj
def password(invocation: Invocation, name: str) -> None:
    """Set the account password.

    It is read from standard input, or asked for. Tokens and open connections of the account end;
    app passwords stay.
    """
    secret = readSecret("New password", confirm=True)

    async def work(database: Database, configuration: Configuration) -> None:
        hashed = await _hashed(secret, configuration)
        canonical = accountName(name, configuration)
        assert hashed is not None
        await database.accounts.setPassword(canonical, hashed)
        invocation.answer({"name": canonical}, f"{canonical} has a new password.")

    invocation.run(work)


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
    _change(invocation, name, "setPasswordRule", f"has the rule {rule!r}.", chosen)


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

    async def work(database: Database, configuration: Configuration) -> None:
        canonical = accountName(name, configuration)
        if await database.accounts.get(canonical) is None:
            raise NotFound(f"There is no account {canonical}.")
        if link is not None:
            issuer, subject = _issuerURL(link[0], configuration), link[1]
            await database.identities.link(Identity(issuer, subject, canonical, time()))
        elif unlink is not None:
            await _unlink(database, canonical, _issuerURL(unlink[0], configuration), unlink[1])
        rows = [
            {"issuer": each.issuer, "subject": each.subject, "linked": isoTime(each.created)}
            for each in await database.identities.list(canonical)
        ]
        invocation.answerTable(rows, ("issuer", "subject", "linked"))

    invocation.run(work)


async def _unlink(database: Database, account: str, issuer: str, subject: str) -> None:
    linked = await database.identities.list(account)
    if (issuer, subject) not in [(each.issuer, each.subject) for each in linked]:
        raise NotFound(f"{account} is not linked with {subject} of {issuer}.")
    await database.identities.unlink(issuer, subject)


def _issuerURL(named: str, configuration: Configuration) -> str:
    """
    The URL of an external issuer, also of one that the configuration has no more; or the end.
    """
    urls = {each.name: each.url for each in configuration.externalIssuers}
    url = urls.get(named, named)
    if not url.startswith("https://"):
        refuse(f"The configuration has no external issuer {named}, and it is no https URL.")
    return url


def _fields(each: Account) -> dict[str, Any]:
    return {
        "name": each.name,
        "enabled": each.enabled,
        "has_password": each.passwordHash is not None,
        "password_rule": each.passwordRule,
        "created": isoTime(each.created),
    }
