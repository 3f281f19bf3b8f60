"""
What the servers of the bench have in common: whom they trust, and how they say where they listen.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, cast

ISSUER = "https://issuer.example"
AUDIENCE = "mail.example"
DOMAIN = "example.test"
USERS = 1000


def accountName(number: int) -> str:
    """
    The name of one of the L{USERS} accounts.
    """
    return f"u{number:05d}@{DOMAIN}"


def addTrust(parser: argparse.ArgumentParser) -> None:
    """
    Whose tokens are good.
    """
    parser.add_argument("--key", type=Path, help="the issuer's public key in PEM")
    parser.add_argument("--issuer", default=ISSUER, help="the iss of its tokens")
    parser.add_argument("--audience", default=AUDIENCE, help="their aud")
    parser.add_argument("--claim", default="sub", help="which claim is the login name")


def serve(port: int, factory: Any) -> None:
    """
    Serve IMAP on loopback until killed.

    @param port: 0 for a free one.
    """
    from twisted.internet import reactor

    listen(reactor, port, factory, "imap")
    cast(Any, reactor).run()


def listen(reactor: Any, port: int, factory: Any, listener: str, **others: Any) -> None:
    """
    Listen on loopback, and say where as one line of JSON.

    @param others: what else it says.
    """
    listening = reactor.listenTCP(port, factory, 1024, "127.0.0.1")
    print(json.dumps({"ports": {listener: listening.getHost().port}, **others}), flush=True)
