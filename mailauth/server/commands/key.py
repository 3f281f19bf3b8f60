"""
C{mailauth key}.
"""

from __future__ import annotations

from time import time

import click

from ...credentials import keyTag
from ...stores.database import Database
from ...stores.records import SigningKey
from ..config import Configuration
from ..keys import (
    MAX_TOKEN_LIFETIME,
    PUBLISHED_FIRST,
    PURPOSE,
    newSigningKey,
    signingKey,
)
from ..keys import rotate as rotateKeys
from ..sealing import readKeyFile
from .invocation import Invocation, isoTime


@click.group()
def key() -> None:
    """The keys that the built-in issuer signs with."""


@key.command("list")
@click.pass_obj
def listAll(invocation: Invocation) -> None:
    """Show all keys, the newest first."""

    async def work(database: Database, configuration: Configuration) -> None:
        keys = await database.signingKeys.list()
        signs = signingKey(keys, time())
        rows = [
            {
                "id": each.kid,
                "algorithm": each.algorithm,
                "signs": each == signs,
                "created": isoTime(each.created),
                "retired": isoTime(each.retired),
            }
            for each in keys
        ]
        invocation.answerTable(rows, ("id", "algorithm", "signs", "created", "retired"))

    invocation.run(work)


_algorithm = click.option(
    "--algorithm",
    type=click.Choice(("ES256", "RS256", "EdDSA")),
    default="ES256",
    show_default=True,
)


def _newKey(configuration: Configuration, algorithm: str) -> SigningKey:
    return newSigningKey(readKeyFile(configuration.keyFile).sealer(PURPOSE), time(), algorithm)


@key.command()
@_algorithm
@click.option(
    "--now",
    "atOnce",
    is_flag=True,
    help="Sign with it at once, and not when everybody can have seen it.",
)
@click.pass_obj
def rotate(invocation: Invocation, algorithm: str, atOnce: bool) -> None:
    """Publish a new key, which takes over in an hour.

    Tokens of the old ones stay good until they expire.
    """

    async def work(database: Database, configuration: Configuration) -> None:
        new = _newKey(configuration, algorithm)
        await rotateKeys(database.signingKeys, new, atOnce)
        when = "now" if atOnce else f"from {isoTime(new.created + PUBLISHED_FIRST)} on"
        invocation.answer({"id": new.kid}, f"{new.kid} signs {when}.")

    invocation.run(work)


@key.command()
@click.argument("kid", metavar="ID")
@_algorithm
@click.pass_obj
def revoke(invocation: Invocation, kid: str, algorithm: str) -> None:
    """Refuse every token that a key signed, for it is in wrong hands.

    If it was the one that signs, a new one signs at once.
    """

    async def work(database: Database, configuration: Configuration) -> None:
        store = database.signingKeys
        now = time()
        await store.retire(kid, now - MAX_TOKEN_LIFETIME)
        done = f"{kid} is revoked."
        if signingKey(await store.list(), now) is None:
            new = _newKey(configuration, algorithm)
            await store.add(new)
            done += f" {new.kid} signs now."
        # Whatever was accepted because of the key is in the caches of the service.
        await database.revocations.revoke(
            [keyTag(configuration.issuer, kid)], "The key of this token was revoked"
        )
        invocation.answer({"id": kid}, done)

    invocation.run(work)
