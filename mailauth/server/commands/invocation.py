"""
What every command shares: which configuration it is about, how it gets at the stores, and how it
answers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

import attrs
import click
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from ...errors import LoginError
from ...passwords import UnusablePassword, hashChosen
from ...stores.database import Database
from ...stores.records import AlreadyExists, CannotOpen, LimitReached, NotFound
from ..actions.accounts import UnusableName, nameOf
from ..actions.apppasswords import UnusableLimits
from ..actions.clients import UnusableClient
from ..administration import Administration, makeAdministration
from ..clients import Clients
from ..config import Configuration, readConfiguration
from ..control import ConnectionsOfService
from ..keys import PURPOSE as KEYS
from ..keys import StoredKeys
from ..reachedissuers import reach
from ..sealing import readKeyFile
from ..tls import ReloadableContext, UnusableCertificate
from ..toml import ConfigurationError
from .delivering import delivering

DEFAULT_CONFIGURATION = Path("/etc/mailauth/mailauth.toml")

_REFUSALS = (
    AlreadyExists,
    CannotOpen,
    LimitReached,
    NotFound,
    UnusableCertificate,
    UnusableClient,
    UnusableLimits,
    UnusableName,
    UnusablePassword,
)

Work = Callable[[Database, Configuration], Awaitable[Any]]
Action = Callable[[Administration, Configuration], Awaitable[Any]]
ReachingWork = Callable[[Database, Configuration, Any], Awaitable[Any]]


@attrs.frozen
class Invocation:
    """
    One call of the command.

    @ivar path: of the configuration file.
    @ivar asJSON: whether a program reads the answer.
    """

    path: Path
    asJSON: bool

    def configuration(self) -> Configuration:
        """
        Read the configuration, or end with all that is wrong with it.
        """
        try:
            return readConfiguration(self.path)
        except ConfigurationError as error:
            refuse(str(error))

    def run(self, work: Work) -> NoReturn:
        """
        Do something with the stores, and end: with status 0, or with 1 and the reason.
        """
        self.runReaching(lambda database, configuration, reactor: work(database, configuration))

    def administer(self, action: Action) -> NoReturn:
        """
        The same, for what is done by actions.
        """
        self.runReaching(
            lambda database, configuration, reactor: action(
                _administration(database, configuration, reactor), configuration
            )
        )

    def runReaching(self, work: ReachingWork) -> NoReturn:
        """
        The same, for what reaches other people's servers by the reactor.
        """
        from twisted.internet.task import react

        configuration = self.configuration()
        react(lambda reactor: Deferred.fromCoroutine(self._run(reactor, configuration, work)))

    async def _run(self, reactor: Any, configuration: Configuration, work: ReachingWork) -> None:
        database = Database(
            configuration.database,
            reactor,
            configuration.issuer,
            keep=configuration.revocationsKept,
            appPasswordLimit=configuration.appPasswordLimit,
        )
        try:
            await database.open()
            try:
                await work(database, configuration, reactor)
            finally:
                await database.close()
        except _REFUSALS as error:
            refuse(str(error))
        except LoginError as error:
            refuse(error.reason or error.sentence)

    def answer(self, fields: Mapping[str, Any] | list[dict[str, Any]], text: str) -> None:
        """
        @param fields: for a program, or several of a kind.
        @param text: for a person.
        """
        click.echo(json.dumps(fields) if self.asJSON else text)

    def answerTable(self, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
        """
        Several of a kind: an array for a program, a table for a person.

        @param columns: which fields a person sees.
        """
        if self.asJSON:
            click.echo(json.dumps(rows))
            return
        lines = [columns, *(tuple(cell(row[name]) for name in columns) for row in rows)]
        widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            click.echo("  ".join(cells).rstrip())


def _administration(
    database: Database, configuration: Configuration, reactor: Any
) -> Administration:
    """
    What can be done, beside the running service or without one.
    """
    secret = readKeyFile(configuration.keyFile)
    revocations = database.revocations
    clients = Clients(
        database.clients, revocations, configuration.issuer, secret.sealer("client-ids")
    )
    keys = StoredKeys(database.signingKeys, revocations, secret.sealer(KEYS), monotonic)
    return makeAdministration(
        configuration,
        database,
        secret,
        clients,
        [reach(each, reactor, monotonic, keys.signer) for each in configuration.externalIssuers],
        ConnectionsOfService(configuration.directory),
        lambda password: deferToThread(hashChosen, password, configuration.hashCost),
        delivering(configuration.directory),
        lambda: ReloadableContext(configuration.certificate, configuration.privateKey).ends,
    )


def refuse(reason: str) -> NoReturn:
    """
    Say why not, and end.
    """
    click.echo(reason, err=True)
    raise SystemExit(1)


def accountName(name: str, configuration: Configuration) -> str:
    """
    The canonical form of a name that somebody typed, or the end.
    """
    try:
        return nameOf(name, configuration.defaultDomain)
    except UnusableName as error:
        refuse(str(error))


def readSecret(prompt: str, confirm: bool = False) -> bytes:
    """
    Read a secret: asked for at a terminal, otherwise a line of standard input. It never is an
    argument, for everybody on the machine sees those.
    """
    if sys.stdin.isatty():
        answer: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
        return answer.encode("utf-8")
    return sys.stdin.buffer.readline().rstrip(b"\r\n")


def isoTime(seconds: float | None) -> str | None:
    """
    A time as people and programs read it (RFC 3339), in UTC.
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def cell(value: Any) -> str:
    """
    A value as a person reads it, at a terminal: some are what a program calls itself, and no
    program of a stranger's writes there what it likes (LG2).
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = (",".join(value) or "-") if isinstance(value, list) else str(value)
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
