"""
Ports of programs that have to be told one.
"""

from __future__ import annotations

import socket
from random import SystemRandom

from . import HOST

_PORTS = range(2_000, 31_000)
"""
Below those that the kernel gives to clients.
"""

_random = SystemRandom()


def freePort() -> int:
    """
    A port on loopback that nobody uses now.
    """
    while True:
        port = _random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
