"""
Other people's programs. Owns what happens if one is missing, fails or hangs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from unittest import SkipTest

import attrs

TIMEOUT = 120.0
"""
For how many seconds a program may run before it counts as hanging. It decides no test that passes.
"""


@attrs.frozen
class Finished:
    """
    What a program left behind.
    """

    status: int
    output: bytes
    errors: bytes


def need(*programs: str) -> None:
    """
    Skip the test unless the programs are there.
    """
    for program in programs:
        if shutil.which(program) is None:
            raise SkipTest(f"needs {program}")


def run(
    *command: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> Finished:
    """
    Run a program to its end, whatever its status will be.

    @param environment: what is added to ours.
    """
    finished = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        env={**os.environ, **(environment or {})},
        timeout=TIMEOUT,
        check=False,
    )
    return Finished(finished.returncode, finished.stdout, finished.stderr)


def eventually(condition: Callable[[], object]) -> None:
    """
    Wait until it holds: what a program does, it does in its own time.
    """
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.05)
