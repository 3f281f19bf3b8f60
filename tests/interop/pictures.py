"""
C{make pictures}: draws the pictures of the set-up page anew, of the Thunderbird that is here.
"""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from tempfile import TemporaryDirectory

from mailauth.server import web
from mailauth.server.certificates import makeCertificates

from .programs import run
from .thunderbird import Thunderbird

_STATIC = Path(web.__file__).with_name("static")
_PREFERENCES = {
    "mail.rights.version": 1,
    "ui.prefersReducedMotion": 1,
}


def draw() -> None:
    """
    Draw them.
    """
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        makeCertificates(directory, ("localhost",))
        home = directory / "home"
        home.mkdir()
        thunderbird = Thunderbird(home, str(directory / "ca.pem"), _PREFERENCES)
        try:
            _keep("thunderbird-addon", thunderbird.call("drawAddOns"))
            address = "alice@example.org"
            _keep("thunderbird-account", thunderbird.call("drawAddress", "Alice", address))
        finally:
            thunderbird.quit()


def _keep(name: str, picture: str) -> None:
    """
    Keep a picture, as small as it can be without looking worse.

    @param picture: the base64 of a PNG.
    """
    finished = run("pngquant", "--speed", "1", "--strip", "-", stdin=b64decode(picture))
    assert finished.status == 0, finished.errors
    (_STATIC / f"{name}.png").write_bytes(finished.output)


if __name__ == "__main__":
    draw()
