"""
The least that a Twisted server can do for a login over IMAP: read lines, and say yes::

    python bench/floor.py
    python bench/floor.py --check es256 --key KEY.pem

With C{--check es256} it says yes to tokens alone, with no more than is needed to find out who
signed them, for whom and until when. There is no SASL in it, no cred, no account, no limit and
no log, and nothing is said when anything goes wrong.
"""

from __future__ import annotations

import argparse
import json
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable
from time import time
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from options import addTrust, serve
from twisted.internet.protocol import ServerFactory
from twisted.protocols.basic import LineOnlyReceiver

Check = Callable[[bytes], bool]


class FloorProtocol(LineOnlyReceiver):
    """
    Greets, takes any AUTHENTICATE with an initial response, and takes anything else for LOGOUT.
    """

    factory: FloorFactory
    transport: Any

    def connectionMade(self) -> None:
        """
        Greet.
        """
        self.transport.write(b"* OK floor\r\n")

    def lineReceived(self, line: bytes) -> None:
        """
        Answer.
        """
        tag, _, rest = line.partition(b" ")
        if rest.startswith(b"AUTHENTICATE "):
            verdict = b" OK\r\n" if self.factory.check(rest.rsplit(b" ", 1)[1]) else b" NO\r\n"
            self.transport.write(tag + verdict)
        else:
            self.transport.write(b"* BYE\r\n" + tag + b" OK\r\n")
            self.transport.loseConnection()


class FloorFactory(ServerFactory):
    """
    @ivar check: whether an initial response, in base64, lets in.
    """

    noisy = False

    def __init__(self, check: Check) -> None:
        self.check = check

    def buildProtocol(self, address: Any) -> Any:
        """
        See L{ServerFactory.buildProtocol}.
        """
        protocol = FloorProtocol()
        protocol.factory = self
        return protocol


def checkNothing(response: bytes) -> bool:
    """
    Yes.
    """
    b64decode(response)
    return True


def makeSignatureCheck(options: argparse.Namespace) -> Check:
    """
    Make the check of a token signed with ES256.
    """
    key: Any = load_pem_public_key(options.key.read_bytes())
    algorithm = ECDSA(SHA256())

    def check(response: bytes) -> bool:
        header, rest = b64decode(response).split(b"\x01", 1)
        start = rest.index(b"auth=Bearer ") + len(b"auth=Bearer ")
        token = rest[start : rest.index(b"\x01", start)]
        signed, signature = token.rsplit(b".", 1)
        jose, payload = map(_decode, signed.split(b"."))
        if json.loads(jose)["alg"] != "ES256":
            return False
        octets = _decode(signature)
        r, s = int.from_bytes(octets[:32], "big"), int.from_bytes(octets[32:], "big")
        try:
            key.verify(encode_dss_signature(r, s), signed, algorithm)
        except InvalidSignature:
            return False
        claims = json.loads(payload)
        return bool(
            claims["iss"] == options.issuer
            and claims["aud"] == options.audience
            and claims["exp"] > time()
            and claims[options.claim] == header[len("n,a=") : -1].decode()
        )

    return check


def _decode(part: bytes) -> bytes:
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def main() -> None:
    """
    Serve until killed.
    """
    parser = argparse.ArgumentParser(description="the least that a login costs")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--check", choices=("none", "es256"), default="none")
    addTrust(parser)
    options = parser.parse_args()
    check = checkNothing if options.check == "none" else makeSignatureCheck(options)
    serve(options.port, FloorFactory(check))


if __name__ == "__main__":
    main()
