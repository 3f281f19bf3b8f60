"""
C{mailauth app-password}.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from time import time
from typing import Any

import click

from ...passwords import checkImported, digestAppPassword, makeAppPassword
from ...scopes import MAIL_SERVICES
from ...stores.database import Database
from ...stores.records import AppPassword, NotFound
from ..config import Configuration
from ..toml import parseDuration
from .invocation import Invocation, accountName, isoTime


@click.group("app-password")
def appPassword() -> None:
    """Passwords for single mail programs."""


def expiry(value: str) -> float:
    """
    A time from now on, or a date.

    @return: in seconds since the epoch.
    """
    try:
        if re.fullmatch(r"[0-9]{4}-.*", value):
            when = datetime.fromisoformat(value)
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        return (datetime.now(UTC) + timedelta(seconds=parseDuration(value))).timestamp()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is neither a time such as 90d nor a date such as 2027-01-31"
        ) from None


def network(value: str) -> str:
    """
    A network in CIDR notation.

    @return: in the form that it is stored in.
    """
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no network such as 192.0.2.0/24 or 2001:db8::/32"
        ) from None


_limits = (
    click.option("--name", "label", required=True, help="What it is for, such as 'phone'."),
    click.option(
        "--service",
        "services",
        multiple=True,
        type=click.Choice(MAIL_SERVICES),
        help="What it may be used for; everything if you do not say.",
    ),
    click.option("--read-only", is_flag=True, help="It may read, and change or send nothing."),
    click.option(
        "--expires", type=expiry, metavar="90d|DATE", help="When it ends; never if you do not say."
    ),
    click.option(
        "--from",
        "networks",
        multiple=True,
        type=network,
        metavar="CIDR",
        help="Where it may be used from; anywhere if you do not say.",
    ),
)


def _limited(command: Any) -> Any:
    for option in reversed(_limits):
        command = option(command)
    return command


@appPassword.command()
@click.argument("name")
@_limited
@click.pass_obj
def add(invocation: Invocation, /, name: str, **limits: Any) -> None:
    """Make an app password. It is shown now, and never again."""

    async def work(database: Database, configuration: Configuration) -> None:
        secret = makeAppPassword()
        digest = digestAppPassword(secret.encode("ascii"))
        made = _make(accountName(name, configuration), limits, digest=digest)
        await database.appPasswords.add(made)
        invocation.answer({**_fields(made), "secret": secret}, secret)

    invocation.run(work)


@appPassword.command("import")
@click.argument("name")
@click.option("--hash", "passwordHash", required=True, help="Such as '{BLF-CRYPT}$2b$12$...'.")
@_limited
@click.pass_obj
def importHash(invocation: Invocation, /, name: str, passwordHash: str, **limits: Any) -> None:
    """Take over a password of another system by its bcrypt hash."""

    async def work(database: Database, configuration: Configuration) -> None:
        checkImported(passwordHash)
        made = _make(accountName(name, configuration), limits, imported=passwordHash)
        await database.appPasswords.add(made)
        invocation.answer(_fields(made), f"{made.identifier} is imported.")

    invocation.run(work)


def _make(account: str, limits: dict[str, Any], **secret: Any) -> AppPassword:
    return AppPassword(
        identifier=secrets.token_hex(4),
        account=account,
        name=limits["label"],
        services=frozenset(limits["services"]),
        readOnly=limits["read_only"],
        created=time(),
        expires=limits["expires"],
        networks=limits["networks"],
        **secret,
    )


@appPassword.command("list")
@click.argument("name")
@click.pass_obj
def listAll(invocation: Invocation, name: str) -> None:
    """Show the app passwords of an account, with their ids."""

    async def work(database: Database, configuration: Configuration) -> None:
        account = accountName(name, configuration)
        if await database.accounts.get(account) is None:
            raise NotFound(f"There is no account {account}.")
        found = await database.appPasswords.list(account)
        invocation.answerTable(
            [_fields(each) for each in found],
            ("id", "name", "services", "read_only", "expires", "from", "last_used", "last_from"),
        )

    invocation.run(work)


@appPassword.command()
@click.argument("name")
@click.argument("identifier", metavar="ID")
@click.pass_obj
def revoke(invocation: Invocation, name: str, identifier: str) -> None:
    """End an app password, and the connections that it opened."""

    async def work(database: Database, configuration: Configuration) -> None:
        await database.appPasswords.revoke(accountName(name, configuration), identifier)
        invocation.answer({"id": identifier}, f"{identifier} is revoked.")

    invocation.run(work)


def _fields(each: AppPassword) -> dict[str, Any]:
    use = each.lastUse
    return {
        "id": each.identifier,
        "name": each.name,
        "services": sorted(each.services),
        "read_only": each.readOnly,
        "created": isoTime(each.created),
        "expires": isoTime(each.expires),
        "from": list(each.networks),
        "imported": each.imported is not None,
        "last_used": use and isoTime(use.time),
        "last_service": use and use.service,
        "last_from": use and use.address,
        "last_mail_client": use and use.mailClient,
    }
