"""
Who takes part in a race for something that has one use. Run as a program, it does so in a process
of its own: it reads an attempt from each line of its standard input, and writes one when it knows.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from mailauth.stores.database import Database
from mailauth.testing.stores import (
    ISSUER,
    NOW,
    Stores,
    digestOf,
    makeCode,
    makeDeviceCode,
    makeGrant,
    makeOpaqueToken,
)

PATIENCE = 60.0
"""
How long a store waits for the others, in seconds: how slow the machine is decides no race.
"""

KINDS = ("code", "device-code", "refresh-token")


async def prepare(stores: Stores, kind: str, race: str) -> None:
    """
    Make what there is a race for.
    """
    grant = makeGrant(race)
    if kind == "device-code":
        code = makeDeviceCode(race, userCode=race)
        await stores.deviceCodes.add(code)
        await stores.deviceCodes.decide(code.digest, grant, NOW)
        return
    await stores.grants.addCode(makeCode(race, grant))
    if kind == "refresh-token":
        await stores.grants.redeemCode(digestOf(race), grant, None, NOW)


def attempt(stores: Stores, kind: str, race: str, name: str) -> Deferred[bool]:
    """
    Try to have it.

    @param name: what is issued to whoever has it: a grant of this id, an opaque token or a refresh
        token of this secret.
    """
    if kind == "refresh-token":
        opaque = makeOpaqueToken(name, makeGrant(race))
        return stores.grants.rotate(
            race, digestOf("first"), digestOf(name), None, opaque, NOW, None
        )
    redeem = stores.grants.redeemCode if kind == "code" else stores.deviceCodes.redeem
    grant = makeGrant(name)
    return redeem(digestOf(race), grant, makeOpaqueToken(name, grant), NOW)


async def main(reactor: Any, path: str) -> None:
    """
    Make each attempt when it is read, not waiting for those before it.
    """
    database = Database(path, reactor, ISSUER, busyTimeout=PATIENCE)
    await database.open()
    print("open", flush=True)
    while line := await deferToThread(sys.stdin.readline):
        kind, race, name = line.split()

        def tell(won: bool, name: str = name) -> None:
            print(name, "won" if won else "lost", flush=True)

        attempt(database, kind, race, name).addCallback(tell)
    await database.close()


if __name__ == "__main__":
    task.react(lambda reactor: Deferred.fromCoroutine(main(reactor, sys.argv[1])))
