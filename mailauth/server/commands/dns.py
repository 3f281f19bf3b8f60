"""
C{mailauth dns}.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs
import click

from ...errors import InvalidCredentials
from ...stores.database import Database
from ...usernames import canonicalName
from ..config import Configuration
from ..domains import Domains
from ..mailhosts import MailHosts, mailHostsOf
from ..setup.dns import recordsOf, writeZone
from .invocation import Invocation, refuse

_NOTES = """\
; The MX is that of whoever takes your mail from elsewhere: this server does not.
; The certificate of {web} has to name what the CNAME records name, too."""

_ELSEWHERE = """
; Mail programs look at port 443, and the issuer is at {port}: they would not find it."""


@click.command()
@click.argument("domain", required=False)
@click.pass_obj
def dns(invocation: Invocation, domain: str | None) -> None:
    """Show the records that a domain publishes for mail programs.

    Without DOMAIN those of every domain that this server has mail for.
    """
    chosen = None if domain is None else _canonical(domain)

    async def work(database: Database, configuration: Configuration) -> None:
        hosts = mailHostsOf(configuration)
        known = Domains(lambda: configuration.domains, database.accounts, database.revocations)
        domains = sorted(await known.known()) if chosen is None else [chosen]
        records = [record for each in domains for record in recordsOf(hosts, each)]
        text = "\n".join([_notes(hosts), writeZone(records)])
        invocation.answer([attrs.asdict(record) for record in records], text)

    invocation.run(work)


def _canonical(domain: str) -> str:
    try:
        return canonicalName(f"x@{domain}").partition("@")[2]
    except InvalidCredentials:
        refuse(f"{domain} is not the name of a domain")


def _notes(hosts: MailHosts) -> str:
    port = urlsplit(hosts.issuer).port
    elsewhere = "" if port in (None, 443) else _ELSEWHERE.format(port=port)
    return _NOTES.format(web=hosts.webHost) + elsewhere
