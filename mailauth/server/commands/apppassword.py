"""
C{mailauth app-password}.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import click

from ...scopes import MAIL_SERVICES
from ...stores.events import THE_COMMAND
from ...stores.records import SEND_ONLY, AppPassword
from ..actions.apppasswords import (
    AppPasswordLimits,
    ImportedLine,
    UnusableLimits,
    networkOf,
)
from ..administration import Administration
from ..config import Configuration
from ..toml import parseDuration
from .invocation import Invocation, accountName, isoTime, refuse


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
        return networkOf(value)
    except UnusableLimits as error:
        raise click.BadParameter(str(error)) from None


_limits = (
    click.option("--name", "label", help="What it is for, such as 'phone'."),
    click.option(
        "--service",
        "services",
        multiple=True,
        type=click.Choice(MAIL_SERVICES),
        help="What it may be used for; everything if you do not say.",
    ),
    click.option("--send-only", is_flag=True, help="It may send, and read nothing."),
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
def add(invocation: Invocation, /, name: str, **said: Any) -> None:
    """Make an app password. It is shown now, and never again."""
    limits = _limitsOf(said)

    async def work(administration: Administration, configuration: Configuration) -> None:
        account = accountName(name, configuration)
        made = await administration.appPasswords.make(THE_COMMAND, account, limits)
        invocation.answer({**_fields(made.record), "secret": made.secret}, made.secret)

    invocation.administer(work)


@appPassword.command("import")
@click.argument("source", metavar="FILE|NAME")
@click.option("--hash", "passwordHash", help="That of one password of NAME: '{BLF-CRYPT}$2b$...'.")
@_limited
@click.pass_obj
def importHashes(
    invocation: Invocation, /, source: str, passwordHash: str | None, **said: Any
) -> None:
    """Take over passwords of another system by their bcrypt hashes.

    FILE has a line for each: account:{BLF-CRYPT}$2y$...:what it is for. The last is optional; "-"
    is standard input. A line that is wrong keeps no other from being taken, and a line that was
    taken before is not taken again. The status is 1 if one is wrong.
    """
    if passwordHash is None:
        _importFile(invocation, source)
    limits = _limitsOf(said)

    async def work(administration: Administration, configuration: Configuration) -> None:
        account = accountName(source, configuration)
        made = await administration.appPasswords.importHash(
            THE_COMMAND, account, passwordHash, limits
        )
        invocation.answer(_fields(made), f"{made.identifier} is imported.")

    invocation.administer(work)


def _importFile(invocation: Invocation, path: str) -> NoReturn:
    try:
        with click.open_file(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror}")

    async def work(administration: Administration, configuration: Configuration) -> None:
        report = await administration.appPasswords.importLines(THE_COMMAND, lines)
        rows = [_lineFields(each) for each in report]
        invocation.answerTable(rows, ("line", "account", "id", "problem"))
        if any(each.problem is not None for each in report):
            raise SystemExit(1)

    invocation.administer(work)


def _limitsOf(said: dict[str, Any]) -> AppPasswordLimits:
    if said["label"] is None:
        raise click.UsageError("Say what it is for, with --name.")
    if said["send_only"] and said["services"]:
        raise click.UsageError("--send-only and --service cannot both be.")
    return AppPasswordLimits(
        said["label"],
        SEND_ONLY if said["send_only"] else frozenset(said["services"]),
        said["read_only"],
        said["expires"],
        said["networks"],
    )


@appPassword.command("list")
@click.argument("name")
@click.pass_obj
def listAll(invocation: Invocation, name: str) -> None:
    """Show the app passwords of an account, with their ids."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        found = await administration.appPasswords.list(accountName(name, configuration))
        invocation.answerTable(
            [_fields(each) for each in found],
            (
                "id",
                "name",
                "services",
                "read_only",
                "send_only",
                "expires",
                "from",
                "last_used",
                "last_from",
            ),
        )

    invocation.administer(work)


@appPassword.command()
@click.argument("name")
@click.argument("identifier", metavar="ID")
@click.pass_obj
def revoke(invocation: Invocation, name: str, identifier: str) -> None:
    """End an app password, and the connections that it opened."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        account = accountName(name, configuration)
        await administration.appPasswords.revoke(THE_COMMAND, account, identifier)
        invocation.answer({"id": identifier}, f"{identifier} is revoked.")

    invocation.administer(work)


def _lineFields(each: ImportedLine) -> dict[str, Any]:
    return {
        "line": each.number,
        "account": each.account,
        "id": each.imported and each.imported.identifier,
        "problem": each.problem,
    }


def _fields(each: AppPassword) -> dict[str, Any]:
    use = each.lastUse
    return {
        "id": each.identifier,
        "name": each.name,
        "services": sorted(each.services),
        "read_only": each.readOnly,
        "send_only": each.sendOnly,
        "created": isoTime(each.created),
        "expires": isoTime(each.expires),
        "from": list(each.networks),
        "imported": each.imported is not None,
        "last_used": use and isoTime(use.time),
        "last_service": use and use.service,
        "last_from": use and use.address,
        "last_mail_client": use and use.mailClient,
    }
