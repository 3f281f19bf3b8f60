"""
Somebody at a terminal, who runs C{mailauth-token}. Owns its environment, and how it is read from
the program where it wants a browser to go.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from typing import Any

from ..interop.programs import TIMEOUT, Finished, run

COMMAND = (sys.executable, "-c", "from mailauth.tokenclient.command import main; main()")

_ADDRESS = re.compile(rb"https://\S+")


class Terminal:
    """
    One of them.

    @ivar state: the directory where the program keeps what it keeps.
    """

    def __init__(self, directory: Path, **environment: str) -> None:
        """
        @param directory: an own one.
        @param environment: more of it.
        """
        self.environment = {
            "HOME": str(directory),
            "XDG_STATE_HOME": str(directory / "state"),
            # Not that of whoever runs the tests.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "BROWSER": "true",
            **environment,
        }
        self.state = directory / "state" / "mailauth-token"

    def command(self, *arguments: str) -> tuple[str, ...]:
        """
        How the program is started.
        """
        return (*COMMAND, *arguments)

    def run(self, *arguments: str) -> Finished:
        """
        Run the program to its end.
        """
        return run(*self.command(*arguments), environment=self.environment)

    def token(self, address: str) -> str:
        """
        What it prints, and nothing but a line.
        """
        finished = self.run(address)
        assert (finished.status, finished.errors) == (0, b""), finished
        assert finished.output.count(b"\n") == 1, finished
        return finished.output.decode("ascii").rstrip("\n")

    def begin(self, *arguments: str) -> Running:
        """
        Run it, and do something else meanwhile.
        """
        return Running(self.command(*arguments), self.environment)

    def kept(self, address: str) -> dict[str, Any]:
        """
        What is in the file of an address.
        """
        members: dict[str, Any] = json.loads((self.state / f"{address}.json").read_bytes())
        return members

    def age(self, address: str, seconds: float) -> None:
        """
        Let time go by.
        """
        members = self.kept(address)
        members["issued"] -= seconds
        (self.state / f"{address}.json").write_text(json.dumps(members))


class Running:
    """
    The program, which waits for somebody.
    """

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._hanging = Timer(TIMEOUT, self._process.kill)
        self._hanging.start()
        self._said = b""

    def awaitAddress(self) -> str:
        """
        Wait until it wants somebody to go somewhere.

        @return: where.
        """
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said += line
            match = _ADDRESS.search(line)
            if match is not None:
                return match[0].rstrip(b",").decode("ascii")
        raise AssertionError(self._said)

    def awaitCode(self) -> str:
        """
        Wait until it shows a code to type.
        """
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        self._said += line
        return line.split()[2].decode("ascii")

    def end(self) -> Finished:
        """
        Wait until it ends.
        """
        try:
            output, errors = self._process.communicate()
        finally:
            self._hanging.cancel()
        return Finished(self._process.returncode, output, self._said + errors)
