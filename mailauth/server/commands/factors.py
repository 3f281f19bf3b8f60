"""
C{mailauth account totp} and C{mailauth account passkeys}: what an account signs in with besides its
password.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

import click
import segno

from ...oauth.records import Passkey
from ...stores.events import THE_COMMAND
from ..actions.factors import passkeyId
from ..administration import Administration
from ..config import Configuration
from ..factors import Enrolment
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

    async def work(administration: Administration, configuration: Configuration) -> None:
        account = accountName(name, configuration)
        if remove:
            await administration.factors.removeTOTP(THE_COMMAND, account)
            invocation.answer({"name": account}, f"{account} signs in with its password alone.")
            return
        enrolment = await administration.factors.enrolTOTP(THE_COMMAND, account)
        fields = {
            "name": account,
            "uri": enrolment.uri,
            "recovery_codes": list(enrolment.recoveryCodes),
        }
        invocation.answer(fields, _describe(enrolment))

    invocation.administer(work)


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

    async def work(administration: Administration, configuration: Configuration) -> None:
        account = accountName(name, configuration)
        if identifier is not None:
            await administration.factors.removePasskey(THE_COMMAND, account, identifier)
            invocation.answer({"id": identifier}, f"{identifier} is removed.")
            return
        found = (await administration.factors.list(account)).passkeys
        rows = [_fields(each) for each in found]
        invocation.answerTable(rows, ("id", "name", "created", "last_used"))

    invocation.administer(work)


def _fields(passkey: Passkey) -> dict[str, Any]:
    return {
        "id": passkeyId(passkey),
        "name": passkey.name,
        "created": isoTime(passkey.created),
        "last_used": isoTime(passkey.lastUse or None),
    }
