"""
Somebody at a browser, who signs in and decides. Owns cookies, and which buttons are pressed.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http.client import HTTPMessage
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from ..server.web.shown import HTMLForm, Shown
from . import ALICE
from .demo import Demo
from .programs import TIMEOUT


class Person:
    """
    One with an account.

    @ivar name: of the account.
    """

    def __init__(self, demo: Demo, name: str = ALICE, elsewhere: str | None = None) -> None:
        """
        @param elsewhere: another issuer, to which she goes, too.
        """
        self.name = name
        self._issuer = demo.issuer
        self._password = demo.accounts[name]["password"]
        self._opener = build_opener(
            ProxyHandler({}),
            HTTPSHandler(context=ssl.create_default_context(cafile=demo.authority)),
            HTTPCookieProcessor(),
            _Staying(demo.issuer, *([] if elsewhere is None else [elsewhere])),
        )

    def visit(self, address: str) -> Shown:
        """
        Go to an address, and on from there, but never to a site that she does not know.
        """
        return self._open(Request(address))

    def press(self, shown: Shown, button: str | None, fields: Mapping[str, str] = {}) -> Shown:
        """
        Fill in the form of a page that has this button, and press it.

        @param button: its value; C{None} for one without.
        """
        for form in shown.page.forms:
            if button in form.buttons or (button is None and not form.buttons):
                decision = {} if button is None else {"decision": button}
                return self._send(shown, form, {**fields, **decision})
        raise AssertionError(f"no button {button} in {shown.body!r}")

    def signIn(self, address: str) -> Shown:
        """
        Go to an address, and sign in if that is asked.
        """
        shown = self.visit(address)
        if not _has(shown, "signin"):
            return shown
        fields = {"username": self.name, "password": self._password}
        return self.press(shown, "signin", fields)

    def signInThere(self, address: str, name: str) -> Shown:
        """
        Go to an address, and sign in at the other issuer.

        @param name: who she is there.
        """
        shown = self.visit(address)
        [link] = [
            attributes["href"]
            for tag, attributes in shown.page.elements
            if tag == "a" and attributes.get("class") == "button"
        ]
        shown = self.visit(urljoin(shown.address, link))
        return self.press(shown, None, {"login": name, "password": "anything"})

    def answer(self, address: str, decision: str = "allow") -> str:
        """
        Take what a client asks to its end.

        @param address: where the client sends its people.
        @param decision: the button to press, if anything is asked.
        @return: where the browser is sent from here.
        """
        shown = self.signIn(address)
        if _has(shown, decision):
            shown = self.press(shown, decision)
        return shown.location

    def connect(self, address: str, decision: str = "allow") -> str:
        """
        Connect a device, or do not.

        @param address: which the device shows, with its code in it.
        @return: the heading of the page where this ends.
        """
        shown = self.press(self.signIn(address), None)
        return self.press(shown, decision).heading

    def end(self, kind: str) -> None:
        """
        End on the account site all that she has of one kind.

        @param kind: such as C{"application"}.
        """
        shown = self.signIn(f"{self._issuer}/account/")
        ending = [each for each in shown.page.forms if each.fields.get("kind") == kind]
        assert ending, shown.page.text
        for form in ending:
            assert self._send(shown, form).status == 200

    def _send(self, shown: Shown, form: HTMLForm, fields: Mapping[str, str] = {}) -> Shown:
        body = urlencode({**form.fields, **fields}).encode("ascii")
        return self._open(Request(urljoin(shown.address, form.action), body))

    def _open(self, request: Request) -> Shown:
        try:
            response = self._opener.open(request, timeout=TIMEOUT)
        except HTTPError as error:
            response = error
        with response:
            return Shown(
                response.url,
                response.status,
                {name.lower(): value for name, value in response.headers.items()},
                response.read(),
            )


class _Staying(HTTPRedirectHandler):
    """
    Follows no redirect that leaves.
    """

    def __init__(self, *issuers: str) -> None:
        self._sites = tuple(f"{issuer}/" for issuer in issuers)

    def redirect_request(
        self,
        request: Request,
        body: IO[bytes],
        status: int,
        reason: str,
        headers: HTTPMessage,
        location: str,
    ) -> Request | None:
        """
        See the parent.
        """
        if not location.startswith(self._sites):
            return None
        return super().redirect_request(request, body, status, reason, headers, location)


def _has(shown: Shown, button: str) -> bool:
    return any(button in form.buttons for form in shown.page.forms)
