"""
What pages load: a style sheet, scripts and pictures. Owns their addresses, which change with what
they hold, so that browsers keep them for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from .documents import Prepared

_DIRECTORY = Path(__file__).with_name("static")
_TYPES: Mapping[str, bytes] = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
}
_YEAR = 365 * 86400


class Assets:
    """
    All of them.

    @ivar resources: by their paths below the issuer.
    """

    def __init__(self) -> None:
        self.resources: dict[str, Prepared] = {}
        self._paths: dict[str, str] = {}
        for file in sorted(_DIRECTORY.iterdir()):
            content = file.read_bytes()
            digest = sha256(content).hexdigest()[:12]
            path = f"static/{file.stem}.{digest}{file.suffix}"
            self._paths[file.name] = path
            self.resources[path] = Prepared(
                content,
                _TYPES[file.suffix],
                _YEAR,
                ((b"Cross-Origin-Resource-Policy", b"same-origin"),),
            )

    def path(self, name: str) -> str:
        """
        Where a file is, below the issuer.
        """
        return self._paths[name]
