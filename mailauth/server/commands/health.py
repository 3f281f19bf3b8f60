"""
C{mailauth health}: how the server is.
"""

from __future__ import annotations

from typing import Any

import click

from ..actions.health import Health
from ..administration import Administration
from ..config import Configuration
from .invocation import Invocation, cell, isoTime


@click.command()
@click.pass_obj
def health(invocation: Invocation) -> None:
    """Say how the server is.

    The status is 1 if nobody can log in.
    """

    async def work(administration: Administration, configuration: Configuration) -> None:
        found = await administration.health.check()
        fields = _fields(found)
        lines = {**fields, "issuers": _issuers(found)}
        invocation.answer(fields, "\n".join(f"{name}: {cell(lines[name])}" for name in lines))
        if not found.good:
            raise SystemExit(1)

    invocation.administer(work)


def _fields(found: Health) -> dict[str, Any]:
    key = found.key and found.key.key
    return {
        "version": found.version,
        "running_since": isoTime(found.since),
        "database": found.database or "good",
        "connections": found.connections,
        "signing_key": key and key.kid,
        "signing_key_created": key and isoTime(key.created),
        "certificate_ends": isoTime(found.certificateEnds),
        "issuers": {each.settings.name: each.problem or "good" for each in found.issuers},
    }


def _issuers(found: Health) -> list[str]:
    return [f"{each.settings.name} {each.problem or 'good'}" for each in found.issuers]
