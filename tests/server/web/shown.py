"""
What a browser is shown, and what a person can do with it.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import attrs


@attrs.frozen
class HTMLForm:
    """
    A form of a page.

    @ivar fields: by their names; a button is none.
    """

    action: str
    fields: dict[str, str]
    buttons: tuple[str, ...]


class PageParser(HTMLParser):
    """
    Reads a page.

    @ivar text: what a person sees of it.
    """

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.text = ""
        self.forms: list[HTMLForm] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._select = self._textarea = ""
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """
        An element.
        """
        named = {name: value or "" for name, value in attributes}
        self.elements.append((tag, named))
        if tag == "form":
            self.forms.append(HTMLForm(named["action"], {}, ()))
        elif tag == "input":
            if named.get("type") not in ("checkbox", "radio") or "checked" in named:
                self.forms[-1].fields[named["name"]] = named.get("value", "")
        elif tag == "select":
            self._select = named["name"]
        elif tag == "option" and self._select:
            fields = self.forms[-1].fields
            if self._select not in fields or "selected" in named:
                fields[self._select] = named["value"]
        elif tag == "textarea":
            self._textarea = named["name"]
            self.forms[-1].fields[self._textarea] = ""
        elif tag == "button" and "value" in named:
            last = self.forms[-1]
            self.forms[-1] = attrs.evolve(last, buttons=(*last.buttons, named["value"]))

    def handle_endtag(self, tag: str) -> None:
        """
        The end of one.
        """
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, text: str) -> None:
        """
        Some text.
        """
        self.text += text
        if self._textarea:
            self.forms[-1].fields[self._textarea] += text.removeprefix("\n")


@attrs.frozen
class Shown:
    """
    What a browser got.

    @ivar headers: by their names in lower case; the last one of each.
    """

    address: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def page(self) -> PageParser:
        """
        What it shows.
        """
        return PageParser(self.body)

    @property
    def heading(self) -> str:
        """
        The heading of the page.
        """
        match = re.search(rb"<h1>(.*?)</h1>", self.body, re.DOTALL)
        assert match is not None, self
        return re.sub("<.*?>", "", match[1].decode("utf-8"))

    @property
    def location(self) -> str:
        """
        Where it leads.
        """
        assert self.status == 303, self
        return self.headers["location"]

    @property
    def answer(self) -> dict[str, str]:
        """
        What the client that it leads to is told.
        """
        return dict(parse_qsl(urlsplit(self.location).query))
