"""
Who redeems and rotates until he is killed. Run as a program, it writes a line for each thing that
the store acknowledged: the name of a code, and how often its family was rotated; C{-1} is a code
that is not redeemed yet.
"""

from __future__ import annotations

import sys
from itertools import count
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred, gatherResults

from mailauth.stores.database import Database
from mailauth.testing.stores import (
    ISSUER,
    NOW,
    digestOf,
    makeBrowserSession,
    makeCode,
    makeGrant,
    makeOpaqueToken,
)

LANES = 4
"""
How much is under way at once.
"""

ROTATIONS = 3
"""
How often each family is rotated.
"""


def refreshToken(grantId: str, rotations: int) -> str:
    """
    The refresh token that is current after so many rotations.
    """
    return f"{grantId}.{rotations}" if rotations else "first"


def acknowledged(name: str, rotations: int) -> None:
    """
    Say it in one piece, or half a line is what was said last.
    """
    print(f"{name} {rotations}\n", end="", flush=True)


async def redeem(database: Database, name: str) -> None:
    """
    Sign in, get a code, redeem it, and rotate what it was redeemed for.
    """
    grant = makeGrant(name)
    await database.browserSessions.add(makeBrowserSession(name))
    await database.grants.addCode(makeCode(name, grant))
    acknowledged(name, -1)
    opaque = makeOpaqueToken(refreshToken(name, 0) + name, grant)
    await database.grants.redeemCode(digestOf(name), grant, opaque, NOW)
    acknowledged(name, 0)
    for number in range(1, ROTATIONS + 1):
        before, after = refreshToken(name, number - 1), refreshToken(name, number)
        opaque = makeOpaqueToken(after + name, grant)
        await database.grants.rotate(
            name, digestOf(before), digestOf(after), None, opaque, NOW, None
        )
        acknowledged(name, number)


async def main(reactor: Any, path: str, life: str) -> None:
    """
    Go on for ever.
    """
    database = Database(path, reactor, ISSUER, busyTimeout=60.0)
    await database.open()

    async def goOn(lane: int) -> None:
        for number in count():
            await redeem(database, f"{life}-{lane}-{number}")

    await gatherResults([Deferred.fromCoroutine(goOn(lane)) for lane in range(LANES)])


if __name__ == "__main__":
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor, *sys.argv[1:])))
