"""
C{mailauth token}: for a script, a test, a load run.
"""

from __future__ import annotations

from hashlib import sha256
from time import monotonic
from typing import Any

import click

from ...checkers import BearerTokenChecker
from ...credentials import BearerToken, LoginContext, tokenTag
from ...errors import InsufficientScope, LoginError
from ...oauth.jwt import MalformedToken, parseToken
from ...scopes import MAIL_SCOPE, MAIL_SERVICES, formatScope, parseScope
from ...stores.database import Database
from ...stores.events import THE_COMMAND, Kind
from ...stores.records import NotFound
from ..actions.recording import Recorder
from ..config import Configuration
from ..issuer import AccessTokenIssuer
from ..keys import MAX_TOKEN_LIFETIME
from ..portal import makeTokenChecker, makeValidator
from ..reachedissuers import reach
from ..toml import parseDuration
from .invocation import Invocation, accountName, isoTime, readSecret, refuse
from .key import storedKeys

CLIENT = "mailauth-command"


@click.group()
def token() -> None:
    """Access tokens of the built-in issuer."""


def lifetime(value: str) -> float:
    """
    @return: in seconds.
    """
    try:
        seconds = parseDuration(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no time such as 15m or 1h") from None
    if not 0 < seconds <= MAX_TOKEN_LIFETIME:
        raise click.BadParameter(f"a token lives for at most {MAX_TOKEN_LIFETIME / 3600:g} hours")
    return seconds


@token.command()
@click.argument("name")
@click.option("--scope", default=MAIL_SCOPE, show_default=True, help="What it is good for.")
@click.option(
    "--lifetime",
    type=lifetime,
    metavar="1h",
    help="How long it lives; what the configuration says if you do not.",
)
@click.option("--count", type=click.IntRange(1, 1_000_000), default=1, help="How many; one a line.")
@click.option("--opaque", is_flag=True, help="Of 43 characters, which say nothing by themselves.")
@click.pass_obj
def issue(
    invocation: Invocation,
    name: str,
    scope: str,
    lifetime: float | None,
    count: int,
    opaque: bool,
) -> None:
    """Make an access token for an account."""
    try:
        wanted = parseScope(scope)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--scope") from None

    async def work(database: Database, configuration: Configuration) -> None:
        account = accountName(name, configuration)
        if await database.accounts.get(account) is None:
            raise NotFound(f"There is no account {account}.")
        signer = storedKeys(database, configuration).signer
        issuer = AccessTokenIssuer(configuration.issuer, configuration.audience, signer)
        seconds = configuration.tokenLifetime if lifetime is None else lifetime
        for _ in range(count):
            issued = await issuer.issue(account, wanted, CLIENT, seconds, opaque=opaque)
            if issued.opaque is not None:
                await database.opaqueTokens.add(issued.opaque)
            invocation.answer(
                {
                    "access_token": issued.token.decode("ascii"),
                    "expires_in": issued.expiresIn,
                    "scope": formatScope(issued.scope),
                },
                issued.token.decode("ascii"),
            )
        text = f"{count} for {formatScope(wanted)}"
        await Recorder(database.events).record(Kind.TOKEN_ISSUED, THE_COMMAND, account, text)

    invocation.run(work)


@token.command()
@click.pass_obj
def inspect(invocation: Invocation) -> None:
    """Say what a token holds.

    It is read from standard input. The status is 1 if the token is not accepted.
    """
    secret = readSecret("Token")

    async def work(database: Database, configuration: Configuration, reactor: Any) -> None:
        keys = storedKeys(database, configuration)
        issuers = [
            reach(each, reactor, monotonic, keys.signer) for each in configuration.externalIssuers
        ]
        validator = makeValidator(configuration, keys, database.opaqueTokens, issuers)
        checker = makeTokenChecker(
            configuration, validator, database.accounts, database.revocations
        )
        try:
            valid = await validator.validate(secret)
            services = await _opens(checker, secret)
        except LoginError as error:
            refuse(f"not accepted: {error.reason or error.sentence}")
        fields = {
            "issuer": valid.issuer,
            "owner": valid.owner,
            "client_id": valid.clientId,
            "scope": formatScope(valid.scope),
            "services": services,
            "issued": isoTime(valid.issued),
            "expires": isoTime(valid.expires),
        }
        lines = {**fields, "services": ", ".join(services)}
        invocation.answer(fields, "\n".join(f"{key}: {value}" for key, value in lines.items()))

    invocation.runReaching(work)


async def _opens(checker: BearerTokenChecker, secret: bytes) -> list[str]:
    """
    @return: the services that a token opens, one at least.
    """
    services = []
    for service in MAIL_SERVICES:
        try:
            await checker.check(BearerToken(secret, context=LoginContext(service)))
        except InsufficientScope:
            continue
        services.append(service)
    if not services:
        raise InsufficientScope("its scope opens no service")
    return services


@token.command()
@click.pass_obj
def revoke(invocation: Invocation) -> None:
    """End a token, and the connections that it opened.

    It is read from standard input.
    """
    secret = readSecret("Token")

    async def work(database: Database, configuration: Configuration) -> None:
        issuer, tokenId = await _nameOf(database, secret)
        if not isinstance(issuer, str) or not isinstance(tokenId, str):
            refuse("the token has no id of its own: revoke its account's tokens instead")
        await database.revocations.revoke([tokenTag(issuer, tokenId)], "This token was revoked")
        text = f"{tokenId} of {issuer}"
        await Recorder(database.events).record(Kind.TOKEN_REVOKED, THE_COMMAND, text=text)
        invocation.answer({"id": tokenId}, f"{tokenId} is revoked.")

    invocation.run(work)


async def _nameOf(database: Database, secret: bytes) -> tuple[Any, Any]:
    """
    @return: what a token says is its issuer, and its own id.
    """
    opaque = await database.opaqueTokens.find(sha256(secret).digest())
    if opaque is not None:
        return opaque.token.issuer, opaque.token.tokenId
    try:
        claims = parseToken(secret).claims
    except MalformedToken as error:
        refuse(str(error))
    return claims.get("iss"), claims.get("jti")
