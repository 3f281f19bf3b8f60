"""
What a request to an OAuth endpoint costs: mailauth beside npm oidc-provider, in one run::

    (cd tests/interop/node && npm ci)
    python bench/provider.py [--rounds 9] [--requests 1600] [--limits]

Each server is one process without TLS, asked over L{CONNECTIONS} connections that are kept open.
What is counted is the server's own time on a processor, user and system, which is much steadier on
a machine that others use than how many requests it answers in a second. Each round visits every
server in turn, and figures are compared within a round.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import time
from typing import TypeVar

import attrs
import cpu
from exchange import ExchangeFailed, Script, makeGet, makePost, run

from mailauth.scopes import MAIL_SCOPE

HERE = Path(__file__).parent
CONNECTIONS = 8
TOKEN_LIMIT = 1.3
OTHER_LIMIT = 1.0

_T = TypeVar("_T")


@attrs.define(eq=False)
class Server:
    """
    A server that runs.

    @ivar addresses: where its endpoints are.
    @ivar client: a client's id and secret.
    @ivar refreshTokens: for each connection the current one.
    @ivar accessTokens: for each connection one that is active.
    """

    pid: int
    port: int
    addresses: dict[str, str]
    client: tuple[str, str]
    refreshTokens: list[str]
    accessTokens: list[str]

    def post(self, endpoint: str, **form: str) -> bytes:
        """
        A request of its client.
        """
        return makePost(self.addresses[endpoint], self.client, **form)

    def costOf(self, load: Load, requests: int) -> float:
        """
        @param requests: how many on each connection.
        @return: the microseconds that one request cost.
        """
        scripts = load(self, requests)
        before = cpu.microseconds(self.pid)
        run(self.port, scripts)
        return (cpu.microseconds(self.pid) - before) / (requests * CONNECTIONS)


Load = Callable[[Server, int], list[Script[None]]]
"""
Makes the scripts of a scenario, one for each connection, of so many requests each.
"""


@contextmanager
def running(*command: str) -> Iterator[Server]:
    """
    Start a server of the bench, and stop it in the end.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = json.loads(process.stdout.readline())
            yield Server(process.pid, said.pop("ports")["http"], **said)
        finally:
            process.kill()


# The loads


def asking(requests: Iterable[bytes], says: bytes = b"", status: int = 200) -> Script[None]:
    """
    Requests that are all answered in the same way.

    @param says: what is somewhere in the answer.
    """
    for request in requests:
        answer = yield request
        if answer.status != status or says not in answer.content:
            raise ExchangeFailed(f"{answer.status} {answer.content!r}")


def clientCredentials(server: Server, requests: int) -> list[Script[None]]:
    """
    A client's tokens for itself.
    """
    request = server.post("token", grant_type="client_credentials", scope=MAIL_SCOPE)
    return [asking([request] * requests, b'"access_token":"ey') for _ in range(CONNECTIONS)]


def refreshing(server: Server, requests: int) -> list[Script[None]]:
    """
    On each connection a family of refresh tokens, each of them redeemed for the next.
    """

    def rotate(number: int) -> Script[None]:
        for _ in range(requests):
            token = server.refreshTokens[number]
            answer = yield server.post("token", grant_type="refresh_token", refresh_token=token)
            members = json.loads(answer.content)
            if not members.get("access_token", "").startswith("ey"):
                raise ExchangeFailed(f"{answer.status} {answer.content!r}")
            server.refreshTokens[number] = members["refresh_token"]

    return [rotate(number) for number in range(CONNECTIONS)]


def introspectingActive(server: Server, requests: int) -> list[Script[None]]:
    """
    On each connection a token that somebody uses all the time.
    """
    return [
        asking([server.post("introspection", token=token)] * requests, b'"active":true')
        for token in server.accessTokens
    ]


def introspectingFresh(server: Server, requests: int) -> list[Script[None]]:
    """
    Tokens that the server issued, and has never been shown.
    """
    request = server.post("token", grant_type="client_credentials", scope=MAIL_SCOPE)

    def issue() -> Script[list[bytes]]:
        asked = []
        for _ in range(requests):
            answer = yield request
            token = json.loads(answer.content)["access_token"]
            asked.append(server.post("introspection", token=token))
        return asked

    issued = run(server.port, [issue() for _ in range(CONNECTIONS)])
    return [asking(asked, b'"active":true') for asked in issued]


def introspectingInactive(server: Server, requests: int) -> list[Script[None]]:
    """
    Tokens that nobody issued, each of them another.
    """

    def madeUp() -> list[bytes]:
        tokens = (secrets.token_urlsafe(32) for _ in range(requests))
        return [server.post("introspection", token=token) for token in tokens]

    return [asking(madeUp(), b'"active":false') for _ in range(CONNECTIONS)]


