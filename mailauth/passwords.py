"""
App passwords and account passwords: made, hashed, verified. Owns every rule about their form.

There are two kinds, for one reason. A I{generated} secret has 120 random bits: nobody guesses it,
however fast, so one round of SHA-256 is enough (NIST SP 800-63B section 5.1.1.2 asks for a slow
hash below 112 bits), and the digest finds it in one look-up. A I{chosen} password is guessed, so
its hash is bcrypt, which costs a tenth of a second of somebody's processor: never the reactor's.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from hashlib import sha256
from time import time
from typing import Any, NoReturn, TypeVar

import bcrypt
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from .caches.memory import MemoryCache
from .credentials import accountTag
from .errors import InvalidCredentials, Outage
from .interfaces import ITokenCache

_T = TypeVar("_T")

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""
32 letters, without those that are taken for others: no i, l, o, and no u (Crockford's base32).
"""

GENERATED_LENGTH = 24
"""
Letters of an app password: 24 of 5 bits are 120.
"""

_MISREAD: dict[int, str | None] = {
    **dict.fromkeys(map(ord, " -\t\N{NO-BREAK SPACE}\N{NON-BREAKING HYPHEN}")),
    ord("o"): "0",
    ord("i"): "1",
    ord("l"): "1",
}
_GENERATED = re.compile(f"[{ALPHABET}]{{{GENERATED_LENGTH}}}")

MAX_CHOSEN_OCTETS = 72
"""
bcrypt does not look at what comes after: a longer password would be weaker than it seems (PW1).
"""

MIN_COST, MAX_COST = 4, 14
"""
What an imported hash may cost: its verification takes 2 to the power of so many rounds (PW4).
"""

DEFAULT_COST = 12

# Dovecot's name of the scheme before what crypt(3) writes. "y" and "b" are the same algorithm,
# "a" is what the early implementations wrote. A salt of 16 octets leaves 4 bits of its last letter
# unused: bcrypt raises where they are not zero (PW2).
_BCRYPT = re.compile(
    rb"(?:\{(?:BLF-CRYPT|CRYPT)\})?\$2[aby]\$(?P<rest>(?P<cost>[0-9]{2})\$"
    rb"[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31})"
)


class UnusablePassword(ValueError):
    """
    A password that cannot be set, or a hash that cannot be imported. The message says what to do
    about it, and quotes nothing.
    """


def makeAppPassword() -> str:
    """
    Make a secret of 120 bits, in groups of four for whoever has to type it.
    """
    letters = "".join(secrets.choice(ALPHABET) for _ in range(GENERATED_LENGTH))
    return "-".join(letters[at : at + 4] for at in range(0, GENERATED_LENGTH, 4))


def digestAppPassword(password: bytes) -> bytes | None:
    """
    The SHA-256 by which a generated app password is found. Case, spaces and dashes do not count,
    and letters that look alike are the same, for people copy it by hand.

    @return: C{None} if this cannot be a generated app password.
    """
    if len(password) > 4 * GENERATED_LENGTH:
        return None
    try:
        letters = password.decode("utf-8").lower().translate(_MISREAD)
    except UnicodeDecodeError:
        return None
    if _GENERATED.fullmatch(letters) is None:
        return None
    return sha256(letters.encode("ascii")).digest()


def checkChosen(password: bytes) -> None:
    """
    Return if an account password may be set to this.

    @raise UnusablePassword: it may not.
    """
    if not password:
        raise UnusablePassword("The password is empty: choose another one.")
    if len(password) > MAX_CHOSEN_OCTETS:
        raise UnusablePassword(
            f"The password has {len(password)} octets: choose one of at most {MAX_CHOSEN_OCTETS}."
        )
    if b"\x00" in password:
        raise UnusablePassword("The password has a NUL in it: choose another one.")


def hashChosen(password: bytes, cost: int = DEFAULT_COST) -> str:
    """
    Hash an account password. It takes a tenth of a second or more: never on the reactor's thread.

    @param cost: 2 to the power of it is the number of rounds.
    @raise UnusablePassword: it cannot be set.
    """
    checkChosen(password)
    return bcrypt.hashpw(password, bcrypt.gensalt(cost)).decode("ascii")


def checkImported(passwordHash: str) -> bytes:
    """
    Read an imported hash.

    @return: it, in the form that bcrypt writes.
    @raise UnusablePassword: it is not bcrypt's, or verifying it would cost too much.
    """
    try:
        octets = passwordHash.encode("ascii")
    except UnicodeEncodeError:
        octets = b""
    match = _BCRYPT.fullmatch(octets)
    if match is None:
        raise UnusablePassword(
            "The hash is not bcrypt's: it has to look like {BLF-CRYPT}$2b$12$..."
        )
    if not MIN_COST <= int(match["cost"]) <= MAX_COST:
        raise UnusablePassword(
            f"The hash has cost {match['cost'].decode()}: {MIN_COST} to {MAX_COST} are allowed."
        )
    return b"$2b$" + match["rest"]


