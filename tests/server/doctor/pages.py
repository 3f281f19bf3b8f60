"""
Other people's web servers, in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from twisted.web.http_headers import Headers

from mailauth.errors import Outage
from mailauth.server.doctor.web import Absent, Web, WebHost
from mailauth.validators._http import Fetched


def answer(content: Any, status: int = 200, **headers: str) -> Fetched:
    """
    What a web server says.

    @param content: octets, or what is JSON.
    """
    octets = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return Fetched(status, Headers(named), octets)


class MemoryWeb(Web):
    """
    All of them.

    @ivar says: what is said at each address, whatever its query; an outage is raised.
    @ivar asked: all requests.
    """

    def __init__(self) -> None:
        self.says: dict[str, Fetched | Outage] = {}
        self.asked: list[tuple[str, str, bytes, Mapping[str, str]]] = []

    async def look(self, addresses: Iterable[str]) -> list[WebHost]:
        """
        All hosts are good.
        """
        return [WebHost() for _ in addresses]

    async def get(self, address: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """
        See L{Web.get}.
        """
        return self._answer("GET", address, b"", headers or {})

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Fetched:
        """
        See L{Web.post}.
        """
        return self._answer("POST", address, body, headers)

    async def delete(self, address: str, headers: Mapping[str, str]) -> Fetched:
        """
        See L{Web.delete}.
        """
        return self._answer("DELETE", address, b"", headers)

    def _answer(
        self, method: str, address: str, body: bytes, headers: Mapping[str, str]
    ) -> Fetched:
        self.asked.append((method, address, body, headers))
        said = self.says.get(address.partition("?")[0])
        if said is None:
            raise Absent("there is no such host")
        if isinstance(said, Outage):
            raise said
        return said
