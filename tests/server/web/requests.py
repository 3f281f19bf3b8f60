"""
Requests to the real site, without a network.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.pages import notFound
from twisted.web.resource import Resource

from mailauth.mail.waiting import WaitingRoom
from mailauth.server.web.channel import QuietSite

FORM = "Content-Type: application/x-www-form-urlencoded"


@attrs.frozen
class Response:
    """
    What came back.

    @ivar headers: by their names in lower case; those that were there more than once have all
        their values, with a comma between them.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def members(self) -> Any:
        """
        The body, as JSON.
        """
        return json.loads(self.body)


class Exchange:
    """
    One connection, to a site of one resource.
    """

    def __init__(self, resource: Resource, path: str = "here", peer: str = "192.0.2.7") -> None:
        """
        @param path: where the resource is.
        @param peer: where the connection comes from.
        """
        self._path = path
        site = QuietSite(
            {f"/{path}".encode(): resource}, notFound(), WaitingRoom(Clock().callLater)
        )
        self.channel = site.buildProtocol(None)
        self.transport = StringTransport(peerAddress=IPv4Address("TCP", peer, 50000))
        self.channel.makeConnection(self.transport)

    def send(self, method: str, query: str, *headers: str, body: bytes = b"") -> None:
        """
        Send a request.

        @param query: what stands behind the path, with its question mark.
        """
        lines = [f"{method} /{self._path}{query} HTTP/1.1", "Host: other.example", *headers]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        self.channel.dataReceived("\r\n".join([*lines, "", ""]).encode("latin-1"))
        for at in range(0, len(body), 1000):
            if not self.transport.disconnecting:
                self.channel.dataReceived(body[at : at + 1000])

    def response(self) -> Response:
        """
        What came back.
        """
        head, _, content = self.transport.value().partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (field.partition(": ") for field in fields):
            name = name.lower()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Response(int(status.split()[1]), headers, content)


def ask(
    resource: Resource, method: str, query: str = "", *headers: str, body: bytes = b""
) -> Response:
    """
    Send one request, which is answered at once.
    """
    exchange = Exchange(resource)
    exchange.send(method, query, *headers, body=body)
    return exchange.response()


def post(resource: Resource, form: dict[str, str], *headers: str) -> Response:
    """
    Send a form.
    """
    return ask(resource, "POST", "", FORM, *headers, body=urlencode(form).encode())