class PasswordHasher:
    """
    bcrypt in threads of its own: one for each core, and a bounded queue. When that is full, the
    answer is an outage, at once: a flood of guesses must not make good logins wait (DS9).

    A verdict is remembered for L{REMEMBERED} seconds under a digest that only this process can
    compute, and a password that is being verified for one connection is not hashed again for
    another.
    """

    REMEMBERED = 300.0
    QUEUED_PER_THREAD = 4

    def __init__(
        self,
        reactor: IReactorFromThreads,
        pool: ThreadPool,
        cost: int = DEFAULT_COST,
        now: Callable[[], float] = time,
        cache: ITokenCache | None = None,
    ) -> None:
        """
        @param pool: where to hash. Nothing else should use it; whoever made it starts and stops
            it.
        @param cost: of new hashes; 2 to the power of it is the number of rounds.
        @param now: the wall clock, in seconds since the epoch.
        @param cache: where verdicts are remembered; C{None} for one of its own. Either is told by
            whoever knows the revocations what to drop: see L{forget}.
        """
        self.cost = cost
        self._reactor = reactor
        self._pool = pool
        self._now = now
        self._busy = 0
        self._key = secrets.token_bytes(32)
        # Nobody knows a password of this hash.
        self._dummy = f"$2b${cost:02}$" + 53 * "."
        self._verdicts = MemoryCache(now) if cache is None else cache
        self._verifying: dict[bytes, list[Deferred[None]]] = {}

    def hash(self, password: bytes) -> Deferred[str]:
        """
        Hash a chosen password.

        @raise UnusablePassword: it cannot be set.
        @raise Outage: there is no room in the queue.
        """
        try:
            checkChosen(password)
        except UnusablePassword:
            return fail()
        return self._run(lambda: hashChosen(password, self.cost))

    def verify(self, account: str, password: bytes, passwordHash: str) -> Deferred[None]:
        """
        Fire if it is the password.

        @param account: whose it is: a verdict is dropped with the account's tag.
        @raise InvalidCredentials: it is not.
        @raise Outage: there is no room in the queue, or the hash cannot be read.
        """
        if len(password) > MAX_CHOSEN_OCTETS or b"\x00" in password:
            # No password like this could be set. It takes as long as any other wrong one.
            password, passwordHash = sha256(password).hexdigest().encode(), self._dummy
        try:
            stored = checkImported(passwordHash)
        except UnusablePassword:
            return fail(Outage("a stored password hash cannot be read"))
        digest = self._digest(account, password, stored)
        known = self._verdicts.get(digest)
        if known is not None:
            return succeed(None) if known else fail(InvalidCredentials())
        waiter: Deferred[None] = Deferred()
        if digest in self._verifying:
            self._verifying[digest].append(waiter)
            return waiter
        self._verifying[digest] = [waiter]
        generation = self._verdicts.generation
        checked = self._run(lambda: bcrypt.checkpw(password, stored))
        checked.addBoth(self._verified, digest, account, generation)
        return waiter

    def pretend(self, account: str, password: bytes) -> Deferred[NoReturn]:
        """
        Work as hard, and remember as much, as for an account that exists, and refuse (PW6).

        @raise InvalidCredentials: always, unless
        @raise Outage: there is no room in the queue.
        """
        return self.verify(account, password, self._dummy)  # type: ignore[return-value]  # it fails

    def forget(self, tags: frozenset[str], reason: str | None = None) -> None:
        """
        Drop the verdicts under these tags; to be subscribed to
        L{IRevocations<mailauth.interfaces.IRevocations>}, unless their cache is.
        """
        self._verdicts.drop(tags)

    def _digest(self, account: str, password: bytes, stored: bytes) -> bytes:
        """
        Injective: no part can be longer at the cost of its neighbour (CS1).
        """
        parts = b"".join(
            len(part).to_bytes(4, "big") + part
            for part in (account.encode("utf-8"), password, stored)
        )
        return hmac.digest(self._key, parts, "sha256")

    def _run(self, work: Callable[[], _T]) -> Deferred[_T]:
        if self._busy >= self._pool.max * (1 + self.QUEUED_PER_THREAD):
            return fail(Outage("too many passwords wait to be hashed"))
        self._busy += 1

        def done(result: Any) -> Any:
            self._busy -= 1
            return result

        return deferToThreadPool(self._reactor, self._pool, work).addBoth(done)

    def _verified(
        self, verdict: bool | Failure, digest: bytes, account: str, generation: int
    ) -> None:
        if isinstance(verdict, bool) and generation == self._verdicts.generation:
            expires = self._now() + self.REMEMBERED
            self._verdicts.put(digest, verdict, (accountTag(account),), expires)
        for waiter in self._verifying.pop(digest):
            if verdict is True:
                waiter.callback(None)
            elif verdict is False:
                waiter.errback(InvalidCredentials())
            elif isinstance(verdict.value, Outage):
                waiter.errback(verdict)
            else:
                waiter.errback(Outage("a password could not be hashed"))
