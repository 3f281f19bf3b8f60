"""
C{mailauth audit}: what happened.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from time import time
from typing import Any

import click
from twisted.internet.threads import deferToThread

from ...stores.events import Event, EventSearch, Kind
from ..administration import Administration
from ..config import Configuration
from ..pastlogins import LoginSearch, PastLogin, PastLogins
from ..toml import parseDuration
from .invocation import Invocation, accountName, isoTime


def moment(value: str) -> float:
    """
    A date, or how long ago.

    @return: in seconds since the epoch.
    """
    try:
        if re.fullmatch(r"[0-9]{4}-.*", value):
            when = datetime.fromisoformat(value)
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        return time() - parseDuration(value)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is neither a date such as 2027-01-31 nor a time such as 7d"
        ) from None


@click.command()
@click.option("--account", help="Whose account it concerns.")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="What happened.")
@click.option("--by", "who", help="Who did it: an account, or 'command'.")
@click.option("--since", type=moment, metavar="DATE|7d", help="From then on.")
@click.option("--until", type=moment, metavar="DATE|7d", help="Before that.")
@click.option("--search", "word", help="What stands in its text, a name or the address.")
@click.option("--logins", is_flag=True, help="Show logins, too, from the file of the log.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many."
)
@click.pass_obj
def audit(
    invocation: Invocation,
    /,
    account: str | None,
    kind: str | None,
    who: str | None,
    since: float | None,
    until: float | None,
    word: str | None,
    logins: bool,
    limit: int,
) -> None:
    """Show what happened, the last first."""
    if logins and (kind or who):
        raise click.UsageError("Logins have no --kind and no --by.")

    async def work(administration: Administration, configuration: Configuration) -> None:
        name = None if account is None else accountName(account, configuration)
        search = EventSearch(name, None if kind is None else Kind(kind), who, since, until, word)
        rows = [_event(each) for each in await administration.events.find(search, limit)]
        if logins:
            past = PastLogins(configuration.loginLog, deferToThread)
            loginSearch = LoginSearch(name, None, since, until, word)
            found = [_login(each) for each in await past.find(loginSearch, limit)]
            rows = sorted([*rows, *found], key=lambda row: row["time"], reverse=True)[:limit]
        invocation.answerTable(rows, ("time", "kind", "account", "by", "via", "address", "text"))

    invocation.administer(work)


def _event(each: Event) -> dict[str, Any]:
    return {
        "time": isoTime(each.time),
        "kind": str(each.kind),
        "account": each.account,
        "by": each.actor.who,
        "via": each.actor.via,
        "address": each.actor.address,
        "text": each.text,
        "number": each.number,
    }


def _login(each: PastLogin) -> dict[str, Any]:
    fields = each.fields
    said = (fields.get("reason") or fields.get("error"), fields.get("mailClient"))
    return {
        "time": isoTime(each.time),
        "kind": f"login_{fields['login']}",
        "account": fields.get("account"),
        "by": fields.get("name"),
        "via": fields.get("service"),
        "address": fields.get("peer"),
        "text": "; ".join(str(each) for each in said if each),
    }
