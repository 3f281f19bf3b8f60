"""
C{mailauth issuer}: external authorization servers.
"""

from __future__ import annotations

from time import monotonic, time
from typing import Any

import click

from ...stores.database import Database
from ..config import Configuration, discoveryOf
from ..externalissuers import ExternalIssuer
from ..issuercheck import Findings, IssuerCheck
from ..issuerpresets import PRESETS, Preset
from ..portal import makeTokenPolicy
from ..reachedissuers import reach
from ..tokencheck import TokenCheck
from .invocation import Invocation, readSecret, refuse
from .key import storedKeys


@click.group()
def issuer() -> None:
    """Other people's authorization servers."""


@issuer.command("list")
@click.pass_obj
def listAll(invocation: Invocation) -> None:
    """Show all that the configuration names."""
    rows = [_fields(each) for each in invocation.configuration().externalIssuers]
    invocation.answerTable(rows, ("name", "url", "validation", "domains", "accounts", "sign_in"))


@issuer.command()
@click.argument("named", metavar="NAME_OR_URL")
@click.option("--preset", type=click.Choice([*PRESETS]), help="What a URL is of.")
@click.option("--token", is_flag=True, help="Check a token, too, from standard input.")
@click.pass_obj
def check(invocation: Invocation, named: str, preset: str | None, token: bool) -> None:
    """Say what would not work, and how to mend it.

    The issuer is fetched from this machine, as the server does. One that the configuration does not
    name yet is checked by its URL. Nothing is changed. The status is 1 if something does not work.
    """
    secret = readSecret("Token") if token else None

    async def work(database: Database, configuration: Configuration, reactor: Any) -> None:
        settings = _settingsOf(named, PRESETS.get(preset or "", Preset()), configuration)
        reached = reach(settings, reactor, monotonic, storedKeys(database, configuration).signer)
        ofIssuer, ofToken = Findings(), Findings()
        await IssuerCheck(reached, ofIssuer).check()
        if secret is not None:
            policy = makeTokenPolicy(configuration)
            tokenCheck = TokenCheck(
                reached, ofToken, policy, database.accounts, database.identities, time
            )
            await tokenCheck.check(secret)
        _answer(invocation, settings, ofIssuer, ofToken)

    invocation.runReaching(work)


def _settingsOf(named: str, preset: Preset, configuration: Configuration) -> ExternalIssuer:
    """
    What the configuration says about an issuer, or would say if it named it.
    """
    for each in configuration.externalIssuers:
        if named in (each.name, each.url):
            return each
    if not named.startswith("https://"):
        refuse(f"The configuration has no external issuer {named}, and it is no https URL.")
    return ExternalIssuer(
        name=named,
        url=named,
        audience=frozenset({configuration.audience}),
        domains=frozenset(),
        discovery=discoveryOf(named),
        validation=preset.validation,
        subjectClaim=preset.subjectClaim,
        usernameClaim=preset.usernameClaim,
        types=preset.types,
        endpoints=preset.endpoints,
        hint=preset.hint,
    )


def _answer(
    invocation: Invocation, settings: ExternalIssuer, ofIssuer: Findings, ofToken: Findings
) -> None:
    found = [*ofIssuer.all, *ofToken.all]
    works = ofIssuer.works and ofToken.works
    lines = []
    for each in found:
        lines.append(f"{each.level}: {each.says}")
        if each.mend:
            lines.append(f"       {each.mend}")
    invocation.answer(
        {
            "issuer": settings.url,
            "works": works,
            "findings": [
                {"level": each.level, "says": each.says, "mend": each.mend or None}
                for each in found
            ],
        },
        "\n".join(lines),
    )
    if not works:
        raise SystemExit(1)


def _fields(each: ExternalIssuer) -> dict[str, Any]:
    return {
        "name": each.name,
        "url": each.url,
        "validation": each.validation,
        "audience": sorted(each.audience),
        "domains": sorted(each.domains),
        "accounts": each.accounts,
        "opaque_tokens": each.opaqueTokens,
        "sign_in": each.signIn,
    }
