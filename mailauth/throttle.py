"""
Failures by network and by account, shared by all wires. Owns who has to wait before the next
guess.

It delays and never locks: whoever knows an account's name could lock its owner out (PW8). So each
budget fills again within a minute, and a network from which the account was opened before has a
budget of its own, which strangers cannot empty. What nobody can guess waits for no account's
budget.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import attrs

from .errors import TooManyFailures


@attrs.frozen
class ThrottleLimits:
    """
    How many failures a minute are looked at, after which everything waits for its turn.

    @ivar account: for one account, from all networks that never opened it.
    @ivar network: for one network, whatever the account.
    @ivar known: for one account from one network that opened it before.
    @ivar remembered: how many accounts, networks, known pairs and failures are kept, each.
    """

    account: float = 10
    network: float = 30
    known: float = 10
    remembered: int = 100_000


class _Recent(OrderedDict[Hashable, None]):
    """
    The names added last.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def add(self, name: Hashable) -> None:
        self[name] = None
        self.move_to_end(name)
        if len(self) > self._limit:
            self.popitem(last=False)


class _Buckets:
    """
    One token bucket for each of the names seen last: it holds as much as runs in within a minute.
    """

    def __init__(self, seconds: Callable[[], float], perMinute: float, limit: int) -> None:
        self._seconds = seconds
        self._perMinute = perMinute
        self._limit = limit
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def level(self, name: Hashable) -> float:
        """
        How many failures are left.
        """
        known = self._levels.get(name)
        if known is None:
            return self._perMinute
        level, since = known
        return min(self._perMinute, level + (self._seconds() - since) * self._perMinute / 60)

    def take(self, name: Hashable) -> None:
        """
        There was one.
        """
        self._levels[name] = (max(0.0, self.level(name) - 1), self._seconds())
        self._levels.move_to_end(name)
        if len(self._levels) > self._limit:
            self._levels.popitem(last=False)

    def giveBack(self, name: Hashable) -> None:
        """
        It was none.
        """
        if name in self._levels:
            self._levels[name] = (min(self._perMinute, self.level(name) + 1), self._seconds())


class RateLimit:
    """
    How often something may be done that is no guess, for each of the names seen last.
    """

    def __init__(
        self, seconds: Callable[[], float], perMinute: float, remembered: int = 10_000
    ) -> None:
        """
        @param seconds: a clock that only runs forward, such as C{IReactorTime.seconds}.
        @param remembered: how many names are kept.
        """
        self._buckets = _Buckets(seconds, perMinute, remembered)

    def allows(self, name: Hashable) -> bool:
        """
        Whether it may be done once more, which counts.

        @param name: who does it; C{None} is never limited, as
            L{networkOf<mailauth.networks.networkOf>} has it.
        """
        if name is None:
            return True
        if self._buckets.level(name) < 1:
            return False
        self._buckets.take(name)
        return True


class Throttle:
    """
    The failures of one process.
    """

    def __init__(
        self, seconds: Callable[[], float], limits: ThrottleLimits = ThrottleLimits()
    ) -> None:
        """
        @param seconds: a clock that only runs forward, such as C{IReactorTime.seconds}.
        """
        self._accounts = _Buckets(seconds, limits.account, limits.remembered)
        self._networks = _Buckets(seconds, limits.network, limits.remembered)
        self._pairs = _Buckets(seconds, limits.known, limits.remembered)
        self._known = _Recent(limits.remembered)
        self._seen = _Recent(limits.remembered)

    def knows(self, network: str | None, account: str | None) -> bool:
        """
        Whether the account's owner is at home in this network.
        """
        return (network, account) in self._known

    def check(self, network: str | None, account: str | None) -> None:
        """
        Return if the next attempt may be looked at.

        @param network: as L{networkOf<mailauth.networks.networkOf>} names it.
        @param account: the canonical name of the account that is tried, or C{None} if the
            credentials do not say.
        @raise TooManyFailures: it may not, yet.
        """
        pair = (network, account)
        if pair in self._known:
            if self._pairs.level(pair) < 1:
                raise TooManyFailures("the account's own network failed too often")
            return
        self.checkNetwork(network, account)
        if account is not None and self._accounts.level(account) < 1:
            raise TooManyFailures("the account was tried too often")

    def checkNetwork(self, network: str | None, account: str | None) -> None:
        """
        Return if something may be looked at that nobody can guess. Whoever is at home waits for
        no neighbour.

        @raise TooManyFailures: it may not, yet.
        """
        if network is None or self._networks.level(network) >= 1:
            return
        if not self.knows(network, account):
            raise TooManyFailures("the network failed too often")

    def failed(self, network: str | None, account: str | None, digest: bytes) -> Callable[[], None]:
        """
        An attempt was refused; or it is about to be looked at, and counts as refused until it
        turns out to be right.

        @param account: that was guessed at, or C{None} if none was.
        @param digest: of what was presented, which only this process can compute. A mail client
            that knows an old password repeats it for ever, and that is no guess.
        @return: what to call if it was none.
        """
        guess = (network if account is None else None, account, digest)
        if guess in self._seen:
            return nothing
        self._seen.add(guess)
        taken: list[tuple[_Buckets, Hashable]] = []
        if self.knows(network, account):
            taken.append((self._pairs, (network, account)))
        else:
            if account is not None:
                taken.append((self._accounts, account))
            if network is not None:
                taken.append((self._networks, network))
        for buckets, name in taken:
            buckets.take(name)

        def giveBack() -> None:
            self._seen.pop(guess, None)
            for buckets, name in taken:
                buckets.giveBack(name)

        return giveBack

    def succeeded(self, network: str | None, account: str) -> None:
        """
        An attempt was accepted: the account's owner is at home in this network.
        """
        self._known.add((network, account))


def nothing() -> None:
    """
    There is nothing to give back.
    """
