"""
A demo, a program that has people sign in, and somebody with a browser. Owns what is looked at on
every page.
"""

from __future__ import annotations

import json
from pathlib import Path
from unittest import SkipTest
from urllib.parse import urlsplit

from ..interop import ALICE
from ..interop.demo import DemoTestCase
from ..interop.nodejs import SCRIPTS
from ..interop.programs import need
from .chromium import Chromium
from .program import Program

AXE = SCRIPTS / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = Path(__file__).parent / "screenshots"

WIDTHS = (360, 1280)

# Everything that axe knows of WCAG 2.2 up to AA, and what it takes for good practice.
_CHECK = """
axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(
    (found) => found.violations.map((each) => [each.id, each.help, each.nodes.map((n) => n.html)])
)
"""


_STICKS_OUT = """
Array.from(document.querySelectorAll("table")).some(
    (table) => table.offsetWidth > table.parentElement.clientWidth
)
"""


# What can be done on the page, and has not been come to yet.
_BEGIN = """
window.before = document.activeElement;
document.activeElement.blur();
window.ahead = new Set(
    Array.from(document.querySelectorAll("a[href], button, input, select, textarea, summary"))
        .filter((each) => each.checkVisibility() && !each.disabled)
)
"""
# The arrows lead from one of several radio buttons to the next.
_COME_TO = """
(() => {
    const here = document.activeElement;
    const passed = Array.from(window.ahead).filter(
        (each) => each === here
            || (here.type === "radio" && each.name === here.name && each.form === here.form)
    );
    passed.forEach((each) => window.ahead.delete(each));
    return !passed.length || getComputedStyle(here).outlineStyle === "solid";
})()
"""
_AHEAD = "Array.from(window.ahead).map((each) => each.outerHTML)"


class BrowserTestCase(DemoTestCase):
    """
    Each test has a demo and a browser to itself.

    @ivar program: that has people sign in.
    @ivar tab: where somebody is.
    """

    def setUp(self) -> None:
        """
        Start everything.
        """
        need("chromium", "certutil")
        if not AXE.exists():
            raise SkipTest("needs npm ci in tests/interop/node")
        super().setUp()
        home = self.directory / "home"
        home.mkdir()
        self.chromium = Chromium(home, self.demo.authority)
        self.addCleanup(self.chromium.quit)
        self.tab = self.chromium.open()
        self.program = Program(self.demo)
        self.addCleanup(self.program.close)

    @property
    def password(self) -> str:
        """
        Alice's.
        """
        return self.demo.accounts[ALICE]["password"]

    def visit(self, path: str) -> None:
        """
        Go to a page of the server.
        """
        self.tab.visit(f"{self.demo.issuer}/{path}")

    def signIn(self) -> None:
        """
        Type Alice's name and her password.
        """
        self.tab.fill("#username", ALICE)
        self.tab.fill("#password", self.password)
        self.tab.click("button[value=signin]")

    def look(self, name: str) -> None:
        """
        Look at the page, in every way that somebody may: nothing is cut off, everybody can read
        and use it, with the keyboard alone, too, and a picture of it is kept.
        """
        SCREENSHOTS.mkdir(exist_ok=True)
        self.walk(name)
        self.tab.evaluate(AXE.read_text("utf-8"))
        for width in WIDTHS:
            for dark in (False, True):
                self.tab.look(width, dark)
                appearance = f"{name}-{width}-{'dark' if dark else 'light'}"
                self.tab.photograph(SCREENSHOTS / f"{appearance}.png")
                self.assertEqual([], self.tab.evaluate(_CHECK), appearance)
                scrolled = "document.documentElement.scrollWidth > innerWidth"
                self.assertFalse(self.tab.evaluate(scrolled), appearance)
                self.assertFalse(self.tab.evaluate(_STICKS_OUT), appearance)

    def walk(self, name: str) -> None:
        """
        Go through the page with the keyboard alone: whatever can be done on it is come to, and
        seen to have the focus. It is done by what browsers know how to press (WCAG 2.1.1, 2.4.7).
        What had the focus before has it again.
        """
        self.tab.evaluate(_BEGIN)
        count = self.tab.evaluate("window.ahead.size")
        for _ in range(2 * count + 4):
            if not self.tab.evaluate("window.ahead.size"):
                break
            self.tab.strike("Tab")
            self.assertTrue(self.tab.evaluate(_COME_TO), (name, self.tab.focused))
        self.assertEqual([], self.tab.evaluate(_AHEAD), name)
        self.tab.evaluate("window.before.focus()")

    def tabTo(self, words: str) -> None:
        """
        Go on until something has the focus, which can be seen.
        """
        for _ in range(40):
            self.tab.strike("Tab")
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            self.assertEqual("solid", self.tab.evaluate(outline))
            if self.tab.focused == words:
                return
        self.fail(f"nobody comes to {words} with a keyboard")

    def assertQuiet(self) -> None:
        """
        The browser asked nobody else for anything, and had nothing to complain about.
        """
        asked = {
            urlsplit(event["request"]["url"]).hostname
            for event in self.tab.events("Network.requestWillBeSent")
            # The pictures of Chromium's own fields.
            if not event["request"]["url"].startswith("data:")
        }
        self.assertEqual(set(), asked - {"localhost", "127.0.0.1"})
        complaints = [
            event["entry"]["text"]
            for event in self.tab.events("Log.entryAdded")
            # A page that says no is not a complaint.
            if event["entry"]["level"] in ("warning", "error")
            and event["entry"]["source"] != "network"
        ]
        self.assertEqual([], complaints)

    def fields(self) -> dict[str, str]:
        """
        What the page's fields hold.
        """
        fields: dict[str, str] = json.loads(
            self.tab.evaluate(
                "JSON.stringify(Object.fromEntries(Array.from(document.querySelectorAll('input'),"
                " (field) => [field.name, field.value])))"
            )
        )
        return fields
