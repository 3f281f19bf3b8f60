"""
What a login costs: mailauth beside the least that a Twisted server can do, in one run::

    python bench/login.py [--rounds 15] [--logins 1500] [--limits]

It is an IMAP login with OAUTHBEARER over a connection without TLS, from connect to the answer to
LOGOUT, L{load.CONNECTIONS} at any time, each server being one process. What is counted is the
server's own time on a processor, user and system, which is much steadier on a machine that others
use than how many logins it does in a second. Each round visits every server in turn, and figures
are compared within a round.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import time

import attrs
import cpu
import load
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from options import AUDIENCE, ISSUER, USERS, accountName

from mailauth.testing.issuer import MemoryIssuer

HERE = Path(__file__).parent
FIRST_LIMIT = 1.8
REPEATED_LIMIT = 2.0


class Tokens:
    """
    An issuer whose public key is in a file.
    """

    def __init__(self, directory: Path) -> None:
        self._issuer = MemoryIssuer(ISSUER, AUDIENCE)
        self._names = itertools.cycle(map(accountName, range(USERS)))
        self.key = directory / "key.pem"
        self.key.write_bytes(
            self._issuer.signer.key.public_key().public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
            )
        )

    def commands(self, count: int) -> list[bytes]:
        """
        So many logins, each with a token that nobody has seen.
        """
        return [self._command(next(self._names)) for _ in range(count)]

    def _command(self, name: str) -> bytes:
        return load.makeCommand(name, self._issuer.issue(name, lifetime=3600).decode("ascii"))


@attrs.frozen
class Server:
    """
    A server that runs.
    """

    pid: int
    port: int

    def costOf(self, commands: Sequence[bytes]) -> float:
        """
        Log in with each of the commands.

        @return: the microseconds that one login cost.
        """
        before = cpu.microseconds(self.pid)
        load.run(self.port, commands)
        return (cpu.microseconds(self.pid) - before) / len(commands)


@contextmanager
def running(program: str, *arguments: str) -> Iterator[Server]:
    """
    Start a server of the bench, and stop it in the end.
    """
    command = [sys.executable, str(HERE / program), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            yield Server(process.pid, ready["ports"]["imap"])
        finally:
            process.kill()


@attrs.frozen
class Comparison:
    """
    What was measured in one scenario: microseconds for a login, by rounds.
    """

    scenario: str
    floorName: str
    limit: float
    floor: list[float] = attrs.field(factory=list)
    ours: list[float] = attrs.field(factory=list)

    @property
    def ratio(self) -> float:
        """
        How many times the floor a login costs.
        """
        return median(ours / floor for ours, floor in zip(self.ours, self.floor, strict=True))

    def __str__(self) -> str:
        least = min(self.ours) / min(self.floor)
        return (
            f"{self.scenario:<12}{self.floorName:<17}"
            f"{median(self.floor):>7.1f}{min(self.floor):>8.1f}"
            f"{median(self.ours):>11.1f}{min(self.ours):>8.1f}"
            f"{self.ratio:>10.2f}{least:>7.2f}{self.limit:>8.1f}"
        )


HEADING = """\
                              floor, us      mailauth, us      times floor
token       floor             median   least    median   least    median  least   limit"""


def measure(rounds: int, logins: int) -> list[Comparison]:
    """
    Start everything, and compare.
    """
    first = Comparison("first seen", "ES256 signature", FIRST_LIMIT)
    repeated = Comparison("seen before", "bare", REPEATED_LIMIT)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tokens = Tokens(directory)
        key = ("--key", str(tokens.key))
        bare = stack.enter_context(running("floor.py"))
        signature = stack.enter_context(running("floor.py", "--check", "es256", *key))
        ours = stack.enter_context(
            running("server.py", *key, "--audit", str(directory / "login.log"))
        )
        known = tokens.commands(min(logins, USERS))
        again = list(itertools.islice(itertools.cycle(known), logins))
        for server in (bare, signature, ours):
            server.costOf(tokens.commands(logins))
        for _ in range(rounds):
            fresh = tokens.commands(logins)
            first.floor.append(signature.costOf(fresh))
            first.ours.append(ours.costOf(fresh))
            # A token is not remembered for longer than some minutes.
            load.run(ours.port, known)
            repeated.floor.append(bare.costOf(again))
            repeated.ours.append(ours.costOf(again))
    return [first, repeated]


def main() -> int:
    """
    Measure, and print.
    """
    parser = argparse.ArgumentParser(description="what a login costs")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--logins", type=int, default=1500, help="in each measurement")
    parser.add_argument(
        "--limits", action="store_true", help="exit with 1 if a median is over its limit"
    )
    options = parser.parse_args()
    began = time()
    comparisons = measure(options.rounds, options.logins)
    print(HEADING)
    for comparison in comparisons:
        print(comparison)
    print(f"{options.rounds} rounds of {options.logins} logins, {time() - began:.0f} s")
    return int(options.limits and any(each.ratio > each.limit for each in comparisons))


if __name__ == "__main__":
    sys.exit(main())
