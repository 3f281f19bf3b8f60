"""
Thunderbird without a window. Owns its start and its end, and how it is told what to do:
Marionette, the protocol below WebDriver
(U{https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html}).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .programs import TIMEOUT, eventually, run

INSTALLED = Path("/usr/lib/thunderbird")
"""
Where Debian has it.
"""

_PROGRAM = "thunderbird-bin"
_FUNCTIONS = Path(__file__).with_name("thunderbird.js").read_text("utf-8")
_PREFERENCES: dict[str, Any] = {
    # A free port, which it writes down.
    "marionette.port": 0,
    # Nothing is asked of the world outside.
    "app.update.auto": False,
    "datareporting.policy.bypassNotification": True,
    "mail.provider.suppress_dialog_on_startup": True,
    "mailnews.start_page.enabled": False,
    "network.proxy.type": 0,
}


_DESKTOP = """\
[Desktop Entry]
Type=Application
Name=Browser
Exec={program} %u
MimeType=x-scheme-handler/http;x-scheme-handler/https;
"""
_DEFAULTS = """\
[Default Applications]
x-scheme-handler/http=browser.desktop
x-scheme-handler/https=browser.desktop
"""


def _makeBrowser(home: Path, asked: Path) -> None:
    """
    Have the desktop open addresses with a program that only writes down which it is.
    """
    program = home / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" >{asked}.new && mv {asked}.new {asked}\n')
    program.chmod(0o700)
    applications = home / ".local" / "share" / "applications"
    applications.mkdir(parents=True)
    (applications / "browser.desktop").write_text(_DESKTOP.format(program=program))
    (home / ".config").mkdir()
    (home / ".config" / "mimeapps.list").write_text(_DEFAULTS)
    finished = run("update-desktop-database", str(applications))
    assert finished.status == 0, finished.errors


def rollOut(directory: Path, policies: bytes) -> Path:
    """
    Have a Thunderbird with the policies of an organisation. They are beside the program, which has
    to be a copy: it looks for them where it is itself.

    @param directory: where it will be.
    @return: the program.
    """
    directory.mkdir()
    for path in INSTALLED.iterdir():
        if path.name != _PROGRAM:
            (directory / path.name).symlink_to(path)
    distribution = directory / "distribution"
    distribution.mkdir()
    (distribution / "policies.json").write_bytes(policies)
    program = directory / _PROGRAM
    shutil.copy(INSTALLED / _PROGRAM, program)
    return program


class Thunderbird:
    """
    One that runs, with a profile of its own.
    """

    def __init__(
        self,
        home: Path,
        authority: str,
        preferences: Mapping[str, Any] | None = None,
        program: str | Path = "thunderbird",
    ) -> None:
        """
        Start it, and wait until it listens.

        @param home: an empty directory.
        @param authority: the file with the certificate to trust.
        @param preferences: more of them.
        """
        self._asked = home / "asked"
        _makeBrowser(home, self._asked)
        profile = home / "profile"
        profile.mkdir()
        (profile / "user.js").write_text(
            "".join(
                f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
                for name, value in {**_PREFERENCES, **(preferences or {})}.items()
            )
        )
        for arguments in (
            ("-N", "--empty-password"),
            ("-A", "-n", "ca", "-t", "C,,", "-i", authority),
        ):
            finished = run("certutil", *arguments, "-d", f"sql:{profile}")
            assert finished.status == 0, finished.errors
        self._output = home / "output"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                (
                    program,
                    "--profile",
                    profile,
                    "--no-remote",
                    "--marionette",
                    "--remote-allow-system-access",
                ),
                env={"HOME": str(home), "MOZ_HEADLESS": "1", "PATH": os.environ["PATH"]},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._connect(profile / "MarionetteActivePort")
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _connect(self, port: Path) -> None:
        eventually(lambda: self._hasEnded() or (port.exists() and port.read_text()))
        assert not self._hasEnded(), self._said()
        # It says itself if a function takes too long.
        address = ("127.0.0.1", int(port.read_text()))
        self._connection = socket.create_connection(address, 2 * TIMEOUT)
        self._replies = self._connection.makefile("rb")
        self._read()
        self._command("WebDriver:NewSession")
        self._command("Marionette:SetContext", value="chrome")
        self._command("WebDriver:SetTimeouts", script=int(TIMEOUT * 1000))

    def call(self, function: str, *arguments: Any) -> Any:
        """
        Call one of the functions in C{thunderbird.js}, and wait for what it returns.
        """
        outcome = self._execute(function, *arguments)
        assert outcome is not None, f"{function}: it asks something"
        assert "error" not in outcome, f"{function}: {outcome['error']}"
        return outcome.get("value")

    def confirm(self, function: str, *arguments: Any) -> str:
        """
        Call a function that makes it ask something, and say yes.

        @return: what it asks.
        """
        outcome = self._execute(function, *arguments)
        assert outcome is None, f"{function}: {outcome}"
        text: str = self._command("WebDriver:GetAlertText")["value"]
        self._command("WebDriver:AcceptAlert")
        return text

    def _execute(self, function: str, *arguments: Any) -> dict[str, Any] | None:
        """
        @return: nothing if a dialog opens first.
        """
        outcome: dict[str, Any] | None = self._command(
            "WebDriver:ExecuteAsyncScript",
            script=_FUNCTIONS,
            args=[function, arguments],
            newSandbox=True,
        )["value"]
        return outcome

    @property
    def hasAsked(self) -> bool:
        """
        Whether it has opened a browser, and nobody has looked.
        """
        return self._asked.exists()

    def awaitAddress(self) -> str:
        """
        Wait until it opens a browser.

        @return: where.
        """
        eventually(lambda: self.hasAsked)
        address = self._asked.read_text()
        self._asked.unlink()
        return address

    def quit(self) -> None:
        """
        End it, and wait until it is gone.
        """
        try:
            self._command("Marionette:Quit", flags=["eForceQuit"])
            self._process.wait(TIMEOUT)
        finally:
            self._process.kill()
            self._process.wait()
            self._replies.close()
            self._connection.close()

    def _command(self, command: str, **parameters: Any) -> Any:
        message = json.dumps([0, 0, command, parameters]).encode()
        self._connection.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read()
        assert error is None, f"{command}: {error}"
        return result

    def _read(self) -> Any:
        length = b""
        while (digit := self._replies.read(1)) != b":":
            assert digit, self._said()
            length += digit
        return json.loads(self._replies.read(int(length)))

    def _hasEnded(self) -> bool:
        return self._process.poll() is not None

    def _said(self) -> str:
        return self._output.read_text("utf-8", "replace")
