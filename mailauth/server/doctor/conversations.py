"""
What a mail server says to a stranger: what it offers before and with TLS, and how it refuses a
token that nobody issued. Owns the three wires, as far as a stranger speaks them.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import attrs

from ...errors import Outage
from ...oauth.jwt import MalformedToken, parseObject
from .certificates import CuriousTLS, SeenCertificate
from .connections import Line, Unexpected, connect, within
from .network import Network

MADE_UP = b"n,,\x01auth=Bearer mailauth-doctor\x01\x01"
"""
The message of OAUTHBEARER (RFC 7628 section 3.1) with a token that nobody issued. It names no
account, so that the failure is nobody's.
"""

_ACKNOWLEDGED = b64encode(b"\x01")


@attrs.frozen
class Place:
    """
    Where a mail program goes.

    @ivar protocol: C{"imap"}, C{"smtp"} or C{"pop3"}.
    @ivar implicitTLS: TLS begins at once, and not with STARTTLS.
    """

    protocol: str
    host: str
    port: int
    implicitTLS: bool

    def __str__(self) -> str:
        return f"{_NAMES[self.protocol]} at {self.host}:{self.port}"


_NAMES = {"imap": "IMAP", "smtp": "SMTP", "pop3": "POP3"}


@attrs.frozen
class Refused:
    """
    How a token that nobody issued was answered.

    @ivar accepted: it was taken for a good one.
    @ivar reply: the last line.
    @ivar document: the error document of RFC 7628 section 3.2.2, or C{None} if there was none that
        can be read.
    """

    accepted: bool
    reply: str
    document: Mapping[str, Any] | None


@attrs.define
class Heard:
    """
    What a server said, as far as the conversation went.

    @ivar clear: what it offers before TLS, C{None} if TLS begins at once. Whatever the wire, a
        mechanism is C{AUTH=} and its name, and STARTTLS is called so.
    @ivar certificate: what it showed.
    @ivar secured: what it offers with TLS.
    @ivar refused: see there; C{None} if it does not know OAUTHBEARER.
    @ivar outage: why nobody can tell more, or the empty string.
    @ivar unexpected: why no program would get further, or the empty string.
    """

    clear: frozenset[str] | None = None
    certificate: SeenCertificate | None = None
    secured: frozenset[str] | None = None
    refused: Refused | None = None
    outage: str = ""
    unexpected: str = ""


async def converse(network: Network, trustRoot: Any, place: Place) -> Heard:
    """
    Talk to a server.

    @param trustRoot: see L{CuriousTLS}.
    """
    heard = Heard()
    try:
        await within(network, _converse(network, trustRoot, place, heard))
    except Outage as error:
        heard.outage = error.reason or ""
    except Unexpected as error:
        heard.unexpected = str(error)
    return heard


async def _converse(network: Network, trustRoot: Any, place: Place, heard: Heard) -> None:
    line = await connect(network, trustRoot, place.host, place.port, place.implicitTLS)
    try:
        wire = _WIRES[place.protocol](line)
        if place.implicitTLS:
            heard.certificate = await line.secured()
        await wire.greet()
        if not place.implicitTLS:
            heard.clear = await wire.capabilities()
            if "STARTTLS" not in heard.clear:
                return
            await wire.startTLS()
            line.startTLS(CuriousTLS(place.host, trustRoot))
            heard.certificate = await line.secured()
        heard.secured = await wire.capabilities()
        if "AUTH=OAUTHBEARER" in heard.secured:
            heard.refused = await wire.offer(MADE_UP)
        line.say(wire.farewell)
        with suppress(Outage):
            await line.hear()
    finally:
        line.abort()


class _Wire:
    """
    What the three have in common.
    """

    farewell = b"QUIT"
    _positive: tuple[bytes, ...] = ()
    _challenge = b"+ "
    _initialResponse = False

    def __init__(self, line: Line) -> None:
        self._line = line

    async def greet(self) -> None:
        """
        Hear the greeting.
        """
        greeting = await self._line.hear()
        if not greeting.startswith(self._positive):
            raise Unexpected(f"it greets with {_shown(greeting)}")

    async def capabilities(self) -> frozenset[str]:
        """
        What it offers now, as L{Heard} has it.
        """
        raise NotImplementedError

    async def startTLS(self) -> None:
        """
        Have it begin TLS with the next octet.
        """
        raise NotImplementedError

    async def offer(self, message: bytes) -> Refused:
        """
        Show a token, by OAUTHBEARER.
        """
        waiting = [b64encode(message)]
        command = self._authenticate(b"OAUTHBEARER")
        if self._initialResponse:
            command += b" " + waiting.pop()
        self._line.say(command)
        document = None
        while True:
            reply = await self._line.hear()
            if (reply + b" ").startswith(self._challenge):
                if waiting:
                    self._line.say(waiting.pop())
                else:
                    document = _readDocument(reply.removeprefix(self._challenge))
                    self._line.say(_ACKNOWLEDGED)
            elif self._answers(reply):
                return Refused(self._accepts(reply), _shown(reply), document)

    def _authenticate(self, mechanism: bytes) -> bytes:
        return b"AUTH " + mechanism

    def _answers(self, reply: bytes) -> bool:
        """
        Whether a line answers the command, and is not said besides.
        """
        return True

    def _accepts(self, reply: bytes) -> bool:
        return reply.startswith(self._positive)


class _IMAP(_Wire):
    farewell = b"z LOGOUT"
    _positive = (b"* OK", b"a OK")

    async def capabilities(self) -> frozenset[str]:
        self._line.say(b"a CAPABILITY")
        words: set[str] = set()
        while not (reply := await self._line.hear()).startswith(b"a "):
            if reply.upper().startswith(b"* CAPABILITY "):
                words.update(_words(reply)[2:])
        self._initialResponse = "SASL-IR" in words
        return frozenset(words)

    async def startTLS(self) -> None:
        self._line.say(b"a STARTTLS")
        while not (reply := await self._line.hear()).startswith(b"a "):
            pass
        _checkReply(reply, b"a OK")

    def _authenticate(self, mechanism: bytes) -> bytes:
        return b"a AUTHENTICATE " + mechanism

    def _answers(self, reply: bytes) -> bool:
        return reply.startswith(b"a ")


class _SMTP(_Wire):
    _positive = (b"2",)
    _challenge = b"334 "
    _initialResponse = True

    async def greet(self) -> None:
        reply = await self._reply()
        if not reply[-1].startswith(b"220"):
            raise Unexpected(f"it greets with {_shown(reply[-1])}")

    async def capabilities(self) -> frozenset[str]:
        self._line.say(b"EHLO doctor.invalid")
        words: set[str] = set()
        for reply in (await self._reply())[1:]:
            keyword, *parameters = _words(reply[4:].replace(b"AUTH=", b"AUTH ")) or [""]
            if keyword == "AUTH":
                words.update(f"AUTH={each}" for each in parameters)
            else:
                words.add(keyword)
        return frozenset(words)

    async def startTLS(self) -> None:
        self._line.say(b"STARTTLS")
        _checkReply((await self._reply())[-1], b"220")

    async def _reply(self) -> list[bytes]:
        lines = [await self._line.hear()]
        while lines[-1][3:4] == b"-":
            lines.append(await self._line.hear())
        return lines


class _POP3(_Wire):
    _positive = (b"+OK",)

    async def capabilities(self) -> frozenset[str]:
        self._line.say(b"CAPA")
        words: set[str] = set()
        if (await self._line.hear()).startswith(b"+OK"):
            while (reply := await self._line.hear()) != b".":
                keyword, *parameters = _words(reply) or [""]
                words.add("STARTTLS" if keyword == "STLS" else keyword)
                if keyword == "SASL":
                    words.update(f"AUTH={each}" for each in parameters)
        return frozenset(words)

    async def startTLS(self) -> None:
        self._line.say(b"STLS")
        _checkReply(await self._line.hear(), b"+OK")


_WIRES: Mapping[str, type[_Wire]] = {"imap": _IMAP, "smtp": _SMTP, "pop3": _POP3}


def _words(line: bytes) -> list[str]:
    return line.decode("latin-1").upper().split()


def _checkReply(reply: bytes, good: bytes) -> None:
    if not reply.startswith(good):
        raise Unexpected(f"it answers STARTTLS with {_shown(reply)}")


def _readDocument(challenge: bytes) -> Mapping[str, Any] | None:
    try:
        return parseObject(b64decode(challenge, validate=True))
    except (ValueError, MalformedToken):
        return None


def _shown(line: bytes) -> str:
    return repr(line[:200].decode("latin-1"))[1:-1]
