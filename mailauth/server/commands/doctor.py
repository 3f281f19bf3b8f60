"""
C{mailauth doctor}.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import attrs
import click
from twisted.internet.defer import Deferred
from twisted.internet.ssl import platformTrust

from ...errors import InvalidCredentials
from ...usernames import canonicalName
from ..config import Configuration
from ..doctor.examination import Examination, Report
from ..doctor.findings import FAILS, UNKNOWN
from ..doctor.network import MAX_PORT, Direction, Network, isAddress, readDirection
from ..doctor.records import PublishedRecords, ZoneError, makeResolver, readZone
from ..mailhosts import mailHostsOf
from ..tls import trustRootOf
from .invocation import Invocation, cell, refuse


@click.command()
@click.argument("address")
@click.option("--resolver", metavar="HOST:PORT", help="The name server to ask, by its IP address.")
@click.option(
    "--zone",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What 'mailauth dns' has written, in place of what is published.",
)
@click.option(
    "--connect",
    metavar="HOST:PORT=HOST:PORT",
    multiple=True,
    help="Go to the second place in place of the first. What is left out is any, or the same.",
)
@click.option(
    "--ca",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The authorities that programs trust, in PEM, in place of the public ones.",
)
@click.option("--register", is_flag=True, help="Register a client, too, as programs do.")
@click.pass_obj
def doctor(
    invocation: Invocation,
    address: str,
    resolver: str | None,
    zone: Path | None,
    connect: tuple[str, ...],
    ca: Path | None,
    register: bool,
) -> None:
    """Say what mail programs will do with ADDRESS, what fails, and how to mend it.

    It looks from outside, as the programs do, and needs no configuration; where there is one, it
    compares. It signs in nowhere. The status is 1 if something fails or cannot be found out.
    """
    from twisted.internet.task import react

    name = _canonical(address)
    directions = [_readDirection(each) for each in connect]
    server = None if resolver is None else _readServer(resolver)
    try:
        zoneRecords = None if zone is None else readZone(zone.read_text())
    except (ZoneError, UnicodeDecodeError) as error:
        refuse(f"--zone: {error}")
    try:
        trustRoot = platformTrust() if ca is None else trustRootOf(ca.read_bytes())
    except ValueError:
        refuse(f"--ca: {ca} has no certificate in PEM")
    configuration = _configurationOf(invocation)

    async def examine(reactor: Any) -> None:
        published = PublishedRecords(makeResolver(reactor, server))
        network = Network(
            reactor,
            directions,
            records=published if server is not None else None,
            aliases=zoneRecords,
        )
        report = await Examination(
            name,
            network,
            zoneRecords or published,
            trustRoot,
            time,
            configured=None if configuration is None else mailHostsOf(configuration),
            register=register,
        ).examine()
        invocation.answer(_fields(report), "\n".join(_lines(report)))
        if not report.works:
            raise SystemExit(1)

    react(lambda reactor: Deferred.fromCoroutine(examine(reactor)))


def _canonical(address: str) -> str:
    try:
        name = canonicalName(address)
    except InvalidCredentials:
        refuse(f"{address} is no mail address")
    if "@" not in name:
        refuse(f"{address} is no mail address: it has no domain")
    return name


def _readDirection(text: str) -> Direction:
    try:
        return readDirection(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--connect") from None


def _readServer(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not isAddress(host) or not port.isdecimal() or int(port) > MAX_PORT:
        raise click.BadParameter(
            "it has to be an IP address and a port, as in 192.0.2.1:53", param_hint="--resolver"
        )
    return host, int(port)


def _configurationOf(invocation: Invocation) -> Configuration | None:
    """
    That of this machine, if there is one that we may read.
    """
    return invocation.configuration() if os.access(invocation.path, os.R_OK) else None


def _lines(report: Report) -> Iterator[str]:
    """
    The report for a person.
    """
    for section in report.sections:
        yield section.title
        for finding in section.findings:
            yield f"  {finding.level:<8} {cell(finding.says)}"
        yield ""
    yield "Mail programs"
    width = max(len(verdict.program) for verdict in report.verdicts)
    for verdict in report.verdicts:
        why = f"  {cell(verdict.why)}" if verdict.why else ""
        yield f"  {verdict.program:<{width}}  {verdict.means:<12}{why}".rstrip()
    yield ""
    mends = dict.fromkeys(finding.mend for finding in report.findings if finding.mend)
    if mends:
        yield "What to do"
        for number, mend in enumerate(mends, 1):
            yield f"  {number}. {cell(mend)}"
        yield ""
    levels = [finding.level for finding in report.findings]
    yield (
        f"Looked at: {len(levels)}. Fails: {levels.count(FAILS)}. Could not be found out:"
        f" {levels.count(UNKNOWN)}."
        if not report.works
        else f"Everything works: {len(levels)} things were looked at."
    )


def _fields(report: Report) -> dict[str, Any]:
    """
    The same for a program.
    """
    return {
        "address": report.address,
        "works": report.works,
        "sections": [attrs.asdict(section) for section in report.sections],
        "programs": [attrs.asdict(verdict) for verdict in report.verdicts],
    }
