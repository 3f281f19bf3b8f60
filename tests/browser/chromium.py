"""
Chromium without a window. Owns its start and its end, and how it is told what to do: the DevTools
protocol over a pipe (U{https://chromedevtools.github.io/devtools-protocol/}).
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..interop.programs import TIMEOUT, run

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Nothing is asked of the world outside.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)

# Chromium reads commands from descriptor 3 and writes to 4, which may be in use here.
_LAUNCHER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Chromium:
    """
    One that runs, with a profile of its own.
    """

    def __init__(self, home: Path, authority: str) -> None:
        """
        Start it.

        @param home: an empty directory.
        @param authority: the file with the certificate to trust.
        """
        database = home / ".pki" / "nssdb"
        database.mkdir(parents=True)
        for arguments in (
            ("-N", "--empty-password"),
            ("-A", "-n", "ca", "-t", "C,,", "-i", authority),
        ):
            finished = run("certutil", *arguments, "-d", f"sql:{database}")
            assert finished.status == 0, finished.errors
        commandsOut, self._commands = (_outOfTheWay(each) for each in os.pipe())
        self._replies, repliesIn = (_outOfTheWay(each) for each in os.pipe())
        self._process = subprocess.Popen(
            (
                *(sys.executable, "-c", _LAUNCHER, str(commandsOut), str(repliesIn)),
                *("chromium", *_FLAGS, f"--user-data-dir={home / 'profile'}", "about:blank"),
            ),
            pass_fds=(commandsOut, repliesIn),
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commandsOut)
        os.close(repliesIn)
        self._number = 0
        self._buffer = b""
        self.events: list[dict[str, Any]] = []

    def openApart(self) -> Tab:
        """
        A new tab that shares no cookies with the others, as if it were in another browser.
        """
        context = self.command("Target.createBrowserContext")["browserContextId"]
        return self.open(browserContextId=context)

    def open(self, **where: str) -> Tab:
        """
        A new tab.
        """
        target = self.command("Target.createTarget", url="about:blank", **where)["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        return Tab(self, attached["sessionId"])

    def quit(self) -> None:
        """
        End it, and wait until it is gone.
        """
        try:
            self.command("Browser.close")
            self._process.wait(TIMEOUT)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._commands)
            os.close(self._replies)

    def command(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """
        Tell it to do something, and return what it says. What happens meanwhile is kept in
        C{events}.
        """
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            said = self._read()
            if said.get("id") == self._number:
                assert "error" not in said, f"{method}: {said['error']}"
                return said["result"]
            self.events.append(said)

    def until(self, holds: Callable[[], object]) -> None:
        """
        Wait until something has happened: what a browser does, it does in its own time.
        """
        deadline = time.monotonic() + TIMEOUT
        while not holds():
            assert time.monotonic() < deadline, self.events[-5:]
            if b"\0" in self._buffer or select.select([self._replies], [], [], 0.05)[0]:
                self.events.append(self._read())

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            readable, _, _ = select.select([self._replies], [], [], TIMEOUT)
            octets = os.read(self._replies, 1 << 16) if readable else b""
            assert octets, "Chromium says nothing"
            self._buffer += octets
        message, _, self._buffer = self._buffer.partition(b"\0")
        said: dict[str, Any] = json.loads(message)
        return said


def _outOfTheWay(descriptor: int) -> int:
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved


class Tab:
    """
    One tab, and a person at it.
    """

    def __init__(self, chromium: Chromium, session: str) -> None:
        self._chromium = chromium
        self._session = session
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **parameters: Any) -> Any:
        """
        See L{Chromium.command}.
        """
        return self._chromium.command(method, self._session, **parameters)

    def events(self, method: str) -> list[dict[str, Any]]:
        """
        What has happened here of one kind.
        """
        return [
            event["params"]
            for event in self._chromium.events
            if event.get("sessionId") == self._session and event["method"] == method
        ]

    def evaluate(self, expression: str) -> Any:
        """
        What an expression of JavaScript comes to, or what its promise does.
        """
        outcome = self.command(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in outcome, outcome["exceptionDetails"]
        return outcome["result"].get("value")

    def visit(self, address: str, pages: int = 1) -> None:
        """
        Type an address.

        @param pages: how many it leads to, one after the other, without anybody doing anything.
        """
        self._go(lambda: self.command("Page.navigate", url=address), pages)

    def reload(self) -> None:
        """
        Load the page again, and send again what it came of.
        """
        self._go(lambda: self.command("Page.reload"))

    def click(self, selector: str, times: int = 1) -> None:
        """
        Click where an element is, and wait for the page that this leads to.
        """
        self._go(lambda: self.touch(selector, times))

    def press(self, key: str) -> None:
        """
        Press a key, and wait for the page that this leads to.
        """
        self._go(lambda: self.strike(key))

    def _go(self, act: Callable[[], object], pages: int = 1) -> None:
        """
        Do what leads to another page, and wait until that is there.
        """
        loaded = len(self.events("Page.loadEventFired")) + pages
        act()
        self._chromium.until(lambda: len(self.events("Page.loadEventFired")) >= loaded)

    def until(self, expression: str) -> None:
        """
        Wait until something holds in the page.
        """
        self._chromium.until(lambda: self.evaluate(expression))

    def touch(self, selector: str, times: int = 1) -> None:
        """
        Click where an element is.
        """
        place = self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.left + r.width / 2, r.top + r.height / 2] })()"
        )
        for number in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.command(
                    "Input.dispatchMouseEvent",
                    type=kind,
                    button="left",
                    clickCount=number,
                    x=place[0],
                    y=place[1],
                )

    def strike(self, key: str) -> None:
        """
        Press a key: C{"Tab"}, C{"Shift+Tab"}, C{"Enter"} or C{" "}.
        """
        shift, _, name = key.rpartition("+")
        code = {"Tab": 9, "Enter": 13, " ": 32}[name]
        event = {
            "key": name,
            "windowsVirtualKeyCode": code,
            "text": {"Enter": "\r", " ": " "}.get(name, ""),
            "modifiers": 8 if shift else 0,
        }
        self.command("Input.dispatchKeyEvent", type="keyDown", **event)
        self.command("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text: str) -> None:
        """
        Type into whatever has the focus.
        """
        self.command("Input.insertText", text=text)

    def fill(self, selector: str, text: str) -> None:
        """
        Type into a field, in the place of what it holds.
        """
        self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.focus(); e.select() })()"
        )
        self.type(text)

    @property
    def address(self) -> str:
        """
        What the address bar shows.
        """
        address: str = self.evaluate("location.href")
        return address

    @property
    def text(self) -> str:
        """
        What a person reads.
        """
        text: str = self.evaluate("document.body.innerText")
        return text

    def beforehand(self, script: str) -> None:
        """
        Run a script before each page.
        """
        self.command("Page.addScriptToEvaluateOnNewDocument", source=script)

    def addAuthenticator(self) -> str:
        """
        Have a device that keeps passkeys, whose owner always says yes.

        @return: its id.
        """
        self.command("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        added = self.command("WebAuthn.addVirtualAuthenticator", options=options)
        identifier: str = added["authenticatorId"]
        return identifier

    def removeAuthenticator(self, identifier: str) -> None:
        """
        Have it no more.
        """
        self.command("WebAuthn.removeVirtualAuthenticator", authenticatorId=identifier)

    def forget(self) -> None:
        """
        Lose all cookies.
        """
        self.command("Network.clearBrowserCookies")

    @property
    def heading(self) -> str:
        """
        The heading of the page.
        """
        heading: str = self.evaluate("document.querySelector('h1').innerText")
        return heading

    @property
    def focused(self) -> str:
        """
        The text of what has the focus, or its name where it has none.
        """
        focused: str = self.evaluate(
            "document.activeElement.innerText.trim() || document.activeElement.name"
        )
        return focused

    def awaitFocus(self, words: str) -> None:
        """
        Wait until something has the focus: a page that gives it to one of its fields does so once
        it is drawn.

        @param words: see L{focused}.
        """
        self._chromium.until(lambda: self.focused == words)

    def look(self, width: int, dark: bool) -> None:
        """
        Have a screen so wide, and a preference for dark or light.
        """
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )
        media = {
            "prefers-color-scheme": "dark" if dark else "light",
            # No color is on its way to another while it is looked at.
            "prefers-reduced-motion": "reduce",
        }
        features = [{"name": name, "value": value} for name, value in media.items()]
        self.command("Emulation.setEmulatedMedia", features=features)

    def photograph(self, path: Path) -> None:
        """
        Keep what the whole page looks like.
        """
        shot = self.command("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(b64decode(shot["data"]))
