"""
C{mailauth key}.
"""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import click

from ...oauth.jwt import publicKeyToPEM
from ...stores.database import Database
from ...stores.events import THE_COMMAND
from ..actions.keys import ALGORITHMS
from ..administration import Administration
from ..config import Configuration
from ..keys import PURPOSE, StoredKeys
from ..sealing import readKeyFile
from .invocation import Invocation, isoTime, refuse


@click.group()
def key() -> None:
    """The keys that the built-in issuer signs with."""


def storedKeys(database: Database, configuration: Configuration) -> StoredKeys:
    """
    The keys as the service has them.
    """
    sealer = readKeyFile(configuration.keyFile).sealer(PURPOSE)
    return StoredKeys(database.signingKeys, database.revocations, sealer, monotonic)


@key.command("list")
@click.pass_obj
def listAll(invocation: Invocation) -> None:
    """Show all keys, the newest first."""

    async def work(administration: Administration, configuration: Configuration) -> None:
        rows = [
            {
                "id": each.key.kid,
                "algorithm": each.key.algorithm,
                "signs": each.signs,
                "created": isoTime(each.key.created),
                "retired": isoTime(each.key.retired),
            }
            for each in await administration.keys.list()
        ]
        invocation.answerTable(rows, ("id", "algorithm", "signs", "created", "retired"))

    invocation.administer(work)


_algorithm = click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    default=ALGORITHMS[0],
    show_default=True,
)


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

    async def work(administration: Administration, configuration: Configuration) -> None:
        new = await administration.keys.rotate(THE_COMMAND, algorithm, atOnce)
        when = "now" if new.signs else f"from {isoTime(new.signsFrom)} on"
        invocation.answer({"id": new.key.kid}, f"{new.key.kid} signs {when}.")

    invocation.administer(work)


@key.command()
@click.argument("kid", metavar="ID")
@_algorithm
@click.pass_obj
def revoke(invocation: Invocation, kid: str, algorithm: str) -> None:
    """Refuse every token that a key signed, for it is in wrong hands.

    If it was the one that signs, a new one signs at once.
    """

    async def work(administration: Administration, configuration: Configuration) -> None:
        new = await administration.keys.revoke(THE_COMMAND, kid, algorithm)
        then = "" if new is None else f" {new.kid} signs now."
        invocation.answer({"id": kid}, f"{kid} is revoked.{then}")

    invocation.administer(work)


@key.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def export(invocation: Invocation, directory: Path) -> None:
    """Write the public keys to files, for servers that verify tokens without asking.

    They are in PEM at DIRECTORY/default/ALGORITHM/ID, where Dovecot looks for them. The file of a
    key whose tokens are good no longer is removed.
    """

    async def work(database: Database, configuration: Configuration) -> None:
        keys = storedKeys(database, configuration)
        await keys.load()
        published = {key.kid: key for key in keys.verifyingKeys()}
        try:
            for record in await database.signingKeys.list():
                path = directory / "default" / record.algorithm / record.kid
                if record.kid in published:
                    _writeFile(path, publicKeyToPEM(published[record.kid]))
                else:
                    path.unlink(missing_ok=True)
        except OSError as error:
            refuse(f"{error.filename}: {error.strerror}")
        answer = {"directory": str(directory), "ids": [*published]}
        invocation.answer(answer, f"{len(published)} keys are in {directory}.")

    invocation.run(work)


def _writeFile(path: Path, content: bytes) -> None:
    """
    Write a file that others may be reading.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    temporary.write_bytes(content)
    temporary.replace(path)
