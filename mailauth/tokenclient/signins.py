"""
Who is signed in. Owns the directory where that is kept, which nobody else can read.

Each mail address has one file there, and a lock beside it: whoever changes the file holds that, so
that two mail programs do not use one refresh token.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import attrs

from .deadline import within
from .failures import Outage, Refusal

MAX_OCTETS = 1 << 18
PATIENCE = 60.0
"""
How many seconds the lock is waited for.
"""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@attrs.frozen
class SignIn:
    """
    Somebody who is signed in, or was.

    @ivar address: whose mail it is about, as it was typed.
    @ivar tokenEndpoint: its address. So with the other, C{None} if there is none.
    @ivar authority: the file with the certificates to trust, C{None} for those of the system.
    @ivar keyring: the refresh token is in the system's keyring.
    @ivar refreshToken: C{None} if it is there, or this is over.
    @ivar accessToken: C{None} if this is over.
    @ivar issued: when it was issued, in seconds since the epoch.
    @ivar lifetime: of the access token, in seconds.
    """

    address: str
    issuer: str
    clientId: str
    tokenEndpoint: str
    revocationEndpoint: str | None
    authority: str | None
    keyring: bool = False
    refreshToken: str | None = attrs.field(default=None, repr=False)
    accessToken: str | None = attrs.field(default=None, repr=False)
    issued: float = 0.0
    lifetime: float = 0.0

    @property
    def over(self) -> bool:
        """
        There are no more tokens.
        """
        return self.refreshToken is None and not self.keyring


class SignIns:
    """
    All of them.

    @ivar directory: where they are.
    """

    def __init__(self, directory: Path, patience: float = PATIENCE) -> None:
        """
        @param patience: how many seconds a lock is waited for.
        """
        self.directory = directory
        self._patience = patience

    @classmethod
    def ofEnvironment(cls, environment: Mapping[str, str]) -> SignIns:
        """
        Those of the person whose environment it is.
        """
        state = Path(environment.get("XDG_STATE_HOME", ""))
        # The XDG specification: a path that is not absolute is none.
        if not state.is_absolute():
            state = Path.home() / ".local" / "state"
        return cls(state / "mailauth-token")

    def path(self, address: str) -> Path:
        """
        The file of an address.
        """
        return self.directory / _nameOf(address)

    def get(self, address: str) -> SignIn | None:
        """
        @raise Refusal: the file cannot be used.
        """
        with self._open() as directory:
            return self._read(directory, _nameOf(address))

    def all(self) -> list[SignIn]:
        """
        All of them, in the order of their addresses.
        """
        with self._open() as directory:
            names = sorted(path.name for path in self.directory.glob("*.json"))
            read = [self._read(directory, name) for name in names]
        return [each for each in read if each is not None]

    def save(self, signIn: SignIn) -> None:
        """
        Keep it. After a crash the file is the one before or this one. The caller holds the lock.
        """
        name = _nameOf(signIn.address)
        new = f"{name}.new"
        octets = json.dumps(attrs.asdict(signIn), indent=1).encode("ascii")
        with self._open() as directory:
            # One that was interrupted.
            _remove(new, directory)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(new, flags, 0o600, dir_fd=directory), "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, name, src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(directory)

    def forget(self, address: str) -> None:
        """
        Keep it no longer. The caller holds the lock.
        """
        with self._open() as directory:
            _remove(_nameOf(address), directory)
            os.fsync(directory)

    @contextmanager
    def lock(self, address: str) -> Iterator[None]:
        """
        Be the only one who changes it.

        @raise Outage: somebody else is for too long.
        """
        name = f"{_nameOf(address)}.lock"
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._open() as directory:
            file = os.open(name, flags, 0o600, dir_fd=directory)
        try:
            with within(self._patience):
                fcntl.flock(file, fcntl.LOCK_EX)
        except TimeoutError:
            os.close(file)
            raise Outage(f"Another mailauth-token works for {address}, and does not end.") from None
        try:
            yield
        finally:
            # It stays there: who waits for it must not wait for one that was removed.
            os.close(file)

    @contextmanager
    def _open(self) -> Iterator[int]:
        """
        The directory, which is made if it is not there.
        """
        try:
            self.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.directory.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            directory = os.open(self.directory, flags)
        except OSError as error:
            raise Refusal(f"{self.directory} cannot be used: {error.strerror}") from None
        try:
            self._checkOwn(directory, self.directory, "700")
            yield directory
        except OSError as error:
            raise Outage(f"{self.directory} cannot be used: {error.strerror}") from None
        finally:
            os.close(directory)

    def _read(self, directory: int, name: str) -> SignIn | None:
        path = self.directory / name
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=directory)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refusal(f"{path} cannot be used: {error.strerror}") from None
        with os.fdopen(descriptor, "rb") as file:
            self._checkOwn(descriptor, path, "600")
            octets = file.read(MAX_OCTETS)
        try:
            return SignIn(**json.loads(octets))
        except (ValueError, TypeError, RecursionError):
            raise Refusal(f"{path} is damaged. Remove it, and sign in again.") from None

    def _checkOwn(self, file: int, path: Path, mode: str) -> None:
        """
        @raise Refusal: what is in there may be known to others, or be theirs.
        """
        status = os.fstat(file)
        if status.st_uid != os.geteuid():
            raise Refusal(f"{path} belongs to somebody else.")
        if status.st_mode & _OTHERS:
            raise Refusal(
                f"{path} can be read by others. Whoever they are, they may have your mail: sign"
                f" out and in again, after 'chmod {mode} {path}'."
            )


def _nameOf(address: str) -> str:
    """
    The name of the file of an address, however that is written.
    """
    return f"{quote(address.lower(), safe='@+=')}.json"


def _remove(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        pass
