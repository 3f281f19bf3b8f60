"""
What a process and its descendants have cost so far, from /proc.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
_TICK = 1e6 / os.sysconf("SC_CLK_TCK")


def microseconds(root: int) -> float:
    """
    User and system time of a process tree, of its ended members too.

    @param root: a process id.
    """
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
            except OSError:
                continue
    total = 0.0
    tree = [root]
    while tree:
        pid = tree.pop()
        tree += children.get(pid, ())
        total += _microsecondsOf(pid)
    return total


def _microsecondsOf(pid: int) -> float:
    """
    The scheduler counts in nanoseconds, but only for threads that live; the ticks of a process,
    10 ms each, hold what its ended threads and its reaped children have cost.
    """
    fields = _stat(pid)
    ticks, reaped = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    threads = (_PROC / str(pid) / "task").iterdir()
    nanoseconds = sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)
    return max(nanoseconds / 1000, ticks * _TICK) + reaped * _TICK


def _stat(pid: int) -> list[str]:
    """
    See proc(5); the first two fields are left out, for a name may hold anything.
    """
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
