"""
C{mailauth account totp} and C{mailauth account passkeys}: what an account signs in with besides its
password.
"""

from __future__ import annotations

from hashlib import sha256
from io import StringIO
from time import monotonic
from typing import Any

import click
import segno

from ...oauth.records import Passkey
from ...stores.database import Database
from ...stores.records import NotFound
from ..config import Configuration
from ..factors import PURPOSE, Enrolment, SecondFactors
from ..sealing import readKeyFile
from .invocation import Invocation, accountName, isoTime


@click.command()
@click.argument("name")
@click.option("--remove", is_flag=True, help="Ask for the password alone from now on.")
@click.pass_obj
def totp(invocation: Invocation, name: str, remove: bool) -> None:
    """Let an account need a code of an authenticator app besides its password.

    Its secret and ten recovery codes are shown now, and never again. They take the place of those
    that the account had.
    """

    async def work(database: Database, configuration: Configuration) -> None:
        account = accountName(name, configuration)
        sealer = readKeyFile(configuration.keyFile).sealer(PURPOSE)
        factors = SecondFactors(database.factors, sealer, monotonic)
        if remove:
            await factors.remove(account)
            invocation.answer({"name": account}, f"{account} signs in with its password alone.")
            return
        enrolment = await factors.enrol(account, configuration.hostname)
        fields = {
            "name": account,
            "uri": enrolment.uri,
            "recovery_codes": list(enrolment.recoveryCodes),
        }
        invocation.answer(fields, _describe(enrolment))

    invocation.run(work)


def _describe(enrolment: Enrolment) -> str:
    """
    What an authenticator app reads with a camera, what is typed where there is none, and what is
    kept on paper.
    """
    code = StringIO()
    segno.make(enrolment.uri).terminal(code, compact=True)
    return "\n".join(
        (
            code.getvalue(),
            enrolment.uri,
            "",
            "Recovery codes, each of them good once:",
            *enrolment.recoveryCodes,
        )
    )


@click.command()
@click.argument("name")
@click.option("--remove", "identifier", metavar="ID", help="Remove this one.")
@click.pass_obj
def passkeys(invocation: Invocation, name: str, identifier: str | None) -> None:
    """Show the passkeys of an account, with their ids."""

    async def work(database: Database, configuration: Configuration) -> None:
        account = accountName(name, configuration)
        if await database.accounts.get(account) is None:
            raise NotFound(f"There is no account {account}.")
        found = {_idOf(each): each for each in await database.factors.listPasskeys(account)}
        if identifier is None:
            rows = [_fields(each) for each in found.values()]
            invocation.answerTable(rows, ("id", "name", "created", "last_used"))
            return
        if identifier not in found:
            raise NotFound(f"{account} has no passkey {identifier}.")
        await database.factors.removePasskey(account, found[identifier].credentialId)
        invocation.answer({"id": identifier}, f"{identifier} is removed.")

    invocation.run(work)


def _idOf(passkey: Passkey) -> str:
    """
    Something short for its id, which an authenticator may make a thousand octets long.
    """
    return sha256(passkey.credentialId).hexdigest()[:8]


def _fields(passkey: Passkey) -> dict[str, Any]:
    return {
        "id": _idOf(passkey),
        "name": passkey.name,
        "created": isoTime(passkey.created),
        "last_used": isoTime(passkey.lastUse or None),
    }
