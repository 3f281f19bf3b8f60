"""
SQLite's side of the store. Owns what a file must be to be trusted with secrets, and how a
connection must be set to keep what was acknowledged.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from pathlib import Path

from .records import CannotOpen

# What the settings of a connection must read as. Below synchronous=FULL a loss of power takes
# acknowledged commits with it (measured: in each of 6 simulated power cuts under WAL and NORMAL).
NEEDED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def connect(path: Path, wait: float) -> sqlite3.Connection:
    """
    Open an existing database, set as durable as it must be.

    @param wait: how long to wait for others who hold it, in seconds.
    @raise CannotOpen: it could not be set so.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=wait,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        requireNeeded(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def requireNeeded(connection: sqlite3.Connection) -> None:
    """
    Read the settings back: SQLite ignores in silence what it cannot do.

    @raise CannotOpen: one of them is not as it must be.
    """
    for setting, needed in NEEDED.items():
        (value,) = connection.execute(f"PRAGMA {setting}").fetchone()
        if value != needed:
            raise CannotOpen(
                f"SQLite says {setting}={value} where mailauth needs {needed}, or acknowledged "
                "changes could be lost: keep the database on a local file system"
            )


def prepareFile(path: Path) -> None:
    """
    Make the database's file if there is none, and check that nobody else can read or replace it.

    @raise CannotOpen: somebody can, or it cannot be made.
    """
    owner = _requireDirectory(path.parent)
    if not os.path.lexists(path):
        try:
            _makeFile(path, owner)
        except OSError as error:
            raise CannotOpen(f"{path} cannot be made: {error.strerror}") from None
    for suffix in ("", "-wal", "-shm"):
        _requirePrivate(path.with_name(path.name + suffix), owner)


def _requireDirectory(directory: Path) -> int:
    """
    Check that nobody else can put files into it.

    @return: whose it is.
    """
    try:
        status = directory.lstat()
    except OSError as error:
        raise CannotOpen(f"{directory}: {error.strerror}; make it with mode 0700") from None
    if not stat.S_ISDIR(status.st_mode):
        raise CannotOpen(f"{directory} is not a directory itself: name the directory it leads to")
    if status.st_uid != os.geteuid() != 0:
        raise CannotOpen(f"{directory} belongs to another user: be that user, or chown it")
    if status.st_mode & 0o022:
        raise CannotOpen(f"{directory} can be written by others: chmod go-w {directory}")
    return status.st_uid


def _makeFile(path: Path, owner: int) -> None:
    """
    Make an empty database under another name, and give it its own when it is in WAL mode: of two
    processes that switch one file at the same moment, SQLite fails one without waiting.
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        # An administrator's command may be the first to come, as root.
        os.fchown(descriptor, owner, -1)
        os.close(descriptor)
        connect(temporary, 0.0).close()
        path.hardlink_to(temporary)
    except FileExistsError:
        # Another process was first, and its file is as good.
        pass
    finally:
        temporary.unlink()


def _requirePrivate(path: Path, owner: int) -> None:
    """
    Check that it is a file for C{owner} alone, or absent.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotOpen(f"{path}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise CannotOpen(f"{path} is not a file itself: name the file it leads to")
    if status.st_uid != owner:
        raise CannotOpen(f"{path} does not belong to the owner of its directory: chown it")
    if status.st_mode & 0o077:
        raise CannotOpen(f"{path} is open to others: chmod 0600 {path}")