def getting(document: str) -> Load:
    """
    A document.
    """

    def load(server: Server, requests: int) -> list[Script[None]]:
        request = makeGet(server.addresses[document])
        return [asking([request] * requests, b"{") for _ in range(CONNECTIONS)]

    return load


def revalidating(server: Server, requests: int) -> list[Script[None]]:
    """
    The key set, for whoever has it.
    """
    request = makeGet(server.addresses["keys"], "If-None-Match: *\r\n")
    return [asking([request] * requests, status=304) for _ in range(CONNECTIONS)]


# The comparison


@attrs.frozen(eq=False)
class Comparison:
    """
    What was measured in one scenario: microseconds for a request, by rounds.

    @ivar load: what oidc-provider is asked.
    @ivar ownLoad: what mailauth is asked, if that is something else.
    @ivar durable: mailauth keeps it on the disk.
    @ivar limit: how many times the capacity is to be reached at least, C{None} if nothing is.
    """

    scenario: str
    load: Load
    limit: float | None
    ownLoad: Load | None = None
    durable: bool = False
    theirs: list[float] = attrs.field(factory=list)
    ours: list[float] = attrs.field(factory=list)

    def measure(self, peer: Server, ours: Server, requests: int) -> None:
        """
        One round.
        """
        self.theirs.append(peer.costOf(self.load, requests))
        self.ours.append(ours.costOf(self.ownLoad or self.load, requests))

    @property
    def capacity(self) -> float:
        """
        How many requests mailauth answers in the time of one of oidc-provider's.
        """
        return median(theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True))

    @property
    def reached(self) -> bool:
        """
        Whether it is as much as it has to be.
        """
        return self.limit is None or self.capacity >= self.limit

    def __str__(self) -> str:
        least = min(self.theirs) / min(self.ours)
        limit = "" if self.limit is None else f"{self.limit:>7.1f}"
        return (
            f"{self.scenario:<32}"
            f"{median(self.theirs):>7.1f}{min(self.theirs):>8.1f}"
            f"{median(self.ours):>9.1f}{min(self.ours):>8.1f}"
            f"{self.capacity:>9.2f}{least:>7.2f}{limit}"
        ).rstrip()


HEADING = """\
                                oidc-provider, us    mailauth, us      times capacity
                                 median   least   median   least   median  least  limit"""


def makeComparisons() -> list[Comparison]:
    """
    What is compared.
    """
    return [
        Comparison("client credentials, ES256", clientCredentials, TOKEN_LIMIT),
        Comparison("refresh with rotation, ES256", refreshing, TOKEN_LIMIT),
        Comparison("introspection, active", introspectingActive, OTHER_LIMIT),
        Comparison("introspection, inactive", introspectingInactive, OTHER_LIMIT),
        Comparison("discovery", getting("discovery"), OTHER_LIMIT),
        Comparison("JWKS", getting("keys"), OTHER_LIMIT),
        Comparison("JWKS, not modified", getting("keys"), None, revalidating),
        Comparison(
            "introspection, ES256 first seen", introspectingActive, None, introspectingFresh
        ),
        Comparison("refresh with rotation, SQLite", refreshing, None, durable=True),
    ]


def measure(rounds: int, requests: int) -> list[Comparison]:
    """
    Start everything, and compare.

    @param requests: how many on each connection.
    """
    comparisons = makeComparisons()
    count, endpoints = str(CONNECTIONS), str(HERE / "endpoints.py")
    with ExitStack() as stack:
        peer = stack.enter_context(running("node", str(HERE / "provider.mjs"), count))
        ours = stack.enter_context(running(sys.executable, endpoints, count))
        durable = stack.enter_context(running(sys.executable, endpoints, count, "--database"))
        # The first time is for getting warm.
        for each in makeComparisons() + rounds * comparisons:
            each.measure(peer, durable if each.durable else ours, requests)
    return comparisons


def main() -> int:
    """
    Measure, and print.
    """
    parser = argparse.ArgumentParser(description="what a request to an OAuth endpoint costs")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=1600, help="in each measurement")
    parser.add_argument(
        "--limits", action="store_true", help="exit with 1 if a median is below its limit"
    )
    options = parser.parse_args()
    began = time()
    comparisons = measure(options.rounds, options.requests // CONNECTIONS)
    print(HEADING)
    for comparison in comparisons:
        print(comparison)
    print(f"{options.rounds} rounds of {options.requests} requests, {time() - began:.0f} s")
    return int(options.limits and not all(each.reached for each in comparisons))


if __name__ == "__main__":
    sys.exit(main())
