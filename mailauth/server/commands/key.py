"""
C{mailauth key}.
"""

from __future__ import annotations

from time import time

import click

from ...stores.database import Database
from ..config import Configuration
from ..keys import newSigningKey
from .invocation import Invocation, isoTime


@click.group()
def key() -> None:
    """The keys that the built-in issuer signs with."""


@key.command("list")
@click.pass_obj
def listAll(invocation: Invocation) -> None:
    """Show all keys, the newest first."""

    async def work(database: Database, configuration: Configuration) -> None:
        rows = [
            {
                "id": each.kid,
                "algorithm": each.algorithm,
                "created": isoTime(each.created),
                "retired": isoTime(each.retired),
            }
            for each in await database.signingKeys.list()
        ]
        invocation.answerTable(rows, ("id", "algorithm", "created", "retired"))

    invocation.run(work)


@key.command()
@click.option(
    "--algorithm",
    type=click.Choice(("ES256", "RS256", "EdDSA")),
    default="ES256",
    show_default=True,
)
@click.pass_obj
def rotate(invocation: Invocation, algorithm: str) -> None:
    """Sign with a new key. Tokens of the old ones stay good until they expire."""

    async def work(database: Database, configuration: Configuration) -> None:
        now = time()
        old = [each for each in await database.signingKeys.list() if each.retired is None]
        new = newSigningKey(now, algorithm)
        await database.signingKeys.add(new)
        for each in old:
            await database.signingKeys.retire(each.kid, now)
        invocation.answer({"id": new.kid}, f"{new.kid} signs now.")

    invocation.run(work)
